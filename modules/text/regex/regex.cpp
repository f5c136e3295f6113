// modules/text/regex/regex.cpp: Go's walk over matches (regexp.go), with RE2 as the matcher.
#include "modules/text/regex/regex.hpp"

#include <re2/re2.h>

#include <ctime>
#include <span>
#include <utility>

namespace holdfast::regex {

namespace {

std::size_t rune_width(std::string_view text, std::size_t at) {
    if (at >= text.size()) return 0;
    auto const first = static_cast<unsigned char>(text[at]);
    std::size_t const width = first < 0xC2 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 1;
    for (std::size_t i = 1; i < width; ++i)
        if (at + i >= text.size() || (static_cast<unsigned char>(text[at + i]) & 0xC0) != 0x80) return 1;
    return width;
}

// Go 1.22 also takes (?<name>...); this RE2 only knows (?P<name>...).
std::string with_old_names(std::string_view pattern) {
    std::string out;
    bool in_class = false;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        auto const rest = pattern.substr(i);
        if (rest.starts_with("\\Q")) {
            auto const end = pattern.find("\\E", i);
            auto const stop = end == std::string_view::npos ? pattern.size() : end + 2;
            out += pattern.substr(i, stop - i);
            i = stop - 1;
            continue;
        }
        if (rest[0] == '\\' && rest.size() > 1) {
            out += rest.substr(0, 2);
            ++i;
            continue;
        }
        if (rest[0] == '[' && !in_class) {
            in_class = true;
            out.push_back('[');
            if (rest.substr(1).starts_with('^')) out.push_back(pattern[++i]);
            if (pattern.substr(i + 1).starts_with(']')) out.push_back(pattern[++i]);
            continue;
        }
        if (rest[0] == ']') in_class = false;
        if (!in_class && rest.starts_with("(?<")) {
            out += "(?P<";
            i += 2;
            continue;
        }
        out.push_back(rest[0]);
    }
    return out;
}

std::string_view go_code(re2::RE2::ErrorCode code) {
    switch (code) {
        case re2::RE2::ErrorBadEscape: return "invalid escape sequence";
        case re2::RE2::ErrorBadCharClass: return "invalid character class";
        case re2::RE2::ErrorBadCharRange: return "invalid character class range";
        case re2::RE2::ErrorMissingBracket: return "missing closing ]";
        case re2::RE2::ErrorMissingParen: return "missing closing )";
        case re2::RE2::ErrorUnexpectedParen: return "unexpected )";
        case re2::RE2::ErrorTrailingBackslash: return "trailing backslash at end of expression";
        case re2::RE2::ErrorRepeatArgument: return "missing argument to repetition operator";
        case re2::RE2::ErrorRepeatSize: return "invalid repeat count";
        case re2::RE2::ErrorRepeatOp: return "invalid nested repetition operator";
        case re2::RE2::ErrorBadPerlOp: return "invalid or unsupported Perl syntax";
        case re2::RE2::ErrorBadUTF8: return "invalid UTF-8";
        case re2::RE2::ErrorBadNamedCapture: return "invalid named capture";
        case re2::RE2::ErrorPatternTooLarge: return "expression too large";
        default: return "internal error";
    }
}

bool is_word(char c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z' && static_cast<unsigned char>(c) < 0x80) ||
           c == '_';
}

constexpr std::uint64_t kBytesPerLook = 16;
constexpr std::uint64_t kLooksPerMatch = 8;
constexpr std::uint64_t kNanosecondsPerLook = 25;
constexpr std::uint64_t kUnreadToStart = 32u << 10;      // bytes that may be read before the clock is looked at at all
constexpr std::uint64_t kUnreadMax = 256u << 10;         // and from then on
constexpr std::uint64_t kInstructionsPerLook = 8;        // followed by RE2's slow matcher
constexpr std::size_t kGroupsAtOnceBytesMax = 4u << 10;  // of text in which groups are found without a look before

// RE2 keeps the states that a text leads to. Where they become too many it goes on without them, and takes a time of
// program x text that nothing can stop: this is the last moment to refuse.
struct TooSlow {};
struct Watched {
    Effort* effort;
    std::uint64_t looks;  // what the slow matcher may need
};
thread_local Watched* watched = nullptr;

void before_slow_matcher(re2::hooks::DFASearchFailure const&) {
    if (watched != nullptr && watched->looks > watched->effort->looks_left()) throw TooSlow{};
}

std::int64_t cpu_time() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

std::uint64_t slow_looks(std::size_t instructions, std::size_t bytes) {
    return std::uint64_t{instructions} * bytes / kInstructionsPerLook;
}

}  // namespace

void Effort::start_clock() {
    clock_ = cpu_time();
    unread_ = 0;
}

void Effort::read_clock() {
    auto const now = cpu_time();
    look(static_cast<std::uint64_t>(now - *clock_) / kNanosecondsPerLook);
    clock_ = now;
    unread_ = 0;
}

Regex::Regex(std::unique_ptr<re2::RE2> program, bool empty) : program_(std::move(program)), empty_(empty) {
    names_.resize(static_cast<std::size_t>(program_->NumberOfCapturingGroups()) + 1);
    for (auto const& [number, name] : program_->CapturingGroupNames()) names_[static_cast<std::size_t>(number)] = name;
}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

Result<Regex> Regex::compile(std::string_view pattern) {
    auto const refuse = [](Errc code, std::string_view what, std::string_view at) {
        return fail(code, "error parsing regexp: " + std::string{what} + ": `" + std::string{at} + "`");
    };
    if (pattern.size() > kPatternBytesMax) return fail(Errc::limit, "a regular expression of more than 65536 bytes");
    if (pattern.find("\\C") != std::string_view::npos) {
        // RE2 matches single bytes with \C, Go refuses it; an escaped backslash before the C is neither.
        for (std::size_t i = 0; i + 1 < pattern.size(); ++i) {
            if (pattern[i] != '\\') continue;
            if (pattern[i + 1] == 'C') return refuse(Errc::invalid_input, "invalid escape sequence", "\\C");
            ++i;
        }
    }
    static bool const hooked = [] {
        re2::hooks::SetDFASearchFailureHook(before_slow_matcher);
        return true;
    }();
    static_cast<void>(hooked);
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kProgramBytesMax);
    auto const translated = with_old_names(pattern);
    auto program = std::make_unique<re2::RE2>(re2::StringPiece{translated.data(), translated.size()}, options);
    if (program->ok()) return Regex{std::move(program), pattern.empty()};
    auto const code = program->error_code() == re2::RE2::ErrorPatternTooLarge ? Errc::limit : Errc::invalid_input;
    if (program->error_code() == re2::RE2::ErrorTrailingBackslash)
        return refuse(code, go_code(program->error_code()), "");
    auto at = program->error_arg().empty() || program->error_arg() == translated ? std::string{pattern}
                                                                                 : program->error_arg();
    if (at.starts_with("(?P<") && pattern.find(at) == std::string_view::npos) at.erase(2, 1);
    return refuse(code, go_code(program->error_code()), at);
}

bool Regex::run(std::string_view text, std::size_t from, bool anchored, std::size_t groups, Match& match,
                Effort& effort) const {
    constexpr std::size_t kFewGroups = 8;
    re2::StringPiece few[kFewGroups];
    std::vector<re2::StringPiece> many;
    if (groups > kFewGroups) many.resize(groups);
    std::span<re2::StringPiece> const found{groups > kFewGroups ? many.data() : few, groups};
    re2::StringPiece const whole{text.data() == nullptr ? "" : text.data(), text.size()};
    auto const bytes = text.size() - from;
    Watched now{&effort, slow_looks(program_size(), bytes)};
    auto const slow_is_measured = now.looks > kUnreadToStart;
    effort.look(kLooksPerMatch + groups);
    effort.unread_ += bytes;
    if (effort.spent()) return false;
    if (!effort.clock_ && (slow_is_measured || effort.unread_ > kUnreadToStart))
        effort.start_clock(), effort.unread_ = bytes;

    auto* const outer = std::exchange(watched, &now);
    bool matched = false;
    try {
        matched = program_->Match(whole, from, text.size(), anchored ? re2::RE2::ANCHOR_START : re2::RE2::UNANCHORED,
                                  found.data(), static_cast<int>(groups));
    } catch (TooSlow const&) {
        effort.look(UINT64_MAX);
    }
    watched = outer;

    if (effort.clock_ && (slow_is_measured || effort.unread_ > kUnreadMax)) effort.read_clock();
    match.clear();
    for (auto const& group : found) {
        if (group.data() == nullptr) match.emplace_back(-1, -1);
        else
            match.emplace_back(group.data() - whole.data(),
                               group.data() - whole.data() + static_cast<std::ptrdiff_t>(group.size()));
    }
    auto const read = matched && groups > 0 ? static_cast<std::size_t>(match[0].second) - from : bytes;
    effort.look(read / kBytesPerLook);
    return matched && !effort.spent();
}

bool Regex::match_at(std::string_view text, std::size_t from, std::size_t groups, Match& match, Effort& effort) const {
    if (groups <= 1 || text.size() - from <= kGroupsAtOnceBytesMax)
        return run(text, from, false, groups, match, effort);
    // Groups are found by the slow matcher, within the match: first see how long that is.
    if (!run(text, from, false, 1, match, effort)) return false;
    auto const begin = static_cast<std::size_t>(match[0].first);
    auto const length = static_cast<std::size_t>(match[0].second) - begin;
    if (slow_looks(program_size(), length) > effort.looks_left()) {
        effort.look(UINT64_MAX);
        return false;
    }
    return run(text, begin, true, groups, match, effort);
}

std::size_t Regex::program_size() const {
    return static_cast<std::size_t>(std::max(program_->ProgramSize(), 0) + std::max(program_->ReverseProgramSize(), 0));
}

bool Regex::matches(std::string_view text, Effort& effort) const {
    Match match;
    return match_at(text, 0, 0, match, effort);
}

std::optional<std::string_view> Regex::find(std::string_view text, Effort& effort) const {
    Match match;
    if (!match_at(text, 0, 1, match, effort)) return std::nullopt;
    return text.substr(static_cast<std::size_t>(match[0].first),
                       static_cast<std::size_t>(match[0].second - match[0].first));
}

std::vector<std::pair<std::size_t, std::size_t>> Regex::all(std::string_view text, std::int64_t count,
                                                            Effort& effort) const {
    auto const wanted = count < 0 ? text.size() + 1 : static_cast<std::size_t>(count);
    std::vector<std::pair<std::size_t, std::size_t>> found;
    Match match;
    std::ptrdiff_t previous_end = -1;
    for (std::size_t at = 0; found.size() < wanted && at <= text.size();) {
        if (!match_at(text, at, 1, match, effort)) break;
        auto const [begin, end] = match[0];
        bool accept = true;
        if (static_cast<std::size_t>(end) == at) {
            // An empty match right after another match does not count.
            if (begin == previous_end) accept = false;
            auto const width = rune_width(text, at);
            at = width > 0 ? at + width : text.size() + 1;
        } else {
            at = static_cast<std::size_t>(end);
        }
        previous_end = end;
        if (!accept) continue;
        found.emplace_back(static_cast<std::size_t>(begin), static_cast<std::size_t>(end));
        if (found.size() > effort.matches_max()) effort.look(UINT64_MAX);
    }
    return found;
}

std::optional<std::vector<std::string_view>> Regex::find_all(std::string_view text, std::int64_t count,
                                                             Effort& effort) const {
    auto const found = all(text, count, effort);
    if (found.empty() || effort.spent()) return std::nullopt;
    std::vector<std::string_view> out;
    out.reserve(found.size());
    for (auto const& [begin, end] : found) out.push_back(text.substr(begin, end - begin));
    return out;
}

std::optional<std::vector<std::string_view>> Regex::split(std::string_view text, std::int64_t count,
                                                          Effort& effort) const {
    if (count == 0) return std::nullopt;
    if (!empty_ && text.empty()) return std::vector<std::string_view>{""};
    std::vector<std::string_view> out;
    std::size_t begin = 0, end = 0;
    for (auto const& [match_begin, match_end] : all(text, count, effort)) {
        if (count > 0 && static_cast<std::int64_t>(out.size()) == count - 1) break;
        end = match_begin;
        if (match_end != 0) out.push_back(text.substr(begin, end - begin));
        begin = match_end;
    }
    if (end != text.size()) out.push_back(text.substr(begin));
    return out;
}

template <class Append>
Result<std::string> Regex::replace(std::string_view text, std::size_t groups, std::size_t bytes_max, Effort& effort,
                                   Append append) const {
    std::string out;
    Match match;
    std::size_t last_end = 0;
    for (std::size_t at = 0; at <= text.size();) {
        if (!match_at(text, at, groups, match, effort)) break;
        auto const begin = static_cast<std::size_t>(match[0].first), end = static_cast<std::size_t>(match[0].second);
        out += text.substr(last_end, begin - last_end);
        if (end > last_end || begin == 0) append(out, match);
        if (out.size() > bytes_max) return fail(Errc::limit, "the text after replacing is too large");
        last_end = end;
        auto const width = rune_width(text, at);
        if (at + width > end) at += width;
        else if (at + 1 > end) ++at;
        else at = end;
    }
    out += text.substr(last_end);
    return out;
}

void Regex::expand(std::string& out, std::string_view replacement, std::string_view text, Match const& match,
                   Effort& effort) const {
    effort.look(replacement.size() / kBytesPerLook);
    auto const append_group = [&](std::size_t number) {
        if (number >= match.size() || match[number].first < 0) return false;
        out += text.substr(static_cast<std::size_t>(match[number].first),
                           static_cast<std::size_t>(match[number].second - match[number].first));
        return true;
    };
    for (;;) {
        auto const dollar = replacement.find('$');
        if (dollar == std::string_view::npos) break;
        out += replacement.substr(0, dollar);
        replacement.remove_prefix(dollar + 1);
        if (replacement.starts_with('$')) {
            out.push_back('$');
            replacement.remove_prefix(1);
            continue;
        }
        auto const brace = replacement.starts_with('{');
        auto const body = replacement.substr(brace ? 1 : 0);
        std::size_t length = 0;
        while (length < body.size() && is_word(body[length])) ++length;
        auto const name = body.substr(0, length);
        if (name.empty() || (brace && (length >= body.size() || body[length] != '}'))) {
            out.push_back('$');
            continue;
        }
        replacement.remove_prefix(length + (brace ? 2 : 0));
        std::int64_t number = 0;
        for (auto const c : name) {
            if (c < '0' || c > '9' || number >= 100'000'000) {
                number = -1;
                break;
            }
            number = number * 10 + (c - '0');
        }
        if (name[0] == '0' && name.size() > 1) number = -1;
        if (number >= 0) {
            append_group(static_cast<std::size_t>(number));
            continue;
        }
        effort.look(names_.size() / 4);
        for (std::size_t i = 0; i < names_.size(); ++i)
            if (names_[i] == name && append_group(i)) break;
    }
    out += replacement;
}

Result<std::string> Regex::replace_all(std::string_view text, std::string_view replacement, std::size_t bytes_max,
                                       Effort& effort) const {
    if (replacement.find('$') == std::string_view::npos)
        return replace_all_literal(text, replacement, bytes_max, effort);
    return replace(text, names_.size(), bytes_max, effort,
                   [&](std::string& out, Match const& match) { expand(out, replacement, text, match, effort); });
}

Result<std::string> Regex::replace_all_literal(std::string_view text, std::string_view replacement,
                                               std::size_t bytes_max, Effort& effort) const {
    return replace(text, 1, bytes_max, effort, [&](std::string& out, Match const&) { out += replacement; });
}

std::string quote_meta(std::string_view text) {
    std::string out;
    for (auto const c : text) {
        if (std::string_view{"\\.+*?()|[]{}^$"}.find(c) != std::string_view::npos) out.push_back('\\');
        out.push_back(c);
    }
    return out;
}

}  // namespace holdfast::regex
