// tests/golden/toml/answer.hpp: answers a document as tests/oracle/tomlexec does.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::helm::golden {

struct Answer {
    std::string out;   // the values that fromToml gives, with their Go types
    std::string toml;  // those, as toToml writes them
    std::string err;   // why the call itself fails
};

Answer answer_to(std::string_view document);

}  // namespace holdfast::helm::golden
