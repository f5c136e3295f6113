// modules/helm/toml_write.cpp: a port of BurntSushi/toml v1.6 encode.go: values to TOML, byte for byte.
#include "modules/base/limits.hpp"
#include "modules/helm/functions.hpp"
#include "modules/helm/go_struct.hpp"
#include "modules/helm/toml_scalar.hpp"
#include "modules/helm/toml_text.hpp"
#include "modules/text/gotemplate/strconv.hpp"

#include <cmath>

namespace holdfast::helm {

using gotemplate::Kind;
using gotemplate::Value;
namespace types = gotemplate::types;

namespace {

struct Failure {
    Error error;
};

[[noreturn]] void refuse(std::string text) { throw Failure{{Errc::invalid_input, std::move(text)}}; }

void check_depth(std::size_t depth) {
    if (depth >= limits::kTomlDepthMax)
        throw Failure{{Errc::limit, "TOML nested deeper than " + std::to_string(limits::kTomlDepthMax)}};
}

bool is_structure(Value const& value) {
    return (value.kind() == Kind::structure || value.kind() == Kind::pointer) && !value.is_nil();
}

/// What TOML makes of a Go value's type; nothing for a nil.
enum class Shape { nothing, scalar, array, table, table_array };

bool is_table_shape(Shape shape) { return shape == Shape::table || shape == Shape::table_array; }

/// Looks into lists, not into tables: a nil in any list is an error, wherever it would be written.
Shape shape_of(Value const& value, std::size_t depth) {
    if (value.is_nil()) return Shape::nothing;
    switch (value.kind()) {
        case Kind::boolean:
        case Kind::integer:
        case Kind::unsigned_integer:
        case Kind::floating:
        case Kind::string: return Shape::scalar;
        case Kind::map: return Shape::table;
        case Kind::structure:
        case Kind::pointer: return is_text_marshaler(value) ? Shape::scalar : Shape::table;
        case Kind::slice: break;
        default: refuse("unsupported type: " + std::string{value.type().kind_name});
    }
    if (value.is_bytes() || value.size() == 0) return Shape::array;
    check_depth(depth);
    bool all_tables = true;
    for (auto const& item : value.items()) {
        auto const shape = shape_of(item, depth + 1);
        if (shape == Shape::nothing) refuse("toml: cannot encode array with nil element");
        all_tables = all_tables && shape == Shape::table;
    }
    return all_tables ? Shape::table_array : Shape::array;
}

class Writer {
public:
    std::string run(Value const& value) {
        encode(value, 0);
        return std::move(out_);
    }

private:
    void write(std::string_view text) {
        if (out_.size() + text.size() > limits::kTemplateOutputBytesMax)
            throw Failure{{Errc::limit,
                           "a TOML text of more than " + std::to_string(limits::kTemplateOutputBytesMax) + " bytes"}};
        out_ += text;
    }
    void newline() {
        if (!out_.empty()) write("\n");
    }
    void indent() { write(std::string(2 * (key_.size() - 1), ' ')); }
    void quoted(std::string_view text) {
        std::string made;
        toml::append_quoted(made, text);
        write(made);
    }
    void key_text(std::string_view key) {
        std::string made;
        toml::append_key(made, key);
        write(made);
    }
    void header(std::string_view open, std::string_view close) {
        indent();
        write(open);
        for (std::size_t i = 0; i < key_.size(); ++i) {
            if (i > 0) write(".");
            key_text(key_[i]);
        }
        write(close);
        newline();
    }

    /// The value of the key `key_`; of the document itself when there is none.
    void encode(Value const& value, std::size_t depth) {
        check_depth(depth);
        if (is_text_marshaler(value)) return key_value(value, depth);
        switch (value.kind()) {
            case Kind::boolean:
            case Kind::integer:
            case Kind::unsigned_integer:
            case Kind::floating:
            case Kind::string: return key_value(value, depth);
            case Kind::slice:
                if (shape_of(value, depth) == Shape::table_array) return tables(value, depth);
                return key_value(value, depth);
            case Kind::map:
            case Kind::structure:
            case Kind::pointer:
                if (!value.is_nil()) table(value, depth);
                return;
            case Kind::invalid: return;
            default: break;
        }
        std::string key;
        for (auto const part : key_) {
            if (!key.empty()) key += '.';
            toml::append_key(key, part);
        }
        refuse("unsupported type for key '" + key + "': " + std::string{value.type().kind_name});
    }

    void tables(Value const& list, std::size_t depth) {
        if (key_.empty()) refuse("toml: top-level values must be Go maps or structs");
        for (auto const& item : list.items()) {
            newline();
            header("[[", "]]");
            members(item, false, depth);
        }
    }

    void table(Value const& value, std::size_t depth) {
        if (key_.size() == 1) newline();
        if (!key_.empty()) header("[", "]");
        members(value, false, depth);
    }

    void members(Value const& value, bool in_line, std::size_t depth) {
        if (is_structure(value)) struct_members(value, in_line, depth);
        else map_members(value, in_line, depth);
    }

    /// Keys without a table of their own come first: what follows a [header] belongs to that table.
    void map_members(Value const& map, bool in_line, std::size_t depth) {
        using Entry = std::pair<std::string_view, Value const*>;
        std::vector<Entry> direct, nested;
        for (auto const& [key, item] : map.entries())
            (is_table_shape(shape_of(item, depth)) ? nested : direct).emplace_back(key.as_string(), &item);
        auto const write_all = [&](std::vector<Entry> const& entries, bool more) {
            for (std::size_t i = 0; i < entries.size(); ++i) {
                auto const& [key, item] = entries[i];
                if (item->is_nil()) continue;
                member(key, *item, in_line, depth);
                if (in_line && (more || i + 1 != entries.size())) write(", ");
            }
        };
        if (in_line) write("{");
        write_all(direct, !nested.empty());
        write_all(nested, false);
        if (in_line) write("}");
    }

    /// In a line Go sets a comma after each field but the one whose place is the number of fields written, less one.
    void struct_members(Value const& value, bool in_line, std::size_t depth) {
        auto const fields = go_fields(*value.as_object());
        std::vector<GoField const*> ordered, nested;
        for (auto const& field : fields)
            (is_table_shape(shape_of(field.value, depth)) ? nested : ordered).push_back(&field);
        ordered.insert(ordered.end(), nested.begin(), nested.end());
        if (in_line) write("{");
        for (auto const* field : ordered) {
            if (field->value.is_nil()) continue;
            member(field->name, field->value, in_line, depth);
            if (in_line && field->place + 1 != ordered.size()) write(", ");
        }
        if (in_line) write("}");
    }

    void member(std::string_view key, Value const& value, bool in_line, std::size_t depth) {
        if (in_line) {
            key_text(key);
            write(" = ");
            return element(value, depth + 1);
        }
        key_.push_back(key);
        encode(value, depth + 1);
        key_.pop_back();
    }

    void key_value(Value const& value, std::size_t depth) {
        if (key_.empty()) return element(value, depth);
        indent();
        key_text(key_.back());
        write(" = ");
        element(value, depth);
        newline();
    }

    void element(Value const& value, std::size_t depth) {
        check_depth(depth);
        switch (value.kind()) {
            case Kind::string: return quoted(value.as_string());
            case Kind::boolean: return write(value.as_bool() ? "true" : "false");
            case Kind::integer:
                if (&value.type() == &types::duration) return quoted(gotemplate::format_duration(value.as_int()));
                return write(std::to_string(value.as_int()));
            case Kind::unsigned_integer: return write(std::to_string(value.as_uint()));
            case Kind::floating: return number(value.as_float(), &value.type() == &types::float32 ? 32 : 64);
            case Kind::slice:
                write("[");
                for (std::size_t i = 0; i < value.size(); ++i) {
                    if (i > 0) write(", ");
                    element(value.at(i), depth + 1);
                }
                return write("]");
            case Kind::map: return members(value, true, depth);
            case Kind::structure:
            case Kind::pointer:
                if (auto const* moment = gotemplate::as_time(value)) return time(*moment);
                if (is_text_marshaler(value)) return quoted(*value.as_object()->text());
                return members(value, true, depth);
            default: refuse("unexpected type: " + std::string{value.is_valid() ? value.type().name : "<nil>"});
        }
    }

    void number(double value, int bits) {
        if (std::isnan(value) || std::isinf(value)) {
            if (std::signbit(value)) write("-");
            return write(std::isnan(value) ? "nan" : "inf");
        }
        auto text = gotemplate::format_float(value, 'g', -1, bits);
        if (text.find_first_of("e.") == text.npos) text += ".0";
        write(text);
    }

    /// A time that TOML gave without zone, date or time of day is written without.
    void time(gotemplate::Moment const& moment) {
        if (moment.zone == toml::local_date()) return write(gotemplate::format_time(moment, "2006-01-02"));
        if (moment.zone == toml::local_time()) return write(gotemplate::format_time(moment, "15:04:05.999999999"));
        write(gotemplate::format_time(moment, moment.zone == toml::local_datetime()
                                                  ? "2006-01-02T15:04:05.999999999"
                                                  : "2006-01-02T15:04:05.999999999Z07:00"));
    }

    std::string out_;
    std::vector<std::string_view> key_;  // the table's, and in it the key being written
};

}  // namespace

Result<std::string> to_toml(Value const& value) {
    if (value.kind() == Kind::invalid)
        return fail(Errc::invalid_input, "reflect: call of reflect.Value.Type on zero Value");
    try {
        return Writer{}.run(value);
    } catch (Failure& failure) {
        return std::unexpected{std::move(failure.error)};
    }
}

}  // namespace holdfast::helm
