// modules/reconcile/needs.cpp: what must be there before a pass begins: an artifact, and dependencies that are ready.
#include "modules/reconcile/kustomization.hpp"

namespace holdfast::reconcile {

using model::Entry;
using model::Key;
using model::KustomizationSpec;
using model::Truth;

namespace {

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
                             model::Artifact const& artifact, access::Lock const& lock, Dependencies& dependencies,
                             std::chrono::nanoseconds now) {
    for (model::NamespacedName const& ref : spec.depends_on) {
        std::string const name = "dependency '" + ref.ns + "/" + ref.name + "'";
        Key const key{model::Kind::kustomization, ref.ns, ref.name};
        Entry const* dependency = registry.find(key);
        if (dependency == nullptr || dependency->gone) {
            return name + " not found: kustomizations.kustomize.toolkit.fluxcd.io \"" + ref.name + "\" not found";
        }
        if (!dependency->spec || !is_ready(*dependency)) {
            // A circle never becomes ready: say so instead of waiting in silence.
            std::string const round = dependencies.circle(registry, entry.key, key, lock, now);
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
