// tests/unit/modules/patch/patch_tool.cpp: answers questions, one JSON line each; compare.py runs it beside the oracle.
#include "tests/unit/modules/patch/question.hpp"

#include <iostream>
#include <string>

int main() {
    std::ios::sync_with_stdio(false);
    for (std::string line; std::getline(std::cin, line);) {
        auto const question = boost::json::parse(line);
        auto const answer = holdfast::patch::respond(question.as_object());
        std::cout << boost::json::serialize(
                         boost::json::object{{"tree", answer.tree}, {"out", answer.out}, {"err", answer.err}})
                  << '\n';
    }
}
