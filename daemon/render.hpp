// daemon/render.hpp: hands an artifact to a render worker and takes the objects back.
#pragma once

#include "modules/base/slots.hpp"
#include "modules/reconcile/ports.hpp"
#include "modules/sandbox/sandbox.hpp"
#include "modules/source/ports.hpp"

#include <boost/asio/thread_pool.hpp>

namespace holdfast::daemon {

/// Fills reconcile::Renderer with the zygote's workers.
class WorkerRenderer final : public reconcile::Renderer {
public:
    /// All outlive this object. At most `jobs_max` workers run at once, the others wait in order.
    WorkerRenderer(asio::any_io_executor executor, asio::thread_pool& pool, source::ArtifactStore& store,
                   sandbox::Zygote& zygote, std::size_t jobs_max, std::uint64_t artifact_bytes_max);

    Task<reconcile::Rendered> render(model::Artifact artifact, model::KustomizationSpec spec) override;

private:
    asio::thread_pool& pool_;
    source::ArtifactStore& store_;
    sandbox::Zygote& zygote_;
    Slots slots_;
    std::uint64_t artifact_bytes_max_;
};

/// The worker's side: the artifact on `input_fd`, the spec in `request`, kustomize's objects as the reply.
Result<std::string> render_job(int input_fd, std::string_view request);

}  // namespace holdfast::daemon
