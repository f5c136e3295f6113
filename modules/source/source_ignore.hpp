// modules/source/source_ignore.hpp: which files of a source stay out of its artifact.
// Pure. Flux's rules: .sourceignore files of every directory, spec.ignore, and defaults when there are neither.
#pragma once

#include "modules/base/error.hpp"
#include "modules/base/limits.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::source {

class SourceIgnore {
public:
    struct Limits {
        std::size_t patterns_max = limits::kIgnorePatternsMax;  // of all files and spec.ignore
        std::size_t pattern_bytes_max = 4u << 10;               // of one
        std::size_t bytes_max = 64u << 10;                      // of all, and of the folders they are valid in
        std::size_t steps_max = 4'000'000'000;                  // characters that could be compared: some seconds
    };
    SourceIgnore() = default;
    explicit SourceIgnore(Limits limits) : limits_{limits} {}

    /// Adds the patterns of one file in gitignore syntax; later ones win over earlier ones.
    ///
    /// In      directory  where the file stands, "" for the root and for spec.ignore; its patterns reach no further up
    /// Errors  limit  a field of Limits
    Result<void> add(std::string_view text, std::string_view directory = "");

    /// In      path  relative, "apps/web/kustomization.yaml"; "" (the root) is never ignored
    /// Out     false, too, once Limits::steps_max is passed: see within_limits()
    /// Source  fluxcd/pkg sourceignore, go-git gitignore: a file below an ignored directory can be included again
    bool ignores(std::string_view path, bool is_directory) const;

    /// Errors  limit  all calls of ignores() together took more than Limits::steps_max: what they said does not count
    Result<void> within_limits() const;

private:
    /// One component of a pattern. Most are a plain name or "*.jpg", for which nothing has to be tried out.
    struct Part {
        enum class Shape { name, any_and_end, glob };
        std::string text;
        Shape shape = Shape::glob;
    };
    struct Pattern {
        std::shared_ptr<std::vector<std::string> const> domain;  // components of the directory it is valid in
        std::vector<Part> parts;                                 // split at "/"
        bool includes = false;                                   // "!pattern"
        bool directory_only = false;                             // "pattern/"
        bool is_path = false;  // holds a "/": compared from the domain on, else with any one component
    };
    using Path = std::vector<std::string_view>;

    static Part part_of(std::string_view text);
    static Pattern parse(std::string_view line, std::shared_ptr<std::vector<std::string> const> domain);
    static std::vector<Pattern> parse_list(std::initializer_list<std::string_view> lines);
    bool matches(Part const& part, std::string_view name) const;
    bool matches(Pattern const& pattern, Path const& path, bool is_directory) const;
    bool matches_name(Pattern const& pattern, std::string_view const* path, std::size_t size, bool is_directory) const;
    bool matches_path(Pattern const& pattern, std::string_view const* path, std::size_t size, bool is_directory) const;

    Limits limits_;
    std::vector<Pattern> own_;
    std::size_t bytes_ = 0;
    mutable std::size_t steps_ = 0;
};

}  // namespace holdfast::source
