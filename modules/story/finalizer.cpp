// modules/story/finalizer.cpp: reads the live list, changes our own entry, and gives way to whoever writes between.
#include "modules/story/finalizer.hpp"

#include "modules/story/tell.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::story {

namespace json = boost::json;
using model::Entry;
using model::Key;

namespace {

Task<void> write_finalizers(Ports& ports, Key key, bool keep) {
    Entry const* entry = ports.registry.find(key);
    if (entry == nullptr || !in_cluster(ports, *entry)) co_return Result<void>{};
    // What is new has none, as the watch has shown: nothing needs to be read of it, unless it has changed since.
    bool const has_others = entry->meta.has_other_finalizers;
    std::string seen = keep && !has_others ? entry->meta.resource_version : "";
    model::KindInfo const& kind = model::info(key.kind);
    auto resource = co_await ports.cluster->resource_for(kube::parse_api_version(kind.api_version, kind.name));
    if (!resource) co_return fail(std::move(resource), "finalizer");
    kube::Target const target{std::move(*resource), key.ns, key.name};
    kube::ReadOptions const metadata{.metadata_only = true};
    kube::Refusal refusal;
    for (int attempt = 0; attempt < 3; ++attempt) {
        json::array finalizers;
        std::string version = std::exchange(seen, {});
        bool const was_read = version.empty();
        if (was_read) {
            auto live = co_await ports.cluster->get(target, metadata, &refusal);
            if (!live && live.error().code == Errc::not_found) co_return Result<void>{};
            if (!live) co_return fail(std::move(live), "finalizer");
            version = kube::resource_version_of(*live);
            if (auto const* present = kube::find_array(*live, {"metadata", "finalizers"})) {
                for (json::value const& one : *present) {
                    if (!one.is_string() || one.get_string() != kFinalizer) finalizers.push_back(one);
                }
            }
        }
        if (keep) finalizers.emplace_back(kFinalizer);
        json::object patch{
            {"metadata", json::object{{"finalizers", std::move(finalizers)}, {"resourceVersion", std::move(version)}}}};
        kube::WriteOptions const options{.field_manager = std::string{kind.manager}, .metadata_only = true};
        auto patched = co_await ports.cluster->patch(target, kube::Patch::merge, std::move(patch), options, &refusal);
        if (patched || patched.error().code == Errc::not_found) co_return Result<void>{};
        bool const may_change = refusal.code == 409 || (!was_read && refusal.code != 0);
        if (!may_change) co_return fail(std::move(patched), "finalizer");
    }
    co_return fail(Errc::busy, "finalizer: the object keeps changing");
}

}  // namespace

Task<void> take_finalizer(Ports& ports, Key key) {
    Entry const* entry = ports.registry.find(key);
    if (entry == nullptr || entry->meta.has_finalizer || !in_cluster(ports, *entry)) co_return Result<void>{};
    auto written = co_await write_finalizers(ports, key, true);
    if (!written) co_return written;
    if (Entry* now = ports.registry.find(key)) now->meta.has_finalizer = true;
    co_return Result<void>{};
}

Task<void> drop_finalizer(Ports& ports, Key key) { return write_finalizers(ports, std::move(key), false); }

asio::awaitable<void> drop_former_manager(Ports& ports, Entry const& entry) {
    model::KindInfo const& kind = model::info(entry.key.kind);
    Key const key = entry.key;
    if (!in_cluster(ports, entry) || std::ranges::find(entry.meta.updaters, kind.former) == entry.meta.updaters.end())
        co_return;
    auto resource = co_await ports.cluster->resource_for(kube::parse_api_version(kind.api_version, kind.name));
    if (!resource) co_return;
    kube::Target const target{std::move(*resource), key.ns, key.name};
    kube::ReadOptions const metadata{.metadata_only = true};
    auto live = co_await ports.cluster->get(target, metadata);
    auto const* managers = live ? kube::find_array(*live, {"metadata", "managedFields"}) : nullptr;
    if (managers == nullptr) co_return;
    json::array kept;
    for (json::value const& value : *managers) {
        auto const* one = value.if_object();
        bool const goes = one != nullptr && kube::find_string(*one, {"manager"}) == kind.former &&
                          kube::find_string(*one, {"operation"}) == "Update";
        if (!goes) kept.push_back(value);
    }
    if (kept.size() == managers->size() || kept.empty()) co_return;
    json::array patch{json::object{{"op", "replace"}, {"path", "/metadata/managedFields"}, {"value", std::move(kept)}},
                      json::object{{"op", "replace"},
                                   {"path", "/metadata/resourceVersion"},
                                   {"value", kube::resource_version_of(*live)}}};
    kube::WriteOptions const options{.field_manager = std::string{kind.manager}, .metadata_only = true};
    auto patched = co_await ports.cluster->patch(target, kube::Patch::json, std::move(patch), options);
    if (!patched)
        ports.log.debug("story", "former manager not taken off",
                        {HOLDFAST_LOG_KEY(key), {"error", patched.error().message}});
}

}  // namespace holdfast::story
