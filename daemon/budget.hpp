// daemon/budget.hpp: the one memory number, cut into all that is held at once; docs/SECURITY.md has the table in words.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::daemon {

/// The least that limits.memory can be: below it no render would have room.
inline constexpr std::size_t kMemoryBytesMin = std::size_t{64} << 20;

/// Bytes of memory, of all processes together. Every bound on memory in the daemon is one of these or part of one.
struct Budget {
    std::size_t memory;  // limits.memory

    // Always there, whatever is asked of the daemon.
    std::size_t base;    // program, zygote, SQLite's pages, stacks, names and states of all objects
    std::size_t api;     // answers of the API server that are being read, one item each
    std::size_t uplink;  // a window of records and the batch made of it

    // Grows with what is asked.
    std::size_t wishes;   // specs of all Flux objects, and those the journal does not have yet
    std::size_t remotes;  // contents of remote bases, of all renders that wait for some
    std::size_t work;     // workers, their inputs and answers, and the objects of passes until they are applied

    // Parts of `work`.
    std::size_t render_small;  // what a render gets first: a worker, its input, its answer
    std::size_t
        render_large;   // what it gets when that was not enough; beside it a small one finds room, if there is any
    std::size_t reply;  // the answer of one worker

    // Part of `api`.
    std::size_t api_object;  // one object or one page

    struct Row {
        std::string_view name;
        std::size_t bytes;
    };
    /// What is held at the same time. Its sum is no more than `memory`.
    std::vector<Row> rows() const;
};

/// In  memory  limits.memory, at least kMemoryBytesMin
Budget budget_of(std::size_t memory);

/// What the service manager stops the service at: the kernel counts what it holds for it, sockets and page tables, too.
std::size_t service_bytes_max(std::size_t memory);

/// A drop-in for the service unit that stops it there.
std::string service_drop_in(std::size_t memory);

}  // namespace holdfast::daemon
