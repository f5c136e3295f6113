// modules/kube/conditions.cpp: metav1 condition lists.
#include "modules/kube/conditions.hpp"

namespace holdfast::kube {

json::array const& conditions_of(Object const& object) {
    static json::array const kNone;
    auto const* const conditions = find_array(object, {"status", "conditions"});
    return conditions != nullptr ? *conditions : kNone;
}

static std::string text_at(Object const& object, std::string_view name) {
    return std::string{find_string(object, {name})};
}

static bool has_type(json::value const& value, std::string_view type) {
    return value.is_object() && find_string(value.get_object(), {"type"}) == type;
}

std::optional<Condition> find_condition(json::array const& conditions, std::string_view type) {
    for (auto const& value : conditions) {
        if (!has_type(value, type)) continue;
        auto const& object = value.get_object();
        return Condition{.type = std::string{type},
                         .status = text_at(object, "status"),
                         .reason = text_at(object, "reason"),
                         .message = text_at(object, "message"),
                         .observed_generation = find_integer(object, {"observedGeneration"}).value_or(0),
                         .last_transition_time = text_at(object, "lastTransitionTime")};
    }
    return std::nullopt;
}

}  // namespace holdfast::kube
