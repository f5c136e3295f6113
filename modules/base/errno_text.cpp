// modules/base/errno_text.cpp: strerror in the words of Go.
#include "modules/base/errno_text.hpp"

#include <cstring>

namespace holdfast {

std::string errno_text(int error) {
    std::string text = std::strerror(error);
    if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] + ('a' - 'A'));
    return text;
}

}  // namespace holdfast
