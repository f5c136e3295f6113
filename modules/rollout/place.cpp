// modules/rollout/place.cpp: scope by discovery, or by the definition that comes along.
#include "modules/rollout/place.hpp"

#include "modules/model/canonical.hpp"
#include "modules/rollout/normalize.hpp"

#include <map>
#include <optional>
#include <tuple>

namespace holdfast::rollout {

namespace {

using Scopes = std::map<std::pair<std::string, std::string>, bool>;  // group, kind -> namespaced

/// The scopes of the kinds that these objects define themselves.
Scopes defined_scopes(std::vector<kube::Object> const& objects) {
    Scopes scopes;
    for (kube::Object const& object : objects) {
        if (kube::find_string(object, {"kind"}) != "CustomResourceDefinition") continue;
        std::string const group{kube::find_string(object, {"spec", "group"})};
        std::string const kind{kube::find_string(object, {"spec", "names", "kind"})};
        auto const scope = kube::find_string(object, {"spec", "scope"});
        if (!group.empty() && !kind.empty()) scopes[{group, kind}] = scope != "Cluster";
    }
    return scopes;
}

/// Nothing: a kind that nobody serves or defines.
Task<std::optional<bool>> is_namespaced(kube::Cluster& cluster, kube::GroupVersionKind gvk, Scopes const& defined) {
    std::string const group = gvk.group;
    std::string const kind = gvk.kind;
    auto resource = co_await cluster.any_version_of(group, kind, gvk.version);
    if (resource) co_return std::optional{resource->namespaced};
    if (resource.error().code != Errc::not_found) co_return fail(std::move(resource), kind);
    auto const found = defined.find({group, kind});
    co_return found == defined.end() ? std::nullopt : std::optional{found->second};
}

}  // namespace

Task<std::vector<Wish>> place(kube::Cluster& cluster, std::vector<kube::Object> objects) {
    Scopes const defined = defined_scopes(objects);
    Scopes learned;
    std::vector<Wish> wishes;
    wishes.reserve(objects.size());
    for (kube::Object& object : objects) {
        auto gvk = kube::kind_of(object);
        if (!gvk) co_return fail(std::move(gvk));
        auto id = kube::id_of(object);
        if (!id) co_return fail(std::move(id));
        auto const named = kube::check_segment("resource name", id->name);
        if (!named) co_return fail(named.error().code, id->display() + ": " + named.error().message);
        if (is_sops_encrypted(object)) {
            co_return fail(
                Errc::invalid_input,
                id->display() +
                    " is SOPS encrypted, configuring decryption is required for this secret to be reconciled");
        }
        std::pair const kind{gvk->group, gvk->kind};
        auto known = learned.find(kind);
        if (known == learned.end()) {
            auto scope = co_await is_namespaced(cluster, *gvk, defined);
            if (!scope) co_return fail(std::move(scope));
            if (*scope) known = learned.emplace(kind, **scope).first;
        }
        if (known != learned.end() && !known->second) {
            id->ns.clear();
            if (auto* metadata = object["metadata"].if_object()) metadata->erase("namespace");
        }
        normalize(object);
        std::uint64_t const wished = model::canonical_digest(object);
        wishes.push_back({std::move(*id), std::move(gvk->version), std::move(object), wished});
    }
    co_return wishes;
}

Task<Named> name(kube::Cluster& cluster, model::InventoryEntry entry) {
    auto id = kube::parse_object_id(entry.id);
    if (!id) co_return Named{entry.id};
    auto resource = co_await cluster.any_version_of(id->group, id->kind, entry.version);
    if (!resource && resource.error().code != Errc::not_found) co_return fail(std::move(resource), id->display());
    if (!resource) co_return Named{entry.id};
    if (!resource->namespaced) id->ns.clear();
    co_return Named{id->text(), true, resource->namespaced && id->ns.empty()};
}

asio::awaitable<std::set<std::string>> unserved(kube::Cluster& cluster, std::vector<model::OwnedObject> objects) {
    std::map<std::tuple<std::string, std::string, std::string>, bool> ended;
    std::set<std::string> ids;
    for (model::OwnedObject const& object : objects) {
        auto const id = kube::parse_object_id(object.entry.id);
        if (!id) continue;
        std::tuple const kind{id->group, object.entry.version, id->kind};
        if (!ended.contains(kind)) {
            auto const resource = co_await cluster.resource_for({id->group, object.entry.version, id->kind});
            if (!resource && resource.error().code != Errc::not_found)
                break;  // the server does not answer, for any of them
            ended.emplace(kind, !resource);
        }
        if (ended.at(kind)) ids.insert(object.entry.id);
    }
    co_return ids;
}

}  // namespace holdfast::rollout
