// modules/text/glob/compile.cpp: tree to matchers, with gobwas' rewriting steps because they decide what odd patterns match.
#include "modules/text/glob/glob.hpp"
#include "modules/text/glob/matcher.hpp"

#include <algorithm>
#include <optional>
#include <span>

namespace holdfast::glob {
namespace {

using Kind = Matcher::Kind;

std::shared_ptr<Matcher> make(Kind kind) { return std::make_shared<Matcher>(kind); }

MatcherPtr with_text(Kind kind, std::string first, std::string second = {}) {
    auto made = make(kind);
    made->first = std::move(first);
    made->second = std::move(second);
    return made;
}

MatcherPtr with_set(Kind kind, std::u32string set, std::string first = {}) {
    auto made = make(kind);
    made->set = std::move(set);
    made->first = std::move(first);
    return made;
}

MatcherPtr with_limit(Kind kind, std::size_t limit) {
    auto made = make(kind);
    made->limit = limit;
    return made;
}

bool is(MatcherPtr const& matcher, Kind kind) { return matcher && matcher->kind == kind; }

MatcherPtr optimize_tree(Matcher const& tree, MatcherPtr const& same);

MatcherPtr optimize(MatcherPtr const& matcher) {
    if (!matcher) return matcher;
    switch (matcher->kind) {
        case Kind::any: return matcher->set.empty() ? make(Kind::super) : matcher;
        case Kind::any_of: return matcher->parts.size() == 1 ? matcher->parts[0] : matcher;
        case Kind::list:
            return !matcher->negated && matcher->set.size() == 1 ? with_text(Kind::text, to_utf8(matcher->set))
                                                                 : matcher;
        case Kind::tree: return optimize_tree(*matcher, matcher);
        default: return matcher;
    }
}

MatcherPtr optimize_tree(Matcher const& tree, MatcherPtr const& same) {
    auto const left = optimize(tree.left);
    auto const right = optimize(tree.right);
    if (tree.value->kind != Kind::text) return same;
    auto const& text = tree.value->first;
    if (!left && !right) return with_text(Kind::text, text);
    if (is(left, Kind::super) && is(right, Kind::super)) return with_text(Kind::contains, text);
    if (is(left, Kind::super) && !right) return with_text(Kind::suffix, text);
    if (is(right, Kind::super) && !left) return with_text(Kind::prefix, text);
    if (!left && is(right, Kind::suffix)) return with_text(Kind::prefix_suffix, text, right->first);
    if (!right && is(left, Kind::prefix)) return with_text(Kind::prefix_suffix, left->first, text);
    if (!right && is(left, Kind::any)) return with_set(Kind::suffix_any, left->set, text);
    if (!left && is(right, Kind::any)) return with_set(Kind::prefix_any, right->set, text);
    auto made = make(Kind::tree);
    made->value = tree.value;
    made->left = left;
    made->right = right;
    return made;
}

using Span = std::span<MatcherPtr const>;

bool is_of_every(Matcher const& m) {
    return m.kind == Kind::super || m.kind == Kind::any || m.kind == Kind::single ||
           (m.kind == Kind::list && m.negated);
}
std::u32string separators_of(Matcher const& m) { return m.kind == Kind::super ? std::u32string{} : m.set; }

MatcherPtr glue_every(Span matchers) {
    bool any = false, super = false, single = false;
    std::size_t least = 0;
    std::u32string separators;
    for (std::size_t i = 0; i < matchers.size(); ++i) {
        auto const& m = *matchers[i];
        auto const set = separators_of(m);
        if (!is_of_every(m)) return nullptr;
        if (m.kind == Kind::super) super = true;
        else if (m.kind == Kind::any) any = true;
        else single = true, ++least;
        if (i == 0) separators = set;
        if (set != separators) return nullptr;
    }
    if (super && !any && !single) return make(Kind::super);
    if (any && !super && !single) return with_set(Kind::any, separators);
    if ((any || super) && least > 0 && separators.empty()) return with_limit(Kind::min, least);
    auto every = make(Kind::every_of);
    if (least > 0) {
        every->parts.push_back(with_limit(Kind::min, least));
        if (!any && !super) every->parts.push_back(with_limit(Kind::max, least));
    }
    if (!separators.empty()) {
        auto without = make(Kind::contains);
        without->first = to_utf8(separators);
        without->negated = true;
        every->parts.push_back(std::move(without));
    }
    return every;
}

MatcherPtr glue_row(Span matchers) {
    auto row = make(Kind::row);
    for (auto const& matcher : matchers) {
        auto const length = matcher->runes();
        if (length == -1) return nullptr;
        row->limit += static_cast<std::size_t>(length);
        row->parts.push_back(matcher);
    }
    return row;
}

MatcherPtr glue(Span matchers) {
    if (matchers.size() <= 1) return nullptr;
    if (auto every = glue_every(matchers)) return every;
    return glue_row(matchers);
}

/// How many of the first matchers glue() takes: what it refuses it refuses with more behind it too.
std::size_t glueable(Span matchers) {
    auto const ends_row = [](MatcherPtr const& matcher) { return matcher->runes() == -1; };
    auto const in_row = static_cast<std::size_t>(std::ranges::find_if(matchers, ends_row) - matchers.begin());
    std::size_t in_every = 0;
    while (in_every < matchers.size() && is_of_every(*matchers[in_every]) &&
           separators_of(*matchers[in_every]) == separators_of(*matchers[0]))
        ++in_every;
    return std::max(in_row, in_every);
}

/// Glues the longest run; of two as long, the one of more characters. A part of a run has neither more of them nor is it
/// longer, so only whole runs compete.
std::vector<MatcherPtr> minimize(std::vector<MatcherPtr> matchers) {
    for (;;) {
        MatcherPtr done;
        std::size_t from = 0, count = 0;
        for (std::size_t l = 0; l < matchers.size(); ++l) {
            auto const length = glueable(Span{matchers}.subspan(l));
            // Within a run that was looked at from its start there is nothing longer.
            if (length <= 1 || (done && length < count && l + length <= from + count)) continue;
            auto glued = glue(Span{matchers}.subspan(l, length));
            bool const more = done && done->runes() > -1 && glued->runes() > done->runes();
            if (done && count >= length && !more) continue;
            done = std::move(glued);
            from = l;
            count = length;
        }
        if (!done) return matchers;
        matchers.erase(matchers.begin() + static_cast<std::ptrdiff_t>(from) + 1,
                       matchers.begin() + static_cast<std::ptrdiff_t>(from + count));
        matchers[from] = std::move(done);
    }
}

MatcherPtr compile_matchers(Span matchers) {
    if (matchers.size() == 1) return matchers[0];
    if (auto glued = glue(matchers)) return glued;
    std::ptrdiff_t longest = -1;
    std::optional<std::size_t> at;
    for (std::size_t i = 0; i < matchers.size(); ++i) {
        auto const length = matchers[i]->runes();
        if (length == -1 || length < longest) continue;
        longest = length;
        at = i;
    }
    auto tree = make(Kind::tree);
    auto const index = at.value_or(0);
    tree->value = matchers[index];
    if (index > 0) tree->left = compile_matchers(matchers.first(index));
    if (index + 1 < matchers.size()) tree->right = compile_matchers(matchers.subspan(index + 1));
    return tree;
}

/// Takes what all alternatives of {a,b} begin or end with out of the braces; nothing when there is none.
std::optional<Node> hoist_common(Node const& choice) {
    auto const& all = choice.children;
    if (all.size() <= 1) return std::nullopt;
    auto const shortest = static_cast<std::size_t>(
        std::ranges::min_element(all, {}, [](Node const& n) { return n.children.size(); }) - all.begin());
    auto const& base = all[shortest].children;
    std::size_t const length = base.size();
    std::size_t lefts = 0;
    std::size_t right_from = length;
    bool break_left = false, break_right = false;
    std::vector<Node> right_nodes(length);
    std::size_t total = 0;
    for (std::size_t i = 0; total < length && i < length && !(break_left && break_right); ++i) {
        std::size_t const j = length - 1 - i;
        for (std::size_t k = 0; k < all.size() && !(break_left && break_right); ++k) {
            if (k == shortest) continue;
            auto const& other = all[k].children;
            break_left = break_left || !(base[i] == other[i]);
            break_right = break_right || (!break_left && j <= i);
            break_right = break_right || !(base[j] == other[j + other.size() - length]);
        }
        if (!break_left) {
            ++total;
            ++lefts;
        }
        if (!break_right) {
            ++total;
            right_from = j;
        }
    }
    std::size_t const rights = length - right_from;
    if (lefts == 0 && rights == 0) return std::nullopt;
    auto const slice = [](std::vector<Node> const& from, std::size_t begin, std::size_t end) {
        Node node;
        node.children.assign(from.begin() + static_cast<std::ptrdiff_t>(begin),
                             from.begin() + static_cast<std::ptrdiff_t>(end));
        return node;
    };
    Node result;
    if (lefts > 0) result.children.push_back(slice(base, 0, lefts));
    std::vector<Node> rest;
    for (auto const& alternative : all) {
        Node node = slice(alternative.children, lefts, alternative.children.size() - rights);
        if (node.children.empty()) node = Node{.kind = Node::Kind::nothing};
        if (std::ranges::find(rest, node) == rest.end()) rest.push_back(std::move(node));
    }
    if (rest.size() == 1 && rest[0].kind != Node::Kind::nothing) {
        result.children.push_back(std::move(rest[0]));
    } else if (rest.size() > 1) {
        result.children.push_back(Node{.kind = Node::Kind::any_of, .children = std::move(rest)});
    }
    if (rights > 0) result.children.push_back(slice(base, right_from, length));
    return result;
}

MatcherPtr compile_node(Node const& node, std::u32string const& separators);

std::vector<MatcherPtr> compile_children(Node const& node, std::u32string const& separators) {
    std::vector<MatcherPtr> made;
    for (auto const& child : node.children) made.push_back(optimize(compile_node(child, separators)));
    return made;
}

MatcherPtr compile_node(Node const& node, std::u32string const& separators) {
    switch (node.kind) {
        case Node::Kind::any_of: {
            bool const plain =
                std::ranges::all_of(node.children, [](Node const& n) { return n.kind == Node::Kind::pattern; });
            if (plain) {
                if (auto const hoisted = hoist_common(node)) return compile_node(*hoisted, separators);
            }
            auto made = make(Kind::any_of);
            made->parts = compile_children(node, separators);
            return made;
        }
        case Node::Kind::pattern:
            if (node.children.empty()) return make(Kind::nothing);
            return optimize(compile_matchers(minimize(compile_children(node, separators))));
        case Node::Kind::any: return optimize(with_set(Kind::any, separators));
        case Node::Kind::super: return make(Kind::super);
        case Node::Kind::single: return with_set(Kind::single, separators);
        case Node::Kind::nothing: return make(Kind::nothing);
        case Node::Kind::list: {
            auto made = make(Kind::list);
            made->set = node.text;
            made->negated = node.negated;
            return optimize(made);
        }
        case Node::Kind::range: {
            auto made = make(Kind::range);
            made->low = node.low;
            made->high = node.high;
            made->negated = node.negated;
            return made;
        }
        case Node::Kind::text: return with_text(Kind::text, to_utf8(node.text));
    }
    return make(Kind::nothing);
}

}  // namespace

Glob::Glob(std::shared_ptr<Matcher const> matcher) : matcher_(std::move(matcher)) {}

Result<bool> Glob::match(std::string_view text, Looks& looks) const {
    auto const matched = matcher_->match(text, looks);
    if (looks.spent()) return fail(Errc::limit, "the pattern takes too long to match");
    return matched;
}

Result<Glob> compile(std::string_view pattern, std::string_view separators) {
    auto const tree = parse(pattern);
    if (!tree) return fail(Result<Node>{tree});
    return Glob{compile_node(*tree, std::u32string{separators.begin(), separators.end()})};
}

}  // namespace holdfast::glob
