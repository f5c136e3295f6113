// cache/db/salvage.cpp: reading around damage. Uses SQLite bare: here a table or column that is not there is an answer.
#include "cache/db/salvage.hpp"

#include "cache/db/error.hpp"
#include "cache/db/head.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <deque>
#include <utility>

namespace holdfast::cache::db {

namespace {

constexpr int kProbesMax = 4'096;                // places of one table that are tried around its damage
constexpr std::int64_t kNumbersMax = 1'000'000;  // looked for above the last row when the highest is unknown
constexpr std::size_t kRangesNamedMax = 8;       // of lost sequences, in words

struct Table {
    char const* name;
    char const* columns;   // the same in both files, in this order
    char const* read;      // what is selected for them; damaged text inside must not stop the next start
    char const* read_old;  // the same from a file of an older schema, where it differs
    char const* key_old;   // the primary key there; nullptr: as now
    char const* key_old_backwards;
    char const* key;            // the primary key
    char const* key_backwards;  // the same, for the way down
    bool is_numbered;           // the key is one number: the space between two damaged places can be halved
    char const* shape;          // what a row of it looks like, to tell it from those of another table
};

constexpr auto kWhole =
    "CASE WHEN json_valid(wish) THEN wish ELSE '' END, CASE WHEN json_valid(status) THEN status ELSE '' "
    "END, CASE WHEN json_valid(facts) THEN facts ELSE '' END";

// In the order in which a loss would hurt.
constexpr std::array<Table, 8> kTables{{
    {"outbox", "sequence, stream, record_id, observed_at, queued_at, fields, last_at, count", nullptr,
     "sequence, stream, record_id, observed_at, queued_at, fields, 0, 1", nullptr, nullptr, "sequence", "sequence DESC",
     true,
     "stream IN (0, 1) AND typeof(record_id) = 'text' AND length(record_id) = 32 AND typeof(observed_at) = 'integer' "
     "AND typeof(queued_at) = 'integer' AND json_valid(fields)"},
    {"dead_letters", "sequence, stream, record_id, observed_at, fields, reason", nullptr, nullptr, nullptr, nullptr,
     "sequence", "sequence DESC", true,
     "stream IN (0, 1) AND typeof(record_id) = 'text' AND typeof(observed_at) = 'integer' AND json_valid(fields) "
     "AND typeof(reason) = 'text'"},
    {"numbers", "name, value", nullptr, nullptr, nullptr, nullptr, "name", "name DESC", false,
     "name IN ('site', 'refused', 'folded', 'dead_dropped')"},
    {"last_states", "stream, subject, digest, repeats, refused", nullptr, "stream, subject, digest, repeats, ''",
     nullptr, nullptr, "stream, subject", "stream DESC, subject DESC", false,
     "stream IN (0, 1) AND typeof(subject) = 'text' AND typeof(digest) = 'text' AND typeof(repeats) = 'integer'"},
    {"objects", "kind, namespace, name, wish, status, facts", kWhole, nullptr, nullptr, nullptr,
     "kind, namespace, name", "kind DESC, namespace DESC, name DESC", false,
     "typeof(name) = 'text' AND json_valid(wish) AND typeof(status) = 'text' AND typeof(facts) = 'text'"},
    {"owned", "kind, namespace, name, cluster, id, version, uid, resource_version, wished, fields", nullptr,
     "'Kustomization', namespace, name, '', id, version, uid, resource_version, wished, fields", "namespace, name, id",
     "namespace DESC, name DESC, id DESC", "kind, namespace, name, cluster, id",
     "kind DESC, namespace DESC, name DESC, cluster DESC, id DESC", false,
     "typeof(resource_version) = 'text' AND typeof(wished) = 'integer' AND typeof(fields) = 'integer'"},
    {"blobs", "digest, size, stored_at", nullptr, nullptr, nullptr, nullptr, "digest", "digest DESC", false,
     "digest GLOB 'sha256:*' AND typeof(size) = 'integer' AND typeof(stored_at) = 'integer'"},
    {"artifacts", "id, source, revision, digest, size, stored_at, metadata", nullptr, nullptr, nullptr, nullptr, "id",
     "id DESC", true,
     "typeof(revision) = 'text' AND digest GLOB 'sha256:*' AND typeof(size) = 'integer' AND json_valid(metadata)"},
}};

struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Handle = std::unique_ptr<sqlite3, Close>;
using Prepared = std::unique_ptr<sqlite3_stmt, Close>;

/// writable_schema: a file that is shorter than its first page says, and rows of the schema that make no sense, are read
/// as far as they go.
Handle open_damaged(std::filesystem::path const& file) {
    sqlite3* raw = nullptr;
    int const opened = sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, nullptr);
    Handle handle{raw};
    if (opened != SQLITE_OK) return nullptr;
    sqlite3_exec(raw, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA writable_schema=ON; PRAGMA trusted_schema=OFF", nullptr,
                 nullptr, nullptr);
    return handle;
}

Prepared prepare(sqlite3* handle, std::string const& sql) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(handle, sql.c_str(), static_cast<int>(sql.size()), &statement, nullptr);
    return Prepared{statement};
}

std::string select_of(Table const& table, bool is_old, std::string const& where, std::string_view order) {
    char const* read = is_old && table.read_old != nullptr ? table.read_old : table.columns;
    std::string columns = read;
    if (table.read != nullptr) columns = "kind, namespace, name, " + std::string{table.read};
    return "SELECT " + columns + " FROM " + table.name + where + " ORDER BY " + std::string{order};
}

std::string insert_of(Table const& table, int columns) {
    std::string sql = std::string{"INSERT OR IGNORE INTO "} + table.name + "(" + table.columns + ") VALUES(?1";
    for (int i = 2; i <= columns; ++i) sql += ", ?" + std::to_string(i);
    return sql + ")";
}

/// Everything strictly between two numbers.
struct Range {
    std::int64_t after;
    std::int64_t before;
};

enum class End { whole, damaged };

/// One table on its way.
class Carrier {
public:
    Carrier(Table const& table, sqlite3* from, Connection& fresh) : table_{table}, from_{from}, fresh_{fresh} {
        is_old_ = table.read_old != nullptr && !prepare(from, select_of(table, false, "", table.key));
    }

    std::int64_t carried() const { return carried_; }
    std::vector<Range> const& unread() const { return unread_; }
    bool is_whole() const { return is_whole_; }

    Result<void> both_ways() {
        bool const other_key = is_old_ && table_.key_old != nullptr;
        auto up = read(select_of(table_, is_old_, "", other_key ? table_.key_old : table_.key), {});
        if (!up) return fail(std::move(up));
        if (*up == End::whole) return {};
        is_whole_ = false;
        auto down =
            read(select_of(table_, is_old_, "", other_key ? table_.key_old_backwards : table_.key_backwards), {});
        if (!down) return fail(std::move(down));
        return {};
    }

    Result<void> halving(std::int64_t highest) {
        std::string const between = " WHERE " + std::string{table_.key} + " > ?1 AND " + table_.key + " < ?2";
        std::string const upwards = select_of(table_, is_old_, between, table_.key);
        std::string const downwards = select_of(table_, is_old_, between, table_.key_backwards);
        std::deque<Range> open{{0, INT64_MAX}};
        for (int probe = 0; !open.empty(); ++probe) {
            Range range = open.front();
            open.pop_front();
            if (probe == kProbesMax) {
                unread_.push_back(range);
                unread_.insert(unread_.end(), open.begin(), open.end());
                break;
            }
            auto up = read(upwards, range);
            if (!up) return fail(std::move(up));
            if (*up == End::whole) continue;
            is_whole_ = false;
            if (last_) range.after = *last_;
            auto down = read(downwards, range);
            if (!down) return fail(std::move(down));
            if (*down == End::whole) continue;
            if (last_) range.before = *last_;
            if (range.before == INT64_MAX) range.before = std::max(range.after, highest) + 1;
            auto const middle = range.after + (range.before - range.after) / 2;
            if (range.before - range.after <= 2) {
                if (range.before - range.after == 2) unread_.push_back(range);
                continue;
            }
            open.push_back({range.after, middle});
            open.push_back({middle - 1, range.before});
        }
        join();
        return {};
    }

    /// Rows of one page that no longer hangs on anything, where they fill what is missing.
    Result<void> adopt(sqlite3* from) {
        std::swap(from_, from);
        std::string const shape = " WHERE " + std::string{table_.shape};
        std::string const between = shape + " AND " + table_.key + " > ?1 AND " + table_.key + " < ?2";
        Result<End> taken = End::whole;
        if (!table_.is_numbered) taken = read(select_of(table_, is_old_, shape, "1"), {});
        for (Range const& range : unread_) {
            if (taken) taken = read(select_of(table_, is_old_, between, "1"), range);
        }
        std::swap(from_, from);
        if (!taken) return fail(std::move(taken));
        return {};
    }

private:
    /// Ranges that touch become one.
    void join() {
        std::ranges::sort(unread_, {}, &Range::after);
        std::vector<Range> joined;
        for (Range const& range : unread_) {
            if (joined.empty() || range.after >= joined.back().before) joined.push_back(range);
            joined.back().before = std::max(joined.back().before, range.before);
        }
        unread_ = std::move(joined);
    }

    Result<End> read(std::string const& sql, std::optional<Range> range) {
        last_.reset();
        auto const select = prepare(from_, sql);
        if (!select) return End::damaged;
        if (range) {
            sqlite3_bind_int64(select.get(), 1, range->after);
            sqlite3_bind_int64(select.get(), 2, range->before);
        }
        int const columns = sqlite3_column_count(select.get());
        auto const insert = prepare(fresh_.handle(), insert_of(table_, columns));
        if (!insert) return std::unexpected{error_of(fresh_.handle(), sqlite3_errcode(fresh_.handle()))};
        for (;;) {
            int const code = sqlite3_step(select.get());
            if (code == SQLITE_DONE) return End::whole;
            if ((code & 0xff) == SQLITE_NOMEM) return std::unexpected{error_of(from_, code)};
            if (code != SQLITE_ROW) return End::damaged;
            auto put = carry(select.get(), insert.get(), columns);
            if (!put) return fail(std::move(put));
            last_ = sqlite3_column_int64(select.get(), 0);
        }
    }

    Result<void> carry(sqlite3_stmt* select, sqlite3_stmt* insert, int columns) {
        for (int i = 0; i < columns; ++i) {
            int const bound = sqlite3_bind_value(insert, i + 1, sqlite3_column_value(select, i));
            if (bound != SQLITE_OK) return std::unexpected{error_of(fresh_.handle(), bound)};
        }
        int const code = sqlite3_step(insert);
        sqlite3_reset(insert);
        if ((code & 0xff) == SQLITE_CONSTRAINT) {  // another type than the table's: not what was written
            is_whole_ = false;
            return {};
        }
        if (code != SQLITE_DONE) return std::unexpected{error_of(fresh_.handle(), code)};
        carried_ += sqlite3_changes64(fresh_.handle());
        return {};
    }

    Table const& table_;
    sqlite3* from_;
    Connection& fresh_;
    bool is_old_ = false;
    bool is_whole_ = true;
    std::int64_t carried_ = 0;
    std::optional<std::int64_t> last_;  // the key of the last row of the last read
    std::vector<Range> unread_;
};

std::optional<std::int64_t> number_of(sqlite3* handle, std::string const& sql) {
    auto const select = prepare(handle, sql);
    if (!select || sqlite3_step(select.get()) != SQLITE_ROW) return std::nullopt;
    return sqlite3_column_int64(select.get(), 0);
}

/// A page above the leaves is lost: looks at each leaf of the file by itself. Freed leaves still hold what was deleted.
/// Of the outbox they are looked at all the same: a record that was acknowledged may come back, with its old id, by
/// which the receiver's copy is recognized. For any other table it must be known which ones are free.
Result<void> adopt_strays(std::filesystem::path const& damaged, Table const& table, Carrier& carrier, Head head) {
    bool const is_outbox = &table == &kTables.front();
    auto pages = Leaves::open(damaged, table.is_numbered ? Leaves::Of::table : Leaves::Of::index);
    if (!pages) return fail(std::move(pages));
    auto led = lead_to(damaged, {{table.name, 1}});
    if (!led) return led;
    auto const handle = open_damaged(damaged);
    if (!handle) return {};
    sqlite3_exec(handle.get(), "PRAGMA synchronous=OFF", nullptr, nullptr, nullptr);
    while (auto const page = pages->next()) {
        if (!is_outbox && (head == Head::replaced || pages->is_free(*page))) continue;
        auto const here = "UPDATE sqlite_schema SET rootpage = " + std::to_string(*page) +
                          "; PRAGMA writable_schema=RESET; PRAGMA writable_schema=ON";
        sqlite3_exec(handle.get(), here.c_str(), nullptr, nullptr, nullptr);
        auto adopted = carrier.adopt(handle.get());
        if (!adopted) return adopted;
    }
    return {};
}

std::string words(Table const& table, Carrier const& carrier) {
    std::string text = std::string{table.name} + ": " + std::to_string(carrier.carried()) + " rows read, others lost";
    if (std::string_view{table.name} != "outbox" || carrier.unread().empty()) return text;
    text += ", between the sequences";
    for (std::size_t i = 0; i < std::min(carrier.unread().size(), kRangesNamedMax); ++i) {
        Range const& range = carrier.unread()[i];
        text += (i == 0 ? " " : ", ") + std::to_string(range.after) + " and " + std::to_string(range.before);
    }
    return text;
}

Result<void> carry_tables(sqlite3* from, Connection& fresh, std::int64_t highest, Salvage& result,
                          std::vector<std::pair<Table const*, Carrier>>& carriers) {
    for (Table const& table : kTables) {
        auto transaction = Transaction::begin(fresh);
        if (!transaction) return fail(std::move(transaction));
        Carrier& carrier = carriers.emplace_back(&table, Carrier{table, from, fresh}).second;
        auto done = table.is_numbered ? carrier.halving(highest) : carrier.both_ways();
        if (!done) return done;
        auto committed = transaction->commit();
        if (!committed) return committed;
    }
    for (char const* table : {"outbox", "dead_letters"}) {
        auto const seen = number_of(fresh.handle(), "SELECT max(sequence) FROM " + std::string{table});
        result.sequence = std::max(result.sequence, seen.value_or(0));
    }
    return {};
}

/// An artifact's file needs its row again; an inventory needs an owner that the next start asks for.
constexpr auto kMend =
    "INSERT OR IGNORE INTO blobs SELECT digest, size, stored_at FROM artifacts WHERE size >= 0;"
    "DELETE FROM artifacts WHERE digest NOT IN (SELECT digest FROM blobs);"
    "INSERT OR IGNORE INTO objects(kind, namespace, name) SELECT DISTINCT kind, namespace, name FROM owned";

bool has_tables(sqlite3* handle, bool or_older) {
    for (Table const& table : kTables) {
        bool const is_there =
            prepare(handle, select_of(table, false, "", table.key)) ||
            (or_older && table.read_old != nullptr &&
             prepare(handle, select_of(table, true, "", table.key_old != nullptr ? table.key_old : table.key)));
        if (!is_there) return false;
    }
    return prepare(handle, "SELECT name, seq FROM sqlite_sequence") != nullptr;
}

}  // namespace

bool has_tables(std::filesystem::path const& file) {
    auto const handle = open_damaged(file);
    return handle && has_tables(handle.get(), true);
}

bool has_tables(Connection& connection) { return has_tables(connection.handle(), false); }

Result<void> replace_head(std::filesystem::path const& file, Mark const& mark) { return lead_to(file, mark.roots); }

Result<Salvage> salvage(std::filesystem::path const& damaged, Connection& fresh, Mark const& mark, Head head) {
    Salvage result;
    auto relaxed = fresh.execute("PRAGMA foreign_keys=OFF");
    if (!relaxed) return fail(std::move(relaxed));
    std::vector<std::pair<Table const*, Carrier>> carriers;
    carriers.reserve(kTables.size());
    {
        auto const from = open_damaged(damaged);
        if (!from) return fail(Errc::corrupt, "the damaged database cannot be opened");
        // What the log still holds goes to its place first: afterwards the file is looked at page by page.
        sqlite3_exec(from.get(), "PRAGMA wal_checkpoint(TRUNCATE)", nullptr, nullptr, nullptr);
        auto const counter = number_of(from.get(), "SELECT seq FROM sqlite_sequence WHERE name = 'outbox'");
        auto const no_counter = number_of(from.get(), "SELECT count(*) FROM sqlite_sequence WHERE name = 'outbox'");
        result.counter_read = counter || no_counter == 0;
        result.sequence = counter.value_or(0);
        auto const highest = std::max(result.sequence, mark.issued);
        auto carried = carry_tables(from.get(), fresh, highest > 0 ? highest : kNumbersMax, result, carriers);
        if (!carried) return fail(std::move(carried), "rows");
    }
    std::string const first_page = read_head(damaged);
    for (auto& [table, carrier] : carriers) {
        if (carrier.is_whole()) continue;
        write_head(damaged, first_page);
        auto transaction = Transaction::begin(fresh);
        if (!transaction) return fail(std::move(transaction));
        auto adopted = adopt_strays(damaged, *table, carrier, head);
        if (adopted) adopted = transaction->commit();
        if (!adopted) return fail(std::move(adopted), table->name);
    }
    for (auto const& [table, carrier] : carriers) {
        (table == &kTables.front() ? result.records : result.rows) += carrier.carried();
        if (!carrier.is_whole()) result.lost.push_back(words(*table, carrier));
    }
    auto mended = fresh.execute(kMend);
    if (!mended) return fail(std::move(mended), "rows");
    auto const seen = number_of(fresh.handle(), "SELECT max(sequence) FROM outbox");
    result.sequence = std::max(result.sequence, seen.value_or(0));
    auto strict = fresh.execute("PRAGMA foreign_keys=ON");
    if (!strict) return fail(std::move(strict));
    return result;
}

}  // namespace holdfast::cache::db
