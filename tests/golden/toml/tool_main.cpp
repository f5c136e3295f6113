// tests/golden/toml/tool_main.cpp: JSON lines in and out like tests/oracle/tomlexec, for compare_go.
#include "modules/base/base64.hpp"
#include "modules/text/gotemplate/json.hpp"
#include "tests/golden/toml/answer.hpp"

#include <iostream>

using namespace holdfast;
using gotemplate::Value;

int main() {
    for (std::string line; std::getline(std::cin, line);) {
        auto const request = gotemplate::from_json(line);
        if (!request || !base64_decode(request->lookup("doc").as_string())) {
            std::cerr << "not a request: " << line << "\n";
            return 1;
        }
        auto const document = base64_decode(request->lookup("doc").as_string());
        auto const made = helm::golden::answer_to(*document);
        auto answer = Value::map();
        answer.set("id", request->lookup("id"));
        answer.set("out", Value::string(made.out));
        answer.set("toml", Value::string(made.toml));
        answer.set("err", Value::string(made.err));
        std::cout << gotemplate::to_json(answer).value() << "\n";
    }
    return 0;
}
