// modules/patch/regex.hpp: Go's regexp by way of RE2: the same language, with Go's error texts.
#pragma once

#include "modules/base/error.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace holdfast::patch {

/// regexp.Compile and MatchString. Copies share the compiled form.
class Regex {
public:
    /// Errors  invalid_input  Go's text: "error parsing regexp: missing closing ]: `[a`"
    ///         limit          limits::kPatchRegexBytesMax
    static Result<Regex> compile(std::string_view pattern);

    /// Found anywhere in `text`.
    bool search(std::string_view text) const;

private:
    std::shared_ptr<re2::RE2 const> compiled_;
};

}  // namespace holdfast::patch
