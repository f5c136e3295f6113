// modules/text/semver/version.cpp: versions: parse, print, order.
#include "modules/text/semver/semver.hpp"

#include "modules/text/semver/scan.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace holdfast::semver {
namespace {

bool is_identifier_text(std::string_view text) { return std::ranges::all_of(text, is_identifier_byte); }
bool is_digits(std::string_view text) { return std::ranges::all_of(text, is_digit); }

template <class Visit> bool each_part(std::string_view text, Visit visit) {
    for (;;) {
        auto const dot = text.find('.');
        if (!visit(text.substr(0, dot))) return false;
        if (dot == text.npos) return true;
        text.remove_prefix(dot + 1);
    }
}

Result<void> validate_prerelease(std::string_view text) {
    char const* wrong = nullptr;
    each_part(text, [&](std::string_view part) {
        if (part.empty()) {
            wrong = "invalid prerelease string";
        } else if (is_digits(part)) {
            if (part.size() > 1 && part[0] == '0') wrong = "version segment starts with 0";
        } else if (!is_identifier_text(part)) {
            wrong = "invalid prerelease string";
        }
        return wrong == nullptr;
    });
    if (wrong != nullptr) return fail(Errc::invalid_input, wrong);
    return {};
}

Result<void> validate_metadata(std::string_view text) {
    bool const good = each_part(text, [](std::string_view part) { return !part.empty() && is_identifier_text(part); });
    if (!good) return fail(Errc::invalid_input, "invalid metadata string");
    return {};
}

Result<std::uint64_t> segment(std::string_view digits) {
    std::uint64_t value = 0;
    auto const [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (ec == std::errc{}) return value;
    return fail(Errc::invalid_input, "error parsing version segment: strconv.ParseUint: parsing \"" +
                                         std::string{digits} + "\": value out of range");
}

std::optional<std::uint64_t> as_number(std::string_view text) {
    std::uint64_t value = 0;
    auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

int sign(bool less) { return less ? -1 : 1; }

int compare_part(std::string_view left, std::string_view right) {
    if (left == right) return 0;
    if (left.empty() || right.empty()) return sign(left.empty());
    auto const left_number = as_number(left);
    auto const right_number = as_number(right);
    if (!left_number && !right_number) return sign(left < right);
    if (!right_number) return -1;
    if (!left_number) return 1;
    return sign(*left_number <= *right_number);
}

Result<Version> bumped(Version next, std::string_view original) {
    next.original = (original.starts_with('v') ? "v" : "") + next.string();
    return next;
}

}  // namespace

int compare_prerelease(std::string_view left, std::string_view right) {
    while (!left.empty() || !right.empty()) {
        auto const left_dot = std::min(left.find('.'), left.size());
        auto const right_dot = std::min(right.find('.'), right.size());
        if (int const order = compare_part(left.substr(0, left_dot), right.substr(0, right_dot)); order != 0)
            return order;
        left.remove_prefix(std::min(left_dot + 1, left.size()));
        right.remove_prefix(std::min(right_dot + 1, right.size()));
    }
    return 0;
}

std::string Version::string() const {
    std::string text = std::to_string(major) + '.' + std::to_string(minor) + '.' + std::to_string(patch);
    if (!prerelease.empty()) text += '-' + prerelease;
    if (!metadata.empty()) text += '+' + metadata;
    return text;
}

int compare(Version const& left, Version const& right) {
    if (left.major != right.major) return sign(left.major < right.major);
    if (left.minor != right.minor) return sign(left.minor < right.minor);
    if (left.patch != right.patch) return sign(left.patch < right.patch);
    if (left.prerelease.empty() || right.prerelease.empty())
        return static_cast<int>(left.prerelease.empty()) - static_cast<int>(right.prerelease.empty());
    return compare_prerelease(left.prerelease, right.prerelease);
}

Result<Version> parse(std::string_view text) {
    if (text.size() > kVersionBytesMax) return fail(Errc::invalid_input, "version string is too long (max 256 bytes)");
    Scanner scan{text, Scanner::Digits::only};
    auto const parts = scan.core();
    if (!parts || scan.at != text.size()) return fail(Errc::invalid_input, "invalid semantic version");
    Version version{.prerelease = std::string{parts->prerelease},
                    .metadata = std::string{parts->metadata},
                    .original = std::string{text}};
    for (auto const& [digits, slot] :
         {std::pair{parts->major, &version.major}, {parts->minor, &version.minor}, {parts->patch, &version.patch}}) {
        if (digits.empty()) continue;
        auto value = segment(digits);
        if (!value) return fail(std::move(value));
        *slot = *value;
    }
    if (!version.prerelease.empty()) {
        if (auto valid = validate_prerelease(version.prerelease); !valid) return fail(std::move(valid));
    }
    return version;
}

Result<Version> parse_strict(std::string_view text) {
    if (text.empty()) return fail(Errc::invalid_input, "version string empty");
    if (text.size() > kVersionBytesMax) return fail(Errc::invalid_input, "version string is too long (max 256 bytes)");
    auto const first = text.find('.');
    auto const second = first == text.npos ? text.npos : text.find('.', first + 1);
    if (second == text.npos) return fail(Errc::invalid_input, "invalid semantic version");
    Version version{.original = std::string{text}};
    auto rest = text.substr(second + 1);
    if (auto const plus = rest.find('+'); plus != rest.npos) {
        version.metadata = rest.substr(plus + 1);
        rest = rest.substr(0, plus);
        if (auto valid = validate_metadata(version.metadata); !valid) return fail(std::move(valid));
    }
    if (auto const dash = rest.find('-'); dash != rest.npos) {
        version.prerelease = rest.substr(dash + 1);
        rest = rest.substr(0, dash);
        if (auto valid = validate_prerelease(version.prerelease); !valid) return fail(std::move(valid));
    }
    std::string_view const segments[] = {text.substr(0, first), text.substr(first + 1, second - first - 1), rest};
    std::uint64_t* const slots[] = {&version.major, &version.minor, &version.patch};
    for (auto const part : segments) {
        if (!is_digits(part)) return fail(Errc::invalid_input, "invalid characters in version");
        if (part.size() > 1 && part[0] == '0') return fail(Errc::invalid_input, "version segment starts with 0");
    }
    for (std::size_t i = 0; i < 3; ++i) {
        auto const [end, ec] = std::from_chars(segments[i].data(), segments[i].data() + segments[i].size(), *slots[i]);
        if (ec == std::errc{}) continue;
        return fail(Errc::invalid_input, "strconv.ParseUint: parsing \"" + std::string{segments[i]} +
                                             "\": " + (segments[i].empty() ? "invalid syntax" : "value out of range"));
    }
    return version;
}

Result<Version> Version::next_patch() const {
    Version next{.major = major, .minor = minor, .patch = patch};
    if (prerelease.empty()) {
        if (patch == std::numeric_limits<std::uint64_t>::max())
            return fail(Errc::limit, "patch version increment would overflow uint64");
        ++next.patch;
    }
    return bumped(std::move(next), original);
}

Result<Version> Version::next_minor() const {
    if (minor == std::numeric_limits<std::uint64_t>::max())
        return fail(Errc::limit, "minor version increment would overflow uint64");
    return bumped(Version{.major = major, .minor = minor + 1}, original);
}

Result<Version> Version::next_major() const {
    if (major == std::numeric_limits<std::uint64_t>::max())
        return fail(Errc::limit, "major version increment would overflow uint64");
    return bumped(Version{.major = major + 1}, original);
}

Result<Version> Version::with_prerelease(std::string_view text) const {
    if (!text.empty()) {
        if (auto valid = validate_prerelease(text); !valid) return fail(std::move(valid));
    }
    Version next = *this;
    next.prerelease = text;
    return bumped(std::move(next), original);
}

Result<Version> Version::with_metadata(std::string_view text) const {
    if (!text.empty()) {
        if (auto valid = validate_metadata(text); !valid) return fail(std::move(valid));
    }
    Version next = *this;
    next.metadata = text;
    return bumped(std::move(next), original);
}

}  // namespace holdfast::semver
