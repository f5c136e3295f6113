// modules/kube/conditions.hpp: metav1 conditions, read.
// Pure. Source  k8s.io/apimachinery pkg/api/meta/conditions.go
#pragma once

#include "modules/kube/object.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::kube {

struct Condition {
    std::string type;
    std::string status;  // "True", "False" or "Unknown"
    std::string reason;
    std::string message;
    std::int64_t observed_generation = 0;  // 0: left out
    std::string last_transition_time = "";
};

/// status.conditions of an object, or an empty array.
json::array const& conditions_of(Object const& object);

std::optional<Condition> find_condition(json::array const& conditions, std::string_view type);

}  // namespace holdfast::kube
