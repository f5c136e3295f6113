// modules/source/fetch_place.hpp: where a fetch runs, and how far it reaches.
#pragma once

#include "modules/http/client.hpp"
#include "modules/http/reach.hpp"
#include "modules/http/trust.hpp"

#include <filesystem>
#include <stop_token>

namespace holdfast::source {

struct FetchPlace {
    std::filesystem::path scratch;  // an existing directory
    http::Reach reach{};
    std::stop_token stop{};
    http::Connector connector{};  // null: connects by itself
    http::Bundle bundle{};
};

}  // namespace holdfast::source
