// modules/kube/config.hpp: where the API server is and who we are there: kubeconfig or the pod's own account.
#pragma once

#include "modules/base/error.hpp"
#include "modules/http/proxy.hpp"
#include "modules/http/tls.hpp"
#include "modules/http/url.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::kube {

struct Credentials {
    std::string token;                 // bearer
    std::filesystem::path token_file;  // read again when it changes; wins over token
    std::string user;                  // basic
    std::string password;
    std::string impersonate_user;
    std::vector<std::string> impersonate_groups;

    bool operator==(Credentials const&) const = default;
};

struct KubeconfigRules {
    bool files_allowed = true;  // false for a kubeconfig out of a Secret: only inline data
    std::size_t file_bytes_max = 1u << 20;
    http::Reach reach =
        http::Reach::of_operator();  // of server and proxy; of_source() for a kubeconfig out of a Secret
};

/// Where a Config was read, so that it can be read again: credentials rotate.
struct Origin {
    std::filesystem::path kubeconfig;  // empty: not from a kubeconfig on disk
    std::string context;               // as asked for
    KubeconfigRules rules;
    std::filesystem::path account;  // in-cluster: its folder
    std::string host;
    std::string port;
    std::vector<std::filesystem::path> files;  // whose content is in the Config

    bool is_on_disk() const { return !kubeconfig.empty() || !account.empty(); }
};

struct Config {
    http::Url server;
    http::TlsSettings tls;
    http::ProxySettings proxy;
    http::Reach reach{};  // of `server`, as the rules had it
    Credentials credentials;
    std::string ns = "default";  // of the context
    std::string context;         // its name, for messages
    Origin origin;
};

/// In   text     YAML or JSON of kind Config
///      folder   relative file names start here
///      context  "": current-context
/// Errors  invalid_input  not a kubeconfig; context, cluster or user missing; a PEM that is none
///         denied         exec or auth-provider (message: what to do instead), or a file where only data is allowed
///         not_found      a named file is missing
///         denied         a named file is empty: without it we would ask as nobody, or trust everybody
Result<Config> parse_kubeconfig(std::string_view text, std::filesystem::path const& folder, std::string_view context,
                                KubeconfigRules const& rules = {});
Result<Config> load_kubeconfig(std::filesystem::path const& file, std::string_view context,
                               KubeconfigRules const& rules = {});

/// The account of the pod: token, ca.crt and namespace in `folder`, address from KUBERNETES_SERVICE_HOST and _PORT,
/// which daemon/ reads.
Result<Config> in_cluster_config(std::string_view host, std::string_view port,
                                 std::filesystem::path const& folder = "/var/run/secrets/kubernetes.io/serviceaccount");

/// Reads `origin` again. Errors  as the function that read it first
Result<Config> read_again(Origin const& origin);

/// Tells when a file behind a Config changed: by its inode, size and time of change.
class FileStamps {
public:
    /// Has any of `files` changed since the last keep()? True before the first.
    bool changed(std::vector<std::filesystem::path> const& files);
    /// What changed() saw last is what is in use now.
    void keep() { kept_ = seen_; }

private:
    using Stamp = std::array<std::int64_t, 5>;
    std::optional<std::vector<Stamp>> kept_;
    std::vector<Stamp> seen_;
};

/// A bearer token that may change on disk.
class TokenSource {
public:
    explicit TokenSource(Credentials const& credentials);

    /// The token now; the file is looked at no more than once in 5 s. Empty when no token is configured.
    /// Errors  not_found, denied: the file cannot be read, or is empty, and no token was read before
    Result<std::string> current();
    /// After a 401: look at the file again at once.
    void expire();
    /// Why the token is an old one; empty when it is not.
    std::string const& problem() const { return problem_; }

private:
    std::filesystem::path file_;
    std::string token_;
    std::string problem_;
    std::optional<std::chrono::steady_clock::time_point> looked_at_;
};

}  // namespace holdfast::kube
