// modules/model/kinds/git_repository.hpp: the fields of a GitRepository.
#pragma once

#include "modules/model/kinds/source_status.hpp"
#include "modules/model/spec.hpp"

#include <span>

namespace holdfast::model {

class Fields;
struct StatusField;

struct GitRepositorySpec {
    std::string url;
    Duration interval{};
    Duration timeout = std::chrono::seconds{60};
    std::string branch;
    std::string tag;
    std::string semver;
    std::string ref_name;
    std::string commit;
    std::string secret_name;
    std::optional<std::string> ignore;
    bool suspend = false;
};

Spec read_git_repository(Fields& spec, std::string const& own_namespace);
std::span<StatusField const> git_repository_status();

}  // namespace holdfast::model
