// modules/helm/yaml_pretty.cpp: a port of go-yaml v3's encode.go for the Go values that a template can hold.
#include "modules/helm/yaml_pretty.hpp"

#include "modules/base/limits.hpp"
#include "modules/helm/go_struct.hpp"
#include "modules/text/gotemplate/gotime.hpp"
#include "modules/text/gotemplate/strconv.hpp"
#include "modules/text/gotemplate/unicode.hpp"
#include "modules/yaml/key_order.hpp"
#include "modules/yaml/value_events.hpp"

#include <cmath>

namespace holdfast::helm {

using gotemplate::Kind;
using gotemplate::Value;
namespace types = gotemplate::types;

namespace {

class PrettyWriter {
public:
    Result<std::string> run(Value const& value) {
        bool const done = write(value, 0);
        if (!limit_.empty()) return fail(Errc::limit, std::move(limit_));
        auto made = events_.finish();
        if (!done && made) return fail(Errc::invalid_input, "yaml: the value cannot be written");
        return made;
    }

private:
    /// What a scalar takes at most, its line's start included.
    bool charge(std::size_t bytes, std::size_t depth) {
        bytes_ += bytes + 2 * depth + 2;
        if (bytes_ > limits::kTemplateOutputBytesMax) limit_ = "a YAML text that is too large";
        return limit_.empty();
    }
    bool plain(std::string_view text, std::size_t depth) { return charge(text.size(), depth) && events_.plain(text); }
    bool string(std::string_view text, std::size_t depth) { return charge(text.size(), depth) && events_.string(text); }

    bool write(Value const& value, std::size_t depth) {
        if (depth > limits::kYamlDepthMax) {
            limit_ = "value nested too deep";
            return false;
        }
        switch (value.kind()) {
            case Kind::boolean: return plain(value.as_bool() ? "true" : "false", depth);
            case Kind::integer:
                if (&value.type() == &types::duration)
                    return string(gotemplate::format_duration(value.as_int()), depth);
                return plain(std::to_string(value.as_int()), depth);
            case Kind::unsigned_integer: return plain(std::to_string(value.as_uint()), depth);
            case Kind::floating: return number(value.as_float(), &value.type() == &types::float32 ? 32 : 64, depth);
            case Kind::string: return string(value.as_string(), depth);
            case Kind::slice: return list(value, depth);
            case Kind::map: return map(value, depth);
            case Kind::structure:
            case Kind::pointer: return value.is_nil() ? plain("null", depth) : structure(value, depth);
            default: return plain("null", depth);
        }
    }

    bool number(double value, int bits, std::size_t depth) {
        if (std::isnan(value)) return plain(".nan", depth);
        if (std::isinf(value)) return plain(value > 0 ? ".inf" : "-.inf", depth);
        return plain(gotemplate::format_float(value, 'g', -1, bits), depth);
    }

    /// A []byte too is a list, of numbers.
    bool list(Value const& value, std::size_t depth) {
        constexpr std::size_t kLineBytes = 4;  // "- 1" at least
        if (value.size() > limits::kTemplateOutputBytesMax / kLineBytes)
            return charge(value.size() * kLineBytes, depth);
        if (!events_.start_list(value.size() == 0)) return false;
        for (std::size_t i = 0; i < value.size(); ++i)
            if (!write(value.at(i), depth + 1)) return false;
        return events_.end_list();
    }

    bool map(Value const& value, std::size_t depth) {
        std::vector<std::pair<Value, Value>> entries{value.entries().begin(), value.entries().end()};
        yaml::sort_by_key(entries, yaml::Dialect::v3, [](auto const& entry) { return entry.first.as_string(); });
        if (!events_.start_map(entries.empty())) return false;
        for (auto const& [key, item] : entries)
            if (!string(key.as_string(), depth) || !write(item, depth + 1)) return false;
        return events_.end_map();
    }

    bool structure(Value const& value, std::size_t depth) {
        if (auto const* moment = gotemplate::as_time(value))
            return plain(gotemplate::format_time(*moment, "2006-01-02T15:04:05.999999999Z07:00"), depth);
        if (is_text_marshaler(value)) return string(*value.as_object()->text(), depth);
        auto const fields = go_fields(*value.as_object());
        if (!events_.start_map(fields.empty())) return false;
        for (auto const& field : fields)
            if (!string(gotemplate::to_lower(field.name), depth) || !write(field.value, depth + 1)) return false;
        return events_.end_map();
    }

    yaml::ValueEvents events_{{.indent = 2, .sequences = yaml::SequenceIndent::wide}};
    std::size_t bytes_ = 0;
    std::string limit_;
};

}  // namespace

Result<std::string> to_yaml_pretty(Value const& value) {
    auto made = PrettyWriter{}.run(value);
    if (made && made->ends_with('\n')) made->pop_back();
    return made;
}

}  // namespace holdfast::helm
