// modules/kustomize/blame.cpp: places are looked for when a build has failed, so nobody pays for them before.
#include "modules/kustomize/blame.hpp"

#include "modules/kustomize/decode.hpp"
#include "modules/kustomize/files.hpp"

#include <optional>

namespace holdfast::kustomize {
namespace {

using yaml::Node;
using yaml::Place;

Place place_of(Node const& node) { return {node.line, node.column}; }

Node const* read(yaml::Arena& arena, std::string_view text) {
    auto document = yaml::parse(arena, text, {.comments = false});
    return document && *document ? yaml::root_of(*document) : nullptr;
}

std::optional<Place> find(boost::json::value const& here, Node const& node, boost::json::value const* value) {
    if (&here == value) return place_of(node);
    if (here.is_array() && node.is_seq()) {
        auto const& items = here.get_array();
        for (std::size_t i = 0; i < items.size() && i < node.size(); ++i) {
            if (auto place = find(items[i], *node.item(i), value)) return place;
        }
    }
    if (here.is_object() && node.is_map()) {
        for (auto const& pair : here.get_object()) {
            auto const at = node.index_of(pair.key());
            if (at == Node::npos) continue;  // merged in from elsewhere
            if (&pair.value() == value) return place_of(*node.item(at));
            if (auto place = find(pair.value(), *node.item(at + 1), value)) return place;
        }
    }
    return std::nullopt;
}

Place place_of_entry(std::string_view text, Entry entry) {
    yaml::Arena arena;
    auto const* const root = read(arena, text);
    if (!root || !root->is_map()) return {};
    for (std::size_t i = 0; i + 1 < root->size(); i += 2) {
        if (!same_key(root->item(i)->value(), entry.field)) continue;
        auto const& list = *root->item(i + 1);
        return list.is_seq() && entry.index < list.size() ? place_of(*list.item(entry.index))
                                                          : place_of(*root->item(i));
    }
    return {};
}

/// filepath.Rel; the path itself when the two have nothing in common.
std::string relative(std::string const& root, std::string const& path) {
    if (path.starts_with(root + "/")) return path.substr(root.size() + 1);
    std::string out;
    for (auto above = root;;) {
        auto const slash = above.rfind('/');
        if (slash == 0 || slash == std::string::npos) return path;
        above.resize(slash);
        out += "../";
        if (path.starts_with(above + "/")) return out + path.substr(above.size() + 1);
    }
}

}  // namespace

Place place_of(std::string_view text, boost::json::value const& root, boost::json::value const* value) {
    yaml::Arena arena;
    auto const* const node = read(arena, text);
    return node && value ? find(root, *node, value).value_or(Place{}) : Place{};
}

Place place_of_error(std::string_view text) {
    yaml::Arena arena;
    Place place;
    if (yaml::parse_all(arena, text, {.comments = false}, &place)) return {};
    return place;
}

void Blame::note_file(std::string file, std::string_view text) {
    if (file_.file.empty()) file_ = {std::move(file), place_of_error(text)};
}

void Blame::note_kustomization(std::string file, std::string_view text, Entry entry) {
    if (kustomization_.file.empty()) note_kustomization(std::move(file), place_of_entry(text, entry));
}

void Blame::note_kustomization(std::string file, Place place) {
    if (kustomization_.file.empty()) kustomization_ = {std::move(file), place};
}

std::string Blame::told(std::string const& root, std::string const& given) const {
    std::string out;
    for (auto const& [file, place] : {file_, kustomization_}) {
        if (file.empty()) continue;
        auto const shown = relative(root, file);
        out += "\n  at " + (shown.starts_with('/') ? shown : join_path(given, shown));
        if (place.line != 0) out += ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
    }
    return out;
}

}  // namespace holdfast::kustomize
