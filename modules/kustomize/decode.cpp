// modules/kustomize/decode.cpp: encoding/json's walk over a value, and the smaller types.
#include "modules/kustomize/decode.hpp"

#include "modules/kustomize/text.hpp"
#include "modules/yaml/json.hpp"

#include <algorithm>

namespace holdfast::kustomize {
namespace {

char const* kind_of(boost::json::value const& value) {
    if (value.is_string()) return "string";
    if (value.is_bool()) return "bool";
    if (value.is_array()) return "array";
    if (value.is_object()) return "object";
    return "number";
}

std::string scalar_text(boost::json::value const& value) {
    auto text = yaml::marshal_json(value);
    return text ? *text : std::string{};
}

}  // namespace

bool same_key(std::string_view key, std::string_view name) {
    return key.size() == name.size() && std::equal(key.begin(), key.end(), name.begin(), [](char a, char b) {
               auto const lower = [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; };
               return lower(a) == lower(b);
           });
}

Result<void> Decoder::result() const {
    if (!error_.empty()) return fail(Errc::invalid_input, error_);
    return {};
}

void Decoder::mismatch(Value const& value, char const* type) {
    std::string what = kind_of(value);
    if (what == "number" && std::string_view{type} == "int64") what += " " + scalar_text(value);
    std::string message = "json: cannot unmarshal " + what + " into Go ";
    if (path_.empty()) {
        message += "value of type ";
    } else {
        message += "struct field " + std::string{struct_};
        for (auto const* name : path_) message += "." + std::string{name};
        message += " of type ";
    }
    say(message + type, value);
}

void Decoder::object(Value const& value, char const* name, char const* path, Field const& field) {
    if (value.is_null()) return;
    if (!value.is_object()) return mismatch(value, path);
    std::vector<boost::json::key_value_pair const*> pairs;
    for (auto const& pair : value.get_object()) pairs.push_back(&pair);
    std::sort(pairs.begin(), pairs.end(), [](auto const* a, auto const* b) { return a->key() < b->key(); });
    auto const* const outer = struct_;
    for (auto const* pair : pairs) {
        struct_ = name;
        if (!field(pair->key(), pair->value()) && !mode_.unknown_fields) {
            say("json: unknown field " + go_quote(pair->key()), pair->value());
        }
    }
    struct_ = outer;
}

void Decoder::text(Value const& value, std::string& out) {
    if (value.is_null()) return;
    if (value.is_string()) {
        out = value.get_string();
    } else if (mode_.text_from_scalars && (!embedded_ || mode_.embedded_too) && !value.is_array() &&
               !value.is_object()) {
        out = scalar_text(value);
    } else {
        mismatch(value, "string");
    }
}

void Decoder::boolean(Value const& value, bool& out) {
    if (value.is_null()) return;
    if (!value.is_bool()) return mismatch(value, "bool");
    out = value.get_bool();
}

void Decoder::integer(Value const& value, std::int64_t& out, char const* type) {
    if (value.is_null()) return;
    if (value.is_int64()) {
        out = value.get_int64();
    } else if (value.is_double() &&
               value.get_double() == static_cast<double>(static_cast<std::int64_t>(value.get_double())) &&
               scalar_text(value).find_first_of(".e") == std::string::npos) {
        out = static_cast<std::int64_t>(value.get_double());
    } else {
        mismatch(value, type);
    }
}

void Decoder::text_map(Value const& value, StringMap& out) {
    if (value.is_null()) return;
    if (!value.is_object()) return mismatch(value, "map[string]string");
    for (auto const& pair : value.get_object()) text(pair.value(), out[std::string{pair.key()}]);
}

void Decoder::text_list(Value const& value, std::vector<std::string>& out, char const* type) {
    list(value, out, type, [&](Value const& item, std::string& text_out) { text(item, text_out); });
}

void Decoder::read(Value const& value, Selector& out) {
    object(value, "Selector", "types.Selector", [&](std::string_view key, Value const& v) {
        if (same_key(key, "group")) return at({"ResId", "Gvk", "group"}, [&] { text(v, out.group); }), true;
        if (same_key(key, "version")) return at({"ResId", "Gvk", "version"}, [&] { text(v, out.version); }), true;
        if (same_key(key, "kind")) return at({"ResId", "Gvk", "kind"}, [&] { text(v, out.kind); }), true;
        if (same_key(key, "name")) return at({"ResId", "name"}, [&] { text(v, out.name); }), true;
        if (same_key(key, "namespace")) return at({"ResId", "namespace"}, [&] { text(v, out.ns); }), true;
        if (same_key(key, "annotationSelector"))
            return at({"annotationSelector"}, [&] { text(v, out.annotation_selector); }), true;
        if (same_key(key, "labelSelector")) return at({"labelSelector"}, [&] { text(v, out.label_selector); }), true;
        return false;
    });
}

void Decoder::read(Value const& value, PatchOptions& out) {
    object(value, "PatchArgs", "types.PatchArgs", [&](std::string_view key, Value const& v) {
        if (same_key(key, "allowNameChange"))
            return at({"allowNameChange"}, [&] { boolean(v, out.allow_name_change); }), true;
        if (same_key(key, "allowKindChange"))
            return at({"allowKindChange"}, [&] { boolean(v, out.allow_kind_change); }), true;
        return false;
    });
}

void Decoder::read(Value const& value, Patch& out) {
    object(value, "Patch", "types.Patch", [&](std::string_view key, Value const& v) {
        if (same_key(key, "path")) return at({"path"}, [&] { text(v, out.path); }), true;
        if (same_key(key, "patch")) return at({"patch"}, [&] { text(v, out.patch); }), true;
        if (same_key(key, "target"))
            return at({"target"}, [&] { optional(v, out.target, [&](auto& x, auto& o) { read(x, o); }); }), true;
        if (same_key(key, "options"))
            return at({"options"}, [&] { optional(v, out.options, [&](auto& x, auto& o) { read(x, o); }); }), true;
        return false;
    });
}

void Decoder::read(Value const& value, FieldSpec& out) {
    object(value, "FieldSpec", "types.FieldSpec", [&](std::string_view key, Value const& v) {
        if (same_key(key, "group")) return at({"Gvk", "group"}, [&] { text(v, out.group); }), true;
        if (same_key(key, "version")) return at({"Gvk", "version"}, [&] { text(v, out.version); }), true;
        if (same_key(key, "kind")) return at({"Gvk", "kind"}, [&] { text(v, out.kind); }), true;
        if (same_key(key, "path")) return at({"path"}, [&] { text(v, out.path); }), true;
        if (same_key(key, "create")) return at({"create"}, [&] { boolean(v, out.create); }), true;
        return false;
    });
}

void Decoder::read(Value const& value, FieldSpecs& out, char const* type) {
    list(value, out, type, [&](Value const& item, FieldSpec& spec) { read(item, spec); });
}

void Decoder::read(Value const& value, Label& out) {
    object(value, "Label", "types.Label", [&](std::string_view key, Value const& v) {
        if (same_key(key, "pairs")) return at({"pairs"}, [&] { text_map(v, out.pairs); }), true;
        if (same_key(key, "includeSelectors"))
            return at({"includeSelectors"}, [&] { boolean(v, out.include_selectors); }), true;
        if (same_key(key, "includeTemplates"))
            return at({"includeTemplates"}, [&] { boolean(v, out.include_templates); }), true;
        if (same_key(key, "fields")) return at({"fields"}, [&] { read(v, out.fields); }), true;
        return false;
    });
}

void Decoder::read(Value const& value, Image& out) {
    object(value, "Image", "types.Image", [&](std::string_view key, Value const& v) {
        if (same_key(key, "name")) return at({"name"}, [&] { text(v, out.name); }), true;
        if (same_key(key, "newName")) return at({"newName"}, [&] { text(v, out.new_name); }), true;
        if (same_key(key, "tagSuffix")) return at({"tagSuffix"}, [&] { text(v, out.tag_suffix); }), true;
        if (same_key(key, "newTag")) return at({"newTag"}, [&] { text(v, out.new_tag); }), true;
        if (same_key(key, "digest")) return at({"digest"}, [&] { text(v, out.digest); }), true;
        return false;
    });
}

void Decoder::read(Value const& value, Replica& out) {
    object(value, "Replica", "types.Replica", [&](std::string_view key, Value const& v) {
        if (same_key(key, "name")) return at({"name"}, [&] { text(v, out.name); }), true;
        if (same_key(key, "count")) return at({"count"}, [&] { integer(v, out.count); }), true;
        return false;
    });
}

void Decoder::read(Value const& value, Var& out) {
    object(value, "Var", "types.Var", [&](std::string_view key, Value const& v) {
        if (same_key(key, "name")) return at({"name"}, [&] { text(v, out.name); }), true;
        if (same_key(key, "objref")) {
            at({"objref"}, [&] {
                object(v, "Target", "types.Target", [&](std::string_view inner, Value const& x) {
                    if (same_key(inner, "apiVersion"))
                        return at({"apiVersion"}, [&] { text(x, out.api_version); }), true;
                    if (same_key(inner, "group")) return at({"Gvk", "group"}, [&] { text(x, out.group); }), true;
                    if (same_key(inner, "version")) return at({"Gvk", "version"}, [&] { text(x, out.version); }), true;
                    if (same_key(inner, "kind")) return at({"Gvk", "kind"}, [&] { text(x, out.kind); }), true;
                    if (same_key(inner, "name")) return at({"name"}, [&] { text(x, out.object_name); }), true;
                    if (same_key(inner, "namespace")) return at({"namespace"}, [&] { text(x, out.object_ns); }), true;
                    return false;
                });
            });
            return true;
        }
        if (same_key(key, "fieldref")) {
            at({"fieldref"}, [&] {
                object(v, "FieldSelector", "types.FieldSelector", [&](std::string_view inner, Value const& x) {
                    if (same_key(inner, "fieldPath")) return at({"fieldPath"}, [&] { text(x, out.field_path); }), true;
                    return false;
                });
            });
            return true;
        }
        return false;
    });
}

void Decoder::read(Value const& value, GeneratorOptions& out) {
    auto const map = [&](Value const& v, std::optional<StringMap>& into) {
        optional(v, into, [&](Value const& x, StringMap& o) { text_map(x, o); });
    };
    object(value, "GeneratorOptions", "types.GeneratorOptions", [&](std::string_view key, Value const& v) {
        if (same_key(key, "labels")) return at({"labels"}, [&] { map(v, out.labels); }), true;
        if (same_key(key, "annotations")) return at({"annotations"}, [&] { map(v, out.annotations); }), true;
        if (same_key(key, "disableNameSuffixHash"))
            return at({"disableNameSuffixHash"}, [&] { boolean(v, out.disable_name_suffix_hash); }), true;
        if (same_key(key, "immutable")) return at({"immutable"}, [&] { boolean(v, out.immutable); }), true;
        return false;
    });
}

void Decoder::read(Value const& value, SortOptions& out) {
    object(value, "SortOptions", "types.SortOptions", [&](std::string_view key, Value const& v) {
        if (same_key(key, "order")) return at({"order"}, [&] { text(v, out.order); }), true;
        if (same_key(key, "legacySortOptions")) {
            at({"legacySortOptions"}, [&] {
                optional(v, out.legacy, [&](Value const& x, LegacySortOptions& o) {
                    object(x, "LegacySortOptions", "types.LegacySortOptions",
                           [&](std::string_view inner, Value const& y) {
                               if (same_key(inner, "orderFirst"))
                                   return at({"orderFirst"}, [&] { text_list(y, o.order_first); }), true;
                               if (same_key(inner, "orderLast"))
                                   return at({"orderLast"}, [&] { text_list(y, o.order_last); }), true;
                               return false;
                           });
                });
            });
            return true;
        }
        return false;
    });
}

}  // namespace holdfast::kustomize
