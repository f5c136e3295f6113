// modules/kube/client.hpp: the real API server behind kube::Cluster.
#pragma once

#include "modules/http/client.hpp"
#include "modules/kube/cluster.hpp"
#include "modules/kube/config.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::kube {

enum class Verb { get, list, watch, create, apply, patch, remove, discovery };
std::string_view to_string(Verb verb);
inline constexpr std::size_t kVerbs = 8;

/// Counted since start; for /metrics and for tests that promise "0 writes".
struct RequestCounts {
    std::array<std::uint64_t, kVerbs> sent{};  // HTTP requests, retries included
    std::uint64_t failed = 0;                  // no answer
    std::uint64_t refused = 0;                 // 4xx and 5xx
    std::uint64_t throttled = 0;               // 429 and 503 waited for

    std::uint64_t of(Verb verb) const { return sent[static_cast<std::size_t>(verb)]; }
};

/// How it stands with the server.
struct Contact {
    std::optional<std::chrono::steady_clock::time_point> heard_at;  // the last 2xx, or a piece of one
    std::string last_error;           // of the last request that failed; empty when one was answered well since
    unsigned last_code = 0;           // its HTTP status; 0: no answer
    std::string credentials_problem;  // why new credentials on disk are not in use; empty: they are
};

struct ClientSettings {
    std::size_t requests_max = 8;  // in flight; watches not counted
    std::chrono::milliseconds request_max{30'000};
    std::chrono::milliseconds queue_max{120'000};        // wait for a place among requests_max
    std::size_t object_bytes_max = 16u << 20;            // one object or one page
    std::size_t discovery_bytes_max = 64u << 20;         // all that the server says about its kinds
    unsigned tries_max = 5;                              // 429, 503 and broken idle connections
    std::chrono::seconds discovery_pause{10};            // an unknown kind asks the server again at most this often
    std::chrono::milliseconds credentials_pause{5'000};  // the files of credentials are looked at no more often
    std::string user_agent = "holdfast/" HOLDFAST_VERSION;
};

/// Used from one event loop; outlives the coroutines that use it.
/// Credentials that were read from disk are read again when a file changed, and after a 401. Requests in flight end with
/// those they began with. What changes the server is not taken over: that is another cluster, and takes a restart.
class Client final : public Cluster {
public:
    /// `http` must outlive the client. Errors  invalid_input, not_found: TLS material
    static Result<std::unique_ptr<Client>> make(asio::any_io_executor executor, http::Client& http, Config config,
                                                ClientSettings settings = {});
    ~Client() override;

    /// The same server, connections, discovery and counters as another user (Impersonate-User, -Group).
    std::unique_ptr<Client> as(std::string user, std::vector<std::string> groups) const;

    Task<Resource> resource_for(GroupVersionKind gvk) override;
    Task<Resource> any_version_of(std::string group, std::string kind, std::string preferred_version) override;
    Task<Object> get(Target target, ReadOptions options = {}, Refusal* refusal = nullptr) override;
    Task<std::string> list(Resource resource, ListOptions options, std::function<void()> begin, ObjectSink sink,
                           Refusal* refusal = nullptr) override;
    Task<void> watch(Resource resource, WatchOptions options, EventSink sink, Refusal* refusal = nullptr) override;
    Task<Object> apply(Object object, WriteOptions options, Refusal* refusal = nullptr) override;
    Task<Object> apply_to(Target target, Object object, WriteOptions options, Refusal* refusal = nullptr) override;
    Task<Object> patch(Target target, Patch type, json::value patch, WriteOptions options,
                       Refusal* refusal = nullptr) override;
    Task<Object> create(Object object, WriteOptions options, Refusal* refusal = nullptr) override;
    Task<void> remove(Target target, DeleteOptions options, Refusal* refusal = nullptr) override;

    /// A token for a service account, from the server (TokenRequest). No audience: the server's own.
    /// Out  the TokenRequest as it was answered
    Task<Object> request_token(std::string ns, std::string account, std::vector<std::string> audiences);

    /// Takes over newer credentials of the same user; requests in flight end with those they began with.
    /// Errors  invalid_input  they are for another server, or no credentials: those in use stay
    Result<void> renew(Config fresh);

    /// Every kind the server serves, from the cache; filled by the first call.
    Task<std::vector<Resource>> resources();
    /// After a CRD was applied: the next unknown kind asks the server at once.
    void forget_discovery();

    RequestCounts const& counts() const;
    Contact const& contact() const;
    Config const& config() const;

private:
    struct Shared;
    struct Identity;
    Client(std::shared_ptr<Shared> shared, std::unique_ptr<Identity> identity);
    std::shared_ptr<Shared> shared_;
    std::unique_ptr<Identity> identity_;
};

}  // namespace holdfast::kube
