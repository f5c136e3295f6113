// modules/source/source_ignore.cpp: gitignore patterns with exactly go-git's meaning, slips included.
#include "modules/source/source_ignore.hpp"

#include "modules/base/limits.hpp"
#include "modules/text/glob/glob.hpp"

namespace holdfast::source {

namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        auto const at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + 1);
    }
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r\v\f") == std::string_view::npos; }

/// A pattern with a syntax error matches nothing.
bool glob_matches(std::string_view pattern, std::string_view name) {
    auto matched = glob::match_path(pattern, name);
    return matched && *matched;
}

bool is_valid_glob(std::string_view pattern) { return glob::match_path(pattern, "").has_value(); }

}  // namespace

Result<void> SourceIgnore::add(std::string_view text, std::string_view directory) {
    for (auto line : split(text, '\n')) {
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.starts_with('#') || is_blank(line)) continue;
        if (own_.size() >= limits::kIgnorePatternsMax)
            return fail(Errc::limit, "more ignore patterns than " + std::to_string(limits::kIgnorePatternsMax));
        own_.push_back(parse(line, directory));
    }
    return {};
}

SourceIgnore::Pattern SourceIgnore::parse(std::string_view line, std::string_view directory) {
    Pattern pattern;
    if (!directory.empty()) {
        for (auto part : split(directory, '/')) pattern.domain.emplace_back(part);
    }
    if (line.starts_with('!')) {
        pattern.includes = true;
        line.remove_prefix(1);
    }
    if (!line.ends_with("\\ ")) line = line.substr(0, line.find_last_not_of(' ') + 1);
    if (line.ends_with('/')) {
        pattern.directory_only = true;
        line.remove_suffix(1);
    }
    pattern.is_path = line.contains('/');
    for (auto part : split(line, '/')) pattern.parts.emplace_back(part);
    return pattern;
}

std::vector<SourceIgnore::Pattern> SourceIgnore::parse_list(std::initializer_list<std::string_view> lines) {
    std::vector<Pattern> patterns;
    for (auto line : lines) patterns.push_back(parse(line, ""));
    return patterns;
}

bool SourceIgnore::ignores(std::string_view path, bool is_directory) const {
    static auto const kVersionControl = parse_list({".git/", ".gitignore", ".gitmodules", ".gitattributes"});
    // In force only while the repository and the object bring no pattern of their own.
    static auto const kDefaults = parse_list({"*.jpg",
                                              "*.jpeg",
                                              "*.gif",
                                              "*.png",
                                              "*.wmv",
                                              "*.flv",
                                              "*.tar.gz",
                                              "*.zip",
                                              ".github/",
                                              ".circleci/",
                                              ".travis.yml",
                                              ".gitlab-ci.yml",
                                              "appveyor.yml",
                                              ".drone.yml",
                                              "cloudbuild.yaml",
                                              "codeship-services.yml",
                                              "codeship-steps.yml",
                                              "**/.goreleaser.yml",
                                              "**/.sops.yaml",
                                              "**/.flux.yaml"});
    if (path.empty()) return false;
    auto const components = split(path, '/');

    // The last pattern that matches decides.
    for (auto const* patterns : {own_.empty() ? &kDefaults : &own_, &kVersionControl}) {
        for (auto pattern = patterns->rbegin(); pattern != patterns->rend(); ++pattern) {
            if (matches(*pattern, components, is_directory)) return !pattern->includes;
        }
    }
    return false;
}

bool SourceIgnore::matches(Pattern const& pattern, Path const& path, bool is_directory) {
    auto const& domain = pattern.domain;
    if (path.size() <= domain.size()) return false;
    for (std::size_t i = 0; i < domain.size(); ++i) {
        if (path[i] != domain[i]) return false;
    }
    auto const* rest = path.data() + domain.size();
    auto const size = path.size() - domain.size();
    return pattern.is_path ? matches_path(pattern, rest, size, is_directory)
                           : matches_name(pattern, rest, size, is_directory);
}

/// Any component may match: what lies below a matched directory is matched too.
bool SourceIgnore::matches_name(Pattern const& pattern, std::string_view const* path, std::size_t size,
                                bool is_directory) {
    for (std::size_t i = 0; i < size; ++i) {
        if (!glob_matches(pattern.parts[0], path[i])) continue;
        return !(pattern.directory_only && !is_directory && i + 1 == size);
    }
    return false;
}

/// Component by component from the domain on; "**" skips components up to the first that its successor matches.
bool SourceIgnore::matches_path(Pattern const& pattern, std::string_view const* path, std::size_t size,
                                bool is_directory) {
    std::size_t at = 0;
    bool matched = false;
    bool may_skip = false;
    for (std::size_t i = 0; i < pattern.parts.size(); ++i) {
        std::string const& part = pattern.parts[i];
        if (part.empty()) {
            may_skip = false;
            continue;
        }
        if (part == "**") {
            if (i + 1 == pattern.parts.size()) break;
            may_skip = true;
            continue;
        }
        if (part.contains("**") || at == size) return false;
        if (!may_skip) {
            if (!glob_matches(part, path[at])) return false;
            ++at;
            matched = true;
            continue;
        }
        may_skip = false;
        if (!is_valid_glob(part)) return false;
        while (at < size) {
            bool const found = glob_matches(part, path[at++]);
            if (found) {
                matched = true;
                break;
            }
            if (at == size) matched = false;
        }
    }
    return matched && !(pattern.directory_only && !is_directory && at == size);
}

}  // namespace holdfast::source
