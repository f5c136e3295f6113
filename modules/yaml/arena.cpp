// modules/yaml/arena.cpp: chunks of the bump arena; objects grow up in a chunk, text grows down.
#include "modules/yaml/arena.hpp"

#include <algorithm>
#include <cstring>

namespace holdfast::yaml {

namespace {
constexpr std::size_t kChunkBytesMax = 256u << 10;
}

Arena::Arena(Arena&& other) noexcept { *this = std::move(other); }

Arena& Arena::operator=(Arena&& other) noexcept {
    if (this == &other) return *this;
    chunks_ = std::move(other.chunks_);
    adopted_ = std::move(other.adopted_);
    next_ = std::exchange(other.next_, nullptr);
    end_ = std::exchange(other.end_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
    chunk_bytes_ = std::exchange(other.chunk_bytes_, 4096);
    other.chunks_.clear();
    other.adopted_.clear();
    return *this;
}

char* Arena::new_chunk(std::size_t bytes) {
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(bytes));
    bytes_ += bytes;
    return chunks_.back().get();
}

void* Arena::allocate_slow(std::size_t bytes) {
    if (bytes * 4 > chunk_bytes_) return new_chunk(bytes);  // a big one gets its own chunk
    next_ = new_chunk(chunk_bytes_);
    end_ = next_ + chunk_bytes_;
    chunk_bytes_ = std::min(chunk_bytes_ * 2, kChunkBytesMax);
    auto* const found = next_;
    next_ += bytes;
    return found;
}

char* Arena::allocate_text_slow(std::size_t bytes) {
    if (bytes * 4 > chunk_bytes_) return new_chunk(bytes);
    next_ = new_chunk(chunk_bytes_);
    end_ = next_ + chunk_bytes_;
    chunk_bytes_ = std::min(chunk_bytes_ * 2, kChunkBytesMax);
    end_ -= bytes;
    return end_;
}

std::string_view Arena::copy(std::string_view text) {
    if (text.empty()) return {};
    auto* const to = allocate_text(text.size());
    std::memcpy(to, text.data(), text.size());
    return {to, text.size()};
}

std::string_view Arena::adopt(std::string text) {
    bytes_ += text.capacity();
    adopted_.push_back(std::make_unique<std::string>(std::move(text)));
    return *adopted_.back();
}

}  // namespace holdfast::yaml
