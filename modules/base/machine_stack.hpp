// modules/base/machine_stack.hpp: where the machine's stack is now.
#pragma once

namespace holdfast {

/// Never  the address of a local: AddressSanitizer keeps those on a stack of its own, elsewhere
[[gnu::always_inline]] inline char const* machine_stack() {
    return static_cast<char const*>(__builtin_frame_address(0));
}

}  // namespace holdfast
