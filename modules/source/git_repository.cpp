// modules/source/git_repository.cpp: one pass over one GitRepository, read forward.
#include "modules/source/git_repository.hpp"

#include "modules/base/base64.hpp"
#include "modules/base/on_pool.hpp"
#include "modules/source/artifact.hpp"
#include "modules/text/semver/semver.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace holdfast::source {

using model::Entry;
using model::Key;
using model::Truth;
using story::Next;

/// What a fetch gave: nothing new, or a new artifact whose bytes are on the disk.
struct GitRepositories::Fetched {
    std::string revision;
    bool is_new = false;
    std::string digest;
    std::uint64_t size = 0;
    std::string subject;  // first line of the commit's message
};

namespace {

namespace json = boost::json;
constexpr std::string_view kArea = "source";
constexpr std::chrono::seconds kDamagePause{10};  // between fetches because of damage
constexpr std::chrono::minutes kRememberEvery{
    10};  // a check that found nothing new: an age this wrong, a write this rare

/// What outlives a restart beside the status: when upstream last answered.
std::string facts_text(Entry const& entry) {
    if (!entry.status.artifact) return "{}";
    return json::serialize(json::object{{"checkedAt", model::format_time(entry.status.artifact->last_checked)}});
}

/// The commit's files as the artifact writer wants them.
class CommitTree final : public Tree {
public:
    explicit CommitTree(git::Snapshot& snapshot) : snapshot_(snapshot) {
        for (git::File const& file : snapshot.files()) entries_.push_back({file.path, kind_of(file.kind), file.size});
    }
    std::vector<TreeEntry> const& entries() const override { return entries_; }
    Result<std::string> read(std::size_t index) override { return snapshot_.read(index); }

private:
    static EntryKind kind_of(git::FileKind kind) {
        switch (kind) {
            case git::FileKind::directory: return EntryKind::directory;
            case git::FileKind::file: return EntryKind::file;
            case git::FileKind::executable: return EntryKind::executable;
            case git::FileKind::link:
            case git::FileKind::submodule: return EntryKind::other;
        }
        return EntryKind::other;
    }

    git::Snapshot& snapshot_;
    std::vector<TreeEntry> entries_;
};

/// The highest version among the tags that the range accepts; of equal versions the tag that sorts last.
Result<std::optional<std::string>> highest_tag(std::string const& range, std::vector<std::string> const& tags) {
    auto constraint = semver::parse_constraint(range);
    if (!constraint) return fail(std::move(constraint), "semver parse error");
    std::optional<std::string> best;
    std::optional<semver::Version> best_version;
    for (std::string const& tag : tags) {
        auto version = semver::parse(tag);
        if (!version || !constraint->check(*version)) continue;
        int const order = best_version ? semver::compare(*version, *best_version) : 1;
        if (order < 0 || (order == 0 && tag < *best)) continue;
        best = tag;
        best_version = std::move(*version);
    }
    return best;
}

std::string secret_value(kube::Object const& secret, std::initializer_list<std::string_view> names) {
    for (std::string_view const name : names) {
        auto const encoded = kube::find_string(secret, {"data", name});
        if (encoded.empty()) continue;
        auto decoded = base64_decode(encoded);
        if (decoded) return std::move(*decoded);
    }
    return "";
}

std::string commit_of(std::string_view revision) {
    auto const colon = revision.rfind(':');
    return std::string{colon == std::string_view::npos ? revision : revision.substr(colon + 1)};
}

std::string stored_message(std::string const& revision) { return "stored artifact for revision '" + revision + "'"; }

std::string first_line(std::string const& text) { return text.substr(0, text.find('\n')); }

}  // namespace

GitRepositories::GitRepositories(story::Ports ports, asio::thread_pool& pool, ArtifactStore& store, Settings settings,
                                 std::stop_token stop, Checkout checkout)
    : ports_(ports), pool_(pool), store_(store), settings_(std::move(settings)), stop_(std::move(stop)),
      checkout_(std::move(checkout)) {}

bool GitRepositories::distrust(Key const& key) {
    auto const now = ports_.clock.boot();
    auto const [last, is_first] = damaged_at_.try_emplace(key, now);
    if (!is_first && now - last->second < kDamagePause) return false;
    last->second = now;
    distrusted_[key] = true;
    return true;
}

void GitRepositories::load(model::JournalEntry const& row) {
    Entry* entry = ports_.registry.find(row.key);
    if (entry == nullptr || !entry->status.artifact) return;
    boost::system::error_code ec;
    auto const value = json::parse(row.facts.empty() ? "{}" : row.facts, ec);
    if (ec || !value.is_object()) return;
    auto const checked = model::parse_time(kube::find_string(value.get_object(), {"checkedAt"}));
    if (!checked) return;
    entry->status.artifact->last_checked = *checked;
    remembered_[row.key] = *checked;
}

asio::awaitable<Next> GitRepositories::reconcile(Key key) {
    Entry* entry = ports_.registry.find(key);
    if (entry == nullptr) co_return Next{};
    if (entry->gone || entry->meta.deleting) co_return co_await finalize(key);
    if (!entry->spec) {
        Error error{Errc::invalid_input, entry->problem};
        co_return co_await miss(key, {}, "URLInvalid", std::move(error));
    }
    auto const spec = entry->spec_as<model::GitRepositorySpec>();
    if (spec.suspend) {
        co_await record(key);
        co_return Next{};
    }
    auto held = co_await story::take_finalizer(ports_, key);
    if (!held) co_return Next{std::chrono::seconds{5}};

    auto secret = co_await credentials(key, spec.secret_name);
    if (!secret) co_return co_await miss(key, spec, "AuthenticationFailed", std::move(secret).error());
    auto fetched = co_await fetch(key, spec, std::move(*secret));
    if (!fetched) {
        std::string reason{git::reason_of(fetched.error())};
        co_return co_await miss(key, spec, std::move(reason), std::move(fetched).error());
    }
    co_return co_await keep(key, spec, std::move(*fetched));
}

/// The keys of the Secret that spec.secretRef names; nothing named, nothing read.
Task<git::Credentials> GitRepositories::credentials(Key key, std::string secret_name) {
    git::Credentials credentials;
    if (secret_name.empty()) co_return credentials;
    std::string const step = "failed to get secret '" + key.ns + "/" + secret_name + "'";
    if (ports_.cluster == nullptr) co_return fail(Errc::offline, step + ": no cluster is configured");
    auto resource = co_await ports_.cluster->resource_for({"", "v1", "Secret"});
    if (!resource) co_return fail(std::move(resource), step);
    auto secret = co_await ports_.cluster->get({std::move(*resource), key.ns, secret_name});
    if (!secret) co_return fail(std::move(secret), step);
    credentials.username = secret_value(*secret, {"username"});
    credentials.password = secret_value(*secret, {"password"});
    credentials.bearer_token = secret_value(*secret, {"bearerToken"});
    credentials.ca_pem = secret_value(*secret, {"ca.crt", "caFile"});
    credentials.certificate_pem = secret_value(*secret, {"tls.crt", "certFile"});
    credentials.key_pem = secret_value(*secret, {"tls.key", "keyFile"});
    co_return credentials;
}

/// Asks upstream; when it has something new, its files become an artifact on the disk and the newest row.
Task<GitRepositories::Fetched> GitRepositories::fetch(Key key, model::GitRepositorySpec spec,
                                                      git::Credentials credentials) {
    Entry const* entry = ports_.registry.find(key);
    std::string known;
    bool const trusted = !distrusted_[key];
    if (entry != nullptr && entry->status.artifact && trusted && entry->status.observed_ignore == spec.ignore) {
        known = entry->status.artifact->revision;
    }
    struct Written {
        Fetched fetched;
        std::unique_ptr<ArtifactWriter> writer;  // alive until the row names its bytes
    };
    auto work = [this, spec, known, credentials = std::move(credentials)]() -> Result<Written> {
        git::Remote const remote{.url = spec.url, .credentials = credentials};
        git::Reference const reference{spec.branch, spec.tag, spec.semver, spec.ref_name, spec.commit};
        git::Options options{
            .scratch = settings_.scratch, .known_revision = known, .pick_tag = highest_tag, .stop = stop_};
        options.bounds.whole_max = std::chrono::duration_cast<std::chrono::milliseconds>(spec.timeout);
        options.bounds.wire_bytes_max = settings_.wire_bytes_max;
        auto checkout = checkout_(remote, reference, options);
        if (!checkout) return fail(std::move(checkout), "failed to checkout and determine revision");
        Written written;
        written.fetched.revision = checkout->revision;
        if (!checkout->snapshot) return written;
        auto writer = store_.begin();
        if (!writer) return fail(std::move(writer), "failed to store artifact");
        CommitTree tree{*checkout->snapshot};
        auto const sink = [&](std::string_view piece) { return (*writer)->write(piece); };
        auto info = write_artifact(tree, spec.ignore, sink);
        if (!info) return fail(std::move(info), "failed to archive artifact");
        auto digest = (*writer)->finish();
        if (!digest) return fail(std::move(digest), "failed to store artifact");
        written.fetched.is_new = true;
        written.fetched.digest = *digest;
        written.fetched.size = info->size;
        written.fetched.subject = first_line(checkout->snapshot->message());
        written.writer = std::move(*writer);
        return written;
    };
    auto written = co_await on_pool(pool_, std::move(work));
    if (!written) co_return fail(std::move(written));
    if (!written->fetched.is_new) co_return std::move(written->fetched);
    StoredArtifact row{.source = key.text(),
                       .revision = written->fetched.revision,
                       .digest = written->fetched.digest,
                       .size = written->fetched.size,
                       .stored_at = ports_.clock.wall()};
    auto record_row = [this, row = std::move(row)] { return store_.record(row); };
    auto recorded = co_await on_pool(ports_.db, std::move(record_row));
    if (!recorded) co_return fail(std::move(recorded), "failed to store artifact");
    co_return std::move(written->fetched);
}

/// Upstream answered: the newest revision is held.
asio::awaitable<Next> GitRepositories::keep(Key key, model::GitRepositorySpec spec, Fetched fetched) {
    Entry* entry = ports_.registry.find(key);
    if (entry == nullptr) co_return Next{};
    backoffs_.erase(key);
    distrusted_.erase(key);
    auto const now = ports_.clock.wall();
    auto& status = entry->status;
    bool const unchanged = !fetched.is_new && !entry->unrecorded && status.conditions.is("Ready", Truth::yes) &&
                           status.conditions.find("FetchFailed") == nullptr &&
                           status.observed_generation == entry->meta.generation &&
                           status.last_handled_reconcile_at == entry->meta.requested_at;
    if (status.artifact) status.artifact->last_checked = now;
    if (unchanged) {  // nothing to tell anyone
        if (now - remembered_[key] >= kRememberEvery) co_await remember_check(key);
        co_return Next{spec.interval};
    }
    if (fetched.is_new) {
        std::string const path =
            "gitrepository/" + key.ns + "/" + key.name + "/" + commit_of(fetched.revision) + ".tar.gz";
        status.artifact = model::Artifact{.revision = fetched.revision,
                                          .digest = fetched.digest,
                                          .path = path,
                                          .url = "http://source-controller.flux-system.svc.cluster.local./" + path,
                                          .size = fetched.size,
                                          .last_update = now,
                                          .last_checked = now};
        status.observed_ignore = spec.ignore;
    }
    std::string const message = stored_message(fetched.revision);
    status.conditions.remove("FetchFailed");
    status.conditions.remove("Stalled");
    status.conditions.set("ArtifactInStorage", Truth::yes, "Succeeded", message, entry->meta.generation, now);
    status.conditions.set("Ready", Truth::yes, "Succeeded", message, entry->meta.generation, now);
    status.observed_generation = entry->meta.generation;
    if (!co_await record(key)) co_return Next{std::chrono::seconds{10}};
    if (fetched.is_new) {
        std::string const news = "stored artifact for commit '" + fetched.subject + "'";
        ports_.log.info(
            kArea, news,
            {{"kind", "GitRepository"}, {"namespace", key.ns}, {"name", key.name}, {"revision", fetched.revision}});
        co_await story::tell(ports_, key, false, "NewArtifact", news, fetched.revision);
    }
    co_return Next{spec.interval};
}

/// Upstream did not answer, or refused: what is held stays, and its age goes on.
asio::awaitable<Next> GitRepositories::miss(Key key, model::GitRepositorySpec spec, std::string reason, Error error) {
    Entry* entry = ports_.registry.find(key);
    if (entry == nullptr) co_return Next{};
    auto const now = ports_.clock.wall();
    auto& status = entry->status;
    bool const away = (is_retryable(error.code) || error.code == Errc::corrupt) && status.artifact.has_value();
    auto const* before = status.conditions.find("FetchFailed");
    bool const repeat = before != nullptr && before->message == error.message && before->reason == reason;
    status.conditions.set("FetchFailed", Truth::yes, reason, error.message, entry->meta.generation, now);
    if (!away) status.conditions.set("Ready", Truth::no, reason, error.message, entry->meta.generation, now);
    status.observed_generation = entry->meta.generation;
    if (!entry->spec) status.conditions.set("Stalled", Truth::yes, reason, error.message, entry->meta.generation, now);
    co_await record(key);
    if (!repeat) {
        ports_.log.write(away ? LogLevel::warning : LogLevel::error, kArea, error.message,
                         {{"kind", "GitRepository"}, {"namespace", key.ns}, {"name", key.name}, {"reason", reason}});
        co_await story::tell(ports_, key, true, reason, error.message, "");
    }
    if (spec.interval.count() == 0) co_return Next{};  // only a new wish can mend it
    auto const backoff = backoffs_.try_emplace(key, settings_.retry).first;
    co_return Next{std::min<model::Duration>(backoff->second.next(), spec.interval)};
}

asio::awaitable<bool> GitRepositories::record(Key key) {
    Entry* entry = ports_.registry.find(key);
    if (entry == nullptr) co_return true;
    if (!entry->meta.requested_at.empty()) entry->status.last_handled_reconcile_at = entry->meta.requested_at;
    if (entry->status.artifact) remembered_[key] = entry->status.artifact->last_checked;
    story::Outcome outcome{.facts = facts_text(*entry)};
    outcome.records.push_back(story::object_record(*entry, ports_.clock.wall()));
    auto concluded = co_await story::conclude(ports_, key, std::move(outcome));
    if (concluded) co_return true;
    ports_.log.error(kArea, "not recorded", {{"name", key.name}, {"error", concluded.error().message}});
    co_return false;
}

/// After a power cut the age of what is held is as old as the last check, not as the last change. Best effort.
asio::awaitable<void> GitRepositories::remember_check(Key key) {
    Entry const* entry = ports_.registry.find(key);
    if (entry == nullptr || !entry->status.artifact) co_return;
    remembered_[key] = entry->status.artifact->last_checked;
    model::JournalWrite write{.key = key};
    write.facts = facts_text(*entry);
    auto save = [&journal = ports_.journal, write = std::move(write)] { return journal.save(write); };
    auto saved = co_await on_pool(ports_.db, std::move(save));
    if (!saved) ports_.log.debug(kArea, "check not remembered", {{"name", key.name}, {"error", saved.error().message}});
}

asio::awaitable<Next> GitRepositories::finalize(Key key) {
    Entry const* entry = ports_.registry.find(key);
    if (entry == nullptr) co_return Next{};
    std::vector<model::ComplianceRecord> last;
    last.push_back(story::last_record(*entry, ports_.clock.wall()));
    auto forget = [this, name = key.text()] { return store_.forget(name); };
    auto forgotten = co_await on_pool(ports_.db, std::move(forget));
    if (!forgotten) {
        ports_.log.error(kArea, "artifacts not forgotten", {{"name", key.name}, {"error", forgotten.error().message}});
        co_return Next{std::chrono::seconds{10}};
    }
    auto released = co_await story::release(ports_, key, std::move(last));
    if (!released) {
        ports_.log.error(kArea, "finalizer not removed", {{"name", key.name}, {"error", released.error().message}});
        co_return Next{std::chrono::seconds{5}};
    }
    backoffs_.erase(key);
    distrusted_.erase(key);
    damaged_at_.erase(key);
    remembered_.erase(key);
    co_return Next{};
}

}  // namespace holdfast::source
