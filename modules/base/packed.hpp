// modules/base/packed.hpp: a text that is held for long and read seldom, in as few bytes as deflate makes of it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast {

class Packed {
public:
    Packed() = default;
    explicit Packed(std::string_view text);

    bool empty() const { return size_ == 0; }
    void clear() { *this = Packed{}; }
    std::string text() const;
    /// What it takes in memory.
    std::size_t held() const { return bytes_.size(); }

private:
    std::string bytes_;
    std::size_t size_ = 0;  // of the text; that of bytes_ when it is held as it is
};

}  // namespace holdfast
