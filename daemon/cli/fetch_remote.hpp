// daemon/cli/fetch_remote.hpp: the network of `holdfast build --allow-remote-bases`.
#pragma once

#include "modules/kustomize/remote.hpp"
#include "modules/source/remote.hpp"

namespace holdfast::daemon {

/// Fetches one remote resource without credentials, through the directory for temporary files.
/// `local`: also repositories of this machine. Errors  as source::fetch_remote()
Result<source::RemoteContent> fetch_remote(kustomize::Remote const& remote, std::size_t bytes_max, bool local);

}  // namespace holdfast::daemon
