// modules/story/conclude.cpp: journal first, then registry, cluster and people.
#include "modules/story/conclude.hpp"

#include "modules/base/hash.hpp"
#include "modules/base/on_pool.hpp"
#include "modules/model/canonical.hpp"
#include "modules/story/finalizer.hpp"
#include "modules/story/tell.hpp"

#include <boost/json/serialize.hpp>

#include <utility>

namespace holdfast::story {

namespace json = boost::json;
using model::Entry;
using model::Key;

namespace {

constexpr std::string_view kArea = "story";
constexpr std::chrono::seconds kJournalRetry{10};
constexpr std::chrono::seconds kReleaseRetry{30};
constexpr int kCopiesMax = 3;  // in a row, of a status that changes while its copy is written

/// The last act: finalizer off, journal row away with the last words in the same transaction, entry out of the registry.
/// The cluster goes first: when that fails the journal still knows what this object owns.
Task<void> release(Ports& ports, Story& story, Key key) {
    Entry const* entry = ports.registry.find(key);
    if (entry == nullptr) co_return Result<void>{};
    // What left its feed is not there any more, or has not the label by which it was ours: then another's is the finalizer.
    bool const left = entry->gone && entry->meta.origin == model::Origin::cluster;
    if (!left) {
        auto dropped = co_await drop_finalizer(ports, key);
        if (!dropped) co_return dropped;
        entry = ports.registry.find(key);
        if (entry == nullptr) co_return Result<void>{};
    }
    std::vector<model::ComplianceRecord> last;
    last.push_back(last_words(story.record(*entry)));
    auto erase = [&journal = ports.journal, key, last = std::move(last)] { return journal.erase(key, last); };
    auto erased = co_await on_pool(ports.db, std::move(erase));
    if (!erased) co_return erased;
    story.forget(key);
    if (Entry* gone = ports.registry.find(key)) ports.registry.vanish(*gone);
    co_return Result<void>{};
}

/// What the cluster is to show of an object, and its digest without the time of a transition.
struct Shown {
    json::object patch;
    std::uint64_t digest;
};

/// What the journal knows; while it cannot be told more, what came of the last pass is nobody's to rely on.
Shown shown_of(Entry const& entry, Clock const& clock) {
    json::object known = model::status_patch(entry.key.kind, entry.status);
    std::uint64_t const digest = model::canonical_digest(known);
    if (entry.unrecorded.empty()) return {std::move(known), digest};
    Stop why{.reason = "StorageOperationFailed",
             .message = "what came of the last pass could not be recorded: " + entry.unrecorded,
             .retry = kJournalRetry,
             .progress = "Recording what came of the last pass"};
    auto const told = stop(entry, begin(entry), std::move(why), clock);
    return {model::status_patch(entry.key.kind, told.status), digest ^ hash64(entry.unrecorded)};
}

/// Nothing: the outcome says what the journal knows.
std::optional<model::JournalWrite> write_of(Story& story, Entry& entry, Outcome& outcome) {
    model::JournalWrite write{.key = entry.key};
    bool const news = !model::says_the_same(entry.key.kind, entry.status, outcome.status) || !entry.unrecorded.empty();
    if (!entry.wish.empty()) write.wish = entry.wish.text();
    if (news) write.status = json::serialize(model::to_json(entry.key.kind, outcome.status));
    if (outcome.facts && hash64(*outcome.facts) != entry.facts_digest) write.facts = std::move(outcome.facts);
    write.owned = std::move(outcome.owned);
    if (!write.wish && !write.status && !write.facts && !write.owned) return std::nullopt;
    if (news || write.wish) {
        Entry said = entry;
        said.status = outcome.status;
        write.records.push_back(story.record(said));
    }
    return write;
}

}  // namespace

asio::awaitable<Next> conclude(Ports& ports, Story& story, Key key, Outcome outcome) {
    Entry* entry = ports.registry.find(key);
    if (entry == nullptr) co_return Next{};
    if (outcome.released) {
        for (News& one : std::exchange(outcome.news, {})) co_await tell(ports, key, std::move(one));
        auto released = co_await release(ports, story, key);
        if (released) co_return Next{};
        entry = ports.registry.find(key);
        if (entry == nullptr) co_return Next{};
        Stop why{.reason = "FinalizerFailed", .message = released.error().message, .retry = kReleaseRetry};
        outcome = stop(*entry, std::move(outcome), std::move(why), ports.clock);
    }
    auto write = write_of(story, *entry, outcome);
    bool const says_more = write && write->status.has_value();
    if (write) {
        auto const wish = write->wish ? std::optional{hash64(*write->wish)} : std::nullopt;
        std::uint64_t const facts_digest = write->facts ? hash64(*write->facts) : entry->facts_digest;
        auto save = [&journal = ports.journal, write = std::move(*write)] { return journal.save(write); };
        auto saved = co_await on_pool(ports.db, std::move(save));
        entry = ports.registry.find(key);
        if (entry == nullptr) co_return Next{};
        if (!saved) {
            if (std::exchange(entry->unrecorded, saved.error().message) != saved.error().message) {
                ports.log.error(kArea, "not recorded", {HOLDFAST_LOG_KEY(key), {"error", saved.error().message}});
                entry->copy.owed = true;
            }
            story.unrecorded(key);
            entry->copy.put_off = false;
            co_await write_copy(ports, key);
            co_return Next{kJournalRetry};
        }
        entry->unrecorded.clear();
        entry->facts_digest = facts_digest;
        if (wish && entry->spec_digest == *wish) entry->wish.clear();  // a newer one may have come meanwhile
    }
    if (says_more) {
        ports.registry.conclude(*entry, std::move(outcome.status));
        entry->copy.owed = true;
    } else {
        ports.registry.note(*entry, std::move(outcome.status));
    }
    bool const was_put_off = std::exchange(entry->copy.put_off, outcome.passing);
    if (!outcome.passing && (says_more || was_put_off)) co_await write_copy(ports, key);
    for (News& one : outcome.news) co_await tell(ports, key, std::move(one));
    co_return Next{outcome.next};
}

asio::awaitable<void> write_copy(Ports& ports, Key key) {
    struct InFlight {
        Ports& ports;
        Key const& key;
        ~InFlight() {
            if (Entry* entry = ports.registry.find(key)) entry->copy.in_flight = false;
        }
    };
    Entry* entry = ports.registry.find(key);
    if (entry == nullptr || !entry->copy.owed || entry->copy.in_flight || entry->copy.put_off) co_return;
    if (!in_cluster(ports, *entry)) {
        entry->copy.owed = false;
        co_return;
    }
    entry->copy.in_flight = true;
    InFlight const in_flight{ports, key};
    model::KindInfo const& kind = model::info(key.kind);
    for (int copy = 0; copy < kCopiesMax; ++copy) {
        auto shown = shown_of(*entry, ports.clock);
        std::uint64_t const digest = shown.digest;
        if (digest == entry->copy.written) {
            entry->copy.owed = false;
            co_return;
        }
        auto resource = co_await ports.cluster->resource_for(kube::parse_api_version(kind.api_version, kind.name));
        if (!resource) co_return;
        kube::Target target{std::move(*resource), key.ns, key.name, "status"};
        kube::WriteOptions const options{.field_manager = std::string{kind.manager}};
        json::object body{{"status", shown.patch}};
        auto patched = co_await ports.cluster->patch(target, kube::Patch::merge, std::move(body), options);
        auto const* merged = patched ? kube::find_object(*patched, {"status"}) : nullptr;
        if (json::object rest = merged == nullptr ? json::object{} : model::left_over(*merged, shown.patch);
            !rest.empty()) {
            body = {{"status", std::move(rest)}};
            patched = co_await ports.cluster->patch(std::move(target), kube::Patch::merge, std::move(body), options);
        }
        entry = ports.registry.find(key);
        if (entry == nullptr) co_return;
        if (!patched && is_retryable(patched.error().code)) {
            ports.log.debug(kArea, "status not written, will be",
                            {HOLDFAST_LOG_KEY(key), {"error", patched.error().message}});
            co_return;
        }
        if (!patched) {
            // Refused for what it is, or the object is gone: trying the same again would not help.
            entry->copy.owed = false;
            if (patched.error().code != Errc::not_found) {
                ports.log.warning(kArea, "status refused", {HOLDFAST_LOG_KEY(key), {"error", patched.error().message}});
            }
            co_return;
        }
        entry->copy.written = digest;
        if (auto const* live = kube::find_object(*patched, {"status"})) {
            entry->copy.accepted = model::canonical_digest(*live);
        }
    }
}

Task<void> intend(Ports& ports, Key key, std::string facts, std::vector<model::OwnedObject> owned) {
    Entry* entry = ports.registry.find(key);
    if (entry == nullptr) co_return Result<void>{};
    entry->facts_digest = hash64(facts);
    model::JournalWrite write{.key = key, .facts = std::move(facts), .owned = std::move(owned)};
    auto save = [&journal = ports.journal, write = std::move(write)] { return journal.save(write); };
    auto saved = co_await on_pool(ports.db, std::move(save));
    if (!saved) {
        if (Entry* now = ports.registry.find(key)) now->facts_digest = 0;
    }
    co_return saved;
}

}  // namespace holdfast::story
