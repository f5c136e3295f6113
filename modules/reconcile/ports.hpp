// modules/reconcile/ports.hpp: what the Kustomization story needs and others provide.
#pragma once

#include "modules/base/async.hpp"
#include "modules/base/byte_budget.hpp"
#include "modules/model/kinds/kustomization.hpp"
#include "modules/model/kinds/source_status.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace holdfast::reconcile {

/// What a render gives.
struct Rendered {
    std::string digest;  // "sha256:<hex>" of kustomize's own output text
    std::vector<boost::json::object> objects;
    std::vector<std::string> remotes;  // what it needed beside the artifact: that moves without a new revision
    ByteBudget::Lease memory = {};     // for the objects and what is made of them, until this is destroyed
};

/// Renders a Kustomization's path of an artifact, in a worker process, with the newest content of its remote bases.
class Renderer {
public:
    virtual ~Renderer() = default;

    /// In      ns  whose it is: the places of renders are shared by namespace
    ///         remote_bases  whether bases and files that are named by URL may be fetched
    /// Errors  not_found      the path is not in the artifact, or the artifact is not in the cache
    ///         invalid_input  kustomize refuses it: "kustomize build failed: …", or the worker crashed
    ///         limit          memory, CPU time or wall-clock time of the worker, memory for its objects
    ///         corrupt        the cached artifact is damaged: fetch it again
    virtual Task<Rendered> render(std::string ns, model::Artifact artifact, model::KustomizationSpec spec,
                                  bool remote_bases) = 0;
};

}  // namespace holdfast::reconcile
