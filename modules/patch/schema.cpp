// modules/patch/schema.cpp: one view on the builtin table and on a document that a user brings.
#include "modules/patch/schema.hpp"

#include "modules/base/limits.hpp"
#include "modules/patch/schema_table.hpp"
#include "modules/yaml/json.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <map>

namespace holdfast::patch {

namespace json = boost::json;

namespace {

constexpr std::string_view kStrategy = "x-kubernetes-patch-strategy";
constexpr std::string_view kMergeKey = "x-kubernetes-patch-merge-key";
constexpr std::string_view kMapKeys = "x-kubernetes-list-map-keys";
constexpr std::string_view kKinds = "x-kubernetes-group-version-kind";
constexpr std::string_view kOwnGroup = "kustomize.config.k8s.io/";
constexpr int kReferencesMax = 16;  // a reference to a reference to ...

json::object const* object_in(json::object const& object, std::string_view name) {
    auto const* const found = object.if_contains(name);
    return found ? found->if_object() : nullptr;
}

std::string_view text_in(json::object const& object, std::string_view name) {
    auto const* const found = object.if_contains(name);
    auto const* const text = found ? found->if_string() : nullptr;
    return text ? std::string_view{*text} : std::string_view{};
}

bool is_array(json::object const& object) {
    auto const* const type = object.if_contains("type");
    if (!type) return false;
    if (auto const* const text = type->if_string()) return *text == "array";
    auto const* const list = type->if_array();
    return list && list->size() == 1 && list->front().is_string() && list->front().get_string() == "array";
}

using TypeName = std::pair<std::string, std::string>;  // apiVersion, kind

std::optional<TypeName> type_name(json::value const& extension) {
    auto const* const gvk = extension.if_object();
    if (!gvk) return {};
    std::string version{text_in(*gvk, "version")};
    auto const group = text_in(*gvk, "group");
    return TypeName{group.empty() ? version : std::string{group} + "/" + version, text_in(*gvk, "kind")};
}

}  // namespace

struct TypeSchema::Document {
    json::value root;
    json::object const* definitions = nullptr;
    Schema::Builtin builtin = Schema::Builtin::none;
    std::map<TypeName, json::object const*> types;
    std::map<TypeName, bool> namespaced;

    void index_types() {
        if (!definitions) return;
        for (auto const& [name, definition] : *definitions) {
            auto const* const object = definition.if_object();
            auto const* const extension = object ? object->if_contains(kKinds) : nullptr;
            auto const* const list = extension ? extension->if_array() : nullptr;
            if (!list) continue;
            for (auto const& one : *list) {
                if (auto found = type_name(one)) types[std::move(*found)] = object;
            }
        }
    }

    void index_scopes() {
        auto const* const paths = object_in(root.get_object(), "paths");
        if (!paths) return;
        for (auto const& [path, info] : *paths) {
            auto const* const object = info.if_object();
            auto const* const read = object ? object_in(*object, "get") : nullptr;
            auto const* const extension = read ? read->if_contains(kKinds) : nullptr;
            auto found = extension ? type_name(*extension) : std::nullopt;
            if (!found) continue;
            if (std::string_view{path}.contains("namespaces/{namespace}")) namespaced[std::move(*found)] = true;
            else namespaced.emplace(std::move(*found), false);
        }
    }
};

TypeSchema TypeSchema::resolve(json::value const& value, Document const* document) {
    constexpr std::string_view kPrefix = "#/definitions/";
    auto const* object = value.if_object();
    for (int i = 0; object && i < kReferencesMax; ++i) {
        auto const reference = text_in(*object, "$ref");
        if (reference.empty()) return TypeSchema{object, document};
        if (!document || !reference.starts_with(kPrefix)) return {};
        auto const name = reference.substr(kPrefix.size());
        object = document->definitions ? object_in(*document->definitions, name) : nullptr;
        if (document->builtin == Schema::Builtin::above || (!object && document->builtin == Schema::Builtin::below)) {
            if (auto const type = table::find_definition(name); type != table::kNoType) return TypeSchema{type};
        }
    }
    return {};
}

TypeSchema TypeSchema::field(std::string_view name) const {
    if (builtin_ != kNone) {
        auto const& type = table::type(builtin_);
        auto const fields = table::fields(type);
        auto const found = std::ranges::partition_point(
            fields, [&](table::BuiltinField const& one) { return table::word(one.name) < name; });
        if (found != fields.end() && table::word(found->name) == name) return TypeSchema{found->type};
        return type.is_array ? TypeSchema{} : TypeSchema{type.rest};
    }
    if (!object_) return {};
    auto const* const properties = object_in(*object_, "properties");
    if (auto const* const found = properties ? properties->if_contains(name) : nullptr) {
        return resolve(*found, document_);
    }
    auto const* const rest = object_->if_contains("additionalProperties");
    return rest && rest->is_object() ? resolve(*rest, document_) : TypeSchema{};
}

TypeSchema TypeSchema::elements() const {
    if (builtin_ != kNone) {
        auto const& type = table::type(builtin_);
        return type.is_array ? TypeSchema{type.rest} : TypeSchema{};
    }
    if (!object_ || !is_array(*object_)) return {};
    auto const* const items = object_->if_contains("items");
    return items && items->is_object() ? resolve(*items, document_) : TypeSchema{};
}

std::string_view TypeSchema::strategy() const {
    if (builtin_ != kNone) return table::word(table::type(builtin_).strategy);
    return object_ ? text_in(*object_, kStrategy) : std::string_view{};
}

bool TypeSchema::merges() const {
    auto rest = strategy();
    while (!rest.empty()) {
        auto const comma = rest.find(',');
        if (rest.substr(0, comma) == "merge") return true;
        if (comma == std::string_view::npos) return false;
        rest.remove_prefix(comma + 1);
    }
    return false;
}

std::vector<std::string_view> TypeSchema::merge_keys() const {
    if (builtin_ != kNone) {
        auto const keys = table::keys(table::type(builtin_));
        return {keys.begin(), keys.end()};
    }
    if (!object_ || !object_->if_contains(kStrategy)) return {};
    auto const* const keys = object_->if_contains(kMapKeys);
    if (auto const* const list = keys ? keys->if_array() : nullptr) {
        std::vector<std::string_view> found;
        for (auto const& key : *list) {
            if (auto const* const text = key.if_string()) found.emplace_back(*text);
        }
        return found;
    }
    auto const key = text_in(*object_, kMergeKey);
    return key.empty() ? std::vector<std::string_view>{} : std::vector{key};
}

Result<Schema> Schema::parse(std::string_view text, Builtin builtin) {
    if (text.size() > limits::kPatchSchemaBytesMax) {
        return fail(Errc::limit,
                    "schema file is larger than " + std::to_string(limits::kPatchSchemaBytesMax) + " bytes");
    }
    auto document = std::make_shared<TypeSchema::Document>();
    document->builtin = builtin;
    if (text.starts_with('{')) {
        json::error_code ec;
        json::parse_options options;
        options.max_depth = limits::kPatchDepthMax;
        document->root = json::parse(text, ec, {}, options);
        if (ec) return fail(Errc::invalid_input, "invalid schema file: " + ec.message());
    } else {
        auto read = yaml::read_sigs(text);
        if (!read) return fail(std::move(read), "invalid schema file");
        document->root = std::move(*read);
    }
    if (!document->root.is_object()) return fail(Errc::invalid_input, "invalid schema file: not an object");
    document->definitions = object_in(document->root.get_object(), "definitions");
    document->index_types();
    document->index_scopes();
    Schema made;
    made.document_ = std::move(document);
    return made;
}

Result<Schema> Schema::of_version(std::string_view version) {
    if (version.empty() || version == kVersion) return Schema{};
    return fail(Errc::invalid_input, "the specified OpenAPI version is not built in");
}

TypeSchema Schema::type(std::string_view api_version, std::string_view kind) const {
    auto const* const builtin = table::find_kind(api_version, kind);
    auto const of_table = builtin && builtin->type != table::kNoType ? TypeSchema{builtin->type} : TypeSchema{};
    if (!document_ || api_version.starts_with(kOwnGroup)) return of_table;
    if (of_table && document_->builtin == Builtin::above) return of_table;
    auto const found = document_->types.find(TypeName{api_version, kind});
    if (found != document_->types.end()) return TypeSchema{found->second, document_.get()};
    return document_->builtin == Builtin::below ? of_table : TypeSchema{};
}

std::optional<bool> Schema::is_namespaced(std::string_view api_version, std::string_view kind) const {
    if (auto const* const found = table::find_kind(api_version, kind)) {
        auto const scope = static_cast<table::Scope>(found->scope);
        if (scope != table::Scope::unknown) return scope == table::Scope::namespaced;
    }
    if (!document_) return {};
    auto const found = document_->namespaced.find(TypeName{api_version, kind});
    if (found == document_->namespaced.end()) return {};
    return found->second;
}

}  // namespace holdfast::patch
