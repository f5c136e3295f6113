// tests/unit/modules/sandbox/sandbox_test.cpp: a job can end itself, and nothing else.
#include "modules/sandbox/sandbox.hpp"

#include "modules/base/sanitized.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <cstdlib>
#include <unistd.h>
#include <vector>

namespace holdfast::sandbox {

namespace {

/// Does what the request names.
Result<std::string> misbehave(int input_fd, std::string_view request) {
    if (request == "echo") {
        std::string text(5, '\0');
        if (::read(input_fd, text.data(), text.size()) != 5) return fail(Errc::not_found, "no input");
        return text;
    }
    if (request == "error") return fail(Errc::denied, "as asked");
    if (request == "memory") {
        std::vector<std::string> hog;
        for (;;) hog.emplace_back(1u << 20, 'x');
    }
    if (request == "spin") {
        for (unsigned volatile i = 0;; i = i + 1) {}
    }
    if (request == "crash") std::raise(SIGSEGV);
    if (request == "large") return std::string(2u << 20, 'x');
    return fail(Errc::invalid_input, "unknown");
}

Limits small() {
    Limits limits;
    limits.memory_bytes_max = 32u << 20;
    limits.cpu_max = std::chrono::seconds{1};
    limits.wall_max = std::chrono::seconds{60};  // CPU time is what this file tests; a busy machine makes it long
    limits.reply_bytes_max = 1u << 20;
    return limits;
}

}  // namespace

TEST_CASE("sandbox: a job reads its input and its reply or error comes back as it is", "[sandbox]") {
    auto zygote = Zygote::start({{misbehave, small()}});
    REQUIRE(zygote);
    int pipe_fds[2];
    REQUIRE(::pipe(pipe_fds) == 0);
    REQUIRE(::write(pipe_fds[1], "hello", 5) == 5);

    auto const echoed = run(*zygote, pipe_fds[0], "echo");
    auto const refused = run(*zygote, -1, "error");

    REQUIRE(echoed);
    CHECK(*echoed == "hello");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::denied);
    CHECK(refused.error().message == "as asked");
    ::close(pipe_fds[0]);
    ::close(pipe_fds[1]);
}

TEST_CASE("sandbox: memory, CPU time and reply size end the job, not the caller", "[sandbox]") {
    auto zygote = Zygote::start({{misbehave, small()}});
    REQUIRE(zygote);

    if (!kSanitized) {
        auto const hog = run(*zygote, -1, "memory");
        REQUIRE_FALSE(hog);
        CHECK(hog.error().code == Errc::limit);
        CHECK(hog.error().message == "out of memory");
    }
    auto const spinning = run(*zygote, -1, "spin");
    REQUIRE_FALSE(spinning);
    CHECK(spinning.error().code == Errc::limit);
    CHECK(spinning.error().message == "stopped: more than 1 s of CPU time");
    auto const large = run(*zygote, -1, "large");
    REQUIRE_FALSE(large);
    CHECK(large.error().code == Errc::limit);
}

TEST_CASE("sandbox: a crash is an error that says so, and the next job runs", "[sandbox]") {
    auto zygote = Zygote::start({{misbehave, small()}});
    REQUIRE(zygote);

    auto const crashed = run(*zygote, -1, "crash");
    auto const next = run(*zygote, -1, "error");

    REQUIRE_FALSE(crashed);
    CHECK(crashed.error().code == Errc::invalid_input);
    CHECK(crashed.error().message.find("crashed") != std::string::npos);
    REQUIRE_FALSE(next);
    CHECK(next.error().message == "as asked");
}

TEST_CASE("sandbox: the probe says which walls this kernel gives", "[sandbox]") { CHECK(probe().seccomp); }

}  // namespace holdfast::sandbox
