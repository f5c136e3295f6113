// modules/model/kinds/flux_config.cpp: which fields of a FluxConfig are read, which are refused, and its .status.
#include "modules/model/kinds/flux_config.hpp"

#include "modules/model/fields.hpp"
#include "modules/model/members.hpp"

#include <algorithm>
#include <array>

namespace holdfast::model {

namespace {

FluxConfigKustomization read_entry(Fields& one) {
    FluxConfigKustomization k;
    k.name = one.required_text("name");
    k.path = one.text("path");
    k.timeout = one.duration("timeout", std::chrono::minutes{10});
    k.sync_interval = one.duration("syncInterval", std::chrono::minutes{10});
    if (one.has("retryInterval")) k.retry_interval = one.duration("retryInterval", Duration{});
    k.prune = one.flag("prune", false);
    k.force = one.flag("force", false);
    k.wait = one.flag("wait", true);
    k.depends_on = one.list_of_texts("dependsOn");
    if (auto const* post_build = one.as_is("postBuild")) k.post_build = *post_build;
    one.accept("validation");  // deprecated: Azure's agent reads it and does nothing with it either
    return k;
}

void read_git(Fields& git, FluxConfigSpec& config) {
    config.url = git.required_text("url");
    config.timeout = git.duration("timeout", config.timeout);
    config.sync_interval = git.duration("syncInterval", config.sync_interval);
    config.local_auth_ref = git.text("localAuthRef");
    // Microsoft's objects say "ref" in the cluster and "repositoryRef" in ARM.
    bool const short_name = git.has("ref");
    auto const* long_name = git.as_is("repositoryRef");
    if (short_name && long_name != nullptr && *long_name != *git.as_is("ref"))
        git.wrong("repositoryRef", "says something else than ref");
    {
        Fields ref = git.child(short_name ? "ref" : "repositoryRef");
        config.branch = ref.text("branch");
        config.tag = ref.text("tag");
        config.semver = ref.text("semver");
        config.commit = ref.text("commit");
    }
    std::string const provider = git.text("provider", "Generic");
    if (!provider.empty() && provider != "Generic" && provider != "generic") {
        git.wrong("provider", "\"" + provider + "\" is not supported by this version of Holdfast");
    }
    for (std::string_view const name : {"httpsCACert", "httpsUser", "sshKnownHosts"}) git.refuse(name);
}

template <auto Member> void write_text(Status const& status, json::object& out, std::string_view name) {
    std::string const& text = status.part<FluxConfigStatus>().*Member;
    if (!text.empty()) out[name] = text;
}

template <auto Member> void read_text(json::object const& from, Status& status, std::string_view name) {
    status.part<FluxConfigStatus>().*Member = text_at(from, name);
}

void write_statuses(Status const& status, json::object& out) {
    out["statuses"] = status.part<FluxConfigStatus>().statuses;
}

void read_statuses(json::object const& from, Status& status) {
    auto const* rows = list_at(from, "statuses");
    if (rows == nullptr) return;
    for (json::value const& row : *rows) {
        if (row.is_object()) status.part<FluxConfigStatus>().statuses.push_back(row);
    }
}

}  // namespace

Spec read_flux_config(Fields& spec, std::string const&) {
    FluxConfigSpec config;
    std::string const scope = spec.text("scope", "cluster");
    if (scope == "namespace") config.scope = ConfigScope::own_namespace;
    else if (scope != "cluster") spec.wrong("scope", "must be cluster or namespace");
    config.suspend = spec.flag("suspend", false);
    std::string const source_kind = spec.text("sourceKind", "GitRepository");
    if (source_kind != "GitRepository") {
        spec.wrong("sourceKind", "\"" + source_kind + "\" is not supported by this version of Holdfast");
    }
    {
        Fields git = spec.child("gitRepository");
        read_git(git, config);
    }
    config.operation_id = spec.text("operationId");
    if (auto const* list = spec.list("kustomizations")) {
        for (std::size_t i = 0; i < list->size(); ++i) {
            Fields one = spec.element("kustomizations", *list, i);
            FluxConfigKustomization entry = read_entry(one);
            auto const has_name = [&](auto const& other) { return other.name == entry.name; };
            if (std::ranges::any_of(config.kustomizations, has_name))
                one.wrong("name", "\"" + entry.name + "\" is the name of another entry");
            config.kustomizations.push_back(std::move(entry));
        }
    }
    spec.accept("correlationId");          // of the request that made it: for Azure's logs
    spec.accept("waitForReconciliation");  // says when ARM's operation ends, nothing about the cluster
    for (std::string_view const name : {"protectedParametersSecretRef", "softDelete"}) spec.refuse(name);
    return Spec{std::move(config), {}};
}

std::span<StatusField const> flux_config_status() {
#define HOLDFAST_TEXT(name, member)                                                                                    \
    {name, [](Status const& status, json::object& out) { write_text<&FluxConfigStatus::member>(status, out, name); },  \
     [](json::object const& from, Status& status) { read_text<&FluxConfigStatus::member>(from, status, name); }}
    static constexpr std::array kFields = std::to_array<StatusField>({
        HOLDFAST_TEXT("complianceState", compliance_state),
        HOLDFAST_TEXT("provisioningState", provisioning_state),
        HOLDFAST_TEXT("errorMessage", error_message),
        HOLDFAST_TEXT("lastSyncedCommit", last_synced_commit),
        HOLDFAST_TEXT("lastSourceSyncedTime", last_source_synced_time),
        {"statuses", write_statuses, read_statuses},
    });
#undef HOLDFAST_TEXT
    return kFields;
}

std::string flux_config_revision(Status const& status) { return status.part<FluxConfigStatus>().last_synced_commit; }

std::optional<Key> maker_of(Meta const& meta, std::string const& ns) {
    auto const label = [&](std::string_view name) {
        auto const found = meta.labels.find(std::string{name});
        return found == meta.labels.end() ? std::string_view{} : std::string_view{found->second};
    };
    auto const name = label(kConfigNameLabel);
    if (label(kManagedLabel) != "true" || name.empty() || label(kConfigNamespaceLabel) != ns) return std::nullopt;
    return Key{Kind::flux_config, ns, std::string{name}};
}

}  // namespace holdfast::model
