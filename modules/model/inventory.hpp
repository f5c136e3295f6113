// modules/model/inventory.hpp: how .status names an applied object.
#pragma once

#include <compare>
#include <string>

namespace holdfast::model {

/// One applied object: "<namespace>_<name>_<group>_<kind>" and the API version.
struct InventoryEntry {
    std::string id;
    std::string version;

    auto operator<=>(InventoryEntry const&) const = default;
};

}  // namespace holdfast::model
