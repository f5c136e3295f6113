// modules/helm/user_values.cpp: values files and --set lines into one map, in Helm's order.
#include "modules/helm/user_values.hpp"

#include "modules/helm/chart.hpp"
#include "modules/helm/text.hpp"
#include "modules/text/gotemplate/json.hpp"

namespace holdfast::helm {

using gotemplate::Value;

namespace {

Result<void> set_json(std::string const& line, Value& values) {
    auto const text = trimmed(line);
    if (!text.starts_with('{')) {
        if (set_values(line, SetKind::json, values)) return {};
        return fail(Errc::invalid_input, "failed parsing --set-json data " + line);
    }
    auto parsed = gotemplate::from_json(text);
    if (!parsed || !parsed->is_map()) return fail(Errc::invalid_input, "failed parsing --set-json data JSON: " + line);
    values = merge_maps(values, parsed->unboxed());
    return {};
}

Result<void> set_all(std::span<std::string const> lines, SetKind kind, std::string_view flag, Value& values,
                     ReadFile const& read) {
    for (auto const& line : lines) {
        if (auto done = set_values(line, kind, values, read); !done)
            return fail(std::move(done), "failed parsing --" + std::string{flag} + " data");
    }
    return {};
}

}  // namespace

Result<Value> merge_user_values(UserValues const& from, ReadFile const& read) {
    Value values = Value::map();
    for (auto const& file : from.files) {
        auto text = read(file);
        if (!text) return fail(std::move(text));
        auto parsed = load_values(*text);
        if (!parsed) return fail(std::move(parsed), "failed to parse " + file);
        values = merge_maps(values, *parsed);
    }
    for (auto const& line : from.json) {
        if (auto done = set_json(line, values); !done) return fail(std::move(done));
    }
    if (auto done = set_all(from.set, SetKind::typed, "set", values, read); !done) return fail(std::move(done));
    if (auto done = set_all(from.set_string, SetKind::string, "set-string", values, read); !done)
        return fail(std::move(done));
    if (auto done = set_all(from.set_file, SetKind::file, "set-file", values, read); !done)
        return fail(std::move(done));
    if (auto done = set_all(from.literal, SetKind::literal, "set-literal", values, read); !done)
        return fail(std::move(done));
    return values;
}

}  // namespace holdfast::helm
