// modules/text/gotemplate/sprig_common.hpp: what the families of sprig share: casts, emptiness, Go's panic texts.
#pragma once

#include "modules/text/gotemplate/funcs.hpp"

#include <string>
#include <vector>

namespace holdfast::gotemplate::sprig {

inline std::unexpected<Error> bad(std::string message) { return fail(Errc::invalid_input, std::move(message)); }
inline constexpr char kNilDereference[] = "runtime error: invalid memory address or nil pointer dereference";
inline constexpr char kMakeSlice[] = "runtime error: makeslice: len out of range";

std::int64_t to_int64(Value const& value);       // cast.ToInt64: what cannot be read is 0
double to_float64(Value const& value);           // cast.ToFloat64
std::string to_text_strict(Value const& value);  // sprig's strval
bool is_empty(Value const& value);               // sprig's empty

/// reflect's Kind name of the value inside: "string", "map", "invalid".
std::string_view kind_name(Value const& value);
/// The text of a failed x.(T).
std::string assertion_text(Value const& value, std::string_view wanted);

/// sprig's strslice. What is a string is shared; the others are charged, and bounded together.
Result<std::vector<Value>> to_strings(Call& call, Value const& value);
/// For a list of so many elements about to be made.
Result<void> charge_list(Call& call, std::uint64_t items);
/// A []string.
Result<Value> list_of(Call& call, std::vector<std::string_view> const& texts);

/// For texts of `total` bytes, `before` of them charged already.
Result<void> charge_growth(Call& call, std::uint64_t before, std::uint64_t total);

/// A string result, charged to the budget.
Result<Value> text(Call& call, std::string_view text);

/// float64 to int64 as amd64 does it.
std::int64_t truncated(double value);

/// The elements of any list, unboxed.
std::vector<Value> elements(Value const& list);

}  // namespace holdfast::gotemplate::sprig
