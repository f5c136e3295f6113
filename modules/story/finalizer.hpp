// modules/story/finalizer.hpp: the finalizer that every Flux object with a controller carries.
#pragma once

#include "modules/story/story.hpp"

namespace holdfast::story {

inline constexpr std::string_view kFinalizer = "finalizers.fluxcd.io";

/// Puts the finalizer on a cluster object that lacks it, before anything is done for it.
Task<void> take_finalizer(Ports& ports, model::Key key);

/// Takes entries of managedFields away that an earlier version of ours wrote under another name, so that a hand-over to Flux and
/// back stays without writes. Best effort: it does nothing when there is none.
asio::awaitable<void> drop_former_manager(Ports& ports, model::Entry const& entry);

/// Takes it off. The object may be gone: then there is nothing to take.
Task<void> drop_finalizer(Ports& ports, model::Key key);

}  // namespace holdfast::story
