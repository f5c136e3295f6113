// modules/kube/object.hpp: reads and writes the parts that every Kubernetes object has.
// Pure: no network, no clock.
#pragma once

#include "modules/base/error.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::kube {

namespace json = boost::json;
using Object = json::object;

struct GroupVersionKind {
    std::string group;  // "" for the core group
    std::string version;
    std::string kind;

    std::string api_version() const;  // "v1", "apps/v1"
    auto operator<=>(GroupVersionKind const&) const = default;
};

/// Splits apiVersion. Errors  invalid_input  apiVersion or kind missing, or more than one slash
Result<GroupVersionKind> kind_of(Object const& object);
GroupVersionKind parse_api_version(std::string_view api_version, std::string_view kind);

/// May `name` be one segment of a path, and stay one behind a proxy that tidies paths up? No object has another name.
/// Source  k8s.io/apimachinery pkg/api/validation/path IsValidPathSegmentName; words of client-go rest/request.go
/// Errors  invalid_input  "invalid resource name \"a/b\": [may not contain '/']"
Result<void> check_segment(std::string_view what, std::string_view name);

/// What identifies an object for the inventory: version does not count.
struct ObjectId {
    std::string ns;  // "" for cluster-scoped objects
    std::string name;
    std::string group;
    std::string kind;

    /// "<ns>_<name>_<group>_<Kind>"; in names of RBAC objects ":" becomes "__".
    std::string text() const;
    /// "Deployment/apps/web" as kustomize-controller prints it: "<Kind>/<ns>/<name>", cluster-scoped "<Kind>/<name>".
    std::string display() const;
    auto operator<=>(ObjectId const&) const = default;
};

/// Source  fluxcd/cli-utils pkg/object ParseObjMetadata. Errors  invalid_input
Result<ObjectId> parse_object_id(std::string_view text);
Result<ObjectId> id_of(Object const& object);

// Readers: empty when the field is missing or of another type; the view lives as long as the object.
std::string_view name_of(Object const& object);
std::string_view namespace_of(Object const& object);
std::string_view uid_of(Object const& object);
std::string_view resource_version_of(Object const& object);
std::int64_t generation_of(Object const& object);  // 0 when missing
bool is_being_deleted(Object const& object);
bool has_finalizer(Object const& object, std::string_view finalizer);

/// The value at a path of member names, or nothing.
json::value const* find(Object const& object, std::initializer_list<std::string_view> path);
std::string_view find_string(Object const& object, std::initializer_list<std::string_view> path);
std::optional<std::int64_t> find_integer(Object const& object, std::initializer_list<std::string_view> path);
Object const* find_object(Object const& object, std::initializer_list<std::string_view> path);
json::array const* find_array(Object const& object, std::initializer_list<std::string_view> path);

std::optional<std::string_view> label(Object const& object, std::string_view key);
std::optional<std::string_view> annotation(Object const& object, std::string_view key);

// Writers: make the maps on the way.
void set_namespace(Object& object, std::string_view ns);
void set_label(Object& object, std::string_view key, std::string_view value);
void set_annotation(Object& object, std::string_view key, std::string_view value);

/// "2026-11-25T00:46:17Z", as metav1.Time marshals.
std::string rfc3339(std::chrono::system_clock::time_point when);
/// Out  nothing when the text is no RFC 3339 time; fractions and offsets are understood
std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text);

}  // namespace holdfast::kube
