// modules/patch/schema.hpp: what kustomize knows about Kubernetes types: merge keys, patch strategies, scope.
#pragma once

#include "modules/base/error.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::patch {

/// The schema of one type, field or element; false when nothing is known. Valid as long as its Schema.
class TypeSchema {
public:
    TypeSchema() = default;
    explicit operator bool() const { return builtin_ != kNone || object_; }

    /// The value's schema of a field of a map; any name when the type is a map of equal values.
    TypeSchema field(std::string_view name) const;
    /// Of a list's elements.
    TypeSchema elements() const;
    /// The patch strategy has "merge": a list of this type is merged by key, not replaced.
    bool merges() const;
    /// x-kubernetes-patch-strategy, "" for none.
    std::string_view strategy() const;
    /// x-kubernetes-list-map-keys, else x-kubernetes-patch-merge-key; empty without a strategy.
    std::vector<std::string_view> merge_keys() const;

    /// A schema on its own, without definitions to refer to; `object` must outlive it.
    static TypeSchema of(boost::json::object const& object) { return TypeSchema{&object, nullptr}; }

    struct Document;  // of a user; in schema.cpp

private:
    friend class Schema;
    static constexpr std::uint16_t kNone = 0xFFFF;
    explicit TypeSchema(std::uint16_t builtin) : builtin_{builtin} {}
    TypeSchema(boost::json::object const* object, Document const* document) : object_{object}, document_{document} {}
    static TypeSchema resolve(boost::json::value const& value, Document const* document);

    std::uint16_t builtin_ = kNone;
    boost::json::object const* object_ = nullptr;
    Document const* document_ = nullptr;
};

/// The types of one build. Copies are cheap and share what was read.
class Schema {
public:
    /// kustomize 5.8.1's own document (Kubernetes 1.21.2 and the kustomize.config.k8s.io types).
    Schema() = default;

    /// What becomes of the builtin types beside a user's document. kustomize throws them away, unless they were read
    /// before the document was chosen (`below`: the document wins), or were asked for before but not yet read
    /// (`above`: the builtin ones win).
    enum class Builtin : std::uint8_t { none, below, above };

    /// `openapi: {path: FILE}`: this document instead of the builtin one.
    ///
    /// In      text    JSON or YAML with `definitions` and `paths`
    /// Errors  invalid_input  not JSON or YAML, not an object
    ///         limit          limits::kPatchSchemaBytesMax
    static Result<Schema> parse(std::string_view text, Builtin builtin = Builtin::none);

    /// `openapi: {version: V}`. Errors: invalid_input "the specified OpenAPI version is not built in".
    static Result<Schema> of_version(std::string_view version);

    TypeSchema type(std::string_view api_version, std::string_view kind) const;

    /// kyaml IsNamespaceScoped: no value when the type is not known.
    std::optional<bool> is_namespaced(std::string_view api_version, std::string_view kind) const;
    /// false for unknown types.
    bool is_cluster_scoped(std::string_view api_version, std::string_view kind) const {
        return !is_namespaced(api_version, kind).value_or(true);
    }

    static constexpr std::string_view kVersion = "v1.21.2";

private:
    std::shared_ptr<TypeSchema::Document const> document_;  // of parse(); null: builtin
};

}  // namespace holdfast::patch
