// cache/journal/journal.cpp: one transaction per pass.
#include "cache/journal/journal.hpp"

namespace holdfast::cache {

namespace {

constexpr auto kEnsure = "INSERT INTO objects(kind, namespace, name) VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING";
constexpr auto kSetWish = "UPDATE objects SET wish = ?4 WHERE kind = ?1 AND namespace = ?2 AND name = ?3";
constexpr auto kSetStatus = "UPDATE objects SET status = ?4 WHERE kind = ?1 AND namespace = ?2 AND name = ?3";
constexpr auto kSetFacts = "UPDATE objects SET facts = ?4 WHERE kind = ?1 AND namespace = ?2 AND name = ?3";
constexpr auto kRemove = "DELETE FROM objects WHERE kind = ?1 AND namespace = ?2 AND name = ?3";
constexpr auto kDisown = "DELETE FROM owned WHERE namespace = ?1 AND name = ?2";
constexpr auto kOwn = "INSERT INTO owned(namespace, name, id, version, uid, resource_version, wished, fields) "
                      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
constexpr auto kObjects =
    "SELECT kind, namespace, name, wish, status, facts FROM objects ORDER BY kind, namespace, name";
constexpr auto kOwned =
    "SELECT id, version, uid, resource_version, wished, fields FROM owned WHERE namespace = ?1 AND name = ?2 ORDER BY id";

std::optional<model::Kind> kind_named(std::string_view name) {
    for (auto const kind : {model::Kind::git_repository, model::Kind::kustomization, model::Kind::flux_config}) {
        if (model::kind_name(kind) == name) return kind;
    }
    return std::nullopt;
}

}  // namespace

Journal::Journal(db::Connection& connection, Outbox& outbox)
    : connection_(connection), outbox_(outbox), ensure_(connection, kEnsure), set_wish_(connection, kSetWish),
      set_status_(connection, kSetStatus), set_facts_(connection, kSetFacts), remove_(connection, kRemove),
      disown_(connection, kDisown), own_(connection, kOwn), objects_(connection, kObjects), owned_(connection, kOwned) {
}

Result<void> Journal::save(model::JournalWrite const& pass) {
    Result<void> saved;
    {
        auto transaction = db::Transaction::begin(connection_);
        if (!transaction) return fail(std::move(transaction), "journal");
        saved = write(pass);
        if (saved) saved = transaction->commit();
    }
    if (saved) return {};
    // The transaction is rolled back by now: the outbox counts from the file again.
    auto reloaded = outbox_.reload();
    if (!reloaded) return fail(std::move(reloaded), "journal");
    return fail(std::move(saved), "journal");
}

Result<void> Journal::write(model::JournalWrite const& pass) {
    std::string_view const kind = model::kind_name(pass.key.kind);
    std::string const& ns = pass.key.ns;
    std::string const& name = pass.key.name;
    auto ensured = ensure_.run(kind, ns, name);
    if (!ensured) return ensured;
    if (pass.wish) {
        auto set = set_wish_.run(kind, ns, name, *pass.wish);
        if (!set) return set;
    }
    if (pass.status) {
        auto set = set_status_.run(kind, ns, name, *pass.status);
        if (!set) return set;
    }
    if (pass.facts) {
        auto set = set_facts_.run(kind, ns, name, *pass.facts);
        if (!set) return set;
    }
    if (pass.owned) {
        auto disowned = disown_.run(ns, name);
        if (!disowned) return disowned;
        for (model::OwnedObject const& one : *pass.owned) {
            auto owned = own_.run(ns, name, one.entry.id, one.entry.version, one.uid, one.resource_version,
                                  static_cast<std::int64_t>(one.wished), static_cast<std::int64_t>(one.fields));
            if (!owned) return owned;
        }
    }
    return put_records(pass.records);
}

Result<void> Journal::put_records(std::vector<model::ComplianceRecord> const& records) {
    for (model::ComplianceRecord const& record : records) {
        auto put = outbox_.put(record);  // a full outbox counts and refuses; the pass itself is still recorded
        if (!put) return fail(std::move(put));
    }
    return {};
}

Result<void> Journal::erase(model::Key const& key, std::vector<model::ComplianceRecord> const& last_records) {
    Result<void> erased;
    {
        auto transaction = db::Transaction::begin(connection_);
        if (!transaction) return fail(std::move(transaction), "journal");
        erased = remove_.run(model::kind_name(key.kind), key.ns, key.name);
        if (erased && key.kind == model::Kind::kustomization) erased = disown_.run(key.ns, key.name);
        if (erased) erased = put_records(last_records);
        for (model::ComplianceRecord const& record : last_records) {
            if (erased) erased = outbox_.forget(record.stream, record.subject);
        }
        if (erased) erased = transaction->commit();
    }
    if (erased) return {};
    auto reloaded = outbox_.reload();
    if (!reloaded) return fail(std::move(reloaded), "journal");
    return fail(std::move(erased), "journal");
}

Result<std::vector<model::JournalEntry>> Journal::load() {
    std::vector<model::JournalEntry> found;
    {
        auto rows = objects_.rows();
        for (;;) {
            auto row = rows.next();
            if (!row) return fail(std::move(row), "journal load");
            if (!*row) break;
            auto const kind = kind_named(rows.text(0));
            if (!kind) continue;  // a kind of a later version: left alone
            found.push_back({.key = {*kind, rows.text(1), rows.text(2)},
                             .wish = rows.text(3),
                             .status = rows.text(4),
                             .facts = rows.text(5)});
        }
    }
    for (model::JournalEntry& entry : found) {
        if (entry.key.kind != model::Kind::kustomization) continue;
        auto owned = owned_by(entry.key);
        if (!owned) return fail(std::move(owned), "journal load");
        entry.owned = std::move(*owned);
    }
    return found;
}

Result<std::vector<model::OwnedObject>> Journal::owned_by(model::Key const& key) {
    std::vector<model::OwnedObject> found;
    auto rows = owned_.rows(key.ns, key.name);
    for (;;) {
        auto row = rows.next();
        if (!row) return fail(std::move(row), "owned objects");
        if (!*row) return found;
        found.push_back({.entry = {rows.text(0), rows.text(1)},
                         .uid = rows.text(2),
                         .resource_version = rows.text(3),
                         .wished = static_cast<std::uint64_t>(rows.integer(4)),
                         .fields = static_cast<std::uint64_t>(rows.integer(5))});
    }
}

}  // namespace holdfast::cache
