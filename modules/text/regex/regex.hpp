// modules/text/regex/regex.hpp: Go's package regexp on RE2: the same language, matches, replacements and error texts.
#pragma once

#include "modules/base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace holdfast::regex {

inline constexpr std::size_t kPatternBytesMax = 64u << 10;
inline constexpr std::int64_t kProgramBytesMax = 8 << 20;  // memory of one compiled pattern and its caches

/// Begin and end of the whole match and of each group, -1 when a group took no part.
using Match = std::vector<std::pair<std::ptrdiff_t, std::ptrdiff_t>>;

class Regex {
public:
    /// Errors  invalid_input  Go's text: "error parsing regexp: missing closing ): `a(b`"
    ///         limit          pattern or program too large
    static Result<Regex> compile(std::string_view pattern);

    Regex(Regex&&) noexcept;
    Regex& operator=(Regex&&) noexcept;
    ~Regex();

    std::size_t program_size() const;  // instructions, both ways: what compiling cost

    bool matches(std::string_view text) const;                     // MatchString: anywhere in text
    std::optional<std::string> find(std::string_view text) const;  // FindString
    std::optional<Match> find_match(std::string_view text) const;  // FindStringSubmatchIndex

    /// FindAllString, at most `count` of them (negative: all). Nothing when none matches (Go's nil).
    std::optional<std::vector<std::string>> find_all(std::string_view text, std::int64_t count) const;
    /// Split into at most `count` pieces (negative: all). Nothing when count is 0.
    std::optional<std::vector<std::string>> split(std::string_view text, std::int64_t count) const;

    /// ReplaceAllString, $1 and ${name} expanded.  Errors  limit: the result would exceed bytes_max
    Result<std::string> replace_all(std::string_view text, std::string_view replacement, std::size_t bytes_max) const;
    Result<std::string> replace_all_literal(std::string_view text, std::string_view replacement,
                                            std::size_t bytes_max) const;

private:
    explicit Regex(std::unique_ptr<re2::RE2> program, bool empty);
    bool match_at(std::string_view text, std::size_t from, Match& match) const;
    template <class Append>
    Result<std::string> replace(std::string_view text, std::size_t bytes_max, Append append) const;
    void expand(std::string& out, std::string_view replacement, std::string_view text, Match const& match) const;
    std::vector<std::pair<std::size_t, std::size_t>> all(std::string_view text, std::int64_t count) const;

    std::unique_ptr<re2::RE2> program_;
    bool empty_;
    std::vector<std::string> names_;  // of groups, by number
};

/// regexp.QuoteMeta
std::string quote_meta(std::string_view text);

}  // namespace holdfast::regex
