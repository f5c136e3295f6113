// modules/text/semver/constraint.cpp: constraints: parse, check, and say why not.
#include "modules/text/semver/semver.hpp"

#include "modules/text/semver/scan.hpp"

#include <array>
#include <optional>

namespace holdfast::semver {
namespace {

using Op = Comparison::Op;
using Verdict = std::optional<std::string>;  // nothing: accepted; else the reason

struct OpName {
    std::string_view text;
    Op op;
};
constexpr std::array<OpName, 11> kOps{{{"!=", Op::not_equal},
                                       {">=", Op::greater_equal},
                                       {"=>", Op::greater_equal},
                                       {"<=", Op::less_equal},
                                       {"=<", Op::less_equal},
                                       {"~>", Op::tilde},
                                       {"=", Op::equal},
                                       {">", Op::greater},
                                       {"<", Op::less},
                                       {"~", Op::tilde},
                                       {"^", Op::caret}}};

/// Go's %q, for the ASCII that constraints consist of, and plain escapes for the rest.
std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (char const c : text) {
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            case '\t': out += "\\t"; break;
            case '\r': out += "\\r"; break;
            case '\f': out += "\\f"; break;
            default:
                if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
                    constexpr char kHex[] = "0123456789abcdef";
                    out += "\\x";
                    out += kHex[static_cast<unsigned char>(c) >> 4];
                    out += kHex[c & 15];
                } else {
                    out += c;
                }
        }
    }
    return out + '"';
}

bool is_wildcard(std::string_view segment) {
    return segment.empty() || segment == "x" || segment == "X" || segment == "*";
}

struct Written {
    OpName op;
    Parts parts;
};

std::optional<Written> take_comparison(Scanner& scan) {
    auto const start = scan.at;
    OpName op{"", Op::equal};
    for (auto const& known : kOps) {
        if (scan.text.substr(scan.at).starts_with(known.text)) {
            op = known;
            break;
        }
    }
    scan.at += op.text.size();
    scan.skip_blanks();
    auto const parts = scan.core();
    if (!parts) {
        scan.at = start;
        return std::nullopt;
    }
    return Written{op, *parts};
}

/// A group is one comparison, then more of them after blanks or a comma; nothing else may stand in it.
std::optional<std::vector<Written>> take_group(std::string_view text) {
    Scanner scan{text, Scanner::Digits::or_wildcard};
    std::vector<Written> group;
    scan.skip_blanks();
    for (;;) {
        auto const written = take_comparison(scan);
        if (!written) return std::nullopt;
        group.push_back(*written);
        bool const blanks = scan.skip_blanks() > 0;
        bool const comma = scan.take(',');
        if (comma) scan.skip_blanks();
        if (scan.at == text.size()) return comma ? std::nullopt : std::optional{std::move(group)};
        if (!blanks && !comma) return std::nullopt;
    }
}

Result<Comparison> compile(Written const& written) {
    auto const& parts = written.parts;
    Comparison made{.op = written.op.op, .op_text = std::string{written.op.text}, .original = std::string{parts.all}};
    std::string version{parts.all};
    auto const pre = parts.prerelease.empty() ? std::string{} : '-' + std::string{parts.prerelease};
    if (is_wildcard(parts.major)) {
        version = "0.0.0" + pre;
        made.dirty = true;
    } else if (is_wildcard(parts.minor)) {
        version = std::string{parts.major} + ".0.0" + pre;
        made.dirty = made.minor_dirty = true;
    } else if (is_wildcard(parts.patch)) {
        version = std::string{parts.major} + '.' + std::string{parts.minor} + ".0" + pre;
        made.dirty = made.patch_dirty = true;
    }
    auto parsed = parse(version);
    if (!parsed) return fail(Errc::invalid_input, "constraint parser error");
    made.version = std::move(*parsed);
    return made;
}

/// Turns every "a - b" into ">= a, <= b ".
std::string rewrite_ranges(std::string text) {
    struct Range {
        std::string whole, low, high;
    };
    std::vector<Range> ranges;
    for (std::size_t start = 0; start < text.size();) {
        Scanner scan{text, Scanner::Digits::or_wildcard, start};
        scan.skip_blanks();
        auto const low = scan.core();
        bool const dashed = low && scan.skip_blanks() > 0 && scan.take('-') && scan.skip_blanks() > 0;
        auto const high = dashed ? scan.core() : std::nullopt;
        if (!high) {
            ++start;
            continue;
        }
        scan.skip_blanks();
        ranges.push_back({text.substr(start, scan.at - start), std::string{low->all}, std::string{high->all}});
        start = scan.at;
    }
    for (auto const& range : ranges)
        text.replace(text.find(range.whole), range.whole.size(), ">= " + range.low + ", <= " + range.high + ' ');
    return text;
}

std::string because(Version const& version, std::string_view what, Comparison const& c) {
    return quoted(version.string()) + ' ' + std::string{what} + ' ' + quoted(c.original);
}

std::string prerelease_unwanted(Version const& version) {
    return quoted(version.string()) +
           " is a prerelease version and the constraint is only looking for release versions";
}

Verdict not_equal(Version const& v, Comparison const& c) {
    if (c.dirty) {
        if (c.version.major != v.major) return {};
        if (c.version.minor != v.minor && !c.minor_dirty) return {};
        if (c.minor_dirty) return because(v, "is equal to", c);
        if (c.version.patch != v.patch && !c.patch_dirty) return {};
        if (c.patch_dirty) {
            if (compare_prerelease(v.prerelease, c.version.prerelease) != 0) return {};
            return because(v, "is equal to", c);
        }
    }
    if (compare(v, c.version) == 0) return because(v, "is equal to", c);
    return {};
}

Verdict greater(Version const& v, Comparison const& c) {
    bool accepted = compare(v, c.version) > 0;
    if (c.dirty) {
        if (v.major != c.version.major) {
            accepted = v.major > c.version.major;
        } else if (c.minor_dirty) {
            accepted = false;
        } else if (c.patch_dirty) {
            accepted = v.minor > c.version.minor;
        }
    }
    if (accepted) return {};
    return because(v, "is less than or equal to", c);
}

Verdict less_equal(Version const& v, Comparison const& c) {
    bool accepted = compare(v, c.version) <= 0;
    if (c.dirty) {
        accepted =
            v.major <= c.version.major && !(v.major == c.version.major && v.minor > c.version.minor && !c.minor_dirty);
    }
    if (accepted) return {};
    return because(v, "is greater than", c);
}

Verdict tilde(Version const& v, Comparison const& c) {
    if (compare(v, c.version) < 0) return because(v, "is less than", c);
    bool const zero = c.version.major == 0 && c.version.minor == 0 && c.version.patch == 0;
    if (zero && !c.minor_dirty && !c.patch_dirty) return {};
    if (v.major != c.version.major) return because(v, "does not have same major version as", c);
    if (v.minor != c.version.minor && !c.minor_dirty)
        return because(v, "does not have same major and minor version as", c);
    return {};
}

Verdict caret(Version const& v, Comparison const& c) {
    if (compare(v, c.version) < 0) return because(v, "is less than", c);
    if (c.version.major > 0 || c.minor_dirty) {
        if (v.major == c.version.major) return {};
        return because(v, "does not have same major version as", c);
    }
    if (v.major > 0) return because(v, "does not have same major version as", c);
    if (c.version.minor > 0 || c.patch_dirty) {
        if (v.minor == c.version.minor) return {};
        return because(v, "does not have same minor version as", c) +
               ". Expected minor versions to match when constraint major version is 0";
    }
    if (v.minor > 0) return because(v, "does not have same minor version as", c);
    if (c.version.patch == v.patch) return {};
    return because(v, "does not equal", c) +
           ". Expect version and constraint to equal when major and minor versions are 0";
}

Verdict judge(Version const& v, Comparison const& c, bool prereleases) {
    if (!v.prerelease.empty() && !prereleases) return prerelease_unwanted(v);
    switch (c.op) {
        case Op::equal:
            if (c.dirty) return tilde(v, c);
            if (compare(v, c.version) == 0) return {};
            return because(v, "is not equal to", c);
        case Op::not_equal: return not_equal(v, c);
        case Op::greater: return greater(v, c);
        case Op::less:
            if (compare(v, c.version) < 0) return {};
            return because(v, "is greater than or equal to", c);
        case Op::greater_equal:
            if (compare(v, c.version) >= 0) return {};
            return because(v, "is less than", c);
        case Op::less_equal: return less_equal(v, c);
        case Op::tilde: return tilde(v, c);
        case Op::caret: return caret(v, c);
    }
    return {};
}

}  // namespace

Result<Constraint> parse_constraint(std::string_view text) {
    if (text.size() > kConstraintBytesMax)
        return fail(Errc::invalid_input, "constraint string is too long (max 512 bytes)");
    std::string const rewritten = rewrite_ranges(std::string{text});
    std::vector<std::string_view> groups;
    for (std::string_view rest = rewritten;;) {
        auto const bars = rest.find("||");
        groups.push_back(rest.substr(0, bars));
        if (bars == rest.npos) break;
        rest.remove_prefix(bars + 2);
    }
    if (groups.size() > kConstraintGroupsMax) return fail(Errc::invalid_input, "too many constraint groups (max 32)");
    Constraint made;
    for (auto const group_text : groups) {
        auto const group = take_group(group_text);
        if (!group) return fail(Errc::invalid_input, "improper constraint: " + quoted(group_text));
        auto& target = made.any_.emplace_back();
        for (auto const& written : *group) {
            auto comparison = compile(written);
            if (!comparison) return fail(std::move(comparison));
            target.has_prerelease |= !comparison->version.prerelease.empty();
            target.all.push_back(std::move(*comparison));
        }
    }
    return made;
}

bool Constraint::check(Version const& version) const {
    for (auto const& group : any_) {
        bool accepted = true;
        for (auto const& comparison : group.all)
            accepted = accepted && !judge(version, comparison, group.has_prerelease);
        if (accepted) return true;
    }
    return false;
}

std::pair<bool, std::vector<std::string>> Constraint::validate(Version const& version) const {
    std::vector<std::string> reasons;
    bool said_prerelease = false;
    for (auto const& group : any_) {
        bool accepted = true;
        for (auto const& comparison : group.all) {
            if (!group.has_prerelease && !version.prerelease.empty()) {
                if (!said_prerelease) reasons.push_back(prerelease_unwanted(version));
                said_prerelease = true;
                accepted = false;
            } else if (auto reason = judge(version, comparison, group.has_prerelease)) {
                reasons.push_back(std::move(*reason));
                accepted = false;
            }
        }
        if (accepted) return {true, {}};
    }
    return {false, std::move(reasons)};
}

std::string Constraint::string() const {
    std::string text;
    for (auto const& group : any_) {
        if (!text.empty()) text += " || ";
        for (std::size_t i = 0; i < group.all.size(); ++i)
            text += (i == 0 ? "" : " ") + group.all[i].op_text + group.all[i].original;
    }
    return text;
}

bool is_compatible(std::string_view constraint, std::string_view version) {
    auto const parsed = parse(version);
    if (!parsed) return false;
    auto const wanted = parse_constraint(constraint);
    return wanted && wanted->check(*parsed);
}

}  // namespace holdfast::semver
