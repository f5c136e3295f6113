// modules/model/kinds/oci_repository.hpp: the fields of an OCIRepository.
#pragma once

#include "modules/model/kinds/source_status.hpp"
#include "modules/model/spec.hpp"

#include <span>

namespace holdfast::model {

class Fields;
struct StatusField;

struct OciRepositorySpec {
    std::string url;
    Duration interval{};
    Duration timeout = std::chrono::seconds{60};
    std::string tag;
    std::string digest;
    std::string semver;
    std::string semver_filter;
    std::string layer_media_type;
    bool copies_layer = false;
    std::string layer_selector;  // as it is written, JSON; empty: none
    std::string secret_name;
    std::string cert_secret_name;
    std::string service_account;
    bool insecure = false;
    std::optional<std::string> ignore;
    bool suspend = false;
};

Spec read_oci_repository(Fields& spec, std::string const& own_namespace);
std::span<StatusField const> oci_repository_status();

}  // namespace holdfast::model
