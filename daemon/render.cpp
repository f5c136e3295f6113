// daemon/render.cpp: the daemon's side of a render: verified bytes in a sealed memory file, one job, JSON back.
#include "daemon/render.hpp"

#include "daemon/worker_jobs.hpp"

#include "modules/base/json_text.hpp"
#include "modules/base/limits.hpp"
#include "modules/base/on_pool.hpp"
#include "modules/kube/object.hpp"
#include "modules/sandbox/job.hpp"

#include <boost/json/serialize.hpp>

namespace holdfast::daemon {

namespace {

namespace json = boost::json;

/// What was verified is what the worker reads: a copy in memory that nobody can change any more.
Result<MemoryFile> sealed_input(std::string const& artifact, Supplies const& supplies) {
    auto file = MemoryFile::create();
    if (!file) return file;
    if (auto ok = file->append(artifact); !ok) return fail(std::move(ok));
    if (auto ok = file->append(supplies.file()); !ok) return fail(std::move(ok));
    file->seal();
    return file;
}

struct Reply {
    reconcile::Rendered rendered;
    std::vector<kustomize::Remote> missing;  // not empty: nothing is rendered
};

Result<Reply> read_reply(std::string const& text) {
    auto parsed = parse_json(text);
    if (!parsed || !parsed->is_object()) return fail(Errc::invalid_input, "the render worker's answer cannot be read");
    json::value& value = *parsed;
    Reply reply;
    if (auto const* missing = value.get_object().if_contains("missing")) {
        auto remotes = read_remotes(*missing);
        if (!remotes) return fail(std::move(remotes), "the render worker's answer");
        reply.missing = std::move(*remotes);
        return reply;
    }
    auto& rendered = reply.rendered;
    rendered.digest = kube::find_string(value.get_object(), {"digest"});
    auto* objects = value.get_object().if_contains("objects");
    if (objects == nullptr || !objects->is_array())
        return fail(Errc::invalid_input, "the render worker's answer cannot be read");
    for (json::value& object : objects->get_array()) {
        if (object.is_object()) rendered.objects.push_back(std::move(object.get_object()));
    }
    return reply;
}

}  // namespace

WorkerRenderer::WorkerRenderer(asio::any_io_executor executor, asio::thread_pool& pool, source::ArtifactStore& store,
                               source::RemoteCache& remotes, sandbox::Zygote& zygote, std::size_t jobs_max,
                               std::uint64_t artifact_bytes_max)
    : pool_(pool), store_(store), remotes_(remotes), zygote_(zygote), slots_(executor, jobs_max),
      carriers_(executor, jobs_max), artifact_bytes_max_(artifact_bytes_max) {}

/// One job over the artifact and what was fetched so far.
Task<std::string> WorkerRenderer::run_worker(model::Artifact artifact, Supplies const& supplies,
                                             json::object& request) {
    auto lease = co_await slots_.take(std::chrono::minutes{10});  // artifacts are in memory only with one
    if (!lease) co_return fail(std::move(lease), "render");
    auto assemble = [&]() -> Result<MemoryFile> {
        auto bytes = store_.read(artifact.digest, artifact_bytes_max_);
        if (!bytes) return fail(std::move(bytes), "artifact");
        request["artifactBytes"] = bytes->size();
        return sealed_input(*bytes, supplies);
    };
    auto input = co_await on_pool(pool_, std::move(assemble));
    if (!input) co_return fail(std::move(input));
    request["remotes"] = supplies.description();
    co_return co_await sandbox::run_job(zygote_, input->fd(), json::serialize(request));
}

Task<void> WorkerRenderer::fetch(std::vector<kustomize::Remote> missing, Supplies& into) {
    for (kustomize::Remote const& remote : missing) {
        auto const content = co_await remotes_.fetch(remote, into.bytes_left());
        auto added = into.add(remote, content);
        if (!added) co_return added;
    }
    co_return Result<void>{};
}

Task<reconcile::Rendered> WorkerRenderer::render(model::Artifact artifact, model::KustomizationSpec spec,
                                                 bool remote_bases) {
    json::object fields = std::move(spec.kustomize);
    if (!spec.target_namespace.empty()) fields["targetNamespace"] = spec.target_namespace;
    json::object request{
        {kJobTag, "kustomize"}, {"path", spec.path}, {"fields", std::move(fields)}, {"remoteBases", remote_bases}};
    auto supplies = Supplies::create();
    if (!supplies) co_return fail(std::move(supplies), "render");
    Slots::Lease carries;  // what is fetched stays in memory until the end
    for (std::size_t rounds = 0;; ++rounds) {
        auto text = co_await run_worker(artifact, *supplies, request);
        if (!text) co_return fail(std::move(text));
        auto reply = read_reply(*text);
        if (!reply) co_return fail(std::move(reply));
        if (reply->missing.empty() || !remote_bases) {
            reply->rendered.remotes = supplies->keys();
            co_return std::move(reply->rendered);
        }
        if (rounds == limits::kRemoteRoundsMax) co_return too_many_rounds(reply->missing.front());
        if (rounds == 0) {
            auto lease = co_await carriers_.take(std::chrono::minutes{10});
            if (!lease) co_return fail(std::move(lease), "render: remote bases");
            carries = std::move(*lease);
        }
        auto fetched = co_await fetch(std::move(reply->missing), *supplies);
        if (!fetched) co_return fail(std::move(fetched));
    }
}

}  // namespace holdfast::daemon
