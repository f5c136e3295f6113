// modules/fluxconfig/fluxconfig.cpp: one pass over one FluxConfig, read forward.
#include "modules/fluxconfig/fluxconfig.hpp"

#include "modules/base/hash.hpp"
#include "modules/base/json_text.hpp"
#include "modules/fluxconfig/generate.hpp"
#include "modules/model/members.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <set>

namespace holdfast::fluxconfig {

using model::Compliance;
using model::Entry;
using model::Key;
using model::Kind;
using model::Truth;
using story::Outcome;

namespace {

namespace json = boost::json;
constexpr std::string_view kArea = "fluxconfig";

std::optional<Key> key_of(json::object const& object) {
    auto const kind = model::kind_of(object);
    if (!kind) return std::nullopt;
    return Key{*kind, std::string{kube::namespace_of(object)}, std::string{kube::name_of(object)}};
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

void FluxConfigs::load(model::JournalEntry const& row) {
    auto const value = parse_json(row.facts.empty() ? "{}" : row.facts);
    auto const* object = value ? value->if_object() : nullptr;
    if (object == nullptr) return;
    State& state = states_[row.key];
    for (auto const& member : *object) {
        std::string_view const text = member.key();
        auto const slash = text.find('/');
        auto const* made = member.value().if_object();
        auto const kind = model::kind_named(text.substr(0, slash));
        if (slash == std::string_view::npos || made == nullptr || !kind) continue;
        state.made[{*kind, row.key.ns, std::string{text.substr(slash + 1)}}] = {
            .wished = std::strtoull(model::text_at(*made, "wished").c_str(), nullptr, 10),
            .generation = model::number_at(*made, "generation", 0)};
    }
}

void FluxConfigs::forget(Key const& key) { states_.erase(key); }

std::string FluxConfigs::facts_text(Key const& config) const {
    json::object text;
    auto const found = states_.find(config);
    if (found != states_.end()) {
        for (auto const& [key, made] : found->second.made) {
            text[std::string{model::kind_name(key.kind)} + "/" + key.name] =
                json::object{{"wished", std::to_string(made.wished)}, {"generation", made.generation}};
        }
    }
    return json::serialize(text);
}

asio::awaitable<Outcome> FluxConfigs::reconcile(Entry entry) {
    Outcome outcome = story::begin(entry);
    std::string problem = entry.problem;
    if (entry.spec) {
        auto made = co_await generate_all(entry);
        if (!made) {
            problem = made.error().message;
            outcome.next = states_[entry.key].retry.next();
        } else {
            states_[entry.key].retry.reset();
        }
    }
    sum_up(entry, problem, outcome);
    outcome.facts = facts_text(entry.key);
    co_return outcome;
}

/// Makes what is missing or was changed by others, and removes what the configuration no longer names.
Task<void> FluxConfigs::generate_all(Entry const& config) {
    auto const& spec = config.spec_as<model::FluxConfigSpec>();
    std::vector<json::object> objects = generate(config.key, spec);
    std::set<Key> wanted;
    for (json::object& object : objects) {
        auto const key = key_of(object);
        if (!key) continue;
        wanted.insert(*key);
        std::uint64_t const wished = hash64(json::serialize(object));
        Entry const* present = ports_.registry.find(*key);
        Made const& made = states_[config.key].made[*key];
        bool const as_made = present != nullptr && !present->leaving() && made.wished == wished &&
                             present->meta.generation == made.generation;
        if (as_made) continue;
        auto done = co_await make(config, std::move(object));
        if (!done) co_return fail(std::move(done), key->text());
    }
    for (Key const& key : ports_.registry.made_by(config.key)) {
        if (wanted.contains(key)) continue;
        auto gone = co_await unmake(config, key);
        if (!gone) co_return fail(std::move(gone), key.text());
    }
    co_return Result<void>{};
}

Task<void> FluxConfigs::make(Entry const& config, json::object object) {
    Key const config_key = config.key;
    auto const key = key_of(object);
    if (!key) co_return Result<void>{};
    std::uint64_t const wished = hash64(json::serialize(object));
    if (config.meta.origin == model::Origin::local) {
        auto meta = model::read_meta(object, model::Origin::local);
        auto spec = model::read_spec(key->kind, object);
        object["origin"] = "local";  // as intake::wish_text marks it: a restart must not look for it in the cluster
        std::string wish = json::serialize(object);
        Entry const& put = ports_.registry.put(*key, std::move(meta), std::move(spec), std::move(wish), std::nullopt);
        states_[config_key].made[*key] = {wished, put.meta.generation};
        co_return Result<void>{};
    }
    if (ports_.cluster == nullptr) co_return fail(Errc::offline, "no cluster is configured");
    kube::WriteOptions const options{
        .field_manager = std::string{model::info(Kind::flux_config).manager}, .force = true, .metadata_only = true};
    auto applied = co_await ports_.cluster->apply(std::move(object), options);
    if (!applied) co_return fail(std::move(applied));
    states_[config_key].made[*key] = {wished, kube::generation_of(*applied)};
    ports_.log.info(kArea, "generated", {HOLDFAST_LOG_KEY(*key), {"by", config_key.text()}});
    co_return Result<void>{};
}

Task<void> FluxConfigs::unmake(Entry const& config, Key key) {
    Entry* present = ports_.registry.find(key);
    states_[config.key].made.erase(key);
    if (present == nullptr || present->meta.deleting) co_return Result<void>{};
    if (present->meta.origin == model::Origin::local) {
        ports_.registry.leave(*present);
        co_return Result<void>{};
    }
    if (ports_.cluster == nullptr) co_return fail(Errc::offline, "no cluster is configured");
    kube::DeleteOptions const options{.uid = present->meta.uid};
    model::KindInfo const& kind = model::info(key.kind);
    auto resource = co_await ports_.cluster->resource_for(kube::parse_api_version(kind.api_version, kind.name));
    if (!resource) co_return fail(std::move(resource));
    auto removed = co_await ports_.cluster->remove({std::move(*resource), key.ns, key.name}, options);
    if (!removed && removed.error().code != Errc::not_found) co_return removed;
    co_return Result<void>{};
}

/// What applies goes first, so that it can prune what it applied while its source is still there.
asio::awaitable<Outcome> FluxConfigs::finalize(Entry entry) {
    Outcome outcome = story::begin(entry);
    bool const vanished = entry.gone && entry.meta.origin == model::Origin::cluster;
    std::vector<Key> const left = vanished ? std::vector<Key>{} : ports_.registry.made_by(entry.key);
    bool const appliers_left =
        std::ranges::any_of(left, [](Key const& key) { return model::info(key.kind).what != model::Class::source; });
    for (Key const& key : left) {
        if (appliers_left && model::info(key.kind).what == model::Class::source) continue;
        auto removed = co_await unmake(entry, key);
        if (!removed) {
            story::Stop why{.reason = "DeletionFailed",
                            .message = key.text() + " not deleted: " + removed.error().message,
                            .retry = states_[entry.key].retry.next()};
            co_return story::stop(entry, std::move(outcome), std::move(why), ports_.clock);
        }
    }
    if (left.empty()) {
        outcome.released = true;
        co_return outcome;
    }
    // Their own finalizers end first; each end wakes this story.
    std::string names;
    for (Key const& key : left) names += (names.empty() ? "" : ", ") + key.text();
    outcome.status.conditions.set("Ready", Truth::unknown, "Progressing", "waiting for the deletion of " + names,
                                  entry.meta.generation, ports_.clock.wall());
    outcome.next = std::chrono::seconds{30};
    co_return outcome;
}

/// The configuration's status: the worst of everything it made, and ARM's statuses[].
void FluxConfigs::sum_up(Entry const& entry, std::string const& problem, Outcome& outcome) const {
    auto const wall = ports_.clock.wall();
    bool const suspended = entry.suspended();
    Compliance state = suspended ? Compliance::suspended : Compliance::compliant;
    auto& said = outcome.status.part<model::FluxConfigStatus>();
    said.statuses.clear();
    std::string blame;
    std::size_t parts = 0;
    for (Key const& key : ports_.registry.made_by(entry.key)) {
        Entry const* part = ports_.registry.find(key);
        if (part == nullptr) continue;
        ++parts;
        auto const own = model::compliance_of(part->status.conditions, part->suspended());
        if (own == Compliance::non_compliant && blame.empty()) {
            auto const* ready = part->status.conditions.find("Ready");
            blame = key.text() + ": " + (ready == nullptr ? "" : ready->message);
        }
        if (!suspended) state = model::worst(state, own);
        said.statuses.push_back(object_status(*part));
        if (auto const* artifact = model::artifact_of(part->status)) {
            said.last_synced_commit = artifact->revision;
            said.last_source_synced_time = model::format_time(artifact->last_update);
        }
        if (model::info(key.kind).what != model::Class::applier) continue;
        for (Child const& child : children_(key)) {
            if (!suspended) state = model::worst(state, compliance_of_child(child));
            said.statuses.push_back(object_status(child, key));
        }
    }
    if (parts == 0 && !suspended) state = Compliance::pending;
    if (!problem.empty()) {
        state = Compliance::non_compliant;
        blame = problem;
    }
    said.compliance_state = model::compliance_name(state);
    said.provisioning_state = problem.empty() ? "Succeeded" : "Failed";
    said.error_message = model::condition_text(blame);
    outcome.status.observed_generation = entry.meta.generation;
    bool const good = state == Compliance::compliant || state == Compliance::suspended;
    Truth const ready = good ? Truth::yes : state == Compliance::non_compliant ? Truth::no : Truth::unknown;
    std::string_view const reason = good ? "Succeeded" : ready == Truth::no ? "Failed" : "Progressing";
    std::string const message = good ? "Compliant" : blame.empty() ? "Reconciliation in progress" : blame;
    outcome.status.conditions.set("Ready", ready, reason, message, entry.meta.generation, wall);
}

model::ComplianceRecord FluxConfigs::record(Entry const& entry) const {
    auto const& said = entry.status.part<model::FluxConfigStatus>();
    json::object counts;
    std::map<std::string, std::int64_t> by_state;
    for (json::value const& one : said.statuses) {
        if (auto const* object = one.if_object()) ++by_state[model::text_at(*object, "complianceState")];
    }
    for (auto const& [word, count] : by_state) counts[word] = count;
    std::string url;
    if (entry.spec) url = entry.spec_as<model::FluxConfigSpec>().url;
    model::ComplianceRecord record;
    record.stream = model::Stream::compliance;
    record.subject = entry.key.text();
    record.state_digest = said.compliance_state + "\n" + said.last_synced_commit + "\n" + said.error_message;
    record.observed_at = ports_.clock.wall();
    record.fields = {{"ConfigurationNamespace", entry.key.ns},
                     {"ConfigurationName", entry.key.name},
                     {"SourceKind", "GitRepository"},
                     {"SourceUrl", url},
                     {"ComplianceState", said.compliance_state},
                     {"SourceSyncedCommitId", said.last_synced_commit},
                     {"SourceUpdatedAt", said.last_source_synced_time},
                     {"Message", said.error_message},
                     {"ObjectCounts", std::move(counts)},
                     {"ObservedGeneration", entry.status.observed_generation}};
    return record;
}

}  // namespace holdfast::fluxconfig
