// cache/db/error.cpp: SQLite's result codes as reactions.
#include "cache/db/error.hpp"

#include "modules/base/assert.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>

namespace holdfast::cache::db {

namespace {

Errc reaction(int primary, int system_error) {
    switch (primary) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_INTERRUPT: return Errc::busy;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
        case SQLITE_SCHEMA: return Errc::corrupt;
        case SQLITE_FULL:
        case SQLITE_NOMEM:
        case SQLITE_TOOBIG: return Errc::limit;
        case SQLITE_PERM:
        case SQLITE_AUTH:
        case SQLITE_READONLY: return Errc::denied;
        case SQLITE_CANTOPEN: return system_error == ENOENT || system_error == ENOTDIR ? Errc::not_found : Errc::denied;
        case SQLITE_IOERR:
            if (system_error == ENOSPC || system_error == EDQUOT) return Errc::limit;
            // A failing disk: the next attempt may work, and the message stays visible until one does.
            return Errc::busy;
        default: return Errc::invalid_input;
    }
}

}  // namespace

Error error_of(sqlite3* handle, int code) {
    int const primary = code & 0xff;
    HOLDFAST_ASSERT(primary != SQLITE_MISUSE && primary != SQLITE_RANGE);
    int const system_error = handle != nullptr ? sqlite3_system_errno(handle) : 0;
    std::string message = handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
    if (system_error != 0 && (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN || primary == SQLITE_FULL)) {
        message += std::string{" ("} + std::strerror(system_error) + ")";
    }
    return {reaction(primary, system_error), std::move(message)};
}

}  // namespace holdfast::cache::db
