// cache/db/mark.hpp: the few facts about a database that must outlive it, in a small file next to it.
// On disk: docs/formats/state-mark.md.
#pragma once

#include "cache/db/db.hpp"

#include <map>
#include <string>

namespace holdfast::cache::db {

/// Numbers are given out in blocks, so that the mark is written once per block and not once per record: after the
/// database was lost up to this many are skipped, and none is used twice.
constexpr std::int64_t kMarkBlock = 64;

struct Mark {
    std::string site;
    std::int64_t schema = 0;
    std::int64_t issued = 0;                    // no sequence above this was ever given out
    std::int64_t acknowledged = 0;              // every record up to this is gone from the queue
    std::map<std::string, std::int64_t> roots;  // table -> its first page: the way in when page 1 is lost

    bool operator==(Mark const&) const = default;
};

/// "holdfast.state" for "holdfast.db".
std::filesystem::path mark_of(std::filesystem::path const& database);

/// Nothing when there is none, or it is not whole.
std::optional<Mark> read_mark(std::filesystem::path const& database);

/// Replaces the mark; durable on return.
/// Errors  limit (disk full), denied
Result<void> write_mark(std::filesystem::path const& database, Mark const& mark);

/// The schema number and the tables' first pages as `connection` has them now.
Result<void> describe(Connection& connection, Mark& mark);

}  // namespace holdfast::cache::db
