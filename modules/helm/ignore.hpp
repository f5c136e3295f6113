// modules/helm/ignore.hpp: .helmignore.
#pragma once

#include "modules/base/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::helm {

class IgnoreRules {
public:
    /// The rules of one file, and Helm's own: dot files in templates/ are ignored.
    /// Errors  invalid_input  "double-star (**) syntax is not supported", "syntax error in pattern"
    static Result<IgnoreRules> parse(std::string_view text);

    /// Whether a file or folder is left out; rules are asked in order, and a negative one that does not match ends it.
    bool ignores(std::string_view path, bool is_folder) const;

private:
    struct Rule {
        std::string pattern;
        enum class On { base_name, path } on = On::base_name;
        bool negated = false;
        bool folders_only = false;
    };
    Result<void> add(std::string_view line);
    std::vector<Rule> rules_;
};

}  // namespace holdfast::helm
