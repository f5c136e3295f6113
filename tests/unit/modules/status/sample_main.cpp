// tests/unit/modules/status/sample_main.cpp: prints the sample as the endpoint would: `sample json|metrics|page`.
#include "tests/unit/modules/status/sample.hpp"

#include <cstdio>
#include <string_view>

int main(int argc, char** argv) {
    using namespace holdfast::status;
    std::string_view const what = argc > 1 ? argv[1] : "json";
    std::string const text = what == "metrics" ? to_metrics(sample())
                             : what == "page"  ? to_page(sample())
                                               : to_json(sample());
    std::fputs(text.c_str(), stdout);
    return 0;
}
