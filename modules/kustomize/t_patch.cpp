// modules/kustomize/t_patch.cpp: patches, patchesStrategicMerge and patchesJson6902.
#include "modules/kustomize/context.hpp"
#include "modules/kustomize/emit.hpp"
#include "modules/kustomize/factory.hpp"
#include "modules/kustomize/text.hpp"
#include "modules/kustomize/transformers.hpp"
#include "modules/patch/json_patch.hpp"
#include "modules/yaml/json.hpp"

#include <memory>

namespace holdfast::kustomize {
namespace {

bool is_internal(std::string_view key) {
    return key.starts_with(annotation::kDomain) || key == "config.kubernetes.io/path" ||
           key == "config.kubernetes.io/index" || key == "config.k8s.io/id";
}

/// Applies a JSON patch; kustomize's own notes on the object survive it.
Result<void> run_json_patch(patch::JsonPatch const& operations, Resource& object) {
    auto notes = object.annotations();
    std::erase_if(notes, [](auto const& entry) { return !is_internal(entry.first); });
    if (auto ok = settle_folded(object.context().arena, *object.edit()); !ok) return ok;
    if (auto ok = operations.apply(object.context().arena, *object.edit()); !ok) return ok;
    if (auto ok = check_depth(*object.root()); !ok) return ok;
    auto all = object.annotations();
    for (auto const& [key, value] : notes) all[key] = value;
    return object.set_annotations(all);
}

struct Loaded {
    std::string source;  // for messages: [path: "x.yaml"]
    std::vector<Resource*> merges;
    std::optional<patch::JsonPatch> operations;
    std::optional<Selector> target;
};

/// What kustomize says of operations that it cannot decode: YAML is JSON to it by then.
std::string explain_operations(std::string const& text, std::string const& why) {
    if (text.starts_with('[')) return "decoding " + text + ": " + why;
    auto const json = yaml::yaml_to_json(text);
    return json ? "decoding " + *json + ": " + why : json.error().message;
}

Result<void> merge_all(Loaded const& loaded, ResMap& objects) {
    if (loaded.target) {
        if (loaded.merges.size() > 1) {
            return fail(Errc::invalid_input,
                        "Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set "
                        "`patches.target` field: " +
                            loaded.source);
        }
        auto selected = objects.select(*loaded.target);
        if (!selected) {
            return fail(std::move(selected),
                        "unable to find patch target " + go_quote(describe(*loaded.target)) + " in `resources`");
        }
        std::vector<ResId> ids;
        for (auto const* object : *selected) ids.push_back(object->id());
        return objects.apply_patch(ids, *loaded.merges.front());
    }
    for (auto* const merge : loaded.merges) {
        auto target = objects.unique(merge->original_id());
        if (!target) {
            return fail(std::move(target),
                        "no resource matches strategic merge patch " + go_quote(merge->original_id().str()));
        }
        if (auto ok = merge_patch(**target, *merge); !ok) return ok;
    }
    return {};
}

}  // namespace

Result<Transform> apply_any_patch(Context& context, Loader const& loader, PatchArgs args) {
    auto loaded = std::make_shared<Loaded>();
    auto text = std::string{trim_space(args.patch)};
    if (text.empty() && args.path.empty()) {
        return fail(Errc::invalid_input, "must specify one of patch and path in\n" + args.config);
    }
    if (!text.empty() && !args.path.empty()) {
        return fail(Errc::invalid_input, "patch and path can't be set at the same time\n" + args.config);
    }
    if (!text.empty()) {
        loaded->source = "[patch: " + go_quote(text) + "]";
    } else {
        auto content = loader.load(args.path);
        if (!content) {
            return fail(std::move(content), "failed to get the patch file from path(" + args.path + ")");
        }
        text = std::move(*content);
        loaded->source = "[path: " + go_quote(args.path) + "]";
    }
    auto merges = parse_objects(context, text);
    if (!merges && merges.error().code == Errc::limit) return fail(std::move(merges));
    // What is an object is no list, so it is not tried as a JSON patch.
    if (!merges || merges->empty()) {
        auto operations = text.empty()
                              ? Result<patch::JsonPatch>{fail(Errc::invalid_input, "empty json patch operations")}
                              : patch::JsonPatch::parse(text);
        if (!merges && !operations) {
            if (!args.path.empty()) context.blame.note_file(join_path(loader.root(), args.path), text);
            return fail(Errc::invalid_input, "unable to parse SM or JSON patch from " + loaded->source);
        }
        if (!merges) loaded->operations = std::move(*operations);
    }
    if (merges) {
        loaded->merges = std::move(*merges);
        for (auto* const merge : loaded->merges) {
            if (args.options && args.options->allow_name_change) merge->enable(annotation::kAllowNameChange);
            if (args.options && args.options->allow_kind_change) merge->enable(annotation::kAllowKindChange);
        }
    }
    loaded->target = std::move(args.target);
    return Transform{[loaded](ResMap& objects) -> Result<void> {
        if (!loaded->merges.empty()) return merge_all(*loaded, objects);
        if (!loaded->operations || loaded->operations->size() == 0) return {};
        if (!loaded->target) {
            return fail(Errc::invalid_input, "must specify a target for JSON patch " + loaded->source);
        }
        auto selected = objects.select(*loaded->target);
        if (!selected) return fail(std::move(selected));
        for (auto* const object : *selected) {
            object->store_previous_id();
            if (auto ok = run_json_patch(*loaded->operations, *object); !ok) return ok;
        }
        return {};
    }};
}

Result<Transform> apply_json_patch(Context& context, Loader const& loader, PatchArgs args) {
    if (!args.target) return fail(Errc::invalid_input, "must specify a target for patch " + args.patch);
    if (args.target->name.empty()) return fail(Errc::invalid_input, "must specify the target name");
    if (args.path.empty() && args.patch.empty()) return fail(Errc::invalid_input, "empty file path and empty jsonOp");
    auto text = args.patch;
    if (!args.path.empty()) {
        if (!text.empty()) return fail(Errc::invalid_input, "must specify a file path or jsonOp, not both");
        auto content = loader.load(args.path);
        if (!content) return fail(std::move(content));
        if (content->empty()) {
            return fail(Errc::invalid_input, "patch file '" + args.path + "' empty seems to be empty");
        }
        text = std::move(*content);
    }
    auto parsed = patch::JsonPatch::parse(text);
    if (!parsed) {
        if (!args.path.empty()) context.blame.note_file(join_path(loader.root(), args.path), text);
        return fail(parsed.error().code, explain_operations(text, parsed.error().message));
    }
    if (parsed->size() == 0) {
        return fail(Errc::invalid_input, "patch appears to be empty; file=" + args.path + ", JsonOp=" + text);
    }
    return Transform{[operations = std::move(*parsed), target = *args.target](ResMap& objects) -> Result<void> {
        auto selected = objects.select(target);
        if (!selected) return fail(std::move(selected));
        for (auto* const object : *selected) {
            if (auto ok = run_json_patch(operations, *object); !ok) return ok;
        }
        return {};
    }};
}

Result<Transform> apply_merge_patches(Context& context, Loader const& loader, std::vector<std::string> paths,
                                      std::string const& patches) {
    if (paths.empty() && patches.empty()) return fail(Errc::invalid_input, "empty file path and empty patch content");
    std::vector<Resource*> loaded;
    for (auto const& path : paths) {
        auto objects = parse_objects(context, path);  // the text itself may be the patch
        if (!objects) {
            auto content = loader.load(path);
            if (!content) return fail(std::move(content));
            objects = parse_objects(context, *content);
            if (!objects) {
                context.blame.note_file(join_path(loader.root(), path), *content);
                return fail(objects.error().code, name_file(objects.error().message, path));
            }
        }
        loaded.insert(loaded.end(), objects->begin(), objects->end());
    }
    if (!patches.empty()) {
        auto objects = parse_objects(context, patches);
        if (!objects) return fail(std::move(objects));
        loaded.insert(loaded.end(), objects->begin(), objects->end());
    }
    if (loaded.empty()) {
        std::string files = "[";
        for (auto const& path : paths) files += (files.size() > 1 ? " " : "") + path;
        return fail(Errc::invalid_input, "patch appears to be empty; files=" + files + "], Patch=" + patches);
    }
    return Transform{[loaded = std::move(loaded)](ResMap& objects) -> Result<void> {
        for (auto* const merge : loaded) {
            auto target = objects.unique(merge->original_id());
            if (!target) return fail(std::move(target));
            if (auto ok = objects.apply_patch({(*target)->id()}, *merge); !ok) return ok;
        }
        return {};
    }};
}

}  // namespace holdfast::kustomize
