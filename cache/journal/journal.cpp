// cache/journal/journal.cpp: one transaction per pass.
#include "cache/journal/journal.hpp"

#include "modules/model/kinds.hpp"

#include <map>
#include <utility>

namespace holdfast::cache {

namespace {

constexpr auto kEnsure = "INSERT INTO objects(kind, namespace, name) VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING";
constexpr auto kSetWish = "UPDATE objects SET wish = ?4 WHERE kind = ?1 AND namespace = ?2 AND name = ?3";
constexpr auto kSetStatus = "UPDATE objects SET status = ?4 WHERE kind = ?1 AND namespace = ?2 AND name = ?3";
constexpr auto kSetFacts = "UPDATE objects SET facts = ?4 WHERE kind = ?1 AND namespace = ?2 AND name = ?3";
constexpr auto kRemove = "DELETE FROM objects WHERE kind = ?1 AND namespace = ?2 AND name = ?3";
constexpr auto kHeld = "SELECT wish, status, facts FROM objects WHERE kind = ?1 AND namespace = ?2 AND name = ?3";
constexpr auto kDisownAll = "DELETE FROM owned WHERE kind = ?1 AND namespace = ?2 AND name = ?3";
constexpr auto kDisown =
    "DELETE FROM owned WHERE kind = ?1 AND namespace = ?2 AND name = ?3 AND cluster = ?4 AND id = ?5";
constexpr auto kOwn =
    "INSERT INTO owned(kind, namespace, name, cluster, id, version, uid, resource_version, wished, fields) "
    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO UPDATE SET version = excluded.version, "
    "uid = excluded.uid, resource_version = excluded.resource_version, wished = excluded.wished, fields = excluded.fields";
constexpr auto kObjects =
    "SELECT kind, namespace, name, wish, status, facts FROM objects ORDER BY kind, namespace, name";
constexpr auto kOwned = "SELECT cluster, id, version, uid, resource_version, wished, fields FROM owned "
                        "WHERE kind = ?1 AND namespace = ?2 AND name = ?3 ORDER BY cluster, id";

using Place = std::pair<std::string_view, std::string_view>;  // cluster, id

Place place_of(model::OwnedObject const& one) { return {one.cluster, one.entry.id}; }

/// The resource version moves with every write of anyone; it alone is not worth one of ours.
bool is_same(model::OwnedObject const& held, model::OwnedObject const& now) {
    return held.entry.version == now.entry.version && held.uid == now.uid && held.wished == now.wished &&
           held.fields == now.fields;
}

}  // namespace

/// What of a pass differs from the tables.
struct Journal::Difference {
    bool is_new = false;
    std::string const* wish = nullptr;
    std::string const* status = nullptr;
    std::string const* facts = nullptr;
    std::vector<model::OwnedObject const*> owned;
    std::vector<model::OwnedObject> disowned;

    bool is_empty() const {
        return !is_new && wish == nullptr && status == nullptr && facts == nullptr && owned.empty() && disowned.empty();
    }
};

Journal::Journal(db::Connection& connection, Outbox& outbox)
    : connection_(connection), outbox_(outbox), ensure_(connection, kEnsure), set_wish_(connection, kSetWish),
      set_status_(connection, kSetStatus), set_facts_(connection, kSetFacts), remove_(connection, kRemove),
      held_(connection, kHeld), disown_all_(connection, kDisownAll), disown_(connection, kDisown),
      own_(connection, kOwn), objects_(connection, kObjects), owned_(connection, kOwned) {}

Result<void> Journal::save(model::JournalWrite const& pass) {
    // Read before the transaction: there is one connection, and one thread that uses it.
    auto difference = compare(pass);
    if (!difference) return fail(std::move(difference), "journal");
    auto repeated = outbox_.are_repeats(pass.records);
    if (!repeated) return fail(std::move(repeated), "journal");
    if (difference->is_empty() && *repeated) {
        auto counted = put_records(pass.records);
        if (!counted) return fail(std::move(counted), "journal");
        return {};
    }
    Result<void> saved;
    {
        auto transaction = db::Transaction::begin(connection_);
        if (!transaction) return fail(std::move(transaction), "journal");
        outbox_.begin();
        saved = write(pass.key, *difference);
        if (saved) saved = put_records(pass.records);
        if (saved) saved = transaction->commit();
    }
    if (saved) return {};
    outbox_.roll_back();  // as the transaction is by now
    return fail(std::move(saved), "journal");
}

Result<Journal::Difference> Journal::compare(model::JournalWrite const& pass) {
    Difference difference;
    auto const differs = [&](std::optional<std::string> const& now, std::string_view held) {
        return now && (difference.is_new ? !now->empty() : *now != held) ? &*now : nullptr;
    };
    {
        auto rows = held_.rows(model::kind_name(pass.key.kind), pass.key.ns, pass.key.name);
        auto found = rows.next();
        if (!found) return fail(std::move(found));
        difference.is_new = !*found;
        difference.wish = differs(pass.wish, *found ? rows.text(0) : "");
        difference.status = differs(pass.status, *found ? rows.text(1) : "");
        difference.facts = differs(pass.facts, *found ? rows.text(2) : "");
    }
    if (!pass.owned) return difference;

    auto held = owned_by(pass.key);
    if (!held) return fail(std::move(held));
    std::map<Place, model::OwnedObject const*> left;
    for (model::OwnedObject const& one : *held) left.emplace(place_of(one), &one);
    for (model::OwnedObject const& one : *pass.owned) {
        auto const before = left.find(place_of(one));
        if (before == left.end() || !is_same(*before->second, one)) difference.owned.push_back(&one);
        if (before != left.end()) left.erase(before);
    }
    for (auto const& [place, one] : left) difference.disowned.push_back(*one);
    return difference;
}

Result<void> Journal::write(model::Key const& key, Difference const& difference) {
    std::string_view const kind = model::kind_name(key.kind);
    std::string const& ns = key.ns;
    std::string const& name = key.name;
    Result<void> done;
    if (difference.is_new) done = ensure_.run(kind, ns, name);
    if (done && difference.wish != nullptr) done = set_wish_.run(kind, ns, name, *difference.wish);
    if (done && difference.status != nullptr) done = set_status_.run(kind, ns, name, *difference.status);
    if (done && difference.facts != nullptr) done = set_facts_.run(kind, ns, name, *difference.facts);
    for (model::OwnedObject const& one : difference.disowned) {
        if (done) done = disown_.run(kind, ns, name, one.cluster, one.entry.id);
    }
    for (model::OwnedObject const* one : difference.owned) {
        if (!done) return done;
        done =
            own_.run(kind, ns, name, one->cluster, one->entry.id, one->entry.version, one->uid, one->resource_version,
                     static_cast<std::int64_t>(one->wished), static_cast<std::int64_t>(one->fields));
    }
    return done;
}

Result<void> Journal::put_records(std::vector<model::ComplianceRecord> const& records, Outbox::Word word) {
    for (model::ComplianceRecord const& record : records) {
        auto put = outbox_.put(record, word);  // a full outbox counts and refuses; the pass itself is still recorded
        if (!put) return fail(std::move(put));
    }
    return {};
}

Result<void> Journal::erase(model::Key const& key, std::vector<model::ComplianceRecord> const& last_records) {
    Result<void> erased;
    {
        auto transaction = db::Transaction::begin(connection_);
        if (!transaction) return fail(std::move(transaction), "journal");
        outbox_.begin();
        erased = remove_.run(model::kind_name(key.kind), key.ns, key.name);
        if (erased) erased = disown_all_.run(model::kind_name(key.kind), key.ns, key.name);
        if (erased) erased = put_records(last_records, Outbox::Word::last);
        for (model::ComplianceRecord const& record : last_records) {
            if (erased) erased = outbox_.forget(record.stream, record.subject);
        }
        if (erased) erased = transaction->commit();
    }
    if (erased) return {};
    outbox_.roll_back();
    return fail(std::move(erased), "journal");
}

Result<void> Journal::load(std::function<void(model::JournalEntry)> const& each) {
    auto rows = objects_.rows();
    for (;;) {
        auto row = rows.next();
        if (!row) return fail(std::move(row), "journal load");
        if (!*row) return {};
        auto const kind = model::kind_named(rows.text(0));
        if (!kind) continue;  // a kind of a later version: left alone
        model::JournalEntry entry{.key = {*kind, rows.text(1), rows.text(2)},
                                  .wish = rows.text(3),
                                  .status = rows.text(4),
                                  .facts = rows.text(5)};
        auto owned = owned_by(entry.key);
        if (!owned) return fail(std::move(owned), "journal load");
        entry.owned = std::move(*owned);
        each(std::move(entry));
    }
}

Result<std::vector<model::OwnedObject>> Journal::owned_by(model::Key const& key) {
    std::vector<model::OwnedObject> found;
    auto rows = owned_.rows(model::kind_name(key.kind), key.ns, key.name);
    for (;;) {
        auto row = rows.next();
        if (!row) return fail(std::move(row), "owned objects");
        if (!*row) return found;
        found.push_back({.entry = {rows.text(1), rows.text(2)},
                         .uid = rows.text(3),
                         .resource_version = rows.text(4),
                         .wished = static_cast<std::uint64_t>(rows.integer(5)),
                         .fields = static_cast<std::uint64_t>(rows.integer(6)),
                         .cluster = rows.text(0)});
    }
}

}  // namespace holdfast::cache
