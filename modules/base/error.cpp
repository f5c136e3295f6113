// modules/base/error.cpp: names of the reactions.
#include "modules/base/error.hpp"

namespace holdfast {

std::string_view to_string(Errc code) {
    switch (code) {
        case Errc::offline: return "offline";
        case Errc::timeout: return "timeout";
        case Errc::busy: return "busy";
        case Errc::not_found: return "not_found";
        case Errc::invalid_input: return "invalid_input";
        case Errc::denied: return "denied";
        case Errc::limit: return "limit";
        case Errc::corrupt: return "corrupt";
    }
    return "unknown";
}

}  // namespace holdfast
