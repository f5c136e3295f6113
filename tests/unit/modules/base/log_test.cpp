// tests/unit/modules/base/log_test.cpp: whatever is logged, a line is one line of well-formed text.
#include "modules/base/log.hpp"
#include "modules/base/utf8.hpp"

#include <catch2/catch.hpp>

#include <cstdio>
#include <unistd.h>

namespace holdfast {

namespace {

/// Everything that was written to the log.
std::string logged(bool json, std::string_view message, std::initializer_list<Log::Field> fields = {}) {
    std::FILE* const file = std::tmpfile();
    REQUIRE(file != nullptr);
    SystemClock clock;
    Log const log{{.json = json, .fd = ::fileno(file)}, clock};
    log.info("test", message, fields);
    std::string text(1 << 20, '\0');
    auto const size = ::pread(::fileno(file), text.data(), text.size(), 0);
    std::fclose(file);
    REQUIRE(size > 0);
    text.resize(static_cast<std::size_t>(size));
    return text;
}

}  // namespace

TEST_CASE("log: no message moves the cursor of whoever reads the log", "[base][log]") {
    std::string const evil = "a\x1b[2J\rb\nc\x7f\u009b2Jd\te\u202e\u061c";

    auto const text = logged(false, evil, {{"field", evil}});
    auto const json = logged(true, evil, {{"field", evil}});

    for (std::string const& line : {text, json}) {
        INFO(line);
        CHECK(line.find_first_of("\x1b\r\x7f\t") == std::string::npos);
        CHECK(line.find("\u009b") == std::string::npos);
        CHECK(line.find('\n') == line.size() - 1);
    }
    CHECK(text.find(" info test: a [2J b c   2Jd e      field=\"a\\u001b[2J") != std::string::npos);
    CHECK(json.find("\\u001b[2J\\rb\\nc\\u007f\\u009b2Jd\\te\\u202e\\u061c") != std::string::npos);
}

TEST_CASE("log: the login of a URL is in no line, whoever passes it", "[base][log]") {
    for (bool const json : {true, false}) {
        auto const line =
            logged(json, "git fetch https://bot:s3cr3t@h/a.git", {{"remote", "https://s3cr3t@h/a?sig=s3cr3t"}});

        INFO(line);
        CHECK(line.find("s3cr3t") == std::string::npos);
        CHECK(line.find("https://xxxxx@h/a.git") != std::string::npos);
    }
}

TEST_CASE("log: a long value is cut between two characters, escapes included", "[base][log]") {
    for (std::string const pad : {"", "x", "xx"}) {
        std::string value = pad;
        for (int i = 0; i < 12'000; ++i) value += "\n\u20ac";
        for (bool const json : {true, false}) {
            auto const line = logged(json, value, {{"field", value}});

            CHECK(line.size() < 3 * 33'000);
            CHECK(line.ends_with(json ? "\"}\n" : "\"\n"));
            CHECK(to_utf8(line, line.size()) == line);  // nothing had to be replaced: it is well-formed
        }
    }
}

TEST_CASE("log: bytes that are no text are replaced in both formats", "[base][log]") {
    CHECK(logged(false, "caf\xe9 x").find("caf\uFFFD x") != std::string::npos);
    CHECK(logged(true, "caf\xe9 x").find("caf\uFFFD x") != std::string::npos);
}

}  // namespace holdfast
