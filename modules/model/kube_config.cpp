// modules/model/kube_config.cpp: spec.kubeConfig is one reference, to a Secret or to a ConfigMap.
#include "modules/model/kube_config.hpp"

#include "modules/model/fields.hpp"

namespace holdfast::model {

KubeConfigRef read_kube_config(Fields& kube_config) {
    bool const secret = kube_config.has("secretRef");
    bool const config_map = kube_config.has("configMapRef");
    if (secret == config_map) kube_config.wrong("secretRef", "exactly one of secretRef and configMapRef must be given");
    KubeConfigRef ref;
    if (config_map) {
        ref.kind = KubeConfigRef::Kind::config_map;
        Fields from = kube_config.child("configMapRef");
        ref.name = from.required_text("name");
    }
    if (secret) {
        ref.kind = KubeConfigRef::Kind::secret;
        Fields from = kube_config.child("secretRef");
        ref.name = from.required_text("name");
        ref.key = from.text("key");
    }
    return ref;
}

}  // namespace holdfast::model
