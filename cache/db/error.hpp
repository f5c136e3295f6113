// cache/db/error.hpp: SQLite's result codes as reactions; private to cache/db.
#pragma once

#include "modules/base/error.hpp"

struct sqlite3;

namespace holdfast::cache::db {

/// `code` is what a call on `handle` returned; a misuse of the library stops the program.
Error error_of(sqlite3* handle, int code);

}  // namespace holdfast::cache::db
