// modules/kustomize/t_namespace.cpp: namespace, also of what role bindings name.
#include "modules/kustomize/context.hpp"
#include "modules/kustomize/emit.hpp"
#include "modules/kustomize/transformers.hpp"
#include "modules/patch/field.hpp"
#include "modules/patch/path.hpp"

#include <unordered_map>

namespace holdfast::kustomize {
namespace {

using yaml::Node;

bool is_role_binding(std::string_view kind) { return kind == "RoleBinding" || kind == "ClusterRoleBinding"; }

class Namespacer {
public:
    explicit Namespacer(NamespaceArgs const& args) : args_{args} {}

    Result<void> run(Resource& object) const {
        auto& arena = object.context().arena;
        auto const setter = args_.unset_only ? patch::set_entry_if_empty(arena, "", args_.ns, yaml::Tag::string)
                                             : patch::set_entry(arena, "", args_.ns, yaml::Tag::string);
        auto const api_version = std::string{object.api_version()};
        auto const gvk = object.id().gvk;
        auto& root = *object.edit();
        if (!gvk.cluster_scoped) {
            static FieldSpec const kMetadata{.path = "metadata/namespace", .create = true};
            if (auto ok = patch::apply(arena, kMetadata, root, setter, {yaml::Kind::scalar}); !ok) return ok;
        }
        bool const binding = is_role_binding(gvk.kind);
        if (binding) {
            if (auto ok = bind(arena, root, setter); !ok) return ok;
        }
        for (auto const& spec : args_.specs) {
            if (spec.path == "metadata/namespace") continue;
            if (spec.path == "metadata/name" && api_version != "v1") continue;
            if (binding && is_role_binding(spec.kind) && spec.path == "subjects/namespace") continue;
            auto ok = patch::apply(arena, spec, root, setter, {yaml::Kind::scalar, yaml::Tag::string});
            if (ok) continue;
            auto const wrong = ok.error().message.find("expected ScalarNode but got") != std::string::npos;
            return fail(std::move(ok),
                        wrong ? "namespace field specs must target scalar nodes" : "namespace transformation failed");
        }
        return {};
    }

private:
    Result<void> bind(yaml::Arena& arena, Node& root, patch::Visit const& setter) const {
        if (args_.subjects == "none") return {};
        auto subjects = patch::lookup(root, {"subjects"});
        if (!subjects) return fail(std::move(subjects));
        if (patch::is_null(*subjects)) return {};
        constexpr auto kStep = "setting namespace on (cluster)role binding subjects";
        if (auto ok = patch::require(*subjects, yaml::Kind::sequence); !ok) return fail(std::move(ok), kStep);
        bool const accounts = args_.subjects == "allServiceAccounts";
        for (auto* const subject : (*subjects)->items()) {
            auto field = patch::get(subject, accounts ? "kind" : "name");
            if (!field) {
                return fail(fail_in(std::move(field), accounts ? "looking up kind on (cluster)role binding subject"
                                                               : "looking up name on (cluster)role binding subject"),
                            kStep);
            }
            if (patch::is_null(*field) || (*field)->value() != (accounts ? "ServiceAccount" : "default")) continue;
            auto ns = patch::lookup_create(arena, *subject, yaml::Kind::scalar, {"namespace"});
            if (!ns) return fail(std::move(ns), kStep);
            if (!*ns) continue;
            if (auto ok = setter(**ns); !ok) return fail(std::move(ok), kStep);
        }
        return {};
    }

    static Result<void> fail_in(Result<Node*>&& failed, std::string_view step) { return fail(std::move(failed), step); }

    NamespaceArgs const& args_;
};

Result<void> conflict(ResMap const& objects, ResId const& id) {
    std::string list = "[";
    for (auto const* object : objects.all()) {
        if (!object->id().same(id)) continue;
        if (list.size() > 1) list += ' ';
        list += json_of(*object);
    }
    return fail(Errc::invalid_input, "namespace transformation produces ID conflict: " + list + "]");
}

}  // namespace

Transform set_namespaces(NamespaceArgs args) {
    return [args = std::move(args)](ResMap& objects) -> Result<void> {
        if (args.ns.empty()) return {};
        Namespacer const namespacer{args};
        std::unordered_map<std::size_t, std::size_t> count;  // of current ids, by hash
        for (auto const* object : objects.all()) ++count[object->id().hash()];
        for (auto* const object : objects.all()) {
            if (object->gone()) continue;
            if (object->annotation_of(annotation::kHelmGenerated) == "true") continue;
            --count[object->id().hash()];
            object->store_previous_id();
            if (auto ok = namespacer.run(*object); !ok) return ok;
            auto const& id = object->id();
            if (++count[id.hash()] == 1) continue;
            std::size_t same = 0;
            for (auto const* other : objects.all()) same += other->id().same(id) ? 1 : 0;
            if (same != 1) return conflict(objects, id);
        }
        return {};
    };
}

}  // namespace holdfast::kustomize
