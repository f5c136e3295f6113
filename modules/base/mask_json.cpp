// modules/base/mask_json.cpp: mask_logins() for JSON, apart from the rest so that who has no JSON needs none.
#include "modules/base/mask.hpp"

#include <boost/json/value.hpp>

namespace holdfast {

void mask_logins(boost::json::value& value) {
    if (auto* text = value.if_string()) {
        if (std::string_view{*text}.contains(":/")) *text = mask_logins(std::string_view{*text});
    } else if (auto* object = value.if_object()) {
        for (auto& member : *object) mask_logins(member.value());
    } else if (auto* array = value.if_array()) {
        for (auto& one : *array) mask_logins(one);
    }
}

}  // namespace holdfast
