// modules/story/tell.hpp: tells people: the log always, the cluster's Events best effort.
#pragma once

#include "modules/story/story.hpp"

namespace holdfast::story {

/// Does the cluster know this object? A local one has no status, no finalizer and no Events there.
bool in_cluster(Ports const& ports, model::Entry const& entry);

/// Logs `news` and, unless it says otherwise, records a core/v1 Event about the object. Never fails.
asio::awaitable<void> tell(Ports& ports, model::Key key, News news);

}  // namespace holdfast::story
