// tests/fuzz/strvals_fuzz.cpp: any text as a --set line; the first byte picks the flag.
// Looks for: crashes, undefined behaviour, lists longer than the limit.
#include "modules/helm/strvals.hpp"

#include <cstdint>

using namespace holdfast;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size == 0) return 0;
    auto const kind = static_cast<helm::SetKind>(data[0] % 5);
    auto values = gotemplate::Value::map();
    auto const read = [](std::string_view path) -> Result<std::string> { return std::string{path}; };
    (void)helm::set_values({reinterpret_cast<char const*>(data) + 1, size - 1}, kind, values, read).has_value();
    return 0;
}
