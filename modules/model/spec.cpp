// modules/model/spec.cpp: from JSON objects to specs, with Flux's defaults.
#include "modules/model/spec.hpp"

#include "modules/model/duration.hpp"

#include <boost/json/value.hpp>

#include <array>

namespace holdfast::model {

namespace {

struct KindNames {
    Kind kind;
    std::string_view name;
    std::string_view api_version;
};
constexpr std::array<KindNames, 3> kKinds{{
    {Kind::git_repository, "GitRepository", "source.toolkit.fluxcd.io/v1"},
    {Kind::kustomization, "Kustomization", "kustomize.toolkit.fluxcd.io/v1"},
    {Kind::flux_config, "FluxConfig", "clusterconfig.azure.com/v1alpha1"},
}};

constexpr std::string_view kFinalizer = "finalizers.fluxcd.io";

/// Reads fields of one JSON object and remembers the first that is wrong.
class Fields {
public:
    Fields(json::object const* object, std::string path) : object_(object), path_(std::move(path)) {}

    bool has(std::string_view name) const {
        auto const* value = find(name);
        return value != nullptr && !value->is_null();
    }

    std::string text(std::string_view name, std::string fallback = {}) {
        auto const* value = find(name);
        if (value == nullptr || value->is_null()) return fallback;
        if (!value->is_string()) return wrong(name, "must be a string"), fallback;
        return std::string{value->get_string()};
    }

    bool flag(std::string_view name, bool fallback) {
        auto const* value = find(name);
        if (value == nullptr || value->is_null()) return fallback;
        if (!value->is_bool()) return wrong(name, "must be true or false"), fallback;
        return value->get_bool();
    }

    Duration duration(std::string_view name, Duration fallback) {
        if (!has(name)) return fallback;
        auto const parsed = parse_duration(text(name));
        if (!parsed) return wrong(name, parsed.error().message), fallback;
        return *parsed;
    }

    Duration required_duration(std::string_view name) {
        if (!has(name)) return wrong(name, "is required"), Duration{};
        return duration(name, Duration{});
    }

    std::string required_text(std::string_view name) {
        std::string value = text(name);
        if (value.empty()) wrong(name, "is required");
        return value;
    }

    std::map<std::string, std::string> texts(std::string_view name) {
        std::map<std::string, std::string> found;
        Fields fields = child(name);
        if (fields.object_ == nullptr) return found;
        for (auto const& member : *fields.object_) found[std::string{member.key()}] = fields.text(member.key());
        absorb(fields);
        return found;
    }

    /// The object below `name`; all its fields read as absent when there is none.
    Fields child(std::string_view name) {
        auto const* value = find(name);
        if (value == nullptr || value->is_null()) return {nullptr, at(name)};
        if (!value->is_object()) return wrong(name, "must be an object"), Fields{nullptr, at(name)};
        return {&value->get_object(), at(name)};
    }

    json::array const* list(std::string_view name) {
        auto const* value = find(name);
        if (value == nullptr || value->is_null()) return nullptr;
        if (!value->is_array()) return wrong(name, "must be a list"), nullptr;
        return &value->get_array();
    }

    Fields element(std::string_view name, json::value const& value, std::size_t index) {
        std::string path = at(name) + "[" + std::to_string(index) + "]";
        if (value.is_object()) return {&value.get_object(), std::move(path)};
        if (problem_.empty()) problem_ = path + ": must be an object";
        return {nullptr, std::move(path)};
    }

    json::value const* find(std::string_view name) const {
        return object_ == nullptr ? nullptr : object_->if_contains(name);
    }

    void wrong(std::string_view name, std::string_view what) {
        if (problem_.empty()) problem_ = at(name) + ": " + std::string{what};
    }
    void absorb(Fields const& other) {
        if (problem_.empty()) problem_ = other.problem_;
    }
    std::string const& problem() const { return problem_; }

private:
    std::string at(std::string_view name) const { return path_ + "." + std::string{name}; }

    json::object const* object_;
    std::string path_;
    std::string problem_;
};

GitRepositorySpec read_git(Fields& spec) {
    GitRepositorySpec git;
    git.url = spec.required_text("url");
    git.interval = spec.required_duration("interval");
    git.timeout = spec.duration("timeout", git.timeout);
    Fields ref = spec.child("ref");
    git.branch = ref.text("branch");
    git.tag = ref.text("tag");
    git.semver = ref.text("semver");
    git.ref_name = ref.text("name");
    git.commit = ref.text("commit");
    spec.absorb(ref);
    Fields secret = spec.child("secretRef");
    git.secret_name = secret.text("name");
    spec.absorb(secret);
    if (spec.has("ignore")) git.ignore = spec.text("ignore");
    git.suspend = spec.flag("suspend", false);
    return git;
}

DeletionPolicy read_deletion_policy(Fields& spec) {
    std::string const word = spec.text("deletionPolicy", "MirrorPrune");
    if (word == "MirrorPrune" || word.empty()) return DeletionPolicy::mirror_prune;
    if (word == "Delete") return DeletionPolicy::remove;
    if (word == "WaitForTermination") return DeletionPolicy::wait_for_termination;
    if (word == "Orphan") return DeletionPolicy::orphan;
    spec.wrong("deletionPolicy", "must be MirrorPrune, Delete, WaitForTermination or Orphan");
    return DeletionPolicy::mirror_prune;
}

KustomizationSpec read_kustomization(Fields& spec, std::string const& own_namespace) {
    KustomizationSpec k;
    Fields source = spec.child("sourceRef");
    k.source_kind = source.required_text("kind");
    k.source = {source.text("namespace", own_namespace), source.required_text("name")};
    if (k.source.ns.empty()) k.source.ns = own_namespace;
    spec.absorb(source);
    k.path = spec.text("path", k.path);
    k.interval = spec.required_duration("interval");
    k.retry_interval = spec.duration("retryInterval", k.interval);
    // Flux: thirty seconds less than the interval, and never under thirty.
    Duration const short_of_interval = k.interval - std::chrono::seconds{30};
    k.timeout = spec.duration("timeout", std::max<Duration>(short_of_interval, std::chrono::seconds{30}));
    k.prune = spec.flag("prune", false);
    k.wait = spec.flag("wait", false);
    k.force = spec.flag("force", false);
    k.suspend = spec.flag("suspend", false);
    k.target_namespace = spec.text("targetNamespace");
    k.deletion_policy = read_deletion_policy(spec);
    if (auto const* list = spec.list("dependsOn")) {
        for (std::size_t i = 0; i < list->size(); ++i) {
            Fields one = spec.element("dependsOn", (*list)[i], i);
            k.depends_on.push_back({one.text("namespace", own_namespace), one.required_text("name")});
            spec.absorb(one);
        }
    }
    if (auto const* list = spec.list("healthChecks")) {
        for (std::size_t i = 0; i < list->size(); ++i) {
            Fields one = spec.element("healthChecks", (*list)[i], i);
            k.health_checks.push_back(
                {one.text("apiVersion"), one.required_text("kind"), one.text("namespace"), one.required_text("name")});
            spec.absorb(one);
        }
    }
    Fields common = spec.child("commonMetadata");
    k.common_labels = common.texts("labels");
    k.common_annotations = common.texts("annotations");
    spec.absorb(common);
    for (std::string_view const name :
         {"namePrefix", "nameSuffix", "patches", "images", "components", "ignoreMissingComponents", "buildMetadata"}) {
        if (spec.has(name)) k.kustomize[name] = *spec.find(name);
    }
    for (std::string_view const name :
         {"decryption", "postBuild", "serviceAccountName", "kubeConfig", "healthCheckExprs"}) {
        if (spec.has(name)) spec.wrong(name, "is not supported by this version of Holdfast");
    }
    return k;
}

FluxConfigKustomization read_flux_config_entry(Fields& one) {
    FluxConfigKustomization k;
    k.name = one.required_text("name");
    k.path = one.text("path");
    k.timeout = one.duration("timeout", std::chrono::minutes{10});
    k.sync_interval = one.duration("syncInterval", std::chrono::minutes{10});
    if (one.has("retryInterval")) k.retry_interval = one.duration("retryInterval", Duration{});
    k.prune = one.flag("prune", false);
    k.force = one.flag("force", false);
    k.wait = one.flag("wait", true);
    if (auto const* list = one.list("dependsOn")) {
        for (json::value const& name : *list) {
            if (name.is_string()) {
                k.depends_on.emplace_back(name.get_string());
            } else {
                one.wrong("dependsOn", "must be a list of names");
            }
        }
    }
    if (auto const* post_build = one.find("postBuild")) k.post_build = *post_build;
    return k;
}

FluxConfigSpec read_flux_config(Fields& spec) {
    FluxConfigSpec config;
    config.scope = spec.text("scope", config.scope);
    if (config.scope != "cluster" && config.scope != "namespace") spec.wrong("scope", "must be cluster or namespace");
    config.suspend = spec.flag("suspend", false);
    std::string const source_kind = spec.text("sourceKind", "GitRepository");
    if (source_kind != "GitRepository") {
        spec.wrong("sourceKind", "\"" + source_kind + "\" is not supported by this version of Holdfast");
    }
    Fields git = spec.child("gitRepository");
    config.url = git.required_text("url");
    config.timeout = git.duration("timeout", config.timeout);
    config.sync_interval = git.duration("syncInterval", config.sync_interval);
    config.local_auth_ref = git.text("localAuthRef");
    // Microsoft's objects say "ref" in the cluster and "repositoryRef" in ARM.
    Fields ref = git.child(git.has("ref") ? "ref" : "repositoryRef");
    config.branch = ref.text("branch");
    config.tag = ref.text("tag");
    config.semver = ref.text("semver");
    config.commit = ref.text("commit");
    git.absorb(ref);
    spec.absorb(git);
    config.operation_id = spec.text("operationId");
    if (auto const* list = spec.list("kustomizations")) {
        for (std::size_t i = 0; i < list->size(); ++i) {
            Fields one = spec.element("kustomizations", (*list)[i], i);
            config.kustomizations.push_back(read_flux_config_entry(one));
            spec.absorb(one);
        }
    }
    return config;
}

std::string_view text_at(json::object const& object, std::string_view name) {
    auto const* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string_view{value->get_string()} : std::string_view{};
}

}  // namespace

std::string_view kind_name(Kind kind) { return kKinds[static_cast<std::size_t>(kind)].name; }

std::string_view api_version_of(Kind kind) { return kKinds[static_cast<std::size_t>(kind)].api_version; }

std::string Key::text() const { return std::string{kind_name(kind)} + "/" + ns + "/" + name; }

std::optional<Kind> kind_of(json::object const& object) {
    std::string_view const api_version = text_at(object, "apiVersion");
    std::string_view const kind = text_at(object, "kind");
    for (KindNames const& known : kKinds) {
        if (known.name == kind && known.api_version == api_version) return known.kind;
    }
    return std::nullopt;
}

Result<Spec> read_spec(Kind kind, json::object const& object) {
    auto const* value = object.if_contains("spec");
    if (value == nullptr || !value->is_object()) return fail(Errc::invalid_input, "spec: is required");
    Fields spec{&value->get_object(), "spec"};
    Spec read;
    switch (kind) {
        case Kind::git_repository: read = read_git(spec); break;
        case Kind::kustomization: {
            auto const* meta = object.if_contains("metadata");
            read = read_kustomization(spec, meta != nullptr && meta->is_object()
                                                ? std::string{text_at(meta->get_object(), "namespace")}
                                                : "");
            break;
        }
        case Kind::flux_config: read = read_flux_config(spec); break;
    }
    if (!spec.problem().empty()) return fail(Errc::invalid_input, spec.problem());
    return read;
}

Meta read_meta(json::object const& object, Origin origin) {
    Meta meta;
    meta.origin = origin;
    auto const* value = object.if_contains("metadata");
    if (value == nullptr || !value->is_object()) return meta;
    json::object const& from = value->get_object();
    meta.uid = text_at(from, "uid");
    meta.resource_version = text_at(from, "resourceVersion");
    if (auto const* generation = from.if_contains("generation")) {
        if (generation->is_int64()) meta.generation = generation->get_int64();
    }
    meta.deleting = !text_at(from, "deletionTimestamp").empty();
    if (auto const* finalizers = from.if_contains("finalizers"); finalizers != nullptr && finalizers->is_array()) {
        for (json::value const& one : finalizers->get_array()) {
            if (one.is_string() && one.get_string() == kFinalizer) meta.has_finalizer = true;
        }
    }
    if (auto const* labels = from.if_contains("labels"); labels != nullptr && labels->is_object()) {
        for (auto const& label : labels->get_object()) {
            if (label.value().is_string()) meta.labels[std::string{label.key()}] = label.value().get_string();
        }
    }
    if (auto const* annotations = from.if_contains("annotations"); annotations != nullptr && annotations->is_object()) {
        meta.requested_at = text_at(annotations->get_object(), "reconcile.fluxcd.io/requestedAt");
    }
    return meta;
}

}  // namespace holdfast::model
