// tests/unit/modules/base/packed_test.cpp: what goes in comes out, and takes less meanwhile.
#include "modules/base/packed.hpp"

#include <catch2/catch.hpp>

#include <random>

namespace holdfast {

TEST_CASE("packed: every text comes out as it went in", "[base]") {
    std::mt19937 random{7};
    std::string noise(100'000, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    std::string words;
    for (int i = 0; i < 5'000; ++i) words += "name: value-" + std::to_string(i) + "\n";
    for (auto const& text :
         {std::string{}, std::string{"a"}, std::string(1'023, 'x'), std::string(1'024, 'x'), words, noise}) {
        CAPTURE(text.size());
        Packed packed{text};
        CHECK(packed.text() == text);
        CHECK(packed.empty() == text.empty());
        CHECK(packed.held() <= text.size());
        packed.clear();
        CHECK(packed.empty());
        CHECK(packed.text().empty());
    }
    CHECK(Packed{words}.held() < words.size() / 3);
}

}  // namespace holdfast
