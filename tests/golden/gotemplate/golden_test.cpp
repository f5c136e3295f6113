// Goal: templates give the bytes and errors that Go gives.
// Method: every line of the *.txt files was answered by Go (record); here the same template runs on ours.
#include "modules/text/gotemplate/json.hpp"
#include "tests/golden/gotemplate/tool.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <map>

namespace {

using namespace holdfast::gotemplate;

// Bytes that are not UTF-8 became U+FFFD in the golden file.
std::string as_recorded(std::string const& text) {
    return std::string{from_json(to_json(Value::string(text)).value()).value().as_string()};
}

void check_file(std::string const& name) {
    std::ifstream file{std::filesystem::path{HOLDFAST_GOLDEN_DIR} / name};
    REQUIRE(file);
    std::map<std::string, Value> named;
    int cases = 0;
    for (std::string line; std::getline(file, line);) {
        auto const read = from_json(line);
        REQUIRE(read);
        auto const fields = read->items();
        if (fields.size() == 3) {
            named[std::string{fields[1].as_string()}] = fields[2];
            continue;
        }
        auto data = fields[1];
        if (data.is_string() && named.contains(std::string{data.as_string()}))
            data = named.at(std::string{data.as_string()});
        // A copy: set and merge change maps in place.
        auto const fresh = from_json(to_json(data).value()).value();

        auto answer = golden::evaluate(fields[0].as_string(), fresh, fields[2].as_string());
        answer.out = as_recorded(answer.out);

        ++cases;
        if (answer.out == fields[3].as_string() && answer.err == fields[4].as_string()) continue;
        INFO(name << ": " << fields[0].as_string());
        CHECK(answer.out == fields[3].as_string());
        CHECK(answer.err == fields[4].as_string());
    }
    CHECK(cases > 30);
}

}  // namespace

TEST_CASE("gotemplate: the template language agrees with Go", "[text][gotemplate]") { check_file("language.txt"); }
TEST_CASE("gotemplate: sprig's strings agree with Go", "[text][gotemplate]") { check_file("sprig_strings.txt"); }
TEST_CASE("gotemplate: sprig's numbers agree with Go", "[text][gotemplate]") { check_file("sprig_numbers.txt"); }
TEST_CASE("gotemplate: sprig's lists agree with Go", "[text][gotemplate]") { check_file("sprig_lists.txt"); }
TEST_CASE("gotemplate: sprig's dicts agree with Go", "[text][gotemplate]") { check_file("sprig_dicts.txt"); }
TEST_CASE("gotemplate: sprig's defaults and JSON agree with Go", "[text][gotemplate]") {
    check_file("sprig_defaults.txt");
}
TEST_CASE("gotemplate: sprig's dates agree with Go", "[text][gotemplate]") { check_file("sprig_dates.txt"); }
TEST_CASE("gotemplate: sprig's encodings, paths and URLs agree with Go", "[text][gotemplate]") {
    check_file("sprig_encoding.txt");
}
TEST_CASE("gotemplate: sprig's regular expressions agree with Go", "[text][gotemplate][regex]") {
    check_file("sprig_regex.txt");
}
TEST_CASE("gotemplate: sprig's semver agrees with Go", "[text][gotemplate][semver]") { check_file("sprig_semver.txt"); }
TEST_CASE("gotemplate: sprig's crypto agrees with Go", "[text][gotemplate][crypto]") { check_file("sprig_crypto.txt"); }
