// modules/patch/selector.hpp: label selectors: "app=web,tier in (a,b),!canary".
#pragma once

#include "modules/base/error.hpp"
#include "modules/yaml/node.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::patch {

/// Kubernetes' labels.Selector.
class LabelSelector {
public:
    /// Errors  invalid_input  labels.Parse's text: "unable to parse requirement: ..."
    ///         limit          limits::kPatchSelectorBytesMax
    static Result<LabelSelector> parse(std::string_view text);

    /// Of a map node with scalar values (metadata.labels); nullptr is an empty map.
    bool matches(yaml::Node const* labels) const;
    bool matches(std::map<std::string, std::string, std::less<>> const& labels) const;

    /// The labels that it looks at.
    std::vector<std::string> keys() const;

    bool empty() const { return requirements_.empty(); }

private:
    enum class Operator : std::uint8_t { in, not_in, exists, not_exists, greater, less };
    struct Requirement {
        std::string key;
        Operator op;
        std::vector<std::string> values;
        bool matches(std::string_view const* found) const;
    };
    struct Parser;
    std::vector<Requirement> requirements_;
};

/// RNode.MatchesLabelSelector / MatchesAnnotationSelector: reads metadata.labels or metadata.annotations.
Result<bool> matches_labels(yaml::Node const& object, std::string_view selector);
Result<bool> matches_annotations(yaml::Node const& object, std::string_view selector);

}  // namespace holdfast::patch
