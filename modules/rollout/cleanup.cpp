// modules/rollout/cleanup.cpp: merges managedFields entries as structured-merge-diff unites sets.
#include "modules/rollout/cleanup.hpp"

#include <algorithm>
#include <array>

namespace holdfast::rollout {

namespace json = boost::json;

namespace {

constexpr std::array<std::string_view, 3> kAnnotations{"kubectl.kubernetes.io/last-applied-configuration",
                                                       "kustomize.toolkit.fluxcd.io/checksum",
                                                       "fluxcd.io/sync-checksum"};
constexpr std::array<std::string_view, 1> kLabels{"fluxcd.io/sync-gc-mark"};

bool is_foreign(json::object const& entry, std::string_view manager) {
    if (!kube::find_string(entry, {"subresource"}).empty()) return false;
    auto const name = kube::find_string(entry, {"manager"});
    if (kube::find_string(entry, {"operation"}) == "Apply") return name.starts_with("kubectl");
    return name.starts_with("kubectl") || name.starts_with("before-first-apply") || name.starts_with(manager);
}

bool is_ours(json::object const& entry, std::string_view manager) {
    return kube::find_string(entry, {"manager"}) == manager && kube::find_string(entry, {"operation"}) == "Apply" &&
           kube::find_string(entry, {"subresource"}).empty();
}

/// The union of two sets of fields: {} names the field itself, members name what is below it, "." both.
json::object unite(json::object const& a, json::object const& b) {
    if (a.empty() && b.empty()) return {};
    json::object out = a;
    if (a.empty() || b.empty()) {
        out = a.empty() ? b : a;
        out["."] = json::object{};
        return out;
    }
    for (auto const& member : b) {
        auto* present = out.if_contains(member.key());
        if (present == nullptr) {
            out[member.key()] = member.value();
        } else if (present->is_object() && member.value().is_object()) {
            *present = unite(present->get_object(), member.value().get_object());
        }
    }
    return out;
}

std::string escaped(std::string_view key) {
    std::string out;
    for (char const c : key) {
        if (c == '~') out += "~0";
        else if (c == '/') out += "~1";
        else out += c;
    }
    return out;
}

template <class Keys>
void remove_keys(kube::Object const& live, std::string_view map, Keys const& keys, json::array& patch) {
    auto const* present = kube::find_object(live, {"metadata", map});
    if (present == nullptr) return;
    for (std::string_view const key : keys) {
        if (!present->contains(key)) continue;
        patch.push_back(json::object{{"op", "remove"}, {"path", "/metadata/" + std::string{map} + "/" + escaped(key)}});
    }
}

}  // namespace

bool only_restarts(kube::Object const& live, std::string_view manager) {
    constexpr std::string_view kNote = "f:kubectl.kubernetes.io/restartedAt";
    auto const* managers = kube::find_array(live, {"metadata", "managedFields"});
    if (managers == nullptr) return false;
    bool restarts = false;
    for (json::value const& value : *managers) {
        auto const* entry = value.if_object();
        if (entry == nullptr || !is_foreign(*entry, manager)) continue;
        auto const* at = kube::find_object(*entry, {"fieldsV1"});
        for (std::string_view const step : {"f:spec", "f:template", "f:metadata", "f:annotations"}) {
            auto const others = at == nullptr ? 0 : at->size() - (at->contains(".") ? 1 : 0);
            if (others != 1) return false;
            at = kube::find_object(*at, {step});
        }
        auto const others = at == nullptr ? 0 : at->size() - (at->contains(".") ? 1 : 0);
        if (others != 1 || !at->contains(kNote)) return false;
        restarts = true;
    }
    return restarts;
}

bool needs_cleanup(kube::Object const& live, std::string_view manager) {
    auto const has = [&](std::string_view map, auto const& keys) {
        auto const* present = kube::find_object(live, {"metadata", map});
        return present != nullptr &&
               std::ranges::any_of(keys, [&](std::string_view key) { return present->contains(key); });
    };
    if (has("annotations", kAnnotations) || has("labels", kLabels)) return true;
    auto const* managers = kube::find_array(live, {"metadata", "managedFields"});
    return managers != nullptr && std::ranges::any_of(*managers, [&](json::value const& one) {
               return one.is_object() && is_foreign(one.get_object(), manager);
           });
}

json::array cleanup_patch(kube::Object const& live, std::string_view manager) {
    json::array patch;
    remove_keys(live, "annotations", kAnnotations, patch);
    remove_keys(live, "labels", kLabels, patch);
    auto const* managers = kube::find_array(live, {"metadata", "managedFields"});
    if (managers == nullptr) return patch;
    json::array kept;
    json::object ours;
    bool edited = false;
    for (json::value const& value : *managers) {
        if (auto const* entry = value.if_object(); entry != nullptr && is_ours(*entry, manager)) ours = *entry;
    }
    for (json::value const& value : *managers) {
        auto const* entry = value.if_object();
        if (entry == nullptr || is_ours(*entry, manager)) continue;
        if (!is_foreign(*entry, manager)) {
            kept.push_back(value);
            continue;
        }
        edited = true;
        if (ours.empty()) {
            ours = *entry;
            ours["manager"] = manager;
            ours["operation"] = "Apply";
            continue;
        }
        auto const* before = kube::find_object(ours, {"fieldsV1"});
        auto const* added = kube::find_object(*entry, {"fieldsV1"});
        if (before != nullptr && added != nullptr) {
            json::object united = unite(*before, *added);
            ours["fieldsV1"] = std::move(united);
        } else if (added != nullptr) {
            ours["fieldsV1"] = *added;
        }
    }
    if (!edited) return patch;
    kept.push_back(std::move(ours));
    patch.push_back(json::object{{"op", "replace"}, {"path", "/metadata/managedFields"}, {"value", std::move(kept)}});
    return patch;
}

json::array version_patch(kube::Object const& live, std::string_view api_version) {
    auto const* managers = kube::find_array(live, {"metadata", "managedFields"});
    if (managers == nullptr) return {};
    json::array entries = *managers;
    bool changed = false;
    for (json::value& value : entries) {
        auto* entry = value.if_object();
        if (entry == nullptr || kube::find_string(*entry, {"apiVersion"}) == api_version) continue;
        (*entry)["apiVersion"] = api_version;
        changed = true;
    }
    if (!changed) return {};
    return {json::object{{"op", "replace"}, {"path", "/metadata/managedFields"}, {"value", std::move(entries)}}};
}

}  // namespace holdfast::rollout
