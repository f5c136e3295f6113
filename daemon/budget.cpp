// daemon/budget.cpp: how limits.memory is cut.
#include "daemon/budget.hpp"

#include "modules/base/assert.hpp"

#include <algorithm>

namespace holdfast::daemon {

namespace {
constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kRenderMin = 10 * kMiB;
}  // namespace

Budget budget_of(std::size_t memory) {
    HOLDFAST_ASSERT(memory >= kMemoryBytesMin);
    Budget budget{};
    budget.memory = memory;
    budget.base = 14 * kMiB;
    budget.api = 10 * kMiB;
    budget.uplink = 4 * kMiB;
    budget.api_object = 4 * kMiB;  // etcd takes 1.5 MiB an object; with managed fields as JSON that is less than 4
    std::size_t const rest = memory - budget.base - budget.api - budget.uplink;
    budget.wishes = rest / 5;
    budget.remotes = memory / 8;
    budget.work = rest - budget.wishes - budget.remotes;
    budget.render_small = std::max(budget.work / 4, kRenderMin);
    bool const has_room = budget.work >= 4 * kRenderMin;
    budget.render_large = has_room ? budget.work - budget.render_small : budget.work;
    budget.reply = budget.work / 10;
    return budget;
}

std::vector<Budget::Row> Budget::rows() const {
    return {{"base", base}, {"api", api}, {"uplink", uplink}, {"wishes", wishes}, {"remotes", remotes}, {"work", work}};
}

std::size_t service_bytes_max(std::size_t memory) { return memory + std::max(memory / 4, 32 * kMiB); }

std::string service_drop_in(std::size_t memory) {
    return "# Made of limits.memory by `holdfast config print --unit`:\n"
           "# /etc/systemd/system/holdfast.service.d/memory.conf, then systemctl daemon-reload\n"
           "[Service]\n"
           "MemoryMax=" +
           std::to_string(service_bytes_max(memory)) + "\n";
}

}  // namespace holdfast::daemon
