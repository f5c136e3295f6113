// modules/text/gotemplate/sprig_strings.cpp: sprig's string functions.
#include "modules/base/search.hpp"
#include "modules/text/gotemplate/fmt.hpp"
#include "modules/text/gotemplate/sprig.hpp"
#include "modules/text/gotemplate/sprig_common.hpp"
#include "modules/text/gotemplate/strconv.hpp"
#include "modules/text/gotemplate/unicode.hpp"
#include "modules/text/gotemplate/words.hpp"

#include <algorithm>
#include <bit>
#include <bitset>

namespace holdfast::gotemplate {

namespace {

using namespace sprig;

std::uint64_t occurrences(std::string_view text, std::string_view wanted) {
    std::uint64_t found = 0;
    for (auto at = find_text(text, wanted); at != std::string_view::npos;
         at = find_text(text, wanted, at + wanted.size()))
        ++found;
    return found;
}

// The pieces, charged before they are made: there may be as many as the text has characters.
Result<std::vector<std::string_view>> split(Call& call, std::string_view text, std::string_view separator,
                                            std::int64_t count = -1) {
    auto const most = count < 0 ? UINT64_MAX : static_cast<std::uint64_t>(count);
    auto const pieces =
        std::min<std::uint64_t>(most, separator.empty() ? text.size() : occurrences(text, separator) + 1);
    if (auto charged = charge_list(call, pieces); !charged) return fail(std::move(charged));
    std::vector<std::string_view> parts;
    parts.reserve(pieces);
    while (parts.size() + 1 < most && !(separator.empty() && text.empty())) {
        auto const at = separator.empty() ? decode_rune(text).width : find_text(text, separator);
        if (at == std::string_view::npos) break;
        parts.push_back(text.substr(0, at));
        text.remove_prefix(at + separator.size());
    }
    if (most > 0 && !(separator.empty() && text.empty())) parts.push_back(text);
    return parts;
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
    std::string out;
    if (from.empty()) {
        out += to;
        while (!text.empty()) {
            auto const width = decode_rune(text).width;
            out += text.substr(0, width);
            out += to;
            text.remove_prefix(width);
        }
        return out;
    }
    for (;;) {
        auto const at = find_text(text, from);
        out += text.substr(0, at);
        if (at == std::string_view::npos) return out;
        out += to;
        text.remove_prefix(at + from.size());
    }
}

Result<Value> replace(Call& call) {
    auto const from = call.text(0), to = call.text(1), source = call.text(2);
    auto const found = from.empty() ? source.size() + 1 : occurrences(source, from);
    if (auto charged = call.charge_bytes(source.size() + found * to.size()); !charged) return fail(std::move(charged));
    return Value::string(replaced(source, from, to));
}

Result<Value> repeat(Call& call) {
    auto const count = call.integer(0);
    auto const unit = call.text(1);
    if (count < 0) return bad("strings: negative Repeat count");
    if (unit.empty()) return Value::string("");
    if (static_cast<std::uint64_t>(count) > UINT64_MAX / unit.size())
        return bad("strings: Repeat output length overflow");
    if (auto charged = call.charge_bytes(static_cast<std::uint64_t>(count) * unit.size()); !charged)
        return fail(std::move(charged));
    std::string out;
    out.reserve(static_cast<std::size_t>(count) * unit.size());
    for (std::int64_t i = 0; i < count; ++i) out += unit;
    return Value::string(out);
}

Result<Value> indent_with(Call& call, std::string_view before) {
    auto const spaces = call.integer(0);
    auto const source = call.text(1);
    if (spaces < 0) return bad("strings: negative Repeat count");
    // Of the spaces alone first: only then is the product small enough to be a number.
    if (auto charged = call.charge_bytes(static_cast<std::uint64_t>(spaces)); !charged) return fail(std::move(charged));
    auto const lines = static_cast<std::uint64_t>(std::count(source.begin(), source.end(), '\n')) + 1;
    auto const total = before.size() + source.size() + lines * static_cast<std::uint64_t>(spaces);
    if (auto charged = call.charge_bytes(total); !charged) return fail(std::move(charged));
    std::string out;
    out.reserve(total);
    out += before;
    for (auto rest = source;;) {
        out.append(static_cast<std::size_t>(spaces), ' ');
        auto const end = rest.find('\n');
        if (end == std::string_view::npos) {
            out += rest;
            return Value::string(out);
        }
        out += rest.substr(0, end + 1);
        rest.remove_prefix(end + 1);
    }
}

std::string bounds_text(std::int64_t from, std::int64_t to, bool open_start, std::size_t length) {
    auto const prefix = std::string{"runtime error: slice bounds out of range ["};
    if (open_start) {
        if (to < 0) return prefix + ":" + std::to_string(to) + "]";
        return prefix + ":" + std::to_string(to) + "] with length " + std::to_string(length);
    }
    return prefix + std::to_string(from) + ":" + std::to_string(to) + "]";
}

Result<Value> substring(Call& call) {
    auto const start = call.integer(0), end = call.integer(1);
    auto const source = call.text(2);
    auto const length = static_cast<std::int64_t>(source.size());
    if (start < 0) {
        if (end < 0 || end > length) return bad(bounds_text(0, end, true, source.size()));
        return text(call, source.substr(0, static_cast<std::size_t>(end)));
    }
    auto const stop = end < 0 || end > length ? length : end;
    if (start > stop) return bad(bounds_text(start, stop, false, source.size()));
    return text(call, source.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(stop - start)));
}

Result<Value> trunc(Call& call) {
    auto const count = call.integer(0);
    auto const source = call.text(1);
    auto const length = static_cast<std::int64_t>(source.size());
    if (count < 0 && length + count > 0) return text(call, source.substr(static_cast<std::size_t>(length + count)));
    if (count >= 0 && length > count) return text(call, source.substr(0, static_cast<std::size_t>(count)));
    return call[1];
}

// A set of characters that answers at once, whoever wrote it.
class Cutset {
public:
    explicit Cutset(std::string_view text) : others_(to_runes(text)) {
        std::erase_if(others_, [&](char32_t rune) {
            if (rune < ascii_.size()) ascii_.set(rune);
            return rune < ascii_.size();
        });
        std::sort(others_.begin(), others_.end());
    }
    bool contains(char32_t rune) const {
        return rune < ascii_.size() ? ascii_.test(rune) : std::binary_search(others_.begin(), others_.end(), rune);
    }

private:
    std::bitset<128> ascii_;
    std::u32string others_;
};

std::string_view trimmed(std::string_view text, std::string_view cutset) {
    Cutset const cut{cutset};
    while (!text.empty()) {
        auto const rune = decode_rune(text);
        if (!cut.contains(rune.value)) break;
        text.remove_prefix(rune.width);
    }
    while (!text.empty()) {
        auto const rune = decode_last_rune(text);
        if (!cut.contains(rune.value)) break;
        text.remove_suffix(rune.width);
    }
    return text;
}

// The arguments that are there, each as `written`, with blanks between them.
template <class Write> Result<Value> spaced(Call& call, Write written) {
    std::string out;
    bool first = true;
    for (auto const& arg : call.args()) {
        if (arg.kind() == Kind::invalid) continue;
        if (!first) out.push_back(' ');
        first = false;
        auto const before = out.size();
        out += written(arg);
        if (auto charged = charge_growth(call, before, out.size()); !charged) return fail(std::move(charged));
    }
    return Value::string(out);
}

Result<Value> split_map(Call& call, Result<std::vector<std::string_view>> parts) {
    if (!parts) return fail(std::move(parts));
    if (auto charged = call.charge_bytes(parts->size() * 64); !charged) return fail(std::move(charged));
    auto made = Value::map(types::map_string);
    for (std::size_t i = 0; i < parts->size(); ++i) made.set("_" + std::to_string(i), Value::string((*parts)[i]));
    return made;
}

Result<Value> split_list(Call& call) {
    auto const parts = split(call, call.text(1), call.text(0));
    if (!parts) return std::unexpected{parts.error()};
    return list_of(call, *parts);
}

Result<Value> join(Call& call) {
    auto const made = to_strings(call, call[1]);
    if (!made) return std::unexpected{made.error()};
    auto const& parts = *made;
    auto const separator = call.text(0);
    std::uint64_t total = 0;
    for (auto const& part : parts) total += part.size() + separator.size();
    if (auto charged = call.charge_bytes(total); !charged) return fail(std::move(charged));
    std::string out;
    out.reserve(total);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) out += separator;
        out += parts[i].as_string();
    }
    return Value::string(out);
}

// Texts that begin alike are compared to their ends.
Result<void> charge_comparisons(Call& call, std::vector<Value> const& parts) {
    std::uint64_t bytes = 0;
    for (auto const& part : parts) bytes += part.size();
    return call.charge_looks(bytes / 128 * std::bit_width(parts.size()));
}

}  // namespace

void add_sprig_strings(FuncMap& funcs) {
    auto const map_text = [&](std::string_view name, auto function) {
        funcs.add(name, "string -> string", [function](Call& call) { return text(call, function(call.text(0))); });
    };
    funcs.add("hello", "-> string", [](Call&) -> Result<Value> { return Value::string("Hello!"); });
    map_text("trim", trim_space);
    map_text("upper", [](std::string_view s) { return to_upper(s); });
    map_text("lower", [](std::string_view s) { return to_lower(s); });
    map_text("title", title_case);
    map_text("untitle", uncapitalize);
    map_text("nospace", without_spaces);
    map_text("initials", word_initials);
    map_text("swapcase", swap_case);
    map_text("snakecase", [](std::string_view s) { return joined_case(s, '_'); });
    map_text("kebabcase", [](std::string_view s) { return joined_case(s, '-'); });
    map_text("camelcase", pascal_case);
    funcs.add("abbrev", "int, string -> string", [](Call& call) -> Result<Value> {
        if (call.integer(0) < 4) return call[1];
        return text(call, abbreviate(call.text(1), 0, call.integer(0)));
    });
    funcs.add("abbrevboth", "int, int, string -> string", [](Call& call) -> Result<Value> {
        auto const left = call.integer(0), right = call.integer(1);
        if (right < 4 || (left > 0 && right < 7)) return call[2];
        return text(call, abbreviate(call.text(2), left, right));
    });
    funcs.add("trunc", "int, string -> string", trunc);
    funcs.add("substr", "int, int, string -> string", substring);
    funcs.add("repeat", "int, string -> string", repeat);
    auto const trim_all = [](Call& call) { return text(call, trimmed(call.text(1), call.text(0))); };
    funcs.add("trimall", "string, string -> string", trim_all);
    funcs.add("trimAll", "string, string -> string", trim_all);
    funcs.add("trimSuffix", "string, string -> string", [](Call& call) -> Result<Value> {
        auto const suffix = call.text(0), source = call.text(1);
        if (suffix.empty() || !source.ends_with(suffix)) return call[1];
        return text(call, source.substr(0, source.size() - suffix.size()));
    });
    funcs.add("trimPrefix", "string, string -> string", [](Call& call) -> Result<Value> {
        auto const prefix = call.text(0), source = call.text(1);
        if (prefix.empty() || !source.starts_with(prefix)) return call[1];
        return text(call, source.substr(prefix.size()));
    });
    funcs.add("wrap", "int, string -> string", [](Call& call) -> Result<Value> {
        auto const width = static_cast<std::uint64_t>(std::max<std::int64_t>(call.integer(0), 1));
        if (auto charged = call.charge_bytes(call.text(1).size() + call.text(1).size() / width); !charged)
            return fail(std::move(charged));
        return text(call, wrap_text(call.text(1), call.integer(0), "\n", false));
    });
    funcs.add("wrapWith", "int, string, string -> string", [](Call& call) -> Result<Value> {
        auto const width = static_cast<std::uint64_t>(std::max<std::int64_t>(call.integer(0), 1));
        auto const breaks = call.text(2).size() / width + 1;
        if (auto charged =
                call.charge_bytes(call.text(2).size() + breaks * std::max<std::size_t>(call.text(1).size(), 1));
            !charged)
            return fail(std::move(charged));
        return text(call, wrap_text(call.text(2), call.integer(0), call.text(1), true));
    });
    funcs.add("contains", "string, string -> bool", [](Call& call) -> Result<Value> {
        return Value::boolean(find_text(call.text(1), call.text(0)) != std::string_view::npos);
    });
    funcs.add("hasPrefix", "string, string -> bool",
              [](Call& call) -> Result<Value> { return Value::boolean(call.text(1).starts_with(call.text(0))); });
    funcs.add("hasSuffix", "string, string -> bool",
              [](Call& call) -> Result<Value> { return Value::boolean(call.text(1).ends_with(call.text(0))); });
    funcs.add("quote", "...any -> string",
              [](Call& call) { return spaced(call, [](Value const& arg) { return quote(to_text_strict(arg)); }); });
    funcs.add("squote", "...any -> string",
              [](Call& call) { return spaced(call, [](Value const& arg) { return "'" + to_text(arg) + "'"; }); });
    funcs.add("cat", "...any -> string",
              [](Call& call) { return spaced(call, [](Value const& arg) { return to_text(arg); }); });
    funcs.add("indent", "int, string -> string", [](Call& call) { return indent_with(call, ""); });
    funcs.add("nindent", "int, string -> string", [](Call& call) { return indent_with(call, "\n"); });
    funcs.add("replace", "string, string, string -> string", replace);
    funcs.add("plural", "string, string, int -> string",
              [](Call& call) -> Result<Value> { return call.integer(2) == 1 ? call[0] : call[1]; });
    funcs.add("toString", "any -> string", [](Call& call) -> Result<Value> {
        if (call[0].is_string()) return call[0];
        return text(call, to_text_strict(call[0]));
    });
    funcs.add("toStrings", "any -> []string", [](Call& call) -> Result<Value> {
        auto const parts = to_strings(call, call[0]);
        if (!parts) return std::unexpected{parts.error()};
        return Value::list(*parts, types::list_string);
    });
    funcs.add("split", "string, string -> map[string]string",
              [](Call& call) { return split_map(call, split(call, call.text(1), call.text(0))); });
    funcs.add("splitn", "string, int, string -> map[string]string",
              [](Call& call) { return split_map(call, split(call, call.text(2), call.text(0), call.integer(1))); });
    funcs.add("splitList", "string, string -> []string", split_list);
    funcs.add("join", "string, any -> string", join);
    funcs.add("sortAlpha", "any -> []string", [](Call& call) -> Result<Value> {
        auto made =
            to_strings(call, call[0].kind() == Kind::invalid ? Value::string(to_text_strict(call[0])) : call[0]);
        if (!made) return std::unexpected{made.error()};
        auto& parts = *made;
        if (auto charged = call.charge_steps(parts.size() * (2 + std::bit_width(parts.size()) / 4)); !charged)
            return fail(std::move(charged));
        if (auto charged = charge_comparisons(call, parts); !charged) return fail(std::move(charged));
        std::ranges::sort(parts, {}, &Value::as_string);
        return Value::list(std::move(parts), types::list_string);
    });
    funcs.add("fail", "string -> string", [](Call& call) -> Result<Value> { return bad(std::string{call.text(0)}); });
}

}  // namespace holdfast::gotemplate
