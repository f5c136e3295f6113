// tests/unit/modules/yaml/report_main.cpp: JSON lines {"name","in","base64"} on standard input (or, with "files", names of
// files) -> the lines that tests/oracle-yaml prints for them.
#include "modules/base/base64.hpp"
#include "tests/unit/modules/yaml/report.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fstream>
#include <iostream>
#include <iterator>

int main(int argc, char** argv) {
    std::ios::sync_with_stdio(false);
    bool const files = argc > 1;
    for (std::string line; std::getline(std::cin, line);) {
        std::string name = line;
        std::string text;
        if (files) {
            std::ifstream file{name, std::ios::binary};
            text.assign(std::istreambuf_iterator<char>{file}, {});
        } else {
            auto const input = boost::json::parse(line);
            name = input.at("name").as_string();
            auto const* const base64 = input.as_object().if_contains("base64");
            text = base64 && !base64->as_string().empty() ? holdfast::base64_decode(base64->as_string()).value_or("")
                                                          : std::string{input.at("in").as_string()};
        }
        std::cout << boost::json::serialize(holdfast::yaml::test::report(name, text)) << '\n';
    }
}
