// daemon/queue_desk.hpp: the queue as `holdfast queue` sees it, the same whether the daemon is asked or its database is opened.
#pragma once

#include "cache/outbox/outbox.hpp"

#include <string>
#include <string_view>

namespace holdfast::daemon {

constexpr std::string_view kQueuePath = "/queue";  // POST, on the socket alone

/// On the db pool. One request and its answer, both JSON objects:
///
///   {"verb": "show", "shelf": "waiting" or "aside", "after": 0}  ->  {"waiting", "bytes", "dead", "refused",
///       "records": [{"sequence", "stream", "recordId", "observedAt", "lastObservedAt", "count", "reason", "fields"}]}: those
///       after a sequence, some hundreds; an empty list is the end
///   {"verb": "retry", "sequences": [7, 12]}                      ->  {"moved": 2, "full": false}
///   {"verb": "check"}                                            ->  {"problems": []}
///
/// Errors  invalid_input  no such request;  not_found  a record that was not set aside;  those of the database
Result<std::string> answer_queue(cache::Outbox& outbox, std::string_view request);

}  // namespace holdfast::daemon
