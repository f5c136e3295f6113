// modules/base/hash.hpp: a 64-bit FNV-1a digest for "is this the same as before"; not for anything hostile.
#pragma once

#include <cstdint>
#include <string_view>

namespace holdfast {

constexpr std::uint64_t kHashStart = 0xcbf29ce484222325ULL;

constexpr std::uint64_t hash64(std::string_view bytes, std::uint64_t hash = kHashStart) {
    for (char const c : bytes) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3ULL;
    }
    return hash;
}

}  // namespace holdfast
