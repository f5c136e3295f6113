// daemon/cli/helm_namespace.hpp: the namespace a helm command works in when no flag names one.
#pragma once

#include <string>

namespace holdfast::daemon {

/// HELM_NAMESPACE; else the namespace of the kubeconfig's context; else "default". `kubeconfig` and `context` are the flags of
/// that name, "" when they are not given: then KUBECONFIG (a list of files), ~/.kube/config and HELM_KUBECONTEXT count. A
/// kubeconfig that cannot be read or used names no namespace, as in Helm. In a pod, its own namespace is not looked up.
std::string helm_namespace(std::string const& kubeconfig, std::string const& context);

}  // namespace holdfast::daemon
