// modules/reconcile/dependencies.hpp: who depends on whom, as one graph: whether a dependency leads back to who has it.
// One walk answers for everybody, until a wish changes.
#pragma once

#include "modules/access/lock.hpp"
#include "modules/model/registry.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::reconcile {

class Dependencies {
public:
    /// "a -> b -> a" when what `first` depends on leads back to `from`, which depends on `first`; else empty. What is said
    /// may be older than the newest wish by as much as kAgeMax: whoever changes one all the time buys no walk each time.
    /// When `lock` lets `from` name no other namespace, none is named.
    ///
    /// Cost  a walk over all dependencies after a change, at most once in kAgeMax; of one circle when there is one
    std::string circle(model::Registry const& registry, model::Key const& from, model::Key const& first,
                       access::Lock const& lock, std::chrono::nanoseconds now);

    static constexpr std::chrono::seconds kAgeMax{1};

private:
    using Node = std::uint32_t;

    void read(model::Registry const& registry);
    void find_circles();

    std::optional<std::uint64_t> wishes_;  // that were read
    std::chrono::nanoseconds read_at_{};   // boot clock
    std::vector<model::Key const*> keys_;  // into numbers_
    std::map<model::Key, Node> numbers_;
    std::vector<std::vector<Node>> needs_;
    std::vector<Node> circle_;  // nodes that reach each other have the same number
};

}  // namespace holdfast::reconcile
