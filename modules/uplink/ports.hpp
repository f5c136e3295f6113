// modules/uplink/ports.hpp: what the drain loop needs from whoever keeps the records.
#pragma once

#include "modules/base/error.hpp"
#include "modules/model/record.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::uplink {

/// A record with its place in the queue.
struct QueuedRecord {
    std::int64_t sequence = 0;  // dense over all streams of this site, from 1
    model::Stream stream = model::Stream::compliance;
    std::string record_id;  // 32 hex digits; the same for every delivery of this record
    model::WallTime observed_at;
    model::WallTime queued_at;
    std::string fields;            // JSON object of the other columns
    model::WallTime last_at = {};  // when the state was seen last; before observed_at: once
    std::int64_t count = 1;        // how often it was entered, or seen again
};

struct QueueState {
    std::int64_t waiting = 0;
    std::int64_t bytes = 0;
    std::int64_t first_sequence = 0;  // 0 when nothing waits
    std::int64_t last_sequence = 0;   // newest ever given out
    std::int64_t refused = 0;         // changes that did not fit, each counted once
    bool refusing = false;            // the last one did not
    std::int64_t folded = 0;          // repeats of an unchanged state
    std::int64_t dead = 0;            // records Azure will never take; the newest are kept aside with the reason
    model::WallTime oldest;
};

/// First in, first out, kept across power loss. A record leaves only through acknowledge() or set_aside().
/// Blocking: called on the db pool only.
class RecordQueue {
public:
    virtual ~RecordQueue() = default;

    /// Of one stream, those after a sequence: up to rows_max records and bytes_max bytes of fields (at least one record),
    /// smallest sequence first.
    /// Cost  what is read, whatever waits of the other stream
    virtual Result<std::vector<QueuedRecord>> oldest(model::Stream stream, std::int64_t after, std::int64_t rows_max,
                                                     std::int64_t bytes_max) = 0;

    /// Before anything is sent: holds the room that its acknowledgement will need.
    /// Errors  limit  there is none: nothing must be sent
    virtual Result<void> make_room() { return {}; }

    /// Removes exactly these records: the receiver has said yes to each of them.
    virtual Result<void> acknowledge(std::vector<std::int64_t> const& sequences) = 0;

    /// Moves one record that the receiver refuses for what it is out of the queue's way, with the reason.
    virtual Result<void> set_aside(std::int64_t sequence, std::string const& reason) = 0;

    virtual Result<QueueState> state() = 0;
};

}  // namespace holdfast::uplink
