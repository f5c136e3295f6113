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

TEST_CASE("jsonschema: numbers are judged as math/big reads them", "[text][jsonschema]") {
    auto const of_five = [](std::string const& keyword, std::string const& number) {
        return report(R"({"properties":{"a":{")" + keyword + "\":" + number + "}}}", "a: 5");
    };
    // Recorded from Helm. An exponent beyond a million is no number to math/big, and the keyword is not there.
    constexpr char kPanic[] =
        "unable to validate schema: runtime error: invalid memory address or nil pointer dereference";
    auto const [keyword, number, wanted] = GENERATE_COPY(table<std::string, std::string, std::string>({
        {"maximum", "1e99999999999999999999", ""},
        {"minimum", "1e99999999999999999999", ""},
        {"minimum", "1e1000001", ""},
        {"minimum", "1e1000000", "- at '/a': minimum: got 5, want ∞\n"},
        {"maximum", "-1e400", "- at '/a': maximum: got 5, want -∞\n"},
        {"maximum", "1e-400", "- at '/a': maximum: got 5, want 0\n"},
        {"maximum", "0e99999", "- at '/a': maximum: got 5, want 0\n"},
        {"multipleOf", "1234567890123456789012e400", "- at '/a': multipleOf: got 5, want ∞\n"},
        {"multipleOf", "1234567890123456789012e-400", "- at '/a': multipleOf: got 5, want 0\n"},
        {"multipleOf", "0.12345678901234567890125", "- at '/a': multipleOf: got 5, want 0.12345678901234568\n"},
        {"multipleOf", "0.0000000000000000000000125", ""},
        {"multipleOf", "1e99999999999999999999", kPanic},
        {"multipleOf", "1e-1000001", kPanic},
        {"const", "1e1000001", "- at '/a': value must be 1e1000001\n"},
    }));
    INFO(keyword << " " << number);

    CHECK(of_five(keyword, number) == wanted);
}

TEST_CASE("jsonschema: multiples of numbers with any count of digits are exact", "[text][jsonschema]") {
    auto const fits = [](std::string const& divisor, std::string const& value) {
        auto const compiled = jsonschema::compile("file:///s", R"({"multipleOf":)" + divisor + "}");
        return compiled.value().validate(Json::number(value)).has_value();
    };
    CHECK(fits("1234567890123456789012", "2469135780246913578024"));
    CHECK_FALSE(fits("1234567890123456789012", "2469135780246913578025"));
    CHECK(fits("1267650600228229401496703205376", "1e100"));  // 2^100
    CHECK_FALSE(fits("1267650600228229401496703205376", "1e99"));
    CHECK(fits("1" + std::string(300, '0') + "1", "3" + std::string(300, '0') + "3e1000"));
    CHECK_FALSE(fits("1" + std::string(300, '0') + "1", "3" + std::string(300, '0') + "4e1000"));
}

TEST_CASE("jsonschema: whatever a keyword compares is counted", "[text][jsonschema]") {
    auto const texts = [](std::string const& head, int count) {
        std::string all;
        for (int i = 0; i < count; ++i) all += (i == 0 ? "\"" : ",\"") + head + std::to_string(i) + "\"";
        return all;
    };
    auto const list_of = [](int count, Json const& item) {
        Json made;
        made.kind = Json::Kind::array;
        made.items.assign(static_cast<std::size_t>(count), item);
        return made;
    };
    Json object;
    object.kind = Json::Kind::object;
    struct Case {
        std::string schema;
        Json value;
    };
    Case const cases[] = {
        {R"({"items":{"enum":[)" + texts("e", 1'000) + "]}}", list_of(1'000, Json::string("x"))},
        {R"({"items":{"required":[)" + texts("r", 1'000) + "]}}", list_of(1'000, object)},
        {R"({"items":{"maximum":)" + std::string(10'000, '9') + "}}", list_of(1'000, Json::number("5"))},
        {R"({"items":{"multipleOf":)" + std::string(10'000, '9') + "}}", list_of(1'000, Json::number("5e100000"))},
        {R"({"items":{"const":[)" + texts("c", 1'000) + "]}}",
         list_of(1'000,
                 [&] {
                     Json list;
                     list.kind = Json::Kind::array;
                     for (int i = 0; i < 999; ++i) list.items.push_back(Json::string("c" + std::to_string(i)));
                     list.items.push_back(Json::string("other"));
                     return list;
                 }())},
        {R"({"items":{"pattern":"^a*b"}})", list_of(1'000, Json::string(std::string(10'000, 'a')))},
        {R"({"items":{"minLength":1}})", list_of(1'000, Json::string(std::string(10'000, 'a')))},
        {R"({"$schema":"http://json-schema.org/draft-07/schema#","items":{"format":"regex"}})",
         list_of(1'000, Json::string("(a{100}){5}|\\pL\\pN"))},
    };
    for (auto const& [schema, value] : cases) {
        INFO(schema.substr(0, 60));
        auto const compiled = jsonschema::compile("file:///s", schema, {.checks_max = 20'000});
        REQUIRE(compiled);
        CHECK(compiled->validate(value).error().code == Errc::limit);
    }
}

TEST_CASE("jsonschema: a report has a bound, whoever is to blame", "[text][jsonschema]") {
    Json list;
    list.kind = Json::Kind::array;
    list.items.assign(1'000, Json::string(std::string(100'000, 'x')));
    auto const compiled = jsonschema::compile("file:///s", R"({"items":{"pattern":"^a"}})");

    CHECK(compiled.value().validate(list).error().code == Errc::limit);
}

TEST_CASE("jsonschema: patterns are compiled once each and bounded together", "[text][jsonschema]") {
    std::string same, different;
    for (int i = 0; i < 5'000; ++i) {
        auto const name = (i == 0 ? "\"p" : ",\"p") + std::to_string(i);
        same += name + R"(":{"pattern":"x{500}N"})";
        different += name + R"(":{"pattern":"x{500}N)" + std::to_string(i) + "\"}";
    }
    CHECK(jsonschema::compile("file:///s", R"({"properties":{)" + same + "}}"));
    CHECK(jsonschema::compile("file:///s", R"({"properties":{)" + different + "}}").error().code == Errc::limit);
}

TEST_CASE("jsonschema: a schema of many resources and anchors compiles by their number", "[text][jsonschema]") {
    std::string ids, anchors;
    for (int i = 0; i < 30'000; ++i) {
        auto const number = std::to_string(i);
        ids += (i == 0 ? "\"" : ",\"") + number + R"(":{"$id":"http://a/)" + number + "\"}";
        anchors += (i == 0 ? "\"" : ",\"") + number + R"(":{"$anchor":"a)" + number + R"(","type":"null"})";
    }
    CHECK(jsonschema::compile("file:///s", R"({"properties":{)" + ids + R"(},"$ref":"http://a/29999"})"));
    CHECK(jsonschema::compile("file:///s", R"({"properties":{)" + anchors + R"(},"$ref":"#a29999"})"));
    CHECK(jsonschema::compile("file:///s", R"({"$defs":{"a":{"$id":"http://a/b"},"c":{"$id":"http://a/b"}}})")
              .error()
              .message.starts_with("duplicate id \"http://a/b\""));
}
