// tests/fuzz/toml_fuzz.cpp: any text as TOML; what is read is written, read and written again.
// Looks for: crashes, undefined behaviour, what cannot be read back or is then another text.
#include "modules/base/assert.hpp"
#include "modules/helm/functions.hpp"

#include <cstdint>

using namespace holdfast;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const read = helm::from_toml({reinterpret_cast<char const*>(data), size});
    if (!read) return 0;
    auto const text = helm::to_toml(*read);
    if (!text) return 0;
    auto const again = helm::from_toml(*text);
    HOLDFAST_ASSERT(again.has_value());
    auto const same = helm::to_toml(*again);
    HOLDFAST_ASSERT(same.has_value() && *same == *text);
    return 0;
}
