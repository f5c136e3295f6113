// daemon/config.cpp: the table of settings, and what is done with it: read, print, document.
#include "daemon/config.hpp"

#include "daemon/budget.hpp"
#include "daemon/cli/suggest.hpp"
#include "modules/model/duration.hpp"
#include "modules/patch/selector.hpp"

#include <yaml-cpp/yaml.h>

#include <arpa/inet.h>
#include <charconv>
#include <functional>
#include <set>
#include <variant>

namespace holdfast::daemon {

namespace {

using std::chrono::nanoseconds;

struct Text {
    std::string Config::* member;
    std::vector<std::string_view> words = {};  // empty: any text
    bool needed = false;                       // must not be empty
};
struct Flag {
    bool Config::* member;
};
struct Number {
    std::int64_t Config::* member;
    std::int64_t min;
    std::int64_t max;
};
struct Bytes {
    std::int64_t Config::* member;
    std::int64_t min;
    std::int64_t max;
};
struct Span {
    nanoseconds Config::* member;
    nanoseconds min;
    nanoseconds max;
};
struct Levels {
    std::map<std::string, std::string> Config::* member;
};
struct Selector {
    std::string Config::* member;
};
struct Listen {
    std::optional<ListenAddress> Config::* member;
};
struct Networks {
    http::Reach::Networks Config::* member;
};
using Value = std::variant<Text, Flag, Number, Bytes, Span, Levels, Selector, Listen, Networks>;

struct Setting {
    std::string_view key;
    Value value;
    std::string_view standard;
    std::string_view sentence;
};

constexpr std::int64_t kMiB = 1 << 20;
constexpr std::int64_t kGiB = 1 << 30;
constexpr double kBytesMax = 4e18;
constexpr std::size_t kNetworksMax = 64;
using std::chrono::hours;
using std::chrono::seconds;

std::vector<Setting> const& table() {
    static std::vector<Setting> const kTable{
        {"state_dir", Text{&Config::state_dir, {}, true}, "/var/lib/holdfast",
         "Where the database and the cached artifacts are kept."},
        {"manifests", Text{&Config::manifests}, "/etc/holdfast/manifests.d",
         "Directory of manifests of the kinds that the daemon acts on; may be missing."},
        {"kubeconfig", Text{&Config::kubeconfig}, "",
         "File that says where the API server is; empty: $KUBECONFIG, else the pod's own account, else ~/.kube/config if it is there, else no cluster."},
        {"kube_context", Text{&Config::kube_context}, "", "Context of the kubeconfig; empty: its current-context."},
        {"install_crds", Flag{&Config::install_crds}, "false", "Install our CRDs when the daemon starts."},
        {"mode", Text{&Config::mode, {"auto", "flux", "azure"}}, "auto",
         "What a writer of Flux objects may do: flux is Flux's defaults and the flags below, azure is Microsoft's lock; auto: what `holdfast install` chose, else flux. docs/SECURITY.md, Tenancy."},
        {"no_cross_namespace_refs", Flag{&Config::no_cross_namespace_refs}, "false",
         "Refuse objects that name a source of another namespace."},
        {"no_remote_bases", Flag{&Config::no_remote_bases}, "false",
         "Refuse kustomizations that name Git repositories or files by URL: all they need is in their source."},
        {"default_service_account", Text{&Config::default_service_account}, "",
         "Service account, of the object's own namespace, that an object acts as when it names none; empty: the daemon's own rights."},
        {"default_decryption_service_account", Text{&Config::default_decryption_service_account}, "",
         "The same for the key services that decrypt Secrets."},
        {"default_kubeconfig_service_account", Text{&Config::default_kubeconfig_service_account}, "",
         "The same for a kubeConfig without a Secret."},
        {"watch_label_selector", Selector{&Config::watch_label_selector}, "",
         "Act only on objects of the cluster with these labels, such as sharding.fluxcd.io/key=shard1; empty: on all."},
        {"multiTenancy.enforce", Flag{&Config::multi_tenancy}, "true",
         "Microsoft's lock, by the name of the microsoft.flux setting: on everything in mode azure, and in every mode on what a FluxConfig generates."},
        {"network.allow", Networks{&Config::networks_allowed}, "[]",
         "Networks that sources, remote bases and redirects may lie in although they are loopback, link-local or the like: [127.0.0.0/8, \"::1\"]."},
        {"limits.memory", Bytes{&Config::memory_bytes_max, std::int64_t{kMemoryBytesMin}, 64 * kGiB}, "128MiB",
         "Memory of all processes of the product; every bound on memory is a part of it (docs/SECURITY.md)."},
        {"limits.disk", Bytes{&Config::disk_bytes_max, 16 * kMiB, 1024 * kGiB}, "2GiB",
         "Disk of the whole product; artifacts get what the outbox and a reserve leave."},
        {"limits.render_memory", Bytes{&Config::render_memory_bytes_max, 16 * kMiB, 16 * kGiB}, "64MiB",
         "Memory of one render worker, as far as limits.memory leaves so much."},
        {"limits.render_cpu", Span{&Config::render_cpu_max, seconds{1}, hours{1}}, "20s", "CPU time of one render."},
        {"limits.render_time", Span{&Config::render_wall_max, seconds{1}, hours{1}}, "60s",
         "Wall-clock time of one render."},
        {"limits.render_jobs", Number{&Config::render_jobs_max, 1, 32}, "2", "Renders at the same time."},
        {"limits.passes", Number{&Config::passes_max, 1, 256}, "8",
         "Kustomizations reconciled at the same time; those of one namespace take three quarters of the places at most."},
        {"limits.fetches", Number{&Config::fetches_max, 1, 64}, "4",
         "Sources fetched at the same time; those of one namespace take three quarters of the places at most."},
        {"limits.git_bytes", Bytes{&Config::git_bytes_max, kMiB, 16 * kGiB}, "256MiB",
         "Bytes taken for one fetch: from a Git server, or of a layer from a registry."},
        {"limits.revisions", Number{&Config::revisions_kept, 1, 1000}, "10",
         "Revisions of each source kept in the cache."},
        {"limits.outbox_records", Number{&Config::outbox_rows_max, 100, 100'000'000}, "2000000",
         "Compliance records that may wait for Azure; those of one namespace take three quarters of the room at most."},
        {"log.format", Text{&Config::log_format, {"json", "text"}}, "json",
         "One JSON object a line, or text for people."},
        {"log.level", Text{&Config::log_level, {"debug", "info", "warning", "error"}}, "info", "What is logged."},
        {"log.areas", Levels{&Config::log_areas}, "{}", "Level of single areas, for example {uplink: debug}."},
        {"status.listen", Listen{&Config::status_listen}, "127.0.0.1:9750",
         "Loopback address of the status endpoint; port 0 picks a free one, empty switches it off."},
        {"status.socket", Text{&Config::status_socket}, "",
         "Unix socket of the status endpoint; empty: holdfast.sock in /run/holdfast under systemd, else in state_dir."},
        {"site", Text{&Config::site_name}, "", "Name of this site in compliance records; empty: the host name."},
        {"uplink.enabled", Flag{&Config::uplink_enabled}, "false", "Send compliance records to Azure."},
        {"uplink.endpoint", Text{&Config::uplink_endpoint}, "",
         "Logs Ingestion endpoint of the data collection rule or endpoint, https://…"},
        {"uplink.rule_id", Text{&Config::uplink_rule_id}, "", "Immutable id of the data collection rule, dcr-…"},
        {"uplink.compliance_stream", Text{&Config::uplink_compliance_stream}, "Custom-FluxCompliance_CL",
         "Stream of configuration states."},
        {"uplink.object_stream", Text{&Config::uplink_object_stream}, "Custom-FluxObjectStatus_CL",
         "Stream of object states."},
        {"uplink.ca_file", Text{&Config::uplink_ca_file}, "", "CA bundle for Azure; empty: the system's."},
        {"uplink.proxy", Text{&Config::uplink_proxy}, "", "HTTP proxy on the way to Azure, http://host:port."},
        {"azure.login_endpoint", Text{&Config::azure_login_endpoint}, "https://login.microsoftonline.com",
         "Where tokens come from; another one in sovereign clouds."},
        {"azure.scope", Text{&Config::azure_scope}, "https://monitor.azure.com/.default",
         "Scope of the ingestion token."},
        {"azure.tenant_id", Text{&Config::azure_tenant_id}, "", "Tenant of the service principal."},
        {"azure.client_id", Text{&Config::azure_client_id}, "", "Application id of the service principal."},
        {"azure.client_secret_file", Text{&Config::azure_client_secret_file}, "",
         "File that holds the client secret; read again when it changes."},
        {"azure.client_certificate_file", Text{&Config::azure_client_certificate_file}, "",
         "PEM file with certificate and key; wins over the secret."},
    };
    return kTable;
}

/// "64MiB", "2GiB", "1024".
Result<std::int64_t> parse_bytes(std::string const& text) {
    double number = 0;
    auto const read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc{}) return fail(Errc::invalid_input, "is no size such as 64MiB");
    std::string_view const unit{read.ptr, text.data() + text.size()};
    double const factor = unit.empty()    ? 1
                          : unit == "KiB" ? 1024.0
                          : unit == "MiB" ? 1048576.0
                          : unit == "GiB" ? 1073741824.0
                                          : 0;
    if (factor == 0) return fail(Errc::invalid_input, "is no size such as 64MiB (units: KiB, MiB, GiB)");
    // "inf", "nan" and "1e300" are numbers too, but no std::int64_t.
    double const bytes = number * factor;
    if (!(bytes >= 0 && bytes <= kBytesMax)) return fail(Errc::invalid_input, "is no size such as 64MiB");
    return static_cast<std::int64_t>(bytes);
}

std::string bytes_text(std::int64_t bytes) {
    if (bytes >= kGiB && bytes % kGiB == 0) return std::to_string(bytes / kGiB) + "GiB";
    if (bytes >= kMiB && bytes % kMiB == 0) return std::to_string(bytes / kMiB) + "MiB";
    return std::to_string(bytes);
}

/// Written without quotes, so that YAML decides what it is.
bool is_plain(YAML::Node const& node) { return node.IsScalar() && node.Tag() == "?"; }

/// What YAML 1.2 (and 1.1, whose readers see this file too) takes for a number, a truth value or nothing.
bool is_no_text(std::string const& plain) {
    for (std::string_view const word : {"true", "True", "TRUE", "false", "False", "FALSE", "yes", "Yes", "YES", "no",
                                        "No", "NO", "on", "On", "ON", "off", "Off", "OFF"}) {
        if (plain == word) return true;
    }
    double number = 0;
    char const* const first = plain.data() + (plain.starts_with('+') ? 1 : 0);
    auto const [end, ec] = std::from_chars(first, plain.data() + plain.size(), number);
    return ec != std::errc::invalid_argument && end == plain.data() + plain.size();
}

/// The text of a scalar that is text. Errors  invalid_input  a list, a map, a bare number or truth value
Result<std::string> text_of(YAML::Node const& node) {
    if (node.IsNull()) return std::string{};
    if (!node.IsScalar()) return fail(Errc::invalid_input, "must be text");
    if (is_plain(node) && is_no_text(node.Scalar())) {
        return fail(Errc::invalid_input,
                    "must be text: write \"" + node.Scalar() + "\" with its quotes if that is meant");
    }
    return node.Scalar();
}

Result<void> set(Config& config, Text const& value, YAML::Node const& node) {
    auto read = text_of(node);
    if (!read) return fail(std::move(read));
    std::string const& text = *read;
    if (value.needed && text.empty()) return fail(Errc::invalid_input, "must not be empty");
    if (!value.words.empty()) {
        std::string choices;
        bool known = false;
        for (std::string_view const word : value.words) {
            known = known || word == text;
            choices += (choices.empty() ? "" : ", ") + std::string{word};
        }
        if (!known) return fail(Errc::invalid_input, "must be one of " + choices);
    }
    config.*value.member = text;
    return {};
}

Result<void> set(Config& config, Selector const& value, YAML::Node const& node) {
    auto text = text_of(node);
    if (!text) return fail(std::move(text));
    auto selector = parse_selector(*text);
    if (!selector) return fail(std::move(selector));
    config.*value.member = std::move(*selector);
    return {};
}

Result<void> set(Config& config, Flag const& value, YAML::Node const& node) {
    if (is_plain(node) && (node.Scalar() == "true" || node.Scalar() == "false")) {
        config.*value.member = node.Scalar() == "true";
        return {};
    }
    return fail(Errc::invalid_input, "must be true or false");
}

Result<void> set(Config& config, Number const& value, YAML::Node const& node) {
    std::int64_t number = 0;
    std::string const text = is_plain(node) ? node.Scalar() : "";
    auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || ec == std::errc::invalid_argument || end != text.data() + text.size()) {
        return fail(Errc::invalid_input, "must be a whole number");
    }
    if (ec == std::errc::result_out_of_range) number = text.starts_with('-') ? INT64_MIN : INT64_MAX;
    if (number < value.min || number > value.max) {
        return fail(Errc::invalid_input,
                    "must be between " + std::to_string(value.min) + " and " + std::to_string(value.max));
    }
    config.*value.member = number;
    return {};
}

Result<void> set(Config& config, Bytes const& value, YAML::Node const& node) {
    if (!node.IsScalar()) return fail(Errc::invalid_input, "must be a size such as 64MiB");
    auto const bytes = parse_bytes(node.Scalar());
    if (!bytes) return std::unexpected{bytes.error()};
    if (*bytes < value.min || *bytes > value.max) {
        return fail(Errc::invalid_input, "must be between " + bytes_text(value.min) + " and " + bytes_text(value.max));
    }
    config.*value.member = *bytes;
    return {};
}

Result<void> set(Config& config, Span const& value, YAML::Node const& node) {
    if (!node.IsScalar()) return fail(Errc::invalid_input, "must be a duration such as 30s");
    auto const span = model::parse_duration(node.Scalar());
    if (!span) return fail(Errc::invalid_input, "must be a duration such as 30s");
    if (*span < value.min || *span > value.max) {
        return fail(Errc::invalid_input, "must be between " + model::format_duration(value.min) + " and " +
                                             model::format_duration(value.max));
    }
    config.*value.member = *span;
    return {};
}

Result<void> set(Config& config, Levels const& value, YAML::Node const& node) {
    if (!node.IsMap()) return fail(Errc::invalid_input, "must be a map of area to level");
    for (auto const& area : node) {
        std::string const level = area.second.IsScalar() ? area.second.Scalar() : "";
        if (!read_log_level(level))
            return fail(Errc::invalid_input, "level must be one of debug, info, warning, error");
        (config.*value.member)[area.first.Scalar()] = level;
    }
    return {};
}

Result<void> set(Config& config, Listen const& value, YAML::Node const& node) {
    auto read = text_of(node);
    if (!read) return fail(std::move(read));
    auto address = parse_listen(*read);
    if (!address) return fail(std::move(address));
    config.*value.member = std::move(*address);
    return {};
}

Result<void> set(Config& config, Networks const& value, YAML::Node const& node) {
    if (!node.IsSequence()) return fail(Errc::invalid_input, "must be a list of networks such as [10.0.0.0/8]");
    if (node.size() > kNetworksMax)
        return fail(Errc::invalid_input, "must be " + std::to_string(kNetworksMax) + " networks at most");
    http::Reach::Networks networks;
    for (auto const& item : node) {
        auto network = http::Network::parse(item.IsScalar() ? item.Scalar() : "");
        if (!network) return fail(std::move(network), "must be a list of networks");
        networks.push_back(*network);
    }
    config.*value.member = std::move(networks);
    return {};
}

std::string quoted(std::string const& text) {
    std::string out = "\"";
    for (char const c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

struct Print {
    Config const& config;
    std::string operator()(Text const& v) const { return quoted(config.*v.member); }
    std::string operator()(Flag const& v) const { return config.*v.member ? "true" : "false"; }
    std::string operator()(Number const& v) const { return std::to_string(config.*v.member); }
    std::string operator()(Bytes const& v) const { return bytes_text(config.*v.member); }
    std::string operator()(Span const& v) const { return model::format_duration(config.*v.member); }
    std::string operator()(Levels const& v) const {
        std::string text = "{";
        for (auto const& [area, level] : config.*v.member) text += (text.size() > 1 ? ", " : "") + area + ": " + level;
        return text + "}";
    }
    std::string operator()(Selector const& v) const { return quoted(config.*v.member); }
    std::string operator()(Listen const& v) const {
        auto const& address = config.*v.member;
        return quoted(address ? address->text() : "");
    }
    std::string operator()(Networks const& v) const {
        std::string text = "[";
        for (auto const& network : config.*v.member) text += (text.size() > 1 ? ", " : "") + quoted(network.text());
        return text + "]";
    }
};

struct Describe {
    std::string operator()(Text const& v) const {
        std::string words;
        for (std::string_view const word : v.words) words += (words.empty() ? "" : " | ") + std::string{word};
        return words.empty() ? "text" : words;
    }
    std::string operator()(Flag const&) const { return "true | false"; }
    std::string operator()(Number const& v) const { return std::to_string(v.min) + " to " + std::to_string(v.max); }
    std::string operator()(Bytes const& v) const { return "size, " + bytes_text(v.min) + " to " + bytes_text(v.max); }
    std::string operator()(Span const& v) const {
        return "duration, " + model::format_duration(v.min) + " to " + model::format_duration(v.max);
    }
    std::string operator()(Levels const&) const { return "area: debug | info | warning | error"; }
    std::string operator()(Selector const&) const { return "label selector, or empty"; }
    std::string operator()(Listen const&) const { return "loopback address:port, or empty"; }
    std::string operator()(Networks const&) const { return "list of networks"; }
};

/// Calls `line(group, name, setting)` in table order, with the group only where it changes.
void walk(std::function<void(std::string const& group, std::string const& name, Setting const&)> const& line) {
    for (Setting const& setting : table()) {
        auto const dot = setting.key.find('.');
        std::string const group = dot == std::string_view::npos ? "" : std::string{setting.key.substr(0, dot)};
        std::string const name{dot == std::string_view::npos ? setting.key : setting.key.substr(dot + 1)};
        line(group, name, setting);
    }
}

std::string where(std::filesystem::path const& file, YAML::Mark const& mark) {
    return file.filename().string() + ":" + std::to_string(mark.line + 1) + ": ";
}

/// Keys and groups.
std::vector<std::string_view> names() {
    std::vector<std::string_view> all;
    for (Setting const& setting : table()) {
        all.push_back(setting.key);
        all.push_back(setting.key.substr(0, setting.key.find('.')));
    }
    return all;
}

/// The known key that an unknown one was probably meant to be: a slip, or the right name in the wrong group.
std::string meant_by(std::string const& key) {
    std::string const name = "." + key.substr(key.rfind('.') + 1);
    for (Setting const& setting : table()) {
        if (setting.key.ends_with(name)) return std::string{setting.key};
    }
    return nearest(key, names());
}

/// Reads what is right into `config` and says what is wrong, line by line.
void read_node(Config& config, std::filesystem::path const& file, YAML::Node const& node, std::string const& prefix,
               std::vector<std::string>& problems) {
    std::set<std::string> seen;
    for (auto const& member : node) {
        std::string const place = where(file, member.first.Mark());
        if (!member.first.IsScalar()) {
            problems.push_back(place + "a key must be a word");
            continue;
        }
        std::string const key = prefix + member.first.Scalar();
        if (!seen.insert(key).second) {
            problems.push_back(place + key + ": is set twice");
            continue;
        }
        Setting const* found = nullptr;
        bool is_group = false;
        for (Setting const& setting : table()) {
            if (setting.key == key) found = &setting;
            is_group = is_group || setting.key.starts_with(key + ".");
        }
        if (found != nullptr) {
            auto done = std::visit([&](auto const& value) { return set(config, value, member.second); }, found->value);
            if (!done) problems.push_back(place + key + ": " + done.error().message);
        } else if (is_group && member.second.IsMap()) {
            read_node(config, file, member.second, key + ".", problems);
        } else if (is_group) {
            if (!member.second.IsNull()) problems.push_back(place + key + ": must be a map");
        } else {
            std::string const meant = meant_by(key);
            problems.push_back(place + key + ": unknown key" + (meant.empty() ? "" : ", did you mean " + meant + "?") +
                               " (see `holdfast config print`)");
        }
    }
}

}  // namespace

std::string ListenAddress::text() const {
    return (host.contains(':') ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<std::optional<ListenAddress>> parse_listen(std::string_view text) {
    constexpr char const* kWanted = "must be a loopback address and a port, such as 127.0.0.1:9750 or [::1]:9750";
    if (text.empty()) return std::optional<ListenAddress>{};
    auto const colon = text.rfind(':');
    if (colon == std::string_view::npos) return fail(Errc::invalid_input, kWanted);
    std::string_view const digits = text.substr(colon + 1);
    ListenAddress out{.host = std::string{text.substr(0, colon)}};
    auto const [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
    if (ec == std::errc::result_out_of_range) return fail(Errc::invalid_input, "the port must be 65535 at most");
    if (ec != std::errc{} || end != digits.data() + digits.size()) return fail(Errc::invalid_input, kWanted);
    if (out.host.starts_with('[') && out.host.ends_with(']')) {
        out.host = out.host.substr(1, out.host.size() - 2);
        in6_addr address{};
        if (::inet_pton(AF_INET6, out.host.c_str(), &address) == 1 && IN6_IS_ADDR_LOOPBACK(&address))
            return {std::move(out)};
    } else {
        in_addr address{};
        if (::inet_pton(AF_INET, out.host.c_str(), &address) == 1 && ntohl(address.s_addr) >> 24 == 127)
            return {std::move(out)};
    }
    // The endpoint has no login: whoever reaches it reads everything.
    return fail(Errc::invalid_input, kWanted);
}

Result<std::string> parse_selector(std::string_view text) {
    auto const parsed = patch::LabelSelector::parse(text);
    if (!parsed) return fail(Errc::invalid_input, "must be a label selector: " + parsed.error().message);
    return std::string{text};
}

Log::Settings log_settings(Config const& config) {
    Log::Settings settings;
    settings.level = read_log_level(config.log_level).value_or(LogLevel::info);
    settings.json = config.log_format == "json";
    for (auto const& [area, level] : config.log_areas)
        settings.areas[area] = read_log_level(level).value_or(LogLevel::info);
    return settings;
}

Config default_config() {
    Config config;
    for (Setting const& setting : table()) {
        YAML::Node const node = YAML::Load(std::string{setting.standard.empty() ? "\"\"" : setting.standard});
        auto done = std::visit([&](auto const& value) { return set(config, value, node); }, setting.value);
        static_cast<void>(done);  // a test reads every default
    }
    return config;
}

Result<Config> load_config(std::filesystem::path const& file) {
    Config config = default_config();
    try {
        YAML::Node const root = YAML::LoadFile(file.string());
        if (root.IsNull()) return config;
        if (!root.IsMap()) return fail(Errc::invalid_input, file.filename().string() + ":1: must be a map of settings");
        std::vector<std::string> problems;
        read_node(config, file, root, "", problems);
        std::string lines;
        for (std::string const& problem : problems) lines += (lines.empty() ? "" : "\n") + problem;
        if (!problems.empty()) return fail(Errc::invalid_input, lines);
    } catch (YAML::BadFile const&) {
        return fail(Errc::not_found, file.string() + ": cannot be read");
    } catch (YAML::Exception const& error) {
        return fail(Errc::invalid_input, where(file, error.mark) + error.msg);
    }
    return config;
}

std::string commented_defaults() {
    std::string text = "# holdfast.yaml: every setting at its default, printed by `holdfast config print --defaults`.\n"
                       "# Durations: 30s, 5m, 1h. Sizes: 64MiB, 2GiB. Secrets are paths to files, never values.\n";
    Config const config = default_config();
    std::string open;
    walk([&](std::string const& group, std::string const& name, Setting const& setting) {
        text += "\n";
        if (group != open && !group.empty()) text += group + ":\n";
        open = group;
        std::string const indent = group.empty() ? "" : "  ";
        text += indent + "# " + std::string{setting.sentence} + "\n";
        text += indent + "# " + std::visit(Describe{}, setting.value) + "\n";
        text += indent + name + ": " + std::visit(Print{config}, setting.value) + "\n";
    });
    return text;
}

std::string print_config(Config const& config) {
    std::string text;
    std::string open;
    walk([&](std::string const& group, std::string const& name, Setting const& setting) {
        if (group != open && !group.empty()) text += group + ":\n";
        open = group;
        text += (group.empty() ? "" : "  ") + name + ": " + std::visit(Print{config}, setting.value) + "\n";
    });
    return text;
}

std::string config_reference() {
    std::string text =
        "# Configuration\n\nPrinted by `holdfast config print --reference`; `holdfast config check FILE` reads a file and says "
        "what is wrong with it, by line.\n\n| key | value | default | what it is |\n|---|---|---|---|\n";
    for (Setting const& setting : table()) {
        std::string describe = std::visit(Describe{}, setting.value);
        for (std::size_t at = describe.find('|'); at != std::string::npos; at = describe.find('|', at + 2))
            describe.insert(at, "\\");
        std::string const standard = setting.standard.empty() ? "empty" : "`" + std::string{setting.standard} + "`";
        text += "| `" + std::string{setting.key} + "` | " + describe + " | " + standard + " | " +
                std::string{setting.sentence} + " |\n";
    }
    return text;
}

}  // namespace holdfast::daemon
