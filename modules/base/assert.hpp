// modules/base/assert.hpp: a wrong program stops, in release builds too; systemd starts it again.
#pragma once

namespace holdfast {

[[noreturn]] void assertion_failed(char const* expression, char const* file, int line);

}  // namespace holdfast

/// For what only a programming error can break; bad input is a Result.
#define HOLDFAST_ASSERT(expression)                                                                                    \
    ((expression) ? static_cast<void>(0) : ::holdfast::assertion_failed(#expression, __FILE__, __LINE__))
