// cache/outbox/outbox.cpp: the queue's statements and its counters.
#include "cache/outbox/outbox.hpp"

#include "modules/crypto/digest.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <random>

namespace holdfast::cache {

namespace {

// Whose record it is: the object's own namespace. The other one is what its labels say, and those are anybody's.
#define HOLDFAST_PARTY                                                                                                 \
    "coalesce(json_extract(fields, '$.Namespace'), json_extract(fields, '$.ConfigurationNamespace'), '')"
#define HOLDFAST_BYTES "length(CAST(fields AS BLOB))"
constexpr auto kTotals = "SELECT " HOLDFAST_PARTY ", count(*), sum(" HOLDFAST_BYTES ") FROM outbox GROUP BY 1";
constexpr auto kInsert =
    "INSERT INTO outbox(stream, record_id, observed_at, queued_at, fields) VALUES(?1, '', ?2, ?3, ?4)";
constexpr auto kSetId = "UPDATE outbox SET record_id = ?2 WHERE sequence = ?1";
constexpr auto kSelect =
    "SELECT sequence, stream, record_id, observed_at, queued_at, fields, last_at, count FROM outbox INDEXED BY outbox_by_stream "
    "WHERE stream = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3";
constexpr auto kRemove = "DELETE FROM outbox WHERE sequence = ?1 RETURNING " HOLDFAST_BYTES ", " HOLDFAST_PARTY;
constexpr auto kSetAside =
    "INSERT INTO dead_letters(sequence, stream, record_id, observed_at, fields, reason) "
    "SELECT sequence, stream, record_id, observed_at, fields, ?2 FROM outbox WHERE sequence = ?1";
constexpr auto kLastState = "SELECT digest FROM last_states WHERE stream = ?1 AND subject = ?2";
constexpr auto kRemember = "INSERT INTO last_states(stream, subject, digest) VALUES(?1, ?2, ?3) "
                           "ON CONFLICT DO UPDATE SET digest = excluded.digest";
constexpr auto kForget = "DELETE FROM last_states WHERE stream = ?1 AND subject = ?2";
constexpr auto kGetNumber = "SELECT value FROM numbers WHERE name = ?1";
constexpr auto kSetNumber =
    "INSERT INTO numbers(name, value) VALUES(?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value";
constexpr auto kBounds = "SELECT sequence, observed_at FROM outbox ORDER BY sequence LIMIT 1";
constexpr auto kNewest = "SELECT seq FROM sqlite_sequence WHERE name = 'outbox'";
constexpr auto kFolded = "SELECT coalesce(sum(repeats), 0) FROM last_states";
constexpr auto kDead = "SELECT count(*) FROM dead_letters";
constexpr auto kDropDead = "DELETE FROM dead_letters WHERE sequence NOT IN "
                           "(SELECT sequence FROM dead_letters ORDER BY sequence DESC LIMIT ?1)";

std::int64_t micros(model::WallTime time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

model::WallTime from_micros(std::int64_t count) { return model::WallTime{std::chrono::microseconds{count}}; }

/// As HOLDFAST_PARTY says it of what is queued.
std::string party_of(boost::json::object const& fields) {
    for (std::string_view const name : {"Namespace", "ConfigurationNamespace"}) {
        auto const* value = fields.if_contains(name);
        if (value != nullptr && value->is_string()) return std::string{value->get_string()};
    }
    return "";
}

/// A site is one state directory for its whole life.
std::string new_site() {
    std::random_device random;
    std::string bytes;
    for (int i = 0; i < 8; ++i) bytes += std::to_string(random());
    return crypto::sha256_hex(bytes).substr(0, 32);
}

}  // namespace

Outbox::Outbox(db::Connection& connection, OutboxLimits limits, Clock clock)
    : connection_(connection), limits_(limits), clock_(std::move(clock)),
      rows_(static_cast<std::uint64_t>(limits.rows_max)), bytes_(static_cast<std::uint64_t>(limits.bytes_max)),
      totals_(connection, kTotals), insert_(connection, kInsert), set_id_(connection, kSetId),
      select_(connection, kSelect), remove_(connection, kRemove), set_aside_(connection, kSetAside),
      last_state_(connection, kLastState), remember_(connection, kRemember), forget_(connection, kForget),
      get_number_(connection, kGetNumber), set_number_(connection, kSetNumber), bounds_(connection, kBounds),
      newest_(connection, kNewest), folded_sum_(connection, kFolded), dead_(connection, kDead),
      drop_dead_(connection, kDropDead) {}

Result<void> Outbox::open() {
    {
        auto rows = get_number_.rows("site");
        auto found = rows.next();
        if (!found) return fail(std::move(found), "outbox site");
        if (*found) site_ = rows.text(0);
    }
    if (site_.empty()) {
        site_ = new_site();
        auto saved = set_number_.run("site", site_);
        if (!saved) return fail(std::move(saved), "outbox site");
    }
    auto counted = load_folded();
    if (!counted) return counted;
    auto reloaded = reload();
    if (!reloaded) return reloaded;
    return open_mark();
}

Result<void> Outbox::open_mark() {
    auto const held = db::read_mark(connection_.file());
    auto const newest = newest_sequence();
    if (!newest) return std::unexpected{newest.error()};
    if (held && held->site == site_) mark_ = *held;
    mark_.site = site_;
    mark_.issued = std::max(mark_.issued, *newest);
    if (rows_.used() == 0) mark_.acknowledged = *newest;
    auto described = db::describe(connection_, mark_);
    if (!described) return fail(std::move(described), "outbox mark");
    if (held && *held == mark_) return {};
    return save_mark();
}

/// Before the number is used: what the mark says is true whatever becomes of the database.
Result<void> Outbox::issue(std::int64_t sequence) {
    if (sequence <= mark_.issued) return {};
    mark_.issued = sequence + db::kMarkBlock - 1;
    return save_mark();
}

Result<void> Outbox::save_mark() {
    {
        auto rows = bounds_.rows();
        auto found = rows.next();
        if (!found) return fail(std::move(found), "outbox mark");
        if (*found) mark_.acknowledged = rows.integer(0) - 1;
    }
    auto written = db::write_mark(connection_.file(), mark_);
    if (!written) {
        mark_.issued = 0;  // nothing is certain: the next record writes it again
        return fail(std::move(written), "outbox mark");
    }
    return {};
}

Result<std::int64_t> Outbox::newest_sequence() {
    auto newest = newest_.scalar();
    if (!newest && newest.error().code == Errc::not_found) return 0;
    if (!newest) return fail(std::move(newest), "outbox sequence");
    return newest;
}

Result<void> Outbox::count_queued() {
    rows_ = Shares{rows_.whole()};
    bytes_ = Shares{bytes_.whole()};
    auto rows = totals_.rows();
    for (;;) {
        auto found = rows.next();
        if (!found) return fail(std::move(found), "outbox totals");
        if (!*found) return {};
        std::string const party{rows.text(0)};
        rows_.take(party, static_cast<std::uint64_t>(rows.integer(1)));
        bytes_.take(party, static_cast<std::uint64_t>(rows.integer(2)));
    }
}

void Outbox::remove_from_totals(std::string const& party, std::int64_t bytes) {
    rows_.give_back(party, std::min<std::uint64_t>(rows_.held(party), 1));
    bytes_.give_back(party, std::min(bytes_.held(party), static_cast<std::uint64_t>(bytes)));
}

Result<void> Outbox::reload() {
    auto counted = count_queued();
    if (!counted) return counted;
    auto dead = dead_.scalar();
    if (!dead) return fail(std::move(dead), "outbox dead letters");
    dead_kept_ = *dead;
    auto refused = stored_number("refused");
    if (!refused) return fail(std::move(refused));
    refused_ = refused->value_or(0);
    auto dropped = stored_number("dead_dropped");
    if (!dropped) return fail(std::move(dropped));
    dead_dropped_ = dropped->value_or(0);
    return {};
}

Result<std::optional<std::int64_t>> Outbox::stored_number(std::string_view name) {
    auto rows = get_number_.rows(name);
    auto found = rows.next();
    if (!found) return fail(std::move(found), "outbox " + std::string{name});
    if (!*found) return std::nullopt;
    return rows.integer(0);
}

/// Version 0.1 counted repeats in last_states; that sum is where the number starts.
Result<void> Outbox::load_folded() {
    auto stored = stored_number("folded");
    if (!stored) return fail(std::move(stored));
    if (*stored) {
        folded_ = **stored;
        return {};
    }
    auto counted = folded_sum_.scalar();
    if (!counted) return fail(std::move(counted), "outbox folded");
    folded_ = *counted;
    return {};
}

Result<bool> Outbox::is_repeat(model::ComplianceRecord const& record) {
    auto rows = last_state_.rows(static_cast<int>(record.stream), record.subject);
    auto found = rows.next();
    if (!found) return fail(std::move(found), "outbox last state");
    return *found && rows.text(0) == record.state_digest;
}

Result<bool> Outbox::are_repeats(std::vector<model::ComplianceRecord> const& records) {
    for (model::ComplianceRecord const& record : records) {
        auto repeated = is_repeat(record);
        if (!repeated || !*repeated) return repeated;
    }
    return true;
}

Result<Outbox::Put> Outbox::put(model::ComplianceRecord const& record) {
    int const stream = static_cast<int>(record.stream);
    auto const repeated = is_repeat(record);
    if (!repeated) return std::unexpected{repeated.error()};
    if (*repeated) {
        ++folded_;  // reaches the disk with the next record
        return Put::repeated;
    }
    std::string const fields = boost::json::serialize(record.fields);
    std::string const party = party_of(record.fields);
    if (!rows_.may_take(party) || !bytes_.may_take(party, fields.size())) {
        auto counted = set_number_.run("refused", ++refused_);
        if (!counted) return fail(std::move(counted), "outbox refused");
        return Put::refused;
    }
    auto inserted = insert_.run(stream, micros(record.observed_at), micros(clock_()), fields);
    if (!inserted) return fail(std::move(inserted), "outbox insert");
    std::int64_t const sequence = connection_.last_insert_id();
    auto issued = issue(sequence);
    if (!issued) return fail(std::move(issued));
    std::string const id =
        crypto::sha256_hex(site_ + "\n" + std::to_string(sequence) + "\n" + record.subject + "\n" + record.state_digest)
            .substr(0, 32);
    auto named = set_id_.run(sequence, id);
    if (!named) return fail(std::move(named), "outbox record id");
    auto counted = set_number_.run("folded", folded_);
    if (!counted) return fail(std::move(counted), "outbox folded");
    auto remembered = remember_.run(stream, record.subject, record.state_digest);
    if (!remembered) return fail(std::move(remembered), "outbox last state");
    rows_.take(party);
    bytes_.take(party, fields.size());
    return Put::queued;
}

Result<void> Outbox::forget(model::Stream stream, std::string const& subject) {
    auto forgotten = forget_.run(static_cast<int>(stream), subject);
    if (!forgotten) return fail(std::move(forgotten), "outbox forget");
    return {};
}

Result<std::vector<uplink::QueuedRecord>> Outbox::oldest(model::Stream stream, std::int64_t after,
                                                         std::int64_t rows_max, std::int64_t bytes_max) {
    std::vector<uplink::QueuedRecord> found;
    std::int64_t bytes = 0;
    auto rows = select_.rows(static_cast<int>(stream), after, rows_max);
    for (;;) {
        auto row = rows.next();
        if (!row) return fail(std::move(row), "outbox select");
        if (!*row) return found;
        uplink::QueuedRecord record{.sequence = rows.integer(0),
                                    .stream = static_cast<model::Stream>(rows.integer(1)),
                                    .record_id = rows.text(2),
                                    .observed_at = from_micros(rows.integer(3)),
                                    .queued_at = from_micros(rows.integer(4)),
                                    .fields = rows.text(5),
                                    .last_at = from_micros(rows.integer(6)),
                                    .count = rows.integer(7)};
        bytes += static_cast<std::int64_t>(record.fields.size());
        if (!found.empty() && bytes > bytes_max) return found;
        found.push_back(std::move(record));
    }
}

Result<void> Outbox::acknowledge(std::vector<std::int64_t> const& sequences) {
    auto transaction = db::Transaction::begin(connection_);
    if (!transaction) return fail(std::move(transaction), "outbox acknowledge");
    std::vector<std::pair<std::string, std::int64_t>> gone;  // whose, bytes
    for (std::int64_t const sequence : sequences) {
        auto rows = remove_.rows(sequence);
        auto removed = rows.next();
        if (!removed) return fail(std::move(removed), "outbox acknowledge");
        if (!*removed) continue;  // acknowledged before, answer lost
        gone.emplace_back(rows.text(1), rows.integer(0));
    }
    auto committed = transaction->commit();
    if (!committed) return fail(std::move(committed), "outbox acknowledge");
    for (auto const& [party, bytes] : gone) remove_from_totals(party, bytes);
    return {};
}

Result<void> Outbox::set_aside(std::int64_t sequence, std::string const& reason) {
    auto transaction = db::Transaction::begin(connection_);
    if (!transaction) return fail(std::move(transaction), "outbox set aside");
    auto kept = set_aside_.run(sequence, reason);
    if (!kept) return fail(std::move(kept), "outbox set aside");
    std::string party;
    std::int64_t bytes = 0;
    {
        auto rows = remove_.rows(sequence);
        auto removed = rows.next();
        if (!removed) return fail(std::move(removed), "outbox set aside");
        if (!*removed) return fail(Errc::not_found, "outbox set aside: no record " + std::to_string(sequence));
        party = rows.text(1);
        bytes = rows.integer(0);
    }
    std::int64_t const over = std::max<std::int64_t>(0, dead_kept_ + 1 - limits_.dead_max);
    if (over > 0) {
        auto dropped = drop_dead_.run(limits_.dead_max);
        if (dropped) dropped = set_number_.run("dead_dropped", dead_dropped_ + over);
        if (!dropped) return fail(std::move(dropped), "outbox set aside");
    }
    auto committed = transaction->commit();
    if (!committed) return fail(std::move(committed), "outbox set aside");
    remove_from_totals(party, bytes);
    dead_kept_ += 1 - over;
    dead_dropped_ += over;
    return {};
}

Result<uplink::QueueState> Outbox::state() {
    uplink::QueueState state{.waiting = static_cast<std::int64_t>(rows_.used()),
                             .bytes = static_cast<std::int64_t>(bytes_.used()),
                             .refused = refused_};
    {
        auto rows = bounds_.rows();
        auto found = rows.next();
        if (!found) return fail(std::move(found), "outbox state");
        if (*found) {
            state.first_sequence = rows.integer(0);
            state.oldest = from_micros(rows.integer(1));
        }
    }
    auto newest = newest_sequence();
    if (!newest) return fail(std::move(newest));
    state.last_sequence = *newest;
    state.folded = folded_;
    state.dead = dead_kept_ + dead_dropped_;
    return state;
}

}  // namespace holdfast::cache
