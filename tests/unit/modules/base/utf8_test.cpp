// tests/unit/modules/base/utf8_test.cpp: what goes into JSON is text.
#include "modules/base/utf8.hpp"

#include <catch2/catch.hpp>

namespace holdfast {

TEST_CASE("utf8: well-formed text stays as it is", "[base][utf8]") {
    for (std::string const text : {"", "plain", "\u00e9\u20ac\U0001F600\U0010FFFF", "a\nb"})
        CHECK(to_utf8(text, 100) == text);
}

TEST_CASE("utf8: every byte of what is not is replaced", "[base][utf8]") {
    std::string const bad = "\uFFFD";

    CHECK(to_utf8("caf\xe9 ferm\xe9\x80", 100) == "caf" + bad + " ferm" + bad + bad);
    CHECK(to_utf8("\xc0\xaf", 100) == bad + bad);                      // overlong
    CHECK(to_utf8("\xe0\x80\xaf", 100) == bad + bad + bad);            // overlong
    CHECK(to_utf8("\xed\xa0\x80", 100) == bad + bad + bad);            // surrogate
    CHECK(to_utf8("\xf4\x90\x80\x80", 100) == bad + bad + bad + bad);  // beyond U+10FFFF
    CHECK(to_utf8("\xe2\x82", 100) == bad + bad);                      // cut off
    CHECK(to_utf8("\xff", 100) == bad);
}

TEST_CASE("utf8: a long text is cut between two characters and says so", "[base][utf8]") {
    CHECK(to_utf8("0123456789", 10) == "0123456789");
    CHECK(to_utf8("0123456789x", 10) == "0123456...");
    CHECK(to_utf8("\u20ac\u20ac\u20ac\u20ac", 10) == "\u20ac\u20ac...");
    CHECK(to_utf8("\xff\xff\xff\xff", 10) == "\uFFFD\uFFFD...");
}

TEST_CASE("utf8: what a terminal or a reader would obey is blank, and nothing else is", "[base][utf8]") {
    CHECK(without_controls("a\x1b[2Jb\x07\x7f\r\n\tc") == "a [2Jb     c");
    CHECK(without_controls("\u009b1m\u0085") == "  1m  ");
    CHECK(without_controls("admin\u202Egpj\u2066x\u2069\u200E\u200F\u061C\u2028.") == "admin   gpj   x              .");
    CHECK(without_controls("a\nb\tc\r", kLayout) == "a\nb\tc ");
    for (std::string const text :
         {"caf\u00e9 \u00a0\u00bf", "\u0600\u061B\u061D", "\u200D\u2010\u2027\u202F\u2065\u206A\u20ac", "\U0001F600",
          "caf\xe9 \xc2", "\xe2\x80"})
        CHECK(without_controls(text) == text);
}

}  // namespace holdfast
