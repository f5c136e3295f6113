// tests/unit/daemon/suggest_test.cpp: a slip finds its word, another word finds none.
#include "daemon/cli/suggest.hpp"

#include <catch2/catch.hpp>

namespace holdfast::daemon {

TEST_CASE("suggest: a slip of the finger finds the word that was meant", "[daemon][cli]") {
    std::vector<std::string_view> const verbs{"daemon", "status", "install", "config", "build", "template", "version"};

    CHECK(nearest("statsu", verbs) == "status");
    CHECK(nearest("stat", verbs) == "status");
    CHECK(nearest("instal", verbs) == "install");
    CHECK(nearest("verison", verbs) == "version");
    CHECK(nearest("deamon", verbs) == "daemon");
}

TEST_CASE("suggest: what resembles nothing finds nothing", "[daemon][cli]") {
    std::vector<std::string_view> const verbs{"daemon", "status"};

    CHECK(nearest("bogus", verbs).empty());
    CHECK(nearest("", verbs).empty());
    CHECK(nearest("x", verbs).empty());
    CHECK(nearest(std::string(100'000, 's'), verbs).empty());
    CHECK(nearest("status", {}).empty());
}

}  // namespace holdfast::daemon
