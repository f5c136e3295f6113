// daemon/connections.cpp: one client for each connection; whoever acts there shares its discovery.
#include "daemon/connections.hpp"

namespace holdfast::daemon {

namespace {

/// The server may be a stranger's: what it says is held while it is read, and what it says about its kinds for as long as
/// anybody uses it.
kube::ClientSettings const kStranger{.requests_max = 4, .object_bytes_max = 4u << 20, .discovery_bytes_max = 1u << 20};

class ClientConnection final : public access::Connection {
public:
    explicit ClientConnection(std::unique_ptr<kube::Client> client) : client_(std::move(client)) {}

    std::shared_ptr<kube::Cluster> as(std::string user) override { return client_->as(std::move(user), {}); }
    void forget_kinds() override { client_->forget_discovery(); }
    Result<void> renew(kube::Config fresh) override { return client_->renew(std::move(fresh)); }
    std::uint64_t breaks() const override { return client_->counts().failed; }
    unsigned last_code() const override { return client_->contact().last_code; }

private:
    std::unique_ptr<kube::Client> client_;
};

}  // namespace

access::Remotes::Ports remote_ports(asio::any_io_executor executor, http::Client& http, kube::Client& own,
                                    http::Reach reach, Clock const& clock) {
    return {.own = &own,
            .connect = [executor, &http](kube::Config config) -> Result<std::unique_ptr<access::Connection>> {
                auto client = kube::Client::make(executor, http, std::move(config), kStranger);
                if (!client) return fail(std::move(client));
                return std::make_unique<ClientConnection>(std::move(*client));
            },
            .request_token =
                [&own](std::string ns, std::string account, std::vector<std::string> audiences) {
                    return own.request_token(std::move(ns), std::move(account), std::move(audiences));
                },
            .reach = std::move(reach),
            .clock = clock};
}

}  // namespace holdfast::daemon
