// modules/model/spec.cpp: from JSON objects to specs and metadata, by the kind's row.
#include "modules/model/spec.hpp"

#include "modules/model/kinds.hpp"
#include "modules/model/members.hpp"

namespace holdfast::model {

namespace {

constexpr std::uint64_t kValueWeight = 48;  // of a JSON value beside its text, and of a name: what the heap makes of it

}  // namespace

std::uint64_t weight_of(json::value const& value) {
    std::uint64_t weight = kValueWeight;
    if (auto const* text = value.if_string()) weight += text->size();
    if (auto const* list = value.if_array()) {
        for (json::value const& one : *list) weight += weight_of(one);
    }
    if (auto const* object = value.if_object()) {
        for (auto const& member : *object) weight += kValueWeight + member.key().size() + weight_of(member.value());
    }
    return weight;
}

std::string_view kind_name(Kind kind) { return info(kind).name; }

std::string_view api_version_of(Kind kind) { return info(kind).api_version; }

std::string Key::text() const { return std::string{kind_name(kind)} + "/" + ns + "/" + name; }

std::optional<Kind> kind_of(json::object const& object) {
    std::string const api_version = text_at(object, "apiVersion");
    std::string const kind = text_at(object, "kind");
    for (KindInfo const& known : kKinds) {
        if (known.name == kind && known.api_version == api_version) return known.kind;
    }
    return std::nullopt;
}

std::optional<Kind> kind_named(std::string_view name) {
    for (KindInfo const& known : kKinds) {
        if (known.name == name) return known.kind;
    }
    return std::nullopt;
}

Result<Spec> read_spec(Kind kind, json::object const& object) {
    auto const* spec = object_at(object, "spec");
    if (spec == nullptr) return fail(Errc::invalid_input, "spec: is required");
    auto const* metadata = object_at(object, "metadata");
    std::string const ns = metadata == nullptr ? std::string{} : text_at(*metadata, "namespace");
    Reading reading;
    std::optional<Spec> read;
    {
        Fields fields{spec, "spec", reading};
        read = info(kind).read_spec(fields, ns);
    }
    if (!reading.problem().empty()) return fail(Errc::invalid_input, reading.problem());
    read->weigh(weight_of(*object.if_contains("spec")));
    return std::move(*read);
}

Meta read_meta(json::object const& object, Origin origin) {
    constexpr std::string_view kFinalizer = "finalizers.fluxcd.io";
    Meta meta;
    meta.origin = origin;
    auto const* from = object_at(object, "metadata");
    if (from == nullptr) return meta;
    meta.uid = text_at(*from, "uid");
    meta.resource_version = text_at(*from, "resourceVersion");
    meta.generation = number_at(*from, "generation", 0);
    meta.deleting = !text_at(*from, "deletionTimestamp").empty();
    if (auto const* finalizers = list_at(*from, "finalizers")) {
        for (json::value const& one : *finalizers) {
            bool const is_ours = one.is_string() && one.get_string() == kFinalizer;
            (is_ours ? meta.has_finalizer : meta.has_other_finalizers) = true;
        }
    }
    if (auto const* labels = object_at(*from, "labels")) {
        for (auto const& label : *labels) {
            if (label.value().is_string()) meta.labels[std::string{label.key()}] = label.value().get_string();
        }
    }
    if (auto const* managers = list_at(*from, "managedFields")) {
        for (json::value const& value : *managers) {
            auto const* entry = value.if_object();
            if (entry != nullptr && text_at(*entry, "operation") == "Update")
                meta.updaters.push_back(text_at(*entry, "manager"));
        }
    }
    if (auto const* annotations = object_at(*from, "annotations")) {
        meta.requested_at = text_at(*annotations, "reconcile.fluxcd.io/requestedAt");
    }
    return meta;
}

}  // namespace holdfast::model
