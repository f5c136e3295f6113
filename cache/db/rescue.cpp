// cache/db/rescue.cpp: what to do with the file that was found. The new database is built beside the damaged one; its
// rename is the moment from which it counts, so a power cut leaves the one or the other.
#include "cache/db/rescue.hpp"

#include "cache/db/files.hpp"
#include "cache/db/mark.hpp"
#include "cache/db/migrate.hpp"
#include "cache/db/salvage.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <fstream>

namespace holdfast::cache::db {

namespace {

constexpr std::size_t kSetAsideMax = 3;     // damaged files that are kept to look at
constexpr std::uintmax_t kAttemptsMax = 3;  // rescues that may die on one file before it is set aside unread
constexpr std::array<char const*, 3> kCompanions{"-wal", "-shm", "-journal"};
constexpr std::uintmax_t kWalHeaderBytes = 32;
constexpr std::uintmax_t kPageBytes = 4'096;
constexpr std::size_t kBlobNameBytes = 64;

/// The names around one database.
struct Names {
    std::filesystem::path file;

    std::filesystem::path with(std::string_view end) const { return file.string() + std::string{end}; }
    std::filesystem::path wal() const { return with("-wal"); }
    std::filesystem::path copy() const { return with(".rescue-copy"); }          // of the damaged file, to read from
    std::filesystem::path part() const { return with(".rescue-part"); }          // the new one while it is made
    std::filesystem::path whole() const { return with(".rescue"); }              // the new one, complete
    std::filesystem::path attempts() const { return with(".rescue-attempts"); }  // a byte for each that began
    std::string damaged_prefix() const { return file.filename().string() + ".damaged-"; }
};

std::uintmax_t size_of(std::filesystem::path const& file) {
    std::error_code ec;
    auto const size = std::filesystem::file_size(file, ec);
    return ec ? 0 : size;
}

bool has_blobs(std::filesystem::path const& directory) {
    std::error_code ec;
    for (std::filesystem::directory_iterator entry{directory, ec}, end; !ec && entry != end; entry.increment(ec)) {
        if (entry->path().filename().string().size() == kBlobNameBytes) return true;
    }
    return false;
}

std::string stamp(std::chrono::system_clock::time_point now) {
    std::time_t const seconds = std::chrono::system_clock::to_time_t(now);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char text[32];
    return {text, std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts)};
}

std::filesystem::path new_damaged_name(Names const& names, std::chrono::system_clock::time_point now) {
    auto const first = names.file.parent_path() / (names.damaged_prefix() + stamp(now));
    auto name = first;
    std::error_code ec;
    for (int i = 2; std::filesystem::exists(name, ec) || std::filesystem::exists(name.string() + "-wal", ec); ++i)
        name = first.string() + "-" + std::to_string(i);
    return name;
}

/// Oldest first by name, which is by time.
std::vector<std::filesystem::path> damaged_files(Names const& names) {
    std::vector<std::filesystem::path> found;
    std::error_code ec;
    for (std::filesystem::directory_iterator entry{names.file.parent_path(), ec}, end; !ec && entry != end;
         entry.increment(ec)) {
        auto const name = entry->path().filename().string();
        bool const is_companion =
            std::ranges::any_of(kCompanions, [&](char const* end) { return name.ends_with(end); });
        if (name.starts_with(names.damaged_prefix()) && !is_companion) found.push_back(entry->path());
    }
    std::ranges::sort(found);
    return found;
}

void remove_all_of(std::filesystem::path const& file) {
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    for (auto const* end : kCompanions) std::filesystem::remove(file.string() + end, ignored);
}

Result<void> move_if_there(std::filesystem::path const& from, std::filesystem::path const& to) {
    std::error_code ec;
    if (!std::filesystem::exists(from, ec)) return {};
    return move_file(from, to);
}

/// The damaged file goes first: a log without its database is never replayed, a database without its log would be.
Result<void> exchange(Names const& names, std::filesystem::path const& damaged) {
    auto moved = move_if_there(names.file, damaged);
    if (!moved) return moved;
    auto synced = sync_directory(names.file);
    if (!synced) return synced;
    for (auto const* end : kCompanions) {
        auto with_it = move_if_there(names.with(end), damaged.string() + end);
        if (!with_it) return with_it;
    }
    synced = sync_directory(names.file);
    if (!synced) return synced;
    auto placed = move_file(names.whole(), names.file);
    if (!placed) return placed;
    return sync_directory(names.file);
}

/// The power went during a rescue: either the damaged file is still in its place, and all begins again, or the new one
/// is complete and only the renames are missing.
Result<std::optional<Rescue>> finish_exchange(Names const& names) {
    remove_all_of(names.copy());
    remove_all_of(names.part());
    std::error_code ec;
    if (!std::filesystem::exists(names.whole(), ec)) return std::nullopt;
    if (std::filesystem::exists(names.file, ec)) {
        remove_all_of(names.whole());
        return std::nullopt;
    }
    auto const damaged = damaged_files(names);
    auto const aside = damaged.empty() ? names.with(".damaged-unknown") : damaged.back();
    auto exchanged = exchange(names, aside);
    if (!exchanged) return fail(std::move(exchanged), "database");
    return Rescue{.set_aside = aside, .found = "a rescue that a power cut had interrupted was finished", .lost = {}};
}

Result<void> set_sequence(Connection& connection, std::int64_t sequence) {
    Statement remove{connection, "DELETE FROM sqlite_sequence WHERE name = 'outbox'"};
    Statement insert{connection, "INSERT INTO sqlite_sequence(name, seq) VALUES('outbox', ?1)"};
    auto removed = remove.run();
    if (!removed) return removed;
    return insert.run(sequence);
}

Result<std::string> site_of(Connection& connection) {
    Statement select{connection, "SELECT value FROM numbers WHERE name = 'site'"};
    auto rows = select.rows();
    auto found = rows.next();
    if (!found) return fail(std::move(found));
    return *found ? rows.text(0) : std::string{};
}

Result<std::int64_t> sequence_of(Connection& connection) {
    Statement select{connection, "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'outbox'"};
    return select.scalar();
}

/// The site goes on under its id only where it is known which sequences it has used: else it gets a new one.
Result<void> set_site(Connection& connection, std::optional<Mark> const& mark, bool is_sequence_known, Rescue& rescue) {
    if (mark && !mark->site.empty()) {
        Statement put{connection, "INSERT OR REPLACE INTO numbers(name, value) VALUES('site', ?1)"};
        return put.run(mark->site);
    }
    if (is_sequence_known) return {};
    rescue.lost.push_back("which sequences were used: the site gets a new id");
    return connection.execute("DELETE FROM numbers WHERE name = 'site'");
}

std::string may_be_lost(Mark const& mark) {
    return "up to " + std::to_string(std::max<std::int64_t>(0, mark.issued - mark.acknowledged)) +
           " records may be lost";
}

/// A complete database at names.whole(), made by `fill`.
template <class Fill> Result<void> build(Names const& names, Options const& options, Fill const& fill) {
    {
        auto fresh = Connection::open(names.part(), {.cache_kib_max = options.cache_kib_max, .check_on_open = false});
        if (!fresh) return fail(std::move(fresh));
        auto migrated = migrate(*fresh);
        if (!migrated) return fail(std::move(migrated));
        Result<void> filled = fill(*fresh);
        if (!filled) return filled;
        auto sound = fresh->check();
        if (!sound) return sound;
        auto emptied = fresh->execute("PRAGMA wal_checkpoint(TRUNCATE)");
        if (!emptied) return fail(std::move(emptied));
    }
    auto synced = sync_file(names.part());
    if (!synced) return synced;
    auto moved = move_file(names.part(), names.whole());
    if (!moved) return moved;
    return sync_directory(names.file);
}

Result<void> copy_if_there(std::filesystem::path const& from, std::filesystem::path const& to) {
    std::error_code ec;
    if (!std::filesystem::exists(from, ec)) return {};
    std::filesystem::copy_file(from, to, ec);
    if (!ec) return {};
    bool const is_full = ec == std::errc::no_space_on_device;
    return fail(is_full ? Errc::limit : Errc::denied, "copy " + from.string() + ": " + ec.message());
}

/// Salvages into names.whole(). The damaged file itself is only read.
Result<void> rescue_rows(Names const& names, RescueOptions const& options, std::optional<Mark> const& mark,
                         Rescue& rescue) {
    auto copied = copy_if_there(names.file, names.copy());
    if (copied) copied = copy_if_there(names.wal(), names.copy().string() + "-wal");
    if (!copied) return copied;
    // SQLite takes an empty file for a new one and removes its log: a page of zeros lets it read the log.
    if (size_of(names.copy()) < kPageBytes) {
        std::error_code ec;
        std::filesystem::resize_file(names.copy(), kPageBytes, ec);
        if (ec) return fail(Errc::limit, "extend " + names.copy().string() + ": " + ec.message());
    }
    Head head = Head::own;
    if (mark && !has_tables(names.copy())) {
        auto led = replace_head(names.copy(), *mark);
        if (!led) return led;
        head = Head::replaced;
    }
    return build(names, options.database, [&](Connection& fresh) -> Result<void> {
        auto read = salvage(names.copy(), fresh, mark.value_or(Mark{}), head);
        if (!read) return fail(std::move(read));
        rescue.records = read->records;
        rescue.rows = read->rows;
        rescue.lost = read->lost;
        rescue.sequence = std::max(read->sequence, mark ? mark->issued : 0);
        auto counted = set_sequence(fresh, rescue.sequence);
        if (!counted) return counted;
        return set_site(fresh, mark, read->counter_read, rescue);
    });
}

/// There is no file, or an empty one, where there must have been one.
Result<void> begin_again(Connection& connection, std::optional<Mark> const& mark, Rescue& rescue) {
    if (!mark) {
        rescue.lost.push_back("status, inventories and records are lost, how many is unknown: the site gets a new id");
        return {};
    }
    rescue.lost.push_back("status and inventories are lost, " + may_be_lost(*mark));
    rescue.sequence = mark->issued;
    auto counted = set_sequence(connection, mark->issued);
    if (!counted) return counted;
    return set_site(connection, mark, true, rescue);
}

/// A sound file whose mark is far ahead of it: somebody put an older copy in its place.
Result<std::optional<Rescue>> compare_with_mark(Connection& connection, std::optional<Mark> const& mark) {
    auto site = site_of(connection);
    if (!site) return fail(std::move(site));
    auto sequence = sequence_of(connection);
    if (!sequence) return fail(std::move(sequence));
    // Without a site it was made a moment ago, by a start that did not come to its end.
    bool const is_young = site->empty();
    if (!mark || (!is_young && (mark->site != *site || mark->issued - *sequence <= kMarkBlock))) return std::nullopt;
    bool const is_other = !is_young && mark->site != *site;
    Rescue rescue{.set_aside = {},
                  .found = (is_other ? "it is of another site than its mark" : "it is older than its mark") +
                           (": it ends at sequence " + std::to_string(*sequence)),
                  .lost = {may_be_lost(*mark)},
                  .sequence = std::max(mark->issued, *sequence)};
    auto counted = set_sequence(connection, rescue.sequence);
    if (counted) counted = set_site(connection, mark, true, rescue);
    if (!counted) return fail(std::move(counted));
    return rescue;
}

Result<Connection> open_and_migrate(std::filesystem::path const& file, Options options) {
    options.file_bytes_max = 0;
    auto opened = Connection::open(file, options);
    if (!opened) return opened;
    auto migrated = migrate(*opened);
    if (!migrated) return fail(std::move(migrated), "database");
    return opened;
}

void keep_few(Names const& names) {
    auto const damaged = damaged_files(names);
    for (std::size_t i = 0; i + kSetAsideMax < damaged.size(); ++i) remove_all_of(damaged[i]);
}

Result<Opened> finish(Result<Connection> connection, RescueOptions const& options, std::optional<Rescue> rescue) {
    if (!connection) return fail(std::move(connection));
    auto bounded = connection->bound(options.database.file_bytes_max);
    if (!bounded) return fail(std::move(bounded), "database");
    return Opened{std::move(*connection), std::move(rescue)};
}

/// Durable before the rescue begins: the only trace that one leaves that dies of what it reads.
Result<void> count_attempt(Names const& names) {
    std::ofstream{names.attempts(), std::ios::app} << '.';
    auto synced = sync_file(names.attempts());
    if (!synced) return synced;
    return sync_directory(names.file);
}

/// What can be read; where that fails, nothing: a new database has to come of it, whatever the damaged one is like.
Result<void> rescue_rows_or_none(Names const& names, RescueOptions const& options, std::optional<Mark> const& mark,
                                 Rescue& rescue) {
    Result<void> saved = fail(Errc::corrupt, std::to_string(kAttemptsMax) + " rescues of it did not come to their end");
    if (size_of(names.attempts()) < kAttemptsMax) {
        auto counted = count_attempt(names);
        saved = counted ? rescue_rows(names, options, mark, rescue) : std::move(counted);
        remove_all_of(names.attempts());  // it came to its end
    }
    remove_all_of(names.copy());
    if (saved) return saved;
    remove_all_of(names.part());
    rescue = Rescue{.set_aside = rescue.set_aside,
                    .found = rescue.found + "; it could not be read: " + saved.error().message,
                    .lost = {}};
    auto built = build(names, options.database, [&](Connection& fresh) { return begin_again(fresh, mark, rescue); });
    remove_all_of(names.part());
    return built;
}

Result<Opened> rescue_damaged(Names const& names, RescueOptions const& options, std::optional<Mark> const& mark,
                              std::string found) {
    Rescue rescue{.set_aside = new_damaged_name(names, options.now), .found = std::move(found), .lost = {}};
    auto saved = rescue_rows_or_none(names, options, mark, rescue);
    if (!saved)
        return fail(std::move(saved), "database " + names.file.string() + " is damaged (" + rescue.found + "), rescue");
    auto exchanged = exchange(names, rescue.set_aside);
    if (!exchanged) return fail(std::move(exchanged), "database");
    remove_all_of(names.attempts());
    keep_few(names);
    return finish(open_and_migrate(names.file, options.database), options, std::move(rescue));
}

/// It says that it is another program's, where there was one of ours: a changed header, or a foreign log beside it.
bool is_overwritten(Names const& names, std::optional<Mark> const& mark) {
    {
        auto opened = Connection::open(names.file, {.check_on_open = false});
        if (!opened || is_ours(*opened).value_or(true)) return false;
    }
    return mark || has_tables(names.file);
}

Result<Opened> begin_new(Names const& names, RescueOptions const& options, std::optional<Mark> const& mark) {
    bool const was_there = mark || has_blobs(options.blobs);
    std::error_code ec;
    bool const is_gone = !std::filesystem::exists(names.file, ec);
    auto connection = open_and_migrate(names.file, options.database);
    if (!connection || !was_there) return finish(std::move(connection), options, std::nullopt);
    Rescue rescue{.set_aside = {}, .found = is_gone ? "it is gone" : "it is empty", .lost = {}};
    auto begun = begin_again(*connection, mark, rescue);
    if (!begun) return fail(std::move(begun), "database");
    return finish(std::move(connection), options, std::move(rescue));
}

}  // namespace

std::string Rescue::text() const {
    std::string text = "the database was damaged: " + found;
    if (!set_aside.empty()) text += "; the damaged file is kept as " + set_aside.string();
    text += "; " + std::to_string(records) + " records and " + std::to_string(rows) + " other rows were carried over";
    for (std::string const& one : lost) text += "; " + one;
    if (sequence > 0) text += "; sequences go on above " + std::to_string(sequence);
    return text;
}

Result<Opened> open_or_rescue(std::filesystem::path const& file, RescueOptions const& options) {
    Names const names{std::filesystem::absolute(file)};
    auto const mark = read_mark(file);
    auto finished = finish_exchange(names);
    if (!finished) return fail(std::move(finished));

    bool const is_empty = size_of(file) == 0;
    if (is_empty && size_of(names.wal()) > kWalHeaderBytes) {
        auto emptied = replace_file(names.file, "");  // it may be gone: what is set aside and copied is a file
        if (!emptied) return fail(std::move(emptied), "database");
        return rescue_damaged(names, options, mark, "the file is empty, its log is not");
    }
    if (is_empty) return begin_new(names, options, mark);

    auto connection = open_and_migrate(file, options.database);
    if (!connection && connection.error().code == Errc::corrupt)
        return rescue_damaged(names, options, mark, connection.error().message);
    if (!connection && connection.error().code == Errc::invalid_input && is_overwritten(names, mark))
        return rescue_damaged(names, options, mark, connection.error().message);
    if (!connection) return fail(std::move(connection));
    if (!has_tables(*connection)) {
        {
            auto const closed = std::move(*connection);
        }
        return rescue_damaged(names, options, mark, "tables are missing");
    }
    auto compared = compare_with_mark(*connection, mark);
    if (!compared) return fail(std::move(compared), "database");
    if (*compared) finished = std::move(compared);
    return finish(std::move(connection), options, std::move(*finished));
}

}  // namespace holdfast::cache::db
