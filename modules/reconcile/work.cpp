// modules/reconcile/work.cpp: what a pass has to do, from what is known: mostly nothing.
#include "modules/reconcile/state.hpp"

#include "modules/base/json_text.hpp"
#include "modules/model/members.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace holdfast::reconcile {

namespace json = boost::json;
using model::Duration;

std::string Facts::text() const {
    json::object object{{"artifact", artifact_digest},
                        {"spec", std::to_string(spec_digest)},
                        {"manifests", manifest_digest},
                        {"complete", complete}};
    if (!user.empty()) object["user"] = user;
    if (!cluster.empty()) object["cluster"] = cluster;
    if (!remotes.empty()) object["remotes"] = json::array(remotes.begin(), remotes.end());
    return json::serialize(object);
}

Facts Facts::read(std::string const& text) {
    Facts facts;
    auto const value = parse_json(text.empty() ? "{}" : text);
    auto const* object = value ? value->if_object() : nullptr;
    if (object == nullptr) return facts;
    facts.artifact_digest = model::text_at(*object, "artifact");
    facts.manifest_digest = model::text_at(*object, "manifests");
    facts.user = model::text_at(*object, "user");
    facts.cluster = model::text_at(*object, "cluster");
    facts.spec_digest = std::strtoull(model::text_at(*object, "spec").c_str(), nullptr, 10);
    auto const* complete = object->if_contains("complete");
    facts.complete = complete != nullptr && complete->is_bool() && complete->get_bool();
    if (auto const* remotes = model::list_at(*object, "remotes")) {
        for (json::value const& one : *remotes) {
            if (one.is_string()) facts.remotes.emplace_back(one.get_string());
        }
    }
    return facts;
}

/// Has a pass over this artifact and spec failed, and is it not time yet to try again?
bool Kustomizations::Pass::is_held(Boot now) const {
    if (asked || !state.failed) return false;
    return state.failed->artifact_digest == artifact.digest && state.failed->spec_digest == entry.spec_digest &&
           now < state.failed->until;
}

/// The table that decides. Whatever is first in it wins.
Kustomizations::Work Kustomizations::work_of(Pass const& run) const {
    State const& state = run.state;
    if (run.asked) return Work::all;
    auto const now = ports_.clock.boot();
    if (!run.is_same() || !state.unserved.empty()) return Work::all;
    auto const repair = owned_.repair_due(run.owner);
    if (repair && repair->count() == 0) return Work::all;
    if (state.owes) return Work::prune;
    if (!state.facts.complete) return Work::all;
    bool const moved =
        !state.facts.remotes.empty() && (!state.rendered_at || now >= *state.rendered_at + run.spec.interval);
    if (moved) return Work::all;
    bool const checks = run.spec.wait || !run.spec.health_checks.empty();
    return checks || !run.entry.status.conditions.is("Ready", model::Truth::yes) ? Work::health : Work::nothing;
}

/// Until there may be something to do without anybody telling.
Duration Kustomizations::pause_of(Pass const& run) const {
    auto const now = ports_.clock.boot();
    State const& state = run.state;
    Duration pause = run.spec.interval;
    if (state.failed && state.failed->until > now) pause = std::min(pause, state.failed->until - now);
    else if (auto const repair = owned_.repair_due(run.owner)) pause = std::min(pause, *repair);
    if (!state.facts.remotes.empty() && state.rendered_at) {
        pause = std::min(pause, std::max(*state.rendered_at + run.spec.interval - now, Duration{}));
    }
    return pause;
}

/// What of this one's objects is only looked up, and why.
void Kustomizations::note_watches(Pass& run) const {
    auto& conditions = run.outcome.status.conditions;
    std::vector<std::string> const unwatched = owned_.unwatched(run.owner);
    if (unwatched.empty()) {
        conditions.remove("Watched");
        return;
    }
    std::string text =
        "drift and health are looked up every " + model::format_duration(run.spec.interval) + ", no watch shows them: ";
    for (std::string const& one : unwatched) text += (&one == &unwatched.front() ? "" : "\n") + one;
    conditions.set("Watched", model::Truth::no, "WatchRefused", text, run.entry.meta.generation, ports_.clock.wall());
}

/// Nothing changed, but perhaps what may be watched: the outcome is what was known.
story::Outcome Kustomizations::wait(Pass run) const {
    if (run.entry.status.conditions.is("Ready", model::Truth::yes)) note_watches(run);
    run.outcome.next = pause_of(run);
    run.outcome.answers = false;
    return std::move(run.outcome);
}

bool Kustomizations::Pass::is_same() const {
    Facts const& facts = state.facts;
    auto const& attempted = entry.status.part<model::KustomizationStatus>().last_attempted_revision;
    return facts.artifact_digest == artifact.digest && attempted == artifact.revision &&
           facts.spec_digest == entry.spec_digest && facts.user == reach.rights;
}

void Kustomizations::Pass::name_origin() {
    std::string const origin = model::origin_of(artifact);
    if (origin.empty()) return;
    for (story::News& one : outcome.news) {
        if (!one.revision.empty()) one.annotations.emplace_back("originRevision", origin);
    }
}

std::string Kustomizations::Pass::progress(std::string_view doing) const {
    return std::string{doing} + " revision " + artifact.revision + " with a timeout of " +
           model::format_duration(spec.timeout);
}

}  // namespace holdfast::reconcile
