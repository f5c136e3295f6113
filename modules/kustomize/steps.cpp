// modules/kustomize/steps.cpp: a kustomization's generators, transformers and validators, in kustomize's order.
#include "modules/kustomize/context.hpp"
#include "modules/kustomize/emit.hpp"
#include "modules/kustomize/factory.hpp"
#include "modules/kustomize/generators.hpp"
#include "modules/kustomize/plugin_config.hpp"
#include "modules/kustomize/plugins.hpp"
#include "modules/kustomize/target.hpp"
#include "modules/kustomize/text.hpp"
#include "modules/yaml/json.hpp"

namespace holdfast::kustomize {
namespace {

boost::json::object to_json(Selector const& selector) {
    boost::json::object out;
    auto const add = [&](char const* key, std::string const& text) {
        if (!text.empty()) out[key] = text;
    };
    add("group", selector.group);
    add("version", selector.version);
    add("kind", selector.kind);
    add("name", selector.name);
    add("namespace", selector.ns);
    add("annotationSelector", selector.annotation_selector);
    add("labelSelector", selector.label_selector);
    return out;
}

std::unexpected<Error> trouble(char const* kind, std::string const& config, Error error) {
    return fail(error.code, "trouble configuring builtin " + std::string{kind} + " with config: `\n" + config +
                                "`: " + error.message);
}

/// reflect.DeepEqual of two nodes: a field that was set to what it was is not what it was.
bool is_untouched(yaml::Node const& before, yaml::Node const& after) {
    if (before.kind != after.kind || before.style != after.style || before.tag() != after.tag() ||
        before.value() != after.value() || before.line != after.line || before.column != after.column ||
        before.size() != after.size()) {
        return false;
    }
    for (std::size_t i = 0; i < before.size(); ++i) {
        if (!is_untouched(*before.item(i), *after.item(i))) return false;
    }
    return true;
}

/// A validator may leave its mark, which is taken away before the comparison.
yaml::Node const* without_mark(yaml::Arena& arena, yaml::Node const& root) {
    auto const mark = [](auto& node) {
        auto* const metadata = node.find("metadata");
        auto* const labels = metadata ? metadata->find("labels") : nullptr;
        return labels && labels->find("validated-by") ? labels : decltype(labels){};
    };
    if (!mark(root)) return &root;
    auto* const copy = yaml::clone(arena, root);
    auto* const labels = mark(*copy);
    labels->remove("validated-by");
    for (auto* const rest : labels->items()) rest->line = rest->column = 0;  // they are set anew
    if (labels->empty()) copy->find("metadata")->remove("labels");
    return copy;
}

/// fmt's %#v of a []string.
std::string go_syntax(std::vector<std::string> const& list) {
    if (list.empty()) return "[]string(nil)";
    std::string out = "[]string{";
    for (auto const& item : list) out += (out.back() == '{' ? "" : ", ") + go_quote(item);
    return out + "}";
}

/// ErrorIfNotEqualSets, whose second half shows addresses.
std::string unequal(yaml::Node const& before, yaml::Node const* after, std::string const& vars) {
    auto const go = "&resource.Resource{RNode:yaml.RNode{fieldPath:[]string(nil), value:(*yaml.Node)(0xc000000000), "
                    "ShouldKeep:false, Match:[]string(nil)}, refVarNames:" +
                    vars + "}\n";
    return "nodes unequal: \n -- " + json_of(&before) + ",\n -- " + json_of(after) + "\n\n--\n" + go + "------\n" + go;
}

std::unexpected<Error> changed(std::string const& how) {
    return fail(Errc::invalid_input, "validator shouldn't modify the resource map: " + how);
}

std::string config_text(PatchArgs const& args, char const* text_field) {
    boost::json::object config;
    if (!args.patch.empty()) config[text_field] = args.patch;
    if (!args.path.empty()) config["path"] = args.path;
    if (args.target) config["target"] = to_json(*args.target);
    return yaml::write_sigs(config).value_or("");
}

std::string config_text(std::vector<std::string> const& paths) {
    boost::json::array list(paths.begin(), paths.end());
    return yaml::write_sigs(boost::json::object{{"paths", std::move(list)}}).value_or("");
}

}  // namespace

std::optional<Origin> Target::origin_for(char const* kind) const {
    if (!origin_) return std::nullopt;
    return configured_by(*origin_, file_name_, kind);
}

Result<std::vector<Target::Source>> Target::own_generators() {
    std::vector<Source> sources;
    struct List {
        std::vector<GeneratorArgs>& args;
        bool secret;
    };
    for (auto const& [list, secret] : {List{kustomization_.config_maps, false}, List{kustomization_.secrets, true}}) {
        entry_ = {secret ? "secretGenerator" : "configMapGenerator", Entry::kWholeField};
        for (auto& args : list) {
            ++entry_.index;
            args.options = merge_options(std::move(args.options), kustomization_.generator_options);
            auto const* const plugin = secret ? "SecretGenerator" : "ConfigMapGenerator";
            if (auto ok = pass_through_config(plugin, args); !ok) return fail(std::move(ok));
            sources.push_back({[this, &args, secret]() -> Result<std::vector<Resource*>> {
                                   auto made = secret ? make_secret(context_, loader_, args)
                                                      : make_config_map(context_, loader_, args);
                                   if (!made) return fail(std::move(made));
                                   return std::vector<Resource*>{*made};
                               },
                               origin_for(plugin), entry_});
        }
    }
    entry_ = {"helmCharts", Entry::kWholeField};
    for (auto chart : kustomization_.helm_charts) {
        ++entry_.index;
        if (chart.ns.empty()) chart.ns = kustomization_.ns.empty() ? helm_namespace_ : kustomization_.ns;
        auto const globals = kustomization_.helm_globals.value_or(HelmGlobals{});
        auto made = make_chart(context_, loader_, globals, chart);
        if (!made) return trouble("HelmChartInflationGenerator", "name: " + chart.name + "\n", made.error());
        sources.push_back({std::move(*made), origin_for("HelmChartInflationGenerator"), entry_});
    }
    return sources;
}

Result<ResMap> Target::plugin_configs(std::vector<std::string> const& entries, char const* what) {
    Accumulator configs;
    std::vector<std::size_t> paths;
    for (entry_.index = 0; entry_.index < entries.size(); ++entry_.index) {
        auto objects = parse_objects(context_, entries[entry_.index]);
        ResMap own;
        if (!objects || !own.append_all(*objects)) {
            paths.push_back(entry_.index);
            continue;
        }
        if (origin_) {
            for (auto* const object : own.all()) {
                if (auto ok = set_origin(*object, origin_->append(file_name_)); !ok) return fail(std::move(ok));
            }
        }
        if (auto ok = configs.objects.append_all(own.all()); !ok) return fail(std::move(ok), what);
    }
    for (auto const index : paths) {
        entry_.index = index;
        if (auto ok = add_resource(configs, entries[index]); !ok) return fail(std::move(ok));
    }
    entry_.index = Entry::kWholeField;
    return std::move(configs.objects);
}

Result<void> Target::run_generators(Accumulator& into) {
    auto sources = own_generators();
    if (!sources) return fail(std::move(sources));
    if (!kustomization_.generators.empty()) {
        constexpr auto kStep = "loading generator plugins";
        entry_ = {"generators"};
        auto configs = plugin_configs(kustomization_.generators, "configuring external generator");
        if (!configs) return fail(std::move(configs), kStep);
        for (auto const* config : configs->all()) {
            auto made = make_generator(context_, loader_, *config);
            if (!made)
                return fail(made.error().code,
                            std::string{kStep} + ": failed to load generator: " + made.error().message);
            auto origin = origin_of_plugin(*config);
            if (!origin) return fail(std::move(origin), "failed to get origin from CustomPlugin");
            sources->push_back({std::move(*made), std::move(*origin), entry_});
        }
    }
    for (auto const& source : *sources) {
        entry_ = source.entry;
        auto made = source.run();
        if (!made) return fail(std::move(made));
        for (auto* const object : *made) {
            if (source.origin && !object->annotation_of(annotation::kOrigin)) {
                if (auto ok = set_origin(*object, source.origin); !ok) return ok;
            }
        }
        for (auto* const object : *made) {
            // Go prints the addresses of the generator and of its origin.
            auto const step =
                std::string{"merging from generator &{0xc000000000 "} + (source.origin ? "0xc000000000}" : "<nil>}");
            if (auto ok = into.objects.absorb(object); !ok) return fail(std::move(ok), step);
        }
    }
    return {};
}

Result<FieldSpecs> Target::label_specs(Label const& label, TransformerConfig const& config) const {
    auto specs = label.fields;
    auto const add = [&](FieldSpecs const& more) { return merge_specs(specs, more); };
    if (auto ok = add(config.labels); !ok) return fail(std::move(ok), "failed to merge labels");
    if (label.include_selectors) {
        if (auto ok = add(config.common_labels); !ok) return fail(std::move(ok), "failed to merge labels");
        return specs;
    }
    if (label.include_templates) {
        if (auto ok = add(config.template_labels); !ok)
            return fail(std::move(ok), "failed to merge template fieldSpec");
    }
    auto ok = merge_spec(specs, {.path = "metadata/labels", .create = true});
    if (!ok) return fail(std::move(ok), "failed to merge labels");
    return specs;
}

Result<std::vector<Target::Step>> Target::own_transformers(TransformerConfig const& config) {
    auto const& k = kustomization_;
    std::vector<Step> steps;
    auto const add = [&](Transform run, char const* kind) {
        steps.push_back({std::move(run), origin_for(kind), entry_});
    };
    if (!k.patches_strategic_merge.empty()) {
        entry_ = {"patchesStrategicMerge"};
        auto made = apply_merge_patches(context_, loader_, k.patches_strategic_merge, "");
        if (!made) {
            return trouble("PatchStrategicMergeTransformer", config_text(k.patches_strategic_merge), made.error());
        }
        add(std::move(*made), "PatchStrategicMergeTransformer");
    }
    entry_ = {"patches", Entry::kWholeField};
    for (auto const& patch : k.patches) {
        ++entry_.index;
        if (auto ok = check_config("PatchTransformer", {patch.path, patch.patch}); !ok) return fail(std::move(ok));
        PatchArgs args{patch.path, patch.patch, patch.target, patch.options, ""};
        if (trim_space(args.patch).empty() == args.path.empty()) args.config = config_text(args, "patch");
        auto made = apply_any_patch(context_, loader_, args);
        if (!made) return trouble("PatchTransformer", config_text(args, "patch"), made.error());
        add(std::move(*made), "PatchTransformer");
    }
    entry_ = {"namespace"};
    if (auto ok = check_config("NamespaceTransformer", {k.ns}); !ok) return fail(std::move(ok));
    if (!k.ns.empty()) add(set_namespaces({.ns = k.ns, .specs = config.name_space}), "NamespaceTransformer");
    entry_ = {"namePrefix"};
    if (auto ok = check_config("PrefixTransformer", {k.name_prefix}); !ok) return fail(std::move(ok));
    if (!k.name_prefix.empty()) add(add_prefix(k.name_prefix, config.name_prefix), "PrefixTransformer");
    entry_ = {"nameSuffix"};
    if (auto ok = check_config("SuffixTransformer", {k.name_suffix}); !ok) return fail(std::move(ok));
    if (!k.name_suffix.empty()) add(add_suffix(k.name_suffix, config.name_suffix), "SuffixTransformer");
    if (!k.labels.empty() || !k.common_labels.empty()) {
        entry_ = {"labels", Entry::kWholeField};
        for (auto const& label : k.labels) {
            ++entry_.index;
            if (auto ok = check_config("LabelTransformer", label.pairs); !ok) return fail(std::move(ok));
            auto specs = label_specs(label, config);
            if (!specs) return fail(std::move(specs));
            add(add_labels(label.pairs, std::move(*specs)), "LabelTransformer");
        }
        entry_ = {"commonLabels"};
        if (auto ok = check_config("LabelTransformer", k.common_labels); !ok) return fail(std::move(ok));
        add(add_labels(k.common_labels, config.common_labels), "LabelTransformer");
    }
    if (!k.common_annotations.empty()) {
        entry_ = {"commonAnnotations"};
        if (auto ok = check_config("AnnotationsTransformer", k.common_annotations); !ok) return fail(std::move(ok));
        add(add_annotations(k.common_annotations, config.common_annotations), "AnnotationsTransformer");
    }
    entry_ = {"patchesJson6902", Entry::kWholeField};
    for (auto const& patch : k.patches_json6902) {
        ++entry_.index;
        PatchArgs const args{patch.path, patch.patch, patch.target, {}, ""};
        auto made = apply_json_patch(context_, loader_, args);
        if (!made) return trouble("PatchJson6902Transformer", config_text(args, "jsonOp"), made.error());
        add(std::move(*made), "PatchJson6902Transformer");
    }
    entry_ = {"replicas"};
    for (auto const& replica : k.replicas) add(set_replicas(replica, config.replicas), "ReplicaCountTransformer");
    entry_ = {"images", Entry::kWholeField};
    for (auto const& image : k.images) {
        ++entry_.index;
        auto made = change_image(image, config.images);
        if (!made) return trouble("ImageTagTransformer", "name: " + image.name + "\n", made.error());
        add(std::move(*made), "ImageTagTransformer");
    }
    entry_ = {"replacements"};
    if (!k.replacements.empty()) {
        auto replacements = load_replacements(context_, loader_, k.replacements);
        if (!replacements) return trouble("ReplacementTransformer", "", replacements.error());
        add(replace_values(context_, std::move(*replacements)), "ReplacementTransformer");
    }
    return steps;
}

Result<std::vector<Target::Step>> Target::plugin_transformers(std::vector<std::string> const& entries) {
    std::vector<Step> steps;
    if (entries.empty()) return steps;
    auto configs = plugin_configs(entries, "configuring external transformer");
    if (!configs) return fail(std::move(configs));
    for (auto const* config : configs->all()) {
        auto made = make_transformer(context_, loader_, *config);
        if (!made) return fail(std::move(made));
        auto origin = origin_of_plugin(*config);
        if (!origin) return fail(std::move(origin));
        steps.push_back({std::move(*made), std::move(*origin), entry_});
    }
    return steps;
}

Result<void> Target::run_transformers(Accumulator& into) {
    auto steps = own_transformers(into.config.get());
    if (!steps) return fail(std::move(steps));
    entry_ = {"transformers"};
    auto more = plugin_transformers(kustomization_.transformers);
    if (!more) return fail(std::move(more));
    steps->insert(steps->end(), std::make_move_iterator(more->begin()), std::make_move_iterator(more->end()));
    for (auto const& step : *steps) {
        entry_ = step.entry;
        if (auto ok = step.run(into.objects); !ok) return ok;
        if (step.origin) {
            if (auto ok = note_transformer(into.objects, *step.origin); !ok) return ok;
        }
        into.objects.drop_empty();
        if (auto ok = context_.check_memory(); !ok) return ok;
    }
    return {};
}

Result<void> Target::run_validators(Accumulator& into) {
    if (kustomization_.validators.empty()) return {};
    entry_ = {"validators"};
    auto steps = plugin_transformers(kustomization_.validators);
    if (!steps) return fail(std::move(steps));
    for (auto const& step : *steps) {
        yaml::Arena arena;
        std::vector<yaml::Node const*> before;
        std::vector<std::string> vars;
        for (auto const* object : into.objects.all()) {
            before.push_back(yaml::clone(arena, *object->root()));
            vars.push_back(go_syntax(object->var_names));
        }
        auto seen = into.objects;
        if (auto ok = step.run(seen); !ok) return ok;
        if (seen.size() != before.size()) return changed("lists have different number of entries");
        for (std::size_t i = 0; i < before.size(); ++i) {
            auto const* const root = seen.all()[i]->root();
            auto const* const after = root ? without_mark(arena, *root) : nullptr;
            if (!after || !is_untouched(*before[i], *after)) return changed(unequal(*before[i], after, vars[i]));
        }
    }
    return {};
}

}  // namespace holdfast::kustomize
