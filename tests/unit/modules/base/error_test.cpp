// tests/unit/modules/base/error_test.cpp: errors carry a reaction and the steps that led to them.
#include "modules/base/error.hpp"

#include <catch2/catch.hpp>

namespace holdfast {

Result<int> broken() { return fail(Errc::offline, "refused"); }

TEST_CASE("error: each layer adds its step in front and keeps the reaction", "[base]") {
    auto inner = broken();

    Result<int> outer = fail(std::move(inner), "connect");

    REQUIRE_FALSE(outer);
    CHECK(outer.error().message == "connect: refused");
    CHECK(outer.error().code == Errc::offline);
    CHECK(is_retryable(outer.error().code));
    CHECK_FALSE(is_retryable(Errc::not_found));
}

}  // namespace holdfast
