// modules/text/glob/path.cpp: Go's path/filepath.Match.
#include "modules/text/glob/glob.hpp"
#include "modules/text/glob/syntax.hpp"

#include <optional>

namespace holdfast::glob {
namespace {

struct Chunk {
    bool star = false;  // any run without "/" may come before it
    std::string_view text;
};

Chunk take_chunk(std::string_view& pattern) {
    Chunk chunk;
    while (pattern.starts_with('*')) {
        pattern.remove_prefix(1);
        chunk.star = true;
    }
    bool in_class = false;
    std::size_t end = 0;
    for (; end < pattern.size(); ++end) {
        char const c = pattern[end];
        if (c == '*' && !in_class) break;
        if (c == '[') in_class = true;
        if (c == ']') in_class = false;
        if (c == '\\' && end + 1 < pattern.size()) ++end;
    }
    chunk.text = pattern.substr(0, end);
    pattern.remove_prefix(end);
    return chunk;
}

std::optional<char32_t> class_character(std::string_view& chunk) {
    if (chunk.empty() || chunk[0] == '-' || chunk[0] == ']') return std::nullopt;
    if (chunk[0] == '\\') chunk.remove_prefix(1);
    if (chunk.empty()) return std::nullopt;
    auto const rune = rune_at(chunk, 0);
    if (rune.value == 0xFFFD && rune.bytes == 1) return std::nullopt;
    chunk.remove_prefix(rune.bytes);
    if (chunk.empty()) return std::nullopt;
    return rune.value;
}

enum class Verdict { bad, no, yes };

/// Reads "[...]" after its bracket; sets `inside` when `rune` belongs to it.
bool read_class(std::string_view& chunk, char32_t rune, bool& inside) {
    bool const negated = chunk.starts_with('^');
    if (negated) chunk.remove_prefix(1);
    inside = false;
    for (int ranges = 0;; ++ranges) {
        if (chunk.starts_with(']') && ranges > 0) break;
        auto const low = class_character(chunk);
        if (!low) return false;
        auto high = low;
        if (chunk[0] == '-') {
            chunk.remove_prefix(1);
            high = class_character(chunk);
            if (!high) return false;
        }
        inside = inside || (*low <= rune && rune <= *high);
    }
    chunk.remove_prefix(1);
    inside = inside != negated;
    return true;
}

/// Matches one chunk at the start of name and cuts off what it matched.
Verdict match_chunk(std::string_view chunk, std::string_view& name) {
    bool failed = false;
    while (!chunk.empty()) {
        failed = failed || name.empty();
        char const c = chunk[0];
        if (c == '[') {
            Rune rune;
            if (!failed) {
                rune = rune_at(name, 0);
                name.remove_prefix(rune.bytes);
            }
            chunk.remove_prefix(1);
            bool inside = false;
            if (!read_class(chunk, rune.value, inside)) return Verdict::bad;
            failed = failed || !inside;
            continue;
        }
        if (c == '?') {
            if (!failed) {
                failed = name[0] == '/';
                name.remove_prefix(rune_at(name, 0).bytes);
            }
            chunk.remove_prefix(1);
            continue;
        }
        if (c == '\\') {
            chunk.remove_prefix(1);
            if (chunk.empty()) return Verdict::bad;
        }
        if (!failed) {
            failed = chunk[0] != name[0];
            name.remove_prefix(1);
        }
        chunk.remove_prefix(1);
    }
    return failed ? Verdict::no : Verdict::yes;
}

}  // namespace

Result<bool> match_path(std::string_view pattern, std::string_view name) {
    while (!pattern.empty()) {
        auto const chunk = take_chunk(pattern);
        if (chunk.star && chunk.text.empty()) return name.find('/') == name.npos;
        auto rest = name;
        auto verdict = match_chunk(chunk.text, rest);
        if (verdict == Verdict::yes && (rest.empty() || !pattern.empty())) {
            name = rest;
            continue;
        }
        if (verdict == Verdict::bad) return fail(Errc::invalid_input, "syntax error in pattern");
        if (!chunk.star) return false;
        bool matched = false;
        for (std::size_t i = 0; i < name.size() && name[i] != '/' && !matched; ++i) {
            rest = name.substr(i + 1);
            verdict = match_chunk(chunk.text, rest);
            if (verdict == Verdict::bad) return fail(Errc::invalid_input, "syntax error in pattern");
            matched = verdict == Verdict::yes && (!pattern.empty() || rest.empty());
        }
        if (!matched) return false;
        name = rest;
    }
    return name.empty();
}

}  // namespace holdfast::glob
