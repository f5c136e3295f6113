// modules/yaml/write_value.cpp: JSON values as YAML: sigs.k8s.io/yaml's Marshal (v2) and go-yaml v3's.
#include "modules/yaml/emitter.hpp"
#include "modules/yaml/go_number.hpp"
#include "modules/yaml/json.hpp"
#include "modules/yaml/key_order.hpp"
#include "modules/yaml/resolve.hpp"
#include "modules/yaml/unicode_table.hpp"
#include "modules/yaml/utf8.hpp"
#include "modules/yaml/value_events.hpp"

#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <cmath>
#include <deque>
#include <iterator>
#include <vector>

namespace holdfast::yaml {

namespace json = boost::json;
using Type = EmitEvent::Type;

namespace {

constexpr std::size_t kValueDepthMax = limits::kYamlDepthMax * 4;
constexpr std::size_t kKeyCharsMax = 1024;  // what the scanner takes for a key without "?"

bool is_in(auto const& ranges, char32_t code) {
    auto const* const found = std::ranges::upper_bound(ranges, code, {}, &Range::first);
    return found != std::begin(ranges) && code <= std::prev(found)->last;
}

bool is_letter(char32_t code) {
    if (code < 0x80) return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z');
    return is_in(kLetters, code);
}

bool is_digit(char32_t code) {
    if (code < 0x80) return code >= '0' && code <= '9';
    return is_in(kDigits, code);
}

std::u32string runes_of(std::string_view text) {
    std::u32string runes;
    runes.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        auto const rune = decode_rune(text, i);
        runes.push_back(rune.code);
        i += rune.bytes;
    }
    return runes;
}

/// The number that starts at `at`, wrapping as Go's int64 does; `at` moves behind it.
std::int64_t take_digits(std::u32string const& runes, std::size_t& at, std::uint64_t number) {
    for (; at < runes.size() && is_digit(runes[at]); ++at) number = number * 10 + (runes[at] - U'0');
    return static_cast<std::int64_t>(number);
}

/// Events to text, with what both dialects do to strings.
class EventWriter {
public:
    explicit EventWriter(EmitterOptions options) : dialect_{options.dialect}, emitter_{out_, options, true} {}

    bool emit(EmitEvent const& event) {
        if (emitter_.emit(event)) return true;
        problem_ = "yaml: " + std::string{emitter_.problem()};
        return false;
    }

    bool plain(std::string_view text) { return emit({.type = Type::scalar, .value = text}); }

    bool write_string(std::string_view text) {
        if (!is_utf8(text)) {
            auto const& encoded = kept_.emplace_back(encode_base64(text));
            return emit({.type = Type::scalar,
                         .style = style_of(encoded),
                         .implicit = false,
                         .tag = tags::kBinary,
                         .value = encoded});
        }
        return emit({.type = Type::scalar, .style = style_of(text), .value = text});
    }

    Result<std::string> finish() {
        if (!problem_.empty()) return fail(code_, std::move(problem_));
        return std::move(out_);
    }

protected:
    Dialect dialect_;
    std::string problem_;
    Errc code_ = Errc::invalid_input;

private:
    ScalarStyle style_of(std::string_view text) const {
        if (text.contains('\n')) return ScalarStyle::literal;
        bool const can_use_plain = resolve_tag(text, dialect_) == Tag::string && !is_base60_float(text) &&
                                   (dialect_ == Dialect::v2 || !is_old_bool(text));
        return can_use_plain ? ScalarStyle::plain : ScalarStyle::double_quoted;
    }

    std::string out_;
    Emitter emitter_;
    std::deque<std::string> kept_;
};

class ValueWriter : EventWriter {
public:
    /// `through_json`: the value is made JSON and read back before it is written, as sigs' Marshal does.
    ValueWriter(EmitterOptions options, bool through_json) : EventWriter{options}, through_json_{through_json} {}

    Result<std::string> run(json::value const& value) {
        (void)(emit({.type = Type::document_start}) && write(value, 0) && emit({.type = Type::document_end}));
        return finish();
    }

private:
    bool write(json::value const& value, std::size_t depth) {
        if (depth > kValueDepthMax) {
            code_ = Errc::limit;
            problem_ = "yaml: nested too deep";
            return false;
        }
        switch (value.kind()) {
            case json::kind::null: return plain("null");
            case json::kind::bool_: return plain(value.get_bool() ? "true" : "false");
            case json::kind::int64: return plain(std::to_string(value.get_int64()));
            case json::kind::uint64: return plain(std::to_string(value.get_uint64()));
            case json::kind::double_: return write_double(value.get_double());
            case json::kind::string: return write_string(value.get_string());
            case json::kind::array: {
                auto const& array = value.get_array();
                if (!emit({.type = Type::sequence_start, .empty = array.empty()})) return false;
                for (auto const& item : array) {
                    if (!write(item, depth + 1)) return false;
                }
                return emit({.type = Type::sequence_end});
            }
            case json::kind::object: return write_object(value.get_object(), depth);
        }
        return false;
    }

    bool write_double(double number) {
        if (through_json_) {
            // A whole number below 1e21 comes back as an integer.
            auto const text = format_float_json(number);
            if (!text) {
                problem_ = "json: unsupported value: " + format_float(number);
                return false;
            }
            auto const resolved = resolve_plain(*text, Dialect::v2);
            if (auto const* const whole = std::get_if<std::int64_t>(&resolved.value))
                return plain(std::to_string(*whole));
            if (auto const* const big = std::get_if<std::uint64_t>(&resolved.value)) return plain(std::to_string(*big));
        }
        if (std::isnan(number)) return plain(".nan");
        if (std::isinf(number)) return plain(number > 0 ? ".inf" : "-.inf");
        return plain(format_float(number));
    }

    bool write_object(json::object const& object, std::size_t depth) {
        std::vector<json::key_value_pair const*> sorted;
        sorted.reserve(object.size());
        for (auto const& entry : object) sorted.push_back(&entry);
        sort_by_key(sorted, dialect_, [](auto const* entry) { return std::string_view{entry->key()}; });

        if (!emit({.type = Type::mapping_start, .empty = sorted.empty()})) return false;
        for (auto const* const entry : sorted) {
            if (!write_string(entry->key()) || !write(entry->value(), depth + 1)) return false;
        }
        return emit({.type = Type::mapping_end});
    }

    bool through_json_;
};

}  // namespace

bool key_less(std::string_view a_text, std::string_view b_text, Dialect dialect) {
    // Most keys differ first in two letters: no need to look further, or at runes.
    std::size_t same = 0;
    while (same < a_text.size() && same < b_text.size() && a_text[same] == b_text[same]) ++same;
    if (same < a_text.size() && same < b_text.size()) {
        auto const a = static_cast<unsigned char>(a_text[same]);
        auto const b = static_cast<unsigned char>(b_text[same]);
        if (a < 0x80 && b < 0x80 && is_letter(a) && is_letter(b)) return a < b;
    } else {
        return a_text.size() < b_text.size();  // one starts with the other
    }
    auto const a = runes_of(a_text);
    auto const b = runes_of(b_text);
    bool digits = false;  // v3: does the common start end with a digit?
    for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
        if (a[i] == b[i]) {
            digits = is_digit(a[i]);
            continue;
        }
        bool const a_letter = is_letter(a[i]);
        bool const b_letter = is_letter(b[i]);
        if (a_letter && b_letter) return a[i] < b[i];
        if (a_letter || b_letter) return digits && dialect == Dialect::v3 ? a_letter : b_letter;
        std::uint64_t seed = 0;
        if (a[i] == U'0' || b[i] == U'0') {
            for (auto j = i; j-- > 0 && is_digit(a[j]);) {
                if (a[j] != U'0') {
                    seed = 1;
                    break;
                }
            }
        }
        auto a_end = i;
        auto b_end = i;
        auto const a_number = take_digits(a, a_end, seed);
        auto const b_number = take_digits(b, b_end, seed);
        if (a_number != b_number) return a_number < b_number;
        if (a_end != b_end) return a_end < b_end;
        return a[i] < b[i];
    }
    return a.size() < b.size();
}

namespace {

/// Is this text what v2 reads from its JSON form? Not so for what the reader refuses (DEL, C1, U+FFFE), for
/// NEL, which is a line break to fold, and for bad UTF-8.
bool survives_json(std::string_view text) {
    for (char const c : text) {
        if (c == '\x7F' || c == '\xC2' || c == '\xEF') return false;
    }
    return is_utf8(text);
}

/// sigs reads its own JSON back, as one line: a key longer than 1024 characters is none. Escapes take six.
bool is_key_short(std::string_view key) { return key.size() * 6 + 2 <= kKeyCharsMax; }

bool survives_json(json::value const& value, std::size_t depth) {
    if (auto const* const text = value.if_string()) return survives_json(std::string_view{*text});
    if (depth > kValueDepthMax) return true;
    if (auto const* const array = value.if_array()) {
        return std::ranges::all_of(*array, [&](auto const& item) { return survives_json(item, depth + 1); });
    }
    if (auto const* const object = value.if_object()) {
        return std::ranges::all_of(*object, [&](auto const& entry) {
            return is_key_short(entry.key()) && survives_json(std::string_view{entry.key()}) &&
                   survives_json(entry.value(), depth + 1);
        });
    }
    return true;
}

}  // namespace

Result<std::string> write_sigs(json::value const& value) {
    if (!survives_json(value, 0)) {
        // What sigs does with every value, word for word.
        auto text = marshal_json(value);
        if (!text) return fail(std::move(text));
        return json_to_yaml(*text);
    }
    return ValueWriter{{.dialect = Dialect::v2, .indent = 2}, true}.run(value);
}

Result<std::string> write_v3(json::value const& value, EmitOptions options) {
    return ValueWriter{{.dialect = Dialect::v3,
                        .indent = options.indent,
                        .compact_sequences = options.sequences == SequenceIndent::compact},
                       false}
        .run(value);
}

Result<std::string> json_to_yaml(std::string_view json_text) {
    Arena arena;
    auto document = parse(arena, json_text, {.dialect = Dialect::v2});
    if (!document) return fail(std::move(document));
    if (*document == nullptr) return std::string{"null\n"};
    json::monotonic_resource memory;
    auto value = to_json(**document, {.dialect = Dialect::v2, .storage = &memory});
    if (!value) return fail(std::move(value));
    return ValueWriter{{.dialect = Dialect::v2, .indent = 2}, false}.run(*value);
}

class ValueEvents::State : public EventWriter {
public:
    using EventWriter::EventWriter;
};

ValueEvents::ValueEvents(EmitOptions options)
    : state_{
          std::make_unique<State>(EmitterOptions{.dialect = Dialect::v3,
                                                 .indent = options.indent,
                                                 .compact_sequences = options.sequences == SequenceIndent::compact})} {
    (void)state_->emit({.type = Type::document_start});
}
ValueEvents::~ValueEvents() = default;

bool ValueEvents::plain(std::string_view text) { return state_->plain(text); }
bool ValueEvents::string(std::string_view text) { return state_->write_string(text); }
bool ValueEvents::start_map(bool empty) { return state_->emit({.type = Type::mapping_start, .empty = empty}); }
bool ValueEvents::end_map() { return state_->emit({.type = Type::mapping_end}); }
bool ValueEvents::start_list(bool empty) { return state_->emit({.type = Type::sequence_start, .empty = empty}); }
bool ValueEvents::end_list() { return state_->emit({.type = Type::sequence_end}); }

Result<std::string> ValueEvents::finish() {
    (void)state_->emit({.type = Type::document_end});
    return state_->finish();
}

}  // namespace holdfast::yaml
