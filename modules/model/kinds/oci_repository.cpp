// modules/model/kinds/oci_repository.cpp: which fields of an OCIRepository are read, and which are refused.
#include "modules/model/kinds/oci_repository.hpp"

#include "modules/model/fields.hpp"
#include "modules/model/status.hpp"

#include <boost/json/serialize.hpp>

#include <array>

namespace holdfast::model {

namespace {

void read_layer_selector(Fields& spec, OciRepositorySpec& oci) {
    if (!spec.has("layerSelector")) return;
    Fields selector = spec.child("layerSelector");
    oci.layer_media_type = selector.text("mediaType");
    std::string const operation = selector.text("operation");
    oci.copies_layer = operation == "copy";
    if (!operation.empty() && operation != "copy" && operation != "extract")
        selector.wrong("operation", "must be extract or copy");
    json::object written;
    if (!oci.layer_media_type.empty()) written["mediaType"] = oci.layer_media_type;
    if (!operation.empty()) written["operation"] = operation;
    if (!written.empty()) oci.layer_selector = json::serialize(written);
}

}  // namespace

Spec read_oci_repository(Fields& spec, std::string const&) {
    OciRepositorySpec oci;
    oci.url = spec.required_text("url");
    oci.interval = spec.required_duration("interval");
    oci.timeout = spec.duration("timeout", oci.timeout);
    {
        Fields ref = spec.child("ref");
        oci.tag = ref.text("tag");
        oci.digest = ref.text("digest");
        oci.semver = ref.text("semver");
        oci.semver_filter = ref.text("semverFilter");
    }
    read_layer_selector(spec, oci);
    oci.secret_name = spec.child("secretRef").text("name");
    oci.cert_secret_name = spec.child("certSecretRef").text("name");
    oci.service_account = spec.text("serviceAccountName");
    oci.insecure = spec.flag("insecure", false);
    if (spec.has("ignore")) oci.ignore = spec.text("ignore");
    oci.suspend = spec.flag("suspend", false);
    std::string const provider = spec.text("provider", "generic");
    if (!provider.empty() && provider != "generic") {
        spec.wrong("provider", "\"" + provider + "\" is not supported by this version of Holdfast");
    }
    for (std::string_view const name : {"verify", "proxySecretRef"}) spec.refuse(name);
    return Spec{std::move(oci), {}};
}

std::span<StatusField const> oci_repository_status() {
    static constexpr std::array kFields = std::to_array<StatusField>({
        kArtifactField,
        kObservedIgnoreField,
        kObservedLayerSelectorField,
        {"url", write_latest_url},
    });
    return kFields;
}

}  // namespace holdfast::model
