// modules/kustomize/plugins.cpp: a plugin's configuration read into the arguments of its step.
#include "modules/kustomize/plugins.hpp"

#include "modules/kustomize/context.hpp"
#include "modules/kustomize/decode.hpp"
#include "modules/kustomize/generators.hpp"
#include "modules/kustomize/text.hpp"
#include "modules/yaml/json.hpp"

namespace holdfast::kustomize {
namespace {

using Value = boost::json::value;

/// sigs.k8s.io/yaml Unmarshal of the configuration into a plugin's fields.
class Reader {
public:
    /// go_yaml: without sigs.k8s.io/yaml in between, as two plugins read.
    explicit Reader(Value const& config, bool go_yaml = false)
        : decoder{{.text_from_scalars = true, .embedded_too = go_yaml}}, config_{config}, go_yaml_{go_yaml} {}

    Result<void> read(char const* name, Decoder::Field const& field) {
        decoder.object(config_, name, name, field);
        auto ok = decoder.result();
        if (!ok && go_yaml_) return fail(ok.error().code, "yaml: unmarshal errors:\n  " + ok.error().message);
        if (!ok) return fail(std::move(ok), "error unmarshaling JSON: while decoding JSON");
        return {};
    }
    Decoder decoder;

private:
    Value const& config_;
    bool go_yaml_;
};

bool read_metadata(Decoder& decoder, std::string_view key, Value const& value, std::string& name, std::string& ns) {
    if (!same_key(key, "metadata")) return false;
    decoder.at({"metadata"}, [&] {
        decoder.object(value, "ObjectMeta", "types.ObjectMeta", [&](std::string_view inner, Value const& v) {
            StringMap map;
            if (same_key(inner, "name")) return decoder.at({"name"}, [&] { decoder.text(v, name); }), true;
            if (same_key(inner, "namespace")) return decoder.at({"namespace"}, [&] { decoder.text(v, ns); }), true;
            if (same_key(inner, "labels") || same_key(inner, "annotations")) return decoder.text_map(v, map), true;
            return false;
        });
    });
    return true;
}

Result<Transform> make_affix(Value const& config, bool prefix, bool suffix) {
    std::string front, back;
    std::optional<FieldSpecs> specs;
    Reader reader{config, true};
    auto ok = reader.read("PrefixTransformerPlugin", [&](std::string_view key, Value const& v) {
        if (same_key(key, "prefix")) return reader.decoder.at({"prefix"}, [&] { reader.decoder.text(v, front); }), true;
        if (same_key(key, "suffix")) return reader.decoder.at({"suffix"}, [&] { reader.decoder.text(v, back); }), true;
        if (same_key(key, "fieldSpecs"))
            return reader.decoder.at({"fieldSpecs"},
                                     [&] {
                                         reader.decoder.optional(v, specs, [&](auto& x, auto& o) {
                                             reader.decoder.read(x, o, "types.FsSlice");
                                         });
                                     }),
                   true;
        return false;
    });
    if (!ok) return fail(std::move(ok));
    if (!specs) return fail(Errc::invalid_input, "fieldSpecs is not expected to be nil");
    return Transform{[first = add_prefix(front, *specs), second = add_suffix(back, *specs), prefix,
                      suffix](ResMap& objects) -> Result<void> {
        if (prefix) {
            if (auto ok = first(objects); !ok) return ok;
        }
        return suffix ? second(objects) : Result<void>{};
    }};
}

Result<Transform> make_entries(Value const& config, char const* field, bool labels) {
    StringMap entries;
    FieldSpecs specs;
    Reader reader{config};
    auto ok = reader.read(
        labels ? "LabelTransformerPlugin" : "AnnotationsTransformerPlugin", [&](std::string_view key, Value const& v) {
            if (same_key(key, field))
                return reader.decoder.at({field}, [&] { reader.decoder.text_map(v, entries); }), true;
            if (same_key(key, "fieldSpecs"))
                return reader.decoder.at({"fieldSpecs"}, [&] { reader.decoder.read(v, specs); }), true;
            return false;
        });
    if (!ok) return fail(std::move(ok));
    return labels ? add_labels(std::move(entries), std::move(specs))
                  : add_annotations(std::move(entries), std::move(specs));
}

Result<Transform> make_namespace(Value const& config) {
    NamespaceArgs args{.subjects = ""};
    std::string name;
    Reader reader{config};
    auto ok = reader.read("NamespaceTransformerPlugin", [&](std::string_view key, Value const& v) {
        if (read_metadata(reader.decoder, key, v, name, args.ns)) return true;
        if (same_key(key, "fieldSpecs"))
            return reader.decoder.at({"fieldSpecs"}, [&] { reader.decoder.read(v, args.specs); }), true;
        if (same_key(key, "unsetOnly"))
            return reader.decoder.at({"unsetOnly"}, [&] { reader.decoder.boolean(v, args.unset_only); }), true;
        if (same_key(key, "setRoleBindingSubjects"))
            return reader.decoder.at({"setRoleBindingSubjects"}, [&] { reader.decoder.text(v, args.subjects); }), true;
        return false;
    });
    if (!ok) return fail(std::move(ok), "unmarshalling NamespaceTransformer config");
    if (args.subjects.empty()) args.subjects = "defaultOnly";
    if (args.subjects != "defaultOnly" && args.subjects != "allServiceAccounts" && args.subjects != "none") {
        return fail(Errc::invalid_input, "invalid value " + go_quote(args.subjects) +
                                             " for setRoleBindingSubjects: must be one of \"defaultOnly\", \"none\" or "
                                             "\"allServiceAccounts\"");
    }
    return set_namespaces(std::move(args));
}

Result<Transform> make_image(Value const& config) {
    Image image;
    FieldSpecs specs;
    Reader reader{config};
    auto ok = reader.read("ImageTagTransformerPlugin", [&](std::string_view key, Value const& v) {
        if (same_key(key, "imageTag"))
            return reader.decoder.at({"imageTag"}, [&] { reader.decoder.read(v, image); }), true;
        if (same_key(key, "fieldSpecs"))
            return reader.decoder.at({"fieldSpecs"}, [&] { reader.decoder.read(v, specs); }), true;
        return false;
    });
    if (!ok) return fail(std::move(ok));
    return change_image(std::move(image), std::move(specs));
}

Result<Transform> make_replicas(Value const& config) {
    Replica replica;
    FieldSpecs specs;
    Reader reader{config};
    auto ok = reader.read("ReplicaCountTransformerPlugin", [&](std::string_view key, Value const& v) {
        if (same_key(key, "replica"))
            return reader.decoder.at({"replica"}, [&] { reader.decoder.read(v, replica); }), true;
        if (same_key(key, "fieldSpecs"))
            return reader.decoder.at({"fieldSpecs"}, [&] { reader.decoder.read(v, specs); }), true;
        return false;
    });
    if (!ok) return fail(std::move(ok));
    return set_replicas(std::move(replica), std::move(specs));
}

Result<PatchArgs> read_patch(Value const& config, char const* name, char const* text_field) {
    PatchArgs args;
    Reader reader{config};
    auto ok = reader.read(name, [&](std::string_view key, Value const& v) {
        if (same_key(key, "path")) return reader.decoder.at({"path"}, [&] { reader.decoder.text(v, args.path); }), true;
        if (same_key(key, text_field))
            return reader.decoder.at({text_field}, [&] { reader.decoder.text(v, args.patch); }), true;
        if (same_key(key, "target"))
            return reader.decoder.at({"target"},
                                     [&] {
                                         reader.decoder.optional(v, args.target,
                                                                 [&](auto& x, auto& o) { reader.decoder.read(x, o); });
                                     }),
                   true;
        if (same_key(key, "options"))
            return reader.decoder.at({"options"},
                                     [&] {
                                         reader.decoder.optional(v, args.options,
                                                                 [&](auto& x, auto& o) { reader.decoder.read(x, o); });
                                     }),
                   true;
        return false;
    });
    if (!ok) return fail(std::move(ok));
    if (trim_space(args.patch).empty() == args.path.empty()) args.config = yaml::write_sigs(config).value_or("");
    return args;
}

Result<Transform> make_merges(Context& context, Loader const& loader, Value const& config) {
    std::vector<std::string> paths;
    std::string patches;
    Reader reader{config};
    auto ok = reader.read("PatchStrategicMergeTransformerPlugin", [&](std::string_view key, Value const& v) {
        if (same_key(key, "paths"))
            return reader.decoder.at({"paths"}, [&] { reader.decoder.text_list(v, paths); }), true;
        if (same_key(key, "patches"))
            return reader.decoder.at({"patches"}, [&] { reader.decoder.text(v, patches); }), true;
        return false;
    });
    if (!ok) return fail(std::move(ok));
    return apply_merge_patches(context, loader, std::move(paths), patches);
}

Result<Transform> make_replacements(Context& context, Loader const& loader, Value const& config) {
    std::vector<ReplacementField> fields;
    Reader reader{config};
    auto ok = reader.read("ReplacementTransformerPlugin", [&](std::string_view key, Value const& v) {
        if (!same_key(key, "replacements")) return false;
        reader.decoder.at({"replacements"}, [&] {
            reader.decoder.list(v, fields, "[]types.ReplacementField",
                                [&](auto& x, auto& o) { reader.decoder.read(x, o); });
        });
        return true;
    });
    if (!ok) return fail(std::move(ok));
    auto replacements = load_replacements(context, loader, fields);
    if (!replacements) return fail(std::move(replacements));
    return replace_values(context, std::move(*replacements));
}

void read_targets(Decoder& decoder, Value const& value, std::vector<ValueAddTarget>& targets) {
    std::vector<ValueAddTarget> list;
    decoder.list(value, list, "[]builtins.Target", [&](Value const& item, ValueAddTarget& out) {
        decoder.object(item, "Target", "builtins.Target", [&](std::string_view key, Value const& v) {
            if (same_key(key, "selector"))
                return decoder.optional(v, out.selector, [&](auto& x, auto& o) { decoder.read(x, o); }), true;
            if (same_key(key, "fieldPath")) return decoder.text(v, out.field_path), true;
            if (same_key(key, "filePathPosition")) return decoder.integer(v, out.file_path_position, "int"), true;
            return false;
        });
    });
    targets.insert(targets.end(), list.begin(), list.end());
}

Result<Transform> make_value_add(Loader const& loader, Value const& config) {
    std::string value, path;
    std::vector<ValueAddTarget> targets;
    Reader reader{config};
    auto const read_field = [&](std::string_view key, Value const& v) {
        if (same_key(key, "targets")) return read_targets(reader.decoder, v, targets), true;
        if (same_key(key, "value")) return reader.decoder.text(v, value), true;
        if (same_key(key, "targetFilePath")) return reader.decoder.text(v, path), true;
        return false;
    };
    if (auto ok = reader.read("ValueAddTransformerPlugin", read_field); !ok) return fail(std::move(ok));
    value = std::string{trim_space(value)};
    if (value.empty()) value = base_name(loader.root());
    if (!path.empty()) {
        auto content = loader.load(path);
        if (!content) return fail(std::move(content));
        auto more = yaml::read_sigs(*content);
        if (!more) return fail(std::move(more), "error converting YAML to JSON");
        Reader file{*more};
        auto ok = file.read("", [&](std::string_view key, Value const& v) {
            return same_key(key, "targets") ? (read_targets(file.decoder, v, targets), true) : false;
        });
        if (!ok) return fail(std::move(ok));
    }
    if (targets.empty()) return fail(Errc::invalid_input, "must specify at least one target");
    for (auto const& target : targets) {
        if (target.field_path.empty()) return fail(Errc::invalid_input, "fieldPath cannot be empty");
        if (target.file_path_position < 0) {
            return fail(Errc::invalid_input, "value of FilePathPosition (" + std::to_string(target.file_path_position) +
                                                 ") cannot be negative");
        }
    }
    return add_values(std::move(value), std::move(targets));
}

Result<Generate> make_map_generator(Context& context, Loader const& loader, Value const& config, bool secret) {
    GeneratorArgs args;
    std::string name, ns;
    Reader reader{config};
    auto ok = reader.read(
        secret ? "SecretGeneratorPlugin" : "ConfigMapGeneratorPlugin", [&](std::string_view key, Value const& v) {
            return read_metadata(reader.decoder, key, v, name, ns) ||
                   reader.decoder.generator_field(key, v, args, secret, {secret ? "SecretArgs" : "ConfigMapArgs"});
        });
    if (!ok) return fail(std::move(ok));
    if (args.name.empty()) args.name = name;
    if (args.ns.empty()) args.ns = ns;
    return Generate{[&context, &loader, args, secret]() -> Result<std::vector<Resource*>> {
        auto made = secret ? make_secret(context, loader, args) : make_config_map(context, loader, args);
        if (!made) return fail(std::move(made));
        return std::vector<Resource*>{*made};
    }};
}

Result<Generate> make_chart_plugin(Context& context, Loader const& loader, Value const& config) {
    HelmGlobals globals;
    HelmChart chart;
    Reader reader{config};
    auto ok = reader.read("HelmChartInflationGeneratorPlugin", [&](std::string_view key, Value const& v) {
        if (same_key(key, "chartHome"))
            return reader.decoder.at({"HelmGlobals", "chartHome"}, [&] { reader.decoder.text(v, globals.chart_home); }),
                   true;
        if (same_key(key, "configHome"))
            return reader.decoder.at({"HelmGlobals", "configHome"},
                                     [&] { reader.decoder.text(v, globals.config_home); }),
                   true;
        bool known = false;
        reader.decoder.at({"HelmChart"}, [&] { known = reader.decoder.chart_field(key, v, chart); });
        return known;
    });
    if (!ok) return fail(std::move(ok));
    return make_chart(context, loader, globals, std::move(chart));
}

bool is_builtin(Gvk const& gvk) { return gvk.group.empty() && gvk.version == "builtin"; }

Result<Generate> configure_generator(Context& context, Loader const& loader, std::string_view kind,
                                     Value const& config) {
    if (kind == "ConfigMapGenerator") return make_map_generator(context, loader, config, false);
    if (kind == "SecretGenerator") return make_map_generator(context, loader, config, true);
    if (kind == "HelmChartInflationGenerator") return make_chart_plugin(context, loader, config);
    return make_iam_policy(context, config);
}

bool is_generator(std::string_view kind) {
    return kind == "ConfigMapGenerator" || kind == "SecretGenerator" || kind == "HelmChartInflationGenerator" ||
           kind == "IAMPolicyGenerator";
}

Result<Transform> configure_transformer(Context& context, Loader const& loader, std::string_view kind,
                                        Value const& config) {
    if (kind == "AnnotationsTransformer") return make_entries(config, "annotations", false);
    if (kind == "LabelTransformer") return make_entries(config, "labels", true);
    if (kind == "HashTransformer") return add_hashes();
    if (kind == "ImageTagTransformer") return make_image(config);
    if (kind == "NamespaceTransformer") return make_namespace(config);
    if (kind == "PrefixTransformer") return make_affix(config, true, false);
    if (kind == "SuffixTransformer") return make_affix(config, false, true);
    if (kind == "PrefixSuffixTransformer") return make_affix(config, true, true);
    if (kind == "PatchStrategicMergeTransformer") return make_merges(context, loader, config);
    if (kind == "ReplacementTransformer") return make_replacements(context, loader, config);
    if (kind == "ReplicaCountTransformer") return make_replicas(config);
    if (kind == "ValueAddTransformer") return make_value_add(loader, config);
    bool const json = kind == "PatchJson6902Transformer";
    auto args = json ? read_patch(config, "PatchJson6902TransformerPlugin", "jsonOp")
                     : read_patch(config, "PatchTransformerPlugin", "patch");
    if (!args) return fail(std::move(args));
    return json ? apply_json_patch(context, loader, std::move(*args))
                : apply_any_patch(context, loader, std::move(*args));
}

bool is_transformer(std::string_view kind) {
    for (auto const known :
         {"AnnotationsTransformer", "LabelTransformer", "HashTransformer", "ImageTagTransformer",
          "NamespaceTransformer", "PrefixTransformer", "SuffixTransformer", "PrefixSuffixTransformer",
          "PatchStrategicMergeTransformer", "PatchJson6902Transformer", "PatchTransformer", "ReplacementTransformer",
          "ReplicaCountTransformer", "ValueAddTransformer"}) {
        if (kind == known) return true;
    }
    return false;
}

/// What kustomize refuses of a container function before it runs it.
Result<void> check_mounts(Resource const& config) {
    auto text = config.annotation_of("config.kubernetes.io/function");
    if (!text || text->empty()) text = config.annotation_of("config.k8s.io/function");
    auto const function = yaml::read_sigs(text ? std::string_view{*text} : std::string_view{});
    if (!function) return {};
    boost::system::error_code none;
    auto const* const mounts = function->find_pointer("/container/mounts", none);
    if (!mounts || !mounts->is_array()) return {};
    for (auto const& mount : mounts->get_array()) {
        auto const* const source = mount.find_pointer("/src", none);
        if (!source || !source->is_string()) continue;
        std::string const path{source->get_string()};
        bool const absolute = path.starts_with('/');
        if (!absolute && !clean_path(path).starts_with("..")) continue;
        return fail(Errc::denied, "plugin " + config.original_id().str() + " with mount path '" + path +
                                      "' is not permitted; mount paths must be " +
                                      (absolute ? "relative to" : "under") + " the current kustomization directory");
    }
    return {};
}

/// The configuration of a plugin that may run, or why it may not.
Result<Value> admit(Context const& context, Resource const& config) {
    auto const& gvk = config.id().gvk;
    if (!is_builtin(gvk)) {
        auto const kind = config.original_id().gvk.kind;
        if (!context.options.alpha_plugins) {
            return fail(Errc::denied, "external plugins disabled; unable to load external plugin '" + kind + "'");
        }
        if (auto ok = check_mounts(config); !ok) return fail(std::move(ok));
        return fail(Errc::denied, "plugin '" + kind + "' is an exec or container function: programs are never run");
    }
    if (!is_generator(gvk.kind) && !is_transformer(gvk.kind)) {
        return fail(Errc::invalid_input, "unable to load builtin " + gvk.str());
    }
    auto value = yaml::to_json(*config.root());
    if (!value) return fail(std::move(value), "marshalling yaml from res " + config.original_id().str());
    return value;
}

}  // namespace

Result<Generate> make_generator(Context& context, Loader const& loader, Resource const& config) {
    auto value = admit(context, config);
    if (!value) return fail(std::move(value));
    auto const id = config.original_id().str();
    auto const kind = config.kind();
    if (!is_generator(kind)) {
        auto unused = configure_transformer(context, loader, kind, *value);
        if (!unused) return fail(std::move(unused), "plugin " + id + " fails configuration");
        return fail(Errc::invalid_input, "plugin " + id + " not a generator");
    }
    auto made = configure_generator(context, loader, kind, *value);
    if (!made) return fail(std::move(made), "plugin " + id + " fails configuration");
    return made;
}

Result<Transform> make_transformer(Context& context, Loader const& loader, Resource const& config) {
    auto value = admit(context, config);
    if (!value) return fail(std::move(value));
    auto const id = config.original_id().str();
    auto const kind = config.kind();
    if (!is_transformer(kind)) {
        auto unused = configure_generator(context, loader, kind, *value);
        if (!unused) return fail(std::move(unused), "plugin " + id + " fails configuration");
        return fail(Errc::invalid_input, "plugin " + id + " not a transformer");
    }
    auto made = configure_transformer(context, loader, kind, *value);
    if (!made) return fail(std::move(made), "plugin " + id + " fails configuration");
    return made;
}

}  // namespace holdfast::kustomize
