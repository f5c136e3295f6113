// daemon/install.hpp: puts our CRDs on the API server.
#pragma once

#include "modules/access/lock.hpp"
#include "modules/kube/cluster.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace holdfast::daemon {

/// One file of config/crds, embedded at build time.
struct CrdFile {
    std::string_view name;
    std::string_view text;
};

/// All of them, in order of name.
std::span<CrdFile const> crd_files();

/// Applies every CRD with manager "holdfast" and waits until each is established.
/// In      `mode`: kept with the first of them, so that it is known before there are objects of any; nothing: as chosen
///         before
/// Errors  those of kube::Cluster;  timeout  not established after 60 s
Task<void> install_crds(kube::Cluster& cluster, std::optional<access::Mode> mode);

}  // namespace holdfast::daemon
