// modules/fluxconfig/fluxconfig.cpp: one pass over one FluxConfig, read forward.
#include "modules/fluxconfig/fluxconfig.hpp"

#include "modules/base/hash.hpp"
#include "modules/fluxconfig/generate.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace holdfast::fluxconfig {

using model::Compliance;
using model::Entry;
using model::Key;
using model::Kind;
using model::Truth;
using story::Next;

namespace {

namespace json = boost::json;
constexpr std::string_view kArea = "fluxconfig";

Key key_of(json::object const& object) {
    auto const kind = model::kind_of(object);
    return {*kind, std::string{kube::namespace_of(object)}, std::string{kube::name_of(object)}};
}

Compliance compliance_of_child(Child const& child) {
    switch (child.ready) {
        case Truth::yes: return Compliance::compliant;
        case Truth::no: return Compliance::non_compliant;
        case Truth::unknown: return Compliance::pending;
    }
    return Compliance::unknown;
}

/// ARM's ObjectStatus.
json::object object_status(Entry const& entry) {
    return {
        {"name", entry.key.name},
        {"namespace", entry.key.ns},
        {"kind", model::kind_name(entry.key.kind)},
        {"complianceState", model::compliance_name(model::compliance_of(entry.status.conditions, entry.suspended()))},
        {"appliedBy", nullptr},
        {"statusConditions", model::to_json(entry.status.conditions)}};
}

json::object object_status(Child const& child, Key const& applied_by) {
    return {{"name", child.name},
            {"namespace", child.ns},
            {"kind", child.kind},
            {"complianceState", model::compliance_name(compliance_of_child(child))},
            {"appliedBy", json::object{{"name", applied_by.name}, {"namespace", applied_by.ns}}},
            {"statusConditions", json::array{}}};
}

}  // namespace

FluxConfigs::FluxConfigs(story::Ports ports, std::function<std::vector<Child>(Key const&)> children)
    : ports_(ports), children_(std::move(children)) {}

void FluxConfigs::load(model::JournalEntry const& entry) {
    boost::system::error_code ec;
    auto const value = json::parse(entry.facts.empty() ? "{}" : entry.facts, ec);
    if (ec || !value.is_object()) return;
    Facts& facts = facts_[entry.key];
    for (auto const& member : value.get_object()) {
        std::string_view const text = member.key();
        auto const slash = text.find('/');
        if (slash == std::string_view::npos || !member.value().is_object()) continue;
        Kind const kind = text.substr(0, slash) == "GitRepository" ? Kind::git_repository : Kind::kustomization;
        json::object const& made = member.value().get_object();
        facts[{kind, entry.key.ns, std::string{text.substr(slash + 1)}}] = {
            .wished = std::strtoull(std::string{kube::find_string(made, {"wished"})}.c_str(), nullptr, 10),
            .generation = kube::find_integer(made, {"generation"}).value_or(0)};
    }
}

std::string FluxConfigs::facts_text(Key const& config) const {
    json::object text;
    auto const found = facts_.find(config);
    if (found != facts_.end()) {
        for (auto const& [key, made] : found->second) {
            text[std::string{model::kind_name(key.kind)} + "/" + key.name] =
                json::object{{"wished", std::to_string(made.wished)}, {"generation", made.generation}};
        }
    }
    return json::serialize(text);
}

asio::awaitable<Next> FluxConfigs::reconcile(Key key) {
    Entry* entry = ports_.registry.find(key);
    if (entry == nullptr) co_return Next{};
    if (entry->gone || entry->meta.deleting) co_return co_await finalize(key);
    std::string problem = entry->problem;
    std::optional<model::Duration> retry;
    if (entry->spec) {
        auto const spec = entry->spec_as<model::FluxConfigSpec>();
        auto held = co_await story::take_finalizer(ports_, key);
        if (!held) co_return Next{std::chrono::seconds{5}};
        auto made = co_await generate_all(key, spec);
        if (!made) {
            problem = made.error().message;
            retry = std::chrono::seconds{is_retryable(made.error().code) ? 10 : 60};
        }
    }
    entry = ports_.registry.find(key);
    if (entry == nullptr) co_return Next{};
    std::string const before = json::serialize(model::to_json(key.kind, entry->status));
    sum_up(*entry, problem);
    std::string facts = facts_text(key);
    bool const changed =
        before != json::serialize(model::to_json(key.kind, entry->status)) || !entry->wish.empty() || entry->unrecorded;
    if (!changed) co_return Next{retry};
    story::Outcome outcome{.facts = std::move(facts)};
    outcome.records.push_back(configuration_record(*entry));
    auto concluded = co_await story::conclude(ports_, key, std::move(outcome));
    if (!concluded) {
        ports_.log.error(kArea, "not recorded", {{"name", key.name}, {"error", concluded.error().message}});
        co_return Next{std::chrono::seconds{10}};
    }
    co_return Next{retry};
}

/// Makes what is missing or was changed by others, and removes what the configuration no longer names.
Task<void> FluxConfigs::generate_all(Key config, model::FluxConfigSpec const& spec) {
    std::vector<json::object> objects = generate(config, spec);
    std::set<Key> wanted;
    for (json::object& object : objects) {
        Key const key = key_of(object);
        wanted.insert(key);
        std::uint64_t const wished = hash64(json::serialize(object));
        Entry const* present = ports_.registry.find(key);
        Made const& made = facts_[config][key];
        bool const as_made = present != nullptr && !present->gone && !present->meta.deleting && made.wished == wished &&
                             present->meta.generation == made.generation;
        if (as_made) continue;
        auto done = co_await make(config, std::move(object));
        if (!done) co_return fail(std::move(done), key.text());
    }
    for (Key const& key : generated(config)) {
        if (wanted.contains(key)) continue;
        auto gone = co_await unmake(config, key);
        if (!gone) co_return fail(std::move(gone), key.text());
    }
    co_return Result<void>{};
}

Task<void> FluxConfigs::make(Key config, json::object object) {
    Key const key = key_of(object);
    std::uint64_t const wished = hash64(json::serialize(object));
    Entry const* entry = ports_.registry.find(config);
    if (entry == nullptr) co_return Result<void>{};
    if (entry->meta.origin == model::Origin::local) {
        auto meta = model::read_meta(object, model::Origin::local);
        auto spec = model::read_spec(key.kind, object);
        object["origin"] = "local";  // as intake::wish_text marks it: a restart must not look for it in the cluster
        std::string wish = json::serialize(object);
        Entry const& put = ports_.registry.put(key, std::move(meta), std::move(spec), std::move(wish), std::nullopt);
        facts_[config][key] = {wished, put.meta.generation};
        co_return Result<void>{};
    }
    if (ports_.cluster == nullptr) co_return fail(Errc::offline, "no cluster is configured");
    kube::WriteOptions const options{
        .field_manager = std::string{story::controller_of(Kind::flux_config)}, .force = true, .metadata_only = true};
    auto applied = co_await ports_.cluster->apply(std::move(object), options);
    if (!applied) co_return fail(std::move(applied));
    facts_[config][key] = {wished, kube::generation_of(*applied)};
    ports_.log.info(
        kArea, "generated",
        {{"kind", model::kind_name(key.kind)}, {"namespace", key.ns}, {"name", key.name}, {"by", config.text()}});
    co_return Result<void>{};
}

Task<void> FluxConfigs::unmake(Key config, Key key) {
    Entry* present = ports_.registry.find(key);
    facts_[config].erase(key);
    if (present == nullptr || present->meta.deleting) co_return Result<void>{};
    if (present->meta.origin == model::Origin::local) {
        ports_.registry.leave(*present);
        co_return Result<void>{};
    }
    if (ports_.cluster == nullptr) co_return fail(Errc::offline, "no cluster is configured");
    kube::DeleteOptions const options{.uid = present->meta.uid};
    auto resource = co_await ports_.cluster->resource_for(
        kube::parse_api_version(model::api_version_of(key.kind), model::kind_name(key.kind)));
    if (!resource) co_return fail(std::move(resource));
    auto removed = co_await ports_.cluster->remove({std::move(*resource), key.ns, key.name}, options);
    if (!removed && removed.error().code != Errc::not_found) co_return removed;
    co_return Result<void>{};
}

/// Kustomizations first, so that they can prune what they applied while their source is still there.
asio::awaitable<Next> FluxConfigs::finalize(Key config) {
    Entry* entry = ports_.registry.find(config);
    if (entry == nullptr) co_return Next{};
    bool const vanished = entry->gone && entry->meta.origin == model::Origin::cluster;
    if (!vanished) {
        std::vector<Key> left = generated(config);
        bool const kustomizations_left =
            std::ranges::any_of(left, [](Key const& key) { return key.kind == Kind::kustomization; });
        for (Key const& key : left) {
            if (kustomizations_left && key.kind != Kind::kustomization) continue;
            auto removed = co_await unmake(config, key);
            if (!removed) {
                ports_.log.error(kArea, "generated object not deleted",
                                 {{"name", key.name}, {"error", removed.error().message}});
                co_return Next{std::chrono::seconds{5}};
            }
        }
        if (!left.empty()) co_return Next{std::chrono::seconds{1}};  // their own finalizers end first
    }
    entry = ports_.registry.find(config);
    if (entry == nullptr) co_return Next{};
    model::ComplianceRecord last = configuration_record(*entry);
    last.state_digest = "Deleted";
    last.fields["ComplianceState"] = "Unknown";
    last.fields["Message"] = "the configuration was deleted";
    auto released = co_await story::release(ports_, config, {std::move(last)});
    if (!released) {
        ports_.log.error(kArea, "finalizer not removed", {{"name", config.name}, {"error", released.error().message}});
        co_return Next{std::chrono::seconds{5}};
    }
    facts_.erase(config);
    co_return Next{};
}

std::vector<Key> FluxConfigs::generated(Key const& config) const {
    std::vector<Key> found;
    for (auto const& [key, entry] : ports_.registry.all()) {
        if (key.ns == config.ns && is_generated_for(entry->meta.labels, config)) found.push_back(key);
    }
    return found;
}

/// The configuration's status: the worst of everything it made, and ARM's statuses[].
void FluxConfigs::sum_up(Entry& entry, std::string const& problem) {
    auto const wall = ports_.clock.wall();
    bool const suspended = entry.suspended();
    Compliance state = suspended ? Compliance::suspended : Compliance::compliant;
    json::array statuses;
    json::object& extra = entry.status.extra;
    std::string blame;
    std::size_t parts = 0;
    for (Key const& key : generated(entry.key)) {
        Entry const* part = ports_.registry.find(key);
        if (part == nullptr) continue;
        ++parts;
        auto const own = model::compliance_of(part->status.conditions, part->suspended());
        if (own == Compliance::non_compliant && blame.empty()) {
            auto const* ready = part->status.conditions.find("Ready");
            blame = key.text() + ": " + (ready == nullptr ? "" : ready->message);
        }
        if (!suspended) state = model::worst(state, own);
        statuses.push_back(object_status(*part));
        if (key.kind == Kind::git_repository && part->status.artifact) {
            extra["lastSyncedCommit"] = part->status.artifact->revision;
            extra["lastSourceSyncedTime"] = model::format_time(part->status.artifact->last_update);
        }
        if (key.kind != Kind::kustomization) continue;
        for (Child const& child : children_(key)) {
            if (!suspended) state = model::worst(state, compliance_of_child(child));
            statuses.push_back(object_status(child, key));
        }
    }
    if (parts == 0 && !suspended) state = Compliance::pending;
    if (!problem.empty()) {
        state = Compliance::non_compliant;
        blame = problem;
    }
    extra["complianceState"] = model::compliance_name(state);
    extra["provisioningState"] = problem.empty() ? "Succeeded" : "Failed";
    extra["statuses"] = std::move(statuses);
    if (blame.empty()) {
        extra.erase("errorMessage");
    } else {
        extra["errorMessage"] = blame;
    }
    entry.status.observed_generation = entry.meta.generation;
    if (!entry.meta.requested_at.empty()) entry.status.last_handled_reconcile_at = entry.meta.requested_at;
    bool const good = state == Compliance::compliant || state == Compliance::suspended;
    Truth const ready = good ? Truth::yes : state == Compliance::non_compliant ? Truth::no : Truth::unknown;
    std::string_view const reason = good ? "Succeeded" : ready == Truth::no ? "Failed" : "Progressing";
    std::string const message = good ? "Compliant" : blame.empty() ? "Reconciliation in progress" : blame;
    entry.status.conditions.set("Ready", ready, reason, message, entry.meta.generation, wall);
}

model::ComplianceRecord FluxConfigs::configuration_record(Entry const& entry) const {
    json::object const& extra = entry.status.extra;
    std::string const state{kube::find_string(extra, {"complianceState"})};
    std::string const commit{kube::find_string(extra, {"lastSyncedCommit"})};
    std::string const error{kube::find_string(extra, {"errorMessage"})};
    json::object counts;
    if (auto const* statuses = kube::find_array(extra, {"statuses"})) {
        std::map<std::string, std::int64_t> by_state;
        for (json::value const& one : *statuses)
            ++by_state[std::string{kube::find_string(one.get_object(), {"complianceState"})}];
        for (auto const& [word, count] : by_state) counts[word] = count;
    }
    std::string url;
    if (entry.spec) url = entry.spec_as<model::FluxConfigSpec>().url;
    model::ComplianceRecord record;
    record.stream = model::Stream::compliance;
    record.subject = entry.key.text();
    record.state_digest = state + "\n" + commit + "\n" + error;
    record.observed_at = ports_.clock.wall();
    record.fields = {{"ConfigurationNamespace", entry.key.ns},
                     {"ConfigurationName", entry.key.name},
                     {"SourceKind", "GitRepository"},
                     {"SourceUrl", url},
                     {"ComplianceState", state},
                     {"SourceSyncedCommitId", commit},
                     {"SourceUpdatedAt", kube::find_string(extra, {"lastSourceSyncedTime"})},
                     {"Message", error},
                     {"ObjectCounts", std::move(counts)},
                     {"ObservedGeneration", entry.status.observed_generation}};
    return record;
}

}  // namespace holdfast::fluxconfig
