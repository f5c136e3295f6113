// daemon/cli/flags.cpp: pflag's way through a command line.
#include "daemon/cli/flags.hpp"

#include "modules/text/gotemplate/strconv.hpp"

#include <utility>

namespace holdfast::daemon::cli {

namespace {

Result<void> bad_csv(std::size_t column, std::string_view what) {
    return fail(Errc::invalid_input,
                "parse error on line 1, column " + std::to_string(column) + ": " + std::string{what});
}

/// A quoted field from its first quote on; `at` moves behind it.
Result<void> read_quoted(std::string_view line, std::size_t& at, std::string& field) {
    for (++at; at < line.size(); ++at) {
        if (line[at] != '"') {
            field += line[at];
        } else if (at + 1 < line.size() && line[at + 1] == '"') {
            field += line[++at];
        } else {
            ++at;
            if (at == line.size() || line[at] == ',') return {};
            return bad_csv(at, "extraneous or missing \" in quoted-field");
        }
    }
    return bad_csv(line.size() + 1, "extraneous or missing \" in quoted-field");
}

}  // namespace

Result<std::vector<std::string>> parse_csv(std::string_view line) {
    std::vector<std::string> fields;
    if (line.empty()) return fields;
    for (std::size_t at = 0;; ++at) {
        std::string field;
        if (at < line.size() && line[at] == '"') {
            if (auto read = read_quoted(line, at, field); !read) return fail(std::move(read));
        } else {
            for (; at < line.size() && line[at] != ','; ++at) {
                if (line[at] == '"') return std::unexpected{bad_csv(at + 1, "bare \" in non-quoted-field").error()};
                field += line[at];
            }
        }
        fields.push_back(std::move(field));
        if (at == line.size()) return fields;
    }
}

void FlagTable::add(Flag flag) { flags_.insert_or_assign(flag.name, std::move(flag)); }

void FlagTable::boolean(std::string_view name, bool& slot, char letter) {
    auto const set = [&slot](std::string const& text) -> Result<void> {
        auto const value = gotemplate::parse_bool(text);
        if (!value) return std::unexpected{value.error()};
        slot = *value;
        return {};
    };
    add({.name = name, .set = set, .letter = letter, .bare = "true"});
}

void FlagTable::text(std::string_view name, std::string& slot, char letter) {
    auto const set = [&slot](std::string const& text) -> Result<void> {
        slot = text;
        return {};
    };
    add({.name = name, .set = set, .letter = letter});
}

void FlagTable::list(std::string_view name, std::vector<std::string>& slot) {
    auto const set = [&slot](std::string const& text) -> Result<void> {
        slot.push_back(text);
        return {};
    };
    add({.name = name, .set = set});
}

void FlagTable::csv(std::string_view name, std::vector<std::string>& slot, char letter) {
    auto const set = [&slot](std::string const& text) -> Result<void> {
        auto fields = parse_csv(text);
        if (!fields) return std::unexpected{fields.error()};
        slot.insert(slot.end(), std::make_move_iterator(fields->begin()), std::make_move_iterator(fields->end()));
        return {};
    };
    add({.name = name, .set = set, .letter = letter});
}

void FlagTable::deprecate(std::string_view name, std::string_view advice) { flags_.at(name).deprecated = advice; }

void FlagTable::ignored_boolean(std::string_view name) {
    auto const set = [](std::string const& text) -> Result<void> {
        auto const value = gotemplate::parse_bool(text);
        if (!value) return std::unexpected{value.error()};
        return {};
    };
    add({.name = name, .set = set, .bare = "true"});
}

void FlagTable::ignored_text(std::string_view name) {
    add({.name = name, .set = [](std::string const&) -> Result<void> { return {}; }});
}

void FlagTable::refused_boolean(std::string_view name, std::string_view why) {
    auto const set = [name, why](std::string const& text) -> Result<void> {
        auto const value = gotemplate::parse_bool(text);
        if (!value) return std::unexpected{value.error()};
        if (!*value) return {};
        return fail(Errc::denied, "--" + std::string{name} + " " + std::string{why});
    };
    add({.name = name, .set = set, .bare = "true"});
}

void FlagTable::refused_text(std::string_view name, std::string_view why, char letter) {
    auto const set = [name, why](std::string const&) -> Result<void> {
        return fail(Errc::denied, "--" + std::string{name} + " " + std::string{why});
    };
    add({.name = name, .set = set, .letter = letter});
}

Flag const* FlagTable::find(char letter) const {
    for (auto const& [name, flag] : flags_) {
        if (flag.letter == letter) return &flag;
    }
    return nullptr;
}

Result<void> FlagTable::take(Flag const& flag, std::string const& value, std::vector<std::string>& said) {
    auto taken = flag.set(value);
    if (!taken && taken.error().code == Errc::denied) return taken;
    if (!taken) {
        auto const shown = (flag.letter != '\0' ? std::string{'-', flag.letter, ',', ' '} : std::string{}) + "--" +
                           std::string{flag.name};
        return fail(std::move(taken),
                    "invalid argument " + gotemplate::quote(value) + " for " + gotemplate::quote(shown) + " flag");
    }
    if (!flag.deprecated.empty())
        said.push_back("Flag --" + std::string{flag.name} + " has been deprecated, " + std::string{flag.deprecated});
    return {};
}

Result<std::vector<std::string>> FlagTable::parse(int argc, char** argv, std::vector<std::string>& said) const {
    std::vector<std::string> rest, deprecated;
    for (int i = 1; i < argc; ++i) {
        std::string_view const word = argv[i];
        if (word.size() < 2 || word[0] != '-') {
            rest.emplace_back(word);
            continue;
        }
        if (word == "--") {
            rest.insert(rest.end(), argv + i + 1, argv + argc);
            break;
        }
        if (word.starts_with("--")) {
            auto const equals = word.find('=');
            auto const name = word.substr(2, equals == word.npos ? word.npos : equals - 2);
            if (name.empty() || name[0] == '-')
                return fail(Errc::invalid_input, "bad flag syntax: " + std::string{word});
            auto const found = flags_.find(name);
            if (found == flags_.end()) return fail(Errc::invalid_input, "unknown flag: --" + std::string{name});
            auto const& flag = found->second;
            std::string value;
            if (equals != word.npos) {
                value = word.substr(equals + 1);
            } else if (flag.bare) {
                value = *flag.bare;
            } else if (++i < argc) {
                value = argv[i];
            } else {
                return fail(Errc::invalid_input, "flag needs an argument: --" + std::string{name});
            }
            if (auto taken = take(flag, value, deprecated); !taken) return fail(std::move(taken));
            continue;
        }
        for (auto letters = word.substr(1); !letters.empty();) {
            auto const* const flag = find(letters[0]);
            auto const here = [&] { return "'" + std::string{letters[0]} + "' in -" + std::string{letters}; };
            if (flag == nullptr) return fail(Errc::invalid_input, "unknown shorthand flag: " + here());
            std::string value;
            std::string_view left;
            if (letters.size() > 2 && letters[1] == '=') {
                value = letters.substr(2);
            } else if (flag->bare) {
                value = *flag->bare;
                left = letters.substr(1);
            } else if (letters.size() > 1) {
                value = letters.substr(1);
            } else if (++i < argc) {
                value = argv[i];
            } else {
                return fail(Errc::invalid_input, "flag needs an argument: " + here());
            }
            if (auto taken = take(*flag, value, deprecated); !taken) return fail(std::move(taken));
            letters = left;
        }
    }
    said.insert(said.end(), deprecated.begin(), deprecated.end());
    return rest;
}

}  // namespace holdfast::daemon::cli
