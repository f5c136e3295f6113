// modules/source/source_ignore.hpp: which files of a source stay out of its artifact.
// Pure. Flux's rules: .sourceignore files of every directory, spec.ignore, and defaults when there are neither.
#pragma once

#include "modules/base/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::source {

class SourceIgnore {
public:
    /// Adds the patterns of one file in gitignore syntax; later ones win over earlier ones.
    ///
    /// In      directory  where the file stands, "" for the root and for spec.ignore; its patterns reach no further up
    /// Errors  limit  more patterns than kIgnorePatternsMax
    Result<void> add(std::string_view text, std::string_view directory = "");

    /// In      path  relative, "apps/web/kustomization.yaml"; "" (the root) is never ignored
    /// Source  fluxcd/pkg sourceignore, go-git gitignore: a file below an ignored directory can be included again
    bool ignores(std::string_view path, bool is_directory) const;

private:
    struct Pattern {
        std::vector<std::string> domain;  // path components of the directory it is valid in
        std::vector<std::string> parts;   // split at "/"
        bool includes = false;            // "!pattern"
        bool directory_only = false;      // "pattern/"
        bool is_path = false;             // holds a "/": compared from the domain on, else with any one component
    };
    using Path = std::vector<std::string_view>;

    static Pattern parse(std::string_view line, std::string_view directory);
    static std::vector<Pattern> parse_list(std::initializer_list<std::string_view> lines);
    static bool matches(Pattern const& pattern, Path const& path, bool is_directory);
    static bool matches_name(Pattern const& pattern, std::string_view const* path, std::size_t size, bool is_directory);
    static bool matches_path(Pattern const& pattern, std::string_view const* path, std::size_t size, bool is_directory);

    std::vector<Pattern> own_;
};

}  // namespace holdfast::source
