// modules/kustomize/resmap.hpp: the objects of a build, in the order they came, no two with one id.
#pragma once

#include "modules/base/error.hpp"
#include "modules/kustomize/resource.hpp"

#include <string>
#include <unordered_map>
#include <vector>

namespace holdfast::kustomize {

/// Points to objects that the Context owns.
class ResMap {
public:
    std::vector<Resource*> const& all() const { return list_; }
    std::size_t size() const { return list_.size(); }

    /// Errors  "may not add resource with an already registered id: ..."
    Result<void> append(Resource* object);
    Result<void> append_all(std::vector<Resource*> const& objects);
    /// AbsorbAll: appends, or replaces or merges as the object's behavior annotation says.
    Result<void> absorb(Resource* object);
    void drop_empty();
    void assign(std::vector<Resource*> objects) { list_ = std::move(objects); }

    std::vector<Resource*> by_any_id(auto&& matches) const {
        std::vector<Resource*> found;
        for (auto* const object : list_) {
            if (!object->gone() && object->any_id(matches)) found.push_back(object);
        }
        return found;
    }
    /// GetById, for patches. Errors: "no matches for Id ...; failed to find unique target for patch ..."
    Result<Resource*> unique(ResId const& id) const;
    /// Select: names, kinds and namespaces by regular expression, labels and annotations by selector.
    Result<std::vector<Resource*>> select(Selector const& selector) const;

    /// ApplySmPatch: merges `patch` into those of `targets`, and drops what the patch deletes.
    Result<void> apply_patch(std::vector<ResId> const& targets, Resource const& patch);

private:
    std::vector<Resource*> list_;
};

/// Resource.ApplySmPatch: strategic merge that keeps name and kind unless the patch may change them. `patch` is
/// used up.
Result<void> merge_patch(Resource& target, Resource& patch);

}  // namespace holdfast::kustomize
