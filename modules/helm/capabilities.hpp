// modules/helm/capabilities.hpp: .Capabilities: Kubernetes version, API versions, and the Helm we claim to be.
#pragma once

#include "modules/base/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::helm {

struct KubeVersion {
    std::string version;     // as given, "v1.33.4-gke.1245000"
    std::string normalized;  // "v1.33.4", what kubeVersion constraints are checked against
    std::string major;
    std::string minor;
};

/// version.BuildInfo of the Helm whose output this engine equals.
struct HelmBuild {
    std::string version = "v4.2.1";
    std::string git_commit;
    std::string git_tree_state = "clean";
    std::string go_version = "go1.26.8";
    std::string kube_client_version = "v1.36";
};

struct Capabilities {
    KubeVersion kube_version;
    std::vector<std::string> api_versions;
    HelmBuild helm;
};

/// Kubernetes v1.36.0 and the API versions built into client-go.
Capabilities default_capabilities();

/// A --kube-version, at least major.minor. Errors: invalid_input, Kubernetes' text.
Result<KubeVersion> parse_kube_version(std::string_view text);

}  // namespace holdfast::helm
