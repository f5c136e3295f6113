// modules/kustomize/memo.hpp: results of directories that several kustomizations refer to.
#pragma once

#include "modules/kustomize/target.hpp"

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace holdfast::kustomize {

/// Without it a diamond of n levels is built 2^n times.
class Memo {
public:
    struct Entry {
        Accumulator result;              // untouched copies
        std::vector<std::string> roots;  // directories built on the way
    };

    /// Reads the kustomization files below `top` once, following resources and components, and counts how often
    /// each directory is named. Notes what is remote and missing. Errors are left for the build to find.
    void survey(Loader const& top, Kustomization const& kustomization);
    bool is_shared(std::string const& root) const;

    Entry const* find(std::string const& key) const;
    Result<void> keep(Context& context, std::string const& key, Accumulator const& result,
                      std::vector<std::string> roots);
    /// Copies of an entry's objects.
    static Result<Accumulator> copy(Context& context, Accumulator const& from);

    std::vector<std::string> visited;  // roots built so far, in order
    std::size_t clones = 0;            // how many of them were named by a URL

private:
    void visit(Loader const& loader, Kustomization const& kustomization, std::size_t depth, std::size_t weight);
    void follow(Loader const& loader, std::string const& path, std::size_t depth, std::size_t weight,
                std::size_t inner_weight);

    std::unordered_map<std::string, std::size_t> references_;
    std::unordered_map<std::string, Entry> entries_;
};

}  // namespace holdfast::kustomize
