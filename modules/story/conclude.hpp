// modules/story/conclude.hpp: the only writer: an outcome becomes durable, then the cluster and the followers hear of it.
#pragma once

#include "modules/story/story.hpp"

namespace holdfast::story {

/// Applies what a pass returned. Nothing that anybody looks at changed: no transaction, no patch, no Event, nobody is woken.
/// Else one transaction (status, facts, inventory, record), then the registry, the copy of .status in the cluster, Events.
/// A journal that cannot be written leaves everything as it was: Entry::unrecorded says why, the copy in the cluster says so
/// (Ready False, StorageOperationFailed) until it is written, and the pass runs again soon.
asio::awaitable<Next> conclude(Ports& ports, Story& story, model::Key key, Outcome outcome);

/// The cluster's copy of .status becomes what is known. One patch of an object is in flight at a time, so an older one never
/// overtakes a newer. Never fails: what is still owed stays owed.
asio::awaitable<void> write_copy(Ports& ports, model::Key key);

/// What is about to be written to a cluster, before it is: a power cut leaves nothing that no inventory names.
/// Errors  limit, busy, corrupt  the journal: nothing may be written
Task<void> intend(Ports& ports, model::Key key, std::string facts, std::vector<model::OwnedObject> owned);

}  // namespace holdfast::story
