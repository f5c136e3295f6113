// tests/support/sqlite_writes.hpp: sees, counts and fails the write calls SQLite makes, through its own table of system calls.
#pragma once

#include "modules/base/assert.hpp"

#include <sqlite3.h>

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <functional>
#include <utility>

namespace holdfast::test {

/// While alive, every pwrite of SQLite is counted; `before` runs ahead of each and may refuse it with ENOSPC.
class SqliteWrites {
public:
    explicit SqliteWrites(std::function<bool()> before = [] { return true; }) : before_{std::move(before)} {
        HOLDFAST_ASSERT(current == nullptr && sqlite3_initialize() == SQLITE_OK);
        current = this;
        set(reinterpret_cast<sqlite3_syscall_ptr>(&call));
    }
    ~SqliteWrites() {
        set(nullptr);  // the real one again
        current = nullptr;
    }
    SqliteWrites(SqliteWrites const&) = delete;
    SqliteWrites& operator=(SqliteWrites const&) = delete;

    std::int64_t calls() const { return calls_; }
    std::int64_t bytes() const { return bytes_; }

private:
    static void set(sqlite3_syscall_ptr function) {
        auto* const vfs = sqlite3_vfs_find(nullptr);
        HOLDFAST_ASSERT(vfs->xSetSystemCall(vfs, "pwrite", function) == SQLITE_OK);
    }
    static ssize_t call(int fd, void const* bytes, std::size_t size, off_t offset) {
        ++current->calls_;
        current->bytes_ += static_cast<std::int64_t>(size);
        if (current->before_()) return ::pwrite(fd, bytes, size, offset);
        errno = ENOSPC;
        return -1;
    }

    static inline SqliteWrites* current = nullptr;
    std::function<bool()> before_;
    std::int64_t calls_ = 0;
    std::int64_t bytes_ = 0;
};

}  // namespace holdfast::test
