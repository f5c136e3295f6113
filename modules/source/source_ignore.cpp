// modules/source/source_ignore.cpp: gitignore patterns with exactly go-git's meaning, slips included.
#include "modules/source/source_ignore.hpp"

#include "modules/text/glob/glob.hpp"

#include <algorithm>

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

bool is_valid_glob(std::string_view pattern) { return glob::match_path(pattern, "").has_value(); }

std::shared_ptr<std::vector<std::string> const> domain_of(std::string_view directory) {
    auto domain = std::make_shared<std::vector<std::string>>();
    if (directory.empty()) return domain;
    for (auto part : split(directory, '/')) domain->emplace_back(part);
    return domain;
}

}  // namespace

Result<void> SourceIgnore::add(std::string_view text, std::string_view directory) {
    std::shared_ptr<std::vector<std::string> const> domain;
    while (!text.empty()) {
        auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.starts_with('#') || is_blank(line)) continue;
        if (own_.size() >= limits_.patterns_max)
            return fail(Errc::limit, "more ignore patterns than " + std::to_string(limits_.patterns_max));
        if (line.size() > limits_.pattern_bytes_max)
            return fail(Errc::limit,
                        "an ignore pattern of more than " + std::to_string(limits_.pattern_bytes_max) + " bytes");
        bytes_ += line.size() + (domain ? 0 : directory.size());
        if (bytes_ > limits_.bytes_max)
            return fail(Errc::limit, "more than " + std::to_string(limits_.bytes_max) + " bytes of ignore patterns");
        if (!domain) domain = domain_of(directory);
        own_.push_back(parse(line, domain));
    }
    return {};
}

SourceIgnore::Part SourceIgnore::part_of(std::string_view text) {
    constexpr std::string_view kMeta = "*?[\\";
    auto const meta = text.find_first_of(kMeta);
    Part part{.text = std::string{text}};
    if (meta == std::string_view::npos) part.shape = Part::Shape::name;
    else if (meta == 0 && text[0] == '*' && text.find_first_of(kMeta, 1) == std::string_view::npos)
        part.shape = Part::Shape::any_and_end;
    return part;
}

SourceIgnore::Pattern SourceIgnore::parse(std::string_view line,
                                          std::shared_ptr<std::vector<std::string> const> domain) {
    Pattern pattern{.domain = std::move(domain)};
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
    for (auto part : split(line, '/')) pattern.parts.push_back(part_of(part));
    return pattern;
}

std::vector<SourceIgnore::Pattern> SourceIgnore::parse_list(std::initializer_list<std::string_view> lines) {
    std::vector<Pattern> patterns;
    auto const everywhere = domain_of("");
    for (auto line : lines) patterns.push_back(parse(line, everywhere));
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
            if (steps_ > limits_.steps_max) return false;
            if (matches(*pattern, components, is_directory)) return !pattern->includes;
        }
    }
    return false;
}

Result<void> SourceIgnore::within_limits() const {
    if (steps_ <= limits_.steps_max) return {};
    return fail(Errc::limit,
                "the ignore patterns take more than " + std::to_string(limits_.steps_max) + " steps to compare");
}

/// A pattern with a syntax error matches nothing.
bool SourceIgnore::matches(Part const& part, std::string_view name) const {
    steps_ += 1 + part.text.size() / 16;
    switch (part.shape) {
        case Part::Shape::name: return part.text == name;
        case Part::Shape::any_and_end: return name.ends_with(std::string_view{part.text}.substr(1));
        case Part::Shape::glob: break;
    }
    steps_ += part.text.size() * name.size();
    auto const matched = glob::match_path(part.text, name);
    return matched && *matched;
}

bool SourceIgnore::matches(Pattern const& pattern, Path const& path, bool is_directory) const {
    auto const& domain = *pattern.domain;
    steps_ += domain.size() + 1;
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
                                bool is_directory) const {
    for (std::size_t i = 0; i < size; ++i) {
        if (!matches(pattern.parts[0], path[i])) continue;
        return !(pattern.directory_only && !is_directory && i + 1 == size);
    }
    return false;
}

/// Component by component from the domain on; "**" skips components up to the first that its successor matches.
bool SourceIgnore::matches_path(Pattern const& pattern, std::string_view const* path, std::size_t size,
                                bool is_directory) const {
    std::size_t at = 0;
    bool matched = false;
    bool may_skip = false;
    for (std::size_t i = 0; i < pattern.parts.size(); ++i) {
        Part const& part = pattern.parts[i];
        ++steps_;
        if (part.text.empty()) {
            may_skip = false;
            continue;
        }
        if (part.text == "**") {
            if (i + 1 == pattern.parts.size()) break;
            may_skip = true;
            continue;
        }
        if (part.text.contains("**") || at == size) return false;
        if (!may_skip) {
            if (!matches(part, path[at])) return false;
            ++at;
            matched = true;
            continue;
        }
        may_skip = false;
        if (!is_valid_glob(part.text)) return false;
        while (at < size) {
            bool const found = matches(part, path[at++]);
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
