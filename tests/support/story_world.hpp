// tests/support/story_world.hpp: what a story needs around it, in memory: registry, cluster, journal, clocks.
#pragma once

#include "modules/story/passes.hpp"
#include "tests/support/fake_cluster.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace holdfast::test {

class FakeClock final : public Clock {
public:
    std::chrono::nanoseconds now{std::chrono::seconds{1'750'000'000}};
    std::chrono::system_clock::time_point wall() const override { return std::chrono::system_clock::time_point{now}; }
    std::chrono::nanoseconds boot() const override { return now; }
};

/// A journal that can be full. What it does is said in `log`, so that a test sees the order of writes here and there.
class MemoryJournal final : public model::Journal {
public:
    std::map<model::Key, model::JournalEntry> entries;
    std::vector<model::ComplianceRecord> records;
    std::optional<Error> refuse;
    std::size_t saves = 0;         // calls
    std::size_t transactions = 0;  // saves that changed something but versions of owned objects
    std::vector<std::string>* log = nullptr;

    Result<void> save(model::JournalWrite const& write) override {
        if (refuse) return fail(refuse->code, refuse->message);
        ++saves;
        if (log != nullptr) log->push_back(write.status ? "record" : "intend");
        model::JournalEntry& entry = entries[write.key];
        entry.key = write.key;
        bool const news = (write.wish && *write.wish != entry.wish) ||
                          (write.status && *write.status != entry.status) ||
                          (write.facts && *write.facts != entry.facts) || !write.records.empty() ||
                          (write.owned && !same(*write.owned, entry.owned));
        if (news) ++transactions;
        if (write.wish) entry.wish = *write.wish;
        if (write.status) entry.status = *write.status;
        if (write.facts) entry.facts = *write.facts;
        if (write.owned) entry.owned = *write.owned;
        records.insert(records.end(), write.records.begin(), write.records.end());
        return {};
    }
    Result<void> erase(model::Key const& key, std::vector<model::ComplianceRecord> const& last) override {
        if (refuse) return fail(refuse->code, refuse->message);
        entries.erase(key);
        records.insert(records.end(), last.begin(), last.end());
        return {};
    }
    Result<void> load(std::function<void(model::JournalEntry)> const& each) override {
        for (auto const& [key, entry] : entries) each(entry);
        return {};
    }

private:
    static bool same(std::vector<model::OwnedObject> const& a, std::vector<model::OwnedObject> const& b) {
        return std::ranges::equal(a, b, [](auto const& x, auto const& y) {
            return x.entry == y.entry && x.uid == y.uid && x.wished == y.wished && x.fields == y.fields;
        });
    }
};

struct StoryWorld {
    asio::io_context io{1};
    FakeClock clock;
    int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    Log log{{.fd = nowhere}, clock};
    model::Registry registry;
    FakeCluster cluster;
    MemoryJournal journal;
    asio::thread_pool db{1};
    asio::thread_pool pool{1};

    StoryWorld() { journal.log = &cluster.log; }
    ~StoryWorld() {
        db.join();
        pool.join();
        ::close(nowhere);
    }

    story::Ports ports() { return {registry, &cluster, journal, db, log, clock}; }

    /// Runs a coroutine to its end.
    template <class T> T run(asio::awaitable<T> work) {
        std::optional<T> result;
        auto keep = [](asio::awaitable<T> task, std::optional<T>& slot) -> asio::awaitable<void> {
            auto value = co_await std::move(task);
            slot.emplace(std::move(value));
        };
        io.restart();
        asio::co_spawn(io, keep(std::move(work), result), [](std::exception_ptr error) {
            if (error) std::rethrow_exception(error);
        });
        io.run();
        return std::move(result.value());
    }

    /// One pass of a story, with everything around it: finalizer, conclusion, what an exception becomes.
    story::Next pass(story::Story& story, model::Key const& key) {
        story::Passes::Stories stories{};
        stories[static_cast<std::size_t>(key.kind)] = &story;
        story::Passes passes{ports(), stories};
        return run(passes.run(key));
    }

    /// Wishes for an object as a feed would. A cluster object has its finalizer already.
    model::Entry& wish(std::string const& text, model::Origin origin = model::Origin::cluster) {
        json::object const object = json::parse(text).as_object();
        auto const kind = model::kind_of(object).value();
        model::Key const key{kind, std::string{kube::namespace_of(object)}, std::string{kube::name_of(object)}};
        auto meta = model::read_meta(object, origin);
        meta.has_finalizer = true;
        if (origin == model::Origin::cluster && meta.generation == 0) meta.generation = 1;
        auto spec = model::read_spec(kind, object);
        return registry.put(key, std::move(meta), std::move(spec), text, std::nullopt);
    }

    model::Condition condition(model::Key const& key, std::string_view type = "Ready") {
        auto const* entry = registry.find(key);
        auto const* found = entry == nullptr ? nullptr : entry->status.conditions.find(type);
        return found == nullptr ? model::Condition{.type = "absent"} : *found;
    }
};

}  // namespace holdfast::test
