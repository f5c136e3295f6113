// modules/text/gotemplate/type.hpp: Go's types as far as a template can see them (%T, kindOf, error texts).
#pragma once

#include <cstdint>
#include <string_view>

namespace holdfast::gotemplate {

struct Function;  // funcs.hpp

/// reflect.Kind, with the sizes of numbers folded together (a Type keeps the name).
/// `invalid` is reflect.Value{} or, with Value::in_interface(), a nil interface.
enum class Kind : std::uint8_t {
    invalid,
    boolean,
    integer,
    unsigned_integer,
    floating,
    string,
    slice,
    map,
    structure,
    pointer,
    function
};

/// One Go type. Instances are constants that outlive every Value; two types are equal when they are the same object.
struct Type {
    Kind kind = Kind::invalid;
    std::string_view name;          // as %T prints it, "map[string]interface {}"
    std::string_view kind_name;     // as reflect's Kind.String(), "int64", "slice", "ptr"
    Type const* elem = nullptr;     // of slices, maps and pointers
    bool named = false;             // `type X map[...]`: assignable to the unnamed type with the same elem
    bool is_interface = false;      // a parameter or element type that holds any value
    bool is_reflect_value = false;  // a parameter that takes the value as it is (index, eq, len, ...)
    /// Method set, or nullptr: name -> function whose receiver is Call::receiver().
    Function const* (*method)(std::string_view name) = nullptr;
    bool pointer_methods = false;  // of a structure: the methods are those of its pointer type
};

/// Whether Go's reflection puts a value of the type `from` into a place of the type `to`.
bool is_assignable(Type const& from, Type const& to);

/// The types of the functions and values known here. A host adds its own as constants.
namespace types {
extern Type const any;            // interface {}
extern Type const reflect_value;  // reflect.Value
extern Type const boolean;        // bool
extern Type const integer;        // int
extern Type const int8, int16, int32, int64;
extern Type const unsigned_integer;  // uint
extern Type const uint8, uint16, uint32, uint64;
extern Type const float32, float64;
extern Type const string;
extern Type const bytes;        // []uint8
extern Type const list_any;     // []interface {}
extern Type const list_string;  // []string
extern Type const list_int;     // []int
extern Type const list_list;    // [][]interface {}
extern Type const map_any;      // map[string]interface {}
extern Type const map_string;   // map[string]string
extern Type const duration;     // time.Duration, an int64
extern Type const month;        // time.Month, an int
extern Type const weekday;      // time.Weekday, an int
extern Type const error;        // *errors.errorString
}  // namespace types

}  // namespace holdfast::gotemplate
