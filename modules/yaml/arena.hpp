// modules/yaml/arena.hpp: a bump arena that owns YAML nodes and their text.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace holdfast::yaml {

/// Memory for nodes and text; everything in it dies with it, nothing is freed before.
///
/// Lifetime  a Node, and every string_view read from it, is valid as long as the Arena it was made in.
///           One tree may hold nodes of several arenas when all of them outlive it; copy_to() (node.hpp)
///           moves a tree into one arena. Moving an Arena keeps its nodes valid.
/// Cost      allocate is a pointer bump; chunks grow from 4 KiB to 256 KiB
/// Threads   none: one arena, one thread
class Arena {
public:
    Arena() = default;
    Arena(Arena&& other) noexcept;
    Arena& operator=(Arena&& other) noexcept;
    ~Arena() = default;

    /// Uninitialised bytes, aligned to 8.
    void* allocate(std::size_t bytes) {
        bytes = (bytes + 7) & ~std::size_t{7};
        if (bytes > static_cast<std::size_t>(end_ - next_)) return allocate_slow(bytes);
        auto* const found = next_;
        next_ += bytes;
        return found;
    }

    /// Uninitialised bytes of text, not aligned: text costs what it is long.
    char* allocate_text(std::size_t bytes) {
        if (bytes > static_cast<std::size_t>(end_ - text_end())) return allocate_text_slow(bytes);
        end_ -= bytes;
        return end_;
    }

    template <class T, class... Arguments>
        requires std::is_trivially_destructible_v<T>
    T* make(Arguments&&... arguments) {
        return ::new (allocate(sizeof(T))) T{std::forward<Arguments>(arguments)...};
    }

    template <class T>
        requires std::is_trivially_destructible_v<T>
    T* make_array(std::size_t count) {
        return static_cast<T*>(allocate(sizeof(T) * count));
    }

    /// A copy of `text` that lives as long as the arena.
    std::string_view copy(std::string_view text);

    /// Takes a string over without copying its bytes. The result is followed by a zero byte.
    std::string_view adopt(std::string text);

    /// Bytes taken from the system so far.
    std::size_t bytes() const { return bytes_; }

private:
    void* allocate_slow(std::size_t bytes);
    char* allocate_text_slow(std::size_t bytes);
    char* text_end() const { return next_; }
    char* new_chunk(std::size_t bytes);

    char* next_ = nullptr;  // objects grow up from here
    char* end_ = nullptr;   // text grows down from here
    std::size_t bytes_ = 0;
    std::size_t chunk_bytes_ = 4096;
    std::vector<std::unique_ptr<char[]>> chunks_;
    std::vector<std::unique_ptr<std::string>> adopted_;
};

}  // namespace holdfast::yaml
