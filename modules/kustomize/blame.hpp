// modules/kustomize/blame.hpp: where in the files the error of a build comes from.
#pragma once

#include "modules/yaml/parse.hpp"

#include <boost/json/value.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast::kustomize {

/// What a kustomization is working on: an entry of one of its lists, or a field. No field: the file as a whole.
struct Entry {
    static constexpr std::size_t kWholeField = static_cast<std::size_t>(-1);  // one before the first entry
    char const* field = "";
    std::size_t index = kWholeField;
};

/// Noted where an error arises and told once, behind its text, when the build is over. The first note stays, for the
/// later ones are of the referrers.
class Blame {
public:
    /// The text of `file` could not be used; its place is looked for.
    void note_file(std::string file, std::string_view text);
    /// An error while the kustomization `file` was working on `entry`.
    void note_kustomization(std::string file, std::string_view text, Entry entry);
    void note_kustomization(std::string file, yaml::Place place);

    /// "\n  at FILE:LINE:COLUMN" for each note. FILE is relative to `root`, which the user calls `given`.
    std::string told(std::string const& root, std::string const& given) const;

private:
    struct Note {
        std::string file;
        yaml::Place place;
    };
    Note file_, kustomization_;
};

/// Where `value`, a part of `root`, stands in the text that `root` was read from: the place of its key, when it has one.
yaml::Place place_of(std::string_view text, boost::json::value const& root, boost::json::value const* value);
/// Where reading `text` fails; nowhere when it does not.
yaml::Place place_of_error(std::string_view text);

}  // namespace holdfast::kustomize
