// modules/http/base64.cpp: standard base64 with padding.
#include "modules/http/base64.hpp"

#include <boost/beast/core/detail/base64.hpp>

namespace holdfast::http {

namespace codec = boost::beast::detail::base64;

std::string base64_encode(std::string_view bytes) {
    std::string out(codec::encoded_size(bytes.size()), '\0');
    out.resize(codec::encode(out.data(), bytes.data(), bytes.size()));
    return out;
}

Result<std::string> base64_decode(std::string_view text) {
    std::string packed;
    packed.reserve(text.size());
    for (char const c : text) {
        if (c != '\n' && c != '\r' && c != ' ' && c != '\t') packed += c;
    }
    auto const padding = packed.ends_with("==") ? 2u : packed.ends_with("=") ? 1u : 0u;
    std::string out(codec::decoded_size(packed.size()), '\0');
    auto const [written, read] = codec::decode(out.data(), packed.data(), packed.size());
    if (packed.size() % 4 != 0 || read + padding != packed.size()) return fail(Errc::invalid_input, "not base64");
    out.resize(written);
    return out;
}

}  // namespace holdfast::http
