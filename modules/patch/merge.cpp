// modules/patch/merge.cpp: maps, scalars and directives of a strategic merge; lists by key are in merge_list.cpp.
#include "modules/patch/merge.hpp"

#include "modules/base/limits.hpp"
#include "modules/patch/field.hpp"
#include "modules/patch/merge_walk.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>

namespace holdfast::patch {

using yaml::Kind;
using yaml::Node;
using yaml::Style;
using yaml::Tag;

namespace {

constexpr std::string_view kDirective = "$patch";

Node* known(Node* node) { return is_null(node) ? nullptr : node; }

/// A field that is in either map: where its value stands, if it does.
struct Entry {
    std::string_view name;
    std::size_t in_target = Node::npos;  // index of the key
    std::size_t in_patch = Node::npos;
};

void add_names(std::vector<Entry>& entries, Node const* map, std::size_t Entry::* place) {
    if (!map || !map->is_map()) return;
    for (std::size_t i = 0; i + 1 < map->size(); i += 2) {
        Entry entry{.name = map->item(i)->value()};
        entry.*place = i;
        entries.push_back(entry);
    }
}

/// All names of both maps in byte order, each once; the first of equal keys counts.
std::vector<Entry> entries_of(Node const* target, Node const* patch) {
    std::vector<Entry> all;
    all.reserve((target ? target->entries() : 0) + (patch ? patch->entries() : 0));
    add_names(all, target, &Entry::in_target);
    add_names(all, patch, &Entry::in_patch);
    std::ranges::sort(all, {}, &Entry::name);
    std::size_t kept = 0;
    for (auto const& entry : all) {
        if (kept > 0 && all[kept - 1].name == entry.name) {
            auto& known = all[kept - 1];
            known.in_target = std::min(known.in_target, entry.in_target);
            known.in_patch = std::min(known.in_patch, entry.in_patch);
        } else {
            all[kept++] = entry;
        }
    }
    all.resize(kept);
    return all;
}

}  // namespace

Result<void> MergeWalk::spend(std::size_t steps) {
    steps_ += steps;
    if (steps_ <= limits::kPatchStepsMax) return {};
    return fail(Errc::limit, "merging takes more than " + std::to_string(limits::kPatchStepsMax) + " steps");
}

TypeSchema MergeWalk::type_in_comments(Node const* node) {
    if (!node || !node->has_comments()) return {};
    auto text = node->line_comment().empty() ? node->head_comment() : node->line_comment();
    auto const begin = text.find_first_not_of('#');
    if (begin == std::string_view::npos) return {};
    text.remove_prefix(begin);
    if (!text.contains('{')) return {};
    boost::json::error_code ec;
    auto value = boost::json::parse(text, ec);
    if (ec || !value.is_object() || value.get_object().empty()) return {};
    return TypeSchema::of(comment_types_.emplace_back(std::move(value)).get_object());
}

TypeSchema MergeWalk::type_of(TypeSchema type, Node const* target, Node const* patch) {
    Node const* const sources[] = {target, patch};
    for (auto const* const source : sources) {
        if (is_null(source)) continue;
        if (auto const commented = type_in_comments(source)) return commented;
    }
    if (type) return type;
    for (auto const* const source : sources) {
        if (is_null(source) || !source->is_map()) continue;
        auto const kind = field(source, "kind").value;
        if (!kind || is_nil_or_empty(kind)) continue;
        auto const version = field(source, "apiVersion").value;
        if (!version || is_nil_or_empty(version)) continue;
        if (auto const found = schema_.type(version->value(), kind->value())) return found;
    }
    return {};
}

Result<Merged> MergeWalk::walk(TypeSchema type, Node* target, Node* patch) {
    if (auto paid = spend(1); !paid) return fail(std::move(paid));
    if (depth_ >= limits::kPatchDepthMax) {
        return fail(Errc::limit, "object is nested deeper than " + std::to_string(limits::kPatchDepthMax));
    }
    ++depth_;
    auto merged = walk_as(type_of(type, target, patch), target, patch);
    --depth_;
    return merged;
}

Result<Merged> MergeWalk::walk_as(TypeSchema type, Node* target, Node* patch) {
    auto* const first = known(target) ? target : known(patch);
    auto const kind = first ? first->kind : Kind::none;
    if (kind == Kind::alias || kind == Kind::document) return Merged{};
    if (kind != Kind::none) {
        if (auto fits = require(target, kind); !fits) return fail(std::move(fits));
        if (auto fits = require(patch, kind); !fits) return fail(std::move(fits));
    }
    if (kind == Kind::sequence) return walk_list(type, target, patch);
    if (kind != Kind::scalar) return walk_map(type, target, patch);

    carry_comments(target, patch);
    if (patch) return Merged{patch, Merged::From::patch};
    return Merged{target, Merged::From::target};
}

void MergeWalk::carry_comments(Node* target, Node const* patch) {
    if (!target || !patch) return;
    if (patch->has_comments()) {
        if (auto const text = patch->foot_comment(); !text.empty()) target->set_foot_comment(arena_, text);
        if (auto const text = patch->head_comment(); !text.empty()) target->set_head_comment(arena_, text);
        if (auto const text = patch->line_comment(); !text.empty()) target->set_line_comment(arena_, text);
    }
    if (!target->is_scalar() && target->empty()) target->style = patch->style;
}

Result<MergeWalk::Directive> MergeWalk::take_directive(Node* patch) {
    if (!patch) return Directive::merge;
    std::string_view strategy;
    if (patch->is_seq()) {
        Node const* holder = nullptr;
        for (auto const* const element : patch->items()) {
            if (!is_null(element) && element->is_map() && element->find(kDirective)) {
                holder = element;
                break;
            }
        }
        // With other fields beside it the directive is the element's own.
        if (!holder || holder->entries() > 1) return Directive::merge;
        strategy = holder->find(kDirective)->value();
    } else if (patch->is_map()) {
        auto const* const holder = patch->find(kDirective);
        if (!holder) return Directive::merge;
        strategy = holder->value();
    } else {
        return fail(Errc::invalid_input, "no implemented strategic merge patch strategy for '" +
                                             std::string{patch->short_tag()} + "' ('" + text_of(*patch) + "')");
    }

    auto directive = Directive::merge;
    if (strategy == "delete") directive = Directive::remove;
    else if (strategy == "replace") directive = Directive::replace;
    else if (strategy != "merge") {
        return fail(Errc::invalid_input, "unknown patch strategy '" + std::string{strategy} + "'");
    }
    if (patch->is_map()) {
        patch->remove(kDirective);
        return directive;
    }
    std::string_view const keys[] = {kDirective};
    std::string_view const values[] = {strategy};
    if (auto done = set_element(arena_, *patch, keys, values, nullptr); !done) return fail(std::move(done));
    return directive;
}

Result<Merged> MergeWalk::visit_map(Node* target, Node* patch) {
    carry_comments(target, patch);
    if (is_null(target)) {
        auto const directive = take_directive(patch);
        if (directive && *directive == Directive::remove) return Merged{};
        if (!patch && target && !target->value().empty()) {
            // "a: null" that the user wrote stays, "a:" goes.
            auto* const null = yaml::make_scalar(arena_, target->value(), Tag::null);
            return Merged{null, Merged::From::made, true};
        }
        return Merged{patch, Merged::From::patch};
    }
    if (patch && is_null(patch)) return Merged{};
    auto const directive = take_directive(patch);
    if (!directive) return std::unexpected{directive.error()};
    switch (*directive) {
        case Directive::remove: return Merged{};
        case Directive::replace: return Merged{patch, Merged::From::patch};
        case Directive::merge: break;
    }
    return Merged{target, Merged::From::target};
}

Result<Merged> MergeWalk::visit_list(Node* target, Node* patch) {
    carry_comments(target, patch);
    if (is_null(target)) return Merged{patch, Merged::From::patch};
    if (patch && is_null(patch)) return Merged{};
    auto const directive = take_directive(patch);
    if (!directive) return std::unexpected{directive.error()};
    switch (*directive) {
        case Directive::remove: return Merged{};
        case Directive::replace: return Merged{patch, Merged::From::patch};
        case Directive::merge: break;
    }
    return Merged{target, Merged::From::target};
}

Result<Merged> MergeWalk::walk_map(TypeSchema type, Node* target, Node* patch) {
    auto visited = visit_map(target, patch);
    if (!visited || !visited->node) return visited;
    auto* const into = visited->node;
    auto const entries = entries_of(into, patch);
    auto const before = into->entries();
    std::vector<std::size_t> removed;

    for (auto const& entry : entries) {
        auto* const old = entry.in_target == Node::npos ? nullptr : into->item(entry.in_target + 1);
        auto* const change = entry.in_patch == Node::npos ? nullptr : patch->item(entry.in_patch + 1);
        auto* const old_key = entry.in_target == Node::npos ? nullptr : into->item(entry.in_target);
        auto* const change_key = entry.in_patch == Node::npos ? nullptr : patch->item(entry.in_patch);

        auto field_type = type ? type.field(entry.name) : TypeSchema{};
        for (auto const* const commented : {old, old_key, change, change_key}) {
            if (auto const found = type_in_comments(commented)) {
                field_type = found;
                break;
            }
        }
        path_.push_back(entry.name);
        auto merged = walk(field_type, old, change);
        if (!merged) return merged;
        path_.pop_back();
        if (entry.name.empty()) {  // kyaml takes a setter without a name for one of scalars
            if (auto fits = require(into, Kind::scalar); !fits) return fail(std::move(fits));
        }

        auto* const value = merged->node;
        if (is_null(value) && !(value && merged->keep_null)) {
            if (old) removed.push_back(entry.in_target);
            continue;
        }
        if (value->style == Style::none && is_string(*value) && is_yaml11_non_string(*value)) {
            value->style = Style::double_quoted;
        }
        if (old) {
            value->style = old->style;
            *old = *value;
            continue;
        }
        auto key_style = Style::none;
        if (merged->from == Merged::From::patch && change_key) key_style = change_key->style;
        if (!into->is_map()) continue;
        into->append(arena_, yaml::make_scalar(arena_, entry.name, Tag::none, key_style));
        into->append(arena_, value);
    }

    if (removed.empty()) return visited;
    std::ranges::sort(removed);
    std::vector<Node*> kept;
    kept.reserve(into->size());
    std::size_t next = 0;
    for (std::size_t i = 0; i + 1 < into->size(); i += 2) {
        if (i < before * 2 && next < removed.size() && removed[next] == i) {
            ++next;
            continue;
        }
        kept.push_back(into->item(i));
        kept.push_back(into->item(i + 1));
    }
    into->set_items(arena_, kept);
    return visited;
}

Result<Node*> merge(yaml::Arena& arena, Schema const& schema, Node& patch, Node& target, MergeOptions options) {
    auto merged = MergeWalk{arena, schema, options}.walk({}, yaml::root_of(&target), yaml::root_of(&patch));
    if (!merged) return fail(std::move(merged));
    return is_null(merged->node) ? nullptr : merged->node;
}

}  // namespace holdfast::patch
