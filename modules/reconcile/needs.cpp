// modules/reconcile/needs.cpp: what must be there before a pass begins: an artifact, and dependencies that are ready.
#include "modules/reconcile/kustomization.hpp"

#include <deque>

namespace holdfast::reconcile {

using model::Entry;
using model::Key;
using model::KustomizationSpec;
using model::Truth;

namespace {

/// Breadth first over everything that `entry` depends on and may name. Out  "a -> b -> a" when that leads back to it; else
/// empty
std::string circle(model::Registry const& registry, Entry const& entry, Key const& first, access::Lock const& lock) {
    std::map<Key, Key> came_from;
    std::deque<Key> open;
    auto const push = [&](KustomizationSpec const& of, Key const& from) {
        for (model::NamespacedName const& ref : of.depends_on) {
            if (!lock.reaches(entry.key.ns, ref.ns)) continue;
            Key next{model::Kind::kustomization, ref.ns, ref.name};
            if (came_from.try_emplace(next, from).second) open.push_back(std::move(next));
        }
    };
    came_from.emplace(first, entry.key);
    open.push_back(first);
    while (!open.empty()) {
        Key const one = open.front();
        open.pop_front();
        if (one == entry.key) {
            std::string text = one.name;
            Key at = came_from.at(one);
            while (at != entry.key) {
                text = at.name + " -> " + text;
                at = came_from.at(at);
            }
            return entry.key.name + " -> " + text;
        }
        Entry const* other = registry.find(one);
        if (other != nullptr && other->spec) push(other->spec_as<KustomizationSpec>(), one);
    }
    return "";
}

bool is_ready(Entry const& entry) {
    return entry.status.conditions.is("Ready", Truth::yes) && entry.status.observed_generation == entry.meta.generation;
}

}  // namespace

SourceLook look_at_source(model::Registry const& registry, KustomizationSpec const& spec, std::chrono::seconds retry) {
    auto const kind = model::kind_named(spec.source_kind);
    if (!kind || model::info(*kind).what != model::Class::source) {
        return {.message = "source `" + spec.source.name + "` kind '" + spec.source_kind + "' not supported"};
    }
    model::KindInfo const& info = model::info(*kind);
    Entry const* source = registry.find({*kind, spec.source.ns, spec.source.name});
    if (source == nullptr || source->gone) {
        return {.absent = true,
                .message = std::string{info.name} + "." + std::string{info.group} + " \"" + spec.source.name +
                           "\" not found: in namespace " + spec.source.ns};
    }
    std::string const& later = source->status.part<model::SourceStatus>().overtaken_by;
    if (auto const* artifact = model::artifact_of(source->status)) {
        if (later.empty()) return {.artifact = *artifact};
        return {.message = "Source artifact '" + artifact->revision + "' is older than revision '" + later +
                           "', which this cluster has seen: it is applied once the source was asked, or when a "
                           "reconciliation of it is requested"};
    }
    return {.quiet = source->status.conditions.find("Ready") == nullptr,
            .message = "Source artifact not found, retrying in " + model::format_duration(retry)};
}

std::string unmet_dependency(model::Registry const& registry, Entry const& entry, KustomizationSpec const& spec,
                             model::Artifact const& artifact, access::Lock const& lock) {
    for (model::NamespacedName const& ref : spec.depends_on) {
        std::string const name = "dependency '" + ref.ns + "/" + ref.name + "'";
        Key const key{model::Kind::kustomization, ref.ns, ref.name};
        Entry const* dependency = registry.find(key);
        if (dependency == nullptr || dependency->gone) {
            return name + " not found: kustomizations.kustomize.toolkit.fluxcd.io \"" + ref.name + "\" not found";
        }
        if (!dependency->spec || !is_ready(*dependency)) {
            // A circle never becomes ready: say so instead of waiting in silence.
            std::string const round = circle(registry, entry, key, lock);
            return name + " is not ready" + (round.empty() ? "" : ": dependency cycle " + round);
        }
        auto const& other = dependency->spec_as<KustomizationSpec>();
        bool const same_source = other.source_kind == spec.source_kind && other.source == spec.source;
        if (same_source && model::kustomization_revision(dependency->status) != artifact.revision) {
            return name + " revision is not up to date";
        }
    }
    return "";
}

}  // namespace holdfast::reconcile
