// modules/kube/conditions.cpp: metav1 condition lists.
#include "modules/kube/conditions.hpp"

#include <algorithm>

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

bool is_condition_true(json::array const& conditions, std::string_view type) {
    auto const condition = find_condition(conditions, type);
    return condition && condition->status == "True";
}

static Object object_of(Condition const& condition) {
    Object object;
    object["lastTransitionTime"] = condition.last_transition_time;
    object["message"] = condition.message;
    if (condition.observed_generation != 0) object["observedGeneration"] = condition.observed_generation;
    object["reason"] = condition.reason;
    object["status"] = condition.status;
    object["type"] = condition.type;
    return object;
}

bool set_condition(json::array& conditions, Condition condition, std::chrono::system_clock::time_point now) {
    auto const known = find_condition(conditions, condition.type);
    bool const moved = !known || known->status != condition.status;
    if (moved && condition.last_transition_time.empty()) condition.last_transition_time = rfc3339(now);
    if (!moved) condition.last_transition_time = known->last_transition_time;
    if (!known) {
        conditions.emplace_back(object_of(condition));
        return true;
    }
    bool const changed = moved || known->reason != condition.reason || known->message != condition.message ||
                         known->observed_generation != condition.observed_generation;
    if (!changed) return false;
    auto const place =
        std::ranges::find_if(conditions, [&](json::value const& value) { return has_type(value, condition.type); });
    *place = object_of(condition);
    return true;
}

bool remove_condition(json::array& conditions, std::string_view type) {
    auto const place =
        std::ranges::find_if(conditions, [type](json::value const& value) { return has_type(value, type); });
    if (place == conditions.end()) return false;
    conditions.erase(place);
    return true;
}

}  // namespace holdfast::kube
