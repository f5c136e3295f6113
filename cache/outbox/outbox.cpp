// cache/outbox/outbox.cpp: the queue's statements and its counters.
#include "cache/outbox/outbox.hpp"

#include "modules/crypto/digest.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <random>

namespace holdfast::cache {

namespace {

// Whose record it is: the object's own namespace. The other one is what its labels say, and those are anybody's.
// What is said about the queue itself is nobody's, and takes nobody's room; what is damaged is set aside in its turn.
#define HOLDFAST_PARTY                                                                                                          \
    "CASE WHEN NOT json_valid(fields) THEN '' WHEN json_extract(fields, '$.NotRecorded') IS NOT NULL THEN 'not recorded' ELSE " \
    "coalesce(json_extract(fields, '$.Namespace'), json_extract(fields, '$.ConfigurationNamespace'), '') END"
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
    "SELECT sequence, stream, record_id, observed_at, CASE WHEN count > 1 AND json_valid(fields) "
    "THEN json_set(fields, '$.LastObservedAt', last_at, '$.Count', count) ELSE fields END, ?2 "
    "FROM outbox WHERE sequence = ?1";
constexpr std::string_view kNobody = "not recorded";  // no namespace has a space
constexpr std::string_view kGapFields =
    R"({"ConfigurationNamespace":"","ConfigurationName":"","ComplianceState":"Unknown",)"
    R"("Message":"changes were not recorded: the queue was full","NotRecorded":0})";
constexpr std::size_t kRecordsOfASpell = 4;  // of one subject, before its states are counted in those that wait
constexpr std::uint64_t kReserveShare = 20;  // of the rows, beyond them, for what is said last about an object
constexpr std::uint64_t kReserveMin = 16;
constexpr std::uint64_t kReserveMax = 1'000;
constexpr std::size_t kLastWordBytesMax = 16u << 10;
constexpr std::size_t kSeenMax = 8;  // remembered of one subject
constexpr auto kLastState = "SELECT digest FROM last_states WHERE stream = ?1 AND subject = ?2";
constexpr auto kRemember = "INSERT INTO last_states(stream, subject, digest) VALUES(?1, ?2, ?3) "
                           "ON CONFLICT DO UPDATE SET digest = excluded.digest, refused = ''";
constexpr auto kRefusedState = "SELECT refused FROM last_states WHERE stream = ?1 AND subject = ?2";
constexpr auto kRememberRefused = "INSERT INTO last_states(stream, subject, digest, refused) VALUES(?1, ?2, '', ?3) "
                                  "ON CONFLICT DO UPDATE SET refused = excluded.refused";
constexpr auto kSetRepeats = "UPDATE outbox SET last_at = ?2, count = ?3 WHERE sequence = ?1";
constexpr auto kForget = "DELETE FROM last_states WHERE stream = ?1 AND subject = ?2";
constexpr auto kGetNumber = "SELECT value FROM numbers WHERE name = ?1";
constexpr auto kSetNumber =
    "INSERT INTO numbers(name, value) VALUES(?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value";
constexpr auto kBounds = "SELECT sequence, observed_at FROM outbox ORDER BY sequence LIMIT 1";
constexpr auto kNewest = "SELECT seq FROM sqlite_sequence WHERE name = 'outbox'";
constexpr auto kFolded = "SELECT coalesce(sum(repeats), 0) FROM last_states";
constexpr auto kDead = "SELECT count(*) FROM dead_letters";
constexpr auto kDropDead = "DELETE FROM dead_letters WHERE sequence IN "
                           "(SELECT sequence FROM dead_letters ORDER BY sequence LIMIT ?1)";

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
    : connection_(connection), limits_(limits), clock_(std::move(clock)), ballast_(connection.file()),
      rows_(static_cast<std::uint64_t>(limits.rows_max)), bytes_(static_cast<std::uint64_t>(limits.bytes_max)),
      totals_(connection, kTotals), insert_(connection, kInsert), set_id_(connection, kSetId),
      select_(connection, kSelect), remove_(connection, kRemove), set_aside_(connection, kSetAside),
      last_state_(connection, kLastState), remember_(connection, kRemember), forget_(connection, kForget),
      refused_state_(connection, kRefusedState), remember_refused_(connection, kRememberRefused),
      set_repeats_(connection, kSetRepeats), get_number_(connection, kGetNumber), set_number_(connection, kSetNumber),
      bounds_(connection, kBounds), newest_(connection, kNewest), folded_sum_(connection, kFolded),
      dead_(connection, kDead), drop_dead_(connection, kDropDead) {}

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
    handed_out_ = {*newest, *newest};  // what waited before the start may have been sent, and must not change
    if (held && held->site == site_) mark_ = *held;
    mark_.site = site_;
    mark_.issued = std::max(mark_.issued, *newest);
    if (rows_.used() == 0 && gap_rows_ == 0) mark_.acknowledged = *newest;
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
    gap_rows_ = 0;
    auto rows = totals_.rows();
    for (;;) {
        auto found = rows.next();
        if (!found) return fail(std::move(found), "outbox totals");
        if (!*found) return {};
        std::string const party{rows.text(0)};
        if (party == kNobody) {
            gap_rows_ = rows.integer(1);
            continue;
        }
        rows_.take(party, static_cast<std::uint64_t>(rows.integer(1)));
        bytes_.take(party, static_cast<std::uint64_t>(rows.integer(2)));
    }
}

void Outbox::remove_from_totals(std::string const& party, std::int64_t bytes) {
    if (party == kNobody) {
        --gap_rows_;
        return;
    }
    rows_.give_back(party, std::min<std::uint64_t>(rows_.held(party), 1));
    bytes_.give_back(party, std::min(bytes_.held(party), static_cast<std::uint64_t>(bytes)));
}

Result<void> Outbox::reload() {
    spells_.clear();
    gaps_ = {};
    undo_.clear();
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

Result<bool> Outbox::was_refused(model::ComplianceRecord const& record) {
    auto rows = refused_state_.rows(static_cast<int>(record.stream), record.subject);
    auto found = rows.next();
    if (!found) return fail(std::move(found), "outbox refused state");
    return *found && !record.state_digest.empty() && rows.text(0) == record.state_digest;
}

Result<bool> Outbox::are_repeats(std::vector<model::ComplianceRecord> const& records) {
    for (model::ComplianceRecord const& record : records) {
        auto repeated = is_repeat(record);
        if (!repeated) return repeated;
        if (*repeated) continue;
        auto refused = was_refused(record);
        if (!refused || !*refused) return refused;
        std::size_t const bytes = boost::json::serialize(record.fields).size();
        if (fits(party_of(record.fields), bytes, Word::change)) return false;
    }
    return true;
}

bool Outbox::fits(std::string const& party, std::size_t bytes, Word word) const {
    if (rows_.may_take(party) && bytes_.may_take(party, bytes)) return true;
    auto const reserve = std::clamp(rows_.whole() / kReserveShare, kReserveMin, kReserveMax);
    return word == Word::last && rows_.used() < rows_.whole() + reserve && bytes < kLastWordBytesMax;
}

void Outbox::begin() { undo_.clear(); }

void Outbox::roll_back() {
    for (auto step = undo_.rbegin(); step != undo_.rend(); ++step) (*step)();
    undo_.clear();
}

/// The newest record of the subject with that state that nobody has seen yet.
Outbox::Seen* Outbox::seen_of(model::ComplianceRecord const& record, std::string_view digest) {
    auto const spell = spells_.find({record.stream, record.subject});
    if (spell == spells_.end()) return nullptr;
    auto const gone = handed_out_[static_cast<std::size_t>(record.stream)];
    std::erase_if(spell->second, [&](Seen const& one) { return one.sequence <= gone; });
    for (auto one = spell->second.rbegin(); one != spell->second.rend(); ++one) {
        if (one->digest == digest) return &*one;
    }
    return nullptr;
}

void Outbox::count_repeat(Seen& seen, model::WallTime at) {
    ++seen.count;
    seen.last = std::max(seen.last, at);
    seen.is_written = false;
    ++folded_;  // reaches the disk with the next record
}

Result<void> Outbox::write_repeats(Seen& seen) {
    if (seen.is_written) return {};
    auto written = set_repeats_.run(seen.sequence, micros(seen.last), seen.count);
    if (!written) return fail(std::move(written), "outbox repeats");
    seen.is_written = true;
    return {};
}

/// What is handed out says the same however often it is sent.
Result<bool> Outbox::write_repeats(model::Stream stream, std::int64_t up_to) {
    std::vector<Seen*> unwritten;
    for (auto& [subject, spell] : spells_) {
        if (subject.first != stream) continue;
        for (Seen& one : spell) {
            bool const is_open = one.sequence > handed_out_[static_cast<std::size_t>(stream)];
            if (is_open && one.sequence <= up_to && !one.is_written) unwritten.push_back(&one);
        }
    }
    if (unwritten.empty()) return false;
    auto transaction = db::Transaction::begin(connection_);
    if (!transaction) return fail(std::move(transaction), "outbox repeats");
    for (Seen* one : unwritten) {
        auto written = set_repeats_.run(one->sequence, micros(one->last), one->count);
        if (!written) return fail(std::move(written), "outbox repeats");
    }
    auto committed = transaction->commit();
    if (!committed) return fail(std::move(committed), "outbox repeats");
    for (Seen* one : unwritten) one->is_written = true;
    return true;
}

/// An object that goes to and fro fills nothing: from the fifth record of a spell on each state is counted in the one that
/// waits for it, and so it is before a record would be refused.
Result<bool> Outbox::fold(model::ComplianceRecord const& record, bool has_room) {
    Seen* const seen = seen_of(record, record.state_digest);
    if (seen == nullptr || record.observed_at - seen->first > limits_.spell_max) return false;
    std::size_t const waiting = spells_.at({record.stream, record.subject}).size();
    if (has_room && waiting < kRecordsOfASpell) return false;
    Seen const before = *seen;
    undo_.emplace_back([this, before, subject = Subject{record.stream, record.subject}] {
        auto const spell = spells_.find(subject);
        if (spell == spells_.end()) return;
        for (Seen& one : spell->second) {
            if (one.sequence == before.sequence) one = before;
        }
        --folded_;
    });
    count_repeat(*seen, record.observed_at);
    auto written = write_repeats(*seen);
    if (!written) return fail(std::move(written));
    auto remembered = remember_.run(static_cast<int>(record.stream), record.subject, record.state_digest);
    if (!remembered) return fail(std::move(remembered), "outbox last state");
    return true;
}

Result<Outbox::Put> Outbox::put(model::ComplianceRecord const& record, Word word) {
    auto const repeated = is_repeat(record);
    if (!repeated) return std::unexpected{repeated.error()};
    if (*repeated) {
        Seen* const seen = seen_of(record, record.state_digest);
        if (seen != nullptr) count_repeat(*seen, record.observed_at);
        if (seen == nullptr) ++folded_;
        return Put::repeated;
    }
    std::string const fields = boost::json::serialize(record.fields);
    std::string const party = party_of(record.fields);
    bool const has_room = fits(party, fields.size(), word);
    auto folded = fold(record, has_room);
    if (!folded) return fail(std::move(folded));
    if (*folded) return Put::repeated;
    if (!has_room) {
        auto refused = refuse(record);
        if (!refused) return fail(std::move(refused));
        return Put::refused;
    }
    auto sequence = insert(record, party, fields);
    if (!sequence) return fail(std::move(sequence));
    auto counted = set_number_.run("folded", folded_);
    if (!counted) return fail(std::move(counted), "outbox folded");
    auto remembered = remember_.run(static_cast<int>(record.stream), record.subject, record.state_digest);
    if (!remembered) return fail(std::move(remembered), "outbox last state");
    Subject const subject{record.stream, record.subject};
    auto& spell = spells_[subject];
    spell.push_back({*sequence, record.state_digest, record.observed_at, record.observed_at});
    if (spell.size() > kSeenMax) spell.erase(spell.begin());
    undo_.emplace_back([this, subject] { spells_.erase(subject); });
    refusing_ = false;
    return Put::queued;
}

Result<std::int64_t> Outbox::insert(model::ComplianceRecord const& record, std::string const& party,
                                    std::string const& fields) {
    auto inserted = insert_.run(static_cast<int>(record.stream), micros(record.observed_at), micros(clock_()), fields);
    if (!inserted) return fail(std::move(inserted), "outbox insert");
    std::int64_t const sequence = connection_.last_insert_id();
    auto issued = issue(sequence);
    if (!issued) return fail(std::move(issued));
    std::string const id =
        crypto::sha256_hex(site_ + "\n" + std::to_string(sequence) + "\n" + record.subject + "\n" + record.state_digest)
            .substr(0, 32);
    auto named = set_id_.run(sequence, id);
    if (!named) return fail(std::move(named), "outbox record id");
    if (party == kNobody) {
        ++gap_rows_;
    } else {
        rows_.take(party);
        bytes_.take(party, fields.size());
    }
    undo_.emplace_back(
        [this, party, bytes = static_cast<std::int64_t>(fields.size())] { remove_from_totals(party, bytes); });
    return sequence;
}

/// Each state is counted once, however often its object offers it.
Result<void> Outbox::refuse(model::ComplianceRecord const& record) {
    refusing_ = true;
    auto known = was_refused(record);
    if (!known) return fail(std::move(known));
    if (*known) return {};
    undo_.emplace_back([this] { --refused_; });
    auto counted = set_number_.run("refused", ++refused_);
    if (!counted) return fail(std::move(counted), "outbox refused");
    auto remembered = remember_refused_.run(static_cast<int>(record.stream), record.subject, record.state_digest);
    if (!remembered) return fail(std::move(remembered), "outbox refused state");
    return note_gap(record.stream, record.observed_at);
}

/// One record, that nobody has seen yet, says how many changes were not recorded, from when to when.
Result<void> Outbox::note_gap(model::Stream stream, model::WallTime at) {
    auto const index = static_cast<std::size_t>(stream);
    Gap& gap = gaps_[index];
    undo_.emplace_back([this, index, before = gap] { gaps_[index] = before; });
    if (gap.sequence > handed_out_[index]) {
        auto counted = set_repeats_.run(gap.sequence, micros(at), ++gap.count);
        if (!counted) return fail(std::move(counted), "outbox gap");
        return {};
    }
    model::ComplianceRecord const record{.stream = stream,
                                         .subject = "gap",
                                         .state_digest = std::to_string(micros(at)),
                                         .observed_at = at,
                                         .fields = {}};
    auto sequence = insert(record, std::string{kNobody}, std::string{kGapFields});
    if (!sequence) return fail(std::move(sequence));
    gap = {.sequence = *sequence, .count = 1};
    return {};
}

Result<void> Outbox::forget(model::Stream stream, std::string const& subject) {
    auto forgotten = forget_.run(static_cast<int>(stream), subject);
    if (!forgotten) return fail(std::move(forgotten), "outbox forget");
    spells_.erase({stream, subject});
    return {};
}

Result<std::vector<uplink::QueuedRecord>> Outbox::oldest(model::Stream stream, std::int64_t after,
                                                         std::int64_t rows_max, std::int64_t bytes_max) {
    auto found = select(stream, after, rows_max, bytes_max);
    if (!found || found->empty()) return found;
    auto& handed_out = handed_out_[static_cast<std::size_t>(stream)];
    if (found->back().sequence <= handed_out) return found;
    auto written = write_repeats(stream, found->back().sequence);
    // On a full disk the records go without their repeats: what is sent makes room.
    if (!written && written.error().code != Errc::limit) return fail(std::move(written));
    handed_out = found->back().sequence;
    std::erase_if(spells_, [&](auto const& one) {
        return one.first.first == stream && one.second.back().sequence <= handed_out;
    });
    if (!written || !*written) return found;
    return select(stream, after, rows_max, bytes_max);  // with the repeats
}

uplink::QueuedRecord Outbox::record_of(db::Rows const& rows) {
    return {.sequence = rows.integer(0),
            .stream = static_cast<model::Stream>(rows.integer(1)),
            .record_id = rows.text(2),
            .observed_at = from_micros(rows.integer(3)),
            .queued_at = from_micros(rows.integer(4)),
            .fields = rows.text(5),
            .last_at = from_micros(rows.integer(6)),
            .count = rows.integer(7)};
}

Result<std::vector<uplink::QueuedRecord>> Outbox::select(model::Stream stream, std::int64_t after,
                                                         std::int64_t rows_max, std::int64_t bytes_max) {
    std::vector<uplink::QueuedRecord> found;
    std::int64_t bytes = 0;
    auto rows = select_.rows(static_cast<int>(stream), after, rows_max);
    for (;;) {
        auto row = rows.next();
        if (!row) return fail(std::move(row), "outbox select");
        if (!*row) return found;
        auto record = record_of(rows);
        bytes += static_cast<std::int64_t>(record.fields.size());
        if (!found.empty() && bytes > bytes_max) return found;
        found.push_back(std::move(record));
    }
}

Result<void> Outbox::make_room() {
    auto held = ballast_.hold();
    if (!held) return fail(std::move(held), "nothing is sent that could not be acknowledged");
    return {};
}

Result<void> Outbox::acknowledge(std::vector<std::int64_t> const& sequences) {
    auto removed = remove_rows(sequences);
    if (removed || removed.error().code != Errc::limit) return removed;
    ballast_.release();  // for the log that the removal needs
    return remove_rows(sequences);
}

Result<void> Outbox::remove_rows(std::vector<std::int64_t> const& sequences) {
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
        auto dropped = drop_dead_.run(over);
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
    uplink::QueueState state{.waiting = static_cast<std::int64_t>(rows_.used()) + gap_rows_,
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
    state.refusing = refusing_;
    state.dead = dead_kept_ + dead_dropped_;
    return state;
}

}  // namespace holdfast::cache
