// modules/kube/session.hpp: inside kube only: what all users of one server share, and one request with its retries.
#pragma once

#include "modules/base/slots.hpp"
#include "modules/kube/client.hpp"
#include "modules/kube/discovery.hpp"
#include "modules/kube/refusal.hpp"

#include <boost/json/parse_options.hpp>

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

    /// As Cluster::any_version_of, asked of the server now.
    Task<Resource> ask_group(std::string group, std::string kind, std::string preferred, Identity identity);

    http::Client& http;
    Config config;
    ClientSettings settings;
    http::Endpoint endpoint;
    std::string base_path;  // of the server URL, without the last slash
    TokenSource token;
    Slots requests;
    Slots discovering;  // one at a time
    RequestCounts counts;
    KnownKinds kinds;
    std::optional<std::chrono::steady_clock::time_point> discovered_at;

private:
    Task<http::Response> send_once(Call const& call, Identity const& identity);
    Task<void> discover_root(std::string path, Identity identity, std::vector<Resource>& found,
                             std::vector<std::string>& stale);
    Task<void> discover_legacy(std::string path, std::string document, Identity identity, std::vector<Resource>& found,
                               std::vector<std::string>& stale);
};

/// Depth and size are bounded; an API server never nests as deep as kJsonDepthMax.
Result<json::value> parse_json(std::string_view text);
Result<Object> parse_object(std::string_view text);

}  // namespace holdfast::kube
