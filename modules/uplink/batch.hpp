// modules/uplink/batch.hpp: queued records as the rows of one request.
// Pure. Columns: docs/formats/compliance_record.md.
#pragma once

#include "modules/uplink/ports.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace holdfast::uplink {

/// The columns that are the same for every row of a request.
struct Envelope {
    std::string site;
    std::string site_name;
    model::WallTime uploaded_at;
};

/// One JSON object: our own columns, then the record's fields; a field with the name of an own column is left out.
/// Text that is not UTF-8 is repaired with U+FFFD, for the service refuses it.
/// Errors  corrupt  the stored fields are not a JSON object
Result<std::string> make_row(QueuedRecord const& record, Envelope const& envelope);

struct Batch {
    std::size_t records = 0;  // how many of the front are in `rows`
    std::string rows;         // a JSON array
};

/// As many records from the front as fit into bytes_max; the first is taken whatever its size.
/// Stops before a damaged record. Errors  corrupt  the first record is damaged
Result<Batch> make_batch(std::span<QueuedRecord const> records, Envelope const& envelope, std::size_t bytes_max);

}  // namespace holdfast::uplink
