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

constexpr std::chrono::minutes kWaitMax{10};    // for a place, and for all remote bases of a render together
constexpr std::size_t kWorkerBytes = 2u << 20;  // of a worker beside its heap: stack, page tables, pages of the zygote
constexpr std::size_t kWorkerBytesMin = 4u << 20;  // of heap, for the smallest render

/// What was verified is what the worker reads: a copy in memory that nobody can change any more.
Result<MemoryFile> sealed_input(source::ArtifactStore& store, std::string const& digest, std::size_t size,
                                Supplies const& supplies) {
    auto file = MemoryFile::create();
    if (!file) return file;
    auto copied = store.read(digest, [&](std::string_view piece) -> Result<void> {
        if (file->size() + piece.size() > size) return fail(Errc::corrupt, "artifact " + digest + " grew");
        return file->append(piece);
    });
    if (!copied) return fail(std::move(copied), "artifact");
    if (auto ok = supplies.append_to(*file); !ok) return fail(std::move(ok));
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

std::size_t memory_of_objects(std::string_view answer) {
    constexpr std::size_t kValue = 28, kName = 52;  // with the heap's own bytes
    std::size_t values = 1, names = 0;
    bool in_text = false;
    for (std::size_t i = 0; i < answer.size(); ++i) {
        char const c = answer[i];
        if (in_text) {
            if (c == '\\') ++i;
            else if (c == '"') in_text = false;
            continue;
        }
        if (c == '"') in_text = true;
        else if (c == ',' || c == '[' || c == '{') ++values;
        else if (c == ':') ++names;
    }
    return 2 * (answer.size() + answer.size() + values * kValue + names * kName);
}

WorkerRenderer::WorkerRenderer(Parts parts, Budget const& budget, std::size_t jobs_max)
    : parts_(std::move(parts)), budget_(budget), slots_(parts_.executor, jobs_max),
      fetchers_(parts_.executor, jobs_max), carriers_(parts_.executor, budget.remotes),
      own_share_(budget.remotes / jobs_max) {}

/// One job with so much memory for itself.
Task<std::string> WorkerRenderer::run_once(model::Artifact artifact, Supplies const& supplies, json::object& request,
                                           std::size_t memory_bytes) {
    auto const size = request.at("artifactBytes").to_number<std::size_t>();
    auto assemble = [&] { return sealed_input(parts_.store, artifact.digest, size, supplies); };
    auto input = co_await on_pool(parts_.pool, std::move(assemble));
    if (!input) co_return fail(std::move(input));
    sandbox::Order const order{.memory_bytes_max = memory_bytes, .reply_bytes_max = budget_.reply};
    co_return co_await sandbox::run_job(parts_.zygote, input->fd(), json::serialize(request), order);
}

/// One job over the artifact and what was fetched so far. Few need much: it begins small, so that others run beside it,
/// and is done again with more when that was too little.
Task<WorkerRenderer::Answer> WorkerRenderer::run_worker(std::string ns, model::Artifact artifact,
                                                        Supplies const& supplies, json::object& request) {
    // A render ends soon: while there is only one namespace, no worker has to be kept free for others.
    std::string const party = parts_.is_shared() ? ns : "";
    auto slot = co_await slots_.take(kWaitMax, party);
    if (!slot) co_return fail(std::move(slot), "render");
    auto measure = [&] { return parts_.store.size(artifact.digest); };
    auto const size = co_await on_pool(parts_.pool, std::move(measure));
    if (!size) co_return fail(size.error().code, "artifact: " + size.error().message);
    std::size_t const beside = *size + supplies.size() + budget_.reply + kWorkerBytes;
    if (beside + kWorkerBytesMin > budget_.render_large) {
        co_return fail(Errc::limit, "artifact '" + artifact.revision + "' has " + std::to_string(*size) +
                                        " bytes and its remote bases " + std::to_string(supplies.size()) +
                                        ", for which a render would need " + std::to_string(beside + kWorkerBytesMin) +
                                        " of the " + std::to_string(budget_.render_large) +
                                        " that limits.memory leaves for one");
    }
    request["artifactBytes"] = *size;
    request["remotes"] = supplies.description();
    std::size_t bytes = std::min(budget_.render_small + *size + supplies.size(), budget_.render_large);
    for (;; bytes = budget_.render_large) {
        bool const is_last = bytes == budget_.render_large;
        auto lease = co_await parts_.work.take(bytes, kWaitMax);
        if (!lease) co_return fail(std::move(lease), "render");
        auto text = co_await run_once(artifact, supplies, request, bytes - beside);
        bool const is_cramped = !text && text.error().message == sandbox::kOutOfMemory;
        if (is_cramped && !is_last) continue;
        if (is_cramped) {
            auto const limits = parts_.zygote.limits({.memory_bytes_max = bytes - beside});
            co_return fail(Errc::limit, "out of memory: a render may have " + std::to_string(limits.memory_bytes_max) +
                                            " bytes (limits.memory, limits.render_memory)");
        }
        if (!text) co_return fail(std::move(text));
        std::size_t const held = memory_of_objects(*text);
        if (held > lease->bytes() && !lease->grow_to(held)) {
            if (!is_last) continue;
            co_return fail(Errc::limit, "the objects would take " + std::to_string(held) + " bytes of memory of the " +
                                            std::to_string(bytes) +
                                            " that limits.memory leaves for those of one Kustomization");
        }
        lease->shrink_to(held);
        co_return Answer{std::move(*text), std::move(*lease)};
    }
}

Task<void> WorkerRenderer::fetch(std::string ns, std::vector<kustomize::Remote> missing, Supplies& into,
                                 Fetching& fetching) {
    ByteBudget::Lease& carries = fetching.bytes;
    for (kustomize::Remote const& remote : missing) {
        kustomize::Remote in_time = remote;
        in_time.timeout =
            std::min<std::chrono::nanoseconds>(remote.timeout, fetching.until - std::chrono::steady_clock::now());
        // How large it is shows when it is there: until then it may have all that is free.
        carries.grow_to(carries.bytes() + carriers_.bytes_max() - carriers_.used());
        auto const content = co_await parts_.remotes.fetch(ns, std::move(in_time), carries.bytes() - into.size());
        auto added = into.add(remote, content);
        carries.shrink_to(std::max(own_share_, into.size()));
        if (!added) co_return added;
    }
    co_return Result<void>{};
}

Task<reconcile::Rendered> WorkerRenderer::render(std::string ns, model::Artifact artifact,
                                                 model::KustomizationSpec spec, bool remote_bases) {
    auto handed_on = parse_json(spec.kustomize.empty() ? "{}" : spec.kustomize.text());
    if (!handed_on || !handed_on->is_object()) co_return fail(Errc::invalid_input, "the spec cannot be read");
    json::object fields = std::move(handed_on->get_object());
    if (!spec.target_namespace.empty()) fields["targetNamespace"] = spec.target_namespace;
    json::object request{
        {kJobTag, "kustomize"}, {"path", spec.path}, {"fields", std::move(fields)}, {"remoteBases", remote_bases}};
    Supplies supplies{budget_.remotes};
    Fetching fetching;
    for (std::size_t rounds = 0;; ++rounds) {
        auto answer = co_await run_worker(ns, artifact, supplies, request);
        if (!answer) co_return fail(std::move(answer));
        auto reply = read_reply(std::exchange(answer->text, {}));
        if (!reply) co_return fail(std::move(reply));
        if (reply->missing.empty() || !remote_bases) {
            reply->rendered.remotes = supplies.names();
            reply->rendered.memory = std::move(answer->memory);
            co_return std::move(reply->rendered);
        }
        answer->memory = {};  // others go on while this one waits for the network
        if (rounds == limits::kRemoteRoundsMax) co_return too_many_rounds(reply->missing.front());
        if (rounds == 0) {
            fetching.until = std::chrono::steady_clock::now() + kWaitMax;
            auto place = co_await fetchers_.take(kWaitMax, ns);
            if (!place) co_return fail(std::move(place), "render: remote bases");
            fetching.place = std::move(*place);
            auto lease = co_await carriers_.take(own_share_, kWaitMax);
            if (!lease) co_return fail(std::move(lease), "render: remote bases");
            fetching.bytes = std::move(*lease);
        }
        auto fetched = co_await fetch(ns, std::move(reply->missing), supplies, fetching);
        if (!fetched) co_return fail(std::move(fetched));
    }
}

}  // namespace holdfast::daemon
