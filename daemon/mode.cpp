// daemon/mode.cpp: reads and makes the choice of a mode.
#include "daemon/mode.hpp"

namespace holdfast::daemon {

using access::Mode;

namespace {

constexpr std::string_view kFluxGroups = ".toolkit.fluxcd.io";

Task<kube::Resource> definitions(kube::Cluster& cluster) {
    return cluster.resource_for({"apiextensions.k8s.io", "v1", "CustomResourceDefinition"});
}

Task<bool> has_flux(kube::Cluster& cluster) {
    auto resource = co_await definitions(cluster);
    if (!resource) co_return fail(std::move(resource));
    bool found = false;
    auto begin = [&found] { found = false; };
    auto take = [&found](kube::Object object) -> Result<void> {
        found = found || kube::name_of(object).ends_with(kFluxGroups);
        return {};
    };
    auto listed = co_await cluster.list(std::move(*resource), {.metadata_only = true}, begin, take);
    if (!listed) co_return fail(std::move(listed));
    co_return found;
}

}  // namespace

std::string_view mode_name(Mode mode) { return mode == Mode::azure ? "azure" : "flux"; }

std::optional<Mode> mode_named(std::string_view name) {
    if (name == "flux") return Mode::flux;
    if (name == "azure") return Mode::azure;
    return std::nullopt;
}

Task<std::optional<Mode>> chosen_mode(kube::Cluster& cluster) {
    auto resource = co_await definitions(cluster);
    if (!resource && resource.error().code == Errc::not_found) co_return std::optional<Mode>{};
    if (!resource) co_return fail(std::move(resource), "mode");
    kube::ReadOptions const metadata{.metadata_only = true};
    kube::Target target{std::move(*resource), "", std::string{kModeDefinition}};
    auto live = co_await cluster.get(std::move(target), metadata);
    if (!live && live.error().code == Errc::not_found) co_return std::optional<Mode>{};
    if (!live) co_return fail(std::move(live), "mode");
    std::string_view const word = kube::find_string(*live, {"metadata", "annotations", kModeAnnotation});
    if (word.empty()) co_return std::optional<Mode>{};
    co_return mode_named(word).value_or(Mode::azure);  // a slip of the pen allows nothing
}

Task<Choice> choose_mode(kube::Cluster& cluster, std::optional<Mode> asked) {
    if (asked) co_return Choice{*asked, "it was asked for"};
    auto before = co_await chosen_mode(cluster);
    if (!before) co_return fail(std::move(before));
    if (*before) co_return Choice{**before, "it was chosen before"};
    auto flux = co_await has_flux(cluster);
    if (!flux) co_return fail(std::move(flux), "mode");
    if (*flux) co_return Choice{Mode::flux, "definitions of Flux are there"};
    co_return Choice{Mode::azure, "nothing of Flux is there"};
}

}  // namespace holdfast::daemon
