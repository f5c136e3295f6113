// modules/reconcile/owner.cpp: labels, annotations and managedFields.
#include "modules/reconcile/owner.hpp"

#include "modules/base/hash.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace holdfast::reconcile {

namespace json = boost::json;

namespace {

bool same_word(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) {
        return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
    });
}

}  // namespace

void stamp(kube::Object& object, model::Key const& owner, model::KustomizationSpec const& spec) {
    for (auto const& [name, value] : spec.common_labels) kube::set_label(object, name, value);
    for (auto const& [name, value] : spec.common_annotations) kube::set_annotation(object, name, value);
    kube::set_label(object, kOwnerName, owner.name);
    kube::set_label(object, kOwnerNamespace, owner.ns);
}

bool is_owned_by(kube::Object const& object, model::Key const& owner) {
    return kube::label(object, kOwnerName) == owner.name && kube::label(object, kOwnerNamespace) == owner.ns;
}

bool is_marked(kube::Object const& object, std::string_view what, std::string_view value) {
    std::string const key = "kustomize.toolkit.fluxcd.io/" + std::string{what};
    auto const label = kube::label(object, key);
    auto const annotation = kube::annotation(object, key);
    return (label && same_word(*label, value)) || (annotation && same_word(*annotation, value));
}

std::uint64_t owned_fields(kube::Object const& object) {
    auto const* managers = kube::find_array(object, {"metadata", "managedFields"});
    if (managers == nullptr) return 0;
    for (json::value const& value : *managers) {
        if (!value.is_object()) continue;
        kube::Object const& entry = value.get_object();
        if (kube::find_string(entry, {"manager"}) != kFieldManager) continue;
        if (kube::find_string(entry, {"operation"}) != "Apply") continue;
        if (auto const* fields = kube::find_object(entry, {"fieldsV1"})) return hash64(json::serialize(*fields));
    }
    return 0;
}

std::string last_other_manager(kube::Object const& object) {
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
        bool const ours = manager == kFieldManager && operation == "Apply";
        bool const status = kube::find_string(entry, {"subresource"}) == "status";
        if (ours || status || time < newest) continue;
        newest = time;
        found = std::string{manager} + " (" + std::string{operation} + ")";
    }
    return found;
}

}  // namespace holdfast::reconcile
