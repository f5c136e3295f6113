// modules/base/errno_text.hpp: the reason of a failed system call, as Go writes it.
#pragma once

#include <string>

namespace holdfast {

/// strerror with a small first letter: "no such file or directory".
std::string errno_text(int error);

}  // namespace holdfast
