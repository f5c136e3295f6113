// modules/helm/go_struct.hpp: structs as encoders see them that read no JSON tags: the fields by their Go names.
#pragma once

#include "modules/text/gotemplate/value.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace holdfast::helm {

struct GoField {
    std::string_view name;
    std::size_t place;  // among all fields, those not exported included
    gotemplate::Value value;
};

/// The exported fields in order of declaration.
std::vector<GoField> go_fields(gotemplate::Object const& object);

/// A type that gives its own text (encoding.TextMarshaler): a time, a version. It shows no fields.
bool is_text_marshaler(gotemplate::Value const& value);

}  // namespace holdfast::helm
