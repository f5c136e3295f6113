// tests/unit/cache/outbox/full_disk_test.cpp: a queue that filled the disk shrinks, on a disk that is really full.
//
// Goal: acknowledging finds room when nothing else does, and what could not be acknowledged is not sent.
// Method: a small file system of its own in a mount namespace of this process, filled to its last block. Needs root: without it
// each test says so, and checks nothing.
#include "cache/db/migrate.hpp"
#include "cache/outbox/outbox.hpp"
#include "tests/support/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

namespace holdfast::cache {

namespace {

model::WallTime a_time() { return model::WallTime{std::chrono::hours{500'000}}; }

/// 16 MiB; gone with the process at the latest.
class SmallDisk {
public:
    static bool may_mount() {
        static bool const may =
            ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
        return may;
    }
    SmallDisk() { REQUIRE(::mount("none", dir_.path().c_str(), "tmpfs", 0, "size=16m") == 0); }
    ~SmallDisk() { ::umount2(dir_.path().c_str(), MNT_DETACH); }
    SmallDisk(SmallDisk const&) = delete;
    SmallDisk& operator=(SmallDisk const&) = delete;

    std::filesystem::path operator/(char const* name) const { return dir_ / name; }

    /// To the last byte.
    void fill() {
        std::string const block(4'096, 'x');
        int const fd = ::open((dir_ / "filler").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        REQUIRE(fd >= 0);
        while (::write(fd, block.data(), block.size()) > 0) {}
        int const why = errno;
        ::close(fd);
        REQUIRE(why == ENOSPC);
    }
    void empty() { std::filesystem::remove(dir_ / "filler"); }

private:
    test::TempDir dir_;
};

struct Queue {
    explicit Queue(std::filesystem::path const& file) : connection(std::move(db::Connection::open(file).value())) {
        REQUIRE(db::migrate(connection));
        outbox.emplace(connection, OutboxLimits{}, a_time);
        REQUIRE(outbox->open());
    }

    Result<Outbox::Put> put(int number) {
        model::ComplianceRecord record{.subject = "object " + std::to_string(number),
                                       .state_digest = std::to_string(number),
                                       .observed_at = a_time(),
                                       .fields = {{"Message", std::string(2'000, 'm')}}};
        auto transaction = db::Transaction::begin(connection);
        if (!transaction) return fail(std::move(transaction));
        outbox->begin();
        auto done = outbox->put(record);
        if (done) {
            auto const committed = transaction->commit();
            if (!committed) done = std::unexpected{committed.error()};
        }
        if (!done) outbox->roll_back();
        return done;
    }

    /// As the drain does. Out: how many went.
    std::size_t send_all() {
        std::size_t sent = 0;
        for (;;) {
            auto const records = outbox->oldest(model::Stream::compliance, 0, 100, 900'000);
            REQUIRE(records);
            if (records->empty() || !outbox->make_room()) return sent;
            std::vector<std::int64_t> sequences;
            for (auto const& record : *records) sequences.push_back(record.sequence);
            auto const acknowledged = outbox->acknowledge(sequences);
            INFO((acknowledged ? "" : acknowledged.error().message));
            REQUIRE(acknowledged);
            sent += sequences.size();
        }
    }

    db::Connection connection;
    std::optional<Outbox> outbox;
};

bool is_skipped() {
    if (SmallDisk::may_mount()) return false;
    WARN("skipped: only root may mount a small disk");
    return true;
}

}  // namespace

TEST_CASE("outbox: on a disk without a free block all that waits is sent and acknowledged", "[cache][outbox][disk]") {
    if (is_skipped()) return;
    // The log is short, of its usual length, and already written back.
    int const before = GENERATE(1, 150, 2'000);
    CAPTURE(before);
    SmallDisk disk;
    Queue queue{disk / "holdfast.db"};
    int waiting = 0;
    while (waiting < before) REQUIRE(queue.put(waiting++));
    REQUIRE(queue.outbox->make_room());
    disk.fill();
    auto refused = queue.put(waiting);
    while (refused) refused = queue.put(++waiting);  // what the log and the file still take
    CHECK(refused.error().code == Errc::limit);

    CHECK(queue.send_all() == static_cast<std::size_t>(waiting));

    CHECK(queue.outbox->state().value().waiting == 0);
    disk.empty();
    CHECK(queue.put(waiting).value() == Outbox::Put::queued);
}

TEST_CASE("outbox: while there is no room to acknowledge nothing is sent, and then everything is",
          "[cache][outbox][disk]") {
    if (is_skipped()) return;
    SmallDisk disk;
    Queue queue{disk / "holdfast.db"};
    for (int i = 0; i < 50; ++i) REQUIRE(queue.put(i));
    disk.fill();

    auto const room = queue.outbox->make_room();

    REQUIRE_FALSE(room);
    CHECK(room.error().code == Errc::limit);
    CHECK(room.error().message == "nothing is sent that could not be acknowledged: the disk is full");
    CHECK(queue.send_all() == 0);
    disk.empty();
    CHECK(queue.send_all() == 50);
}

TEST_CASE("outbox: a start on a full disk sends what waits when the last run held its room", "[cache][outbox][disk]") {
    if (is_skipped()) return;
    SmallDisk disk;
    {
        Queue queue{disk / "holdfast.db"};
        for (int i = 0; i < 50; ++i) REQUIRE(queue.put(i));
        REQUIRE(queue.outbox->make_room());
        disk.fill();
    }

    Queue queue{disk / "holdfast.db"};

    CHECK(queue.send_all() == 50);
}

}  // namespace holdfast::cache
