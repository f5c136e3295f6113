// modules/helm/schema_check.cpp: values.schema.json of every chart against the values that reach it.
#include "modules/helm/instance.hpp"

#include "modules/text/jsonschema/jsonschema.hpp"
#include "modules/yaml/go_number.hpp"

#include <algorithm>
#include <set>

namespace holdfast::helm {

using gotemplate::Value;
using jsonschema::Json;

namespace {

constexpr std::size_t kValuesDepthMax = 1'000;

Json to_json(Value const& value, std::size_t depth = 0) {
    Json made;
    if (depth > kValuesDepthMax) return made;
    switch (value.kind()) {
        case gotemplate::Kind::boolean: return Json::boolean(value.as_bool());
        case gotemplate::Kind::integer: return Json::number(std::to_string(value.as_int()));
        case gotemplate::Kind::unsigned_integer: return Json::number(std::to_string(value.as_uint()));
        case gotemplate::Kind::floating: return Json::number(yaml::format_float(value.as_float()));
        case gotemplate::Kind::string: return Json::string(std::string{value.as_string()});
        case gotemplate::Kind::map:
            made.kind = Json::Kind::object;
            for (auto const& [key, item] : value.entries())
                made.members.push_back({std::string{key.as_string()}, to_json(item, depth + 1)});
            return made;
        case gotemplate::Kind::slice:
            made.kind = Json::Kind::array;
            for (auto const& item : value.items()) made.items.push_back(to_json(item, depth + 1));
            return made;
        default: return made;
    }
}

/// Helm's ValidateAgainstSingleSchema, its report without the first line.
Result<void> validate_one(std::string const& schema, Value const& values, Log& log) {
    auto compiled = jsonschema::compile("file:///values.schema.json", schema);
    if (!compiled) return fail(std::move(compiled));
    std::set<std::string> said{log.begin(), log.end()};
    for (auto const& urn : compiled->unresolved_urns()) {
        auto line = log_line("WARN", "unresolved URN reference ignored; using permissive schema", {{"urn", urn}});
        if (said.insert(line).second) log.push_back(std::move(line));  // Helm says it once
    }
    auto valid = compiled->validate(to_json(values));
    if (valid || valid.error().code == Errc::limit) return valid;
    auto report = valid.error().message;
    constexpr std::string_view kHead = "jsonschema validation failed with 'file:///values.schema.json#'\n";
    if (report.starts_with(kHead)) report.erase(0, kHead.size());
    return fail(Errc::invalid_input, report + '\n');
}

/// The log, and whether Helm's DEBUG lines are wanted in it.
struct Logged {
    Log& log;
    bool debug;
    void say(std::string_view message, std::initializer_list<LogField> fields) const {
        if (debug) log.push_back(log_line("DEBUG", message, fields));
    }
};

Result<void> validate_tree(Instance const& chart, Value const& values, std::string& report, Logged const& logged) {
    if (chart.chart->schema) {
        logged.say("chart name", {{"chart-name", chart.name()}});
        logged.say("unmarshalled JSON schema", {{"schema", *chart.chart->schema}});
        auto valid = validate_one(*chart.chart->schema, values, logged.log);
        if (!valid && valid.error().code == Errc::limit) return valid;
        if (!valid) report += chart.name() + ":\n" + valid.error().message;
    }
    logged.say("number of dependencies in the chart",
               {{"chart", chart.name()}, {"dependencies", std::to_string(chart.dependencies.size())}});
    for (auto const& sub : chart.dependencies) {
        auto const* found = values.find(sub->name());
        if (found == nullptr || (!found->is_map() && found->is_nil())) continue;
        if (!found->is_map()) {
            report += sub->name() + ":\ninvalid type for values: expected object (map), got " +
                      std::string{found->unboxed().type().name} + '\n';
            continue;
        }
        if (auto done = validate_tree(*sub, found->unboxed(), report, logged); !done) return done;
    }
    return {};
}

}  // namespace

Result<void> validate_schemas(Instance const& root, Value const& values, Log& log, bool debug) {
    std::string report;
    if (auto done = validate_tree(root, values, report, {log, debug}); !done) return done;
    if (report.empty()) return {};
    return fail(Errc::invalid_input,
                "values don't meet the specifications of the schema(s) in the following chart(s):\n" + report);
}

}  // namespace holdfast::helm
