// tests/unit/modules/text/semver/semver_test.cpp: versions and constraints against recorded answers of the real library.
#include "modules/text/semver/semver.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace holdfast;

namespace {

std::string unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            out += text[i];
            continue;
        }
        char const c = text[++i];
        out += c == 't' ? '\t' : c == 'n' ? '\n' : c;
    }
    return out;
}

std::vector<std::string> fields(std::string_view line) {
    std::vector<std::string> out;
    for (;;) {
        auto const tab = line.find('\t');
        out.push_back(unescape(line.substr(0, tab)));
        if (tab == line.npos) return out;
        line.remove_prefix(tab + 1);
    }
}

/// What semverexec does: parse, then validate, reasons joined by newlines.
std::pair<bool, std::string> answer(std::string const& constraint, std::string const& version) {
    auto const parsed = semver::parse(version);
    if (!parsed) return {false, parsed.error().message};
    if (constraint.empty()) return {true, ""};
    auto const wanted = semver::parse_constraint(constraint);
    if (!wanted) return {false, wanted.error().message};
    auto const [accepted, reasons] = wanted->validate(*parsed);
    std::string joined;
    for (auto const& reason : reasons) joined += (joined.empty() ? "" : "\n") + reason;
    return {accepted, accepted ? "" : joined};
}

}  // namespace

TEST_CASE("semver: answers and reasons equal the recorded ones", "[text][semver]") {
    // Goal    Masterminds/semver and we accept the same versions, for the same reasons.
    // Method  replay every line of semver.tsv.
    std::ifstream file{HOLDFAST_GOLDEN_DIR "/helm/semver.tsv"};
    REQUIRE(file);

    int cases = 0;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('#')) continue;
        auto const field = fields(line);
        REQUIRE(field.size() == 4);
        auto const [accepted, reason] = answer(field[0], field[1]);
        INFO("constraint '" << field[0] << "' version '" << field[1] << "'");
        CHECK(accepted == (field[2] == "1"));
        CHECK(reason == field[3]);
        if (accepted) CHECK((field[0].empty() || semver::is_compatible(field[0], field[1])));
        ++cases;
    }
    CHECK(cases >= 150);
}

TEST_CASE("semver: precedence follows the specification's example", "[text][semver]") {
    char const* const order[] = {"1.0.0-alpha",  "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta",
                                 "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",       "1.0.0"};
    for (std::size_t i = 0; i + 1 < std::size(order); ++i) {
        INFO(order[i]);
        CHECK(semver::compare(*semver::parse(order[i]), *semver::parse(order[i + 1])) < 0);
        CHECK(semver::compare(*semver::parse(order[i + 1]), *semver::parse(order[i])) > 0);
    }
    CHECK(semver::compare(*semver::parse("1.0.0+a"), *semver::parse("v1.0.0+b")) == 0);
}

TEST_CASE("semver: increments drop prerelease and metadata, keep the v", "[text][semver]") {
    auto const version = *semver::parse("v1.2.3-rc.1+x");
    CHECK(version.next_patch()->original == "v1.2.3");
    CHECK(version.next_minor()->original == "v1.3.0");
    CHECK(version.next_major()->string() == "2.0.0");
    CHECK(version.with_prerelease("beta")->string() == "1.2.3-beta+x");
    CHECK(version.with_metadata("?").error().message == "invalid metadata string");
    CHECK(semver::parse("1.2.18446744073709551615")->next_patch().error().code == Errc::limit);
}

TEST_CASE("semver: a strict version has three segments without leading zeros", "[text][semver]") {
    CHECK(semver::parse_strict("1.2.3-a+b")->metadata == "b");
    CHECK(semver::parse_strict("1.2").error().message == "invalid semantic version");
    CHECK(semver::parse_strict("v1.2.3").error().message == "invalid characters in version");
    CHECK(semver::parse_strict("1.02.3").error().message == "version segment starts with 0");
    CHECK(semver::parse_strict("").error().message == "version string empty");
}

TEST_CASE("semver: a text past its length limit is refused", "[text][semver]") {
    CHECK(semver::parse(std::string(257, '1')).error().message == "version string is too long (max 256 bytes)");
    CHECK(semver::parse_constraint(std::string(513, '1')).error().message ==
          "constraint string is too long (max 512 bytes)");
    std::string groups = "1";
    for (int i = 0; i < 32; ++i) groups += "||1";
    CHECK(semver::parse_constraint(groups).error().message == "too many constraint groups (max 32)");
}
