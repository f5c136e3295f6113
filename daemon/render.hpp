// daemon/render.hpp: hands an artifact to a render worker and takes the objects back, or first fetches what it misses.
#pragma once

#include "daemon/remote_bases.hpp"
#include "modules/base/slots.hpp"
#include "modules/reconcile/ports.hpp"
#include "modules/sandbox/sandbox.hpp"
#include "modules/source/ports.hpp"
#include "modules/source/remote_cache.hpp"

#include <boost/asio/thread_pool.hpp>
#include <boost/json/object.hpp>

namespace holdfast::daemon {

/// Fills reconcile::Renderer with the zygote's workers.
class WorkerRenderer final : public reconcile::Renderer {
public:
    /// All outlive this object. At most `jobs_max` workers run at once, the others wait in order.
    WorkerRenderer(asio::any_io_executor executor, asio::thread_pool& pool, source::ArtifactStore& store,
                   source::RemoteCache& remotes, sandbox::Zygote& zygote, std::size_t jobs_max,
                   std::uint64_t artifact_bytes_max);

    Task<reconcile::Rendered> render(model::Artifact artifact, model::KustomizationSpec spec,
                                     bool remote_bases) override;

private:
    Task<std::string> run_worker(model::Artifact artifact, Supplies const& supplies, boost::json::object& request);
    Task<void> fetch(std::vector<kustomize::Remote> missing, Supplies& into);

    asio::thread_pool& pool_;
    source::ArtifactStore& store_;
    source::RemoteCache& remotes_;
    sandbox::Zygote& zygote_;
    Slots slots_;     // of workers
    Slots carriers_;  // of renders with remote bases
    std::uint64_t artifact_bytes_max_;
};

}  // namespace holdfast::daemon
