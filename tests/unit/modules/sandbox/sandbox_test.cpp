// tests/unit/modules/sandbox/sandbox_test.cpp: a job can end itself, and nothing else.
#include "modules/sandbox/sandbox.hpp"

#include "modules/base/sanitized.hpp"

#include <catch2/catch.hpp>

#include <arpa/inet.h>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace holdfast::sandbox {

namespace {

/// Does what the request names; replies "denied" when the kernel said no.
Result<std::string> misbehave(int input_fd, std::string_view request) {
    auto const answer = [](long result) -> Result<std::string> {
        return std::string{result < 0 ? "denied" : "allowed"};
    };
    if (request == "echo") {
        std::string text(5, '\0');
        if (::read(input_fd, text.data(), text.size()) != 5) return fail(Errc::not_found, "no input");
        return text;
    }
    if (request == "error") return fail(Errc::denied, "as asked");
    if (request == "open") return answer(::open("/etc/passwd", O_RDONLY));
    if (request == "create") return answer(::open("/tmp/holdfast-escaped", O_CREAT | O_WRONLY, 0600));
    if (request == "socket") return answer(::socket(AF_INET, SOCK_STREAM, 0));
    if (request == "unix") return answer(::socket(AF_UNIX, SOCK_STREAM, 0));
    if (request == "fork") return answer(::syscall(SYS_fork));
    if (request == "ptrace") return answer(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr));
    if (request == "mount") return answer(::mount("none", "/mnt", "tmpfs", 0, nullptr));
    if (request == "userns") return answer(::syscall(SYS_unshare, 0x10000000));
    if (request == "io_uring") return answer(::syscall(425, 1, nullptr));
    if (request == "bpf") return answer(::syscall(SYS_bpf, 0, nullptr, 0));
    if (request == "kill") return answer(::kill(::getppid(), SIGKILL));
    if (request == "exec") {
        char* const arguments[]{const_cast<char*>("/bin/true"), nullptr};
        return answer(::execve("/bin/true", arguments, nullptr));
    }
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
    auto zygote = Zygote::start(misbehave, small());
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

TEST_CASE("sandbox: a job cannot open, connect, execute, fork or signal", "[sandbox][req:R-22]") {
    auto zygote = Zygote::start(misbehave, small());
    REQUIRE(zygote);

    auto const act = GENERATE(as<std::string>{}, "open", "create", "socket", "unix", "fork", "ptrace", "mount",
                              "userns", "io_uring", "bpf", "kill", "exec");
    CAPTURE(act);
    auto const tried = run(*zygote, -1, act);

    REQUIRE(tried);
    CHECK(*tried == "denied");
}

TEST_CASE("sandbox: memory, CPU time and reply size end the job, not the caller", "[sandbox]") {
    auto zygote = Zygote::start(misbehave, small());
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
    auto zygote = Zygote::start(misbehave, small());
    REQUIRE(zygote);

    auto const crashed = run(*zygote, -1, "crash");
    auto const next = run(*zygote, -1, "open");

    REQUIRE_FALSE(crashed);
    CHECK(crashed.error().code == Errc::invalid_input);
    CHECK(crashed.error().message.find("crashed") != std::string::npos);
    REQUIRE(next);
    CHECK(*next == "denied");
}

TEST_CASE("sandbox: the probe says which walls this kernel gives", "[sandbox]") { CHECK(probe().seccomp); }

}  // namespace holdfast::sandbox
