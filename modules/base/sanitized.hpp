// modules/base/sanitized.hpp: whether a sanitizer watches: it is slow, and its shadow needs terabytes of address space.
#pragma once

namespace holdfast {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace holdfast
