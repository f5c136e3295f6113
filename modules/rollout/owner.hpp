// modules/rollout/owner.hpp: whose objects these are: which object of ours, by which manager and labels.
#pragma once

#include "modules/model/kinds.hpp"

#include <string>
#include <string_view>

namespace holdfast::rollout {

/// Kind + key: two owners are never the same by accident of a name.
struct Owner {
    model::Key key;

    std::string_view manager() const { return model::info(key.kind).controller; }  // field manager of what it applies
    std::string_view label_group() const { return model::info(key.kind).group; }
    std::string name_label() const { return std::string{label_group()} + "/name"; }
    std::string namespace_label() const { return std::string{label_group()} + "/namespace"; }

    auto operator<=>(Owner const&) const = default;
};

}  // namespace holdfast::rollout
