// tests/unit/modules/base/search_test.cpp: a text is found where std::string_view finds it.
#include "modules/base/search.hpp"

#include <catch2/catch.hpp>

namespace holdfast {

TEST_CASE("search: as string_view::find, also in a text that is nowhere", "[base]") {
    for (std::string_view const text : {std::string_view{}, std::string_view{""}, std::string_view{"abcabc"}})
        for (std::string_view const wanted : {std::string_view{}, std::string_view{"abc"}, std::string_view{"abcabcd"}})
            for (std::size_t from = 0; from < 8; ++from) {
                INFO(text << '/' << wanted << '/' << from);
                CHECK(find_text(text, wanted, from) == text.find(wanted, from));
            }
}

}  // namespace holdfast
