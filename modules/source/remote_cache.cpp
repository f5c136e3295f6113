// modules/source/remote_cache.cpp: upstream first, the cache when there is none.
#include "modules/source/remote_cache.hpp"

#include "modules/base/mask.hpp"
#include "modules/base/on_pool.hpp"
#include "modules/crypto/digest.hpp"
#include "modules/http/gzip.hpp"
#include "modules/http/url.hpp"
#include "modules/source/tar_writer.hpp"

namespace holdfast::source {

namespace {

constexpr std::string_view kArea = "source";

/// "host:port"; nothing for what is asked over no network.
std::string host_of(std::string const& url) {
    auto const parts = http::parse_url(url);
    return parts ? parts->authority() : "";
}

/// For people: an error names the URL, which may carry a login.
std::unexpected<Error> shown(Error error, std::string const& step = "") {
    error.message = mask_logins(error.message);
    return std::unexpected{step.empty() ? std::move(error) : std::move(error).in(mask_logins(step))};
}

/// Why upstream could not be asked; nothing when it gave an answer to be believed.
std::optional<Error> failure_of(Result<RemoteContent> const& fetched) {
    if (!fetched && fetched.error().code != Errc::not_found) return fetched.error();
    bool const later = fetched && (fetched->status >= 500 || fetched->status == 429);
    if (later) return Error{Errc::busy, "status code " + std::to_string(fetched->status)};
    return std::nullopt;
}

}  // namespace

std::string kept_name(kustomize::Remote const& remote) {
    auto const key = remote.key();
    auto const masked = mask_logins(key);
    return masked == key ? key : masked + " sha256:" + crypto::sha256_hex(key);
}

/// What a fetch gave, and what of it is on its way to the disk.
struct RemoteCache::Obtained {
    RemoteContent content;
    std::optional<Error> failure;            // the content is what was kept, because upstream gave none
    std::unique_ptr<ArtifactWriter> writer;  // null: nothing new to keep
    std::string digest;
    std::uint64_t size = 0;
};

/// What is kept, unpacked into `sink`. Errors  corrupt  damaged;  limit  more than `bytes_max`
Result<void> RemoteCache::read(StoredArtifact const& kept, std::size_t bytes_max, ArtifactStore::Sink sink) const {
    http::Gunzip unpack{bytes_max, std::move(sink)};
    auto read = ports_.store.read(kept.digest, [&](std::string_view piece) { return unpack.write(piece); });
    if (!read) return read;
    return unpack.finish();
}

Result<RemoteContent> RemoteCache::served(StoredArtifact const& kept, std::size_t bytes_max) const {
    auto file = MemoryFile::create();
    if (!file) return fail(std::move(file));
    auto filled = read(kept, bytes_max, [&](std::string_view piece) { return file->append(piece); });
    if (!filled) return fail(std::move(filled));
    return RemoteContent{.version = kept.revision, .bytes = std::make_shared<MemoryFile const>(std::move(*file))};
}

/// Where the same bytes are kept already there is nothing new.
Result<void> RemoteCache::keep(Obtained& obtained, std::optional<StoredArtifact> const& kept) const {
    auto writer = ports_.store.begin();
    if (!writer) return fail(std::move(writer));
    ArtifactSink const to_disk = [&](std::string_view piece) { return (*writer)->write(piece); };
    GzipSink packed{to_disk};
    auto written = obtained.content.bytes->each([&](std::string_view piece) { return packed.write(piece); });
    if (written) written = packed.finish();
    if (!written) return written;
    auto digest = (*writer)->finish();
    if (!digest) return fail(std::move(digest));
    if (kept && kept->digest == *digest) return {};
    obtained.digest = std::move(*digest);
    obtained.size = packed.size();
    obtained.writer = std::move(*writer);
    return {};
}

Result<RemoteCache::Obtained> RemoteCache::obtain(kustomize::Remote const& remote, std::size_t bytes_max,
                                                  std::optional<StoredArtifact> const& kept, bool ask) const {
    // What is damaged is not held. It is read twice rather than held in memory beside what comes.
    bool const held = kept && read(*kept, bytes_max, [](std::string_view) { return Result<void>{}; });
    Obtained obtained;
    auto serve = [&]() -> Result<Obtained> {
        auto content = served(*kept, bytes_max);
        if (!content) return fail(std::move(content));
        obtained.content = std::move(*content);
        return std::move(obtained);
    };
    if (held && !ask) return serve();
    if (!ask)
        return fail(Errc::offline, "what was kept of '" + remote.url + "' is damaged, and its host gives no answer");
    auto fetched = fetch_(remote, {.scratch = scratch_,
                                   .known = held ? kept->revision : "",
                                   .bytes_max = bytes_max,
                                   .reach = reach_,
                                   .stop = stop_});
    auto failure = failure_of(fetched);
    if (held && (failure || (fetched && fetched->unchanged))) {
        obtained.failure = std::move(failure);
        return serve();
    }
    if (!fetched) return fail(std::move(fetched));
    obtained.content = std::move(*fetched);
    bool const is_good = obtained.content.status >= 200 && obtained.content.status <= 299 && !obtained.content.is_page;
    if (!is_good || !obtained.content.bytes) return obtained;
    if (auto ok = keep(obtained, held ? kept : std::nullopt); !ok)
        return fail(std::move(ok), "failed to store '" + remote.url + "'");
    return obtained;
}

void RemoteCache::note(std::string const& source, std::string const& failure) {
    auto const remote = source.substr(kRemoteSource.size());
    if (failure.empty()) {
        if (failing_.erase(source) > 0)
            ports_.log.info(kArea, "remote base can be fetched again", {{"remote", remote}});
    } else if (failing_.insert(source).second) {
        ports_.log.warning(kArea, "remote base not fetched, its last content is used",
                           {{"remote", remote}, {"error", failure}});
    }
}

Task<RemoteContent> RemoteCache::fetch(std::string ns, kustomize::Remote remote, std::size_t bytes_max) {
    auto const source = std::string{kRemoteSource} + kept_name(remote);
    auto const host = host_of(remote.url);
    auto find = [this, source] { return ports_.store.newest(source); };
    auto kept = co_await on_pool(ports_.db, std::move(find));
    if (!kept) co_return fail(std::move(kept), "remote bases");
    auto turn = ports_.hosts.take_turn(ns, host, std::chrono::nanoseconds::max());
    bool const ask = turn.has_value();
    std::string const silence = ask ? "" : host + " gives no answer to another that asked it";
    if (!ask && !*kept) co_return shown({turn.error().error.code, silence}, "'" + remote.url + "'");
    auto work = [this, remote, bytes_max, kept = std::move(*kept), ask] {
        return obtain(remote, bytes_max, kept, ask);
    };
    auto obtained = co_await on_pool(ports_.pool, std::move(work));
    Error const* failure = !obtained ? &obtained.error() : obtained->failure ? &*obtained->failure : nullptr;
    if (ask && failure != nullptr && is_silence(*failure, remote.timeout)) {
        turn->silent(*failure);
    } else if (ask && (failure == nullptr || is_answer(*failure))) {
        turn->answered();
    }
    if (!obtained) co_return shown(std::move(obtained).error());
    note(source, !ask ? silence : failure != nullptr ? failure->message : "");
    if (obtained->writer) {
        StoredArtifact row{.source = source,
                           .revision = obtained->content.version,
                           .digest = obtained->digest,
                           .size = obtained->size,
                           .stored_at = ports_.clock.wall()};
        auto record = [this, row = std::move(row)] { return ports_.store.record(row); };
        auto recorded = co_await on_pool(ports_.db, std::move(record));
        if (!recorded) co_return shown(std::move(recorded).error(), "failed to store '" + remote.url + "'");
    }
    co_return std::move(obtained->content);
}

}  // namespace holdfast::source
