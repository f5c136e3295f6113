// daemon/cli/suggest.hpp: what was probably meant by a word that nobody knows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::daemon {

/// The known word that fewest keystrokes turn `word` into; empty when none is near enough to be a slip of the finger.
std::string nearest(std::string_view word, std::vector<std::string_view> const& known);

}  // namespace holdfast::daemon
