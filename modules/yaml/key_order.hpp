// modules/yaml/key_order.hpp: puts the keys of a map in the order in which go-yaml's encoder writes them.
#pragma once

#include "modules/yaml/json.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <vector>

namespace holdfast::yaml {

/// A merge sort: keyList.Less is no strict order for odd keys, and std::sort may then leave its range.
/// Sorting by bytes first makes the result repeatable where Go's is not (its maps have no order).
template <class Item, class KeyOf> void sort_by_key(std::vector<Item>& items, Dialect dialect, KeyOf key_of) {
    std::ranges::sort(items, {}, key_of);
    auto const less = [&](Item const& a, Item const& b) { return key_less(key_of(a), key_of(b), dialect); };
    std::vector<Item> merged(items.size());
    for (std::size_t run = 1; run < items.size(); run *= 2) {
        for (std::size_t from = 0; from < items.size(); from += run * 2) {
            auto const begin = items.begin() + static_cast<std::ptrdiff_t>(from);
            auto const middle = items.begin() + static_cast<std::ptrdiff_t>(std::min(from + run, items.size()));
            auto const end = items.begin() + static_cast<std::ptrdiff_t>(std::min(from + run * 2, items.size()));
            std::merge(begin, middle, middle, end, merged.begin() + static_cast<std::ptrdiff_t>(from), less);
        }
        items.swap(merged);
    }
}

}  // namespace holdfast::yaml
