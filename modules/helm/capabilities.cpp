// modules/helm/capabilities.cpp: what `helm template` v4.2.1 believes about the cluster when nobody tells it.
#include "modules/helm/capabilities.hpp"

#include "modules/text/gotemplate/strconv.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace holdfast::helm {
namespace {

// Built into client-go v0.36, in the order of its scheme.
constexpr std::string_view kApiVersions[] = {"v1",
                                             "admissionregistration.k8s.io/v1",
                                             "admissionregistration.k8s.io/v1alpha1",
                                             "admissionregistration.k8s.io/v1beta1",
                                             "internal.apiserver.k8s.io/v1alpha1",
                                             "apps/v1",
                                             "apps/v1beta1",
                                             "apps/v1beta2",
                                             "authentication.k8s.io/v1",
                                             "authentication.k8s.io/v1alpha1",
                                             "authentication.k8s.io/v1beta1",
                                             "authorization.k8s.io/v1",
                                             "authorization.k8s.io/v1beta1",
                                             "autoscaling/v1",
                                             "autoscaling/v2",
                                             "batch/v1",
                                             "batch/v1beta1",
                                             "certificates.k8s.io/v1",
                                             "certificates.k8s.io/v1beta1",
                                             "certificates.k8s.io/v1alpha1",
                                             "coordination.k8s.io/v1alpha2",
                                             "coordination.k8s.io/v1beta1",
                                             "coordination.k8s.io/v1",
                                             "discovery.k8s.io/v1",
                                             "discovery.k8s.io/v1beta1",
                                             "events.k8s.io/v1",
                                             "events.k8s.io/v1beta1",
                                             "extensions/v1beta1",
                                             "flowcontrol.apiserver.k8s.io/v1",
                                             "flowcontrol.apiserver.k8s.io/v1beta1",
                                             "flowcontrol.apiserver.k8s.io/v1beta2",
                                             "flowcontrol.apiserver.k8s.io/v1beta3",
                                             "networking.k8s.io/v1",
                                             "networking.k8s.io/v1beta1",
                                             "node.k8s.io/v1",
                                             "node.k8s.io/v1alpha1",
                                             "node.k8s.io/v1beta1",
                                             "policy/v1",
                                             "policy/v1beta1",
                                             "rbac.authorization.k8s.io/v1",
                                             "rbac.authorization.k8s.io/v1beta1",
                                             "rbac.authorization.k8s.io/v1alpha1",
                                             "resource.k8s.io/v1",
                                             "resource.k8s.io/v1beta2",
                                             "resource.k8s.io/v1beta1",
                                             "resource.k8s.io/v1alpha3",
                                             "scheduling.k8s.io/v1alpha2",
                                             "scheduling.k8s.io/v1beta1",
                                             "scheduling.k8s.io/v1",
                                             "storage.k8s.io/v1beta1",
                                             "storage.k8s.io/v1",
                                             "storage.k8s.io/v1alpha1",
                                             "storagemigration.k8s.io/v1beta1",
                                             "apiextensions.k8s.io/v1beta1",
                                             "apiextensions.k8s.io/v1"};

}  // namespace

Capabilities default_capabilities() {
    return {.kube_version = {.version = "v1.36.0", .normalized = "v1.36.0", .major = "1", .minor = "36"},
            .api_versions = {std::begin(kApiVersions), std::end(kApiVersions)}};
}

Result<KubeVersion> parse_kube_version(std::string_view text) {
    auto const shown = gotemplate::quote(text);
    auto body = text;
    while (!body.empty() &&
           (body.front() == ' ' || (body.front() >= '\t' && body.front() <= '\r' && body.front() != '\v')))
        body.remove_prefix(1);
    if (body.starts_with('v')) body.remove_prefix(1);
    auto const numbers = body.substr(0, body.find_first_not_of("0123456789."));
    std::size_t end = 0;
    std::vector<std::string_view> parts;
    while (end < numbers.size()) {
        auto const digits = std::min(numbers.find_first_not_of("0123456789", end), numbers.size());
        if (digits == end) break;
        parts.push_back(numbers.substr(end, digits - end));
        end = digits;
        if (end + 1 >= numbers.size() || numbers[end] != '.' || numbers[end + 1] == '.') break;
        ++end;
    }
    if (parts.empty()) return fail(Errc::invalid_input, "could not parse " + shown + " as version");
    if (parts.size() < 2) return fail(Errc::invalid_input, "illegal version string " + shown);
    std::string normalized = "v";
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i == 0 && parts[0].size() > 1 && parts[0][0] == '0')
            return fail(Errc::invalid_input,
                        "illegal zero-prefixed version component " + gotemplate::quote(parts[0]) + " in " + shown);
        std::uint64_t value = 0;
        if (std::from_chars(parts[i].data(), parts[i].data() + parts[i].size(), value).ec != std::errc{}) {
            return fail(Errc::invalid_input, "illegal non-numeric version component " + gotemplate::quote(parts[i]) +
                                                 " in " + shown + ": strconv.ParseUint: parsing " +
                                                 gotemplate::quote(parts[i]) + ": value out of range");
        }
        normalized += (i == 0 ? "" : ".") + std::to_string(value);
    }
    auto const number = [](std::string_view part) { return std::to_string(*gotemplate::parse_uint(part, 10)); };
    std::string version = (text.starts_with('v') ? "" : "v") + std::string{text};
    return KubeVersion{std::move(version), std::move(normalized), number(parts[0]), number(parts[1])};
}

}  // namespace holdfast::helm
