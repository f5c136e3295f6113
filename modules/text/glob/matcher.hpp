// modules/text/glob/matcher.hpp: compiled patterns, private to this folder. The set of kinds is gobwas': each answers
// whether a whole text matches, and where in a text it first matches with which possible lengths.
#pragma once

#include "modules/text/glob/glob.hpp"
#include "modules/text/glob/syntax.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::glob {

using MatcherPtr = std::shared_ptr<Matcher const>;

struct Found {
    std::ptrdiff_t index = -1;           // byte where the match starts, -1 for none
    std::vector<std::size_t> lengths{};  // possible lengths in bytes, ascending
};

class Matcher {
public:
    enum class Kind {
        any,
        any_of,
        tree,
        contains,
        every_of,
        list,
        max,
        min,
        nothing,
        prefix,
        prefix_any,
        prefix_suffix,
        range,
        row,
        single,
        suffix,
        suffix_any,
        super,
        text
    };

    explicit Matcher(Kind k) : kind(k) {}
    /// Of what a match gives nothing counts once `looks` are spent.
    bool match(std::string_view text, Looks& looks) const;
    Found find(std::string_view text, Looks& looks) const;
    /// Characters matched when that is fixed, else -1. Counted once: a finished matcher does not change.
    std::ptrdiff_t runes() const {
        if (!runes_) runes_ = count();
        return *runes_;
    }

    Kind kind;
    std::u32string set;    // separators (any, single, *_any) or characters (list)
    std::string first;     // text, prefix, needle
    std::string second;    // suffix
    bool negated = false;  // list, range, contains
    char32_t low = 0;
    char32_t high = 0;
    std::size_t limit = 0;          // min, max; runes of a row
    std::vector<MatcherPtr> parts;  // any_of, every_of, row
    MatcherPtr value, left, right;  // tree

private:
    std::ptrdiff_t count() const;
    bool match_tree(std::string_view text, Looks& looks) const;
    bool row_matches(std::string_view text, Looks& looks) const;
    Found find_any_of(std::string_view text, Looks& looks) const;
    Found find_every_of(std::string_view text, Looks& looks) const;
    Found find_affix(std::string_view text) const;
    bool accepts(char32_t rune) const;

    mutable std::optional<std::ptrdiff_t> runes_;
};

}  // namespace holdfast::glob
