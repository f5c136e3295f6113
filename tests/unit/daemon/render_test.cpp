// tests/unit/daemon/render_test.cpp: what an answer will take is known before it is read.
#include "daemon/render.hpp"

#include <boost/json/memory_resource.hpp>
#include <boost/json/parse.hpp>

#include <catch2/catch.hpp>

#include <cstdlib>

namespace holdfast::daemon {

namespace {

/// What the heap would give for what is asked of it.
class Counted final : public boost::container::pmr::memory_resource {
public:
    std::size_t bytes = 0;

private:
    void* do_allocate(std::size_t size, std::size_t) override {
        bytes += (size + 8 + 15) / 16 * 16;
        return std::malloc(size);
    }
    void do_deallocate(void* at, std::size_t size, std::size_t) override {
        bytes -= (size + 8 + 15) / 16 * 16;
        std::free(at);
    }
    bool do_is_equal(memory_resource const& other) const noexcept override { return this == &other; }
};

std::string repeated(std::string_view piece, std::size_t times, std::string_view before, std::string_view after) {
    std::string text{before};
    for (std::size_t i = 0; i < times; ++i) text += (i == 0 ? "" : ",") + std::string{piece};
    return text + std::string{after};
}

}  // namespace

TEST_CASE("render: an answer takes no more memory than was said before it was read", "[daemon][render]") {
    auto const text = GENERATE_COPY(
        as<std::string>{}, repeated("0", 50'000, "[", "]"), repeated("[]", 50'000, "[", "]"),
        repeated("{}", 50'000, "[", "]"), repeated("\"\"", 50'000, "[", "]"),
        repeated("[[[[[[[[]]]]]]]]", 10'000, "[", "]"), repeated("{\"a\":{\"b\":{\"c\":0}}}", 10'000, "[", "]"),
        repeated("\"a name of some length\":\"and a text of some\"", 10'000, "{", "}"),
        "[\"" + std::string(1 << 20, ',') + "\"]", "[\"" + std::string(1 << 20, 'x') + "\"]",
        "{\"objects\":[{\"kind\":\"ConfigMap\",\"data\":{\"a\":\"b\\\",[[[\"}}]}");
    CAPTURE(text.substr(0, 60), text.size());
    Counted counted;
    auto const value = boost::json::parse(text, &counted, {.max_depth = 100});
    std::size_t const said = memory_of_objects(text);
    CHECK(counted.bytes + text.size() <= said);
    CHECK(said < 64 * text.size() + 4096);
}

TEST_CASE("render: separators within a text cost nothing", "[daemon][render]") {
    auto const commas = "[\"" + std::string(100'000, ',') + "\"]";
    CHECK(memory_of_objects(commas) < 5 * commas.size());
}

}  // namespace holdfast::daemon
