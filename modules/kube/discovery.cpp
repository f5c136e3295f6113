// modules/kube/discovery.cpp: reads aggregated and legacy discovery.
#include "modules/kube/discovery.hpp"

#include <algorithm>

namespace holdfast::kube {

bool Resource::can(std::string_view verb) const { return std::ranges::find(verbs, verb) != verbs.end(); }

static constexpr std::size_t kVerbsMax = 16;  // Kubernetes has nine

static std::vector<std::string> read_verbs(Object const& resource) {
    std::vector<std::string> verbs;
    auto const* const list = find_array(resource, {"verbs"});
    if (list == nullptr) return verbs;
    for (auto const& verb : *list) {
        if (verbs.size() >= kVerbsMax) break;
        if (verb.is_string()) verbs.emplace_back(verb.get_string().c_str());
    }
    return verbs;
}

static std::string text_or(std::string_view text, std::string_view otherwise) {
    return std::string{text.empty() ? otherwise : text};
}

DiscoveredGroup read_group_discovery(Object const& group) {
    DiscoveredGroup found;
    auto const group_name = name_of(group);
    auto const* const versions = find_array(group, {"versions"});
    if (versions == nullptr) return found;
    for (auto const& item : *versions) {
        if (!item.is_object()) continue;
        auto const& version = item.get_object();
        auto const version_name = find_string(version, {"version"});
        if (find_string(version, {"freshness"}) == "Stale") {
            found.stale.push_back(
                GroupVersionKind{std::string{group_name}, std::string{version_name}, ""}.api_version());
        }
        auto const* const resources = find_array(version, {"resources"});
        if (resources == nullptr) continue;
        for (auto const& entry : *resources) {
            if (!entry.is_object()) continue;
            auto const& resource = entry.get_object();
            auto const kind = find_string(resource, {"responseKind", "kind"});
            if (kind.empty()) continue;
            found.resources.push_back({.gvk = {std::string{group_name}, std::string{version_name}, std::string{kind}},
                                       .plural = std::string{find_string(resource, {"resource"})},
                                       .namespaced = find_string(resource, {"scope"}) == "Namespaced",
                                       .verbs = read_verbs(resource)});
        }
    }
    return found;
}

std::vector<Resource> read_resource_list(Object const& list) {
    std::vector<Resource> found;
    auto const of_list = parse_api_version(find_string(list, {"groupVersion"}), "");
    auto const* const resources = find_array(list, {"resources"});
    if (resources == nullptr) return found;
    for (auto const& entry : *resources) {
        if (!entry.is_object()) continue;
        auto const& resource = entry.get_object();
        auto const plural = find_string(resource, {"name"});
        if (plural.contains('/')) continue;  // a subresource
        auto const* const namespaced = find(resource, {"namespaced"});
        found.push_back({.gvk = {text_or(find_string(resource, {"group"}), of_list.group),
                                 text_or(find_string(resource, {"version"}), of_list.version),
                                 std::string{find_string(resource, {"kind"})}},
                         .plural = std::string{plural},
                         .namespaced = namespaced != nullptr && namespaced->is_bool() && namespaced->get_bool(),
                         .verbs = read_verbs(resource)});
    }
    return found;
}

std::vector<std::string> read_versions(Object const& group) {
    std::vector<std::string> found;
    auto const* const versions = find_array(group, {"versions"});
    if (versions == nullptr) return found;
    for (auto const& version : *versions) {
        if (version.is_object()) found.emplace_back(find_string(version.get_object(), {"groupVersion"}));
    }
    auto const preferred = std::ranges::find(found, find_string(group, {"preferredVersion", "groupVersion"}));
    if (preferred != found.end()) std::rotate(found.begin(), preferred, preferred + 1);
    return found;
}

std::vector<std::string> read_group_versions(Object const& group_list) {
    std::vector<std::string> found;
    auto const* const groups = find_array(group_list, {"groups"});
    if (groups == nullptr) return found;
    for (auto const& group : *groups) {
        if (!group.is_object()) continue;
        for (auto& version : read_versions(group.get_object())) found.push_back(std::move(version));
    }
    return found;
}

void KnownKinds::replace(std::vector<Resource> resources, std::vector<std::string> stale) {
    for (auto const& known : resources_) {
        if (std::ranges::find(stale, known.gvk.api_version()) == stale.end()) continue;
        bool const listed =
            std::ranges::any_of(resources, [&](Resource const& fresh) { return fresh.gvk == known.gvk; });
        if (!listed) resources.push_back(known);
    }
    order_.clear();
    for (auto const& resource : resources) {
        auto api_version = resource.gvk.api_version();
        if (std::ranges::find(order_, api_version) == order_.end()) order_.push_back(std::move(api_version));
    }
    std::ranges::sort(resources, {}, &Resource::gvk);
    resources.shrink_to_fit();
    resources_ = std::move(resources);
    stale_ = std::move(stale);
}

void KnownKinds::add(Resource resource) {
    if (find(resource.gvk)) return;
    auto api_version = resource.gvk.api_version();
    if (std::ranges::find(order_, api_version) == order_.end()) order_.push_back(std::move(api_version));
    auto const place = std::ranges::upper_bound(resources_, resource.gvk, {}, &Resource::gvk);
    resources_.insert(place, std::move(resource));
}

void KnownKinds::forget(GroupVersionKind const& gvk) {
    std::erase_if(resources_, [&gvk](Resource const& known) { return known.gvk == gvk; });
}

std::optional<Resource> KnownKinds::find(GroupVersionKind const& gvk) const {
    auto const place = std::ranges::lower_bound(resources_, gvk, {}, &Resource::gvk);
    if (place == resources_.end() || place->gvk != gvk) return std::nullopt;
    return *place;
}

std::optional<Resource> KnownKinds::find_any(std::string_view group, std::string_view kind,
                                             std::string_view version) const {
    auto wanted = find({std::string{group}, std::string{version}, std::string{kind}});
    if (wanted) return wanted;
    for (auto const& api_version : order_) {
        auto gvk = parse_api_version(api_version, kind);
        if (gvk.group != group) continue;
        auto found = find(gvk);
        if (found) return found;
    }
    return std::nullopt;
}

bool KnownKinds::is_stale(GroupVersionKind const& gvk) const {
    return std::ranges::find(stale_, gvk.api_version()) != stale_.end();
}

}  // namespace holdfast::kube
