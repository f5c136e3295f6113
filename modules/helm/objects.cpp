// modules/helm/objects.cpp: Go's types behind .Files and .Capabilities, and the maps beside them.
#include "modules/helm/objects.hpp"

#include "modules/base/base64.hpp"
#include "modules/helm/convert.hpp"
#include "modules/helm/functions.hpp"
#include "modules/helm/text.hpp"
#include "modules/text/glob/glob.hpp"
#include "modules/text/gotemplate/funcs.hpp"
#include "modules/text/gotemplate/strconv.hpp"
#include "modules/text/gotemplate/template.hpp"

#include <algorithm>

namespace holdfast::helm {

using gotemplate::Call;
using gotemplate::Function;
using gotemplate::Kind;
using gotemplate::Object;
using gotemplate::Type;
using gotemplate::Value;
namespace types = gotemplate::types;

namespace {

Value text(std::string_view value) { return Value::string(value); }

Function const* values_method(std::string_view name);

// ---- .Files

Function const* files_method(std::string_view name);
Type const kFiles{.kind = Kind::map,
                  .name = "engine.files",
                  .kind_name = "map",
                  .elem = &types::bytes,
                  .named = true,
                  .method = files_method};

std::string_view bytes_of(Value const& files, std::string_view name) {
    auto const* found = files.find(name);
    return found == nullptr ? std::string_view{} : found->as_string();
}

Result<Value> files_get(Call& call) {
    auto const data = bytes_of(call.receiver(), call.text(0));
    if (auto charged = call.charge_bytes(data.size()); !charged) return fail(std::move(charged));
    return text(data);
}
Result<Value> files_get_bytes(Call& call) {
    auto const data = bytes_of(call.receiver(), call.text(0));
    if (auto charged = call.charge_bytes(data.size()); !charged) return fail(std::move(charged));
    return Value::bytes(data);
}

Result<Value> files_glob(Call& call) {
    auto const pattern = call.text(0);
    auto const length = std::min<std::size_t>(pattern.size(), glob::kPatternBytesMax);
    if (auto charged = call.charge_looks(length * length / 8); !charged) return fail(std::move(charged));
    auto glob = glob::compile(pattern, "/");
    if (!glob) glob = glob::compile("**", "");
    Value found = Value::map(kFiles);
    for (auto const& [name, data] : call.receiver().entries()) {
        glob::Looks looks{.max = call.executor().looks_left()};
        auto const matched = glob->match(name.as_string(), looks);
        if (auto charged = call.charge_looks(matched ? looks.count : UINT64_MAX); !charged)
            return fail(std::move(charged));
        if (*matched) found.set(name, data);
    }
    return found;
}

Result<Value> files_lines(Call& call) {
    auto data = bytes_of(call.receiver(), call.text(0));
    if (auto charged = call.charge_steps(data.size() / 16); !charged) return fail(std::move(charged));
    std::vector<std::string> lines;
    if (call.receiver().find(call.text(0)) == nullptr) return Value::list_of_strings(lines);
    // Helm indexes the last byte of an empty file and dies; the renderer says so.
    if (data.empty()) return fail(Errc::invalid_input, "runtime error: index out of range [-1]");
    if (data.ends_with('\n')) data.remove_suffix(1);
    for (auto const line : split(data, '\n')) lines.emplace_back(line);
    return Value::list_of_strings(lines);
}

Result<Value> files_as(Call& call, bool secrets) {
    if (call.receiver().is_nil()) return text("");
    Value flat = Value::map(types::map_string);
    for (auto const& [name, data] : call.receiver().entries()) {
        if (auto charged = call.charge_steps(1 + data.size() / 16); !charged) return fail(std::move(charged));
        flat.set(base_name(name.as_string()), secrets ? text(base64_encode(data.as_string())) : text(data.as_string()));
    }
    auto yaml = to_yaml(flat);
    return text(yaml ? *yaml : std::string{});
}
Result<Value> files_as_config(Call& call) { return files_as(call, false); }
Result<Value> files_as_secrets(Call& call) { return files_as(call, true); }

Function const* files_method(std::string_view name) {
    static Function const methods[] = {gotemplate::make_function("Get", "string -> string", files_get),
                                       gotemplate::make_function("GetBytes", "string -> []byte", files_get_bytes),
                                       gotemplate::make_function("Glob", "string -> any", files_glob),
                                       gotemplate::make_function("Lines", "string -> []string", files_lines),
                                       gotemplate::make_function("AsConfig", "-> string", files_as_config),
                                       gotemplate::make_function("AsSecrets", "-> string", files_as_secrets)};
    static bool const typed = [] {
        const_cast<Function&>(methods[2]).result = &kFiles;
        return true;
    }();
    (void)typed;
    auto const found = std::ranges::find(methods, name, &Function::name);
    return found == std::end(methods) ? nullptr : &*found;
}

// ---- .Capabilities

Function const* versions_method(std::string_view name);
Type const kVersionSet{.kind = Kind::slice,
                       .name = "common.VersionSet",
                       .kind_name = "slice",
                       .elem = &types::string,
                       .named = true,
                       .method = versions_method};

Result<Value> versions_has(Call& call) {
    auto const items = call.receiver().items();
    return Value::boolean(
        std::ranges::any_of(items, [&](Value const& item) { return item.as_string() == call.text(0); }));
}

Function const* versions_method(std::string_view name) {
    static Function const has = gotemplate::make_function("Has", "string -> bool", versions_has);
    return name == "Has" ? &has : nullptr;
}

Function const* kube_version_method(std::string_view name);
Type const kKubeVersion{.kind = Kind::structure,
                        .name = "common.KubeVersion",
                        .kind_name = "struct",
                        .named = true,
                        .method = kube_version_method,
                        .pointer_methods = true};

class KubeVersionObject : public Object {
public:
    explicit KubeVersionObject(KubeVersion version) : Object(kKubeVersion), version_(std::move(version)) {}
    std::optional<Value> field(std::string_view name) const override {
        if (name == "Version") return helm::text(version_.version);
        if (name == "Major") return helm::text(version_.major);
        if (name == "Minor") return helm::text(version_.minor);
        return std::nullopt;
    }
    std::vector<std::pair<std::string_view, Value>> fields() const override {
        return {{"Version", helm::text(version_.version)},
                {"Major", helm::text(version_.major)},
                {"Minor", helm::text(version_.minor)}};
    }
    std::vector<std::pair<std::string_view, Value>> printed_fields() const override {
        auto all = fields();
        all.insert(all.begin() + 1, {"normalizedVersion", helm::text(version_.normalized)});
        return all;
    }
    std::optional<std::string> pointer_text() const override {
        return version_.normalized.empty() ? version_.version : version_.normalized;
    }
    KubeVersion const& version() const { return version_; }

private:
    KubeVersion version_;
};

Result<Value> kube_version_string(Call& call) { return text(*call.receiver().as_object()->pointer_text()); }
Result<Value> kube_version_git(Call& call) {
    return text(static_cast<KubeVersionObject*>(call.receiver().as_object())->version().version);
}

Function const* kube_version_method(std::string_view name) {
    static Function const string = gotemplate::make_function("String", "-> string", kube_version_string);
    static Function const git = gotemplate::make_function("GitVersion", "-> string", kube_version_git);
    return name == "String" ? &string : name == "GitVersion" ? &git : nullptr;
}

Type const kBuildInfo{.kind = Kind::structure, .name = "version.BuildInfo", .kind_name = "struct", .named = true};

class BuildInfoObject : public Object {
public:
    explicit BuildInfoObject(HelmBuild build) : Object(kBuildInfo), build_(std::move(build)) {}
    std::optional<Value> field(std::string_view name) const override {
        if (name == "Version") return helm::text(build_.version);
        if (name == "GitCommit") return helm::text(build_.git_commit);
        if (name == "GitTreeState") return helm::text(build_.git_tree_state);
        if (name == "GoVersion") return helm::text(build_.go_version);
        if (name == "KubeClientVersion") return helm::text(build_.kube_client_version);
        return std::nullopt;
    }
    /// Under the names of the JSON tags.
    std::vector<std::pair<std::string_view, Value>> fields() const override {
        std::vector<std::pair<std::string_view, Value>> all;
        std::pair<std::string_view, std::string const*> const named[] = {
            {"version", &build_.version},
            {"git_commit", &build_.git_commit},
            {"git_tree_state", &build_.git_tree_state},
            {"go_version", &build_.go_version},
            {"kube_client_version", &build_.kube_client_version}};
        for (auto const& [name, value] : named) {
            if (!value->empty()) all.emplace_back(name, helm::text(*value));
        }
        return all;
    }
    std::vector<std::pair<std::string_view, Value>> printed_fields() const override {
        return {{"Version", helm::text(build_.version)},
                {"GitCommit", helm::text(build_.git_commit)},
                {"GitTreeState", helm::text(build_.git_tree_state)},
                {"GoVersion", helm::text(build_.go_version)},
                {"KubeClientVersion", helm::text(build_.kube_client_version)}};
    }

private:
    HelmBuild build_;
};

Type const kCapabilitiesStruct{
    .kind = Kind::structure, .name = "common.Capabilities", .kind_name = "struct", .named = true};
Type const kCapabilities{
    .kind = Kind::pointer, .name = "*common.Capabilities", .kind_name = "ptr", .elem = &kCapabilitiesStruct};

class CapabilitiesObject : public Object {
public:
    explicit CapabilitiesObject(Capabilities const& from) : Object(kCapabilities) {
        std::vector<Value> versions;
        for (auto const& version : from.api_versions) versions.push_back(helm::text(version));
        fields_ = {{"KubeVersion", Value::object(new KubeVersionObject(from.kube_version)).addressed()},
                   {"APIVersions", Value::list(std::move(versions), kVersionSet)},
                   {"HelmVersion", Value::object(new BuildInfoObject(from.helm)).addressed()}};
    }
    std::optional<Value> field(std::string_view name) const override {
        for (auto const& [known, value] : fields_) {
            if (known == name) return value;
        }
        return std::nullopt;
    }
    std::vector<std::pair<std::string_view, Value>> fields() const override { return fields_; }

private:
    std::vector<std::pair<std::string_view, Value>> fields_;
};

// ---- plain maps

Value texts(std::vector<std::string> const& from) {
    std::vector<Value> items;
    for (auto const& item : from) items.push_back(text(item).boxed());
    return Value::list(std::move(items));
}

Value maintainer_value(Maintainer const& maintainer) {
    Value map = Value::map();
    map.set("Name", text(maintainer.name).boxed());
    map.set("Email", text(maintainer.email).boxed());
    map.set("URL", text(maintainer.url).boxed());
    return map;
}

Value dependency_value(Dependency const& dependency) {
    Value map = Value::map();
    map.set("Name", text(dependency.name).boxed());
    map.set("Version", text(dependency.version).boxed());
    map.set("Repository", text(dependency.repository).boxed());
    map.set("Condition", text(dependency.condition).boxed());
    map.set("Tags", texts(dependency.tags).boxed());
    map.set("Enabled", Value::boolean(dependency.enabled).boxed());
    map.set("ImportValues", Value::list(dependency.import_values).boxed());
    map.set("Alias", text(dependency.alias).boxed());
    return map;
}

// ---- .Values

/// Values.Table: the map at a dotted path.
Result<Value> values_table(Call& call) {
    Value table = call.receiver().unboxed();
    for (auto const part : split(call.text(0), '.')) {
        auto const* found = table.find(part);
        if (found == nullptr || !found->is_map())
            return fail(Errc::invalid_input, gotemplate::quote(part) + " is not a table");
        table = found->unboxed();
    }
    return table.viewed_as(kValuesType);
}

/// Values.PathValue: what is at a dotted path, unless it is a map.
Result<Value> values_path(Call& call) {
    auto const path = call.text(0);
    if (path.empty()) return fail(Errc::invalid_input, "YAML path cannot be empty");
    Value table = call.receiver().unboxed();
    auto const parts = split(path, '.');
    auto const missing = [&] { return fail(Errc::invalid_input, gotemplate::quote(parts.back()) + " is not a value"); };
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
        auto const* found = table.find(parts[i]);
        if (found == nullptr || !found->is_map()) return missing();
        table = found->unboxed();
    }
    auto const* found = table.find(parts.back());
    if (found == nullptr || found->is_map()) return missing();
    return found->boxed();
}

Result<Value> values_as_map(Call& call) {
    auto const map = call.receiver().unboxed();
    if (map.size() == 0) return Value::map();
    return map.viewed_as(types::map_any);
}

Result<Value> values_yaml(Call& call) {
    auto yaml = charged_yaml(call, call.receiver());
    if (!yaml) return fail(std::move(yaml));
    return text(*yaml + '\n');
}

Function const* values_method(std::string_view name) {
    static Function const methods[] = {gotemplate::make_function("AsMap", "-> map", values_as_map),
                                       gotemplate::make_function("YAML", "-> string", values_yaml),
                                       gotemplate::make_function("Table", "string -> map", values_table),
                                       gotemplate::make_function("PathValue", "string -> any", values_path)};
    static bool const typed = [] {
        const_cast<Function&>(methods[2]).result = &kValuesType;
        return true;
    }();
    (void)typed;
    auto const found = std::ranges::find(methods, name, &Function::name);
    return found == std::end(methods) ? nullptr : &*found;
}

template <class Item, class Make> Value list_of(std::vector<Item> const& from, Make make) {
    std::vector<Value> items;
    for (auto const& item : from) items.push_back(make(item).boxed());
    return Value::list(std::move(items));
}

}  // namespace

Type const kValuesType{.kind = Kind::map,
                       .name = "common.Values",
                       .kind_name = "map",
                       .elem = &types::any,
                       .named = true,
                       .method = values_method};

Value release_value(ReleaseOptions const& options) {
    Value release = Value::map();
    release.set("Name", text(options.name).boxed());
    release.set("Namespace", text(options.namespace_name).boxed());
    release.set("IsUpgrade", Value::boolean(options.is_upgrade).boxed());
    release.set("IsInstall", Value::boolean(!options.is_upgrade).boxed());
    release.set("Revision", Value::integer(options.revision).boxed());
    release.set("Service", text("Helm").boxed());
    return release;
}

Value capabilities_value(Capabilities const& capabilities) {
    return Value::object(new CapabilitiesObject(capabilities));
}

Value metadata_value(Metadata const& m) {
    Value map = Value::map();
    std::pair<std::string_view, std::string const*> const named[] = {{"Name", &m.name},
                                                                     {"Home", &m.home},
                                                                     {"Version", &m.version},
                                                                     {"Description", &m.description},
                                                                     {"Icon", &m.icon},
                                                                     {"APIVersion", &m.api_version},
                                                                     {"Condition", &m.condition},
                                                                     {"Tags", &m.tags},
                                                                     {"AppVersion", &m.app_version},
                                                                     {"KubeVersion", &m.kube_version},
                                                                     {"Type", &m.type}};
    for (auto const& [name, value] : named) map.set(name, text(*value).boxed());
    map.set("Sources", texts(m.sources).boxed());
    map.set("Keywords", texts(m.keywords).boxed());
    map.set("Maintainers", list_of(m.maintainers, maintainer_value).boxed());
    map.set("Deprecated", Value::boolean(m.deprecated).boxed());
    map.set("Dependencies", list_of(m.dependencies.value_or(std::vector<Dependency>{}), dependency_value).boxed());
    Value annotations = Value::zero(types::map_string);
    if (m.annotations) {
        annotations = Value::map(types::map_string);
        for (auto const& [key, value] : *m.annotations) annotations.set(key, text(value));
    }
    map.set("Annotations", std::move(annotations).boxed());
    return map;
}

Value files_value(std::vector<File> const& files) {
    Value map = Value::map(kFiles);
    for (auto const& file : files) map.set(file.name, Value::bytes(file.data));
    return map;
}

}  // namespace holdfast::helm
