// modules/rollout/marks.cpp: labels, annotations and managedFields.
#include "modules/rollout/marks.hpp"

#include "modules/base/hash.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace holdfast::rollout {

namespace json = boost::json;

namespace {

bool same_word(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) {
        return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
    });
}

}  // namespace

void stamp(kube::Object& object, Owner const& owner, std::map<std::string, std::string> const& labels,
           std::map<std::string, std::string> const& annotations) {
    for (auto const& [name, value] : labels) kube::set_label(object, name, value);
    for (auto const& [name, value] : annotations) kube::set_annotation(object, name, value);
    kube::set_label(object, owner.name_label(), owner.key.name);
    kube::set_label(object, owner.namespace_label(), owner.key.ns);
}

bool is_owned_by(kube::Object const& object, Owner const& owner) {
    return kube::label(object, owner.name_label()) == owner.key.name &&
           kube::label(object, owner.namespace_label()) == owner.key.ns;
}

bool is_marked(kube::Object const& object, Owner const& owner, std::string_view what, std::string_view value) {
    std::string const key = std::string{owner.label_group()} + "/" + std::string{what};
    auto const label = kube::label(object, key);
    auto const annotation = kube::annotation(object, key);
    return (label && same_word(*label, value)) || (annotation && same_word(*annotation, value));
}

bool is_left_alone(kube::Object const& object, Owner const& owner) {
    return is_marked(object, owner, "reconcile", "disabled") || is_marked(object, owner, "ssa", "ignore");
}

std::uint64_t owned_fields(kube::Object const& object, std::string_view manager) {
    auto const* managers = kube::find_array(object, {"metadata", "managedFields"});
    if (managers == nullptr) return 0;
    for (json::value const& value : *managers) {
        if (!value.is_object()) continue;
        kube::Object const& entry = value.get_object();
        if (kube::find_string(entry, {"manager"}) != manager) continue;
        if (kube::find_string(entry, {"operation"}) != "Apply") continue;
        auto const* fields = kube::find_object(entry, {"fieldsV1"});
        // The time moves with our own writes only: one that went back is of a datastore restored from a backup.
        std::string const time{kube::find_string(entry, {"time"})};
        if (fields != nullptr) return hash64(time + json::serialize(*fields));
    }
    return 0;
}

std::string last_other_manager(kube::Object const& object, std::string_view ours) {
    auto const* managers = kube::find_array(object, {"metadata", "managedFields"});
    if (managers == nullptr) return "";
    std::string_view newest;
    std::string found;
    for (json::value const& value : *managers) {
        if (!value.is_object()) continue;
        kube::Object const& entry = value.get_object();
        std::string_view const manager = kube::find_string(entry, {"manager"});
        std::string_view const operation = kube::find_string(entry, {"operation"});
        std::string_view const time = kube::find_string(entry, {"time"});
        bool const our_own = manager == ours && operation == "Apply";
        bool const status = kube::find_string(entry, {"subresource"}) == "status";
        if (our_own || status || time < newest) continue;
        newest = time;
        found = std::string{manager} + " (" + std::string{operation} + ")";
    }
    return found;
}

}  // namespace holdfast::rollout
