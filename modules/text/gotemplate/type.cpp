// modules/text/gotemplate/type.cpp: the constants of type.hpp.
#include "modules/text/gotemplate/gotime.hpp"

namespace holdfast::gotemplate {

bool is_assignable(Type const& from, Type const& to) {
    if (to.is_interface || &from == &to) return true;
    // Of two types with one underlying type, at most one may have a name.
    return from.kind == to.kind && (from.kind == Kind::map || from.kind == Kind::slice) && from.elem == to.elem &&
           !(from.named && to.named);
}

}  // namespace holdfast::gotemplate

namespace holdfast::gotemplate::types {

Type const any{.kind = Kind::invalid, .name = "interface {}", .kind_name = "interface", .is_interface = true};
Type const reflect_value{.kind = Kind::invalid,
                         .name = "reflect.Value",
                         .kind_name = "struct",
                         .is_interface = true,
                         .is_reflect_value = true};
Type const boolean{.kind = Kind::boolean, .name = "bool", .kind_name = "bool"};
Type const integer{.kind = Kind::integer, .name = "int", .kind_name = "int"};
Type const int8{.kind = Kind::integer, .name = "int8", .kind_name = "int8"};
Type const int16{.kind = Kind::integer, .name = "int16", .kind_name = "int16"};
Type const int32{.kind = Kind::integer, .name = "int32", .kind_name = "int32"};
Type const int64{.kind = Kind::integer, .name = "int64", .kind_name = "int64"};
Type const unsigned_integer{.kind = Kind::unsigned_integer, .name = "uint", .kind_name = "uint"};
Type const uint8{.kind = Kind::unsigned_integer, .name = "uint8", .kind_name = "uint8"};
Type const uint16{.kind = Kind::unsigned_integer, .name = "uint16", .kind_name = "uint16"};
Type const uint32{.kind = Kind::unsigned_integer, .name = "uint32", .kind_name = "uint32"};
Type const uint64{.kind = Kind::unsigned_integer, .name = "uint64", .kind_name = "uint64"};
Type const float32{.kind = Kind::floating, .name = "float32", .kind_name = "float32"};
Type const float64{.kind = Kind::floating, .name = "float64", .kind_name = "float64"};
Type const string{.kind = Kind::string, .name = "string", .kind_name = "string"};
Type const bytes{.kind = Kind::slice, .name = "[]uint8", .kind_name = "slice", .elem = &uint8};
Type const list_any{.kind = Kind::slice, .name = "[]interface {}", .kind_name = "slice", .elem = &any};
Type const list_string{.kind = Kind::slice, .name = "[]string", .kind_name = "slice", .elem = &string};
Type const list_int{.kind = Kind::slice, .name = "[]int", .kind_name = "slice", .elem = &integer};
Type const list_list{.kind = Kind::slice, .name = "[][]interface {}", .kind_name = "slice", .elem = &list_any};
Type const map_any{.kind = Kind::map, .name = "map[string]interface {}", .kind_name = "map", .elem = &any};
Type const map_string{.kind = Kind::map, .name = "map[string]string", .kind_name = "map", .elem = &string};
Type const duration{
    .kind = Kind::integer, .name = "time.Duration", .kind_name = "int64", .named = true, .method = duration_method};
Type const month{
    .kind = Kind::integer, .name = "time.Month", .kind_name = "int", .named = true, .method = scalar_method};
Type const weekday{
    .kind = Kind::integer, .name = "time.Weekday", .kind_name = "int", .named = true, .method = scalar_method};
Type const error{.kind = Kind::pointer, .name = "*errors.errorString", .kind_name = "ptr", .named = true};

}  // namespace holdfast::gotemplate::types
