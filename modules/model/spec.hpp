// modules/model/spec.hpp: what users wish for, whatever its kind: the kind's own fields are in kinds/<kind>.hpp.
// Field names, defaults and precedence are those of Flux 2.9 (docs/kinds.md); durations are already durations.
#pragma once

#include "modules/base/assert.hpp"
#include "modules/base/error.hpp"
#include "modules/model/duration.hpp"
#include "modules/model/key.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <typeinfo>
#include <vector>

namespace holdfast::model {

namespace json = boost::json;

/// A spec of some kind. Copies share it: it never changes.
class Spec {
public:
    /// `refs` are the objects whose change this one has to look at: its source, what it depends on.
    template <class T>
    Spec(T value, std::vector<Key> refs)
        : value_(std::make_shared<T const>(std::move(value))), type_(&typeid(T)), suspend_(of<T>().suspend),
          refs_(std::move(refs)) {}

    template <class T> T const& as() const {
        HOLDFAST_ASSERT(*type_ == typeid(T));
        return of<T>();
    }

    bool suspend() const { return suspend_; }
    std::vector<Key> const& refs() const { return refs_; }

    /// About how many bytes it holds; 0 when nobody has weighed it.
    std::uint64_t weight() const { return weight_; }
    /// In  whole  of everything that was read
    void weigh(std::uint64_t whole) { weight_ = whole - std::min(whole, spared_); }
    /// By how much packing made it lighter.
    void spare(std::uint64_t bytes) { spared_ = bytes; }

private:
    template <class T> T const& of() const { return *static_cast<T const*>(value_.get()); }

    std::shared_ptr<void const> value_;
    std::type_info const* type_;
    bool suspend_;
    std::vector<Key> refs_;
    std::uint64_t weight_ = 0;
    std::uint64_t spared_ = 0;
};

/// Bytes of a JSON value when it is held as such.
std::uint64_t weight_of(json::value const& value);

struct NamespacedName {
    std::string ns;
    std::string name;

    auto operator<=>(NamespacedName const&) const = default;
};

/// Reads the spec of an object of a kind above, and weighs it.
/// Errors  invalid_input  a field has the wrong type or an unreadable value, or is not supported (message: "spec.interval: …")
Result<Spec> read_spec(Kind kind, json::object const& object);

/// Never fails: an absent field keeps its default.
Meta read_meta(json::object const& object, Origin origin);

/// The kind of an object by its apiVersion and kind, when it is one of ours.
std::optional<Kind> kind_of(json::object const& object);

}  // namespace holdfast::model
