// daemon/cli/build_rounds.hpp: a command's build over remote resources: the render has no network, and who has the network does
// not render. Each round is a child that prints, or says what is missing; the parent fetches that for the next round.
#pragma once

#include "modules/kustomize/remote.hpp"
#include "modules/source/remote.hpp"

#include <cstddef>
#include <functional>

namespace holdfast::daemon {

/// Fetches what a kustomization names by URL. `local`: also repositories of this machine.
using RemoteFetcher =
    std::function<Result<source::RemoteContent>(kustomize::Remote const& remote, std::size_t bytes_max, bool local)>;
/// Confines its process, builds and prints. With something missing it prints nothing and returns. Out  the exit status
using BuildOnce = std::function<int(kustomize::Remotes& remotes)>;

/// Call before threads start.
/// Out     the exit status of the last build
/// Errors  limit  kRemoteRoundsMax, kRemotesMax or kRemoteBytesMax; the message names the URL
Result<int> build_in_rounds(BuildOnce const& build, RemoteFetcher const& fetch, bool local);

}  // namespace holdfast::daemon
