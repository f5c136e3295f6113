// modules/kube/config.cpp: kubeconfig files and the pod's own account.
#include "modules/kube/config.hpp"

#include "modules/base/base64.hpp"
#include "modules/kube/object.hpp"
#include "modules/yaml/json.hpp"

#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <optional>
#include <sstream>

namespace holdfast::kube {

namespace fs = std::filesystem;

namespace {

constexpr auto kTokenPause = std::chrono::seconds{5};

Result<std::string> read_file(fs::path const& path, std::size_t bytes_max) {
    std::ifstream file{path, std::ios::binary};
    if (!file) return fail(Errc::not_found, path.string() + ": cannot be read");
    std::string text(bytes_max + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > bytes_max)
        return fail(Errc::limit, path.string() + ": more than " + std::to_string(bytes_max) + " bytes");
    return text;
}

/// A file that is named for its credentials must hold some: without them requests would be anonymous, without a CA
/// every public one would be trusted.
Result<std::string> read_filled(fs::path const& path, std::size_t bytes_max) {
    auto text = read_file(path, bytes_max);
    if (text && text->find_first_not_of(" \t\r\n") == std::string::npos)
        return fail(Errc::denied, path.string() + ": is empty");
    return text;
}

std::string trimmed(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
    return text;
}

/// What is needed to read one kubeconfig.
struct Reader {
    fs::path folder;
    KubeconfigRules rules;
    std::vector<fs::path>& files;  // that were read

    static std::string text(Object const& map, std::string_view key) { return std::string{find_string(map, {key})}; }

    Result<fs::path> file(Object const& map, std::string const& key) const {
        auto const name = text(map, key);
        if (!rules.files_allowed) {
            return fail(Errc::denied, key + " is not allowed here: put the content into " + key + "-data");
        }
        return folder / name;
    }

    /// "<key>-data" inline, or "<key>" as a file; empty when neither is there.
    Result<std::string> data_or_file(Object const& map, std::string const& key) const {
        auto const inline_data = text(map, key + "-data");
        if (!inline_data.empty()) {
            auto decoded = base64_decode(inline_data);
            if (!decoded) return fail(std::move(decoded), key + "-data");
            return decoded;
        }
        if (text(map, key).empty()) return std::string{};
        auto const path = file(map, key);
        if (!path) return std::unexpected{path.error()};
        files.push_back(*path);
        return read_filled(*path, rules.file_bytes_max);
    }
};

/// The entry called `name` of the list `list`, and in it the map `inner`.
Result<Object const*> entry(Object const& root, std::string_view list, std::string_view inner,
                            std::string const& name) {
    static Object const kEmpty;
    static json::array const kNone;
    auto const* const items = find_array(root, {list});
    for (auto const& item : items != nullptr ? *items : kNone) {
        if (!item.is_object() || Reader::text(item.get_object(), "name") != name) continue;
        auto const* const found = find_object(item.get_object(), {inner});
        return found != nullptr ? found : &kEmpty;
    }
    return fail(Errc::invalid_input, std::string{inner} + " \"" + name + "\" is not in the kubeconfig");
}

bool is_true(Object const& map, std::string_view key) {
    auto const* const value = find(map, {key});
    return value != nullptr && value->is_bool() && value->get_bool();
}

Result<void> read_cluster(Config& config, Object const& cluster, Reader const& reader) {
    auto const server = Reader::text(cluster, "server");
    auto url = http::parse_url(server);
    if (!url) return fail(std::move(url), "server \"" + server + "\"");
    config.server = std::move(*url);
    auto ca = reader.data_or_file(cluster, "certificate-authority");
    if (!ca) return fail(std::move(ca), "certificate-authority");
    config.tls.ca_pem = std::move(*ca);
    config.tls.server_name = Reader::text(cluster, "tls-server-name");
    config.tls.insecure_skip_verify = is_true(cluster, "insecure-skip-tls-verify");
    if (config.tls.insecure_skip_verify && !config.tls.ca_pem.empty()) {
        return fail(Errc::invalid_input, "specifying a root certificates file with the insecure flag is not allowed");
    }
    auto const proxy = Reader::text(cluster, "proxy-url");
    config.proxy = {.http_proxy = proxy, .https_proxy = proxy, .no_proxy = ""};
    return {};
}

Result<void> read_user(Config& config, Object const& user, Reader const& reader) {
    auto const* const exec = find(user, {"exec"});
    if (exec != nullptr && !exec->is_null()) {
        auto const command = std::string{find_string(user, {"exec", "command"})};
        return fail(
            Errc::denied,
            "exec (" + command +
                ") is refused, Holdfast starts no program: give the user a client certificate, or a "
                "tokenFile that something outside renews, for example from a systemd timer that runs that command");
    }
    auto const* const provider = find(user, {"auth-provider"});
    if (provider != nullptr && !provider->is_null()) {
        return fail(
            Errc::denied,
            "auth-provider is refused, it was removed from Kubernetes: give the user a client certificate, a token "
            "or a tokenFile");
    }
    auto certificate = reader.data_or_file(user, "client-certificate");
    if (!certificate) return fail(std::move(certificate), "client-certificate");
    auto key = reader.data_or_file(user, "client-key");
    if (!key) return fail(std::move(key), "client-key");
    if (certificate->empty() != key->empty())
        return fail(Errc::invalid_input, "client-certificate and client-key go together");
    config.tls.certificate_pem = std::move(*certificate);
    config.tls.key_pem = std::move(*key);
    config.credentials.token = Reader::text(user, "token");
    if (!Reader::text(user, "tokenFile").empty()) {
        if (!reader.rules.files_allowed)
            return fail(Errc::denied, "tokenFile is not allowed here: put the token into token");
        config.credentials.token_file = reader.folder / Reader::text(user, "tokenFile");
    }
    config.credentials.user = Reader::text(user, "username");
    config.credentials.password = Reader::text(user, "password");
    config.credentials.impersonate_user = Reader::text(user, "as");
    if (auto const* const groups = find_array(user, {"as-groups"})) {
        for (auto const& group : *groups) {
            if (group.is_string()) config.credentials.impersonate_groups.emplace_back(group.get_string().c_str());
        }
    }
    return {};
}

Result<Config> read(Object const& root, Reader const& reader, std::string_view context_name) {
    if (find_array(root, {"clusters"}) == nullptr) return fail(Errc::invalid_input, "not a kubeconfig: no clusters");
    Config config;
    config.context = context_name.empty() ? Reader::text(root, "current-context") : std::string{context_name};
    if (config.context.empty()) return fail(Errc::invalid_input, "no context named and no current-context");
    auto const context = entry(root, "contexts", "context", config.context);
    if (!context) return std::unexpected{context.error()};
    if (auto const ns = Reader::text(**context, "namespace"); !ns.empty()) config.ns = ns;
    auto const cluster = entry(root, "clusters", "cluster", Reader::text(**context, "cluster"));
    if (!cluster) return std::unexpected{cluster.error()};
    auto cluster_read = read_cluster(config, **cluster, reader);
    if (!cluster_read) return fail(std::move(cluster_read), "cluster " + Reader::text(**context, "cluster"));
    auto const user_name = Reader::text(**context, "user");
    if (user_name.empty()) return config;
    auto const user = entry(root, "users", "user", user_name);
    if (!user) return std::unexpected{user.error()};
    auto user_read = read_user(config, **user, reader);
    if (!user_read) return fail(std::move(user_read), "user " + user_name);
    return config;
}

}  // namespace

Result<Config> parse_kubeconfig(std::string_view text, fs::path const& folder, std::string_view context,
                                KubeconfigRules const& rules) {
    if (text.size() > rules.file_bytes_max)
        return fail(Errc::limit, "kubeconfig: more than " + std::to_string(rules.file_bytes_max) + " bytes");
    auto const root = yaml::read_sigs(text);
    // What an error of YAML quotes may be a part of a token.
    if (!root)
        return fail(root.error().code, "kubeconfig: " + (rules.files_allowed ? root.error().message : "no YAML"));
    if (!root->is_object()) return fail(Errc::invalid_input, "kubeconfig: not a map");
    std::vector<fs::path> files;
    auto config = read(root->get_object(), Reader{folder, rules, files}, context);
    if (!config) return fail(std::move(config), "kubeconfig");
    config->origin.files = std::move(files);
    config->reach = config->proxy.reach = rules.reach;
    return config;
}

Result<Config> load_kubeconfig(fs::path const& file, std::string_view context, KubeconfigRules const& rules) {
    auto const text = read_file(file, rules.file_bytes_max);
    if (!text) return fail(text.error().code, "kubeconfig " + text.error().message);
    auto config = parse_kubeconfig(*text, file.parent_path(), context, rules);
    if (!config) return fail(std::move(config), file.string());
    config->origin.kubeconfig = file;
    config->origin.context = context;
    config->origin.rules = rules;
    config->origin.files.push_back(file);
    return config;
}

Result<Config> in_cluster_config(std::string_view host, std::string_view port, fs::path const& folder) {
    if (host.empty() || port.empty()) {
        return fail(Errc::not_found,
                    "not inside a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined");
    }
    auto const shown = host.contains(':') ? "[" + std::string{host} + "]" : std::string{host};
    auto url = http::parse_url("https://" + shown + ":" + std::string{port});
    if (!url) return fail(std::move(url), "KUBERNETES_SERVICE_HOST");
    constexpr std::size_t kFileBytesMax = 1u << 20;
    auto ca = read_filled(folder / "ca.crt", kFileBytesMax);
    if (!ca) return fail(std::move(ca), "in-cluster account");
    auto const token = read_filled(folder / "token", kFileBytesMax);
    if (!token) return fail(token.error().code, "in-cluster account: " + token.error().message);
    Config config{.server = std::move(*url)};
    config.tls.ca_pem = std::move(*ca);
    config.credentials.token_file = folder / "token";
    config.context = "in-cluster";
    config.reach = http::Reach::of_operator();
    config.origin.account = folder;
    config.origin.host = host;
    config.origin.port = port;
    config.origin.files = {folder / "ca.crt"};  // the token has a reader of its own
    auto const ns = read_file(folder / "namespace", kFileBytesMax);
    if (ns && !trimmed(*ns).empty()) config.ns = trimmed(*ns);
    return config;
}

Result<Config> read_again(Origin const& origin) {
    if (!origin.account.empty()) return in_cluster_config(origin.host, origin.port, origin.account);
    return load_kubeconfig(origin.kubeconfig, origin.context, origin.rules);
}

bool FileStamps::changed(std::vector<fs::path> const& files) {
    seen_.clear();
    for (auto const& file : files) {
        struct stat found{};
        // A file that is not there has a stamp too; reading says what is wrong with it.
        if (::stat(file.c_str(), &found) != 0) found = {};
        seen_.push_back({static_cast<std::int64_t>(found.st_dev), static_cast<std::int64_t>(found.st_ino),
                         found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec});
    }
    return !kept_ || *kept_ != seen_;
}

TokenSource::TokenSource(Credentials const& credentials) : file_(credentials.token_file), token_(credentials.token) {}

Result<std::string> TokenSource::current() {
    if (file_.empty()) return token_;
    auto const now = std::chrono::steady_clock::now();
    if (looked_at_ && now - *looked_at_ < kTokenPause) return token_;
    auto read = read_filled(file_, 1u << 20);
    if (read) {
        token_ = trimmed(std::move(*read));
        problem_.clear();
        looked_at_ = now;
        return token_;
    }
    problem_ = "token file " + read.error().message;
    if (token_.empty()) return fail(std::move(read), "token file");
    looked_at_ = now;  // half-written or gone for a moment: the old one may still be good
    return token_;
}

void TokenSource::expire() { looked_at_.reset(); }

}  // namespace holdfast::kube
