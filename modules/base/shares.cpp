// modules/base/shares.cpp: the rule, and the sums it looks at.
#include "modules/base/shares.hpp"

#include "modules/base/assert.hpp"

#include <utility>

namespace holdfast {

namespace {

constexpr std::uint64_t kOfWhatIsFree = 3;
constexpr std::size_t kIdleMax = 1'024;  // parties that hold nothing and are remembered for their turn

}  // namespace

Shares::Party Shares::party(std::string_view name) const {
    auto const found = parties_.find(name);
    return found == parties_.end() ? Party{} : found->second;
}

std::uint64_t Shares::held(std::string_view name) const { return party(name).held; }

bool Shares::may_take(std::string_view name, std::uint64_t amount) const {
    if (used_ > whole_ || amount > whole_ - used_) return false;
    std::uint64_t const held = party(name).held;
    if (held == 0) return true;
    std::uint64_t const left = whole_ - used_ - amount;
    return (held + amount) / kOfWhatIsFree + ((held + amount) % kOfWhatIsFree != 0 ? 1 : 0) <= left;
}

void Shares::take(std::string_view name, std::uint64_t amount) {
    auto found = parties_.find(name);
    if (found == parties_.end()) found = parties_.emplace(std::string{name}, Party{}).first;
    if (found->second.held == 0 && amount > 0) ++holders_;
    found->second.held += amount;
    found->second.turn = ++turns_;
    used_ += amount;
}

void Shares::give_back(std::string_view name, std::uint64_t amount) {
    if (amount == 0) return;
    auto const found = parties_.find(name);
    HOLDFAST_ASSERT(found != parties_.end() && found->second.held >= amount);
    if (found->second.held == amount && amount > 0) --holders_;
    found->second.held -= amount;
    used_ -= amount;
    if (parties_.size() > kIdleMax) forget_idle();
}

void Shares::forget_idle() {
    std::erase_if(parties_, [](auto const& one) { return one.second.held == 0; });
}

bool Shares::comes_before(std::string_view a, std::string_view b) const {
    Party const one = party(a);
    Party const other = party(b);
    return std::pair{one.held, one.turn} < std::pair{other.held, other.turn};
}

}  // namespace holdfast
