// cache/outbox/outbox.hpp: compliance records waiting for Azure, kept across power loss.
#pragma once

#include "cache/db/db.hpp"
#include "cache/db/mark.hpp"
#include "modules/base/shares.hpp"
#include "modules/uplink/ports.hpp"

#include <cstdint>
#include <functional>

namespace holdfast::cache {

struct OutboxLimits {
    std::int64_t rows_max = 2'000'000;
    std::int64_t bytes_max = 512ll << 20;  // of fields; kept apart from the artifacts' share of the disk
    std::int64_t dead_max = 10'000;        // dead letters kept, the newest; older ones are dropped and counted
};

/// First in, first out. The room is shared by namespace (base/shares.hpp): one alone fills three quarters of it, and what it
/// wants beyond is refused while others still queue theirs. A row leaves only through acknowledge() or set_aside(), so delivery is at least once;
/// the receiver removes repeats by RecordId, and a sequence is never reused (AUTOINCREMENT).
/// Tables: outbox, dead_letters, last_states, numbers (0002_journal.sql). Fills uplink::RecordQueue.
class Outbox final : public uplink::RecordQueue {
public:
    using Clock = std::function<model::WallTime()>;

    /// `connection` must outlive this object; both are used from the db pool only.
    Outbox(db::Connection& connection, OutboxLimits limits, Clock clock);

    /// Reads the counters, gives the site its id and makes the mark (cache/db/mark.hpp) agree. Call once before anything else.
    Result<void> open();

    enum class Put { queued, repeated, refused };

    /// Adds a record inside the caller's transaction, or counts it as a repeat when the subject's state is
    /// the one recorded last. A full queue, or one whose namespace is at its share, refuses and counts; nothing older
    /// makes room, and the state is not remembered, so that the subject's next pass offers it again.
    /// A repeat writes nothing.
    Result<Put> put(model::ComplianceRecord const& record);

    /// True when put() of all of them would be a repeat: no transaction is needed.
    Result<bool> are_repeats(std::vector<model::ComplianceRecord> const& records);

    /// Forgets what was recorded last about a subject, so that the next state is recorded whatever it is.
    Result<void> forget(model::Stream stream, std::string const& subject);

    /// The caller's transaction was rolled back: take the counters from the file again.
    Result<void> reload();

    Result<std::vector<uplink::QueuedRecord>> oldest(model::Stream stream, std::int64_t after, std::int64_t rows_max,
                                                     std::int64_t bytes_max) override;
    Result<void> acknowledge(std::vector<std::int64_t> const& sequences) override;
    Result<void> set_aside(std::int64_t sequence, std::string const& reason) override;
    Result<uplink::QueueState> state() override;

    std::string const& site() const { return site_; }

private:
    Result<void> count_queued();
    void remove_from_totals(std::string const& party, std::int64_t bytes);
    Result<bool> is_repeat(model::ComplianceRecord const& record);
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
    Shares rows_;   // by namespace
    Shares bytes_;  // the same
    std::int64_t refused_ = 0;
    std::int64_t dead_kept_ = 0;
    std::int64_t dead_dropped_ = 0;
    std::int64_t folded_ = 0;  // of the repeats since the last record a power cut takes the count, nothing else
    db::Statement totals_;
    db::Statement insert_;
    db::Statement set_id_;
    db::Statement select_;
    db::Statement remove_;
    db::Statement set_aside_;
    db::Statement last_state_;
    db::Statement remember_;
    db::Statement forget_;
    db::Statement get_number_;
    db::Statement set_number_;
    db::Statement bounds_;
    db::Statement newest_;
    db::Statement folded_sum_;
    db::Statement dead_;
    db::Statement drop_dead_;
};

}  // namespace holdfast::cache
