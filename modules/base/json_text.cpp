// modules/base/json_text.cpp: Boost.JSON with our own depth.
#include "modules/base/json_text.hpp"

#include "modules/base/limits.hpp"

#include <boost/json/parse.hpp>

namespace holdfast {

Result<boost::json::value> parse_json(std::string_view text) {
    boost::json::parse_options options;
    // Boost's own default is 32: a definition with a pod template inside is deeper.
    options.max_depth = 2 * limits::kJsonDepthMax;
    boost::system::error_code ec;
    auto value = boost::json::parse({text.data(), text.size()}, ec, {}, options);
    if (ec) return fail(Errc::invalid_input, ec.message());
    return value;
}

}  // namespace holdfast
