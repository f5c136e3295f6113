// tests/fuzz/schema_fuzz.cpp: two JSON texts with a zero byte between: a schema, and a value for it.
// Looks for: crashes, undefined behaviour, work beyond the limits.
#include "modules/text/jsonschema/jsonschema.hpp"

#include <cstdint>

using namespace holdfast;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const text{reinterpret_cast<char const*>(data), size};
    auto const cut = std::min(text.find('\0'), text.size());
    auto const schema = jsonschema::compile("file:///values.schema.json", text.substr(0, cut), {.checks_max = 100'000});
    if (!schema) return 0;
    auto const value = jsonschema::parse_json(text.substr(std::min(cut + 1, text.size())));
    if (value) (void)schema->validate(*value).has_value();
    return 0;
}
