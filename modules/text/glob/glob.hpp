// modules/text/glob/glob.hpp: path patterns with exactly gobwas/glob's meaning, slips included, as Helm's .Files.Glob uses it.
// Pure. Reading order: glob.hpp, syntax.hpp, syntax.cpp, matcher.hpp, matcher.cpp, compile.cpp.
#pragma once

#include "modules/base/error.hpp"

#include <cstddef>
#include <memory>
#include <string_view>

namespace holdfast::glob {

inline constexpr std::size_t kPatternBytesMax = 4096;
inline constexpr std::size_t kDepthMax = 64;  // nesting of { }

class Matcher;

class Glob {
public:
    explicit Glob(std::shared_ptr<Matcher const> matcher);
    bool match(std::string_view text) const;

private:
    std::shared_ptr<Matcher const> matcher_;
};

/// `*` any run without separators, `**` any run, `?` one character, `[a-z]` `[!abc]` classes, `{a,b}` either, `\` escapes.
///
/// In      separators  ASCII characters that * and ? do not match
/// Errors  invalid_input  gobwas' text ("unexpected end of input"); limit  pattern too long or nested too deep
/// Cost    compile O(pattern^3), match up to O(text^2) per level of the compiled tree
/// Source  github.com/gobwas/glob v0.2.3
Result<Glob> compile(std::string_view pattern, std::string_view separators);

/// Go's path/filepath.Match, as .helmignore and --show-only use it: no `**`, no braces; the whole name must match.
/// Errors  invalid_input  "syntax error in pattern"
Result<bool> match_path(std::string_view pattern, std::string_view name);

}  // namespace holdfast::glob
