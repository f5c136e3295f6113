// cache/outbox/outbox.hpp: compliance records waiting for Azure, kept across power loss.
#pragma once

#include "cache/db/ballast.hpp"
#include "cache/db/db.hpp"
#include "cache/db/mark.hpp"
#include "modules/base/shares.hpp"
#include "modules/uplink/ports.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::cache {

struct OutboxLimits {
    std::int64_t rows_max = 2'000'000;
    std::int64_t bytes_max = 512ll << 20;  // of fields; kept apart from the artifacts' share of the disk
    std::int64_t dead_max = 10'000;        // dead letters kept, the newest; older ones are dropped and counted
    std::chrono::seconds spell_max =
        std::chrono::hours{1};  // in which states of one object that come back are one record
};

/// First in, first out. The room is shared by namespace (base/shares.hpp): one alone fills three quarters of it, and what it
/// wants beyond is refused while others still queue theirs. A row leaves only through acknowledge() or set_aside(), so delivery is at least once;
/// the receiver removes repeats by RecordId, and a sequence is never reused (AUTOINCREMENT).
/// What was refused is said by one record of each stream, as long as that has not been sent: how many changes, from when to
/// when. A record that waits takes in what comes back to its state; once it was handed out it never changes.
/// Tables: outbox, dead_letters, last_states, numbers (0002_journal.sql, 0004_spells.sql). Fills uplink::RecordQueue.
class Outbox final : public uplink::RecordQueue {
public:
    using Clock = std::function<model::WallTime()>;

    /// `connection` must outlive this object; both are used from the db pool only.
    Outbox(db::Connection& connection, OutboxLimits limits, Clock clock);

    /// Reads the counters, gives the site its id and makes the mark (cache/db/mark.hpp) agree. Call once before anything else.
    Result<void> open();

    enum class Put { queued, repeated, refused };
    enum class Word { change, last };

    /// Adds a record inside the caller's transaction, or counts it as a repeat when the subject's state is
    /// the one recorded last; such a repeat writes nothing. A state that comes back within a spell is counted in the
    /// record that waits for it, when the subject has had its share of records or there is no room for another one.
    /// A full queue, or one whose namespace is at its share, refuses and counts each state once; nothing older makes room,
    /// and the subject's next pass offers it again. The last word about an object has a reserve.
    Result<Put> put(model::ComplianceRecord const& record, Word word = Word::change);

    /// True when put() of all of them would write nothing: no transaction is needed.
    Result<bool> are_repeats(std::vector<model::ComplianceRecord> const& records);

    /// Around the caller's transaction. Cost  what was put meanwhile, whatever waits
    void begin();
    void roll_back();

    /// Forgets what was recorded last about a subject, so that the next state is recorded whatever it is.
    Result<void> forget(model::Stream stream, std::string const& subject);

    /// Takes the counters from the file again. Cost  all that waits
    Result<void> reload();

    /// Room to acknowledge is held before anything is sent: a queue that filled the disk can still shrink.
    /// Errors  limit  the disk is full
    Result<void> make_room() override;
    Result<std::vector<uplink::QueuedRecord>> oldest(model::Stream stream, std::int64_t after, std::int64_t rows_max,
                                                     std::int64_t bytes_max) override;
    Result<void> acknowledge(std::vector<std::int64_t> const& sequences) override;
    Result<void> set_aside(std::int64_t sequence, std::string const& reason) override;
    Result<uplink::QueueState> state() override;

    std::string const& site() const { return site_; }

    // For an operator (desk.cpp).

    enum class Shelf { waiting, aside };
    struct Shown {
        uplink::QueuedRecord record;
        std::string reason;  // aside: the service's words
    };
    /// As oldest(), of both streams. Never  hands out: what waits goes on taking in what comes back to its state
    Result<std::vector<Shown>> show(Shelf shelf, std::int64_t after, std::int64_t rows_max, std::int64_t bytes_max);

    /// What was set aside waits again, each under its number and its id: all of them, or as many of the first as find room.
    /// Out     how many
    /// Errors  not_found  one was not set aside: none is put back
    Result<std::int64_t> put_back(std::vector<std::int64_t> const& sequences);

    /// Cost  reads everything
    /// Out   what is wrong with the file or with what the queue promises, in words; empty when nothing is
    Result<std::vector<std::string>> check();

private:
    /// A record that waits and was not handed out: what comes back to its state may be counted in it.
    struct Seen {
        std::int64_t sequence;
        std::string digest;
        model::WallTime first;
        model::WallTime last;
        std::int64_t count = 1;
        bool is_written = true;
    };
    struct Gap {
        std::int64_t sequence = 0;
        std::int64_t count = 0;
    };
    using Subject = std::pair<model::Stream, std::string>;

    Result<void> count_queued();
    void remove_from_totals(std::string const& party, std::int64_t bytes);
    Result<bool> is_repeat(model::ComplianceRecord const& record);
    Result<bool> was_refused(model::ComplianceRecord const& record);
    bool fits(std::string const& party, std::size_t bytes, Word word) const;
    Seen* seen_of(model::ComplianceRecord const& record, std::string_view digest);
    void count_repeat(Seen& seen, model::WallTime at);
    Result<void> write_repeats(Seen& seen);
    Result<bool> write_repeats(model::Stream stream, std::int64_t up_to);
    Result<bool> fold(model::ComplianceRecord const& record, bool has_room);
    Result<std::int64_t> insert(model::ComplianceRecord const& record, std::string const& party,
                                std::string const& fields);
    Result<void> refuse(model::ComplianceRecord const& record);
    Result<void> note_gap(model::Stream stream, model::WallTime at);
    Result<bool> move_back(std::int64_t sequence);
    static uplink::QueuedRecord record_of(db::Rows const& rows);  // of the columns that every query lists
    Result<std::vector<uplink::QueuedRecord>> select(model::Stream stream, std::int64_t after, std::int64_t rows_max,
                                                     std::int64_t bytes_max);
    Result<void> remove_rows(std::vector<std::int64_t> const& sequences);
    Result<void> load_folded();
    Result<std::optional<std::int64_t>> stored_number(std::string_view name);
    Result<std::int64_t> newest_sequence();
    Result<void> open_mark();
    Result<void> issue(std::int64_t sequence);
    Result<void> save_mark();

    db::Connection& connection_;
    OutboxLimits limits_;
    Clock clock_;
    std::string site_;
    db::Mark mark_;
    db::Ballast ballast_;
    Shares rows_;   // by namespace
    Shares bytes_;  // the same
    std::int64_t refused_ = 0;
    std::int64_t dead_kept_ = 0;
    std::int64_t dead_dropped_ = 0;
    std::int64_t folded_ = 0;  // of the repeats since the last record a power cut takes the count, nothing else
    std::int64_t gap_rows_ = 0;
    bool refusing_ = false;  // since the last record that found room
    std::map<Subject, std::vector<Seen>> spells_;
    std::array<Gap, 2> gaps_;                   // by stream: the record that says what was refused, until it is sent
    std::array<std::int64_t, 2> handed_out_{};  // by stream: the newest record that may be on its way
    std::vector<std::function<void()>> undo_;   // of the caller's transaction
    db::Statement totals_;
    db::Statement insert_;
    db::Statement set_id_;
    db::Statement select_;
    db::Statement remove_;
    db::Statement set_aside_;
    db::Statement last_state_;
    db::Statement remember_;
    db::Statement forget_;
    db::Statement refused_state_;
    db::Statement remember_refused_;
    db::Statement set_repeats_;
    db::Statement get_number_;
    db::Statement set_number_;
    db::Statement bounds_;
    db::Statement newest_;
    db::Statement folded_sum_;
    db::Statement dead_;
    db::Statement drop_dead_;
};

}  // namespace holdfast::cache
