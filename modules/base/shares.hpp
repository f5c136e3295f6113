// modules/base/shares.hpp: how a bounded thing is shared out, so that nobody alone takes all of it, and whose turn it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace holdfast {

/// Places, bytes or rows, and how much of them each party holds: here, each namespace.
///
/// A party may hold three times what it leaves free. Alone it gets three quarters; the next one gets three quarters of the
/// rest, and so on: whoever comes finds something, however many hold a part. The last of it goes to whoever holds nothing.
/// Used from one thread.
class Shares {
public:
    explicit Shares(std::uint64_t whole) : whole_(whole) {}

    bool may_take(std::string_view party, std::uint64_t amount = 1) const;
    void take(std::string_view party, std::uint64_t amount = 1);
    void give_back(std::string_view party, std::uint64_t amount = 1);

    /// Of two that wait: does `a` go first? Who holds less, then who took something longer ago.
    bool comes_before(std::string_view a, std::string_view b) const;

    std::uint64_t whole() const { return whole_; }
    std::uint64_t used() const { return used_; }
    std::uint64_t held(std::string_view party) const;
    bool is_full() const { return used_ >= whole_; }
    std::size_t parties() const { return holders_; }  // that hold something

private:
    struct Party {
        std::uint64_t held = 0;
        std::uint64_t turn = 0;  // which taking was its last
    };
    Party party(std::string_view name) const;
    void forget_idle();

    std::uint64_t whole_;
    std::uint64_t used_ = 0;
    std::uint64_t turns_ = 0;
    std::size_t holders_ = 0;
    std::map<std::string, Party, std::less<>> parties_;
};

}  // namespace holdfast
