// modules/kustomize/nameref.cpp: api/filters/nameref, with an index by former name instead of scans.
#include "modules/kustomize/nameref.hpp"

#include "modules/kustomize/context.hpp"
#include "modules/kustomize/emit.hpp"
#include "modules/patch/field.hpp"
#include "modules/patch/path.hpp"

#include <map>
#include <set>
#include <unordered_map>

namespace holdfast::kustomize {
namespace {

using yaml::Node;
using Objects = std::vector<Resource*>;

struct Rule {
    Gvk const* target;
    FieldSpec const* spec;
    FieldSpec path_only;
};

/// Former names and namespaces of all objects; they do not change while references are fixed.
class Index {
public:
    explicit Index(ResMap const& objects) {
        for (auto* const object : objects.all()) {
            std::set<std::string_view> seen;
            for (auto const& id : object->previous_ids()) {
                if (seen.insert(id.name).second) by_name_[id.name].push_back(object);
            }
            by_original_ns_[std::string{object->original_id().effective_namespace()}].push_back(object);
        }
    }
    Objects const& named(std::string_view name) const {
        static Objects const kNone;
        auto const found = by_name_.find(std::string{name});
        return found == by_name_.end() ? kNone : found->second;
    }
    Objects const& originally_in(std::string_view ns) const {
        static Objects const kNone;
        auto const found = by_original_ns_.find(std::string{ns});
        return found == by_original_ns_.end() ? kNone : found->second;
    }

private:
    std::unordered_map<std::string, Objects> by_name_, by_original_ns_;
};

bool same_names(Objects const& objects, bool and_namespaces) {
    for (auto const* object : objects) {
        if (object->name() != objects.front()->name()) return false;
        if (and_namespaces && object->ns() != objects.front()->ns()) return false;
    }
    return true;
}

/// The references of one object.
class Fixer {
public:
    Fixer(Index const& index, Resource& referrer) : index_{index}, referrer_{referrer} {}

    /// Namespaces of the service accounts a RoleBinding names: it may refer to objects there.
    Result<void> read_subjects() {
        if (referrer_.kind() != "RoleBinding") return {};
        auto const* const subjects = referrer_.root()->find("subjects");
        if (!subjects || !subjects->is_seq()) return {};
        for (auto const* subject : subjects->items()) {
            auto const* const ns = subject->find("namespace");
            auto const* const kind = subject->find("kind");
            if (!ns || !kind || kind->value() != "ServiceAccount") continue;
            if (!ns->is_string()) {
                return fail(Errc::invalid_input,
                            "Invalid Input: namespace is blank for resource \"" + referrer_.id().str() + "\"\n");
            }
            subject_namespaces_.emplace(ns->value());
        }
        return {};
    }

    Result<void> fix(Rule const& rule) {
        rule_ = &rule;
        auto& arena = referrer_.context().arena;
        auto ok = patch::apply(arena, rule.path_only, *referrer_.edit(), [&](Node& node) { return set(node); });
        if (ok) return {};
        return fail(std::move(ok),
                    "updating name reference in '" + rule.spec->path + "' field of '" + referrer_.id().str() + "'");
    }

private:
    Result<void> set(Node& node) {
        if (patch::is_null(&node)) return {};
        if (node.is_scalar()) return set_scalar(node);
        if (node.is_map()) return set_mapping(node);
        if (!node.is_seq()) return fail(Errc::invalid_input, "node must be a scalar, sequence or map");
        for (auto* const item : node.items()) {
            if (patch::is_null(item)) continue;
            if (item->is_seq())
                return fail(Errc::invalid_input, "node is expected to be either a string or a map of string");
            auto ok = item->is_scalar() ? set_scalar(*item) : set_mapping(*item);
            if (!ok) return ok;
        }
        return {};
    }

    Result<void> set_scalar(Node& node) {
        auto found = select(node.value(), nullptr, false);
        if (!found) return fail(std::move(found));
        if (!*found || (*found)->name() == node.value()) return {};
        auto& arena = referrer_.context().arena;
        return patch::set_value(node, yaml::make_scalar(arena, (*found)->name()));
    }

    Result<void> set_mapping(Node& node) {
        auto* const name = node.find("name");
        if (!name) return fail(Errc::invalid_input, "path config error; no 'name' field in node");
        auto* const ns = node.find("namespace");
        auto found = select(name->value(), ns, true);
        if (!found) return fail(std::move(found));
        auto* const target = *found;
        if (!target || (target->name() == name->value() && target->ns().empty())) return {};
        auto& arena = referrer_.context().arena;
        auto done = patch::set(arena, node, "name", yaml::make_scalar(arena, target->name()));
        if (!done) return fail(std::move(done));
        if (target->ns().empty()) return {};
        done = patch::set(arena, node, "namespace", yaml::make_scalar(arena, target->ns()));
        if (!done) return fail(std::move(done));
        return {};
    }

    /// SubsetThatCouldBeReferencedByResource
    bool reachable(Resource const& object) const {
        auto const& mine = referrer_.id();
        auto const& theirs = object.id();
        return mine.gvk.cluster_scoped || theirs.gvk.cluster_scoped || theirs.same_namespace(mine) ||
               subject_namespaces_.contains(object.ns());
    }

    bool in_namespace(Resource const& object, std::string_view ns, bool originally) const {
        return (originally ? object.original_id() : object.id()).effective_namespace() == ns && ns != kNotNamespaced;
    }

    bool role_ref_fits(Resource const& object) const {
        if (!rule_->spec->path.ends_with("roleRef/name")) return true;
        auto const* const ref = referrer_.root()->find("roleRef");
        auto const* const group = ref ? ref->find("apiGroup") : nullptr;
        auto const* const kind = ref ? ref->find("kind") : nullptr;
        if (!group || !kind) return true;
        Gvk const wanted{std::string{group->value()}, "", std::string{kind->value()}};
        return once_selected_by(object, wanted);
    }

    static bool once_selected_by(Resource const& object, Gvk const& gvk) {
        for (auto const& id : object.previous_ids()) {
            if (id.gvk.selected_by(gvk)) return true;
        }
        return false;
    }

    bool same_namespace_now(Resource const& object) const {
        auto const& mine = referrer_.id();
        if (mine.gvk.cluster_scoped) return true;
        auto const& theirs = object.id();
        return theirs.gvk.cluster_scoped || object.kind() == "ServiceAccount" || mine.same_namespace(theirs);
    }

    /// selectReferral. `ns_node` limits the candidates when the reference names a namespace.
    Result<Resource*> select(std::string_view old_name, Node const* ns_node, bool with_namespace) {
        Objects candidates;
        auto const& named = index_.named(old_name);
        if (named.empty()) return nullptr;
        bool originally = false;
        std::string_view ns;
        if (ns_node) {
            ns = ns_node->value();
            for (auto const* object : index_.originally_in(ns)) originally = originally || reachable(*object);
        }
        for (auto* const object : named) {
            if (!reachable(*object) || (ns_node && !in_namespace(*object, ns, originally))) continue;
            if (!once_selected_by(*object, *rule_->target) || !role_ref_fits(*object)) continue;
            if (same_namespace_now(*object)) candidates.push_back(object);
        }
        if (candidates.size() == 1) return candidates.front();
        std::erase_if(candidates, [&](auto const* object) { return !object->same_affixes(referrer_, true); });
        if (candidates.size() > 1) {
            std::erase_if(candidates, [&](auto const* object) { return !object->same_affixes(referrer_, false); });
        }
        if (candidates.empty()) return nullptr;
        if (candidates.size() == 1 || same_names(candidates, with_namespace)) return candidates.front();
        return ambiguous(candidates);
    }

    Result<Resource*> ambiguous(Objects const& candidates) const {
        std::string ids, details = "\n**** Too many possible referral targets to referrer:\n";
        details += text_of(referrer_).value_or("") + "\n";
        for (std::size_t i = 0; i < candidates.size(); ++i) {
            ids += (i > 0 ? ", " : "") + candidates[i]->id().str();
            details +=
                "--- possible referral " + std::to_string(i) + ":\n" + text_of(*candidates[i]).value_or("") + "\n";
        }
        return fail(Errc::invalid_input, "found multiple possible referrals: " + ids + "\n" + details);
    }

    Index const& index_;
    Resource& referrer_;
    Rule const* rule_ = nullptr;
    std::set<std::string, std::less<>> subject_namespaces_;
};

}  // namespace

Result<void> fix_references(std::vector<NameBackReferences> const& references, ResMap& objects) {
    std::vector<Rule> rules;
    for (auto const& reference : references) {
        for (auto const& spec : reference.referrers) {
            rules.push_back({&reference.gvk, &spec, {.path = spec.path}});
        }
    }
    std::map<std::string, std::vector<Rule const*>, std::less<>> by_kind;
    Index const index{objects};
    for (auto* const object : objects.all()) {
        auto const original = object->original_id();
        auto [entry, is_new] = by_kind.try_emplace(original.gvk.kind);
        if (is_new) {
            for (auto const& rule : rules) {
                if (rule.spec->kind.empty() || rule.spec->kind == original.gvk.kind) entry->second.push_back(&rule);
            }
        }
        std::optional<Fixer> fixer;
        for (auto const* rule : entry->second) {
            if (!original.gvk.selected_by({rule->spec->group, rule->spec->version, rule->spec->kind})) continue;
            if (!fixer) {
                fixer.emplace(index, *object);
                if (auto ok = fixer->read_subjects(); !ok) return ok;
            }
            if (auto ok = fixer->fix(*rule); !ok) return ok;
        }
    }
    return {};
}

}  // namespace holdfast::kustomize
