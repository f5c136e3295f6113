// tests/golden/gotemplate/tool_main.cpp: JSON lines in and out like oracle/main.go, for random_diff.
#include "modules/text/gotemplate/json.hpp"
#include "tests/golden/gotemplate/tool.hpp"

#include <iostream>

using namespace holdfast::gotemplate;

int main() {
    for (std::string line; std::getline(std::cin, line);) {
        auto const request = from_json(line);
        if (!request) {
            std::cerr << request.error().message << "\n";
            return 1;
        }
        auto const field = [&](char const* name) { return request->lookup(name); };
        std::string flags;
        if (is_true(field("funcs"))) flags += 'f';
        if (is_true(field("strict"))) flags += 's';
        if (is_true(field("ints"))) flags += 'i';
        auto const made = golden::evaluate(field("template").as_string(), field("data").unboxed(), flags);
        auto answer = Value::map();
        answer.set("id", field("id"));
        answer.set("out", Value::string(made.out));
        answer.set("err", Value::string(made.err));
        std::cout << to_json(answer).value() << "\n";
    }
    return 0;
}
