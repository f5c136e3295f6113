// tests/unit/daemon/budget_test.cpp: the sum of all that is held at once stays under the one number.
#include "daemon/budget.hpp"

#include <catch2/catch.hpp>

#include <numeric>

namespace holdfast::daemon {

TEST_CASE("budget: what is held at once adds up to no more than limits.memory", "[daemon]") {
    auto const mebibytes = GENERATE(std::size_t{64}, 65, 96, 128, 256, 1'024, 65'536);
    CAPTURE(mebibytes);
    std::size_t const memory = mebibytes << 20;
    auto const budget = budget_of(memory);
    std::size_t sum = 0;
    for (auto const& row : budget.rows()) {
        CAPTURE(row.name);
        CHECK(row.bytes > 0);
        CHECK(row.bytes < memory);
        sum += row.bytes;
    }
    CHECK(sum <= memory);
    CHECK(sum > memory / 10 * 9);  // nothing is kept back without a name

    // The parts are parts.
    CHECK(budget.remotes <= memory / 8);
    CHECK(budget.render_small < budget.render_large);
    CHECK(budget.render_large <= budget.work);
    CHECK(2 * budget.render_small <= budget.work);
    CHECK(budget.reply * 2 < budget.render_small);  // a worker has more than its answer
    CHECK(budget.api_object <= budget.api);
    CHECK(service_bytes_max(memory) > memory);
}

}  // namespace holdfast::daemon
