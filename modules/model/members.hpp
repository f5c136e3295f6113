// modules/model/members.hpp: members of a JSON object that came from outside: absent and of another type read alike.
// Pure.
#pragma once

#include "modules/model/duration.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>

namespace holdfast::model {

namespace json = boost::json;

inline std::string text_at(json::object const& object, std::string_view name) {
    auto const* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string{value->get_string()} : std::string{};
}

inline std::int64_t number_at(json::object const& object, std::string_view name, std::int64_t fallback) {
    auto const* value = object.if_contains(name);
    if (value == nullptr || !value->is_number()) return fallback;
    boost::system::error_code ec;
    auto const number = value->to_number<std::int64_t>(ec);
    return ec ? fallback : number;
}

inline WallTime time_at(json::object const& object, std::string_view name) {
    auto const parsed = parse_time(text_at(object, name));
    return parsed ? *parsed : WallTime{};
}

inline json::object const* object_at(json::object const& object, std::string_view name) {
    auto const* value = object.if_contains(name);
    return value == nullptr ? nullptr : value->if_object();
}

inline json::array const* list_at(json::object const& object, std::string_view name) {
    auto const* value = object.if_contains(name);
    return value == nullptr ? nullptr : value->if_array();
}

}  // namespace holdfast::model
