// modules/model/kinds.hpp: everything that is the same question for every kind, one row each.
// A new kind is a row here, its fields in kinds/<kind>.{hpp,cpp}, a story, and a line in daemon/wiring.cpp.
#pragma once

#include "modules/model/fields.hpp"
#include "modules/model/kinds/flux_config.hpp"
#include "modules/model/kinds/git_repository.hpp"
#include "modules/model/kinds/kustomization.hpp"
#include "modules/model/kinds/oci_repository.hpp"
#include "modules/model/spec.hpp"
#include "modules/model/status.hpp"

#include <array>
#include <span>
#include <string>
#include <string_view>

namespace holdfast::model {

/// What a kind is for: how the daemon shows it and how many of its passes run at once.
enum class Class : std::uint8_t { source, applier, config, notifier, image };

struct KindInfo {
    Kind kind;
    std::string_view name;   // "Kustomization"
    std::string_view group;  // "kustomize.toolkit.fluxcd.io": also the group of the owner labels on what it applies
    std::string_view api_version;  // "kustomize.toolkit.fluxcd.io/v1"
    std::string_view plural;       // "kustomizations"
    std::string_view controller;   // Flux's controller: source of events, field manager of what is applied
    std::string_view manager;      // field manager of .status and of the finalizer
    std::string_view former;       // what an earlier version of ours called itself there; taken off live objects
    Class what;

    Spec (*read_spec)(Fields& spec, std::string const& own_namespace);
    std::span<StatusField const> (*status_fields)();

    /// "main@sha1:67e2c98a…": what was last applied or fetched; empty while there is none.
    std::string (*revision)(Status const& status);

    /// What followers look at beside Ready and the observed generation: a change of it makes them look again.
    std::string (*face)(Status const& status);
};

inline constexpr std::array kKinds = std::to_array<KindInfo>({
    {Kind::git_repository, "GitRepository", "source.toolkit.fluxcd.io", "source.toolkit.fluxcd.io/v1",
     "gitrepositories", "source-controller", "source-controller", "gotk-source-controller", Class::source,
     read_git_repository, git_repository_status, source_revision, source_face},
    {Kind::oci_repository, "OCIRepository", "source.toolkit.fluxcd.io", "source.toolkit.fluxcd.io/v1",
     "ocirepositories", "source-controller", "source-controller", "gotk-source-controller", Class::source,
     read_oci_repository, oci_repository_status, source_revision, source_face},
    {Kind::kustomization, "Kustomization", "kustomize.toolkit.fluxcd.io", "kustomize.toolkit.fluxcd.io/v1",
     "kustomizations", "kustomize-controller", "gotk-kustomize-controller", "kustomize-controller", Class::applier,
     read_kustomization, kustomization_status, kustomization_revision, kustomization_revision},
    {Kind::flux_config, "FluxConfig", "clusterconfig.azure.com", "clusterconfig.azure.com/v1alpha1", "fluxconfigs",
     "fluxconfig-controller", "fluxconfig-controller", "gotk-fluxconfig-controller", Class::config, read_flux_config,
     flux_config_status, flux_config_revision, flux_config_revision},
});

constexpr bool rows_are_in_order() {
    for (std::size_t i = 0; i < kKinds.size(); ++i) {
        if (kKinds[i].kind != static_cast<Kind>(i)) return false;
    }
    return true;
}
static_assert(rows_are_in_order(), "info() finds a row by its number");

constexpr KindInfo const& info(Kind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

/// The kind called "GitRepository"; nothing for a kind that this version does not act on.
std::optional<Kind> kind_named(std::string_view name);

}  // namespace holdfast::model
