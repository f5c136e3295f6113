// daemon/cli/suggest.cpp: edit distance (Levenshtein), one row at a time.
#include "daemon/cli/suggest.hpp"

#include <algorithm>
#include <numeric>

namespace holdfast::daemon {

namespace {

constexpr std::size_t kWordBytesMax = 64;  // the cost is the product of both lengths

std::size_t distance(std::string_view from, std::string_view to) {
    std::vector<std::size_t> row(to.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < from.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t k = 0; k < to.size(); ++k) {
            std::size_t const changed = diagonal + (from[i] == to[k] ? 0 : 1);
            diagonal = row[k + 1];
            row[k + 1] = std::min({changed, diagonal + 1, row[k] + 1});
        }
    }
    return row.back();
}

}  // namespace

std::string nearest(std::string_view word, std::vector<std::string_view> const& known) {
    if (word.empty() || word.size() > kWordBytesMax) return {};
    std::string best;
    std::size_t best_distance = word.size() / 3 + 2;
    for (std::string_view const one : known) {
        // "stat" for "status" is no slip, but what is meant is plain.
        std::size_t const far = one.starts_with(word) && word.size() > 1 ? 1 : distance(word, one);
        if (far < best_distance && far < std::max(one.size(), word.size())) {
            best = one;
            best_distance = far;
        }
    }
    return best;
}

}  // namespace holdfast::daemon
