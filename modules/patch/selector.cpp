// modules/patch/selector.cpp: reading label selectors (apimachinery pkg/labels) and matching them.
#include "modules/patch/selector.hpp"

#include "modules/base/limits.hpp"
#include "modules/patch/field.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>

namespace holdfast::patch {

namespace {

std::unexpected<Error> refused(std::string message) { return fail(Errc::invalid_input, std::move(message)); }

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

/// ([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]
bool is_qualified(std::string_view text) {
    if (text.empty() || !is_alphanumeric(text.front()) || !is_alphanumeric(text.back())) return false;
    return std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

bool is_lower_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_dns_label(std::string_view text) {
    if (text.empty() || !is_lower_alphanumeric(text.front()) || !is_lower_alphanumeric(text.back())) return false;
    return std::ranges::all_of(text, [](char c) { return is_lower_alphanumeric(c) || c == '-'; });
}

bool is_dns_subdomain(std::string_view text) {
    for (std::size_t at = 0;;) {
        auto const dot = text.find('.', at);
        if (!is_dns_label(text.substr(at, dot == std::string_view::npos ? dot : dot - at))) return false;
        if (dot == std::string_view::npos) return true;
        at = dot + 1;
    }
}

constexpr std::string_view kNameRule =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr std::string_view kSubdomainRule =
    "a DNS-1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with "
    "an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr std::string_view kValueRule =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

std::string quoted(std::string_view text) { return "\"" + std::string{text} + "\""; }

void add_line(std::string& lines, std::string_view line) {
    if (!lines.empty()) lines += "; ";
    lines += line;
}

/// Why a key is no label key; "" when it is one.
std::string fault_of_key(std::string_view key) {
    std::string faults;
    auto const slash = key.find('/');
    auto name = key;
    if (slash != std::string_view::npos) {
        if (key.find('/', slash + 1) != std::string_view::npos) {
            return "a qualified name " + std::string{kNameRule} +
                   " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
        }
        auto const prefix = key.substr(0, slash);
        name = key.substr(slash + 1);
        if (prefix.empty()) add_line(faults, "prefix part must be non-empty");
        if (prefix.size() > 253) add_line(faults, "prefix part must be no more than 253 characters");
        if (!prefix.empty() && !is_dns_subdomain(prefix))
            add_line(faults, "prefix part " + std::string{kSubdomainRule});
    }
    if (name.empty()) add_line(faults, "name part must be non-empty");
    else if (name.size() > 63) add_line(faults, "name part must be no more than 63 characters");
    if (!is_qualified(name)) add_line(faults, "name part " + std::string{kNameRule});
    return faults;
}

std::string fault_of_value(std::string_view value) {
    std::string faults;
    if (value.size() > 63) add_line(faults, "must be no more than 63 characters");
    if (!value.empty() && !is_qualified(value)) add_line(faults, kValueRule);
    return faults;
}

std::optional<std::int64_t> integer(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    std::int64_t number = 0;
    auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (ec != std::errc{} || end != text.data() + text.size()) return {};
    return number;
}

enum class Token : std::uint8_t {
    end,
    error,
    word,
    comma,
    open,
    close,
    not_exists,
    equals,
    double_equals,
    not_equals,
    greater,
    less,
    in,
    not_in,
};

struct Item {
    Token token;
    std::string text;
};

constexpr std::array<std::pair<std::string_view, Token>, 11> kTokens{{
    {")", Token::close},
    {",", Token::comma},
    {"!", Token::not_exists},
    {"==", Token::double_equals},
    {"=", Token::equals},
    {">", Token::greater},
    {"in", Token::in},
    {"<", Token::less},
    {"!=", Token::not_equals},
    {"notin", Token::not_in},
    {"(", Token::open},
}};

std::optional<Token> token_of(std::string_view text) {
    auto const* const found = std::ranges::find(kTokens, text, &std::pair<std::string_view, Token>::first);
    return found == kTokens.end() ? std::nullopt : std::optional{found->second};
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_special(char c) { return std::string_view{"=!(),><"}.contains(c); }

class Lexer {
public:
    explicit Lexer(std::string_view text) : text_{text} {}

    Item next() {
        while (at_ < text_.size() && is_space(text_[at_])) ++at_;
        if (at_ >= text_.size() || text_[at_] == '\0') return {Token::end, ""};
        return is_special(text_[at_]) ? special() : word();
    }

private:
    Item special() {
        std::string seen;
        std::optional<Item> last;
        while (at_ < text_.size() && is_special(text_[at_])) {
            seen += text_[at_];
            if (auto const token = token_of(seen)) {
                last = Item{*token, seen};
            } else if (last) {
                break;
            }
            ++at_;
        }
        return last ? *last : Item{Token::error, "error expected: keyword found '" + seen + "'"};
    }

    Item word() {
        auto const begin = at_;
        while (at_ < text_.size() && text_[at_] != '\0' && !is_special(text_[at_]) && !is_space(text_[at_])) ++at_;
        std::string word{text_.substr(begin, at_ - begin)};
        auto const token = token_of(word);
        return {token.value_or(Token::word), std::move(word)};
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

struct LabelSelector::Parser {
    std::vector<Item> items;
    std::size_t at = 0;

    explicit Parser(std::string_view text) {
        Lexer lexer{text};
        do items.push_back(lexer.next());
        while (items.back().token != Token::end);
    }

    /// "in" and "notin" are operators in one place only.
    Item const& peek() const { return items[std::min(at, items.size() - 1)]; }
    static Token plain(Token token) { return token == Token::in || token == Token::not_in ? Token::word : token; }
    Token kind() const { return plain(peek().token); }
    Item const& take() {
        auto const& item = peek();
        ++at;
        return item;
    }

    Result<std::vector<Requirement>> all() {
        std::vector<Requirement> found;
        for (;;) {
            auto const token = kind();
            if (token == Token::end) return found;
            if (token != Token::word && token != Token::not_exists) {
                return refused("found '" + peek().text + "', expected: !, identifier, or 'end of string'");
            }
            auto one = requirement();
            if (!one) return fail(std::move(one), "unable to parse requirement");
            found.push_back(std::move(*one));
            auto const& after = take();
            if (after.token == Token::end) return found;
            if (after.token != Token::comma) {
                return refused("found '" + after.text + "', expected: ',' or 'end of string'");
            }
            if (kind() != Token::word && kind() != Token::not_exists) {
                return refused("found '" + peek().text + "', expected: identifier after ','");
            }
        }
    }

    Result<Requirement> requirement() {
        Requirement made{.key = {}, .op = Operator::exists, .values = {}};
        bool const negated = kind() == Token::not_exists;
        if (negated) take();
        auto const token = kind();
        made.key = take().text;
        if (token != Token::word) return refused("found '" + made.key + "', expected: identifier");
        if (auto const fault = fault_of_key(made.key); !fault.empty()) {
            return refused("invalid label key " + quoted(made.key) + ": " + fault);
        }
        if (negated) {
            made.op = Operator::not_exists;
            return made;
        }
        if (kind() == Token::end || kind() == Token::comma) return made;
        if (auto done = relation(made); !done) return fail(std::move(done));
        if (made.op == Operator::greater || made.op == Operator::less) {
            if (!integer(made.values.front())) return refused("for 'Gt', 'Lt' operators, the value must be an integer");
        }
        for (auto const& value : made.values) {
            if (auto const fault = fault_of_value(value); !fault.empty()) {
                return refused("invalid label value: " + quoted(value) + ": at key: " + quoted(made.key) + ": " +
                               fault);
            }
        }
        return made;
    }

    Result<void> relation(Requirement& made) {
        auto const& op = take();
        switch (op.token) {
            case Token::in: made.op = Operator::in; return list(made.values);
            case Token::not_in: made.op = Operator::not_in; return list(made.values);
            case Token::equals:
            case Token::double_equals: made.op = Operator::in; break;
            case Token::not_equals: made.op = Operator::not_in; break;
            case Token::greater: made.op = Operator::greater; break;
            case Token::less: made.op = Operator::less; break;
            default: return refused("found '" + op.text + "', expected: '=', '!=', '==', 'in', notin'");
        }
        if (kind() == Token::end || kind() == Token::comma) {
            made.values.emplace_back();
            return {};
        }
        auto const is_word = kind() == Token::word;
        auto const& value = take();
        if (!is_word) return refused("found '" + value.text + "', expected: identifier");
        made.values.push_back(value.text);
        return {};
    }

    Result<void> list(std::vector<std::string>& values) {
        auto const& open = take();
        if (open.token != Token::open) return refused("found '" + open.text + "' expected: '('");
        auto const first = peek().text;
        if (kind() == Token::close) {
            take();
            values.emplace_back();
            return {};
        }
        if (kind() != Token::word && kind() != Token::comma) {
            return refused("found '" + first + "', expected: ',', ')' or identifier");
        }
        std::set<std::string> found;
        if (auto done = words(found); !done) return done;
        if (take().token != Token::close) return refused("found '" + first + "', expected: ')'");
        values.assign(found.begin(), found.end());
        return {};
    }

    Result<void> words(std::set<std::string>& found) {
        for (;;) {
            auto const token = kind();
            auto const& item = take();
            if (token == Token::word) {
                found.insert(item.text);
                if (kind() == Token::comma) continue;
                if (kind() == Token::close) return {};
                return refused("found '" + peek().text + "', expected: ',' or ')'");
            }
            if (token != Token::comma) return refused("found '" + item.text + "', expected: ',', or identifier");
            if (found.empty()) found.insert("");
            if (kind() == Token::close) {
                found.insert("");
                return {};
            }
            if (kind() == Token::comma) {
                take();
                found.insert("");
            }
        }
    }
};

bool LabelSelector::Requirement::matches(std::string_view const* found) const {
    switch (op) {
        case Operator::in: return found && std::ranges::find(values, *found) != values.end();
        case Operator::not_in: return !found || std::ranges::find(values, *found) == values.end();
        case Operator::exists: return found != nullptr;
        case Operator::not_exists: return found == nullptr;
        case Operator::greater:
        case Operator::less: break;
    }
    auto const ours = found ? integer(*found) : std::nullopt;
    auto const bound = integer(values.front());
    if (!ours || !bound) return false;
    return op == Operator::greater ? *ours > *bound : *ours < *bound;
}

Result<LabelSelector> LabelSelector::parse(std::string_view text) {
    if (text.size() > limits::kPatchSelectorBytesMax) {
        return fail(Errc::limit,
                    "selector is longer than " + std::to_string(limits::kPatchSelectorBytesMax) + " bytes");
    }
    auto requirements = Parser{text}.all();
    if (!requirements) return fail(std::move(requirements));
    LabelSelector made;
    made.requirements_ = std::move(*requirements);
    return made;
}

bool LabelSelector::matches(yaml::Node const* labels) const {
    return std::ranges::all_of(requirements_, [&](Requirement const& requirement) {
        auto const found = field(labels, requirement.key);
        auto const value = found ? found.value->value() : std::string_view{};
        return requirement.matches(found ? &value : nullptr);
    });
}

std::vector<std::string> LabelSelector::keys() const {
    std::vector<std::string> keys;
    for (Requirement const& requirement : requirements_) keys.push_back(requirement.key);
    return keys;
}

bool LabelSelector::matches(std::map<std::string, std::string, std::less<>> const& labels) const {
    return std::ranges::all_of(requirements_, [&](Requirement const& requirement) {
        auto const found = labels.find(requirement.key);
        auto const value = found != labels.end() ? std::string_view{found->second} : std::string_view{};
        return requirement.matches(found != labels.end() ? &value : nullptr);
    });
}

namespace {

Result<bool> matches_map(yaml::Node const& object, std::string_view map, std::string_view text) {
    auto const selector = LabelSelector::parse(text);
    if (!selector) return std::unexpected{selector.error()};
    auto const metadata = field(&object, "metadata");
    return selector->matches(metadata ? field(metadata.value, map).value : nullptr);
}

}  // namespace

Result<bool> matches_labels(yaml::Node const& object, std::string_view selector) {
    return matches_map(object, "labels", selector);
}

Result<bool> matches_annotations(yaml::Node const& object, std::string_view selector) {
    return matches_map(object, "annotations", selector);
}

}  // namespace holdfast::patch
