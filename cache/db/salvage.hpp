// cache/db/salvage.hpp: the rows of a damaged database that can still be read, carried into a new one; private to cache/db.
#pragma once

#include "cache/db/mark.hpp"

#include <vector>

namespace holdfast::cache::db {

struct Salvage {
    std::int64_t records = 0;       // rows of the outbox
    std::int64_t rows = 0;          // of the other tables
    std::int64_t sequence = 0;      // the highest seen anywhere
    bool counter_read = false;      // the counter of sequences was among what could be read
    std::vector<std::string> lost;  // in words, one per table that is not whole
};

/// True when every table of the schema can be asked for: only then are damage and loss a matter of rows.
bool has_tables(std::filesystem::path const& file);
bool has_tables(Connection& connection);

/// Writes a first page to `file` that leads to the tables at `mark.roots`.
Result<void> replace_head(std::filesystem::path const& file, Mark const& mark);

/// Whether the first page is the file's own: only that says which pages are free.
enum class Head { own, replaced };

/// Reads each table upwards to the damage, downwards to it, and halves what is between, what is owed to Azure
/// first; then looks for rows of what is missing on pages that no longer hang on anything. `damaged` is a copy: it is written to.
///
/// Out     `fresh`, at the newest schema and empty before, holds every row that could be read
/// Errors  limit  the disk is full
Result<Salvage> salvage(std::filesystem::path const& damaged, Connection& fresh, Mark const& mark, Head head);

}  // namespace holdfast::cache::db
