// daemon/cli/helm_namespace.cpp: client-go's rules for the namespace of a kubeconfig.
#include "daemon/cli/helm_namespace.hpp"

#include "modules/base/error.hpp"
#include "modules/base/read_file.hpp"
#include "modules/yaml/json.hpp"

#include <boost/json/value.hpp>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <vector>

namespace holdfast::daemon {

namespace {

namespace json = boost::json;

constexpr std::size_t kKubeconfigBytesMax = 4u << 20;

std::string variable(char const* name) {
    char const* const value = std::getenv(name);
    return value == nullptr ? std::string{} : value;
}

json::value const* find(json::value const* object, std::string_view key) {
    if (object == nullptr || !object->is_object()) return nullptr;
    auto const* const found = object->get_object().if_contains(key);
    return found == nullptr || found->is_null() ? nullptr : found;
}

std::string_view text(json::value const* object, std::string_view key) {
    auto const* const found = find(object, key);
    return found != nullptr && found->is_string() ? std::string_view{found->get_string()} : std::string_view{};
}

/// Nothing: no such file. Fails on what is there and cannot be read.
Result<std::optional<json::value>> read(std::string const& path) {
    auto const content = read_file(path, kKubeconfigBytesMax);
    if (!content && content.error().code == Errc::not_found) return std::optional<json::value>{};
    if (!content) return std::unexpected{content.error()};
    auto value = yaml::read_sigs(*content);
    if (!value) return fail(std::move(value), path);
    return std::optional{std::move(*value)};
}

std::vector<std::string> paths_of_environment() {
    auto const listed = variable("KUBECONFIG");
    if (listed.empty()) {
        auto const home = variable("HOME");
        return home.empty() ? std::vector<std::string>{} : std::vector{home + "/.kube/config"};
    }
    std::vector<std::string> paths;
    for (std::size_t at = 0; at <= listed.size();) {
        auto const end = std::min(listed.find(':', at), listed.size());
        if (end > at) paths.push_back(listed.substr(at, end - at));
        at = end + 1;
    }
    return paths;
}

/// Files of a merge: the first that says something is believed.
class Kubeconfig {
public:
    static std::optional<Kubeconfig> load(std::vector<std::string> const& paths, bool must_exist) {
        Kubeconfig all;
        for (auto const& path : paths) {
            auto file = read(path);
            if (!file || (must_exist && !*file)) return std::nullopt;
            if (*file) all.files_.push_back(std::move(**file));
        }
        return all;
    }

    std::string_view current_context() const {
        for (auto const& file : files_) {
            if (auto const name = text(&file, "current-context"); !name.empty()) return name;
        }
        return {};
    }

    json::value const* context(std::string_view name) const {
        for (auto const& file : files_) {
            auto const* const contexts = find(&file, "contexts");
            if (contexts == nullptr || !contexts->is_array()) continue;
            for (auto const& one : contexts->get_array()) {
                if (text(&one, "name") == name) return find(&one, "context");
            }
        }
        return nullptr;
    }

private:
    std::vector<json::value> files_;
};

std::string namespace_of(Kubeconfig const& config, std::string_view context_name) {
    if (context_name.empty()) context_name = config.current_context();
    return std::string{text(config.context(context_name), "namespace")};
}

}  // namespace

std::string helm_namespace(std::string const& kubeconfig, std::string const& context) {
    if (auto named = variable("HELM_NAMESPACE"); !named.empty()) return named;
    auto const config =
        kubeconfig.empty() ? Kubeconfig::load(paths_of_environment(), false) : Kubeconfig::load({kubeconfig}, true);
    auto found =
        config ? namespace_of(*config, context.empty() ? variable("HELM_KUBECONTEXT") : context) : std::string{};
    return found.empty() ? "default" : found;
}

}  // namespace holdfast::daemon
