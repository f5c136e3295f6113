// modules/text/gotemplate/sprig_regex.cpp: sprig's regular expressions on modules/text/regex.
#include "modules/text/gotemplate/sprig.hpp"
#include "modules/text/gotemplate/sprig_common.hpp"
#include "modules/text/gotemplate/strconv.hpp"
#include "modules/text/gotemplate/template.hpp"
#include "modules/text/regex/regex.hpp"

#include <unordered_map>

namespace holdfast::gotemplate {

namespace {

using namespace sprig;
using regex::Regex;

/// Patterns of one thread, compiled; the same few are asked for again and again.
class Patterns {
public:
    /// The pattern, charged by what its program costs when it is new. Stays valid until the next call.
    Result<Regex const*> compiled(Call& call, std::string_view pattern) {
        if (auto const known = by_text_.find(std::string{pattern}); known != by_text_.end()) return &known->second;
        auto made = Regex::compile(pattern);
        if (!made) return fail(std::move(made));
        if (auto charged = call.charge_steps(made->program_size()); !charged) return fail(std::move(charged));
        if (by_text_.size() >= kPatternsMax || instructions_ + made->program_size() > kInstructionsMax) {
            by_text_.clear();
            instructions_ = 0;
        }
        instructions_ += made->program_size();
        return &by_text_.emplace(pattern, *std::move(made)).first->second;
    }

private:
    static constexpr std::size_t kPatternsMax = 64, kInstructionsMax = 20'000;
    std::unordered_map<std::string, Regex> by_text_;
    std::size_t instructions_ = 0;
};
thread_local Patterns patterns;

/// What of the budget a search may take.
regex::Effort effort_of(Call& call) {
    return regex::Effort{call.executor().looks_left(), call.executor().budget().output_bytes_max / sizeof(Value)};
}

// regexp.MustCompile's panic, or the plain error of the "must" twin.
template <class Use> Implementation with_regex(bool must, Use use) {
    return [must, use](Call& call) -> Result<Value> {
        auto const pattern = call.text(0);
        if (auto charged = call.charge_steps(pattern.size()); !charged) return fail(std::move(charged));
        auto const compiled = patterns.compiled(call, pattern);
        if (compiled) {
            auto effort = effort_of(call);
            auto made = use(call, **compiled, effort);
            if (auto done = call.charge_looks(effort.spent() ? UINT64_MAX : effort.looks()); !done)
                return fail(std::move(done));
            return made;
        }
        if (must || compiled.error().code == Errc::limit) return std::unexpected{compiled.error()};
        auto const quoted =
            pattern.find('`') == std::string_view::npos ? "`" + std::string{pattern} + "`" : quote(pattern);
        return bad("regexp: Compile(" + quoted + "): " + compiled.error().message);
    };
}

Result<Value> maybe_list(Call& call, std::optional<std::vector<std::string_view>> const& found) {
    if (!found) return Value::zero(types::list_string);
    return list_of(call, *found);
}

Result<Value> replaced(Call& call, Result<std::string> const& made) {
    if (!made) return std::unexpected{made.error()};
    return text(call, *made);
}

}  // namespace

void add_sprig_regex(FuncMap& funcs) {
    auto const pair = [&](std::string name, std::string_view signature, auto use) {
        funcs.add(name, signature, with_regex(false, use));
        name[0] = static_cast<char>(name[0] - 32);
        funcs.add("must" + name, signature, with_regex(true, use));
    };
    using Effort = regex::Effort;
    auto const match = [](Call& call, Regex const& regex, Effort& effort) -> Result<Value> {
        return Value::boolean(regex.matches(call.text(1), effort));
    };
    funcs.add("mustRegexMatch", "string, string -> bool", with_regex(true, match));
    // regexMatch drops the error and answers false.
    funcs.add("regexMatch", "string, string -> bool", [match = with_regex(true, match)](Call& call) -> Result<Value> {
        auto made = match(call);
        return made || made.error().code == Errc::limit ? made : Value::boolean(false);
    });
    pair("regexFind", "string, string -> string", [](Call& call, Regex const& regex, Effort& effort) {
        return text(call, regex.find(call.text(1), effort).value_or(""));
    });
    pair("regexFindAll", "string, string, int -> []string", [](Call& call, Regex const& regex, Effort& effort) {
        return maybe_list(call, regex.find_all(call.text(1), call.integer(2), effort));
    });
    auto const bytes_max = [](Call& call) { return call.executor().budget().output_bytes_max; };
    pair("regexReplaceAll", "string, string, string -> string", [=](Call& call, Regex const& regex, Effort& effort) {
        return replaced(call, regex.replace_all(call.text(1), call.text(2), bytes_max(call), effort));
    });
    pair("regexReplaceAllLiteral", "string, string, string -> string",
         [=](Call& call, Regex const& regex, Effort& effort) {
             return replaced(call, regex.replace_all_literal(call.text(1), call.text(2), bytes_max(call), effort));
         });
    pair("regexSplit", "string, string, int -> []string", [](Call& call, Regex const& regex, Effort& effort) {
        return maybe_list(call, regex.split(call.text(1), call.integer(2), effort));
    });
    funcs.add("regexQuoteMeta", "string -> string",
              [](Call& call) { return text(call, regex::quote_meta(call.text(0))); });
}

}  // namespace holdfast::gotemplate
