// modules/kube/parse.cpp: Boost.JSON with our depth; its own default of 32 is less than what CustomResourceDefinitions have.
#include "modules/kube/parse.hpp"

#include "modules/base/limits.hpp"

#include <boost/json/parse.hpp>

namespace holdfast::kube {

Result<json::value> parse_json(std::string_view text) {
    json::parse_options options;
    options.max_depth = limits::kJsonDepthMax;
    boost::system::error_code ec;
    auto value = json::parse({text.data(), text.size()}, ec, {}, options);
    if (ec) return fail(Errc::invalid_input, "API server: answer is not JSON: " + ec.message());
    return value;
}

Result<Object> parse_object(std::string_view text) {
    auto value = parse_json(text);
    if (!value) return fail(std::move(value));
    if (!value->is_object()) return fail(Errc::invalid_input, "API server: answer is not a JSON object");
    return std::move(value->get_object());
}

}  // namespace holdfast::kube
