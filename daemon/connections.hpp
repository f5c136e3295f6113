// daemon/connections.hpp: kube::Client as the way to the clusters of spec.kubeConfig.
#pragma once

#include "modules/access/remotes.hpp"
#include "modules/http/client.hpp"
#include "modules/kube/client.hpp"

namespace holdfast::daemon {

/// What access::Remotes needs: connections with bounds for servers that a tenant may have chosen, tokens of `own`.
/// All outlive what is returned.
access::Remotes::Ports remote_ports(asio::any_io_executor executor, http::Client& http, kube::Client& own,
                                    http::Reach reach, Clock const& clock);

}  // namespace holdfast::daemon
