// daemon/cli/flags.hpp: a table of flags, read by the rules and in the words of pflag, which kustomize and helm use.
#pragma once

#include "modules/base/error.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::daemon::cli {

struct Flag {
    std::string_view name;
    /// Takes the text. What is wrong with it is said in the words of pflag's type ("strconv.ParseBool: parsing ...");
    /// parse() puts in front which flag it was, unless the code is denied: a refusal of ours names itself.
    std::function<Result<void>(std::string const&)> set;
    char letter = '\0';
    std::optional<std::string_view> bare{};  // what the flag alone means; nothing: it needs a value
    std::string_view deprecated{};           // the advice that is printed when it is used
};

/// Slots must outlive the table.
class FlagTable {
public:
    void add(Flag flag);
    void boolean(std::string_view name, bool& slot, char letter = '\0');
    void text(std::string_view name, std::string& slot, char letter = '\0');
    void list(std::string_view name, std::vector<std::string>& slot);                     // each use adds one
    void csv(std::string_view name, std::vector<std::string>& slot, char letter = '\0');  // each use adds a CSV line
    void deprecate(std::string_view name, std::string_view advice);
    /// A flag that is checked and has no effect.
    void ignored_boolean(std::string_view name);
    void ignored_text(std::string_view name);
    /// `why` follows "--NAME "; --NAME=false is no use of a boolean.
    void refused_boolean(std::string_view name, std::string_view why);
    void refused_text(std::string_view name, std::string_view why, char letter = '\0');

    /// argv[0] is the command. `said` gets a line for every deprecated flag, unless one is wrong.
    /// Out     what is no flag, in order
    /// Errors  invalid_input  "unknown flag: --x", "invalid argument \"x\" for \"-f, --values\" flag: ...";
    ///         denied  a refusal
    Result<std::vector<std::string>> parse(int argc, char** argv, std::vector<std::string>& said) const;

private:
    Flag const* find(char letter) const;
    static Result<void> take(Flag const& flag, std::string const& value, std::vector<std::string>& said);
    std::map<std::string_view, Flag> flags_;
};

/// One line of encoding/csv.
Result<std::vector<std::string>> parse_csv(std::string_view line);

}  // namespace holdfast::daemon::cli
