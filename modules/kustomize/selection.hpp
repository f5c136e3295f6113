// modules/kustomize/selection.hpp: selectors of patches and replacements, compiled.
#pragma once

#include "modules/base/error.hpp"
#include "modules/kustomize/resource.hpp"
#include "modules/kustomize/types.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace holdfast::kustomize {

/// One anchored regular expression; empty matches all, plain text compares.
class Pattern {
public:
    /// Errors  Go's: "error parsing regexp: ..."
    static Result<Pattern> make(std::string const& text);
    bool matches(std::string_view text) const;

private:
    std::string literal_;
    std::shared_ptr<re2::RE2 const> regex_;
};

/// types.SelectorRegex
class IdMatcher {
public:
    static Result<IdMatcher> make(Selector const& selector);
    bool gvk(Gvk const& gvk) const {
        return kind_.matches(gvk.kind) && group_.matches(gvk.group) && version_.matches(gvk.version);
    }
    bool name(std::string_view name) const { return name_.matches(name); }
    bool ns(std::string_view ns) const { return ns_.matches(ns); }
    bool empty() const { return empty_; }

private:
    Pattern group_, version_, kind_, name_, ns_;
    bool empty_ = true;  // every part is
};

/// Select's condition for one object.
class ObjectMatcher {
public:
    static Result<ObjectMatcher> make(Selector const& selector);
    /// Errors  a label or annotation selector that cannot be parsed; only found when an object gets that far
    Result<bool> matches(Resource const& object) const;

private:
    IdMatcher ids_;
    std::string labels_, annotations_;
};

/// The type and Go's wording of a broken expression, from RE2's.
std::string go_regex_error(std::string_view re2_error, std::string_view pattern);

}  // namespace holdfast::kustomize
