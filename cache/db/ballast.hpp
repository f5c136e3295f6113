// cache/db/ballast.hpp: room on the disk that is given back when a full one must be written to: to take something away needs some, too.
#pragma once

#include "modules/base/error.hpp"

#include <filesystem>

namespace holdfast::cache::db {

/// "holdfast.room" beside the database, as large as the log of a few thousand removed rows. It exists while something is sent;
/// released, its room is the log's, which keeps it.
class Ballast {
public:
    explicit Ballast(std::filesystem::path const& database);

    /// Makes sure that a removal finds room: the file is there, or the log is long enough already.
    /// Errors  limit  the disk is full;  denied
    /// Cost    nothing after the first time
    Result<void> hold();

    /// Gives the room back to whoever writes next. hold() takes it again.
    void release();

private:
    std::filesystem::path file_;
    std::filesystem::path log_;
    bool is_held_ = false;
};

}  // namespace holdfast::cache::db
