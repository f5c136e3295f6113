// modules/kustomize/t_replacement.cpp: replacements, inline or from files.
#include "modules/base/limits.hpp"
#include "modules/kustomize/context.hpp"
#include "modules/kustomize/decode.hpp"
#include "modules/kustomize/factory.hpp"
#include "modules/kustomize/replacement.hpp"
#include "modules/kustomize/transformers.hpp"
#include "modules/yaml/json.hpp"

#include <algorithm>

namespace holdfast::kustomize {
namespace {

/// Paths are walked by recursion.
Result<void> check_paths(Replacement const& replacement) {
    auto const check = [](std::string const& path) -> Result<void> {
        if (static_cast<std::size_t>(std::count(path.begin(), path.end(), '.')) < limits::kYamlDepthMax) return {};
        return fail(Errc::limit,
                    "a field path of a replacement has more than " + std::to_string(limits::kYamlDepthMax) + " parts");
    };
    if (replacement.source) {
        if (auto ok = check(replacement.source->field_path); !ok) return ok;
    }
    for (auto const& target : replacement.targets) {
        if (!target) continue;
        for (auto const& path : target->field_paths) {
            if (auto ok = check(path); !ok) return ok;
        }
    }
    return {};
}

}  // namespace

Result<std::vector<Replacement>> load_replacements(Context& context, Loader const& loader,
                                                   std::vector<ReplacementField> const& fields) {
    std::vector<Replacement> all;
    for (auto const& field : fields) {
        auto const& inline_part = field.replacement;
        if (field.path.empty()) {
            all.push_back(inline_part);
            continue;
        }
        if (inline_part.source || !inline_part.targets.empty()) {
            return fail(Errc::invalid_input, "cannot specify both path and inline replacement");
        }
        auto content = loader.load(field.path);
        if (!content) return fail(std::move(content));
        auto value = yaml::read_sigs(*content);
        if (!value) {
            context.blame.note_file(join_path(loader.root(), field.path), *content);
            return fail(std::move(value), "error converting YAML to JSON");
        }
        Decoder decoder{{.text_from_scalars = true}};
        if (value->is_array()) {
            std::vector<Replacement> list;
            decoder.list(*value, list, "[]types.Replacement",
                         [&](auto const& item, auto& out) { decoder.read(item, out); });
            all.insert(all.end(), list.begin(), list.end());
        } else if (value->is_object()) {
            decoder.read(*value, all.emplace_back());
        } else {
            auto const* const kind = value->is_null()     ? "invalid"
                                     : value->is_string() ? "string"
                                     : value->is_bool()   ? "bool"
                                                          : "float64";
            return fail(Errc::invalid_input,
                        "unsupported replacement type encountered within replacement path: " + std::string{kind});
        }
        if (auto ok = decoder.result(); !ok) return fail(std::move(ok), "error unmarshaling JSON: while decoding JSON");
    }
    for (auto const& replacement : all) {
        if (auto ok = check_paths(replacement); !ok) return fail(std::move(ok));
    }
    return all;
}

Transform replace_values(Context& context, std::vector<Replacement> replacements) {
    return [&context, replacements = std::move(replacements)](ResMap& objects) -> Result<void> {
        if (auto ok = apply_replacements(context, replacements, objects); !ok) return ok;
        for (auto const* object : objects.all()) {
            if (object->gone()) continue;
            if (auto ok = check_depth(*object->root()); !ok) return ok;
        }
        return {};
    };
}

}  // namespace holdfast::kustomize
