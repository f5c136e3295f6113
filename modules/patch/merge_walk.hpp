// modules/patch/merge_walk.hpp: the walk through two trees at once; for merge.cpp and merge_list.cpp only.
#pragma once

#include "modules/patch/merge.hpp"

#include <boost/json/value.hpp>

#include <deque>
#include <string>
#include <vector>

namespace holdfast::patch {

/// What a walk made of two nodes. kyaml tells its wrappers apart by address; here `from` says which one it is.
struct Merged {
    enum class From : std::uint8_t { made, target, patch };
    yaml::Node* node = nullptr;  // nullptr: to be removed
    From from = From::made;
    bool keep_null = false;
};

class MergeWalk {
public:
    MergeWalk(yaml::Arena& arena, Schema const& schema, MergeOptions options)
        : arena_{arena}, schema_{schema}, options_{options} {}

    Result<Merged> walk(TypeSchema type, yaml::Node* target, yaml::Node* patch);

private:
    using Keys = std::vector<std::string_view>;
    using Values = std::vector<std::string_view>;  // one per key; "" when the element lacks it

    enum class Directive : std::uint8_t { merge, replace, remove };

    Result<Merged> walk_as(TypeSchema type, yaml::Node* target, yaml::Node* patch);
    Result<Merged> walk_map(TypeSchema type, yaml::Node* target, yaml::Node* patch);
    Result<Merged> walk_list(TypeSchema type, yaml::Node* target, yaml::Node* patch);
    Result<Merged> visit_map(yaml::Node* target, yaml::Node* patch);
    Result<Merged> visit_list(yaml::Node* target, yaml::Node* patch);
    Result<Directive> take_directive(yaml::Node* patch);
    void carry_comments(yaml::Node* target, yaml::Node const* patch);
    TypeSchema type_of(TypeSchema type, yaml::Node const* target, yaml::Node const* patch);
    TypeSchema type_in_comments(yaml::Node const* node);
    Result<void> spend(std::size_t steps);

    Result<std::vector<Values>> element_values(Keys const& keys, yaml::Node* target, yaml::Node* patch);
    Result<std::string_view> inferred_key(yaml::Node* target, yaml::Node* patch);
    Result<Merged> merge_elements(TypeSchema elements, Keys keys, std::vector<Values> values, Merged list,
                                  yaml::Node* patch);

    std::string path_text() const;

    class SourceIndex;
    class GrowingList;

    yaml::Arena& arena_;
    Schema const& schema_;
    MergeOptions options_;
    std::vector<std::string_view> path_;  // fields since the last list element; for error texts
    std::size_t depth_ = 0;
    std::size_t steps_ = 0;
    std::deque<boost::json::value> comment_types_;
};

}  // namespace holdfast::patch
