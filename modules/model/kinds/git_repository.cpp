// modules/model/kinds/git_repository.cpp: which fields of a GitRepository are read, and which are refused.
#include "modules/model/kinds/git_repository.hpp"

#include "modules/model/fields.hpp"
#include "modules/model/status.hpp"

#include <array>

namespace holdfast::model {

/// Hex digits mean the same in either case; Git shows and compares the small ones.
static std::string commit_id(std::string text) {
    bool const is_hex = text.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
    for (char& digit : text) {
        if (is_hex && digit >= 'A' && digit <= 'F') digit = static_cast<char>(digit - 'A' + 'a');
    }
    return text;
}

Spec read_git_repository(Fields& spec, std::string const&) {
    GitRepositorySpec git;
    git.url = spec.required_text("url");
    git.interval = spec.required_duration("interval");
    git.timeout = spec.duration("timeout", git.timeout);
    {
        Fields ref = spec.child("ref");
        git.branch = ref.text("branch");
        git.tag = ref.text("tag");
        git.semver = ref.text("semver");
        git.ref_name = ref.text("name");
        git.commit = commit_id(ref.text("commit"));
    }
    git.secret_name = spec.child("secretRef").text("name");
    if (spec.has("ignore")) git.ignore = spec.text("ignore");
    git.suspend = spec.flag("suspend", false);
    std::string const provider = spec.text("provider", "generic");
    if (!provider.empty() && provider != "generic") {
        spec.wrong("provider", "\"" + provider + "\" is not supported by this version of Holdfast");
    }
    for (std::string_view const name :
         {"verify", "include", "recurseSubmodules", "sparseCheckout", "proxySecretRef", "serviceAccountName"}) {
        spec.refuse(name);
    }
    return Spec{std::move(git), {}};
}

std::span<StatusField const> git_repository_status() {
    static constexpr std::array kFields = std::to_array<StatusField>({
        kArtifactField,
        kObservedIgnoreField,
        {"includedArtifacts"},
        {"observedInclude"},
        {"observedRecurseSubmodules"},
        {"observedSparseCheckout"},
        {"sourceVerificationMode"},
    });
    return kFields;
}

}  // namespace holdfast::model
