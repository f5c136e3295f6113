// modules/intake/cluster.cpp: one watch per kind, into the registry.
#include "modules/intake/intake.hpp"

#include "modules/base/hash.hpp"
#include "modules/base/json_text.hpp"
#include "modules/base/mask.hpp"
#include "modules/crypto/digest.hpp"
#include "modules/model/canonical.hpp"
#include "modules/model/kinds.hpp"
#include "modules/model/members.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <utility>

namespace holdfast::intake {

namespace json = boost::json;

/// Of a wish that was written down without its logins.
static constexpr std::string_view kLogins = "logins";

using model::Entry;
using model::Key;
using model::Kind;

constexpr std::chrono::seconds kAskAgainEvery{5};

std::string wish_text(json::object const& object, model::Origin origin) {
    json::object wish{
        {"apiVersion", kube::find_string(object, {"apiVersion"})},
        {"kind", kube::find_string(object, {"kind"})},
        {"metadata", json::object{{"name", kube::name_of(object)}, {"namespace", kube::namespace_of(object)}}}};
    if (auto const* spec = object.if_contains("spec")) wish["spec"] = *spec;
    if (origin == model::Origin::local) wish["origin"] = "local";
    std::string const whole = json::serialize(wish);
    json::value masked = std::move(wish);
    mask_logins(masked);
    if (json::serialize(masked) == whole) return whole;
    masked.get_object()[kLogins] = crypto::sha256_hex(whole);  // another login is another wish
    return json::serialize(masked);
}

namespace {

std::string no_name(Key const& key) {
    return key.text() + ": namespace '" + key.ns + "' has more objects than can be named (limits.memory)";
}

/// Of our own data: as deep as an object may be, which a wish and a status hold.
Result<json::object> read_object(std::string const& text, std::string const& what) {
    auto value = parse_json(text.empty() ? "{}" : text);
    if (!value || !value->is_object()) return fail(Errc::corrupt, what + " in the journal cannot be read");
    return std::move(value->get_object());
}

}  // namespace

Result<void> restore(model::Registry& registry, model::JournalEntry const& row) {
    auto const object = read_object(row.wish, row.key.text() + ": the wish");
    if (!object) return fail(object.error().code, object.error().message);
    auto const status = read_object(row.status, row.key.text() + ": the status");
    if (!status) return fail(status.error().code, status.error().message);
    bool const local = kube::find_string(*object, {"origin"}) == "local";
    auto meta = model::read_meta(*object, local ? model::Origin::local : model::Origin::cluster);
    auto known = model::read_status(row.key.kind, *status);
    auto const observed = std::max<std::int64_t>(known.observed_generation, 0);
    auto spec = model::read_spec(row.key.kind, *object);
    if (!registry.may_name(row.key)) return fail(Errc::limit, no_name(row.key));
    // The status is our own: what it names was weighed when it was applied, by the limits of that.
    Entry& put = registry.put(row.key, std::move(meta), std::move(spec), row.wish, std::nullopt);
    if (put.turned_away == 0) put.status = std::move(known);
    put.meta.generation = observed;
    put.facts_digest = hash64(row.facts);
    put.wish.clear();  // it came from the journal
    put.abridged = object->contains(kLogins);
    return {};
}

class ClusterIntake::KindFeed final : public kube::WatchHandler {
public:
    KindFeed(Kind kind, kube::Cluster& cluster, model::Registry& registry, Log const& log,
             std::string const& label_selector, Listeners const& listeners)
        : kind_(kind), registry_(registry), log_(log), listeners_(listeners),
          watcher_(cluster, *this,
                   {.gvk = kube::parse_api_version(model::info(kind).api_version, model::info(kind).name),
                    .label_selector = label_selector}) {}

    void list_begins() override {
        listing_ = true;
        listed_.clear();
    }

    void changed(kube::Object object) override {
        object["apiVersion"] = model::api_version_of(kind_);
        object["kind"] = model::kind_name(kind_);
        Key key{kind_, std::string{kube::namespace_of(object)}, std::string{kube::name_of(object)}};
        if (!registry_.may_name(key)) {
            if (unnamed_.insert(key.ns).second) log_.error("intake", no_name(key));
            return;
        }
        unnamed_.erase(key.ns);
        if (listing_) listed_.insert(key);
        Entry const* before = registry_.find(key);
        if (before != nullptr && before->meta.origin == model::Origin::local) {
            log_.warning("intake", "the cluster has an object that a local manifest defines: the manifest wins",
                         {{"kind", model::kind_name(kind_)}, {"namespace", key.ns}, {"name", key.name}});
            return;
        }
        bool const is_new = before == nullptr;
        auto meta = model::read_meta(object, model::Origin::cluster);
        // An object on its way out may say anything about itself: who deletes it may write its status.
        std::optional<model::Status> status;
        auto const* live = kube::find_object(object, {"status"});
        if (is_new && live != nullptr && !meta.deleting) status = model::read_status(kind_, *live);
        bool const adopts = status.has_value();
        auto spec = model::read_spec(kind_, object);
        Entry& entry = registry_.put(key, std::move(meta), std::move(spec), wish_text(object, model::Origin::cluster),
                                     std::move(status));
        compare_copy(entry, live);
        if (adopts && entry.turned_away == 0 && listeners_.adopted) listeners_.adopted(entry);
    }

    void deleted(kube::Object object) override {
        Key const key{kind_, std::string{kube::namespace_of(object)}, std::string{kube::name_of(object)}};
        vanish(key);
    }

    void list_ends() override {
        listing_ = false;
        std::vector<Key> missing;
        for (auto const& [key, entry] : registry_.all()) {
            bool const ours = key.kind == kind_ && entry->meta.origin == model::Origin::cluster;
            if (ours && !listed_.contains(key)) missing.push_back(key);
        }
        listed_.clear();
        for (Key const& key : missing) vanish(key);
        bool const first = !std::exchange(has_listed_, true);
        if (first && listeners_.listed) listeners_.listed(kind_);
    }

    void not_served() override {
        if (listeners_.unseen) listeners_.unseen(kind_);
    }

    void unwatchable(Error error) override {
        static_cast<void>(error);
        if (listeners_.unseen) listeners_.unseen(kind_);
    }

    /// Asks for those again that were turned away and would find room now.
    asio::awaitable<void> ask_again(kube::Cluster& cluster) {
        std::vector<Key> keys;
        for (auto const& [key, entry] : registry_.all()) {
            bool const ours = key.kind == kind_ && entry->meta.origin == model::Origin::cluster;
            if (ours && registry_.has_room_for(*entry)) keys.push_back(key);
        }
        for (Key const& key : keys) {
            Entry const* entry = registry_.find(key);
            if (entry == nullptr || !registry_.has_room_for(*entry)) continue;
            std::string const version = entry->meta.resource_version;
            auto resource = co_await cluster.resource_for(watcher_.options().gvk);
            if (!resource) co_return;
            auto live = co_await cluster.get({std::move(*resource), key.ns, key.name});
            entry = registry_.find(key);
            // What the watch said meanwhile is newer.
            if (live && entry != nullptr && entry->meta.resource_version == version) changed(std::move(*live));
        }
    }

    asio::awaitable<void> run() { return watcher_.run(); }
    Kind kind() const { return kind_; }
    kube::Watcher::State const& state() const { return watcher_.state(); }

private:
    /// Whoever changed .status in the cluster made it untrue: what is known is written again.
    void compare_copy(Entry& entry, kube::Object const* live) {
        std::uint64_t const shown = model::canonical_digest(live == nullptr ? json::object{} : *live);
        if (shown == entry.copy.accepted || entry.copy.in_flight) return;
        if (entry.status.conditions.all().empty()) return;  // nothing is known yet
        json::object const wanted = model::status_patch(kind_, entry.status);
        if (live != nullptr && model::is_merged(*live, wanted)) {
            entry.copy.accepted = shown;
            entry.copy.written = model::canonical_digest(wanted);
            return;
        }
        entry.copy.written = 0;
        entry.copy.owed = true;
        if (!listeners_.copy_differs) return;
        listeners_.copy_differs(entry, live == nullptr ? model::Status{} : model::read_status(kind_, *live));
    }

    void vanish(Key const& key) {
        Entry* entry = registry_.find(key);
        if (entry != nullptr && entry->meta.origin == model::Origin::cluster) registry_.leave(*entry);
    }

    Kind kind_;
    model::Registry& registry_;
    Log const& log_;
    Listeners listeners_;
    bool listing_ = false;
    bool has_listed_ = false;
    std::set<Key> listed_;
    std::set<std::string> unnamed_;  // namespaces of which the log says that they have too many
    kube::Watcher watcher_;
};

ClusterIntake::ClusterIntake(asio::any_io_executor executor, kube::Cluster& cluster, model::Registry& registry,
                             Log const& log, std::string const& label_selector, Listeners listeners)
    : group_(executor, model::kKinds.size() + 1), cluster_(cluster), log_(log) {
    for (model::KindInfo const& info : model::kKinds) {
        feeds_.push_back(std::make_unique<KindFeed>(info.kind, cluster, registry, log, label_selector, listeners));
    }
}

ClusterIntake::~ClusterIntake() = default;

void ClusterIntake::start() {
    for (auto& feed : feeds_) {
        auto started = group_.start("intake " + std::string{model::kind_name(feed->kind())}, feed->run());
        if (!started) log_.error("intake", "watch not started", {{"error", started.error().message}});
    }
    auto started = group_.start("those without room", ask_again());
    if (!started) log_.error("intake", "not started", {{"error", started.error().message}});
}

/// Room comes when something goes, which the watch does not say of what was turned away.
asio::awaitable<void> ClusterIntake::ask_again() {
    for (;;) {
        co_await sleep_for(kAskAgainEvery);
        for (auto& feed : feeds_) co_await feed->ask_again(cluster_);
    }
}

asio::awaitable<void> ClusterIntake::stop() {
    group_.cancel();
    co_await group_.join();
}

std::vector<ClusterIntake::WatchState> ClusterIntake::states() const {
    std::vector<WatchState> states;
    for (auto const& feed : feeds_) states.push_back({feed->kind(), feed->state()});
    return states;
}

}  // namespace holdfast::intake
