// modules/model/canonical.cpp: walks a JSON value with sorted keys.
#include "modules/model/canonical.hpp"

#include "modules/base/hash.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <string_view>
#include <vector>

namespace holdfast::model {

namespace json = boost::json;

namespace {

std::uint64_t mix(json::value const& value, std::uint64_t hash);

std::uint64_t mix(json::object const& object, std::uint64_t hash) {
    std::vector<std::string_view> names;
    for (auto const& member : object) names.push_back(member.key());
    std::ranges::sort(names);
    hash = hash64("{", hash);
    for (std::string_view const name : names) {
        hash = hash64("\x1f", hash64(name, hash));
        hash = mix(object.at(name), hash);
    }
    return hash64("}", hash);
}

std::uint64_t mix(json::value const& value, std::uint64_t hash) {
    if (auto const* object = value.if_object()) return mix(*object, hash);
    if (auto const* list = value.if_array()) {
        hash = hash64("[", hash);
        for (json::value const& one : *list) hash = mix(one, hash64(",", hash));
        return hash64("]", hash);
    }
    if (auto const* text = value.if_string()) return hash64(*text, hash64("\"", hash));
    return hash64(json::serialize(value), hash);
}

std::uint64_t never_zero(std::uint64_t hash) { return hash == 0 ? 1 : hash; }

}  // namespace

std::uint64_t canonical_digest(json::value const& value) { return never_zero(mix(value, kHashStart)); }

std::uint64_t canonical_digest(json::object const& object) { return never_zero(mix(object, kHashStart)); }

}  // namespace holdfast::model
