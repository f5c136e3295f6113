// modules/kube/session.hpp: inside kube only: what all users of one server share, and one request with its retries.
#pragma once

#include "modules/base/slots.hpp"
#include "modules/kube/client.hpp"
#include "modules/kube/discovery.hpp"
#include "modules/kube/parse.hpp"
#include "modules/kube/refusal.hpp"

#include <optional>

namespace holdfast::kube {

/// One request in the terms of the API.
struct Call {
    Verb verb = Verb::get;
    std::string method = "GET";
    std::string target;
    std::string accept = "application/json";
    std::string content_type = "";
    std::string body = "";
    std::string resource = "";  // "deployments.apps", for messages
    std::string name = "";
    http::BodySink sink = nullptr;
    bool is_watch = false;
    std::chrono::milliseconds watch_max{0};
    std::chrono::milliseconds silence_max{0};
    std::optional<GroupVersionKind> gvk = std::nullopt;  // of a call on objects, not on a subresource of one
    std::optional<Error> unsendable = std::nullopt;      // it would be another path than it looks
};

struct Client::Identity {
    std::string user;
    std::vector<std::string> groups;
};

struct Client::Shared {
    Shared(asio::any_io_executor executor, http::Client& http_in, Config config_in, ClientSettings settings_in)
        : http(http_in), config(std::move(config_in)), settings(std::move(settings_in)), token(config.credentials),
          requests(executor, settings.requests_max), discovering(executor, 1) {}

    /// Sends until answered; a status that is not 2xx is a failure, told to `refusal`.
    Task<http::Response> call(Call call, Identity identity, Refusal* refusal);

    /// As call(), for an answer that is one JSON object.
    Task<Object> call_for_object(Call call, Identity identity, Refusal* refusal);

    Task<void> discover(Identity identity);

    /// Credentials of the same server. Out  true when those in use are others now
    Result<bool> take_over(Config fresh);

    /// Takes over credentials that changed on disk. Out  true when those in use are others now
    bool renew_credentials(bool at_once);

    /// As Cluster::any_version_of, asked of the server now.
    Task<Resource> ask_group(std::string group, std::string kind, std::string preferred, Identity identity);

    http::Client& http;
    Config config;
    ClientSettings settings;
    http::Endpoint endpoint;
    std::string base_path;  // of the server URL, without the last slash
    TokenSource token;
    FileStamps stamps;
    std::optional<std::chrono::steady_clock::time_point> stamps_at;
    Contact contact;
    Slots requests;
    Slots discovering;  // one at a time
    RequestCounts counts;
    KnownKinds kinds;
    std::optional<std::chrono::steady_clock::time_point> discovered_at;

private:
    Task<http::Response> send_once(Call const& call, Identity const& identity);
    struct Discovered {
        std::vector<Resource> kinds;
        std::vector<std::string> stale;
        std::size_t bytes = 0;  // that were read for it
    };
    Result<void> charge(Discovered& found, std::size_t bytes) const;
    Task<void> discover_root(std::string path, Identity identity, Discovered& found);
    Task<void> discover_legacy(std::string path, std::string document, Identity identity, Discovered& found);
};

}  // namespace holdfast::kube
