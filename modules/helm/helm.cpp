// modules/helm/helm.cpp: the steps of one render, in Helm's order.
#include "modules/helm/helm.hpp"

#include "modules/helm/engine.hpp"
#include "modules/helm/instance.hpp"
#include "modules/helm/text.hpp"
#include "modules/text/gotemplate/strconv.hpp"
#include "modules/text/semver/semver.hpp"

#include <algorithm>

namespace holdfast::helm {

using gotemplate::Value;

namespace {

bool is_name_byte(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

/// [a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*
bool is_release_name(std::string_view name) {
    return std::ranges::all_of(split(name, '.'), [](std::string_view label) {
        return !label.empty() && is_name_byte(label.front()) && is_name_byte(label.back()) &&
               std::ranges::all_of(label, [](char c) { return is_name_byte(c) || c == '-'; });
    });
}

bool is_manifest_name(std::string_view name) {
    auto const ext = lower(extension(name));
    return ext == ".yaml" || ext == ".yml" || ext == ".json";
}

void add_crds(Instance const& chart, std::vector<Crd>& crds) {
    for (auto const& file : chart.chart->files) {
        if (file.name.starts_with("crds/") && is_manifest_name(file.name))
            crds.push_back({file.name, clean_path(chart.full_path() + '/' + file.name), file.data});
    }
    for (auto const& sub : chart.dependencies) add_crds(*sub, crds);
}

/// Takes every NOTES.txt out of the files; the text of the root's, or of all.
std::string take_notes(std::map<std::string, std::string>& files, std::string const& root_notes, bool all) {
    std::string notes;
    for (auto at = files.begin(); at != files.end();) {
        if (!at->first.ends_with("NOTES.txt")) {
            ++at;
            continue;
        }
        if (all || at->first == root_notes) {
            if (!notes.empty()) notes += '\n';
            notes += at->second;
        }
        at = files.erase(at);
    }
    return notes;
}

/// "By catching parse errors here ... we return the files as a big blob of data to help the user debug parser errors."
std::string blocks_of(std::map<std::string, std::string> const& files) {
    std::string blocks;
    for (auto const& [name, content] : files) {
        if (!trimmed(content).empty()) blocks += "---\n# Source: " + name + '\n' + content + '\n';
    }
    return blocks;
}

/// One table for every engine, never freed: charts outlive engines, and their templates point into it.
gotemplate::FuncMap const& helm_functions() {
    static auto const* const functions = [] {
        auto* made = new gotemplate::FuncMap;
        add_helm_functions(*made);
        return made;
    }();
    return *functions;
}

}  // namespace

Engine::Engine() : funcs_(helm_functions()) {}
Engine::~Engine() = default;

Result<Rendered> Engine::render(Chart const& chart, Value const& values, RenderOptions const& options,
                                Ports const& ports) {
    RenderFailure failure;
    return render(chart, values, options, ports, &failure);
}

Result<Rendered> Engine::render(Chart const& chart, Value const& values, RenderOptions const& options,
                                Ports const& ports, RenderFailure* failure) {
    Rendered made;
    Log unread;
    auto& log = options.log != nullptr ? *options.log : unread;
    failure->stage = RenderStage::dependencies;
    auto const root = instantiate(chart);
    if (auto done = process_dependencies(*root, values, log); !done) {
        log.push_back(log_line("ERROR", "chart dependencies processing failed", {{"error", done.error().message}}));
        return fail(std::move(done), "chart dependencies processing failed");
    }
    failure->stage = RenderStage::values;
    auto coalesced = coalesce_values(*root, values, false, log);
    if (!coalesced) return fail(std::move(coalesced));
    if (!options.skip_schema_validation) {
        if (auto valid = validate_schemas(*root, *coalesced, log, options.debug); !valid) return fail(std::move(valid));
    }
    made.chart = root->metadata;
    made.chart_values = root->values;
    made.values = deep_copy(*coalesced);
    add_crds(*root, made.crds);
    failure->stage = RenderStage::templates;
    auto const& kube = options.capabilities.kube_version;
    if (!made.chart.kube_version.empty() &&
        !semver::is_compatible(made.chart.kube_version, kube.normalized.empty() ? kube.version : kube.normalized)) {
        return fail(Errc::invalid_input, "chart requires kubeVersion: " + made.chart.kube_version +
                                             " which is incompatible with Kubernetes " + kube.version);
    }
    EngineRun const run{funcs_, {ports.random, ports.clock, ports.zones}, options.budget, tpl_cache_, ports.lookup};
    auto files = render_templates(*root, *coalesced, release_value(options.release),
                                  capabilities_value(options.capabilities), run);
    if (!files) return fail(std::move(files));
    made.notes = take_notes(*files, root->name() + "/templates/NOTES.txt", options.subchart_notes);
    failure->stage = RenderStage::manifests;
    auto sorted = sort_manifests(*files, log);
    if (!sorted) {
        failure->manifests = blocks_of(*files);
        return fail(std::move(sorted));
    }
    made.manifests = std::move(sorted->manifests);
    made.hooks = std::move(sorted->hooks);
    return made;
}

Result<std::string> Engine::render_name(std::string_view text, Ports const& ports) {
    gotemplate::TemplateSet set{funcs_};
    if (auto parsed = set.parse("name-template", text); !parsed) return fail(std::move(parsed));
    HelmExecutor executor{set, {ports.random, ports.clock, ports.zones}, {}, tpl_cache_, nullptr};
    std::string out;
    if (!executor.execute("name-template", Value{}, out)) return std::unexpected{executor.error().error};
    return out;
}

ChartPtr ChartCache::find(std::string_view digest) {
    auto const found = std::ranges::find(entries_, digest, &Entry::digest);
    if (found == entries_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found);
    return found->chart;
}

void ChartCache::keep(std::string digest, ChartPtr chart, std::size_t bytes) {
    if (find(digest) != nullptr || bytes > bytes_max_) return;
    bytes_ += bytes;
    entries_.push_front({std::move(digest), std::move(chart), bytes});
    while (bytes_ > bytes_max_) {
        bytes_ -= entries_.back().bytes;
        entries_.pop_back();
    }
}

Result<void> check_installable(Chart const& chart, Log* log) {
    auto const& metadata = chart.metadata;
    if (!metadata.type.empty() && metadata.type != "application")
        return fail(Errc::invalid_input, metadata.type + " charts are not installable");
    if (metadata.deprecated && log != nullptr) log->push_back(log_line("WARN", "this chart is deprecated"));
    std::string missing;
    for (auto const& dependency : metadata.dependencies.value_or(std::vector<Dependency>{})) {
        bool const there = std::ranges::any_of(
            chart.dependencies, [&](ChartPtr const& sub) { return sub->metadata.name == dependency.name; });
        if (!there) missing += (missing.empty() ? "" : ", ") + dependency.name;
    }
    if (missing.empty()) return {};
    return fail(
        Errc::not_found,
        "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing "
        "dependencies: found in Chart.yaml, but missing in charts/ directory: " +
            missing);
}

Result<void> check_release_name(std::string_view name, Log* log) {
    if (!name.empty() && name.size() <= 53 && is_release_name(name)) return {};
    auto const reason =
        "release name " + gotemplate::quote(name) + ": " +
        (name.empty()
             ? "no name provided"
             : "invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the "
               "length must not be longer than 53");
    if (log != nullptr) log->push_back(log_line("ERROR", "release name check failed", {{"error", reason}}));
    return fail(Errc::invalid_input, "release name check failed: " + reason);
}

}  // namespace holdfast::helm
