// modules/patch/regex.cpp: Go's error texts for RE2's error codes.
#include "modules/patch/regex.hpp"

#include "modules/base/limits.hpp"

#include <re2/re2.h>

namespace holdfast::patch {

namespace {

std::string_view go_text(RE2::ErrorCode code) {
    switch (code) {
        case RE2::ErrorBadEscape: return "invalid escape sequence";
        case RE2::ErrorBadCharClass: return "invalid character class";
        case RE2::ErrorBadCharRange: return "invalid character class range";
        case RE2::ErrorMissingBracket: return "missing closing ]";
        case RE2::ErrorMissingParen: return "missing closing )";
        case RE2::ErrorUnexpectedParen: return "unexpected )";
        case RE2::ErrorTrailingBackslash: return "trailing backslash at end of expression";
        case RE2::ErrorRepeatArgument: return "missing argument to repetition operator";
        case RE2::ErrorRepeatSize: return "invalid repeat count";
        case RE2::ErrorRepeatOp: return "invalid nested repetition operator";
        case RE2::ErrorBadPerlOp: return "invalid or unsupported Perl syntax";
        case RE2::ErrorBadUTF8: return "invalid UTF-8";
        case RE2::ErrorBadNamedCapture: return "invalid named capture";
        case RE2::ErrorPatternTooLarge: return "expression too large";
        default: return "regexp/syntax: internal error";
    }
}

}  // namespace

Result<Regex> Regex::compile(std::string_view pattern) {
    if (pattern.size() > limits::kPatchRegexBytesMax) {
        return fail(Errc::limit,
                    "regular expression is longer than " + std::to_string(limits::kPatchRegexBytesMax) + " bytes");
    }
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(8 << 20);
    auto compiled = std::make_shared<RE2 const>(re2::StringPiece{pattern.data(), pattern.size()}, options);
    if (!compiled->ok()) {
        std::string message{"error parsing regexp: "};
        message += go_text(compiled->error_code());
        // Go puts an unmatched parenthesis' whole pattern there, as RE2 does.
        message += ": `" + compiled->error_arg() + "`";
        return fail(Errc::invalid_input, std::move(message));
    }
    Regex made;
    made.compiled_ = std::move(compiled);
    return made;
}

bool Regex::search(std::string_view text) const {
    return RE2::PartialMatch(re2::StringPiece{text.data(), text.size()}, *compiled_);
}

}  // namespace holdfast::patch
