// modules/source/sources.cpp: one pass over one source, read forward.
#include "modules/source/sources.hpp"

#include "modules/base/assert.hpp"
#include "modules/base/hash.hpp"
#include "modules/base/json_text.hpp"
#include "modules/base/on_pool.hpp"
#include "modules/kube/object.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <utility>

namespace holdfast::source {

using model::Entry;
using model::Key;
using model::Truth;
using story::Outcome;
using story::Stop;

namespace {

constexpr std::string_view kFetchFailed = "FetchFailed";
constexpr std::string_view kStorageFailed = "StorageOperationFailed";
constexpr std::string_view kInStorage = "ArtifactInStorage";
constexpr std::string_view kSucceeded = "Succeeded";
constexpr std::chrono::seconds kIntervalMin{5};     // whoever wishes for less
constexpr std::chrono::minutes kTimeoutMax{10};     // the same, of what would hold a place among the fetches
constexpr std::chrono::seconds kDamagePause{10};    // between fetches because of damage
constexpr std::chrono::minutes kRememberEvery{10};  // a check without news: an age this wrong, a write this rare
constexpr std::size_t kPullSecretsMax = 64;         // of a service account
constexpr std::chrono::minutes kWordsStand{10};  // a server that words its refusal anew each time is quoted this often

model::SourceStatus& part(Outcome& outcome) { return outcome.status.part<model::SourceStatus>(); }

/// What holds an answer together with its question.
std::string hash_of(std::string_view question, std::string_view digest) {
    return std::to_string(hash64(digest, hash64("\n", hash64(question))));
}

Refusal problem_of(Entry const& entry) {
    std::string const& problem = entry.problem;
    std::string_view const reason = problem.starts_with("spec.url")        ? "URLInvalid"
                                    : problem.starts_with("spec.provider") ? "InvalidProviderConfiguration"
                                                                           : "InvalidSpec";
    return {std::string{reason}, problem};
}

bool is_requested(Entry const& entry) {
    return !entry.meta.requested_at.empty() && entry.meta.requested_at != entry.status.last_handled_reconcile_at;
}

/// Flux's words for what was being done when a pass stopped.
std::string progress_of(Entry const& entry) {
    if (model::artifact_of(entry.status) == nullptr) return "building artifact";
    if (entry.status.observed_generation == entry.meta.generation) return "reconciliation in progress";
    return "processing object: new generation " + std::to_string(entry.status.observed_generation) + " -> " +
           std::to_string(entry.meta.generation);
}

std::string path_of(Key const& key, std::string const& file) {
    std::string kind{model::kind_name(key.kind)};
    for (char& c : kind) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    }
    return kind + "/" + key.ns + "/" + key.name + "/" + file;
}

StoredArtifact row_of(Key const& key, Fetched const& fetched, model::WallTime now) {
    return {.source = key.text(),
            .revision = fetched.revision,
            .digest = fetched.digest,
            .size = fetched.size,
            .stored_at = now,
            .metadata = fetched.metadata};
}

}  // namespace

/// What one pass looks at, and the outcome it works on.
struct Sources::Pass {
    Entry const& entry;
    Upstream& upstream;
    Memory& memory;
    Wish wish;
    Outcome so_far;
    model::WallTime now;

    model::Artifact const* held() const { return model::artifact_of(so_far.status); }

    /// Is what is held the answer to what is wished for now? What nobody wrote down is believed to be.
    bool is_answered() const {
        auto const* artifact = held();
        if (artifact == nullptr) return false;
        return memory.answered.empty() || memory.answered == hash_of(wish.question, artifact->digest);
    }
    /// What upstream may take as known: bytes in the shape that is wished for, and no name that means others elsewhere.
    std::string known() const {
        auto const& status = so_far.status.part<model::SourceStatus>();
        if (!status.artifact || status.observed_ignore != wish.ignore) return "";
        return upstream.is_universal() || is_answered() ? status.artifact->revision : "";
    }
    bool is_refused() const { return memory.refused == hash_of(wish.question, ""); }
    model::Duration interval() const { return std::max<model::Duration>(wish.interval, kIntervalMin); }
    std::chrono::milliseconds timeout() const {
        auto const wished = std::clamp<model::Duration>(wish.timeout, std::chrono::milliseconds{1}, kTimeoutMax);
        return std::chrono::duration_cast<std::chrono::milliseconds>(wished);
    }
    /// People who ask do not wait for a host's pause to end.
    model::Duration patience() const { return is_requested(entry) ? model::Duration{0} : interval(); }
};

Sources::Sources(story::Ports ports, ArtifactStore& store, Hosts& hosts, Upstreams upstreams, Wake wake,
                 BackoffPolicy retry)
    : ports_(ports), store_(store), hosts_(hosts), upstreams_(upstreams), wake_(std::move(wake)), retry_(retry) {
    hosts_.listen([this](std::string const& host) {
        auto const found = waiting_.find(host);
        if (found == waiting_.end()) return;
        auto const woken = std::move(found->second);
        waiting_.erase(found);
        for (Key const& key : woken) wake_(key);
    });
}

void Sources::load(model::JournalEntry const& row) {
    auto const value = parse_json(row.facts.empty() ? "{}" : row.facts);
    if (!value || !value->is_object()) return;
    json::object const& facts = value->get_object();
    Memory& memory = memories_[row.key];
    memory.answered = kube::find_string(facts, {"answered"});
    memory.refused = kube::find_string(facts, {"refused"});
    auto const checked = model::parse_time(kube::find_string(facts, {"checkedAt"}));
    if (!checked) return;
    memory.checked = *checked;
    // The age is shown before the first pass; it is no part of .status.
    Entry* entry = ports_.registry.find(row.key);
    if (entry == nullptr || model::artifact_of(entry->status) == nullptr) return;
    auto& artifact = *entry->status.part<model::SourceStatus>().artifact;
    artifact.last_checked = std::max(artifact.last_checked, *checked);
}

void Sources::adopt(Entry const& entry) {
    Entry* adopted = ports_.registry.find(entry.key);
    if (adopted == nullptr) return;
    auto& artifact = adopted->status.part<model::SourceStatus>().artifact;
    memories_[entry.key].claimed = std::exchange(artifact, std::nullopt);
}

bool Sources::reclaim(Key const& key, model::Status const& shown) {
    Entry* entry = ports_.registry.find(key);
    auto const* held = entry == nullptr ? nullptr : model::artifact_of(entry->status);
    auto const* later = model::artifact_of(shown);
    if (held == nullptr || later == nullptr || memories_[key].asked) return false;
    bool const is_earlier = later->last_update < std::chrono::floor<std::chrono::seconds>(held->last_update);
    if (later->revision == held->revision || is_earlier) return false;
    entry->status.part<model::SourceStatus>().overtaken_by = later->revision;
    return true;
}

bool Sources::distrust(Key const& key) {
    Entry const* entry = ports_.registry.find(key);
    auto const* artifact = entry == nullptr ? nullptr : model::artifact_of(entry->status);
    if (artifact == nullptr) return false;
    Memory& memory = memories_[key];
    auto const now = ports_.clock.boot();
    if (memory.lost && now - *memory.lost < kDamagePause) return false;
    memory.lost = now;
    memory.distrusted = artifact->digest;
    return true;
}

asio::awaitable<Outcome> Sources::reconcile(Entry entry) {
    if (!entry.spec) co_return refuse(entry, problem_of(entry));
    if (entry.suspended()) co_return story::rest(entry);
    Upstream& upstream = *upstreams_[static_cast<std::size_t>(entry.key.kind)];
    if (auto refusal = upstream.refuses(*entry.spec)) co_return refuse(entry, std::move(*refusal));

    Pass pass{
        entry, upstream, memories_[entry.key], upstream.read(*entry.spec), story::begin(entry), ports_.clock.wall()};
    waits_no_more(entry.key, pass.memory);
    if (auto claimed = std::exchange(pass.memory.claimed, std::nullopt)) {
        bool const is_own = co_await has_fetched(entry.key, claimed->digest);
        if (is_own) part(pass.so_far).artifact = std::move(claimed);
    }
    if (auto& artifact = part(pass.so_far).artifact) {
        artifact->last_checked = std::max(artifact->last_checked, pass.memory.checked);
        bool const is_there = co_await is_stored(artifact->digest);
        if (!is_there || artifact->digest == pass.memory.distrusted) co_return lose(pass);
    }
    auto turn = hosts_.take_turn(entry.key.ns, pass.wish.host, pass.patience());
    if (!turn) co_return wait(pass, turn.error());

    Request request{.key = entry.key,
                    .spec = *entry.spec,
                    .known = pass.known(),
                    .metadata = pass.held() == nullptr ? "" : pass.held()->metadata,
                    .timeout = pass.timeout(),
                    .begin = [&store = store_] { return store.begin(); }};
    auto secrets = co_await read_secrets(pass.wish, request);
    if (!secrets) {
        Miss why{.error = std::move(secrets).error(), .reason = "AuthenticationFailed"};
        co_return miss(pass, std::move(why), own_retry(pass));
    }
    auto answer = co_await upstream.fetch(std::move(request));
    pass.now = ports_.clock.wall();
    if (!answer) {
        if (answer.error().error.code == Errc::timeout && pass.wish.timeout > kTimeoutMax) {
            answer.error().error.message +=
                " (a fetch ends after " + model::format_duration(kTimeoutMax) + ", whatever spec.timeout says)";
        }
        auto const retry = end_turn(*turn, pass, answer.error());
        co_return miss(pass, std::move(answer.error()), retry);
    }
    turn->answered();
    if (answer->bytes) {
        auto stored = co_await store_row(row_of(entry.key, *answer, pass.now));
        if (!stored) {
            Error error = std::move(stored).error().in("unable to archive artifact to storage");
            Miss why{.error = std::move(error), .reason = "ArchiveOperationFailed", .of_storage = true};
            co_return miss(pass, std::move(why), own_retry(pass));
        }
    }
    co_return keep(pass, *answer);
}

asio::awaitable<bool> Sources::is_stored(std::string digest) {
    auto look = [&store = store_, digest = std::move(digest)] { return store.has(digest); };
    co_return co_await on_pool(ports_.db, std::move(look));
}

asio::awaitable<bool> Sources::has_fetched(Key key, std::string digest) {
    auto look = [&store = store_, source = key.text()] { return store.revisions(source); };
    auto const rows = co_await on_pool(ports_.db, std::move(look));
    co_return rows&& std::ranges::any_of(*rows, [&](StoredArtifact const& one) { return one.digest == digest; });
}

Task<json::object> Sources::object_of(Key key, std::string kind, std::string name) {
    if (ports_.cluster == nullptr) co_return fail(Errc::offline, "no cluster is configured");
    auto resource = co_await ports_.cluster->resource_for({"", "v1", kind});
    if (!resource) co_return fail(std::move(resource));
    co_return co_await ports_.cluster->get({std::move(*resource), key.ns, name});
}

/// Nothing named, nothing read. `wish` and `request` are the caller's, who waits.
Task<void> Sources::read_secrets(Wish const& wish, Request& request) {
    for (SecretWish const& one : wish.secrets) {
        auto secret = co_await object_of(request.key, "Secret", one.name);
        if (secret) {
            request.secrets[one.name] = std::move(*secret);
            continue;
        }
        std::string const place = "'" + request.key.ns + "/" + one.name + "'";
        std::string const get = "failed to get secret " + place;
        if (one.is_terse && secret.error().code == Errc::not_found)
            co_return fail(Errc::not_found, one.step + ": secret " + place + " not found");
        co_return fail(std::move(secret), (one.step.empty() ? get : one.step) + ": " + get);
    }
    if (wish.account.empty()) co_return Result<void>{};
    auto pull_secrets = co_await read_account(wish, request);
    if (!pull_secrets) co_return fail(std::move(pull_secrets), "failed to get credential");
    co_return Result<void>{};
}

/// The pull secrets of a service account, all of them or none.
Task<void> Sources::read_account(Wish const& wish, Request& request) {
    std::string const place = "'" + request.key.ns + "/" + wish.account + "'";
    auto const account = co_await object_of(request.key, "ServiceAccount", wish.account);
    if (!account && account.error().code == Errc::not_found)
        co_return fail(Errc::not_found, "serviceaccount " + place + " not found");
    if (!account)
        co_return fail(Result<void>{std::unexpected{account.error()}}, "failed to get serviceaccount " + place);
    auto const* const names = kube::find_array(*account, {"imagePullSecrets"});
    for (std::size_t i = 0; names != nullptr && i < names->size(); ++i) {
        auto const* const one = (*names)[i].if_object();
        std::string const name{one == nullptr ? "" : kube::find_string(*one, {"name"})};
        if (i >= kPullSecretsMax) co_return fail(Errc::limit, "serviceaccount " + place + " has too many pull secrets");
        auto secret = co_await object_of(request.key, "Secret", name);
        if (!secret) {
            std::string const step = "failed to get image pull secret for serviceaccount " + place + ": ";
            std::string const what = "secret '" + request.key.ns + "/" + name + "'";
            if (secret.error().code == Errc::not_found) co_return fail(Errc::not_found, step + what + " not found");
            co_return fail(std::move(secret), step + "failed to get " + what);
        }
        request.pull_secrets.push_back(std::move(*secret));
    }
    co_return Result<void>{};
}

Task<void> Sources::store_row(StoredArtifact row) {
    auto record = [&store = store_, row = std::move(row)] { return store.record(row); };
    co_return co_await on_pool(ports_.db, std::move(record));
}

/// The wish itself is of no use.
Outcome Sources::refuse(Entry const& entry, Refusal refusal) {
    Outcome so_far = story::begin(entry);
    std::string const message = model::condition_text(refusal.message);
    so_far.status.conditions.set(kFetchFailed, Truth::yes, refusal.reason, message, entry.meta.generation,
                                 ports_.clock.wall());
    Stop why{.reason = std::move(refusal.reason), .message = message};
    return story::stop(entry, std::move(so_far), std::move(why), ports_.clock);
}

/// What .status names is not there, or damaged: nothing is held until the next pass, at once, has fetched it again. Said
/// first, because who could not read it looks again only when something changed.
Outcome Sources::lose(Pass& pass) {
    constexpr std::string_view kWords = "building artifact: disappeared from storage";
    auto const now = ports_.clock.boot();
    Memory& memory = pass.memory;
    bool const is_loop = memory.distrusted.empty() && memory.lost && now - *memory.lost < kDamagePause;
    if (!is_loop) memory.lost = now;
    memory.distrusted.clear();
    part(pass.so_far).artifact.reset();
    pass.so_far.status.conditions.remove(kInStorage);
    pass.so_far.answers = false;  // the next pass does
    Stop why{.reason = "Progressing",
             .message = std::string{kWords},
             .retry = is_loop ? model::Duration{kDamagePause} : model::Duration{0},
             .quiet = true,
             .progress = std::string{kWords}};
    return story::stop(pass.entry, std::move(pass.so_far), std::move(why), ports_.clock);
}

/// Somebody else found the host silent, or asks it just now.
Outcome Sources::wait(Pass& pass, Hosts::Silence const& silence) {
    waits(pass);
    Miss why{.error = {silence.error.code, std::string{pass.upstream.step()} + ": " + pass.wish.host +
                                               " gives no answer to another that asked it"},
             .reason = std::string{pass.upstream.unanswered()}};
    auto const* before = pass.entry.status.conditions.find(kFetchFailed);
    bool const knows = before != nullptr && before->reason == why.reason && !pass.is_refused() &&
                       before->observed_generation == pass.entry.meta.generation;
    if (knows) why.error.message = before->message;
    return miss(pass, std::move(why), silence.wait);
}

/// When to ask again: together with the host's others when it was silent, but after those who failed less often.
model::Duration Sources::end_turn(Hosts::Turn& turn, Pass& pass, Miss const& miss) {
    auto const own = own_retry(pass);
    bool const silent = !miss.of_storage && is_silence(miss.error, pass.timeout());
    if (miss.of_storage || is_answer(miss.error)) turn.answered();
    if (!silent) return own;
    waits(pass);
    return std::max(own, std::min<model::Duration>(turn.silent(miss.error), pass.interval()));
}

/// What the conditions say of a failure. Words that say nothing new are not said: each change costs a write here and there,
/// and an outage may last for weeks.
Sources::Words Sources::words_of(Pass const& pass, Miss const& miss) const {
    Words fresh{miss.reason, model::condition_text(miss.error.message)};
    auto const* before = pass.entry.status.conditions.find(miss.of_storage ? kStorageFailed : kFetchFailed);
    if (before == nullptr || before->observed_generation != pass.entry.meta.generation || is_requested(pass.entry)) {
        return fresh;
    }
    Words const last{before->reason, before->message};
    bool const away = !miss.of_storage && is_away(miss.error);
    if (away && pass.is_refused()) return last;  // upstream has not taken its refusal back
    if (last.reason != fresh.reason) return fresh;
    if (away) return last;  // one spell of silence, one sentence
    Memory const& memory = pass.memory;
    bool const lately = memory.said_at && ports_.clock.boot() - *memory.said_at < kWordsStand;
    return lately && memory.said == miss.error.code ? last : fresh;
}

/// Upstream did not answer, or refused, or we could not keep its answer: what is held stays, and its age goes on.
Outcome Sources::miss(Pass& pass, Miss miss, model::Duration retry) {
    Words words = words_of(pass, miss);
    Entry const& entry = pass.entry;
    std::string_view const type = miss.of_storage ? kStorageFailed : kFetchFailed;
    auto const* before = entry.status.conditions.find(type);
    bool const is_news = before == nullptr || before->reason != words.reason || before->message != words.message;
    bool const away = !miss.of_storage && is_away(miss.error);
    if (is_requested(entry)) part(pass.so_far).overtaken_by.clear();  // who asks for what there is gets it
    if (!away && !miss.of_storage) pass.memory.refused = hash_of(pass.wish.question, "");
    if (is_news) pass.memory.said_at = ports_.clock.boot();
    if (is_news && pass.held() != nullptr) pass.memory.checked = pass.held()->last_checked;  // it is written now anyway
    pass.memory.said = miss.error.code;

    auto& conditions = pass.so_far.status.conditions;
    conditions.remove(miss.of_storage ? kFetchFailed : kStorageFailed);
    conditions.set(type, Truth::yes, words.reason, words.message, entry.meta.generation, pass.now);
    remember(pass);
    if (away && pass.is_answered() && !pass.is_refused()) {
        if (is_news) {
            pass.so_far.news.push_back({.level = LogLevel::warning, .reason = words.reason, .message = words.message});
        }
        auto const* stored = conditions.find(kInStorage);
        std::string const message =
            stored == nullptr ? "stored artifact for revision '" + pass.held()->revision + "'" : stored->message;
        return story::succeed(entry, std::move(pass.so_far), kSucceeded, message, retry, ports_.clock);
    }
    Stop why{.reason = std::move(words.reason),
             .message = std::move(words.message),
             .retry = retry,
             .progress = progress_of(entry)};
    return story::stop(entry, std::move(pass.so_far), std::move(why), ports_.clock);
}

/// Upstream answered: the newest revision is held.
Outcome Sources::keep(Pass& pass, Fetched const& fetched) {
    Entry const& entry = pass.entry;
    Memory& memory = pass.memory;
    HOLDFAST_ASSERT(fetched.bytes || pass.held() != nullptr);
    memory.backoff.reset();
    memory.refused.clear();
    memory.said.reset();
    memory.asked = true;
    part(pass.so_far).overtaken_by.clear();
    auto& artifact = part(pass.so_far).artifact;
    bool const is_up_to_date =
        artifact && artifact->revision == fetched.revision && (!fetched.bytes || artifact->digest == fetched.digest);
    bool const is_other = !artifact || (fetched.bytes && artifact->digest != fetched.digest);
    if (fetched.bytes) {
        std::string const path = path_of(entry.key, fetched.file);
        artifact = model::Artifact{.revision = fetched.revision,
                                   .digest = fetched.digest,
                                   .path = path,
                                   .url = "http://source-controller.flux-system.svc.cluster.local./" + path,
                                   .size = fetched.size,
                                   .last_update = pass.now,
                                   .metadata = fetched.metadata == "{}" ? "" : fetched.metadata};
        part(pass.so_far).observed_ignore = pass.wish.ignore;
        // A mark for these very bytes, set while they were on their way, stays: nobody knows which of both came first.
        if (memory.distrusted != fetched.digest) memory.distrusted.clear();
    }
    part(pass.so_far).observed_layer_selector = pass.wish.layer_selector;
    artifact->last_checked = pass.now;
    bool const is_due = std::chrono::abs(pass.now - memory.checked) >= kRememberEvery;
    if (fetched.bytes || is_due) memory.checked = pass.now;
    memory.answered = hash_of(pass.wish.question, artifact->digest);
    remember(pass);

    auto& conditions = pass.so_far.status.conditions;
    bool const was_failing = conditions.find(kFetchFailed) != nullptr || conditions.find(kStorageFailed) != nullptr;
    for (std::string_view const type : {kFetchFailed, kStorageFailed, std::string_view{"ArtifactOutdated"}}) {
        conditions.remove(type);
    }
    conditions.set(kInStorage, Truth::yes, kSucceeded, fetched.stored, entry.meta.generation, pass.now);
    if (is_other || was_failing) {
        pass.so_far.news.push_back({.reason = is_other ? "NewArtifact" : std::string{kSucceeded},
                                    .message = fetched.news,
                                    .revision = fetched.revision,
                                    .annotations = {{"digest", artifact->digest}}});
    }
    // Who asked, or wished for something else, is told; at each interval it would be the same again.
    bool const is_asked = is_requested(entry) || entry.status.observed_generation != entry.meta.generation;
    if (is_up_to_date && is_asked && !fetched.up_to_date.empty()) {
        pass.so_far.news.push_back({.reason = "ArtifactUpToDate", .message = fetched.up_to_date});
    }
    return story::succeed(entry, std::move(pass.so_far), kSucceeded, fetched.stored, pass.interval(), ports_.clock);
}

/// What outlives a restart beside the status. The same text as before is not written again.
void Sources::remember(Pass& pass) {
    Memory const& memory = pass.memory;
    json::object facts;
    if (pass.held() != nullptr) {
        facts["answered"] = memory.answered;
        facts["checkedAt"] = model::format_time(memory.checked);
    }
    if (!memory.refused.empty()) facts["refused"] = memory.refused;
    if (!facts.empty()) pass.so_far.facts = json::serialize(facts);
}

void Sources::waits(Pass& pass) {
    if (pass.wish.host.empty()) return;
    pass.memory.waits_for = pass.wish.host;
    waiting_[pass.wish.host].insert(pass.entry.key);
}

void Sources::waits_no_more(Key const& key, Memory& memory) {
    auto const found = waiting_.find(std::exchange(memory.waits_for, ""));
    if (found == waiting_.end()) return;
    found->second.erase(key);
    if (found->second.empty()) waiting_.erase(found);
}

model::Duration Sources::own_retry(Pass& pass) {
    auto& backoff = pass.memory.backoff;
    if (!backoff) backoff.emplace(retry_);
    return std::min<model::Duration>(backoff->next(), pass.interval());
}

asio::awaitable<Outcome> Sources::finalize(Entry entry) {
    auto forget_all = [&store = store_, name = entry.key.text()] { return store.forget(name); };
    auto forgotten = co_await on_pool(ports_.db, std::move(forget_all));
    Outcome outcome = story::begin(entry);
    if (!forgotten) {
        auto& backoff = memories_[entry.key].backoff;
        if (!backoff) backoff.emplace(retry_);
        Stop why{.reason = "GarbageCollectionFailed",
                 .message = "garbage collection for deleted resource failed: " + forgotten.error().message,
                 .retry = backoff->next()};
        co_return story::stop(entry, std::move(outcome), std::move(why), ports_.clock);
    }
    outcome.news.push_back(
        {.reason = "GarbageCollectionSucceeded", .message = "garbage collected artifacts for deleted resource"});
    outcome.released = true;
    co_return outcome;
}

void Sources::forget(Key const& key) {
    auto const found = memories_.find(key);
    if (found == memories_.end()) return;
    waits_no_more(key, found->second);
    memories_.erase(found);
}

model::ComplianceRecord Sources::record(Entry const& entry) const {
    return story::object_record(entry, ports_.clock.wall());
}

}  // namespace holdfast::source
