// cache/outbox/desk.cpp: the queue in the hands of an operator: shown, put back, checked.
#include "cache/outbox/outbox.hpp"

#include <algorithm>
#include <array>

namespace holdfast::cache {

namespace {

constexpr auto kShowWaiting = "SELECT sequence, stream, record_id, observed_at, queued_at, fields, last_at, count, '' "
                              "FROM outbox WHERE sequence > ?1 ORDER BY sequence LIMIT ?2";
// What was set aside keeps its repeats among its fields.
#define HOLDFAST_KEPT(name, otherwise)                                                                                 \
    "CASE WHEN json_valid(fields) THEN coalesce(json_extract(fields, '$." name "'), " otherwise ") ELSE " otherwise    \
    " END"
#define HOLDFAST_FIELDS                                                                                                \
    "CASE WHEN json_valid(fields) THEN json_remove(fields, '$.LastObservedAt', '$.Count') ELSE fields END"
constexpr auto kShowAside = "SELECT sequence, stream, record_id, observed_at, 0, " HOLDFAST_FIELDS ", " HOLDFAST_KEPT(
    "LastObservedAt",
    "0") ", " HOLDFAST_KEPT("Count", "1") ", reason FROM dead_letters WHERE sequence > ?1 ORDER BY sequence LIMIT ?2";
constexpr auto kPutBack =
    "INSERT INTO outbox(sequence, stream, record_id, observed_at, queued_at, fields, last_at, count) "
    "SELECT sequence, stream, record_id, observed_at, ?2, " HOLDFAST_FIELDS
    ", " HOLDFAST_KEPT("LastObservedAt", "0") ", " HOLDFAST_KEPT("Count", "1") " FROM dead_letters WHERE sequence = ?1 "
                                                                               "AND (SELECT count(*) FROM outbox) < ?3";
constexpr auto kForgetAside = "DELETE FROM dead_letters WHERE sequence = ?1";
constexpr auto kIsAside = "SELECT count(*) FROM dead_letters WHERE sequence = ?1";

struct Promise {
    char const* broken;  // a statement that counts what breaks it
    std::string_view words;
};

constexpr std::array kPromises{
    Promise{"SELECT count(*) FROM outbox WHERE NOT json_valid(fields) OR json_type(fields) <> 'object'",
            "records that wait are no JSON objects: they will be set aside when it is their turn"},
    Promise{"SELECT count(*) FROM outbox WHERE length(record_id) <> 32 OR record_id GLOB '*[^0-9a-f]*'",
            "records that wait have no RecordId"},
    Promise{"SELECT count(*) - count(DISTINCT record_id) FROM outbox",
            "records that wait have the RecordId of another"},
    Promise{"SELECT count(*) FROM outbox WHERE stream NOT IN (0, 1)", "records that wait are of no stream"},
    Promise{"SELECT count(*) FROM outbox WHERE count < 1", "records that wait stand for no state"},
    Promise{"SELECT count(*) FROM outbox JOIN dead_letters USING (sequence)",
            "records wait and were set aside at the same time"},
    Promise{"SELECT count(*) FROM (SELECT sequence FROM outbox UNION ALL SELECT sequence FROM dead_letters) "
            "WHERE sequence > coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0)",
            "records have a number that was never given out"}};

}  // namespace

Result<std::vector<Outbox::Shown>> Outbox::show(Shelf shelf, std::int64_t after, std::int64_t rows_max,
                                                std::int64_t bytes_max) {
    std::vector<Shown> found;
    std::int64_t bytes = 0;
    db::Statement select{connection_, shelf == Shelf::waiting ? kShowWaiting : kShowAside};
    auto rows = select.rows(after, rows_max);
    for (;;) {
        auto row = rows.next();
        if (!row) return fail(std::move(row), "outbox show");
        if (!*row) return found;
        Shown shown{.record = record_of(rows), .reason = rows.text(8)};
        bytes += static_cast<std::int64_t>(shown.record.fields.size());
        if (!found.empty() && bytes > bytes_max) return found;
        found.push_back(std::move(shown));
    }
}

/// False when there is no room.
Result<bool> Outbox::move_back(std::int64_t sequence) {
    auto const now = std::chrono::duration_cast<std::chrono::microseconds>(clock_().time_since_epoch()).count();
    db::Statement put{connection_, kPutBack};
    auto moved = put.run(sequence, now, limits_.rows_max);
    if (!moved) return fail(std::move(moved), "outbox put back");
    if (connection_.changes() == 0) return false;
    db::Statement forget{connection_, kForgetAside};
    auto forgotten = forget.run(sequence);
    if (!forgotten) return fail(std::move(forgotten), "outbox put back");
    return true;
}

Result<std::int64_t> Outbox::put_back(std::vector<std::int64_t> const& sequences) {
    auto transaction = db::Transaction::begin(connection_);
    if (!transaction) return fail(std::move(transaction), "outbox put back");
    db::Statement is_aside{connection_, kIsAside};
    for (std::int64_t const sequence : sequences) {
        auto const known = is_aside.scalar(sequence);
        if (!known) return std::unexpected{known.error()};
        if (*known == 0) return fail(Errc::not_found, "no record " + std::to_string(sequence) + " was set aside");
    }
    std::int64_t moved = 0;
    for (std::int64_t const sequence : sequences) {
        auto const has_moved = move_back(sequence);
        if (!has_moved) return std::unexpected{has_moved.error()};
        if (!*has_moved) break;
        ++moved;
    }
    auto committed = transaction->commit();
    if (!committed) return fail(std::move(committed), "outbox put back");
    dead_kept_ -= moved;
    auto counted = count_queued();
    if (!counted) return fail(std::move(counted));
    auto marked = save_mark();  // it says from where on something waits
    if (!marked) return fail(std::move(marked));
    return moved;
}

Result<std::vector<std::string>> Outbox::check() {
    std::vector<std::string> problems;
    auto sound = connection_.check();
    if (!sound && sound.error().code != Errc::corrupt) return fail(std::move(sound));
    if (!sound) return std::vector{sound.error().message};  // nothing else can be said of it
    for (Promise const& promise : kPromises) {
        db::Statement count{connection_, promise.broken};
        auto const broken = count.scalar();
        if (!broken) return std::unexpected{broken.error()};
        if (*broken > 0) problems.push_back(std::to_string(*broken) + " " + std::string{promise.words});
    }
    auto const held = db::read_mark(connection_.file());
    auto const newest = newest_sequence();
    if (!newest) return std::unexpected{newest.error()};
    if (!held) problems.emplace_back("the mark beside the database cannot be read: numbers would be given out again");
    if (held && held->site != site_) problems.emplace_back("the mark beside the database is of another site");
    if (held && held->issued < *newest) problems.emplace_back("the mark beside the database is older than it");
    return problems;
}

}  // namespace holdfast::cache
