// modules/kustomize/flux_generate.cpp: the generated kustomization, and Flux's fields in an existing one.
#include "modules/kustomize/flux_generate.hpp"

#include "modules/kustomize/context.hpp"
#include "modules/kustomize/factory.hpp"
#include "modules/yaml/json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <array>

namespace holdfast::kustomize {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 3> kFileNames{"kustomization.yaml", "kustomization.yml", "Kustomization"};
constexpr std::size_t kDepthMax = 128;

bool has_kustomization(MemoryFiles const& files, std::string const& directory) {
    for (std::string_view const name : kFileNames) {
        if (files.contains(join_path(directory, name))) return true;
    }
    return false;
}

/// filepath.Walk order: names sorted, a directory's files where its name stands.
Result<void> scan(MemoryFiles const& memory, Files& files, std::string const& base, std::string const& directory,
                  std::size_t depth, json::array& resources) {
    if (depth > kDepthMax) return fail(Errc::limit, "more than 128 directories inside each other at " + directory);
    auto names = files.list(directory);
    if (!names) return fail(std::move(names));
    for (std::string const& name : *names) {
        std::string const path = join_path(directory, name);
        auto resolved = files.resolve(path);
        if (!resolved) return fail(std::move(resolved));
        if (resolved->file.empty()) {
            if (has_kustomization(memory, path)) {
                resources.emplace_back("." + path.substr(base.size()));
                continue;
            }
            auto below = scan(memory, files, base, path, depth + 1, resources);
            if (!below) return below;
        } else if (name.ends_with(".yaml") || name.ends_with(".yml")) {
            resources.emplace_back("." + path.substr(base.size()));
        }
    }
    return {};
}

Result<json::object> generated(Options const& options, std::string const& directory) {
    json::object kustomization{{"apiVersion", "kustomize.config.k8s.io/v1beta1"}, {"kind", "Kustomization"}};
    Files files{options.root, {options.limits.file_bytes_max, options.limits.total_bytes_max}, options.files};
    json::array resources;
    std::string const base = directory == "/" ? "" : directory;
    auto scanned = scan(*options.files, files, base, directory, 0, resources);
    if (!scanned) return fail(std::move(scanned));
    if (resources.empty()) {
        kustomization["namespace"] = "_placeholder";  // kustomize refuses a file that says nothing
    } else {
        kustomization["resources"] = std::move(resources);
    }
    return kustomization;
}

bool is_generated(Options const& options, std::string const& directory) {
    return !has_kustomization(*options.files, join_path("/", directory));
}

/// The files that a generated kustomization names must hold objects.
Result<void> check_files(Options const& options, std::string const& directory) {
    auto const base = join_path("/", directory);
    auto made = generated(options, base);
    if (!made) return fail(std::move(made));
    auto const* resources = made->if_contains("resources");
    if (resources == nullptr) return {};
    for (json::value const& resource : resources->get_array()) {
        auto const path = join_path(base, std::string_view{resource.get_string()});
        auto const file = options.files->find(path);
        if (file == options.files->end()) continue;  // a directory
        Context context{options, options.root};
        auto objects = parse_objects(context, file->second);
        if (objects) continue;
        Blame blame;
        blame.note_file(path, file->second);
        return fail(objects.error().code, "failed to decode Kubernetes YAML from " + path + ": " +
                                              objects.error().message + blame.told(base, directory));
    }
    return {};
}

json::array& list_of(json::object& object, std::string_view name) {
    auto& value = object[name];
    if (!value.is_array()) value = json::array{};
    return value.get_array();
}

std::string_view text_of_field(json::object const& object, std::string_view name) {
    auto const* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string_view{value->get_string()} : std::string_view{};
}

/// Field by field, so that what only the file sets stays; a tag and a digest replace each other.
void merge_image(json::array& images, json::object const& wish) {
    for (json::value& value : images) {
        if (!value.is_object() || text_of_field(value.get_object(), "name") != text_of_field(wish, "name")) continue;
        json::object& image = value.get_object();
        if (!text_of_field(wish, "newName").empty()) image["newName"] = text_of_field(wish, "newName");
        std::string_view const tag = text_of_field(wish, "newTag");
        std::string_view const digest = text_of_field(wish, "digest");
        if (tag.empty() && digest.empty()) return;
        image.erase("newTag");
        image.erase("digest");
        if (!tag.empty()) image["newTag"] = tag;
        if (!digest.empty()) image["digest"] = digest;
        return;
    }
    images.push_back(wish);
}

/// github.com/fluxcd/pkg/kustomize IsLocalRelativePath
bool is_local_path(std::string_view path) {
    return !path.empty() && !path.starts_with('/') && path.find("://") == std::string_view::npos &&
           !path.starts_with("git@");
}

Result<void> merge_fields(json::object& kustomization, json::object const& fields, Options const& options,
                          std::string const& directory) {
    if (auto const ns = text_of_field(fields, "targetNamespace"); !ns.empty()) kustomization["namespace"] = ns;
    for (std::string_view const name : {"namePrefix", "nameSuffix"}) {
        if (auto const text = text_of_field(fields, name); !text.empty()) kustomization[name] = text;
    }
    if (auto const* patches = fields.if_contains("patches"); patches != nullptr && patches->is_array()) {
        for (json::value const& patch : patches->get_array()) list_of(kustomization, "patches").push_back(patch);
    }
    auto const* ignore = fields.if_contains("ignoreMissingComponents");
    bool const ignore_missing = ignore != nullptr && ignore->is_bool() && ignore->get_bool();
    if (auto const* components = fields.if_contains("components"); components != nullptr && components->is_array()) {
        Files files{options.root, {0, 0}, options.files};
        for (json::value const& component : components->get_array()) {
            std::string const path = component.is_string() ? std::string{component.get_string()} : "";
            if (!is_local_path(path)) {
                return fail(Errc::invalid_input, "component path '" + path + "' must be local and relative");
            }
            if (ignore_missing && !files.resolve(join_path(directory, path))) continue;
            list_of(kustomization, "components").push_back(component);
        }
    }
    if (auto const* images = fields.if_contains("images"); images != nullptr && images->is_array()) {
        for (json::value const& image : images->get_array()) {
            if (image.is_object()) merge_image(list_of(kustomization, "images"), image.get_object());
        }
    }
    auto const* metadata = fields.if_contains("buildMetadata");
    if (metadata != nullptr && metadata->is_array() && !metadata->get_array().empty())
        kustomization["buildMetadata"] = *metadata;
    return {};
}

}  // namespace

Result<Built> build_flux(std::string const& directory, json::object const& fields, Options options) {
    options.load_restrictions_none = true;
    options.schema_adds = true;
    options.reorder = Options::Reorder::none;  // Flux asks for no order: objects come as they are found
    options.edit_top = [fields, files = options.files, root = options.root, limits = options.limits](
                           std::string_view at, std::string_view file, std::string text) -> Result<std::string> {
        Options view;
        view.files = files;
        view.root = root;
        view.limits = limits;
        std::string const here{at};
        json::object kustomization;
        if (file.empty()) {
            auto made = generated(view, here);
            if (!made) return fail(std::move(made));
            kustomization = std::move(*made);
        } else {
            auto read = yaml::read_sigs(text);
            if (!read || (!read->is_object() && !read->is_null())) return text;  // whoever reads it says what is wrong
            if (read->is_object()) kustomization = std::move(read->get_object());
            auto const* resources = kustomization.if_contains("resources");
            bool const nothing = resources == nullptr || !resources->is_array() || resources->get_array().empty();
            // As Flux: a file that names no resource is legal, and must not be "empty".
            if (nothing) kustomization["buildMetadata"] = json::array{"originAnnotations"};
        }
        auto merged = merge_fields(kustomization, fields, view, here);
        if (!merged) return fail(std::move(merged));
        return json::serialize(kustomization);
    };
    auto built = build(directory, options);
    if (!built && is_generated(options, directory)) {
        // Flux has looked into each file by then.
        if (auto readable = check_files(options, directory); !readable) return fail(std::move(readable));
    }
    return built;
}

}  // namespace holdfast::kustomize
