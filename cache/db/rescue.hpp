// cache/db/rescue.hpp: opening the database of an unattended machine: what is damaged is set aside, and what can be read goes on.
#pragma once

#include "cache/db/db.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::cache::db {

struct RescueOptions {
    Options database;
    std::filesystem::path blobs;                // the blob store: files in it say that there was a database
    std::chrono::system_clock::time_point now;  // goes into the name under which a damaged file is kept
};

/// What was wrong with the file that was found, and what became of it. One error line of the log.
struct Rescue {
    std::filesystem::path set_aside;  // where the damaged file is now, its -wal with it; empty when there was none
    std::string found;                // "database disk image is malformed"
    std::vector<std::string> lost;    // in words; empty when every row could be read
    std::int64_t records = 0;         // records owed to Azure that were carried over
    std::int64_t rows = 0;            // rows of other tables that were
    std::int64_t sequence = 0;        // the numbers of new records go on above this

    std::string text() const;
};

struct Opened {
    Connection connection;
    std::optional<Rescue> rescue;
};

/// Connection::open() and migrate(). A file that is damaged is kept as "<file>.damaged-<time>" (the last few are) and
/// a new one takes its place with every row that could be read; one that is gone, empty or older than its mark
/// (mark.hpp) is not taken for new: the site keeps its id and no sequence is used twice. The bound on the file's size
/// holds from the return on: a migration may need more.
/// One that cannot be read at all, for which there is no room, or whose rescue died a few times, is set aside unread.
///
/// Errors  limit  no room even for an empty database: the damaged file is where it was, and the next start tries again
///         those of Connection::open() and migrate() but corrupt
/// Never   removes a damaged file before its successor is whole
Result<Opened> open_or_rescue(std::filesystem::path const& file, RescueOptions const& options);

}  // namespace holdfast::cache::db
