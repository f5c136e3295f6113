// modules/base/memory_file.hpp: bytes behind a descriptor of no file system: what a worker or a chart gets to read.
#pragma once

#include "modules/base/error.hpp"

#include <cstddef>
#include <functional>
#include <string_view>

namespace holdfast {

class MemoryFile {
public:
    MemoryFile() = default;
    MemoryFile(MemoryFile&& other) noexcept;
    MemoryFile& operator=(MemoryFile&& other) noexcept;
    ~MemoryFile();

    /// Errors  limit  no memory, or no descriptor left
    static Result<MemoryFile> create();
    Result<void> append(std::string_view bytes);
    Result<void> append(MemoryFile const& other);
    /// Hands the bytes on in pieces, whatever stands at the descriptor.
    Result<void> each(std::function<Result<void>(std::string_view piece)> const& sink) const;
    /// From here on nobody can change the bytes; the descriptor stands at the first one.
    void seal();

    int fd() const { return fd_; }
    std::size_t size() const { return size_; }

private:
    int fd_ = -1;
    std::size_t size_ = 0;
};

/// The bytes behind a descriptor, without a copy: pages that are only read do not count as memory of a worker.
class Mapping {
public:
    Mapping(Mapping&& other) noexcept;
    Mapping& operator=(Mapping&&) = delete;
    ~Mapping();

    /// Errors  corrupt  the descriptor cannot be read
    static Result<Mapping> of(int fd);
    std::string_view bytes() const { return {static_cast<char const*>(start_), size_}; }

private:
    Mapping(void* start, std::size_t size) : start_{start}, size_{size} {}

    void* start_;
    std::size_t size_;
};

}  // namespace holdfast
