// modules/text/jsonschema/format.cpp: the values of "format", with the library's reasons.
#include "modules/text/jsonschema/schema.hpp"

#include "modules/text/gotemplate/strconv.hpp"

#include <algorithm>

namespace holdfast::jsonschema {
namespace {

using Reason = std::optional<std::string>;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

std::size_t digits_of(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
}

std::vector<std::string_view> split(std::string_view text, char by) {
    std::vector<std::string_view> out;
    for (;;) {
        auto const at = text.find(by);
        out.push_back(text.substr(0, at));
        if (at == text.npos) return out;
        text.remove_prefix(at + 1);
    }
}

std::string rune_quoted(std::string_view text, std::size_t at) {
    std::size_t end = at + 1;
    while (end < text.size() && (text[end] & 0xC0) == 0x80) ++end;
    auto const q = gotemplate::quote(text.substr(at, end - at));
    auto const inner = q.substr(1, q.size() - 2);
    return inner == "'" ? "'\\''" : inner == "\\\"" ? "'\"'" : '\'' + inner + '\'';
}

template <class Accept> Reason refused_character(std::string_view text, Accept accept) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!accept(text[i])) return "invalid character " + rune_quoted(text, i);
    }
    return {};
}

Reason json_pointer(std::string_view s) {
    if (s.empty()) return {};
    if (s[0] != '/') return "not starting with /";
    for (std::size_t i = 0; i < s.size(); ++i) {
        if (s[i] == '~' && (i + 1 == s.size() || (s[i + 1] != '0' && s[i + 1] != '1')))
            return "~ must be followed by 0 or 1";
    }
    return {};
}

Reason relative_json_pointer(std::string_view s) {
    auto const digits = digits_of(s);
    if (digits == 0) return "must start with non-negative integer";
    if (digits > 1 && s[0] == '0') return "starts with zero";
    s.remove_prefix(digits);
    return s == "#" ? Reason{} : json_pointer(s);
}

Reason uuid(std::string_view s) {
    constexpr std::size_t kSizes[] = {8, 4, 4, 4, 12};
    auto const groups = split(s, '-');
    if (groups.size() != 5) return "must have 5 elements";
    for (std::size_t i = 0; i < 5; ++i) {
        if (groups[i].size() != kSizes[i])
            return "element " + std::to_string(i + 1) + " must be " + std::to_string(kSizes[i]) + " characters long";
        for (std::size_t at = 0; at < groups[i].size(); ++at) {
            if (!is_hex(groups[i][at])) return "non-hex character " + rune_quoted(groups[i], at);
        }
    }
    return {};
}

Reason duration(std::string_view s) {
    if (!s.starts_with('P')) return "must start with P";
    s.remove_prefix(1);
    if (s.empty()) return "nothing after P";
    if (s.ends_with('W')) {
        s.remove_suffix(1);
        if (s.empty()) return "no number in week";
        return digits_of(s) == s.size() ? Reason{} : "invalid week";
    }
    constexpr std::string_view kUnits[] = {"YMD", "HMS"};
    auto const halves = split(s, 'T');
    for (std::size_t i = 0; i < halves.size(); ++i) {
        auto part = halves[i];
        if (i != 0 && part.empty()) return "no time elements";
        if (i >= 2) return "more than one T";
        auto units = kUnits[i];
        while (!part.empty()) {
            auto const digits = digits_of(part);
            if (digits == 0) return "missing number";
            part.remove_prefix(digits);
            if (part.empty()) return "missing unit";
            auto const at = units.find(part[0]);
            if (at == units.npos) {
                bool const known = kUnits[i].find(part[0]) != std::string_view::npos;
                auto const shown = rune_quoted(part, 0);
                return known ? "unit " + shown + " out of order" : "invalid unit " + shown;
            }
            units.remove_prefix(at + 1);
            part.remove_prefix(1);
        }
    }
    return {};
}

Reason ipv4(std::string_view s) {
    auto const groups = split(s, '.');
    if (groups.size() != 4) return "expected four decimals";
    for (auto const group : groups) {
        if (group.size() > 1 && group[0] == '0') return "leading zeros";
        auto const number = gotemplate::parse_int(group, 10);
        if (!number) {
            auto message = number.error().message;
            if (auto const at = message.find("ParseInt"); at != message.npos) message.replace(at, 8, "Atoi");
            return message;
        }
        if (*number < 0 || *number > 255) return "decimal must be between 0 and 255";
    }
    return {};
}

Reason parse_addr(std::string_view s, std::string_view why, std::string_view at = {}) {
    std::string text = "ParseAddr(" + go_quoted(s) + "): " + std::string{why};
    if (!at.empty()) text += " (at " + go_quoted(at) + ')';
    return text;
}

/// Go's netip.ParseAddr, its version 6 half.
Reason ipv6(std::string_view s) {
    if (s.find(':') == s.npos) return "missing colon";
    auto const whole = s;
    if (auto const zone = s.find('%'); zone != s.npos) {
        if (zone + 1 == s.size()) return parse_addr(whole, "zone must be a non-empty string");
        return "zone id is not a part of ipv6 address";
    }
    if (auto const dot = s.find('.'); dot != s.npos && dot < s.find(':'))
        return parse_addr(whole, "unexpected character", s.substr(s.find(':')));
    int groups = 0;
    bool ellipsis = false;
    if (s.starts_with("::")) {
        ellipsis = true;
        s.remove_prefix(2);
        if (s.empty()) return {};
    }
    while (groups < 8) {
        std::size_t off = 0;
        unsigned value = 0;
        for (; off < s.size() && is_hex(s[off]); ++off) {
            value = value * 16 + static_cast<unsigned>(is_digit(s[off]) ? s[off] - '0' : (s[off] | 32) - 'a' + 10);
            if (off > 3) return parse_addr(whole, "each group must have 4 or less digits", s);
            if (value > 0xFFFF) return parse_addr(whole, "IPv6 field has value >=2^16", s);
        }
        if (off == 0) return parse_addr(whole, "each colon-separated field must have at least one digit", s);
        if (off < s.size() && s[off] == '.') {
            if (!ellipsis && groups != 6)
                return parse_addr(whole, "embedded IPv4 address must replace the final 2 fields of the address", s);
            if (groups + 2 > 8)
                return parse_addr(whole, "too many hex fields to fit an embedded IPv4 at the end of the address", s);
            if (ipv4(s)) return parse_addr(whole, "IPv4 field has value >255", s);
            groups += 2;
            s = {};
            break;
        }
        ++groups;
        s.remove_prefix(off);
        if (s.empty()) break;
        if (s[0] != ':') return parse_addr(whole, "unexpected character, want colon", s);
        if (s.size() == 1) return parse_addr(whole, "colon must be followed by more characters", s);
        s.remove_prefix(1);
        if (s[0] == ':') {
            if (ellipsis) return parse_addr(whole, "multiple :: in address", s);
            ellipsis = true;
            s.remove_prefix(1);
            if (s.empty()) break;
        }
    }
    if (!s.empty()) return parse_addr(whole, "trailing garbage after address", s);
    if (groups < 8 && !ellipsis) return parse_addr(whole, "address string too short");
    if (groups == 8 && ellipsis) return parse_addr(whole, "the :: must expand to at least one field of zeros");
    return {};
}

Reason hostname(std::string_view s) {
    if (s.ends_with('.')) s.remove_suffix(1);
    if (s.size() > 253) return "more than 253 characters long";
    for (auto const label : split(s, '.')) {
        if (label.empty() || label.size() > 63) return "label must be 1 to 63 characters long";
        if (label.starts_with('-')) return "label starts with hyphen";
        if (label.ends_with('-')) return "label ends with hyphen";
        if (auto reason = refused_character(label, [](char c) { return is_letter(c) || is_digit(c) || c == '-'; }))
            return reason;
    }
    return {};
}

Reason email_local(std::string_view local) {
    if (local.size() > 1 && local.starts_with('"')) {
        auto const inner = local.substr(1, local.size() - 2);
        if (inner.find_first_of("\\\"") != inner.npos)
            return "backslash and quote are not allowed within quoted local part";
        return {};
    }
    if (local.starts_with('.')) return "starts with dot";
    if (local.ends_with('.')) return "ends with dot";
    if (local.find("..") != local.npos) return "consecutive dots";
    return refused_character(local, [](char c) {
        return is_letter(c) || is_digit(c) ||
               std::string_view{".!#$%&'*+-/=?^_`{|}~"}.find(c) != std::string_view::npos;
    });
}

Reason email(std::string_view s) {
    if (s.size() > 254) return "more than 255 characters long";
    auto const at = s.rfind('@');
    if (at == s.npos) return "missing @";
    auto const local = s.substr(0, at);
    auto domain = s.substr(at + 1);
    if (local.size() > 64) return "local part more than 64 characters long";
    if (auto reason = email_local(local)) return reason;
    if (domain.starts_with('[') && domain.ends_with(']')) {
        domain = domain.substr(1, domain.size() - 2);
        if (domain.starts_with("IPv6:")) {
            auto reason = ipv6(domain.substr(5));
            return reason ? "invalid ipv6 address: " + *reason : reason;
        }
        auto reason = ipv4(domain);
        return reason ? "invalid ipv4 address: " + *reason : reason;
    }
    auto reason = hostname(domain);
    return reason ? "invalid domain: " + *reason : reason;
}

/// time.Parse("2006-01-02").
Reason date(std::string_view s) {
    auto const wrong = [&](std::string_view rest, std::string_view layout) {
        return "parsing time " + go_quoted(s) + " as \"2006-01-02\": cannot parse " + go_quoted(rest) + " as " +
               go_quoted(layout);
    };
    constexpr std::string_view kLayout[] = {"2006", "-", "01", "-", "02"};
    std::size_t at = 0;
    int numbers[3] = {};
    std::size_t number = 0;
    for (auto const part : kLayout) {
        auto const here = s.substr(std::min(at, s.size()), part.size());
        if (part == "-") {
            if (here != "-") return wrong(s.substr(std::min(at, s.size())), part);
        } else {
            if (here.size() < part.size() || digits_of(here) != here.size())
                return wrong(s.substr(std::min(at, s.size())), part);
            for (char const c : here) numbers[number] = numbers[number] * 10 + (c - '0');
            if (number == 1 && (numbers[1] < 1 || numbers[1] > 12))
                return "parsing time " + go_quoted(s) + ": month out of range";
            ++number;
        }
        at += part.size();
    }
    if (at < s.size()) return "parsing time " + go_quoted(s) + ": extra text: " + go_quoted(s.substr(at));
    constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool const leap = numbers[0] % 4 == 0 && (numbers[0] % 100 != 0 || numbers[0] % 400 == 0);
    int const last = kDays[numbers[1] - 1] + (leap && numbers[1] == 2 ? 1 : 0);
    if (numbers[2] < 1 || numbers[2] > last) return "parsing time " + go_quoted(s) + ": day out of range";
    return {};
}

std::optional<int> small_number(std::string_view text) {
    auto const number = gotemplate::parse_int(text, 10);
    if (!number || *number > 9999 || *number < -9999) return std::nullopt;
    return static_cast<int>(*number);
}

/// "+hh:mm" or "-hh:mm": adds it to the minutes of the day.
Reason offset(std::string_view s, int& minutes) {
    if (s.size() != 6) return "offset must be 6 characters long";
    if (s[0] != '+' && s[0] != '-') return "offset must begin with plus/minus";
    int const sign = s[0] == '+' ? -1 : 1;
    s.remove_prefix(1);
    if (s[2] != ':') return "missing colon in offset in correct place";
    auto const hour = small_number(s.substr(0, 2));
    auto const minute = small_number(s.substr(3));
    if (!hour || !minute) return "invalid hour/min in offset";
    if (*hour < 0 || *minute < 0) return "non-positive hour/min in offset";
    if (*hour > 23 || *minute > 59) return "hour/min in offset out of range";
    minutes += sign * (*hour * 60 + *minute);
    if (minutes < 0) minutes += 24 * 60;
    return {};
}

Reason time(std::string_view s) {
    if (s.size() < 9) return "less than 9 characters long";
    if (s[2] != ':' || s[5] != ':') return "missing colon in correct place";
    auto const hour = small_number(s.substr(0, 2));
    auto const minute = small_number(s.substr(3, 2));
    auto const second = small_number(s.substr(6, 2));
    if (!hour || !minute || !second) return "invalid hour/min/sec";
    if (*hour < 0 || *minute < 0 || *second < 0) return "non-positive hour/min/sec";
    if (*hour > 23 || *minute > 59 || *second > 60) return "hour/min/sec out of range";
    s.remove_prefix(8);
    if (s.starts_with('.')) {
        auto const digits = digits_of(s.substr(1));
        if (digits == 0) return "no digits in second fraction";
        s.remove_prefix(1 + digits);
    }
    int minutes = *hour * 60 + *minute;
    if (s != "z" && s != "Z") {
        if (auto reason = offset(s, minutes)) return reason;
    }
    if (*second >= 60 && (minutes / 60 != 23 || minutes % 60 != 59)) return "invalid leap second";
    return {};
}

Reason date_time(std::string_view s) {
    if (s.size() < 20) return "less than 20 characters long";
    if (s[10] != 't' && s[10] != 'T') return "11th character must be t or T";
    if (auto reason = date(s.substr(0, 10))) return "invalid date element: " + *reason;
    if (auto reason = time(s.substr(11))) return "invalid time element: " + *reason;
    return {};
}

Reason period(std::string_view s) {
    auto const slash = s.find('/');
    if (slash == s.npos) return "missing slash";
    auto const start = s.substr(0, slash);
    auto const end = s.substr(slash + 1);
    auto const in = [](std::string_view what, Reason reason) {
        return reason ? "invalid " + std::string{what} + ": " + *reason : reason;
    };
    if (start.starts_with('P')) {
        if (auto reason = in("start duration", duration(start))) return reason;
        return in("end date-time", date_time(end));
    }
    if (auto reason = in("start date-time", date_time(start))) return reason;
    return end.starts_with('P') ? in("end duration", duration(end)) : in("end date-time", date_time(end));
}

Reason url_parse(std::string_view s, std::string_view why) { return "parse " + go_quoted(s) + ": " + std::string{why}; }

/// As much of Go's url.Parse as refuses something.
Reason parse_url(std::string_view s, bool& absolute) {
    absolute = false;
    auto const whole = s;
    for (char const c : s) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            return url_parse(whole, "net/url: invalid control character in URL");
    }
    s = s.substr(0, s.find('#'));
    if (s.empty() && whole.empty()) return {};
    auto rest = s;
    for (std::size_t i = 0; i < s.size(); ++i) {
        char const c = s[i];
        if (is_letter(c)) continue;
        if (is_digit(c) || c == '+' || c == '-' || c == '.') {
            if (i == 0) break;
            continue;
        }
        if (c != ':') break;
        if (i == 0) return url_parse(whole, "missing protocol scheme");
        absolute = true;
        rest = s.substr(i + 1);
        break;
    }
    rest = rest.substr(0, rest.find('?'));
    if (!rest.starts_with('/')) {
        if (absolute) return {};  // opaque
        auto const segment = rest.substr(0, rest.find('/'));
        if (segment.find(':') != segment.npos)
            return url_parse(whole, "first path segment in URL cannot contain colon");
    }
    bool good = true;
    for (auto at = rest.find('%'); at != rest.npos; at = rest.find('%', at + 1)) {
        if (at + 2 < rest.size() && is_hex(rest[at + 1]) && is_hex(rest[at + 2])) continue;
        good = false;
        return url_parse(whole, "invalid URL escape " + go_quoted(rest.substr(at, 3)));
    }
    if (rest.starts_with("//") && good) {
        auto authority = rest.substr(2);
        authority = authority.substr(0, authority.find('/'));
        if (auto const user = authority.rfind('@'); user != authority.npos) authority = authority.substr(user + 1);
        if (authority.starts_with('[')) {
            auto const close = authority.rfind(']');
            if (close == authority.npos) return url_parse(whole, "missing ']' in host");
            if (auto reason = ipv6(authority.substr(1, close - 1))) return "invalid ipv6 address: " + *reason;
            return {};
        }
        if (auto const colon = authority.rfind(':'); colon != authority.npos) {
            auto const port = authority.substr(colon);
            if (digits_of(port.substr(1)) != port.size() - 1)
                return url_parse(whole, "invalid port " + go_quoted(port) + " after host");
        }
        if (auto const at = authority.find_first_of(" \"<>\\^`{|}");
            at != authority.npos &&
            (authority[at] == ' ' || authority[at] == '\\' || authority[at] == '^' || authority[at] == '`' ||
             authority[at] == '{' || authority[at] == '|' || authority[at] == '}'))
            return url_parse(whole, "invalid character " + go_quoted(authority.substr(at, 1)) + " in host name");
    }
    return {};
}

Reason uri(std::string_view s) {
    bool absolute = false;
    if (auto reason = parse_url(s, absolute)) return reason;
    return absolute ? Reason{} : "relative url";
}

Reason uri_reference(std::string_view s) {
    if (s.find('\\') != s.npos) return "contains \\";
    bool absolute = false;
    return parse_url(s, absolute);
}

/// What Go's URL keeps as its path: nothing of a scheme without a slash, an authority, a query or a fragment.
std::string_view path_of(std::string_view url, bool absolute) {
    url = url.substr(0, url.find('#'));
    url = url.substr(0, url.find('?'));
    if (absolute) url = url.substr(url.find(':') + 1);
    if (absolute && !url.starts_with('/')) return {};
    if (url.starts_with("//")) {
        auto const path = url.find('/', 2);
        return path == url.npos ? std::string_view{} : url.substr(path);
    }
    return url;
}

std::string percent_decoded(std::string_view text) {
    auto const digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%' || i + 2 >= text.size()) {
            out += text[i];
        } else {
            out += static_cast<char>(digit(text[i + 1]) << 4 | digit(text[i + 2]));
            i += 2;
        }
    }
    return out;
}

/// Whether Go's URL keeps the path as it was written: only when escaping it again gives another text.
bool has_raw_path(std::string_view path) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    constexpr std::string_view kUnescaped = "-_.~$&+,/:;=@";
    std::string again;
    for (char const c : percent_decoded(path)) {
        auto const byte = static_cast<unsigned char>(c);
        bool const letter = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (letter || kUnescaped.find(c) != kUnescaped.npos) again += c;
        else again += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
    return again != path;
}

/// Braces come in pairs within one part of the path.
Reason uri_template(std::string_view s) {
    bool absolute = false;
    if (auto reason = parse_url(s, absolute)) return reason;
    auto path = path_of(s, absolute);
    if (!has_raw_path(path)) return {};
    while (true) {
        auto const slash = path.find('/');
        bool open = false;
        for (char const c : percent_decoded(path.substr(0, slash))) {
            if (c != '{' && c != '}') continue;
            if ((c == '{') == open) return "nested curly braces";
            open = !open;
        }
        if (open) return "no matching closing brace";
        if (slash == path.npos) return {};
        path.remove_prefix(slash + 1);
    }
}

Reason semver_part(std::string_view text, std::string_view what, bool numbers_strict) {
    for (auto const part : split(text, '.')) {
        if (part.empty()) return std::string{what} + " identifier is empty";
        for (std::size_t i = 0; i < part.size(); ++i) {
            if (!is_digit(part[i]) && !is_letter(part[i]) && part[i] != '-')
                return "invalid character " + rune_quoted(part, i) + " in " + std::string{what} + " identifier";
        }
        if (numbers_strict && digits_of(part) == part.size() && part.size() > 1 && part[0] == '0')
            return "pre-release numeric identifier starts with zero";
    }
    return {};
}

Reason semver(std::string_view s) {
    if (auto const plus = s.find('+'); plus != s.npos) {
        if (plus + 1 == s.size()) return "build is empty";
        if (auto reason = semver_part(s.substr(plus + 1), "build", false)) return reason;
        s = s.substr(0, plus);
    }
    if (auto const dash = s.find('-'); dash != s.npos) {
        if (auto reason = semver_part(s.substr(dash + 1), "pre-release", true)) return reason;
        s = s.substr(0, dash);
    }
    auto const parts = split(s, '.');
    if (parts.size() != 3) return "versionCore must have 3 numbers separated by dot";
    constexpr std::string_view kNames[] = {"major", "minor", "patch"};
    for (std::size_t i = 0; i < 3; ++i) {
        std::string const name{kNames[i]};
        if (parts[i].empty()) return name + " is empty";
        if (parts[i].size() > 1 && parts[i][0] == '0') return name + " starts with zero";
        if (digits_of(parts[i]) != parts[i].size()) return name + " contains non-digit";
    }
    return {};
}

// Checked where it is compiled: see reason_against_format().
Reason regular_expression(std::string_view) { return {}; }

struct Named {
    std::string_view name;
    FormatCheck check;
};
constexpr Named kFormats[] = {{"json-pointer", json_pointer},
                              {"relative-json-pointer", relative_json_pointer},
                              {"uuid", uuid},
                              {"duration", duration},
                              {"period", period},
                              {"ipv4", ipv4},
                              {"ipv6", ipv6},
                              {"hostname", hostname},
                              {"email", email},
                              {"date", date},
                              {"time", time},
                              {"date-time", date_time},
                              {"uri", uri},
                              {"iri", uri},
                              {"uri-reference", uri_reference},
                              {"iri-reference", uri_reference},
                              {"uri-template", uri_template},
                              {"semver", semver},
                              {"regex", regular_expression}};

}  // namespace

FormatCheck format_named(std::string_view name) {
    for (auto const& known : kFormats) {
        if (known.name == name) return known.check;
    }
    return nullptr;
}

}  // namespace holdfast::jsonschema
