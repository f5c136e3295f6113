// modules/kustomize/config.cpp: merging and reading transformer configuration.
#include "modules/kustomize/config.hpp"

#include "modules/kustomize/decode.hpp"
#include "modules/yaml/json.hpp"

#include <algorithm>

namespace holdfast::kustomize {
namespace {

bool selected_by(FieldSpec const& spec, FieldSpec const& selector) {
    return (selector.group.empty() || selector.group == spec.group) &&
           (selector.version.empty() || selector.version == spec.version) &&
           (selector.kind.empty() || selector.kind == spec.kind);
}

/// Stable, without std::stable_sort's deprecated helper.
template <class T, class GvkOf> void sort_by_gvk(std::vector<T>& list, GvkOf gvk_of) {
    bool const sorted_already = std::is_sorted(list.begin(), list.end(),
                                               [&](T const& a, T const& b) { return less_than(gvk_of(a), gvk_of(b)); });
    if (sorted_already) return;
    std::vector<std::pair<Gvk, std::size_t>> order;
    for (std::size_t i = 0; i < list.size(); ++i) order.emplace_back(gvk_of(list[i]), i);
    std::sort(order.begin(), order.end(), [](auto const& a, auto const& b) {
        if (less_than(a.first, b.first)) return true;
        return !less_than(b.first, a.first) && a.second < b.second;
    });
    std::vector<T> sorted;
    sorted.reserve(list.size());
    for (auto const& [gvk, index] : order) sorted.push_back(std::move(list[index]));
    list = std::move(sorted);
}

void sort_specs(FieldSpecs& specs) {
    sort_by_gvk(specs, [](FieldSpec const& spec) { return Gvk{spec.group, spec.version, spec.kind}; });
}

}  // namespace

Result<void> merge_spec(FieldSpecs& into, FieldSpec incoming) {
    for (auto const& known : into) {
        if (known.path != incoming.path || !selected_by(known, incoming)) continue;
        if (known.create != incoming.create) return fail(Errc::invalid_input, "conflicting fieldspecs");
        return {};
    }
    into.push_back(std::move(incoming));
    return {};
}

Result<void> merge_specs(FieldSpecs& into, FieldSpecs incoming) {
    into.reserve(into.size() + incoming.size());
    for (auto& spec : incoming) {
        if (auto ok = merge_spec(into, std::move(spec)); !ok) return ok;
    }
    return {};
}

Result<void> merge_references(std::vector<NameBackReferences>& into, NameBackReferences incoming) {
    bool found = false;
    for (auto& known : into) {
        if (!known.gvk.same(incoming.gvk)) continue;
        if (auto ok = merge_specs(known.referrers, incoming.referrers); !ok) return ok;
        found = true;
    }
    if (!found) into.push_back(std::move(incoming));
    return {};
}

Result<void> merge_config(TransformerConfig& into, TransformerConfig incoming) {
    struct Part {
        FieldSpecs& into;
        FieldSpecs& from;
        char const* name;
    };
    for (auto const& part :
         {Part{into.name_prefix, incoming.name_prefix, "NamePrefix"},
          Part{into.name_suffix, incoming.name_suffix, "NameSuffix"},
          Part{into.name_space, incoming.name_space, "NameSpace"},
          Part{into.common_annotations, incoming.common_annotations, "CommonAnnotations"},
          Part{into.common_labels, incoming.common_labels, "CommonLabels"},
          Part{into.labels, incoming.labels, "Labels"},
          Part{into.template_labels, incoming.template_labels, "TemplateLabels"},
          Part{into.var_reference, incoming.var_reference, "VarReference"},
          Part{into.images, incoming.images, "Images"}, Part{into.replicas, incoming.replicas, "Replicas"}}) {
        if (auto ok = merge_specs(part.into, std::move(part.from)); !ok) {
            return fail(std::move(ok), "failed to merge " + std::string{part.name} + " fieldSpec");
        }
    }
    for (auto& reference : incoming.name_reference) {
        if (auto ok = merge_references(into.name_reference, std::move(reference)); !ok) {
            return fail(std::move(ok), "failed to merge NameReference fieldSpec");
        }
    }
    sort_config(into);
    return {};
}

void sort_config(TransformerConfig& config) {
    for (auto* specs : {&config.name_prefix, &config.name_suffix, &config.name_space, &config.common_labels,
                        &config.labels, &config.template_labels, &config.common_annotations, &config.var_reference,
                        &config.images, &config.replicas}) {
        sort_specs(*specs);
    }
    sort_by_gvk(config.name_reference, [](NameBackReferences const& references) { return references.gvk; });
}

Result<TransformerConfig> parse_config(std::string_view text) {
    auto value = yaml::read_sigs(text, true);
    if (!value) return fail(std::move(value), "error converting YAML to JSON");
    TransformerConfig config;
    Decoder decoder{{.unknown_fields = false, .text_from_scalars = true}};
    decoder.read(*value, config);
    if (auto ok = decoder.result(); !ok) return fail(std::move(ok), "error unmarshaling JSON: while decoding JSON");
    sort_config(config);
    return config;
}

std::string describe(TransformerConfig const& config) {
    auto const text_of = [](FieldSpecs const& specs, char separator) {
        std::string out;
        for (auto const& spec : specs) {
            if (!out.empty()) out += separator;
            out += Gvk{spec.group, spec.version, spec.kind}.str() + (spec.create ? ":true:" : ":false:") + spec.path;
        }
        return out;
    };
    std::string out = "&{";
    for (auto const* specs : {&config.name_prefix, &config.name_suffix, &config.name_space, &config.common_labels,
                              &config.labels, &config.template_labels, &config.common_annotations}) {
        out += "[" + text_of(*specs, ' ') + "] ";
    }
    out += "[";
    for (auto const& references : config.name_reference) {
        out += (out.back() == '[' ? "" : " ") + references.gvk.str() + ":  (\n" + text_of(references.referrers, '\n') +
               "\n)";
    }
    out += "]";
    for (auto const* specs : {&config.var_reference, &config.images, &config.replicas})
        out += " [" + text_of(*specs, ' ') + "]";
    return out + "}";
}

}  // namespace holdfast::kustomize
