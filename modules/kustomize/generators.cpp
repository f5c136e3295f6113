// modules/kustomize/generators.cpp: literals, files and env files into ConfigMaps and Secrets.
#include "modules/kustomize/generators.hpp"

#include "modules/kustomize/context.hpp"
#include "modules/kustomize/text.hpp"
#include "modules/patch/field.hpp"
#include "modules/patch/path.hpp"
#include "modules/yaml/utf8.hpp"

namespace holdfast::kustomize {
namespace {

using yaml::Node;
using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t kScannerLineMax = 64 * 1024;  // bufio.Scanner stops at a longer line, silently

Result<void> read_literals(std::vector<std::string> const& literals, Pairs& pairs) {
    for (auto const& literal : literals) {
        auto const equal = literal.find('=');
        if (equal == 0 || equal == std::string::npos) {
            return fail(Errc::invalid_input, "literal sources " + go_list(literals) + ": invalid literal source " +
                                                 literal + ", expected key=value");
        }
        auto value = literal.substr(equal + 1);
        if (value.size() >= 2 && value.front() == value.back() && (value.front() == '"' || value.front() == '\'')) {
            value = value.substr(1, value.size() - 2);
        }
        pairs.emplace_back(literal.substr(0, equal), std::move(value));
    }
    return {};
}

Result<void> read_file(Loader const& loader, std::string const& source, Pairs& pairs) {
    std::size_t count = 0;
    for (char const c : source) count += c == '=' ? 1 : 0;
    auto const equal = source.find('=');
    std::string key, path;
    if (count == 0) {
        auto trimmed = std::string_view{source};
        while (trimmed.size() > 1 && trimmed.ends_with('/')) trimmed.remove_suffix(1);
        key = base_name(trimmed);
        path = source;
    } else if (count > 1) {
        return fail(Errc::invalid_input, "source " + go_quote(source) + " key name or file path contains '='");
    } else if (equal == 0) {
        return fail(Errc::invalid_input,
                    "missing key name for file path " + go_quote(source.substr(1)) + " in source " + go_quote(source));
    } else if (equal == source.size() - 1) {
        return fail(Errc::invalid_input, "missing file path for key name " + go_quote(source.substr(0, equal)) +
                                             " in source " + go_quote(source));
    } else {
        key = source.substr(0, equal);
        path = source.substr(equal + 1);
    }
    auto content = loader.load(path);
    if (!content) return fail(std::move(content));
    pairs.emplace_back(std::move(key), std::move(*content));
    return {};
}

std::size_t leading_space(std::string_view line) {
    std::size_t at = 0;
    for (;;) {
        auto const rest = line.substr(at);
        if (rest.starts_with("\xC2\x85") || rest.starts_with("\xC2\xA0")) {
            at += 2;
        } else if (!rest.empty() && (rest[0] == ' ' || (rest[0] >= '\t' && rest[0] <= '\r'))) {
            at += 1;
        } else {
            return at;
        }
    }
}

Result<void> read_env_lines(std::string_view text, Pairs& pairs) {
    bool first = true;
    while (!text.empty()) {
        auto const end = text.find('\n');
        auto line = text.substr(0, end);
        if (line.size() >= kScannerLineMax) return {};
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (!yaml::is_utf8(line)) {
            return fail(Errc::invalid_input, "line has invalid utf8 bytes : " + std::string{line});
        }
        if (first && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
        first = false;
        line.remove_prefix(leading_space(line));
        if (line.empty() || line.front() == '#') continue;
        auto const equal = line.find('=');
        auto const key = line.substr(0, equal);
        if (key.empty()) continue;
        pairs.emplace_back(key, equal == std::string_view::npos ? std::string_view{} : line.substr(equal + 1));
    }
    return {};
}

Result<StringMap> load_pairs(Loader const& loader, GeneratorArgs const& args) {
    constexpr auto kStep = "loading KV pairs";
    Pairs pairs;
    for (auto const& path : args.envs) {
        auto content = loader.load(path);
        auto ok = content ? read_env_lines(*content, pairs) : Result<void>{fail(std::move(content))};
        if (!ok) {
            return fail(ok.error().code,
                        std::string{kStep} + ": env source files: " + go_list(args.envs) + ": " + ok.error().message);
        }
    }
    if (auto ok = read_literals(args.literals, pairs); !ok) return fail(std::move(ok), kStep);
    for (auto const& source : args.files) {
        if (auto ok = read_file(loader, source, pairs); !ok) {
            return fail(ok.error().code,
                        std::string{kStep} + ": file sources: " + go_list(args.files) + ": " + ok.error().message);
        }
    }
    StringMap map;
    for (auto& [key, value] : pairs) {
        if (!map.emplace(key, std::move(value)).second) {
            return fail(Errc::invalid_input, "configmap " + args.name + " illegally repeats the key `" + key + "`");
        }
    }
    return map;
}

Node* text_node(yaml::Arena& arena, std::string_view value) {
    auto const style = value.find('\n') == std::string_view::npos ? yaml::Style::none : yaml::Style::literal;
    return yaml::make_scalar(arena, value, yaml::Tag::string, style);
}

Result<void> put(yaml::Arena& arena, Node& root, std::string_view field, std::string_view key, std::string_view value) {
    auto map = patch::lookup_create(arena, root, yaml::Kind::mapping, {field});
    if (!map) return fail(std::move(map));
    if (!*map) return {};
    auto set = patch::set(arena, **map, key, text_node(arena, value));
    if (!set) return fail(std::move(set));
    return {};
}

/// LoadMapIntoConfigMapData: what is no UTF-8 goes to binaryData.
Result<void> put_all(yaml::Arena& arena, Node& root, StringMap const& map, bool binary) {
    for (auto const& [key, value] : map) {
        auto const ok = yaml::is_utf8(value) ? put(arena, root, binary ? "binaryData" : "data", key, value)
                                             : put(arena, root, "binaryData", key, yaml::encode_base64(value));
        if (!ok) return ok;
    }
    return {};
}

Result<void> set_text(yaml::Arena& arena, Node& root, std::initializer_list<std::string_view> path,
                      std::string_view text) {
    return patch::set_at(arena, root, {path.begin(), path.size()}, yaml::make_string(arena, text));
}

Result<Node*> base_node(yaml::Arena& arena, std::string_view kind, GeneratorArgs const& args) {
    auto* const root = yaml::make_map(arena);
    root->set(arena, "apiVersion", yaml::make_string(arena, "v1"));
    root->set(arena, "kind", yaml::make_string(arena, kind));
    if (args.name.empty()) return fail(Errc::invalid_input, "a configmap must have a name");
    if (auto ok = set_text(arena, *root, {"metadata", "name"}, args.name); !ok) return fail(std::move(ok));
    if (!args.ns.empty()) {
        if (auto ok = set_text(arena, *root, {"metadata", "namespace"}, args.ns); !ok) return fail(std::move(ok));
    }
    return root;
}

Result<void> apply_options(yaml::Arena& arena, Node& root, std::optional<GeneratorOptions> const& options) {
    if (!options) return {};
    for (auto const& [key, value] : options->labels.value_or(StringMap{})) {
        if (auto ok = patch::set_label(arena, root, key, value); !ok) return ok;
    }
    for (auto const& [key, value] : options->annotations.value_or(StringMap{})) {
        if (auto ok = patch::set_annotation(arena, root, key, value); !ok) return ok;
    }
    if (options->immutable) root.set(arena, "immutable", yaml::make_scalar(arena, "true", yaml::Tag::boolean));
    return {};
}

Result<Resource*> finish(Context& context, Node* root, GeneratorArgs const& args) {
    auto object = context.adopt(root);
    if (!object) return object;
    if (!args.options || !args.options->disable_name_suffix_hash) (*object)->enable(annotation::kNeedsHash);
    bool const known = args.behavior == "create" || args.behavior == "merge" || args.behavior == "replace";
    auto notes = (*object)->annotations();
    notes[std::string{annotation::kBehavior}] = known ? args.behavior : "unspecified";
    if (auto ok = (*object)->set_annotations(notes); !ok) return fail(std::move(ok));
    return object;
}

StringMap text_map(Node const* root, std::string_view field) {
    StringMap out;
    auto const* map = root->find(field);
    if (patch::is_null(map) || !map->is_map()) return out;
    for (std::size_t i = 0; i + 1 < map->size(); i += 2) {
        out[std::string{map->item(i)->value()}] = patch::value_of(map->item(i + 1));
    }
    return out;
}

}  // namespace

std::optional<GeneratorOptions> merge_options(std::optional<GeneratorOptions> local,
                                              std::optional<GeneratorOptions> const& global) {
    if (!global) return local;
    if (!local) local.emplace();
    auto const add = [](std::optional<StringMap>& into, std::optional<StringMap> const& from) {
        if (!from) return;
        if (!into) into.emplace();
        into->insert(from->begin(), from->end());
    };
    add(local->labels, global->labels);
    add(local->annotations, global->annotations);
    local->disable_name_suffix_hash = local->disable_name_suffix_hash || global->disable_name_suffix_hash;
    local->immutable = local->immutable || global->immutable;
    return local;
}

Result<Resource*> make_config_map(Context& context, Loader const& loader, GeneratorArgs const& args) {
    auto root = base_node(context.arena, "ConfigMap", args);
    if (!root) return fail(std::move(root));
    auto pairs = load_pairs(loader, args);
    if (!pairs) return fail(std::move(pairs));
    if (auto ok = put_all(context.arena, **root, *pairs, false); !ok) return fail(std::move(ok));
    if (auto ok = apply_options(context.arena, **root, args.options); !ok) return fail(std::move(ok));
    return finish(context, *root, args);
}

Result<Resource*> make_secret(Context& context, Loader const& loader, GeneratorArgs const& args) {
    auto& arena = context.arena;
    auto root = base_node(arena, "Secret", args);
    if (!root) return fail(std::move(root));
    (*root)->set(arena, "type", yaml::make_string(arena, args.type.empty() ? "Opaque" : args.type));
    auto pairs = load_pairs(loader, args);
    if (!pairs) return fail(std::move(pairs));
    auto* const data = yaml::make_map(arena);
    (*root)->set(arena, "data", data);
    for (auto const& [key, value] : *pairs) {
        auto set = patch::set(arena, *data, key, text_node(arena, yaml::encode_base64(value)));
        if (!set) return fail(std::move(set));
    }
    if (auto ok = apply_options(arena, **root, args.options); !ok) return fail(std::move(ok));
    return finish(context, *root, args);
}

Result<void> merge_data(Resource& object, Resource const& old) {
    auto& arena = object.context().arena;
    auto* const root = object.edit();
    for (auto const* field : {"data", "binaryData"}) {
        auto map = text_map(old.root(), field);
        for (auto& [key, value] : text_map(root, field)) map[key] = value;
        auto cleared = patch::clear(*root, field);
        if (!cleared) return fail(std::move(cleared));
        if (auto ok = put_all(arena, *root, map, std::string_view{field} == "binaryData"); !ok) return ok;
    }
    return {};
}

}  // namespace holdfast::kustomize
