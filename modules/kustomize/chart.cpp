// modules/kustomize/chart.cpp: helmCharts, handed to the helm engine; and the one Google generator.
#include "modules/kustomize/context.hpp"
#include "modules/kustomize/decode.hpp"
#include "modules/kustomize/factory.hpp"
#include "modules/kustomize/plugins.hpp"
#include "modules/patch/merge.hpp"
#include "modules/yaml/json.hpp"
#include "modules/yaml/parse.hpp"

namespace holdfast::kustomize {
namespace {

std::string chart_home(Loader const& loader, HelmGlobals const& globals, HelmChart const& chart) {
    auto const home = globals.chart_home.empty() ? std::string{"charts"} : globals.chart_home;
    auto const absolute = home.starts_with('/') ? home : join_path(loader.root(), home);
    if (chart.version.empty() || chart.repo.empty()) return absolute;
    return join_path(absolute, chart.name + "-" + chart.version);
}

/// The values file of the chart, merged with valuesInline as valuesMerge says.
Result<std::string> merged_values(Context& context, Loader const& loader, HelmChart const& chart,
                                  std::string const& file) {
    if (chart.values_inline.empty()) return loader.load(file);
    if (chart.values_merge == "replace") return yaml::write_sigs(chart.values_inline);
    auto text = loader.load(file);
    if (!text) return text;
    auto document = yaml::parse(context.arena, *text);
    if (!document) return fail(std::move(document), "could not parse values file into rnode");
    auto* file_values = *document ? yaml::root_of(*document) : nullptr;
    if (!file_values || !file_values->is_map()) file_values = yaml::make_map(context.arena);
    auto* const inline_values = yaml::from_json(context.arena, chart.values_inline);
    bool const inline_wins = chart.values_merge.empty() || chart.values_merge == "override";
    auto merged = patch::merge(context.arena, context.schema, inline_wins ? *inline_values : *file_values,
                               inline_wins ? *file_values : *inline_values, {.growth = patch::ListGrowth::append});
    if (!merged) return fail(std::move(merged), "could not merge values");
    auto value = *merged ? yaml::to_json(**merged, {.text_keys_at_root = true})
                         : Result<boost::json::value>{boost::json::object{}};
    if (!value) return fail(std::move(value), "could not parse merged values into map");
    return yaml::write_sigs(*value);
}

}  // namespace

Result<Generate> make_chart(Context& context, Loader const& loader, HelmGlobals const& globals, HelmChart chart) {
    if (!context.options.helm && !context.options.alpha_plugins)
        return fail(Errc::denied, "must specify --enable-helm");
    if (chart.name.empty()) return fail(Errc::invalid_input, "chart name cannot be empty");
    if (!chart.values_merge.empty() && chart.values_merge != "merge" && chart.values_merge != "override" &&
        chart.values_merge != "replace") {
        return fail(Errc::invalid_input, "valuesMerge must be one of [merge override replace]");
    }
    auto const home = chart_home(loader, globals, chart);
    HelmRequest request{.chart_directory = join_path(home, chart.name),
                        .name = chart.name,
                        .version = chart.version,
                        .repo = chart.repo,
                        .release_name = chart.release_name,
                        .ns = chart.ns,
                        .name_template = chart.name_template,
                        .kube_version = chart.kube_version,
                        .api_versions = chart.api_versions,
                        .include_crds = chart.include_crds,
                        .skip_hooks = chart.skip_hooks,
                        .skip_tests = chart.skip_tests,
                        .devel = chart.devel};
    if (!context.options.helm_kube_version.empty()) request.kube_version = context.options.helm_kube_version;
    if (!context.options.helm_api_versions.empty()) request.api_versions = context.options.helm_api_versions;
    std::vector<std::string> extra;
    for (auto const& path : chart.additional_values_files) {
        auto text = loader.load(path);
        if (!text) return fail(std::move(text), "could not load additionalValuesFile");
        extra.push_back(std::move(*text));
    }
    if (!context.options.render_chart) {
        return fail(Errc::invalid_input, "chart '" + chart.name + "': no helm engine in this program");
    }
    auto const file = chart.values_file.empty() ? join_path(request.chart_directory, "values.yaml") : chart.values_file;
    return Generate{[&context, &loader, chart, request, extra, file]() mutable -> Result<std::vector<Resource*>> {
        if (auto const found = loader.files().resolve(request.chart_directory); !found || !found->file.empty()) {
            if (chart.repo.empty()) return fail(Errc::not_found, "no repo specified for pull, no chart found at ''");
            return fail(Errc::denied, "chart '" + chart.name + "' of '" + chart.repo +
                                          "' is not fetched: no network in a render; put it in " +
                                          request.chart_directory);
        }
        auto values = merged_values(context, loader, chart, file);
        if (!values) return fail(std::move(values));
        request.values.push_back(std::move(*values));
        request.values.insert(request.values.end(), extra.begin(), extra.end());
        auto rendered = context.options.render_chart(request);
        if (!rendered) return fail(std::move(rendered));
        auto objects = parse_objects(context, *rendered);
        // What kustomize says of its second attempt, after it has looked for messages in front of the first "---".
        if (!objects) return fail(std::move(objects), "could not parse rnode slice into resource map");
        for (auto* const object : *objects) {
            if (auto ok = object->set_annotation(annotation::kHelmGenerated, "true"); !ok) return fail(std::move(ok));
        }
        return objects;
    }};
}

Result<Generate> make_iam_policy(Context& context, boost::json::value const& config) {
    std::string cloud, service_name, service_ns, account, project;
    Decoder decoder{{.text_from_scalars = true}};
    decoder.object(
        config, "IAMPolicyGeneratorPlugin", "builtins.IAMPolicyGeneratorPlugin",
        [&](std::string_view key, auto const& v) {
            auto const under = [&](char const* name, auto read) {
                return decoder.at({"IAMPolicyGeneratorArgs", name}, read), true;
            };
            auto const text = [&](char const* name, auto const& x, std::string& out) {
                return decoder.at({name}, [&] { decoder.text(x, out); }), true;
            };
            if (same_key(key, "cloud"))
                return under("cloud", [&] {
                    v.is_string() || v.is_null() ? decoder.text(v, cloud) : decoder.mismatch(v, "types.Cloud");
                });
            if (same_key(key, "kubernetesService"))
                return under("kubernetesService", [&] {
                    decoder.object(v, "KubernetesService", "types.KubernetesService",
                                   [&](std::string_view inner, auto const& x) {
                                       if (same_key(inner, "name")) return text("name", x, service_name);
                                       return same_key(inner, "namespace") && text("namespace", x, service_ns);
                                   });
                });
            if (same_key(key, "serviceAccount"))
                return under("serviceAccount", [&] {
                    decoder.object(v, "ServiceAccount", "types.ServiceAccount",
                                   [&](std::string_view inner, auto const& x) {
                                       if (same_key(inner, "name")) return text("name", x, account);
                                       return same_key(inner, "projectId") && text("projectId", x, project);
                                   });
                });
            return false;
        });
    if (auto ok = decoder.result(); !ok) return fail(std::move(ok), "error unmarshaling JSON: while decoding JSON");
    return Generate{[=, &context]() -> Result<std::vector<Resource*>> {
        if (cloud != "gke") return fail(Errc::invalid_input, "cloud provider " + cloud + " not supported yet");
        auto text =
            "\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  annotations:\n    iam.gke.io/gcp-service-account: " +
            account + "@" + project + ".iam.gserviceaccount.com\n  name: " + service_name + "\n";
        if (!service_ns.empty()) text += "\n  namespace: " + service_ns;
        yaml::Arena arena;
        if (auto read = yaml::parse(arena, text); !read) return fail(std::move(read));
        return parse_objects(context, text);
    }};
}

}  // namespace holdfast::kustomize
