// tests/fuzz/semver_fuzz.cpp: a version and a constraint with a zero byte between.
// Looks for: crashes, undefined behaviour, a printed version that reads back as another one, check against validate.
#include "modules/text/semver/semver.hpp"

#include <cstdint>
#include <cstdlib>

using namespace holdfast;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const text{reinterpret_cast<char const*>(data), size};
    auto const cut = std::min(text.find('\0'), text.size());
    auto const version = semver::parse(text.substr(0, cut));
    auto const constraint = semver::parse_constraint(text.substr(std::min(cut + 1, text.size())));
    // "1" prints as "1.0.0", which may be longer than what is read.
    if (version && version->string().size() <= semver::kVersionBytesMax) {
        auto const again = semver::parse(version->string());
        if (!again || semver::compare(*version, *again) != 0) std::abort();
    }
    if (version && constraint && constraint->check(*version) != constraint->validate(*version).first) std::abort();
    return 0;
}
