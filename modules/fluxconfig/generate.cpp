// modules/fluxconfig/generate.cpp: FluxConfig fields become GitRepository and Kustomization fields.
#include "modules/fluxconfig/generate.hpp"

#include "modules/model/duration.hpp"

namespace holdfast::fluxconfig {

namespace {

namespace json = boost::json;
using model::format_duration;

json::object metadata(model::Key const& config, model::FluxConfigSpec const& spec, Terms const& terms,
                      std::string name) {
    json::object labels;
    for (auto const& [label, value] : terms.labels) labels[label] = value;
    labels[model::kManagedLabel] = "true";
    labels[model::kConfigNameLabel] = config.name;
    labels[model::kConfigNamespaceLabel] = config.ns;
    if (!spec.operation_id.empty()) labels[kOperationLabel] = spec.operation_id;
    return {{"name", std::move(name)}, {"namespace", config.ns}, {"labels", std::move(labels)}};
}

json::object source(model::Key const& config, model::FluxConfigSpec const& spec, Terms const& terms) {
    json::object ref;
    if (!spec.branch.empty()) ref["branch"] = spec.branch;
    if (!spec.tag.empty()) ref["tag"] = spec.tag;
    if (!spec.semver.empty()) ref["semver"] = spec.semver;
    if (!spec.commit.empty()) ref["commit"] = spec.commit;
    json::object git{{"url", spec.url},
                     {"interval", format_duration(spec.sync_interval)},
                     {"timeout", format_duration(spec.timeout)},
                     {"suspend", spec.suspend}};
    if (!ref.empty()) git["ref"] = std::move(ref);
    if (!spec.local_auth_ref.empty()) git["secretRef"] = json::object{{"name", spec.local_auth_ref}};
    return {{"apiVersion", model::api_version_of(model::Kind::git_repository)},
            {"kind", "GitRepository"},
            {"metadata", metadata(config, spec, terms, config.name)},
            {"spec", std::move(git)}};
}

/// "" is the root of the repository, "apps" and "./apps" are the same folder.
std::string flux_path(std::string const& path) {
    if (path.empty() || path == ".") return "./";
    return path.starts_with("./") || path.starts_with("/") ? path : "./" + path;
}

json::object kustomization(model::Key const& config, model::FluxConfigSpec const& spec, Terms const& terms,
                           model::FluxConfigKustomization const& entry) {
    json::object k{{"sourceRef", json::object{{"kind", "GitRepository"}, {"name", config.name}}},
                   {"path", flux_path(entry.path)},
                   {"interval", format_duration(entry.sync_interval)},
                   {"timeout", format_duration(entry.timeout)},
                   {"prune", entry.prune},
                   {"force", entry.force},
                   {"wait", entry.wait},
                   {"suspend", spec.suspend}};
    if (!terms.account.empty()) k["serviceAccountName"] = terms.account;
    if (entry.retry_interval) k["retryInterval"] = format_duration(*entry.retry_interval);
    if (!entry.depends_on.empty()) {
        json::array names;
        for (std::string const& name : entry.depends_on)
            names.push_back(json::object{{"name", config.name + "-" + name}});
        k["dependsOn"] = std::move(names);
    }
    if (!entry.post_build.is_null()) k["postBuild"] = entry.post_build;
    return {{"apiVersion", model::api_version_of(model::Kind::kustomization)},
            {"kind", "Kustomization"},
            {"metadata", metadata(config, spec, terms, config.name + "-" + entry.name)},
            {"spec", std::move(k)}};
}

}  // namespace

std::vector<json::object> generate(model::Key const& config, model::FluxConfigSpec const& spec, Terms const& terms) {
    std::vector<json::object> objects{source(config, spec, terms)};
    for (auto const& entry : spec.kustomizations) objects.push_back(kustomization(config, spec, terms, entry));
    return objects;
}

}  // namespace holdfast::fluxconfig
