// modules/kustomize/resmap.cpp: adding, finding, merging and patching objects.
#include "modules/kustomize/resmap.hpp"

#include "modules/kustomize/context.hpp"
#include "modules/kustomize/emit.hpp"
#include "modules/kustomize/generators.hpp"
#include "modules/kustomize/selection.hpp"
#include "modules/patch/merge.hpp"

#include <algorithm>
#include <unordered_map>

namespace holdfast::kustomize {
namespace {

std::string already_there(ResId const& id) { return "may not add resource with an already registered id: " + id.str(); }

std::string list_of(std::vector<Resource*> const& objects) {
    std::string out = "[";
    for (auto const* object : objects) {
        if (out.size() > 1) out += ' ';
        out += json_of(*object);
    }
    return out + "]";
}

}  // namespace

Result<void> ResMap::append(Resource* object) {
    auto const& id = object->id();
    for (auto const* other : list_) {
        if (other->id().same(id)) return fail(Errc::invalid_input, already_there(id));
    }
    list_.push_back(object);
    return {};
}

Result<void> ResMap::append_all(std::vector<Resource*> const& objects) {
    if (objects.empty()) return {};
    if (objects.size() == 1) return append(objects.front());
    std::unordered_multimap<std::size_t, Resource const*> known;
    known.reserve(list_.size() + objects.size());
    for (auto const* object : list_) known.emplace(object->id().hash(), object);
    list_.reserve(list_.size() + objects.size());
    for (auto* const object : objects) {
        auto const& id = object->id();
        auto const hash = id.hash();
        auto const [first, last] = known.equal_range(hash);
        for (auto at = first; at != last; ++at) {
            if (at->second->id().same(id)) return fail(Errc::invalid_input, already_there(id));
        }
        known.emplace(hash, object);
        list_.push_back(object);
    }
    return {};
}

Result<void> ResMap::absorb(Resource* object) {
    auto const id = object->id();
    auto const behavior = std::string{object->annotation_of(annotation::kBehavior).value_or("")};
    bool const merges = behavior == "merge", replaces = behavior == "replace";
    auto const matches = by_any_id([&](ResId const& other) { return id.same(other); });
    if (matches.size() > 1) {
        return fail(Errc::invalid_input,
                    "found multiple objects " + list_of(matches) + " that could accept merge of " + id.str());
    }
    if (matches.empty()) {
        if (merges || replaces) {
            return fail(Errc::invalid_input, "id " + id.go_syntax() + " does not exist; cannot merge or replace");
        }
        return append(object);
    }
    auto* const old = matches.front();
    if (!merges && !replaces) {
        auto const known = behavior == "create" ? "create" : "unspecified";
        return fail(Errc::invalid_input, "id " + id.go_syntax() + " exists; can not use behavior: '" + known +
                                             "', behavior must be merge or replace");
    }
    auto const origin = old->annotation_of(annotation::kOrigin);
    if (auto ok = object->merge_metadata_from(*old); !ok) return ok;
    if (merges) {
        if (auto ok = merge_data(*object, *old); !ok) return ok;
        if (origin) {
            auto map = object->annotations();
            map[std::string{annotation::kOrigin}] = *origin;
            if (auto ok = object->set_annotations(map); !ok) return ok;
        }
    }
    auto const now = object->id();
    std::size_t count = 0, at = 0;
    for (std::size_t i = 0; i < list_.size(); ++i) {
        if (!list_[i]->id().same(now)) continue;
        ++count;
        at = i;
    }
    if (count > 1) return fail(Errc::invalid_input, "in Replace: id matched " + std::to_string(count) + " resources");
    if (count == 0) return fail(Errc::invalid_input, "cannot find resource with id " + now.str() + " to replace");
    if (list_[at] != old) return fail(Errc::invalid_input, "unexpected target index in replacement");
    list_[at] = object;
    return {};
}

void ResMap::drop_empty() {
    std::erase_if(list_, [](Resource const* object) { return object->gone(); });
}

Result<Resource*> ResMap::unique(ResId const& id) const {
    auto const found = by_any_id([&](ResId const& other) { return id.same(other); });
    if (found.size() == 1) return found.front();
    auto const* const what = found.empty() ? "no matches for Id " : "multiple matches for Id ";
    return fail(Errc::invalid_input, what + id.str() + "; failed to find unique target for patch " + id.str());
}

Result<std::vector<Resource*>> ResMap::select(Selector const& selector) const {
    auto matcher = ObjectMatcher::make(selector);
    if (!matcher) return fail(std::move(matcher));
    std::vector<Resource*> found;
    for (auto* const object : list_) {
        auto matched = matcher->matches(*object);
        if (!matched) return fail(std::move(matched));
        if (*matched) found.push_back(object);
    }
    return found;
}

Result<void> merge_patch(Resource& target, Resource& patch) {
    auto const name = std::string{target.name()}, ns = std::string{target.ns()}, kind = std::string{target.kind()};
    bool const renames = patch.enabled(annotation::kAllowNameChange);
    bool const changes_kind = patch.enabled(annotation::kAllowKindChange);
    if (renames || changes_kind) target.store_previous_id();
    auto& context = target.context();
    context.builtin_merged = context.builtin_merged || !context.schema_is_chosen;
    auto* const root = patch.edit();
    auto merged = patch::merge(context.arena, context.schema, *root, *target.edit());
    if (!merged) return fail(std::move(merged));
    if (*merged != root) target.reset(*merged);  // else "$patch: replace" at the top, which changes nothing
    if (target.gone()) return {};
    if (!changes_kind) {
        if (auto ok = target.set_kind(kind); !ok) return ok;
    }
    if (!renames) {
        if (auto ok = target.set_name(name); !ok) return ok;
    }
    return target.set_namespace(ns);
}

Result<void> ResMap::apply_patch(std::vector<ResId> const& targets, Resource const& patch) {
    std::vector<Resource*> kept;
    for (auto* const object : list_) {
        auto const& id = object->id();
        if (std::ranges::any_of(targets, [&](ResId const& target) { return target.identical(id); })) {
            auto copy = object->context().copy(patch);
            if (!copy) return fail(std::move(copy));
            if (auto ok = (*copy)->merge_metadata_from(patch); !ok) return ok;
            auto const patch_kind = std::string{patch.kind()};
            if (auto ok = (*copy)->set_api_version(object->api_version()); !ok) return ok;
            if (auto ok = (*copy)->set_kind(patch_kind); !ok) return ok;
            if (auto ok = merge_patch(*object, **copy); !ok) return ok;
        }
        if (!object->gone()) kept.push_back(object);
    }
    list_.clear();
    return append_all(kept);
}

}  // namespace holdfast::kustomize
