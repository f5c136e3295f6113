// daemon/config.hpp: every setting, from one table: key, type, unit, default, bounds, sentence.
// config/holdfast.yaml and docs/configuration.md are printed from it; a test fails when they differ.
#pragma once

#include "modules/base/error.hpp"
#include "modules/base/log.hpp"
#include "modules/http/reach.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::daemon {

/// Where the status endpoint listens: a loopback address as a literal.
struct ListenAddress {
    std::string host;        // IPv6 without brackets
    std::uint16_t port = 0;  // 0: a free one

    /// "127.0.0.1:9750", "[::1]:9750".
    std::string text() const;
};

/// In      "host:port", IPv6 in brackets; "" for none
/// Errors  invalid_input  no port, a port beyond 65535, a host name, an address that is not loopback
Result<std::optional<ListenAddress>> parse_listen(std::string_view text);

/// In      a label selector as `kubectl -l` takes it; "" for none
/// Errors  invalid_input  Kubernetes' words for what is wrong with it
Result<std::string> parse_selector(std::string_view text);

struct Config {
    std::string state_dir;
    std::string manifests;
    std::string kubeconfig;
    std::string kube_context;
    bool install_crds = false;
    std::string mode;  // "auto", "flux" or "azure"
    bool multi_tenancy = true;
    bool no_cross_namespace_refs = false;
    bool no_remote_bases = false;
    std::string default_service_account;
    std::string default_decryption_service_account;
    std::string default_kubeconfig_service_account;
    std::string watch_label_selector;
    http::Reach::Networks networks_allowed;

    std::int64_t memory_bytes_max = 0;
    std::int64_t disk_bytes_max = 0;
    std::int64_t render_memory_bytes_max = 0;
    std::chrono::nanoseconds render_cpu_max{};
    std::chrono::nanoseconds render_wall_max{};
    std::int64_t render_jobs_max = 0;
    std::int64_t passes_max = 0;
    std::int64_t fetches_max = 0;
    std::int64_t git_bytes_max = 0;
    std::int64_t revisions_kept = 0;
    std::int64_t outbox_rows_max = 0;

    std::string log_format;
    std::string log_level;
    std::map<std::string, std::string> log_areas;

    std::optional<ListenAddress> status_listen;  // empty: no TCP
    std::string status_socket;

    std::string site_name;
    bool uplink_enabled = false;
    std::string uplink_endpoint;
    std::string uplink_rule_id;
    std::string uplink_compliance_stream;
    std::string uplink_object_stream;
    std::string uplink_ca_file;
    std::string uplink_proxy;
    std::string azure_login_endpoint;
    std::string azure_scope;
    std::string azure_tenant_id;
    std::string azure_client_id;
    std::string azure_client_secret_file;
    std::string azure_client_certificate_file;
};

/// The defaults of the table.
Config default_config();

/// Reads `file`; what it does not name keeps its default.
/// Errors  not_found  no such file
///         invalid_input  "holdfast.yaml:12: limits.memory: …", one line for each thing that is wrong, in the order of the
///                        file: unknown key, wrong type, out of bounds; or the one line that says why it is no YAML
Result<Config> load_config(std::filesystem::path const& file);

/// What the log is to be.
Log::Settings log_settings(Config const& config);

/// The commented file with every key at its default.
std::string commented_defaults();

/// The same keys with the values of `config`, without comments.
std::string print_config(Config const& config);

/// The table as Markdown.
std::string config_reference();

}  // namespace holdfast::daemon
