// modules/base/packed.cpp: zlib, at its fastest.
#include "modules/base/packed.hpp"

#include "modules/base/assert.hpp"

#include <zlib.h>

namespace holdfast {

namespace {
constexpr std::size_t kWorthIt = 1024;  // below that a header and a heap block are most of it
}

Packed::Packed(std::string_view text) : size_{text.size()} {
    if (text.size() >= kWorthIt) {
        std::string packed(compressBound(static_cast<uLong>(text.size())), '\0');
        auto length = static_cast<uLongf>(packed.size());
        bool const done =
            compress2(reinterpret_cast<Bytef*>(packed.data()), &length, reinterpret_cast<Bytef const*>(text.data()),
                      static_cast<uLong>(text.size()), Z_BEST_SPEED) == Z_OK;
        if (done && length < text.size()) {
            bytes_.assign(packed, 0, length);  // a block of its own size
            return;
        }
    }
    bytes_ = text;
}

std::string Packed::text() const {
    if (bytes_.size() == size_) return bytes_;
    std::string text(size_, '\0');
    auto length = static_cast<uLongf>(size_);
    int const done = uncompress(reinterpret_cast<Bytef*>(text.data()), &length,
                                reinterpret_cast<Bytef const*>(bytes_.data()), static_cast<uLong>(bytes_.size()));
    HOLDFAST_ASSERT(done == Z_OK && length == size_);  // nobody else writes here
    return text;
}

}  // namespace holdfast
