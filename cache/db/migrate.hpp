// cache/db/migrate.hpp: brings a database file to the schema this binary knows, forward only.
#pragma once

#include "cache/db/db.hpp"

#include <span>
#include <string_view>

namespace holdfast::cache::db {

/// One file of migrations/, embedded at build time by embed_migrations.py.
struct Migration {
    int number;  // 1, 2, 3, ... without a gap
    std::string_view name;
    std::string_view sql;
};

/// All files of migrations/, in order.
std::span<Migration const> all_migrations();

/// Runs the migrations the file has not seen, each in its own transaction; PRAGMA user_version counts them.
///
/// Errors  invalid_input  the file was written by a newer Holdfast, or by another program
///         corrupt        the number is none, or the tables are not those of that number
///         limit          the disk is full; nothing of the failed migration is kept
Result<void> migrate(Connection& connection, std::span<Migration const> migrations = all_migrations());

/// Whether the file's header says that Holdfast wrote it, or nobody yet.
Result<bool> is_ours(Connection& connection);

}  // namespace holdfast::cache::db
