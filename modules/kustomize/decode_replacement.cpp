// modules/kustomize/decode_replacement.cpp: replacements and transformer configuration out of JSON-like values.
#include "modules/kustomize/decode.hpp"

namespace holdfast::kustomize {

void Decoder::read(Value const& value, FieldOptions& out) {
    object(value, "FieldOptions", "types.FieldOptions", [&](std::string_view key, Value const& v) {
        if (same_key(key, "delimiter")) return at({"delimiter"}, [&] { text(v, out.delimiter); }), true;
        if (same_key(key, "index")) return at({"index"}, [&] { integer(v, out.index, "int"); }), true;
        if (same_key(key, "encoding")) return at({"encoding"}, [&] { text(v, out.encoding); }), true;
        if (same_key(key, "create")) return at({"create"}, [&] { boolean(v, out.create); }), true;
        return false;
    });
}

void Decoder::read(Value const& value, SourceSelector& out) {
    object(value, "SourceSelector", "types.SourceSelector", [&](std::string_view key, Value const& v) {
        if (same_key(key, "group")) return at({"ResId", "Gvk", "group"}, [&] { text(v, out.group); }), true;
        if (same_key(key, "version")) return at({"ResId", "Gvk", "version"}, [&] { text(v, out.version); }), true;
        if (same_key(key, "kind")) return at({"ResId", "Gvk", "kind"}, [&] { text(v, out.kind); }), true;
        if (same_key(key, "name")) return at({"ResId", "name"}, [&] { text(v, out.name); }), true;
        if (same_key(key, "namespace")) return at({"ResId", "namespace"}, [&] { text(v, out.ns); }), true;
        if (same_key(key, "fieldPath")) return at({"fieldPath"}, [&] { text(v, out.field_path); }), true;
        if (same_key(key, "options"))
            return at({"options"}, [&] { optional(v, out.options, [&](auto& x, auto& o) { read(x, o); }); }), true;
        return false;
    });
}

void Decoder::read(Value const& value, TargetSelector& out) {
    object(value, "TargetSelector", "types.TargetSelector", [&](std::string_view key, Value const& v) {
        if (same_key(key, "select"))
            return at({"select"}, [&] { optional(v, out.select, [&](auto& x, auto& o) { read(x, o); }); }), true;
        if (same_key(key, "reject")) {
            at({"reject"}, [&] {
                list(v, out.reject, "[]*types.Selector", [&](Value const& item, std::optional<Selector>& o) {
                    optional(item, o, [&](auto& x, auto& s) { read(x, s); });
                });
            });
            return true;
        }
        if (same_key(key, "fieldPaths")) return at({"fieldPaths"}, [&] { text_list(v, out.field_paths); }), true;
        if (same_key(key, "options"))
            return at({"options"}, [&] { optional(v, out.options, [&](auto& x, auto& o) { read(x, o); }); }), true;
        return false;
    });
}

bool Decoder::replacement_field(std::string_view key, Value const& v, Replacement& out, bool embedded) {
    auto const under = [&](char const* name, auto read_it) {
        if (embedded) {
            at({"Replacement", name}, read_it);
        } else {
            at({name}, read_it);
        }
        return true;
    };
    if (same_key(key, "source"))
        return under("source", [&] { optional(v, out.source, [&](auto& x, auto& o) { read(x, o); }); });
    if (same_key(key, "targets")) {
        return under("targets", [&] {
            list(v, out.targets, "[]*types.TargetSelector", [&](Value const& item, std::optional<TargetSelector>& o) {
                optional(item, o, [&](auto& x, auto& s) { read(x, s); });
            });
        });
    }
    if (same_key(key, "sourceValue"))
        return under("sourceValue", [&] { optional(v, out.source_value, [&](auto& x, auto& o) { text(x, o); }); });
    return false;
}

void Decoder::read(Value const& value, Replacement& out) {
    object(value, "Replacement", "types.Replacement",
           [&](std::string_view key, Value const& v) { return replacement_field(key, v, out, false); });
}

void Decoder::read(Value const& value, ReplacementField& out) {
    object(value, "ReplacementField", "types.ReplacementField", [&](std::string_view key, Value const& v) {
        if (same_key(key, "path")) return at({"path"}, [&] { text(v, out.path); }), true;
        return replacement_field(key, v, out.replacement, true);
    });
}

void Decoder::read(Value const& value, NameBackReferences& out) {
    object(value, "NameBackReferences", "builtinconfig.NameBackReferences", [&](std::string_view key, Value const& v) {
        if (same_key(key, "group")) return at({"Gvk", "group"}, [&] { text(v, out.gvk.group); }), true;
        if (same_key(key, "version")) return at({"Gvk", "version"}, [&] { text(v, out.gvk.version); }), true;
        if (same_key(key, "kind")) return at({"Gvk", "kind"}, [&] { text(v, out.gvk.kind); }), true;
        if (same_key(key, "fieldSpecs"))
            return at({"fieldSpecs"}, [&] { read(v, out.referrers, "types.FsSlice"); }), true;
        return false;
    });
}

void Decoder::read(Value const& value, TransformerConfig& out) {
    object(value, "TransformerConfig", "builtinconfig.TransformerConfig", [&](std::string_view key, Value const& v) {
        struct Named {
            char const* name;
            FieldSpecs* specs;
        };
        for (auto const& [name, specs] :
             {Named{"namePrefix", &out.name_prefix}, Named{"nameSuffix", &out.name_suffix},
              Named{"namespace", &out.name_space}, Named{"commonLabels", &out.common_labels},
              Named{"labels", &out.labels}, Named{"templateLabels", &out.template_labels},
              Named{"commonAnnotations", &out.common_annotations}, Named{"varReference", &out.var_reference},
              Named{"images", &out.images}, Named{"replicas", &out.replicas}}) {
            if (same_key(key, name)) return at({name}, [&] { read(v, *specs, "types.FsSlice"); }), true;
        }
        if (same_key(key, "nameReference")) {
            at({"nameReference"}, [&] {
                list(v, out.name_reference, "builtinconfig.nbrSlice",
                     [&](Value const& item, NameBackReferences& refs) { read(item, refs); });
            });
            return true;
        }
        return false;
    });
}

}  // namespace holdfast::kustomize
