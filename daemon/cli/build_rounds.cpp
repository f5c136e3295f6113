// daemon/cli/build_rounds.cpp: fork, pipe, fetch, again.
#include "daemon/cli/build_rounds.hpp"

#include "daemon/cli/say.hpp"
#include "daemon/remote_bases.hpp"
#include "modules/base/limits.hpp"
#include "modules/base/write_all.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace holdfast::daemon {

namespace {

constexpr std::size_t kListBytesMax = 4u << 20;

struct Round {
    int status = 1;
    std::vector<kustomize::Remote> missing;  // not empty: nothing was printed
};

std::string read_list(int fd) {
    std::string text;
    char block[4096];
    for (;;) {
        auto const got = ::read(fd, block, sizeof block);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0 || text.size() > kListBytesMax) return text;
        text.append(block, static_cast<std::size_t>(got));
    }
}

/// The child's part. Out  its exit status
int build_with(Supplies const& supplies, BuildOnce const& build, int list_fd) {
    auto input = MemoryFile::create();
    auto const filled = input ? supplies.append_to(*input) : Result<void>{std::unexpected{input.error()}};
    auto const mapping = filled ? Mapping::of(input->fd()) : Result<Mapping>{std::unexpected{filled.error()}};
    auto remotes = mapping ? read_supplies(supplies.description(), mapping->bytes())
                           : Result<kustomize::Remotes>{std::unexpected{mapping.error()}};
    if (!remotes) {
        say("Error: " + remotes.error().message);
        return 1;
    }
    int const status = build(*remotes);
    if (!remotes->missing().empty()) write_all(list_fd, boost::json::serialize(describe(remotes->missing())));
    return status;
}

Result<Round> run_round(Supplies const& supplies, BuildOnce const& build) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail(Errc::limit, std::string{"pipe: "} + std::strerror(errno));
    pid_t const child = ::fork();
    if (child == 0) {
        ::close(ends[0]);
        int const status = build_with(supplies, build, ends[1]);
        std::fflush(stderr);
        ::_exit(status);
    }
    ::close(ends[1]);
    auto const text = child > 0 ? read_list(ends[0]) : std::string{};
    ::close(ends[0]);
    if (child < 0) return fail(Errc::limit, std::string{"fork: "} + std::strerror(errno));
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    Round round{.status = WIFEXITED(status) ? WEXITSTATUS(status) : 1};
    if (text.empty()) return round;
    boost::system::error_code ec;
    auto const described = boost::json::parse(text, ec);
    auto missing = read_remotes(described);
    if (ec || !missing) return fail(Errc::invalid_input, "what the build misses cannot be read");
    round.missing = std::move(*missing);
    return round;
}

}  // namespace

Result<int> build_in_rounds(BuildOnce const& build, RemoteFetcher const& fetch, bool local) {
    Supplies supplies;
    for (std::size_t rounds = 0;; ++rounds) {
        auto const round = run_round(supplies, build);
        if (!round) return std::unexpected{round.error()};
        if (round->missing.empty()) return round->status;
        if (rounds == limits::kRemoteRoundsMax) return too_many_rounds(round->missing.front());
        for (auto const& remote : round->missing) {
            auto const content = fetch(remote, supplies.bytes_left(), local);
            if (auto ok = supplies.add(remote, content); !ok) return fail(std::move(ok));
        }
    }
}

}  // namespace holdfast::daemon
