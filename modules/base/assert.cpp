// modules/base/assert.cpp: prints the broken assertion and stops the process.
#include "modules/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace holdfast {

void assertion_failed(char const* expression, char const* file, int line) {
    std::fprintf(stderr, "holdfast: assertion failed: %s (%s:%d)\n", expression, file, line);
    std::abort();
}

}  // namespace holdfast
