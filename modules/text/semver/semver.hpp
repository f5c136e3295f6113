// modules/text/semver/semver.hpp: versions and constraints with the rules and error texts of Masterminds/semver v3.5.
// Pure. Reading order: semver.hpp, version.cpp, constraint.cpp.
#pragma once

#include "modules/base/error.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::semver {

inline constexpr std::size_t kVersionBytesMax = 256;
inline constexpr std::size_t kConstraintBytesMax = 512;
inline constexpr std::size_t kConstraintGroupsMax = 32;

struct Version {
    std::uint64_t major = 0;
    std::uint64_t minor = 0;
    std::uint64_t patch = 0;
    std::string prerelease;
    std::string metadata;
    std::string original;  // the text it was parsed from, "v" included

    /// major.minor.patch[-prerelease][+metadata].
    std::string string() const;

    /// The next versions; a prerelease's patch increment drops the prerelease only. Errors: limit on overflow.
    Result<Version> next_patch() const;
    Result<Version> next_minor() const;
    Result<Version> next_major() const;
    Result<Version> with_prerelease(std::string_view text) const;
    Result<Version> with_metadata(std::string_view text) const;
};

/// -1, 0 or 1 by precedence; build metadata does not count.
int compare(Version const& left, Version const& right);

/// Parses loosely: "v" prefix, missing minor and patch, leading zeros are accepted.
/// Errors  invalid_input, with Masterminds' text
Result<Version> parse(std::string_view text);

/// Parses exactly three numeric segments, no prefix, as StrictNewVersion does.
Result<Version> parse_strict(std::string_view text);

/// One comparison of a constraint, e.g. ">= 1.2.x".
struct Comparison {
    enum class Op { equal, not_equal, greater, less, greater_equal, less_equal, tilde, caret };
    Op op = Op::equal;
    std::string op_text;
    Version version;
    std::string original;  // the version as written, with its x
    bool dirty = false;
    bool minor_dirty = false;
    bool patch_dirty = false;
};

class Constraint {
public:
    /// True when any group of the constraint accepts the version.
    bool check(Version const& version) const;

    /// As check; when false, every reason in order.
    std::pair<bool, std::vector<std::string>> validate(Version const& version) const;

    /// The constraint written back, groups joined by " || ".
    std::string string() const;

private:
    friend Result<Constraint> parse_constraint(std::string_view text);
    struct Group {
        std::vector<Comparison> all;
        bool has_prerelease = false;
    };
    std::vector<Group> any_;
};

/// Parses "op version" lists: space or comma is and, "||" is or, "a - b" a range.
/// Errors  invalid_input, with Masterminds' text
Result<Constraint> parse_constraint(std::string_view text);

/// Helm's IsCompatibleRange: false as well when either text does not parse.
bool is_compatible(std::string_view constraint, std::string_view version);

}  // namespace holdfast::semver
