// modules/text/gotemplate/value.hpp: a Go value as a template sees it: 16 bytes, cheap to copy, maps and lists shared.
// Reading order: type.hpp, value.hpp, funcs.hpp, template.hpp.
//
// A Value belongs to one thread (counts are not atomic). Copying shares: `set` on one copy of a map is seen by all,
// as in Go. Strings and lists never change once a second Value can see them. A map that contains itself is never freed.
#pragma once

#include "modules/base/assert.hpp"
#include "modules/base/error.hpp"
#include "modules/text/gotemplate/type.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::gotemplate {

class Value;
class Object;

namespace detail {
struct Counted {
    std::uint32_t refs = 0;
};
struct String;
struct List;
struct Map;
}  // namespace detail

class Value {
public:
    Value() = default;  // reflect.Value{}: a missing key; printed as <no value>
    Value(Value const& other) noexcept : bits_(other.bits_), payload_(other.payload_) { retain(); }
    Value(Value&& other) noexcept : bits_(other.bits_), payload_(other.payload_) {
        other.bits_ = Bits{};
        other.payload_.number = 0;
    }
    Value& operator=(Value other) noexcept {
        std::swap(bits_, other.bits_);
        std::swap(payload_, other.payload_);
        return *this;
    }
    ~Value() { release(); }

    // ---- making one
    static Value nil();  // a nil interface: YAML's and JSON's null inside a map or list
    static Value boolean(bool value);
    static Value integer(std::int64_t value);                    // int
    static Value integer(std::int64_t value, Type const& type);  // int64, time.Duration, ...
    static Value unsigned_integer(std::uint64_t value, Type const& type = types::uint64);
    static Value floating(double value, Type const& type = types::float64);
    static Value string(std::string_view text);
    static Value bytes(std::string_view text);  // []byte
    static Value list(std::vector<Value> items, Type const& type = types::list_any);
    static Value list_of_strings(std::span<std::string const> items);  // []string
    static Value map(Type const& type = types::map_any);               // empty, shared by reference
    static Value object(Object* adopted);                              // takes the new object over
    static Value zero(Type const& type);                               // Go's zero value: "", 0, nil map, nil interface

    // ---- what it is
    Kind kind() const { return bits_.kind; }
    Type const& type() const;  // dynamic type; must not be called on an invalid value
    bool is_valid() const { return bits_.kind != Kind::invalid || bits_.in_interface; }  // reflect.Value.IsValid
    bool is_nil() const;  // missing, nil interface, or a typed nil (map, slice, pointer)
    bool is_string() const { return bits_.kind == Kind::string; }
    bool is_map() const { return bits_.kind == Kind::map; }
    bool is_list() const { return bits_.kind == Kind::slice; }  // []byte too
    bool is_bytes() const { return bits_.kind == Kind::slice && bits_.bytes; }

    /// Whether Go's reflect.Value would be of Kind Interface: an element of a map[string]any or []any, or the
    /// result of a function that returns any. Only error texts and nil rules look at it.
    bool in_interface() const { return bits_.in_interface; }
    Value boxed() const&;  // the same value inside an interface
    Value boxed() &&;
    /// Of an object: whether Go could take its address (a field of a struct behind a pointer), which gives it the methods
    /// of the pointer type. A copy into an interface cannot.
    bool addressable() const { return bits_.kind == Kind::structure && bits_.scalar_type == kAddressable; }
    Value addressed(bool yes = true) const;
    Value unboxed() const&;  // out of its interface; a nil interface becomes the invalid value
    Value unboxed() &&;
    Type const& static_type() const { return bits_.in_interface ? types::any : type(); }

    // ---- scalars. Another kind stops the program: a payload is a pointer or a number, and only the kind says which.
    bool as_bool() const {
        HOLDFAST_ASSERT(kind() == Kind::boolean);
        return payload_.number != 0;
    }
    std::int64_t as_int() const {  // of unsigned ones too, their bits
        HOLDFAST_ASSERT(kind() == Kind::integer || kind() == Kind::unsigned_integer);
        return payload_.number;
    }
    std::uint64_t as_uint() const { return static_cast<std::uint64_t>(as_int()); }
    double as_float() const {
        HOLDFAST_ASSERT(kind() == Kind::floating);
        return payload_.real;
    }
    std::string_view as_string() const;  // of a string or []byte; lives as long as some Value holds it

    // ---- length of a string (bytes), list or map; 0 for nil ones
    std::size_t size() const;

    // ---- lists
    Value at(std::size_t index) const;     // element, boxed when the list is []any; uint8 of a []byte
    std::span<Value const> items() const;  // of a list that is not []byte; unboxed elements
    /// Appends in place. Only for a list that the caller has just made and nobody else holds.
    void push_back(Value item);

    // ---- maps with string keys
    Value const* find(std::string_view key) const;  // unboxed; nullptr when missing
    Value lookup(std::string_view key) const;       // boxed as reflect's MapIndex; invalid when missing
    /// In place, seen by every holder. Stops the program on a nil map and on a value that the map's type does not hold.
    void set(std::string_view key, Value value);
    void set(Value const& key, Value value);  // the same, sharing the key's string
    /// The same for a value that a template chose, as reflect's SetMapIndex: in_interface() counts as `interface {}`.
    /// Errors  invalid_input  Go's text, when the map's elements are of another type
    Result<void> assign(Value const& key, Value value);
    bool erase(std::string_view key);
    /// Entries in key order (bytes). Valid until the map is changed.
    std::span<std::pair<Value, Value> const> entries() const;
    /// The same map value under another Go type, e.g. common.Values; shares nothing when this is nil.
    void retype(Type const& type);
    /// The same map, shared, seen under another named type, as Go's conversion does; this one keeps its own type.
    /// At most 15 such types exist in a program.
    Value viewed_as(Type const& type) const;

    // ---- host objects (structure or pointer)
    Object* as_object() const;  // nullptr for a nil pointer

    /// Identity of the shared map, list, string or object; nullptr for scalars. For cycle checks.
    void const* identity() const;

private:
    struct Bits {
        Kind kind = Kind::invalid;
        bool in_interface = false;
        bool bytes = false;
        std::uint8_t scalar_type = 0;  // index into the table of named scalar types; of an object kAddressable or 0
        std::uint32_t view = 0;        // of a map: the type it is seen as, 0 its own
    };
    static constexpr std::uint8_t kAddressable = 1;
    union Payload {
        std::int64_t number;
        double real;
        detail::Counted* shared;
        detail::String* string;
        detail::List* list;
        detail::Map* map;
        Type const* nil_type;
    };

    void put(Value const* key, std::string_view name, Value value);
    bool is_shared() const { return bits_.kind >= Kind::string && payload_.shared != nullptr; }
    void retain() noexcept {
        if (is_shared()) ++payload_.shared->refs;
    }
    void release() noexcept {
        if (is_shared() && --payload_.shared->refs == 0) destroy();
    }
    void destroy() noexcept;

    Bits bits_;
    Payload payload_{.number = 0};
};
static_assert(sizeof(Value) == 16);

/// A Go struct (or pointer to one) that the host owns: .Capabilities, a semver, a certificate, a time.
class Object : public detail::Counted {
public:
    explicit Object(Type const& type) : type_(type) {}
    Object(Object const&) = delete;
    Object& operator=(Object const&) = delete;
    virtual ~Object() = default;

    Type const& type() const { return type_; }
    /// The exported field, typed as in Go (boxed when the field is an interface), or nothing.
    virtual std::optional<Value> field(std::string_view name) const { return std::nullopt; }
    /// The exported fields in order of declaration, for JSON and YAML.
    virtual std::vector<std::pair<std::string_view, Value>> fields() const { return {}; }
    /// All fields, for %v.
    virtual std::vector<std::pair<std::string_view, Value>> printed_fields() const { return fields(); }
    /// What String() or Error() returns, when the type has one.
    virtual std::optional<std::string> text() const { return std::nullopt; }
    /// What GoString() returns, for %#v, when the type has one.
    virtual std::optional<std::string> go_text() const { return std::nullopt; }
    /// What String() returns when only the pointer type has one: printing finds it where the object is addressable.
    virtual std::optional<std::string> pointer_text() const { return std::nullopt; }
    /// reflect.DeepEqual and ==.
    virtual bool equals(Object const& other) const { return this == &other; }

private:
    Type const& type_;
};

/// Go's truth: false, 0, "", nil, empty map or list are false; a struct is true.
bool is_true(Value const& value);

/// How many values a comparison looked at, and may look at; a long text counts as several.
struct Looked {
    std::uint64_t count = 0;
    std::uint64_t max = UINT64_MAX;
};
/// reflect.DeepEqual: values that share their parts or contain themselves are looked at once. Nothing: `max` is reached.
std::optional<bool> deep_equal(Value const& left, Value const& right, Looked& looked);

}  // namespace holdfast::gotemplate
