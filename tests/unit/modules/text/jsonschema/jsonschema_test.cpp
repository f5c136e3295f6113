// tests/unit/modules/text/jsonschema/jsonschema_test.cpp: schemas and values against recorded reports of the real library.
#include "modules/text/jsonschema/jsonschema.hpp"
#include "modules/yaml/go_number.hpp"
#include "modules/yaml/json.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

#include <fstream>
#include <map>

using namespace holdfast;
using jsonschema::Json;

namespace {

/// YAML as Helm's values: every number a float64, printed as Go's %v.
Json to_json(boost::json::value const& value) {
    Json made;
    switch (value.kind()) {
        case boost::json::kind::bool_: return Json::boolean(value.get_bool());
        case boost::json::kind::string: return Json::string(std::string{value.get_string()});
        case boost::json::kind::int64:
        case boost::json::kind::uint64:
        case boost::json::kind::double_: return Json::number(yaml::format_float(value.to_number<double>()));
        case boost::json::kind::array:
            made.kind = Json::Kind::array;
            for (auto const& item : value.get_array()) made.items.push_back(to_json(item));
            return made;
        case boost::json::kind::object: {
            made.kind = Json::Kind::object;
            std::map<std::string, Json> sorted;
            for (auto const& member : value.get_object()) sorted[std::string{member.key()}] = to_json(member.value());
            for (auto& [key, item] : sorted) made.members.push_back({key, std::move(item)});
            return made;
        }
        default: return made;
    }
}

/// What Helm's ValidateAgainstSingleSchema says.
std::string report(std::string_view schema, std::string_view values) {
    auto compiled = jsonschema::compile("file:///values.schema.json", schema);
    if (!compiled) return compiled.error().message;
    auto const valid = compiled->validate(to_json(*yaml::read_sigs(values)));
    if (valid) return {};
    auto text = valid.error().message;
    constexpr std::string_view kHead = "jsonschema validation failed with 'file:///values.schema.json#'\n";
    if (text.starts_with(kHead)) text.erase(0, kHead.size());
    return text + '\n';
}

}  // namespace

TEST_CASE("jsonschema: reports equal the recorded ones", "[text][jsonschema]") {
    // Goal    santhosh-tekuri/jsonschema and we accept the same values and say the same about the others.
    // Method  replay schema.jsonl: keywords of all drafts, formats, broken schemas.
    std::ifstream file{HOLDFAST_GOLDEN_DIR "/helm/schema.jsonl"};
    REQUIRE(file);

    int cases = 0;
    for (std::string line; std::getline(file, line);) {
        auto const entry = boost::json::parse(line).as_object();
        auto const text = [&](char const* key) { return std::string{entry.at(key).as_string()}; };
        INFO(text("schema") << "\n" << text("values"));
        CHECK(report(text("schema"), text("values")) == text("error"));
        ++cases;
    }
    CHECK(cases >= 300);
}

TEST_CASE("jsonschema: a remote reference is refused, not fetched", "[text][jsonschema]") {
    auto const compiled =
        jsonschema::compile("file:///values.schema.json", R"({"$ref":"https://example.com/schema.json"})");
    REQUIRE_FALSE(compiled);
    CHECK(compiled.error().message ==
          R"(failing loading "https://example.com/schema.json": schemas outside of the chart are not loaded)");
    CHECK_FALSE(jsonschema::compile("file:///values.schema.json", R"({"$ref":"file:///etc/passwd"})"));
}

TEST_CASE("jsonschema: hostile schemas end at a limit", "[text][jsonschema]") {
    // Goal    cycles and blow-ups cost a bounded amount of work.
    std::string doubling = R"({"$defs":{"a0":{})";
    for (int i = 1; i < 40; ++i) {
        auto const before = "{\"$ref\":\"#/$defs/a" + std::to_string(i - 1) + "\"}";
        doubling += ",\"a" + std::to_string(i) + "\":{\"allOf\":[" + before + "," + before + "]}";
    }
    doubling += "},\"$ref\":\"#/$defs/a39\"}";

    auto const compiled = jsonschema::compile("file:///s", doubling);
    REQUIRE(compiled);
    CHECK(compiled->validate(Json::boolean(true)).error().code == Errc::limit);

    CHECK(jsonschema::compile("file:///s", std::string(2000, '[')).error().code == Errc::limit);
    CHECK(jsonschema::compile("file:///s", std::string(6u << 20, ' ')).error().code == Errc::limit);
}
