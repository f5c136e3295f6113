// modules/model/record.hpp: what Azure is owed about a change of state.
#pragma once

#include "modules/model/duration.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>

namespace holdfast::model {

/// Which table of the customer's workspace a record goes to.
enum class Stream { compliance, object_status };

/// One row, complete but for its place in the queue: the outbox adds Sequence and RecordId.
struct ComplianceRecord {
    Stream stream = Stream::compliance;
    std::string subject;       // what the state is about, "cluster-config/infra" or "ns/name/Kind"; orders and folds
    std::string state_digest;  // same subject and digest as the last record: a repeat, not a change
    WallTime observed_at;
    boost::json::object fields;  // columns beside Sequence, RecordId, ObservedAt, QueuedAt, UploadedAt
};

}  // namespace holdfast::model
