// modules/text/regex/regex.hpp: Go's package regexp on RE2: the same language, matches, replacements and error texts.
#pragma once

#include "modules/base/error.hpp"

#include <algorithm>
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

/// Begin and end of the whole match and of each group that was asked for, -1 when a group took no part.
using Match = std::vector<std::pair<std::ptrdiff_t, std::ptrdiff_t>>;

/// What matching may cost, and did. A look takes some twenty nanoseconds: sixteen bytes read, an instruction followed.
/// A match may read far beyond its end, which RE2 tells nobody: on long texts it is the thread's CPU time that counts.
class Effort {
public:
    explicit Effort(std::uint64_t looks_max = UINT64_MAX, std::uint64_t matches_max = UINT64_MAX)
        : looks_max_(looks_max), matches_max_(matches_max) {}

    /// The search that was going on is to stop, and what it gave means nothing.
    bool spent() const { return looks_ > looks_max_; }
    /// More than the maximum when spent.
    std::uint64_t looks() const { return looks_; }
    std::uint64_t looks_left() const { return looks_max_ - std::min(looks_max_, looks_); }
    std::uint64_t matches_max() const { return matches_max_; }
    void look(std::uint64_t looks) { looks_ = looks > looks_left() ? looks_max_ + 1 : looks_ + looks; }

private:
    friend class Regex;
    void start_clock();
    void read_clock();

    std::uint64_t looks_max_, matches_max_;
    std::uint64_t looks_ = 0;
    std::uint64_t unread_ = 0;           // bytes that may have been read since the clock was looked at
    std::optional<std::int64_t> clock_;  // nanoseconds of CPU time of the thread
};

class Regex {
public:
    /// Errors  invalid_input  Go's text: "error parsing regexp: missing closing ): `a(b`"
    ///         limit          pattern or program too large
    static Result<Regex> compile(std::string_view pattern);

    Regex(Regex&&) noexcept;
    Regex& operator=(Regex&&) noexcept;
    ~Regex();

    std::size_t program_size() const;  // instructions, both ways: what compiling cost

    bool matches(std::string_view text, Effort& effort) const;                          // MatchString: anywhere in text
    std::optional<std::string_view> find(std::string_view text, Effort& effort) const;  // FindString

    /// FindAllString, at most `count` of them (negative: all). Nothing when none matches (Go's nil).
    std::optional<std::vector<std::string_view>> find_all(std::string_view text, std::int64_t count,
                                                          Effort& effort) const;
    /// Split into at most `count` pieces (negative: all). Nothing when count is 0.
    std::optional<std::vector<std::string_view>> split(std::string_view text, std::int64_t count, Effort& effort) const;

    /// ReplaceAllString, $1 and ${name} expanded.  Errors  limit: the result would exceed bytes_max
    Result<std::string> replace_all(std::string_view text, std::string_view replacement, std::size_t bytes_max,
                                    Effort& effort) const;
    Result<std::string> replace_all_literal(std::string_view text, std::string_view replacement, std::size_t bytes_max,
                                            Effort& effort) const;

private:
    explicit Regex(std::unique_ptr<re2::RE2> program, bool empty);
    bool match_at(std::string_view text, std::size_t from, std::size_t groups, Match& match, Effort& effort) const;
    bool run(std::string_view text, std::size_t from, bool anchored, std::size_t groups, Match& match,
             Effort& effort) const;
    template <class Append>
    Result<std::string> replace(std::string_view text, std::size_t groups, std::size_t bytes_max, Effort& effort,
                                Append append) const;
    void expand(std::string& out, std::string_view replacement, std::string_view text, Match const& match,
                Effort& effort) const;
    std::vector<std::pair<std::size_t, std::size_t>> all(std::string_view text, std::int64_t count,
                                                         Effort& effort) const;

    std::unique_ptr<re2::RE2> program_;
    bool empty_;
    std::vector<std::string> names_;  // of groups, by number
};

/// regexp.QuoteMeta
std::string quote_meta(std::string_view text);

}  // namespace holdfast::regex
