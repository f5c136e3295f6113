// tests/golden/toml/answer.cpp: from_toml and to_toml, the values between them shown as tomlexec shows Go's.
#include "tests/golden/toml/answer.hpp"

#include "modules/helm/functions.hpp"
#include "modules/text/gotemplate/gotime.hpp"
#include "modules/text/gotemplate/strconv.hpp"

#include <cmath>

namespace holdfast::helm::golden {

using gotemplate::Kind;
using gotemplate::Value;

namespace {

void show(std::string& out, Value const& value) {
    switch (value.kind()) {
        case Kind::map: {
            out += '{';
            bool first = true;
            for (auto const& [key, item] : value.entries()) {
                if (!std::exchange(first, false)) out += ", ";
                out += gotemplate::quote(key.as_string()) + ": ";
                show(out, item);
            }
            out += '}';
            break;
        }
        case Kind::slice: {
            out += value.type().name == "[]map[string]interface {}" ? "tables[" : "[";
            for (std::size_t i = 0; i < value.size(); ++i) {
                if (i > 0) out += ", ";
                show(out, value.at(i));
            }
            out += ']';
            break;
        }
        case Kind::string: out += gotemplate::quote(value.as_string()); break;
        case Kind::integer: out += std::to_string(value.as_int()); break;
        case Kind::boolean: out += value.as_bool() ? "true" : "false"; break;
        case Kind::floating:
            if (std::isnan(value.as_float()) && std::signbit(value.as_float())) out += '-';
            out += gotemplate::format_float(value.as_float(), 'e', -1);
            break;
        default: {
            auto const* moment = gotemplate::as_time(value);
            if (moment == nullptr) {
                out += "a value of a kind that TOML does not have";
                break;
            }
            out += gotemplate::format_time(*moment, "2006-01-02T15:04:05.999999999-07:00") + " " + moment->zone->name;
        }
    }
}

}  // namespace

Answer answer_to(std::string_view document) {
    Answer answer;
    auto const read = from_toml(document);
    if (!read) {
        answer.err = read.error().message;
        return answer;
    }
    show(answer.out, *read);
    auto const written = to_toml(*read);
    answer.toml = written ? *written : written.error().message;
    return answer;
}

}  // namespace holdfast::helm::golden
