// tests/unit/modules/sandbox/command_test.cpp: a command that confined itself reads and prints, and nothing else.
#include "modules/sandbox/command.hpp"

#include "modules/base/sanitized.hpp"

#include <catch2/catch.hpp>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace holdfast::sandbox {

namespace {

struct Ended {
    int status;
    std::string error_output;
};

/// Runs `act` in a child that confined itself; its exit code is what `act` returns.
Ended confined(Reach const& reach, std::function<int()> const& act,
               std::optional<Limits> const& limits = std::nullopt) {
    int fds[2];
    REQUIRE(::pipe(fds) == 0);
    pid_t const child = ::fork();
    if (child == 0) {
        ::dup2(fds[1], STDERR_FILENO);
        ::close(fds[0]);
        ::close(fds[1]);
        if (!confine_command(reach, limits)) ::_exit(99);
        ::_exit(act());
    }
    ::close(fds[1]);
    Ended ended{};
    char block[256];
    for (ssize_t got = ::read(fds[0], block, sizeof block); got > 0; got = ::read(fds[0], block, sizeof block)) {
        ended.error_output.append(block, static_cast<std::size_t>(got));
    }
    ::close(fds[0]);
    ::waitpid(child, &ended.status, 0);
    return ended;
}

int exit_code(Ended const& ended) {
    return WIFEXITED(ended.status) ? WEXITSTATUS(ended.status) : -WTERMSIG(ended.status);
}

class Folder {
public:
    Folder() {
        char name[] = "/tmp/holdfast-command-XXXXXX";
        path = ::mkdtemp(name);
        std::ofstream{path + "/file"} << "text";
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string path;
};

bool opens(std::string const& path, int flags) {
    int const fd = ::open(path.c_str(), flags, 0600);
    if (fd >= 0) ::close(fd);
    return fd >= 0;
}

}  // namespace

TEST_CASE("command: a root bounds what is read, a folder what is written", "[sandbox]") {
    if (probe().landlock_abi == 0) return;  // the loader's own checks remain
    Folder inside, outside;
    auto const reads = [&](std::string const& path) {
        return exit_code(confined({.read_beneath = inside.path}, [&] { return opens(path, O_RDONLY) ? 1 : 0; }));
    };
    CHECK(reads(inside.path + "/file") == 1);
    CHECK(reads(outside.path + "/file") == 0);
    auto const writes = [&](std::string const& path) {
        return exit_code(confined({.reads_anywhere = true, .write_beneath = {inside.path}},
                                  [&] { return opens(path, O_CREAT | O_WRONLY | O_TRUNC) ? 1 : 0; }));
    };
    CHECK(writes(inside.path + "/new") == 1);
    CHECK(writes(outside.path + "/new") == 0);
    // A folder that is not there yet: its parent, so that it can be made, and an error that says what is missing.
    CHECK(exit_code(confined({.reads_anywhere = true, .write_beneath = {inside.path + "/later/deep"}}, [&] {
              return ::mkdir((inside.path + "/later").c_str(), 0700) == 0 &&
                             !opens(inside.path + "/gone/x", O_CREAT | O_WRONLY) && errno == ENOENT
                         ? 1
                         : 0;
          })) == 1);
    CHECK(exit_code(confined({.read_beneath = inside.path + "/missing"}, [] { return 0; })) == 99);
}

TEST_CASE("command: a limit and a crash end in one line", "[sandbox]") {
    Limits limits{
        .memory_bytes_max = 32u << 20, .cpu_max = std::chrono::seconds{1}, .wall_max = std::chrono::seconds{60}};
    auto const spinning = confined(
        {},
        [] {
            for (unsigned volatile i = 0;; i = i + 1) {}
            return 0;
        },
        limits);
    CHECK(exit_code(spinning) == 1);
    CHECK(spinning.error_output.starts_with("Error: stopped: more than 1 s of CPU time; --no-limits lifts it\n"));

    auto const crashed = confined({}, [] { return std::raise(SIGSEGV); });
    CHECK(exit_code(crashed) == 1);
    CHECK(crashed.error_output.starts_with("Error: the render crashed"));

    if (kSanitized) return;
    auto const hog = confined(
        {},
        [] {
            std::vector<std::string> all;
            try {
                for (;;) all.emplace_back(1u << 20, 'x');
            } catch (std::bad_alloc const&) {
                return all.size() < 32 ? 7 : 8;
            }
        },
        limits);
    CHECK(exit_code(hog) == 7);
}

}  // namespace holdfast::sandbox
