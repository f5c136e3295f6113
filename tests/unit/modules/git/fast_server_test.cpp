// tests/unit/modules/git/fast_server_test.cpp: servers whose whole answer is there before anybody asks for its end.
// Goal: libgit2 stops reading at the last packet, so each request but the last is given up, and by then it has ended by
// itself: neither may touch the request that follows.
// Method: tests/support/fast_git_server.hpp, for each way to treat a connection and to frame an answer.
#include "modules/git/git.hpp"

#include "tests/support/fast_git_server.hpp"

#include <catch2/catch.hpp>

#include <atomic>

namespace holdfast::git {

using test::FastGitServer;
using test::GitRepo;
using test::TempDir;
using Connections = FastGitServer::Connections;

struct FastPlace {
    TempDir dir;
    std::filesystem::path repos = dir / "repos";
    Options options;

    FastPlace() {
        std::filesystem::create_directory(repos);
        std::filesystem::create_directory(dir / "scratch");
        options.scratch = dir / "scratch";
        options.reach = http::Reach::of_operator();
    }
};

/// Fetches `sources` times, four at once as the daemon does. Out  what went wrong, the first of it
std::string fetch_all(FastPlace const& place, FastGitServer const& server, std::string const& revision, int sources) {
    std::atomic<int> next = 0;
    std::mutex mutex;
    std::string problem;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < std::min(4, sources); ++i) {
            threads.emplace_back([&] {
                while (next++ < sources) {
                    auto done = checkout({.url = server.url_of("shop.git")}, {.branch = "main"}, place.options);
                    std::scoped_lock const lock{mutex};
                    if (!done) problem = done.error().message;
                    else if (done->revision != revision || !done->snapshot) problem = "not " + done->revision;
                    else if (done->snapshot->files().size() != 2) problem = "files are missing";
                }
            });
        }
    }
    return problem;
}

TEST_CASE("git: any number of sources come from a server that answers at once", "[git]") {
    FastPlace place;
    GitRepo repo{place.repos};
    auto const revision =
        "main@sha1:" + repo.write("a.yaml", "a: 1\n").write("b.yaml", std::string(40'000, 'b')).commit();
    for (auto const connections : {Connections::kept, Connections::closed, Connections::dropped}) {
        for (bool const chunked : {false, true}) {
            FastGitServer const server{place.repos, {.connections = connections, .chunked = chunked}};
            for (int const sources : {1, 2, 3, 8, 64}) {
                INFO("connections " << static_cast<int>(connections) << ", chunked " << chunked << ", sources "
                                    << sources);
                CHECK(fetch_all(place, server, revision, sources) == "");
            }
        }
    }
    CHECK(std::filesystem::is_empty(place.options.scratch));
}

TEST_CASE("git: one fetch from a server that keeps connections uses one", "[git]") {
    FastPlace place;
    GitRepo repo{place.repos};
    repo.write("a.yaml", "a: 1\n").commit();
    FastGitServer const kept{place.repos, {.connections = Connections::kept}};
    FastGitServer const closed{place.repos, {.connections = Connections::closed}};

    CHECK(checkout({.url = kept.url_of("shop.git")}, {.branch = "main"}, place.options));
    CHECK(checkout({.url = closed.url_of("shop.git")}, {.branch = "main"}, place.options));

    CHECK(kept.connections() == 1);
    CHECK(closed.connections() == 2);  // the references, the pack
}

TEST_CASE("git: a timeout of centuries is as good as any", "[git][limit]") {
    FastPlace place;
    GitRepo repo{place.repos};
    repo.write("a.yaml", "a: 1\n").commit();
    FastGitServer const server{place.repos, {}};
    place.options.bounds.whole_max = std::chrono::milliseconds::max();
    place.options.bounds.idle_max = std::chrono::milliseconds::max();

    auto const done = checkout({.url = server.url_of("shop.git")}, {.branch = "main"}, place.options);

    INFO((done ? "" : done.error().message));
    CHECK(done);
}

}  // namespace holdfast::git
