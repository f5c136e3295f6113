// modules/kustomize/decode_kustomization.cpp: the kustomization file as a whole, its deprecated fields and checks.
#include "modules/kustomize/decode.hpp"

#include "modules/kustomize/blame.hpp"
#include "modules/yaml/json.hpp"

namespace holdfast::kustomize {
namespace {

using Value = boost::json::value;

constexpr std::string_view kVersion = "kustomize.config.k8s.io/v1beta1";
constexpr std::string_view kComponentVersion = "kustomize.config.k8s.io/v1alpha1";
constexpr std::string_view kFixIt = " Run 'kustomize edit fix' to update your Kustomization automatically.";

/// What the deprecated fields hold until fix() moves it.
struct Old {
    std::vector<std::string> bases;
    std::vector<Image> image_tags;
    std::vector<HelmChart> charts;
    HelmGlobals globals;
    bool has_bases = false, has_labels = false, has_image_tags = false, has_json = false, has_merge = false,
         has_vars = false;
};

void read_old_chart(Decoder& decoder, Value const& value, Old& old) {
    auto& chart = old.charts.emplace_back();
    std::vector<std::string> extra;
    std::string ignored;
    decoder.object(value, "HelmChartArgs", "types.HelmChartArgs", [&](std::string_view key, Value const& v) {
        struct Named {
            char const* name;
            std::string* text;
        };
        for (auto const& [name, text] :
             {Named{"chartName", &chart.name}, Named{"chartVersion", &chart.version},
              Named{"chartRepoUrl", &chart.repo}, Named{"chartHome", &old.globals.chart_home},
              Named{"chartRepoName", &ignored}, Named{"helmBin", &ignored}, Named{"helmHome", &old.globals.config_home},
              Named{"values", &chart.values_file}, Named{"valuesMerge", &chart.values_merge},
              Named{"releaseName", &chart.release_name}, Named{"releaseNamespace", &ignored}}) {
            if (same_key(key, name)) return decoder.at({name}, [&] { decoder.text(v, *text); }), true;
        }
        if (same_key(key, "valuesLocal")) {
            if (v.is_object()) chart.values_inline = v.get_object();
            return true;
        }
        if (same_key(key, "extraArgs")) return decoder.at({"extraArgs"}, [&] { decoder.text_list(v, extra); }), true;
        return false;
    });
}

void fix(Kustomization& k, Old& old) {
    if (k.kind.empty()) k.kind = "Kustomization";
    if (k.api_version.empty()) k.api_version = k.kind == "Component" ? kComponentVersion : kVersion;
    k.resources.insert(k.resources.end(), old.bases.begin(), old.bases.end());
    k.images.insert(k.images.end(), old.image_tags.begin(), old.image_tags.end());
    for (auto* list : {&k.config_maps, &k.secrets}) {
        for (auto& args : *list) {
            if (args.env.empty()) continue;
            args.envs.push_back(args.env);
            args.env.clear();
        }
    }
    if (!k.helm_globals && (!old.globals.chart_home.empty() || !old.globals.config_home.empty())) {
        k.helm_globals = old.globals;
    }
    k.helm_charts.insert(k.helm_charts.end(), old.charts.begin(), old.charts.end());
}

void warn(Kustomization& k, Old const& old) {
    auto const say = [&](std::string_view what, std::string_view instead, std::string_view mark = "") {
        k.warnings.push_back("# Warning: '" + std::string{what} + "' is deprecated. Please use '" +
                             std::string{instead} + "' instead." + std::string{mark} + std::string{kFixIt});
    };
    if (old.has_bases) say("bases", "resources");
    if (old.has_labels) say("commonLabels", "labels");
    if (old.has_image_tags) say("imageTags", "images");
    if (old.has_json) say("patchesJson6902", "patches");
    if (old.has_merge) say("patchesStrategicMerge", "patches");
    if (old.has_vars) say("vars", "replacements", " [EXPERIMENTAL]");
}

Result<void> enforce(Kustomization const& k, std::string_view directory) {
    std::string errors;
    if (k.kind != "Kustomization" && k.kind != "Component") errors = "kind should be Kustomization or Component";
    auto const wanted = k.kind == "Component" ? kComponentVersion : kVersion;
    if (k.api_version != wanted) {
        if (!errors.empty()) errors += '\n';
        errors += "apiVersion for " + k.kind + " should be " + std::string{wanted};
    }
    if (errors.empty()) return {};
    return fail(Errc::invalid_input,
                "Failed to read kustomization file under " + std::string{directory} + ":\n" + errors);
}

bool read_field(Decoder& decoder, std::string_view key, Value const& v, Kustomization& out, Old& old) {
    auto const under = [&](char const* name, auto read) { return decoder.at({name}, read), true; };
    struct Text {
        char const* name;
        std::string* text;
    };
    for (auto const& [name, text] : {Text{"apiVersion", &out.api_version}, Text{"kind", &out.kind}}) {
        if (same_key(key, name)) return decoder.at({"TypeMeta", name}, [&] { decoder.text(v, *text); }), true;
    }
    for (auto const& [name, text] :
         {Text{"namePrefix", &out.name_prefix}, Text{"nameSuffix", &out.name_suffix}, Text{"namespace", &out.ns}}) {
        if (!same_key(key, name)) continue;
        decoder.at({name}, [&] { decoder.text(v, *text); });
        out.is_empty = out.is_empty && text->empty();
        return true;
    }
    // Everything below counts as content when it is there at all, even when empty.
    auto const moved =
        same_key(key, "bases") || same_key(key, "imageTags") || same_key(key, "helmChartInflationGenerator");
    if (!v.is_null() && !(moved && v.is_array() && v.get_array().empty())) out.is_empty = false;
    struct Texts {
        char const* name;
        std::vector<std::string>* list;
        bool* seen;
    };
    for (auto const& [name, list, seen] :
         {Texts{"resources", &out.resources, nullptr}, Texts{"components", &out.components, nullptr},
          Texts{"crds", &out.crds, nullptr}, Texts{"bases", &old.bases, &old.has_bases},
          Texts{"configurations", &out.configurations, nullptr}, Texts{"generators", &out.generators, nullptr},
          Texts{"transformers", &out.transformers, nullptr}, Texts{"validators", &out.validators, nullptr},
          Texts{"buildMetadata", &out.build_metadata, nullptr}}) {
        if (!same_key(key, name)) continue;
        if (seen) *seen = !v.is_null();
        return under(name, [&] { decoder.text_list(v, *list); });
    }
    struct Map {
        char const* name;
        StringMap* map;
    };
    for (auto const& [name, map] : {Map{"openapi", &out.openapi}, Map{"commonAnnotations", &out.common_annotations},
                                    Map{"commonLabels", &out.common_labels}}) {
        if (!same_key(key, name)) continue;
        if (map == &out.common_labels) old.has_labels = !v.is_null();
        return under(name, [&] { decoder.text_map(v, *map); });
    }
    auto const list_of = [&](char const* name, auto& list, char const* type) {
        return under(name,
                     [&] { decoder.list(v, list, type, [&](Value const& item, auto& o) { decoder.read(item, o); }); });
    };
    if (same_key(key, "labels")) return list_of("labels", out.labels, "[]types.Label");
    if (same_key(key, "patches")) return list_of("patches", out.patches, "[]types.Patch");
    if (same_key(key, "patchesJson6902")) {
        old.has_json = !v.is_null();
        return list_of("patchesJson6902", out.patches_json6902, "[]types.Patch");
    }
    if (same_key(key, "patchesStrategicMerge")) {
        old.has_merge = !v.is_null();
        return under("patchesStrategicMerge", [&] {
            decoder.list(v, out.patches_strategic_merge, "[]types.PatchStrategicMerge",
                         [&](Value const& item, std::string& o) {
                             if (item.is_string() || item.is_null()) {
                                 decoder.text(item, o);
                             } else {
                                 decoder.mismatch(item, "types.PatchStrategicMerge");
                             }
                         });
        });
    }
    if (same_key(key, "images")) return list_of("images", out.images, "[]types.Image");
    if (same_key(key, "imageTags")) {
        old.has_image_tags = !v.is_null();
        return list_of("imageTags", old.image_tags, "[]types.Image");
    }
    if (same_key(key, "replacements")) return list_of("replacements", out.replacements, "[]types.ReplacementField");
    if (same_key(key, "replicas")) return list_of("replicas", out.replicas, "[]types.Replica");
    if (same_key(key, "vars")) {
        old.has_vars = !v.is_null();
        return list_of("vars", out.vars, "[]types.Var");
    }
    if (same_key(key, "sortOptions"))
        return under("sortOptions",
                     [&] { decoder.optional(v, out.sort_options, [&](auto& x, auto& o) { decoder.read(x, o); }); });
    if (same_key(key, "generatorOptions"))
        return under("generatorOptions", [&] {
            decoder.optional(v, out.generator_options, [&](auto& x, auto& o) { decoder.read(x, o); });
        });
    if (same_key(key, "helmGlobals"))
        return under("helmGlobals",
                     [&] { decoder.optional(v, out.helm_globals, [&](auto& x, auto& o) { decoder.read(x, o); }); });
    if (same_key(key, "configMapGenerator"))
        return under("configMapGenerator", [&] {
            decoder.list(v, out.config_maps, "[]types.ConfigMapArgs",
                         [&](Value const& item, GeneratorArgs& o) { decoder.read_generator(item, o, false); });
        });
    if (same_key(key, "secretGenerator"))
        return under("secretGenerator", [&] {
            decoder.list(v, out.secrets, "[]types.SecretArgs",
                         [&](Value const& item, GeneratorArgs& o) { decoder.read_generator(item, o, true); });
        });
    if (same_key(key, "helmCharts"))
        return under("helmCharts", [&] {
            decoder.list(v, out.helm_charts, "[]types.HelmChart",
                         [&](Value const& item, HelmChart& o) { decoder.read_chart(item, o); });
        });
    if (same_key(key, "helmChartInflationGenerator"))
        return under("helmChartInflationGenerator", [&] {
            if (!v.is_array()) return v.is_null() ? void() : decoder.mismatch(v, "[]types.HelmChartArgs");
            for (auto const& item : v.get_array()) read_old_chart(decoder, item, old);
        });
    if (same_key(key, "metadata"))
        return under("metadata", [&] {
            decoder.object(v, "ObjectMeta", "types.ObjectMeta", [&](std::string_view inner, Value const& x) {
                std::string text;
                StringMap map;
                for (auto const* name : {"name", "namespace"}) {
                    if (same_key(inner, name)) return decoder.at({name}, [&] { decoder.text(x, text); }), true;
                }
                for (auto const* name : {"labels", "annotations"}) {
                    if (same_key(inner, name)) return decoder.at({name}, [&] { decoder.text_map(x, map); }), true;
                }
                return false;
            });
        });
    return false;
}

}  // namespace

bool Decoder::generator_field(std::string_view key, Value const& v, GeneratorArgs& out, bool secret,
                              std::initializer_list<char const*> embedded) {
    auto const under = [&](std::initializer_list<char const*> names, auto read_it) {
        at(embedded, [&] { at(names, read_it); });
        return true;
    };
    if (same_key(key, "namespace")) return under({"GeneratorArgs", "namespace"}, [&] { text(v, out.ns); });
    if (same_key(key, "name")) return under({"GeneratorArgs", "name"}, [&] { text(v, out.name); });
    if (same_key(key, "behavior")) return under({"GeneratorArgs", "behavior"}, [&] { text(v, out.behavior); });
    if (same_key(key, "literals"))
        return under({"GeneratorArgs", "KvPairSources", "literals"}, [&] { text_list(v, out.literals); });
    if (same_key(key, "files"))
        return under({"GeneratorArgs", "KvPairSources", "files"}, [&] { text_list(v, out.files); });
    if (same_key(key, "envs"))
        return under({"GeneratorArgs", "KvPairSources", "envs"}, [&] { text_list(v, out.envs); });
    if (same_key(key, "env")) return under({"GeneratorArgs", "KvPairSources", "env"}, [&] { text(v, out.env); });
    if (same_key(key, "options"))
        return under({"GeneratorArgs", "options"},
                     [&] { optional(v, out.options, [&](auto& x, auto& o) { read(x, o); }); });
    if (secret && same_key(key, "type")) return under({"type"}, [&] { text(v, out.type); });
    return false;
}

void Decoder::read_generator(Value const& value, GeneratorArgs& out, bool secret) {
    object(value, secret ? "SecretArgs" : "ConfigMapArgs", secret ? "types.SecretArgs" : "types.ConfigMapArgs",
           [&](std::string_view key, Value const& v) { return generator_field(key, v, out, secret, {}); });
}

void Decoder::read(Value const& value, HelmGlobals& out) {
    object(value, "HelmGlobals", "types.HelmGlobals", [&](std::string_view key, Value const& v) {
        if (same_key(key, "chartHome")) return at({"chartHome"}, [&] { text(v, out.chart_home); }), true;
        if (same_key(key, "configHome")) return at({"configHome"}, [&] { text(v, out.config_home); }), true;
        return false;
    });
}

bool Decoder::chart_field(std::string_view key, Value const& v, HelmChart& out) {
    struct Text {
        char const* name;
        std::string* into;
    };
    for (auto const& [name, into] :
         {Text{"name", &out.name}, Text{"version", &out.version}, Text{"repo", &out.repo},
          Text{"releaseName", &out.release_name}, Text{"namespace", &out.ns}, Text{"valuesFile", &out.values_file},
          Text{"valuesMerge", &out.values_merge}, Text{"kubeVersion", &out.kube_version},
          Text{"nameTemplate", &out.name_template}}) {
        if (same_key(key, name)) return at({name}, [&] { text(v, *into); }), true;
    }
    struct Flag {
        char const* name;
        bool* into;
    };
    for (auto const& [name, into] :
         {Flag{"includeCRDs", &out.include_crds}, Flag{"skipHooks", &out.skip_hooks},
          Flag{"skipTests", &out.skip_tests}, Flag{"debug", &out.debug}, Flag{"devel", &out.devel}}) {
        if (same_key(key, name)) return at({name}, [&] { boolean(v, *into); }), true;
    }
    if (same_key(key, "additionalValuesFiles"))
        return at({"additionalValuesFiles"}, [&] { text_list(v, out.additional_values_files); }), true;
    if (same_key(key, "apiVersions")) return at({"apiVersions"}, [&] { text_list(v, out.api_versions); }), true;
    if (same_key(key, "valuesInline")) {
        at({"valuesInline"}, [&] {
            if (v.is_object()) {
                out.values_inline = v.get_object();
            } else if (!v.is_null()) {
                mismatch(v, "map[string]interface {}");
            }
        });
        return true;
    }
    return false;
}

void Decoder::read_chart(Value const& value, HelmChart& out) {
    object(value, "HelmChart", "types.HelmChart",
           [&](std::string_view key, Value const& v) { return chart_field(key, v, out); });
}

void Decoder::read(Value const& value, Kustomization& out) {
    Old old;
    object(value, "Kustomization", "types.Kustomization",
           [&](std::string_view key, Value const& v) { return read_field(*this, key, v, out, old); });
    warn(out, old);
    fix(out, old);
}

Result<Kustomization> decode_kustomization(std::string_view text, std::string_view directory, Reading const& reading) {
    auto value = yaml::read_sigs(text);
    if (!value) {
        if (reading.place) *reading.place = place_of_error(reading.written);
        return fail(std::move(value), reading.edited ? "error converting YAML to JSON" : "invalid Kustomization");
    }
    Kustomization out;
    Decoder decoder{{.unknown_fields = reading.edited, .text_from_scalars = reading.edited}};
    decoder.read(*value, out);
    if (auto ok = decoder.result(); !ok) {
        if (reading.place) *reading.place = place_of(reading.written, *value, decoder.culprit());
        return fail(std::move(ok),
                    reading.edited ? "error unmarshaling JSON: while decoding JSON" : "invalid Kustomization");
    }
    if (out.is_empty) return fail(Errc::invalid_input, "kustomization.yaml is empty");
    if (auto ok = enforce(out, directory); !ok) return fail(std::move(ok));
    return out;
}

}  // namespace holdfast::kustomize
