// modules/kustomize/build.cpp: krusty's Run: the top kustomization, the order and the last touches.
#include "modules/kustomize/context.hpp"
#include "modules/kustomize/emit.hpp"
#include "modules/kustomize/kustomize.hpp"
#include "modules/kustomize/memo.hpp"
#include "modules/kustomize/target.hpp"

#include <algorithm>

namespace holdfast::kustomize {
namespace {

constexpr auto kManagedBy = "kustomize-v5.8.1";

bool has(std::vector<std::string> const& list, std::string_view item) {
    return std::find(list.begin(), list.end(), item) != list.end();
}

Result<void> sort_output(ResMap& objects, Kustomization const& kustomization, Context& context) {
    using Reorder = Options::Reorder;
    if (kustomization.sort_options) {
        if (context.options.reorder != Reorder::unspecified) {
            context.warn("Warning: Sorting order is set both in 'kustomization.yaml' ('sortOptions') and in a CLI flag "
                         "('--reorder'). Using the kustomization file over the CLI flag.");
        }
        return sort_objects(kustomization.sort_options)(objects);
    }
    if (context.options.reorder == Reorder::none) return {};
    return sort_objects(SortOptions{.order = "legacy"})(objects);
}

/// Removes what was noted for the build's own use.
Result<void> clean(ResMap& objects, std::vector<std::string> const& build_metadata) {
    bool const keep_origin = has(build_metadata, "originAnnotations");
    bool const keep_steps = has(build_metadata, "transformerAnnotations");
    for (auto* const object : objects.all()) {
        if (auto ok = settle_folded(object->context().arena, *object->edit()); !ok) return ok;
        if (auto ok = object->remove_build_annotations(); !ok) return ok;
        auto notes = object->annotations();
        if (!keep_origin) notes.erase(std::string{annotation::kOrigin});
        if (!keep_steps) notes.erase(std::string{annotation::kTransformations});
        if (keep_origin && keep_steps) continue;
        if (auto ok = object->set_annotations(notes); !ok) return ok;
    }
    return {};
}

struct Owner {
    std::shared_ptr<Options const> options;
    Context context;
    Owner(std::shared_ptr<Options const> given, std::string root) : options{given}, context{*given, std::move(root)} {}
};

/// What a failed build has to say beside its error.
Error tell(Error error, Context& context, std::string const& directory) {
    if (context.options.failed_warnings) *context.options.failed_warnings = std::move(context.warnings);
    auto const top = context.files.resolve(directory);
    if (!top) return error;
    while (error.message.ends_with('\n')) error.message.pop_back();
    error.message += context.blame.told(top->path(), directory);
    return error;
}

Result<Built> run(std::shared_ptr<Owner> const& owner, std::string const& directory) {
    auto const& given = owner->options;
    auto& context = owner->context;
    auto loader = Loader::open(context.files, directory,
                               given->load_restrictions_none ? LoadRestrictor::none : LoadRestrictor::root_only,
                               given->remotes, given->remote_refusal);
    if (!loader) return fail(std::move(loader));
    Memo memo;
    Target target{context, std::move(*loader), memo};
    if (auto ok = target.load(true); !ok) return fail(std::move(ok));
    memo.survey(target.loader(), target.kustomization());
    if (context.needs_fetching()) return fail(Errc::offline, "remote resources are not fetched yet");
    auto objects = target.build();
    if (!objects) return fail(std::move(objects));
    auto const& kustomization = target.kustomization();
    if (auto ok = sort_output(*objects, kustomization, context); !ok) return fail(std::move(ok));
    if (given->managed_by_label || has(kustomization.build_metadata, "managedByLabel")) {
        auto const label =
            add_labels({{"app.kubernetes.io/managed-by", kManagedBy}}, {{.path = "metadata/labels", .create = true}});
        if (auto ok = label(*objects); !ok) return fail(std::move(ok));
    }
    if (auto ok = clean(*objects, kustomization.build_metadata); !ok) return fail(std::move(ok));
    Built built;
    for (auto const* object : objects->all()) {
        built.objects.push_back({std::string{object->api_version()}, std::string{object->kind()},
                                 std::string{object->name()}, std::string{object->ns()},
                                 object->id().gvk.cluster_scoped, object->root()});
    }
    built.warnings = context.warnings;
    built.owner = owner;
    return built;
}

}  // namespace

Result<Built> build(std::string const& directory, Options const& options) {
    auto const given = std::make_shared<Options const>(options);
    std::string root;
    if (given->files != nullptr) {
        root = given->root;
    } else if (!given->root.empty()) {
        Files outer{"", {0, 0}};
        auto resolved = outer.resolve(given->root);
        if (!resolved) return fail(std::move(resolved), "root");
        root = resolved->path();
    }
    auto const owner = std::make_shared<Owner>(given, std::move(root));
    auto built = run(owner, directory);
    if (!built) return std::unexpected{tell(std::move(built).error(), owner->context, directory)};
    return built;
}

Result<std::string> Built::text_of(Object const& object) const { return kustomize::text_of(*object.node); }

Result<std::string> Built::text() const {
    std::string out;
    for (auto const& object : objects) {
        auto one = text_of(object);
        if (!one) return one;
        if (!out.empty()) out += "---\n";
        out += *one;
    }
    return out;
}

}  // namespace holdfast::kustomize
