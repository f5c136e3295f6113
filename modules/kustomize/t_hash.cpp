// modules/kustomize/t_hash.cpp: the content hash in the names of generated objects.
#include "modules/crypto/digest.hpp"
#include "modules/kustomize/context.hpp"
#include "modules/kustomize/emit.hpp"
#include "modules/kustomize/transformers.hpp"
#include "modules/patch/field.hpp"
#include "modules/patch/json_node.hpp"
#include "modules/yaml/json.hpp"

namespace holdfast::kustomize {
namespace {

namespace json = boost::json;

/// Numbers pass through float64, as json.Unmarshal into an interface does.
void numbers_to_float(json::value& value) {
    if (value.is_int64()) value = static_cast<double>(value.get_int64());
    else if (value.is_uint64()) value = static_cast<double>(value.get_uint64());
    else if (value.is_array())
        for (auto& item : value.get_array()) numbers_to_float(item);
    else if (value.is_object())
        for (auto& pair : value.get_object()) numbers_to_float(pair.value());
}

Result<json::value> value_of(yaml::Node const* node) {
    if (!node) return json::value("");
    if (node->is_scalar()) return json::value(json::string_view{node->value().data(), node->value().size()});
    auto value = patch::to_json_as_written(*node);
    if (!value) return fail(std::move(value));
    if (!value->is_object()) return json::value(nullptr);  // a nil map in Go
    numbers_to_float(*value);
    return value;
}

std::string encode(std::string_view text) {
    auto out = crypto::sha256_hex(text).substr(0, 10);
    for (auto& c : out) {  // no vowels and no look-alikes
        if (c == '0') c = 'g';
        else if (c == '1') c = 'h';
        else if (c == '3') c = 'k';
        else if (c == 'a') c = 'm';
        else if (c == 'e') c = 't';
    }
    return out;
}

}  // namespace

Result<std::string> hash_of(Resource const& object) {
    auto const* root = object.root();
    auto const kind = object.kind();
    json::value content;
    if (kind == "ConfigMap" || kind == "Secret") {
        bool const secret = kind == "Secret";
        json::object fields;
        fields["kind"] = json::string_view{kind.data(), kind.size()};
        fields["name"] = "";  // kustomize looks for a field "metadata/name", which there is not
        auto data = value_of(root->find("data"));
        if (!data) return fail(std::move(data));
        fields["data"] = std::move(*data);
        auto const* const extra = secret ? "stringData" : "binaryData";
        auto more = value_of(root->find(extra));
        if (!more) return fail(std::move(more));
        if (!more->is_string()) fields[extra] = std::move(*more);
        if (secret) {
            auto type = value_of(root->find("type"));
            if (!type) return fail(std::move(type));
            fields["type"] = std::move(*type);
        }
        content = std::move(fields);
    } else {
        auto value = patch::to_json_as_written(*root);
        if (!value) return fail(std::move(value));
        content = std::move(*value);
    }
    auto text = yaml::marshal_json(content);
    if (!text) return fail(std::move(text));
    return encode(*text);
}

Transform add_hashes() {
    return [](ResMap& objects) -> Result<void> {
        for (auto* const object : objects.all()) {
            if (!object->enabled(annotation::kNeedsHash)) continue;
            if (auto ok = settle_folded(object->context().arena, *object->edit()); !ok) return ok;
            auto hash = hash_of(*object);
            if (!hash) return fail(std::move(hash));
            object->store_previous_id();
            if (auto ok = object->set_name(std::string{object->name()} + "-" + *hash); !ok) return ok;
        }
        return {};
    };
}

}  // namespace holdfast::kustomize
