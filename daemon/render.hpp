// daemon/render.hpp: hands an artifact to a render worker and takes the objects back, or first fetches what it misses.
#pragma once

#include "daemon/budget.hpp"
#include "daemon/remote_bases.hpp"
#include "modules/base/byte_budget.hpp"
#include "modules/base/slots.hpp"
#include "modules/reconcile/ports.hpp"
#include "modules/sandbox/sandbox.hpp"
#include "modules/source/ports.hpp"
#include "modules/source/remote_cache.hpp"

#include <boost/asio/thread_pool.hpp>
#include <boost/json/object.hpp>

#include <chrono>
#include <functional>

namespace holdfast::daemon {

/// Fills reconcile::Renderer with the zygote's workers.
class WorkerRenderer final : public reconcile::Renderer {
public:
    struct Parts {
        asio::any_io_executor executor;
        asio::thread_pool& pool;  // disk; nothing of a network may run there
        source::ArtifactStore& store;
        source::RemoteCache& remotes;
        sandbox::Zygote& zygote;
        ByteBudget& work;                 // Budget::work: shared with whatever else runs in workers
        std::function<bool()> is_shared;  // are there wishes of more than one namespace
    };
    /// All outlive this object. At most `jobs_max` workers run at once, by namespace, each to its share once there is more
    /// than one; what they and their objects hold is part of `budget`, whatever they are given. As many renders may fetch
    /// remote bases, all of them for ten minutes at most.
    WorkerRenderer(Parts parts, Budget const& budget, std::size_t jobs_max);

    Task<reconcile::Rendered> render(std::string ns, model::Artifact artifact, model::KustomizationSpec spec,
                                     bool remote_bases) override;

private:
    struct Answer {
        std::string text;
        ByteBudget::Lease memory;  // for the text and what is made of it
    };
    /// What a render with remote bases has until its end.
    struct Fetching {
        Slots::Lease place;
        ByteBudget::Lease bytes;  // what is fetched stays in memory
        std::chrono::steady_clock::time_point until;
    };
    Task<Answer> run_worker(std::string ns, model::Artifact artifact, Supplies const& supplies,
                            boost::json::object& request);
    Task<std::string> run_once(model::Artifact artifact, Supplies const& supplies, boost::json::object& request,
                               std::size_t memory_bytes);
    Task<void> fetch(std::string ns, std::vector<kustomize::Remote> missing, Supplies& into, Fetching& fetching);

    Parts parts_;
    Budget budget_;
    Slots slots_;            // of workers
    Slots fetchers_;         // of renders with remote bases
    ByteBudget carriers_;    // Budget::remotes
    std::size_t own_share_;  // of it, for each render that has remote bases
};

/// Bytes of memory that the objects of a worker's answer take until they are applied: read, and once more as requests and
/// their answers. Never less than that; strings and names may make it more.
std::size_t memory_of_objects(std::string_view answer);

}  // namespace holdfast::daemon
