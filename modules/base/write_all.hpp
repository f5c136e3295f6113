// modules/base/write_all.hpp: the whole text to a descriptor, however many calls it takes.
#pragma once

#include <string_view>

namespace holdfast {

/// Blocks until everything is written, also where the descriptor does not block. False: errno says why not.
bool write_all(int fd, std::string_view text);

}  // namespace holdfast
