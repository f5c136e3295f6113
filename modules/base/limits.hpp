// modules/base/limits.hpp: the bound of every loop, queue, read and recursion, in one place.
// A module adds its block here; each limit has a test that hits it.
#pragma once

#include <cstddef>

namespace holdfast::limits {

// yaml: one stream
inline constexpr std::size_t kYamlDepthMax = 1'000;               // nesting; go-yaml stops at 10'000
inline constexpr std::size_t kYamlStreamBytesMax = 64u << 20;      // 64 MiB of text
inline constexpr std::size_t kYamlNodesMax = 1'000'000;            // nodes read; 48 bytes each
inline constexpr std::size_t kYamlDocumentsMax = 200'000;          // documents of one stream
inline constexpr std::size_t kYamlAliasNodesMax = 400'000;         // nodes made by expanding aliases

}  // namespace holdfast::limits
