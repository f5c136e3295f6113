// modules/model/kube_config.hpp: spec.kubeConfig: where an object's cluster and the credentials for it are written.
#pragma once

#include <string>

namespace holdfast::model {

class Fields;

/// A Secret or a ConfigMap of the object's own namespace.
struct KubeConfigRef {
    enum class Kind { secret, config_map };

    Kind kind = Kind::secret;
    std::string name;
    std::string key;  // of the Secret; empty: "value", then "value.yaml"

    auto operator<=>(KubeConfigRef const&) const = default;
};

/// `kube_config` is the object below spec.kubeConfig, which is there.
KubeConfigRef read_kube_config(Fields& kube_config);

}  // namespace holdfast::model
