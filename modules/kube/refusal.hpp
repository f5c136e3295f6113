// modules/kube/refusal.hpp: what an API server says when it refuses, in the words of client-go.
// Pure.
#pragma once

#include "modules/http/message.hpp"
#include "modules/kube/cluster.hpp"

#include <string_view>

namespace holdfast::kube {

/// What was asked, for messages the server left empty.
struct Asked {
    std::string_view method;    // "GET"
    std::string_view resource;  // "deployments.apps"; empty for paths that are no resource
    std::string_view name;
};

/// Source  k8s.io/apimachinery pkg/api/errors NewGenericServerResponse for answers that are no metav1.Status
Refusal refusal_of(http::Response const& response, Asked const& asked);
Refusal refusal_of(Object const& status);

Error to_error(Refusal const& refusal);

/// What may be told of a refused write of a Secret. The server, or a webhook, may repeat what it refused: its words are kept
/// only where it had not read the object, for want of the namespace or of the right. The reason is told by who has it.
std::string words_about_secret(Refusal const& refusal);

}  // namespace holdfast::kube
