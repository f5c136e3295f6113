// tests/golden/helm/tutorial_test.cpp: five well-known charts under many values, against digests of what helm printed.
#include "daemon/cli/template.hpp"
#include "modules/crypto/digest.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

std::vector<std::string> split(std::string const& text, char by) {
    std::vector<std::string> parts;
    std::istringstream stream{text};
    for (std::string part; std::getline(stream, part, by);) {
        if (by == '\t' || !part.empty()) parts.push_back(part);
    }
    return parts;
}

}  // namespace

TEST_CASE("helm: the tutorial's charts render as helm renders them", "[helm][golden]") {
    // Goal    podinfo, redis and ingress-nginx under more than 40 combinations of values are byte for byte helm's.
    // Method  digests recorded by record_tutorial; the charts themselves are not part of this tree.
    std::string const folder = HOLDFAST_TUTORIAL_CHARTS;
    if (!std::filesystem::exists(folder)) {
        WARN("skipped: no charts in " << folder);
        return;
    }
    std::ifstream file{HOLDFAST_GOLDEN_DIR "/helm/tutorial.expected"};
    int cases = 0;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('#')) continue;
        auto const field = split(line, '\t');
        std::vector<std::string> arguments{"template", "rel", folder + '/' + field[0]};
        for (auto const& word : split(field[1], ' ')) arguments.push_back(word);
        std::vector<char*> argv;
        for (auto& argument : arguments) argv.push_back(argument.data());

        auto const output = holdfast::daemon::template_output(static_cast<int>(argv.size()), argv.data());

        INFO(field[0] << ' ' << field[1] << '\n' << output.err);
        CHECK(output.status == std::stoi(field[2]));
        if (output.status == 0) CHECK(holdfast::crypto::sha256_hex(output.out) == field[3]);
        ++cases;
    }
    CHECK(cases >= 40);
}
