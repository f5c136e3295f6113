// modules/text/glob/glob.hpp: path patterns with exactly gobwas/glob's meaning, slips included, as Helm's .Files.Glob uses it.
// Pure. Reading order: glob.hpp, syntax.hpp, syntax.cpp, matcher.hpp, matcher.cpp, compile.cpp.
#pragma once

#include "modules/base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace holdfast::glob {

inline constexpr std::size_t kPatternBytesMax = 4096;
inline constexpr std::size_t kDepthMax = 64;  // nesting of { }

class Matcher;

/// Characters and parts of patterns looked at, and how many may be.
struct Looks {
    std::uint64_t count = 0;
    std::uint64_t max = UINT64_MAX;
    bool spent() const { return count > max; }
    void add(std::uint64_t looks) { count += looks; }
};

/// Belongs to one thread.
class Glob {
public:
    explicit Glob(std::shared_ptr<Matcher const> matcher);
    /// Some patterns try every way to split the text, as gobwas does: exponential in their number of `*`.
    /// Errors  limit  `looks` are spent
    Result<bool> match(std::string_view text, Looks& looks) const;

private:
    std::shared_ptr<Matcher const> matcher_;
};

/// `*` any run without separators, `**` any run, `?` one character, `[a-z]` `[!abc]` classes, `{a,b}` either, `\` escapes.
///
/// In      separators  ASCII characters that * and ? do not match
/// Errors  invalid_input  gobwas' text ("unexpected end of input"); limit  pattern too long or nested too deep
/// Cost    compile O(pattern^2)
/// Source  github.com/gobwas/glob v0.2.3
Result<Glob> compile(std::string_view pattern, std::string_view separators);

/// Go's path/filepath.Match, as .helmignore and --show-only use it: no `**`, no braces; the whole name must match.
/// Errors  invalid_input  "syntax error in pattern"
Result<bool> match_path(std::string_view pattern, std::string_view name);

}  // namespace holdfast::glob
