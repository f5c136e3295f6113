// modules/model/inventory.hpp: how .status names an applied object.
#pragma once

#include <compare>
#include <cstddef>
#include <string>

namespace holdfast::model {

/// One applied object: "<namespace>_<name>_<group>_<kind>" and the API version.
struct InventoryEntry {
    std::string id;
    std::string version;

    auto operator<=>(InventoryEntry const&) const = default;
};

/// No API server takes a longer one in a status.
inline constexpr std::size_t kInventoryMax = 20'000;

}  // namespace holdfast::model
