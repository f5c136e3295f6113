// modules/helm/metadata.cpp: Chart.yaml: decode, clean, validate.
#include "modules/helm/chart.hpp"
#include "modules/helm/text.hpp"
#include "modules/helm/typed.hpp"
#include "modules/text/gotemplate/strconv.hpp"
#include "modules/text/gotemplate/unicode.hpp"
#include "modules/text/semver/semver.hpp"

#include <algorithm>
#include <set>

namespace holdfast::helm {
namespace {

using Kind = TypedField::Kind;

constexpr TypedField kMaintainer[] = {{"name"}, {"email"}, {"url"}};
constexpr TypedField kDependency[] = {{"name"},
                                      {"version"},
                                      {"repository"},
                                      {"condition"},
                                      {"tags", Kind::string_list, {}, "[]string"},
                                      {"enabled", Kind::boolean},
                                      {"import-values", Kind::any_list, {}, "[]interface {}"},
                                      {"alias"}};
constexpr TypedField kMetadata[] = {
    {"name"},
    {"home"},
    {"sources", Kind::string_list, {}, "[]string"},
    {"version"},
    {"description"},
    {"keywords", Kind::string_list, {}, "[]string"},
    {"maintainers", Kind::structure_list, kMaintainer, "[]*v2.Maintainer", "Maintainer", "v2.Maintainer"},
    {"icon"},
    {"apiVersion"},
    {"condition"},
    {"tags"},
    {"appVersion"},
    {"deprecated", Kind::boolean},
    {"annotations", Kind::string_map, {}, "map[string]string"},
    {"kubeVersion"},
    {"dependencies", Kind::structure_list, kDependency, "[]*v2.Dependency", "Dependency", "v2.Dependency"},
    {"type"}};
constexpr TypedStruct kMetadataType{"Metadata", "v2.Metadata", kMetadata};

Result<void> invalid(std::string message) { return fail(Errc::invalid_input, "validation: " + std::move(message)); }

/// White space becomes a blank, what cannot be printed is dropped.
void sanitize(std::string& text) {
    if (std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 0x7f; })) return;
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        auto const rune = gotemplate::decode_rune(std::string_view{text}.substr(at));
        if (gotemplate::is_space(rune.value)) {
            out += ' ';
        } else if (gotemplate::is_print(rune.value)) {
            gotemplate::append_rune(out, rune.value);
        }
        at += rune.width;
    }
    text = std::move(out);
}

bool is_alias(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

Dependency make_dependency(Typed const& from) {
    Dependency made{.name = from.text("name"),
                    .version = from.text("version"),
                    .repository = from.text("repository"),
                    .condition = from.text("condition"),
                    .tags = from.list("tags"),
                    .enabled = from.flag("enabled"),
                    .alias = from.text("alias")};
    auto const values = from.values("import-values");
    if (values.is_list()) made.import_values.assign(values.items().begin(), values.items().end());
    return made;
}

Result<void> validate_dependency(Dependency& dependency) {
    if (dependency.is_null) return invalid("dependencies must not contain empty or null nodes");
    for (auto* text : {&dependency.name, &dependency.version, &dependency.repository, &dependency.condition})
        sanitize(*text);
    for (auto& tag : dependency.tags) sanitize(tag);
    if (!dependency.alias.empty() && !is_alias(dependency.alias))
        return invalid("dependency " + gotemplate::quote(dependency.name) + " has disallowed characters in the alias");
    return {};
}

Result<void> validate_name(Metadata const& m) {
    if (m.api_version.empty()) return invalid("chart.metadata.apiVersion is required");
    if (m.name.empty()) return invalid("chart.metadata.name is required");
    if (m.name == "." || m.name == "..")
        return invalid("chart.metadata.name " + gotemplate::quote(m.name) + " is not allowed");
    if (m.name.find('/') != m.name.npos)
        return invalid("chart.metadata.name " + gotemplate::quote(m.name) + " is invalid");
    if (m.version.empty()) return invalid("chart.metadata.version is required");
    if (!semver::parse(m.version))
        return invalid("chart.metadata.version " + gotemplate::quote(m.version) + " is invalid");
    if (!m.type.empty() && m.type != "application" && m.type != "library")
        return invalid("chart.metadata.type must be application or library");
    return {};
}

}  // namespace

bool Metadata::is_library() const { return lower(type) == "library"; }

Result<void> decode_metadata(std::string_view yaml, Metadata& into) {
    auto decoded = decode_yaml(yaml, kMetadataType);
    if (!decoded) return fail(std::move(decoded));
    std::pair<std::string_view, std::string*> const texts[] = {{"name", &into.name},
                                                               {"home", &into.home},
                                                               {"version", &into.version},
                                                               {"description", &into.description},
                                                               {"icon", &into.icon},
                                                               {"apiVersion", &into.api_version},
                                                               {"condition", &into.condition},
                                                               {"tags", &into.tags},
                                                               {"appVersion", &into.app_version},
                                                               {"kubeVersion", &into.kube_version},
                                                               {"type", &into.type}};
    for (auto const& [name, slot] : texts) {
        if (decoded->has(name)) *slot = decoded->text(name);
    }
    if (decoded->has("sources")) into.sources = decoded->list("sources");
    if (decoded->has("keywords")) into.keywords = decoded->list("keywords");
    if (decoded->has("deprecated")) into.deprecated = decoded->flag("deprecated");
    if (decoded->has("annotations")) into.annotations = decoded->strings("annotations");
    if (decoded->has("maintainers")) {
        into.maintainers.clear();
        for (auto const* m : decoded->children("maintainers")) {
            if (m == nullptr) into.maintainers.push_back(Maintainer{.is_null = true});
            else into.maintainers.push_back({m->text("name"), m->text("email"), m->text("url")});
        }
    }
    if (decoded->has("dependencies")) {
        into.dependencies.emplace();
        for (auto const* d : decoded->children("dependencies")) {
            into.dependencies->push_back(d == nullptr ? Dependency{.is_null = true} : make_dependency(*d));
        }
    }
    return {};
}

Result<void> validate_metadata(Metadata& m) {
    for (auto* text :
         {&m.name, &m.description, &m.home, &m.icon, &m.condition, &m.tags, &m.app_version, &m.kube_version})
        sanitize(*text);
    for (auto& source : m.sources) sanitize(source);
    for (auto& keyword : m.keywords) sanitize(keyword);
    if (auto valid = validate_name(m); !valid) return valid;
    for (auto& maintainer : m.maintainers) {
        if (maintainer.is_null) return invalid("maintainers must not contain empty or null nodes");
        for (auto* text : {&maintainer.name, &maintainer.email, &maintainer.url}) sanitize(*text);
    }
    if (!m.dependencies) return {};
    std::set<std::string> seen;
    for (auto& dependency : *m.dependencies) {
        if (auto valid = validate_dependency(dependency); !valid) return valid;
        auto const& key = dependency.alias.empty() ? dependency.name : dependency.alias;
        if (!seen.insert(key).second)
            return invalid("more than one dependency with name or alias " + gotemplate::quote(key));
    }
    return {};
}

}  // namespace holdfast::helm
