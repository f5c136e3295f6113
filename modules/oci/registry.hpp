// modules/oci/registry.hpp: asks one registry about one repository, and fetches manifests and blobs from it.
// Reading order: name.hpp, login.hpp, challenge.hpp, manifest.hpp, registry.hpp, registry.cpp; lookout.hpp.
//
// Everything here blocks and is called on a pool (base/on_pool.hpp), or in a worker.
#pragma once

#include "modules/base/private_loop.hpp"
#include "modules/http/client.hpp"
#include "modules/http/trust.hpp"
#include "modules/oci/challenge.hpp"
#include "modules/oci/login.hpp"
#include "modules/oci/manifest.hpp"
#include "modules/oci/name.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::oci {

/// Whom to ask, and who we are to them.
struct Remote {
    Name name;
    bool insecure = false;  // plain HTTP
    Keyring logins{};
    http::Certificates certificates{};  // those of a client are shown to the registry alone
};

/// The bounds of one conversation.
struct Bounds {
    std::chrono::milliseconds whole_max{60'000};  // all requests together
    std::chrono::milliseconds idle_max{30'000};
    std::chrono::milliseconds pace_span{60'000};  // in each of which a blob has to bring pace_bytes_min
    std::size_t pace_bytes_min = 4'096;
    std::uint64_t blob_bytes_max = 256u << 20;
    std::size_t tags_bytes_max = 16u << 20;  // of all pages
    std::size_t tags_max = 200'000;
};

struct Options {
    Bounds bounds{};
    http::Reach reach{};          // of the registry; where it sends us goes no further than a stranger may
    std::stop_token stop{};       // requested: ends within 0.2 s
    http::Connector connector{};  // null: connects by itself
    http::Bundle bundle{};
};

/// What let us in, to be said at once the next time.
struct Pass {
    std::string authorization;  // the header; empty: nobody asked who we are
    std::chrono::seconds lifetime{};
};

class Registry {
public:
    /// Errors  invalid_input  the certificates
    static Result<std::unique_ptr<Registry>> open(Remote remote, Options options);
    ~Registry();

    struct Document {
        std::string text;
        std::string media_type;
        std::string digest;  // of the text
    };
    using Sink = std::function<Result<void>(std::string_view piece)>;

    /// What all have in common:
    /// Errors  offline        no such host, refused, cut off; a web page where an answer was due: not yet on the network
    ///         timeout        a field of Bounds passed, or `stop` was requested
    ///         denied         401, 403, certificate not trusted, redirect from https to http, an address that Options::reach refuses
    ///         not_found      404;  busy  429, 5xx;  invalid_input  no registry, no manifest, another digest;  limit  Bounds
    ///         The message is what go-containerregistry says: "GET https://…: MANIFEST_UNKNOWN: manifest unknown; …".
    /// Never   tells a login to another host than that it is for: a token server elsewhere is told the login that `logins` has
    ///         for its host, or none; where a redirect leads is told nothing

    /// The digest of what this tag means now, by HEAD, with the pass that was given.
    /// Out  nothing when it takes manifest() to find out: no digest, or an answer that is neither good nor a failure of the line
    Result<std::optional<std::string>> digest_of(std::string const& tag);

    /// In   reference  a tag, or a digest that the text must have
    Result<Document> manifest(std::string const& reference);

    /// The names of all tags, in the registry's order.
    Result<std::vector<std::string>> tags();

    /// Hands the bytes to `sink` as they come: only when this returns success were they those of the digest.
    Result<void> blob(Descriptor const& wanted, Sink const& sink);

    Pass const& pass() const { return pass_; }
    /// In  one that pass() gave of the same remote
    void show(Pass pass) { pass_ = std::move(pass); }

private:
    struct Question {
        std::string method = "GET";
        std::string target;
        std::string_view accept;
        std::size_t bytes_max = 64u << 10;
        Sink const* sink = nullptr;
    };
    struct Place;

    Registry(Remote remote, Options options);
    Result<http::Response> ask(Question const& question);
    Result<http::Response> ask_at(Place const& place, Question const& question);
    Result<http::Response> follow(Place place, Question const& question, http::Response answer);
    Result<bool> log_in(http::Response const& refusal);
    Result<void> fetch_token(Challenge const& challenge);
    Login login_at(http::Url const& realm) const;
    Result<void> configure();
    std::chrono::milliseconds left() const;
    std::string blob_target(std::string_view kind, std::string_view reference) const;

    Remote remote_;
    Options options_;
    PrivateLoop loop_;
    http::Client client_;
    http::Url url_;
    std::shared_ptr<http::TlsContext const> tls_;
    std::chrono::steady_clock::time_point deadline_;
    Pass pass_;
};

}  // namespace holdfast::oci
