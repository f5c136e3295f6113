// modules/fluxconfig/fluxconfig.cpp: one pass over one FluxConfig, read forward.
#include "modules/fluxconfig/fluxconfig.hpp"

#include "modules/access/lock.hpp"
#include "modules/base/hash.hpp"
#include "modules/base/json_text.hpp"
#include "modules/base/mask.hpp"
#include "modules/fluxconfig/account.hpp"
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
constexpr std::string_view kAccountFact = "account";
constexpr std::chrono::seconds kLookAgain{30};  // while something is being deleted: its end wakes this story, too

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

FluxConfigs::FluxConfigs(story::Ports ports, std::function<std::vector<Child>(Key const&)> children, Settings settings)
    : ports_(ports), children_(std::move(children)), settings_(std::move(settings)) {}

void FluxConfigs::load(model::JournalEntry const& row) {
    auto const value = parse_json(row.facts.empty() ? "{}" : row.facts);
    auto const* object = value ? value->if_object() : nullptr;
    if (object == nullptr) return;
    State& state = states_[row.key];
    state.account = std::strtoull(model::text_at(*object, kAccountFact).c_str(), nullptr, 10);
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
        if (found->second.account != 0) text[kAccountFact] = std::to_string(found->second.account);
        for (auto const& [key, made] : found->second.made) {
            text[std::string{model::kind_name(key.kind)} + "/" + key.name] =
                json::object{{"wished", std::to_string(made.wished)}, {"generation", made.generation}};
        }
    }
    return json::serialize(text);
}

asio::awaitable<Outcome> FluxConfigs::reconcile(Entry entry) {
    Outcome outcome = story::begin(entry);
    std::optional<story::Stop> stopped;
    if (!entry.spec) {
        stopped = story::Stop{.reason = "InvalidSpec", .message = entry.problem};
    } else {
        auto made = co_await generate_all(entry);
        Backoff& retry = states_[entry.key].retry;
        if (made) retry.reset();
        else stopped = story::Stop{.reason = "Failed", .message = made.error().message, .retry = retry.next()};
    }
    outcome.facts = facts_text(entry.key);
    Summary const summary = sum_up(entry, outcome.status.part<model::FluxConfigStatus>());
    co_return stopped ? fail_with(entry, std::move(outcome), std::move(*stopped))
                      : say(entry, std::move(outcome), summary);
}

/// Makes what is missing or was changed by others, and removes what the configuration no longer names.
Task<void> FluxConfigs::generate_all(Entry const& config) {
    auto const& spec = config.spec_as<model::FluxConfigSpec>();
    Terms terms;
    if (needs_account(spec, settings_.multi_tenancy)) terms.account = access::kApplier;
    for (std::string const& label : settings_.carried_labels) {
        if (auto const found = config.meta.labels.find(label); found != config.meta.labels.end())
            terms.labels.insert(*found);
    }
    std::vector<json::object> objects = generate(config.key, spec, terms);
    std::set<Key> wanted;
    State& state = states_[config.key];
    for (json::object& object : objects) {
        auto const key = key_of(object);
        if (!key) continue;
        wanted.insert(*key);
        std::uint64_t const wished = hash64(json::serialize(object));
        Entry const* present = ports_.registry.find(*key);
        auto const made = state.made.find(*key);
        auto const maker = present == nullptr ? std::nullopt : model::maker_of(present->meta, key->ns);
        bool const as_made = maker == config.key && !present->leaving() && made != state.made.end() &&
                             made->second.wished == wished && present->meta.generation == made->second.generation;
        if (model::info(key->kind).what != model::Class::source) {
            auto account = co_await see_to_account(config);
            if (!account) co_return account;
        }
        if (as_made) continue;
        // "a" with an entry "b-c" and "a-b" with an entry "c" mean the same name: who was first keeps it.
        if (maker && *maker != config.key && ports_.registry.find(*maker) != nullptr)
            co_return fail(Errc::invalid_input, key->text() + ": belongs to " + maker->text());
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

/// The account is there, and may do what it is to, before anything acts as it. It is made again when something of this
/// configuration fails: that it was taken away may be why.
Task<void> FluxConfigs::see_to_account(Entry const& config) {
    auto const& spec = config.spec_as<model::FluxConfigSpec>();
    std::string const& ns = config.key.ns;
    Reach const reach = reach_of(ports_.registry, ns, settings_.multi_tenancy);
    bool const needs = needs_account(spec, settings_.multi_tenancy);
    if (needs && spec.scope == model::ConfigScope::cluster && reach != Reach::cluster) {
        states_[config.key].account = 0;
        co_return fail(Errc::invalid_input,
                       "spec.scope: \"cluster\" cannot hold in a namespace with a configuration of "
                       "scope namespace: all of them act as one account");
    }
    if (ports_.cluster == nullptr) co_return Result<void>{};  // nothing acts at all
    std::string text;
    for (json::object const& one : bindings(ns, reach)) text += json::serialize(one);
    std::uint64_t const wanted = reach == Reach::none ? 0 : hash64(text);
    bool const as_made = states_[config.key].account == wanted;
    if (as_made && (reach == Reach::none || !has_failing_part(config.key))) co_return Result<void>{};
    if (reach != Reach::none) {
        if (config.meta.origin == model::Origin::local) {
            auto there = co_await make_namespace(*ports_.cluster, ns);
            if (!there) co_return there;
        }
        auto made = co_await make_account(*ports_.cluster, ns, reach);
        if (!made) co_return made;
    }
    if (!as_made) {
        auto narrowed = co_await unmake_account(*ports_.cluster, ns, reach);
        if (!narrowed) co_return narrowed;
        ports_.log.info(kArea, reach == Reach::none ? "account let go" : "account made",
                        {{"namespace", ns}, {"name", access::kApplier}, {"by", config.key.text()}});
    }
    states_[config.key].account = wanted;
    co_return Result<void>{};
}

/// With the last configuration of a namespace its account goes, with the last of a scope what that scope allowed.
Task<void> FluxConfigs::let_go_of_account(Entry const& config) {
    if (ports_.cluster == nullptr || states_[config.key].account == 0) co_return Result<void>{};
    Reach const kept = reach_of(ports_.registry, config.key.ns, settings_.multi_tenancy, &config.key);
    auto gone = co_await unmake_account(*ports_.cluster, config.key.ns, kept);
    if (gone) states_[config.key].account = 0;
    co_return gone;
}

bool FluxConfigs::has_failing_part(Key const& config) const {
    return std::ranges::any_of(ports_.registry.made_by(config), [this](Key const& key) {
        Entry const* part = ports_.registry.find(key);
        return part != nullptr && part->status.conditions.is("Ready", Truth::no);
    });
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
    std::string names;
    for (Key const& key : left) {
        if (appliers_left && model::info(key.kind).what == model::Class::source) continue;
        auto removed = co_await unmake(entry, key);
        if (!removed) {
            story::Stop why{.reason = "DeletionFailed",
                            .message = key.text() + " not deleted: " + removed.error().message,
                            .retry = states_[entry.key].retry.next()};
            co_return fail_with(entry, std::move(outcome), std::move(why));
        }
        names += (names.empty() ? "" : ", ") + key.text();
    }
    if (left.empty()) {
        // Only now: what was just pruned was pruned with it.
        Result<void> let_go;
        if (!vanished) let_go = co_await let_go_of_account(entry);
        if (!let_go) {
            story::Stop why{.reason = "DeletionFailed",
                            .message = let_go.error().message,
                            .retry = states_[entry.key].retry.next()};
            co_return fail_with(entry, std::move(outcome), std::move(why));
        }
        outcome.released = true;
        co_return outcome;
    }
    states_[entry.key].retry.reset();
    // Their own finalizers end first; each end wakes this story.
    auto& said = outcome.status.part<model::FluxConfigStatus>();
    said.provisioning_state = "Deleting";
    said.error_message.clear();
    outcome.status.conditions.remove("Stalled");
    outcome.status.conditions.set("Ready", Truth::unknown, "Progressing", "waiting for the deletion of " + names,
                                  entry.meta.generation, ports_.clock.wall());
    outcome.next = kLookAgain;
    co_return outcome;
}

/// The worst of everything it made, and ARM's statuses[].
FluxConfigs::Summary FluxConfigs::sum_up(Entry const& entry, model::FluxConfigStatus& said) const {
    bool const suspended = entry.suspended();
    Summary summary{.state = suspended ? Compliance::suspended : Compliance::compliant};
    auto const count = [&](Compliance one) {
        if (!suspended) summary.state = model::worst(summary.state, one);
    };
    said.statuses.clear();
    std::vector<Key> const parts = ports_.registry.made_by(entry.key);
    for (Key const& key : parts) {
        Entry const* part = ports_.registry.find(key);
        if (part == nullptr) continue;
        auto const own = model::compliance_of(part->status.conditions, part->suspended());
        count(own);
        if (own == Compliance::non_compliant && summary.blame.empty()) {
            auto const* ready = part->status.conditions.find("Ready");
            summary.blame = key.text() + ": " + (ready == nullptr ? "" : ready->message);
        }
        said.statuses.push_back(object_status(*part));
        if (auto const* artifact = model::artifact_of(part->status)) {
            said.last_synced_commit = artifact->revision;
            said.last_source_synced_time = model::format_time(artifact->last_update);
        }
        if (model::info(key.kind).what != model::Class::applier) continue;
        for (Child const& child : children_(key)) {
            auto const childs = compliance_of_child(child);
            count(childs);
            if (childs == Compliance::non_compliant && summary.blame.empty())
                summary.blame = child.kind + "/" + child.ns + "/" + child.name + " is not ready";
            said.statuses.push_back(object_status(child, key));
        }
    }
    if (parts.empty()) count(Compliance::pending);
    return summary;
}

/// Everything could be made: how it fares is the configuration's state.
Outcome FluxConfigs::say(Entry const& entry, Outcome outcome, Summary const& summary) const {
    auto& said = outcome.status.part<model::FluxConfigStatus>();
    said.compliance_state = model::compliance_name(summary.state);
    said.provisioning_state = "Succeeded";
    said.error_message = summary.state == Compliance::non_compliant ? model::condition_text(summary.blame) : "";
    if (summary.state == Compliance::compliant || summary.state == Compliance::suspended)
        return story::succeed(entry, std::move(outcome), "Succeeded", model::compliance_name(summary.state), {},
                              ports_.clock);
    bool const failed = summary.state == Compliance::non_compliant;
    auto& conditions = outcome.status.conditions;
    conditions.remove("Reconciling");
    conditions.remove("Stalled");
    conditions.set("Ready", failed ? Truth::no : Truth::unknown, failed ? "Failed" : "Progressing",
                   failed ? summary.blame : "Reconciliation in progress", entry.meta.generation, ports_.clock.wall());
    outcome.status.observed_generation = entry.meta.generation;
    return outcome;
}

/// Something could not be made or taken away: that is why it is not compliant.
Outcome FluxConfigs::fail_with(Entry const& entry, Outcome outcome, story::Stop why) const {
    auto& said = outcome.status.part<model::FluxConfigStatus>();
    said.compliance_state = model::compliance_name(Compliance::non_compliant);
    said.provisioning_state = "Failed";
    said.error_message = model::condition_text(why.message);
    outcome.status.observed_generation = entry.meta.generation;
    return story::stop(entry, std::move(outcome), std::move(why), ports_.clock);
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
                     {"SourceUrl", mask_url(url)},
                     {"ComplianceState", said.compliance_state},
                     {"SourceSyncedCommitId", said.last_synced_commit},
                     {"SourceUpdatedAt", said.last_source_synced_time},
                     {"Message", said.error_message},
                     {"ObjectCounts", std::move(counts)},
                     {"ObservedGeneration", entry.status.observed_generation}};
    return record;
}

}  // namespace holdfast::fluxconfig
