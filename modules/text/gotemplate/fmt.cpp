// modules/text/gotemplate/fmt.cpp: a port of Go's fmt (print.go, format.go) onto Values.
#include "modules/text/gotemplate/fmt.hpp"

#include "modules/text/gotemplate/gotime.hpp"
#include "modules/text/gotemplate/strconv.hpp"
#include "modules/text/gotemplate/unicode.hpp"

#include <algorithm>
#include <optional>

namespace holdfast::gotemplate {

namespace {

constexpr std::string_view kLower = "0123456789abcdefx";
constexpr std::string_view kUpper = "0123456789ABCDEFX";
constexpr int kPrintDepthMax = 5'000;  // nesting of one printed value; Go has a gigabyte of stack instead

struct Printer {
    std::string& out;
    std::size_t bytes_max;
    bool too_long = false;

    bool width_present = false, precision_present = false, minus = false, plus = false, sharp = false, space = false,
         zero = false;
    bool plus_v = false, sharp_v = false;
    int width = 0, precision = 0;
    bool erroring = false;
    bool reordered = false, good_arg_number = true;

    void clear_flags() {
        width_present = precision_present = minus = plus = sharp = space = zero = plus_v = sharp_v = false;
        width = precision = 0;
    }

    // ---- format.go
    void write_padding(int count) {
        if (count > 0) out.append(static_cast<std::size_t>(count), zero && !minus ? '0' : ' ');
    }
    void pad(std::string_view text) {
        if (out.size() + text.size() > bytes_max) {
            too_long = true;
            return;
        }
        if (!width_present || width == 0) {
            out += text;
            return;
        }
        auto const missing = width - static_cast<int>(rune_count(text));
        if (!minus) write_padding(missing);
        out += text;
        if (minus) write_padding(missing);
    }
    void pad_without_zero(std::string_view text) {
        auto const old = zero;
        zero = false;
        pad(text);
        zero = old;
    }

    void format_integer(std::uint64_t value, unsigned base, bool is_signed, char32_t verb, std::string_view digits) {
        auto const negative = is_signed && static_cast<std::int64_t>(value) < 0;
        if (negative) value = 0 - value;
        int wanted = 0;
        if (precision_present) {
            wanted = precision;
            if (wanted == 0 && value == 0) {
                auto const old = zero;
                zero = false;
                write_padding(width);
                zero = old;
                return;
            }
        } else if (zero && !minus && width_present) {
            wanted = width;
            if (negative || plus || space) --wanted;
        }
        std::string text;  // reversed
        do {
            text.push_back(digits[value % base]);
            value /= base;
        } while (value != 0);
        while (static_cast<int>(text.size()) < wanted) text.push_back('0');
        if (sharp) {
            if (base == 2) text += "b0";
            else if (base == 8 && text.back() != '0') text += "0";
            else if (base == 16) text += std::string{digits[16], '0'};
        }
        if (verb == 'O') text += "o0";
        if (negative) text.push_back('-');
        else if (plus) text.push_back('+');
        else if (space) text.push_back(' ');
        std::reverse(text.begin(), text.end());
        pad_without_zero(text);
    }

    void format_unicode(std::uint64_t value) {
        std::string hex;
        for (auto rest = value; rest != 0 || hex.empty(); rest /= 16) hex.push_back(kUpper[rest % 16]);
        auto const digits = static_cast<std::size_t>(precision_present && precision > 4 ? precision : 4);
        while (hex.size() < digits) hex.push_back('0');
        std::reverse(hex.begin(), hex.end());
        auto text = "U+" + hex;
        if (sharp && value <= 0x10FFFF && is_print(static_cast<char32_t>(value))) {
            text += " '";
            append_rune(text, static_cast<char32_t>(value));
            text += "'";
        }
        pad_without_zero(text);
    }

    std::string_view truncated(std::string_view text) const {
        if (!precision_present) return text;
        auto rest = text;
        for (int i = 0; i < precision && !rest.empty(); ++i) rest.remove_prefix(decode_rune(rest).width);
        return text.substr(0, text.size() - rest.size());
    }

    void format_quoted(std::string_view text) {
        text = truncated(text);
        if (sharp && can_backquote(text)) return pad("`" + std::string{text} + "`");
        pad(quote(text, plus));
    }

    static bool can_backquote(std::string_view text) {
        while (!text.empty()) {
            auto const rune = decode_rune(text);
            text.remove_prefix(rune.width);
            if (rune.width > 1) {
                if (rune.value == 0xFEFF) return false;
                continue;
            }
            if (rune.value == kRuneError || (rune.value < ' ' && rune.value != '\t') || rune.value == '`' ||
                rune.value == 0x7F)
                return false;
        }
        return true;
    }

    void format_hex_string(std::string_view text, std::string_view digits) {
        auto length = static_cast<int>(text.size());
        if (precision_present && precision < length) length = precision;
        auto total = 2 * length;
        if (total <= 0) {
            if (width_present) write_padding(width);
            return;
        }
        if (space) {
            if (sharp) total *= 2;
            total += length - 1;
        } else if (sharp) {
            total += 2;
        }
        if (out.size() + static_cast<std::size_t>(total) > bytes_max) {
            too_long = true;
            return;
        }
        if (width_present && width > total && !minus) write_padding(width - total);
        auto const prefix = [&] {
            out.push_back('0');
            out.push_back(digits[16]);
        };
        if (sharp) prefix();
        for (int i = 0; i < length; ++i) {
            if (space && i > 0) {
                out.push_back(' ');
                if (sharp) prefix();
            }
            auto const c = static_cast<unsigned char>(text[static_cast<std::size_t>(i)]);
            out.push_back(digits[c >> 4]);
            out.push_back(digits[c & 15]);
        }
        if (width_present && width > total && minus) write_padding(width - total);
    }

    void format_floating(double value, int bits, char32_t verb, int digits) {
        if (precision_present) digits = precision;
        auto number = format_float(value, static_cast<char>(verb == 'v' ? 'g' : verb), digits, bits);
        if (number[0] != '-' && number[0] != '+') number.insert(0, "+");
        if (space && number[0] == '+' && !plus) number[0] = ' ';
        if (number[1] == 'I' || number[1] == 'N') {
            if (number[1] == 'N' && !space && !plus) number.erase(0, 1);
            return pad_without_zero(number);
        }
        if (sharp && verb != 'b') sharpen(number, verb, digits);
        if (plus || number[0] != '+') {
            if (zero && !minus && width_present && width > static_cast<int>(number.size())) {
                out.push_back(number[0]);
                write_padding(width - static_cast<int>(number.size()));
                out.append(number, 1);
                return;
            }
            return pad(number);
        }
        pad(std::string_view{number}.substr(1));
    }

    static void sharpen(std::string& number, char32_t verb, int precision) {
        int digits = 0;
        if (verb == 'v' || verb == 'g' || verb == 'G' || verb == 'x') digits = precision == -1 ? 6 : precision;
        std::string tail;
        bool point = false, nonzero = false;
        for (std::size_t i = 1; i < number.size(); ++i) {
            auto const c = number[i];
            if (c == '.') {
                point = true;
            } else if (c == 'p' || c == 'P' || ((c == 'e' || c == 'E') && verb != 'x' && verb != 'X')) {
                tail = number.substr(i);
                number.resize(i);
            } else {
                if (c != '0') nonzero = true;
                if (nonzero) --digits;
            }
        }
        if (!point) {
            if (number.size() == 2 && number[1] == '0') --digits;
            number.push_back('.');
        }
        for (; digits > 0; --digits) number.push_back('0');
        number += tail;
    }

    // ---- print.go
    static std::string_view type_name(Value const& value) { return value.type().name; }

    void bad_verb(char32_t verb, Value const& value) {
        erroring = true;
        out += "%!";
        append_rune(out, verb);
        out.push_back('(');
        if (value.kind() == Kind::invalid) {
            out += "<nil>";
        } else {
            out += type_name(value);
            out.push_back('=');
            print_arg(value, 'v');
        }
        out.push_back(')');
        erroring = false;
    }

    void print_bool(Value const& value, char32_t verb) {
        if (verb == 't' || verb == 'v') pad(value.as_bool() ? "true" : "false");
        else bad_verb(verb, value);
    }

    void print_integer(Value const& value, std::uint64_t number, bool is_signed, char32_t verb) {
        switch (verb) {
            case 'v':
                if (sharp_v && !is_signed) {
                    auto const old = sharp;
                    sharp = true;
                    format_integer(number, 16, is_signed, verb, kLower);
                    sharp = old;
                    return;
                }
                return format_integer(number, 10, is_signed, verb, kLower);
            case 'd': return format_integer(number, 10, is_signed, verb, kLower);
            case 'b': return format_integer(number, 2, is_signed, verb, kLower);
            case 'o':
            case 'O': return format_integer(number, 8, is_signed, verb, kLower);
            case 'x': return format_integer(number, 16, is_signed, verb, kLower);
            case 'X': return format_integer(number, 16, is_signed, verb, kUpper);
            case 'c': {
                std::string text;
                append_rune(text, number > 0x10FFFF ? kRuneError : static_cast<char32_t>(number));
                return pad(text);
            }
            case 'q': return pad(quote_rune(number > 0x10FFFF ? kRuneError : static_cast<char32_t>(number), plus));
            case 'U': return format_unicode(number);
            default: return bad_verb(verb, value);
        }
    }

    void print_float(Value const& value, char32_t verb) {
        auto const bits = &value.type() == &types::float32 ? 32 : 64;
        switch (verb) {
            case 'v': return format_floating(value.as_float(), bits, 'g', -1);
            case 'b':
            case 'g':
            case 'G':
            case 'x':
            case 'X': return format_floating(value.as_float(), bits, verb, -1);
            case 'f':
            case 'e':
            case 'E': return format_floating(value.as_float(), bits, verb, 6);
            case 'F': return format_floating(value.as_float(), bits, 'f', 6);
            default: return bad_verb(verb, value);
        }
    }

    void print_string(Value const& value, std::string_view text, char32_t verb) {
        switch (verb) {
            case 'v':
                if (sharp_v) return format_quoted(text);
                return pad(truncated(text));
            case 's': return pad(truncated(text));
            case 'x': return format_hex_string(text, kLower);
            case 'X': return format_hex_string(text, kUpper);
            case 'q': return format_quoted(text);
            default: return bad_verb(verb, value);
        }
    }

    /// "1 2 3": charts print whole files that way, when they mistake their scope for a key.
    void append_bytes(std::string_view text) {
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (i > 0) out.push_back(' ');
            auto const byte = static_cast<unsigned char>(text[i]);
            if (byte >= 100) out.push_back(static_cast<char>('0' + byte / 100));
            if (byte >= 10) out.push_back(static_cast<char>('0' + byte / 10 % 10));
            out.push_back(static_cast<char>('0' + byte % 10));
        }
    }

    void print_bytes(Value const& value, char32_t verb, int depth) {
        auto const text = value.as_string();
        switch (verb) {
            case 'v':
            case 'd':
                if (sharp_v) {
                    out += "[]byte";
                    if (value.is_nil()) {
                        out += "(nil)";
                        return;
                    }
                    out.push_back('{');
                    for (std::size_t i = 0; i < text.size() && fits(); ++i) {
                        if (i > 0) out += ", ";
                        auto const old = sharp;
                        sharp = true;
                        format_integer(static_cast<unsigned char>(text[i]), 16, false, 'v', kLower);
                        sharp = old;
                    }
                    out.push_back('}');
                    return;
                }
                out.push_back('[');
                if (!width_present && !precision_present && !plus && !space) {
                    append_bytes(text);
                    out.push_back(']');
                    return;
                }
                for (std::size_t i = 0; i < text.size() && fits(); ++i) {
                    if (i > 0) out.push_back(' ');
                    format_integer(static_cast<unsigned char>(text[i]), 10, false, verb, kLower);
                }
                out.push_back(']');
                return;
            case 's': return pad(truncated(text));
            case 'x': return format_hex_string(text, kLower);
            case 'X': return format_hex_string(text, kUpper);
            case 'q': return format_quoted(text);
            default: break;
        }
        out.push_back('[');
        for (std::size_t i = 0; i < text.size() && !too_long; ++i) {
            if (i > 0) out.push_back(' ');
            print_value(value.at(i), verb, depth + 1);
        }
        out.push_back(']');
    }

    /// Whether anything may be added: each byte of a file may be padded to a million.
    bool fits() {
        too_long = too_long || out.size() > bytes_max;
        return !too_long;
    }

    // error and Stringer. Scalars have methods only under a name (time.Duration).
    bool handle_methods(Value const& value, char32_t verb) {
        if (erroring) return false;
        if (verb == 'w') {  // only Errorf wraps
            bad_verb(verb, value);
            return true;
        }
        if (sharp_v && value.kind() == Kind::structure && value.as_object() != nullptr) {
            if (auto const text = value.as_object()->go_text()) return pad(*text), true;
        }
        if (sharp_v || !(verb == 'v' || verb == 's' || verb == 'x' || verb == 'X' || verb == 'q')) return false;
        std::optional<std::string> text;
        if (value.kind() == Kind::integer && value.type().named) text = scalar_text(value);
        else if ((value.kind() == Kind::structure || value.kind() == Kind::pointer) && value.as_object() != nullptr)
            text = value.as_object()->text();
        if (!text) return false;
        print_string(value, *text, verb);
        return true;
    }

    void print_arg(Value const& value, char32_t verb) {
        if (verb == 'T' || verb == 'p') {
            if (value.kind() == Kind::invalid) {
                if (verb == 'T') pad("<nil>");
                else bad_verb(verb, value);
                return;
            }
            if (verb == 'T') return print_string(value, type_name(value), 's');
            if (value.kind() == Kind::map || value.kind() == Kind::slice || value.kind() == Kind::pointer)
                return print_pointer(value, verb);
            return bad_verb(verb, value);
        }
        if (value.kind() == Kind::invalid) {
            if (verb == 'v') pad("<nil>");
            else bad_verb(verb, value);
            return;
        }
        print_value(value, verb, 0);
    }

    void print_pointer(Value const& value, char32_t verb) {
        // Addresses differ from run to run in Go too: any fixed number will do.
        if (value.is_nil()) {
            if (verb == 'v') pad("<nil>");
            else bad_verb(verb, value);
            return;
        }
        auto const old = sharp;
        sharp = !sharp;
        format_integer(0xc000010000, 16, false, verb, kLower);
        sharp = old;
    }

    void print_value(Value const& value, char32_t verb, int depth) {
        if (depth > kPrintDepthMax || out.size() > bytes_max) {
            too_long = true;
            return;
        }
        if (handle_methods(value, verb)) return;
        switch (value.kind()) {
            case Kind::invalid:
                if (sharp_v) out += "interface {}(nil)";
                else out += "<nil>";
                return;
            case Kind::boolean: return print_bool(value, verb);
            case Kind::integer: return print_integer(value, value.as_uint(), true, verb);
            case Kind::unsigned_integer: return print_integer(value, value.as_uint(), false, verb);
            case Kind::floating: return print_float(value, verb);
            case Kind::string: return print_string(value, value.as_string(), verb);
            case Kind::map: return print_map(value, verb, depth);
            case Kind::slice: return print_list(value, verb, depth);
            case Kind::structure: return print_struct(value, verb, depth);
            case Kind::pointer:
                if (depth == 0 && !value.is_nil() && !value.as_object()->printed_fields().empty()) {
                    out.push_back('&');
                    return print_struct(value, verb, depth + 1);
                }
                return print_pointer(value, verb);
            default: return print_pointer(value, verb);
        }
    }

    void print_map(Value const& value, char32_t verb, int depth) {
        if (sharp_v) {
            out += type_name(value);
            if (value.is_nil()) {
                out += "(nil)";
                return;
            }
            out.push_back('{');
        } else {
            out += "map[";
        }
        auto const bytes = value.type().elem == &types::bytes;
        bool first = true;
        for (auto const& [key, item] : value.entries()) {
            if (!first) out += sharp_v ? ", " : " ";
            first = false;
            print_value(key, verb, depth + 1);
            out.push_back(':');
            if (bytes) print_bytes(item, verb, depth + 1);
            else print_value(item, verb, depth + 1);
            if (too_long) return;
        }
        out.push_back(sharp_v ? '}' : ']');
    }

    void print_list(Value const& value, char32_t verb, int depth) {
        if (value.is_bytes()) return print_bytes(value, verb, depth);
        if (sharp_v) {
            out += type_name(value);
            if (value.is_nil()) {
                out += "(nil)";
                return;
            }
        }
        out.push_back(sharp_v ? '{' : '[');
        bool first = true;
        for (auto const& item : value.items()) {
            if (!first) out += sharp_v ? ", " : " ";
            first = false;
            print_value(item, verb, depth + 1);
            if (too_long) return;
        }
        out.push_back(sharp_v ? '}' : ']');
    }

    void print_struct(Value const& value, char32_t verb, int depth) {
        if (sharp_v) {
            auto name = type_name(value);
            if (name.starts_with('*')) name.remove_prefix(1);
            out += name;
        }
        out.push_back('{');
        bool first = true;
        for (auto const& [name, item] : value.as_object()->printed_fields()) {
            if (!first) out += sharp_v ? ", " : " ";
            first = false;
            if (plus_v || sharp_v) {
                out += name;
                out.push_back(':');
            }
            print_value(item, verb, depth + 1);
        }
        out.push_back('}');
    }

    void print_format(std::string_view format, std::span<Value const> args);
    std::size_t argument_number(std::size_t argument, std::string_view format, std::size_t& i, std::size_t count,
                                bool& found);
    bool integer_argument(std::span<Value const> args, std::size_t& argument, int& number);
};

constexpr int kNumberMax = 1'000'000;  // fmt.tooLarge

bool parse_number(std::string_view s, std::size_t start, std::size_t end, int& number, std::size_t& next) {
    number = 0;
    next = end;
    if (start >= end) return false;
    bool is_number = false;
    std::size_t i = start;
    for (; i < end && s[i] >= '0' && s[i] <= '9'; ++i) {
        if (number > kNumberMax) {
            number = 0;
            return false;
        }
        number = number * 10 + (s[i] - '0');
        is_number = true;
    }
    next = i;
    return is_number;
}

std::size_t Printer::argument_number(std::size_t argument, std::string_view format, std::size_t& i, std::size_t count,
                                     bool& found) {
    found = false;
    if (format.size() <= i || format[i] != '[') return argument;
    reordered = true;
    auto const rest = format.substr(i);
    auto const close = rest.size() < 3 ? std::string_view::npos : rest.find(']', 1);
    if (close == std::string_view::npos) {
        good_arg_number = false;
        i += 1;
        return argument;
    }
    int number = 0;
    std::size_t next = 0;
    auto const ok = parse_number(rest, 1, close, number, next) && next == close;
    i += close + 1;
    if (ok && number >= 1 && static_cast<std::size_t>(number) <= count) {
        found = true;
        return static_cast<std::size_t>(number) - 1;
    }
    good_arg_number = false;
    found = ok;
    return argument;
}

bool Printer::integer_argument(std::span<Value const> args, std::size_t& argument, int& number) {
    number = 0;
    if (argument >= args.size()) return false;
    auto const& value = args[argument++];
    if (value.kind() != Kind::integer && value.kind() != Kind::unsigned_integer) return false;
    auto const wide = value.as_int();
    if (wide > kNumberMax || wide < -kNumberMax) return false;
    number = static_cast<int>(wide);
    return true;
}

void Printer::print_format(std::string_view format, std::span<Value const> args) {
    auto const end = format.size();
    std::size_t argument = 0;
    bool after_index = false;
    for (std::size_t i = 0; i < end && !too_long;) {
        good_arg_number = true;
        auto const text = std::min(format.find('%', i), end);
        out += format.substr(i, text - i);
        i = text;
        if (i >= end) break;
        ++i;
        clear_flags();
        bool simple = false;
        for (; i < end; ++i) {
            auto const c = format[i];
            if (c == '#') sharp = true;
            else if (c == '0') zero = true;
            else if (c == '+') plus = true;
            else if (c == '-') minus = true;
            else if (c == ' ') space = true;
            else {
                simple = c >= 'a' && c <= 'z' && argument < args.size();
                break;
            }
        }
        auto const go_syntax = [&] {
            sharp_v = sharp;
            sharp = false;
            plus_v = plus;
            plus = false;
        };
        if (simple) {
            auto const verb = static_cast<char32_t>(format[i++]);
            if (verb == 'v' || verb == 'w') go_syntax();
            print_arg(args[argument++], verb);
            continue;
        }
        argument = argument_number(argument, format, i, args.size(), after_index);
        if (i < end && format[i] == '*') {
            ++i;
            width_present = integer_argument(args, argument, width);
            if (!width_present) out += "%!(BADWIDTH)";
            if (width < 0) {
                width = -width;
                minus = true;
                zero = false;
            }
            after_index = false;
        } else {
            width_present = parse_number(format, i, end, width, i);
            if (after_index && width_present) good_arg_number = false;
        }
        if (i + 1 < end && format[i] == '.') {
            ++i;
            if (after_index) good_arg_number = false;
            argument = argument_number(argument, format, i, args.size(), after_index);
            if (i < end && format[i] == '*') {
                ++i;
                precision_present = integer_argument(args, argument, precision);
                if (precision < 0) {
                    precision = 0;
                    precision_present = false;
                }
                if (!precision_present) out += "%!(BADPREC)";
                after_index = false;
            } else {
                precision_present = parse_number(format, i, end, precision, i);
                if (!precision_present) {
                    precision = 0;
                    precision_present = true;
                }
            }
        }
        if (!after_index) argument = argument_number(argument, format, i, args.size(), after_index);
        if (i >= end) {
            out += "%!(NOVERB)";
            break;
        }
        auto const verb = decode_rune(format.substr(i));
        i += verb.width;
        if (verb.value == '%') {
            out.push_back('%');
        } else if (!good_arg_number || argument >= args.size()) {
            out += "%!";
            append_rune(out, verb.value);
            out += good_arg_number ? "(MISSING)" : "(BADINDEX)";
        } else {
            if (verb.value == 'v' || verb.value == 'w') go_syntax();
            print_arg(args[argument++], verb.value);
        }
    }
    if (reordered || argument >= args.size() || too_long) return;
    clear_flags();
    out += "%!(EXTRA ";
    for (auto i = argument; i < args.size(); ++i) {
        if (i > argument) out += ", ";
        if (args[i].kind() == Kind::invalid) {
            out += "<nil>";
            continue;
        }
        out += type_name(args[i]);
        out.push_back('=');
        print_arg(args[i], 'v');
    }
    out.push_back(')');
}

}  // namespace

bool print(std::string& out, std::span<Value const> args) {
    Printer printer{.out = out, .bytes_max = out.size() + (64u << 20)};
    bool previous_string = false;
    for (std::size_t i = 0; i < args.size(); ++i) {
        auto const string = args[i].is_string();
        if (i > 0 && !string && !previous_string) out.push_back(' ');
        printer.print_arg(args[i], 'v');
        previous_string = string;
    }
    return !printer.too_long;
}

bool println(std::string& out, std::span<Value const> args) {
    Printer printer{.out = out, .bytes_max = out.size() + (64u << 20)};
    for (std::size_t i = 0; i < args.size(); ++i) {
        if (i > 0) out.push_back(' ');
        printer.print_arg(args[i], 'v');
    }
    out.push_back('\n');
    return !printer.too_long;
}

bool printf(std::string& out, std::string_view format, std::span<Value const> args, std::size_t bytes_max) {
    Printer printer{.out = out, .bytes_max = out.size() + bytes_max};
    printer.print_format(format, args);
    return !printer.too_long;
}

std::string to_text(Value const& value) {
    if (value.is_string()) return std::string{value.as_string()};
    std::string out;
    print(out, std::span{&value, 1});
    return out;
}

}  // namespace holdfast::gotemplate
