// daemon/remote_cache.cpp: upstream first, the cache when there is none.
#include "daemon/remote_cache.hpp"

#include "modules/base/limits.hpp"
#include "modules/base/on_pool.hpp"
#include "modules/http/gzip.hpp"

namespace holdfast::daemon {

namespace {

constexpr std::string_view kArea = "reconcile";

/// Why upstream could not be asked; "" when it gave an answer to be believed.
std::string failure_of(Result<source::RemoteContent> const& fetched) {
    if (!fetched) return fetched.error().code == Errc::not_found ? "" : fetched.error().message;
    bool const later = fetched->status >= 500 || fetched->status == 429;
    return later ? "status code " + std::to_string(fetched->status) : "";
}

}  // namespace

/// What a fetch gave, and what of it is on its way to the disk.
struct RemoteCache::Obtained {
    source::RemoteContent content;
    std::string failure;                             // the content is what was kept, because upstream gave none
    std::unique_ptr<source::ArtifactWriter> writer;  // null: nothing new to keep
    std::string digest;
    std::uint64_t size = 0;
};

Result<std::string> RemoteCache::read(source::StoredArtifact const& kept, std::size_t bytes_max) const {
    auto packed = ports_.store.read(kept.digest, bytes_max);
    if (!packed) return packed;
    return http::gunzip(*packed, bytes_max);
}

Result<void> RemoteCache::keep(Obtained& obtained) const {
    auto packed = http::gzip(obtained.content.bytes);
    if (!packed) return fail(std::move(packed));
    auto writer = ports_.store.begin();
    if (!writer) return fail(std::move(writer));
    if (auto ok = (*writer)->write(*packed); !ok) return ok;
    auto digest = (*writer)->finish();
    if (!digest) return fail(std::move(digest));
    obtained.digest = std::move(*digest);
    obtained.size = packed->size();
    obtained.writer = std::move(*writer);
    return {};
}

Result<RemoteCache::Obtained> RemoteCache::obtain(kustomize::Remote const& remote, std::size_t bytes_max,
                                                  std::optional<source::StoredArtifact> const& kept) const {
    source::RemoteOptions options{.scratch = scratch_, .known = kept ? kept->revision : "", .bytes_max = bytes_max, .stop = stop_};
    auto fetched = source::fetch_remote(remote, options);
    Obtained obtained{.failure = failure_of(fetched)};
    std::optional<std::string> held;
    if (kept) {
        auto bytes = read(*kept, bytes_max);
        if (bytes) held = std::move(*bytes);
    }
    if (held && (!obtained.failure.empty() || (fetched && fetched->unchanged))) {
        obtained.content = {.version = kept->revision, .bytes = std::move(*held)};
        return obtained;
    }
    if (fetched && fetched->unchanged) {  // but what is kept is damaged
        options.known.clear();
        fetched = source::fetch_remote(remote, options);
    }
    if (!fetched) return fail(std::move(fetched));
    obtained.failure.clear();
    obtained.content = std::move(*fetched);
    bool const is_good = obtained.content.status >= 200 && obtained.content.status <= 299 && !obtained.content.is_page;
    if (!is_good || held == obtained.content.bytes) return obtained;
    if (auto ok = keep(obtained); !ok) return fail(std::move(ok), "failed to store '" + remote.url + "'");
    return obtained;
}

void RemoteCache::note(std::string const& source, std::string const& failure) {
    auto const known = failing_.find(source);
    auto const remote = source.substr(kRemoteSource.size());
    if (failure.empty()) {
        if (known == failing_.end()) return;
        failing_.erase(known);
        ports_.log.info(kArea, "remote base can be fetched again", {{"remote", remote}});
        return;
    }
    if (known != failing_.end() && known->second == failure) return;
    failing_[source] = failure;
    ports_.log.warning(kArea, "remote base not fetched, its last content is used", {{"remote", remote}, {"error", failure}});
}

Task<source::RemoteContent> RemoteCache::fetch(kustomize::Remote remote, std::size_t bytes_max) {
    auto const source = std::string{kRemoteSource} + remote.key();
    auto find = [this, source] { return ports_.store.newest(source); };
    auto kept = co_await on_pool(ports_.db, std::move(find));
    if (!kept) co_return fail(std::move(kept), "remote bases");
    auto work = [this, remote, bytes_max, kept = std::move(*kept)] { return obtain(remote, bytes_max, kept); };
    auto obtained = co_await on_pool(ports_.pool, std::move(work));
    if (!obtained) co_return fail(std::move(obtained));
    note(source, obtained->failure);
    if (obtained->writer) {
        source::StoredArtifact row{.source = source, .revision = obtained->content.version, .digest = obtained->digest,
                                   .size = obtained->size, .stored_at = ports_.clock.wall()};
        auto record = [this, row = std::move(row)] { return ports_.store.record(row); };
        auto recorded = co_await on_pool(ports_.db, std::move(record));
        if (!recorded) co_return fail(std::move(recorded), "failed to store '" + remote.url + "'");
    }
    co_return std::move(obtained->content);
}

}  // namespace holdfast::daemon
