// tests/unit/modules/git/lookout_test.cpp: the cheap question against real git.
// Goal: a look says what checkout() would have said, or that it does not know, and costs the same however large the server.
#include "modules/git/lookout.hpp"

#include "tests/support/git_server.hpp"

#include <catch2/catch.hpp>

namespace holdfast::git {

using test::GitRepo;
using test::GitServer;
using test::TempDir;

namespace {

struct Town {
    TempDir dir;
    GitRepo repo{made(dir)};
    Options options;

    Town() {
        options.scratch = dir / "not-there";
        options.bounds.whole_max = std::chrono::seconds{20};
        options.reach = http::Reach::of_operator();
    }
    static std::filesystem::path made(TempDir const& dir) {
        std::filesystem::create_directory(dir / "repos");
        return dir / "repos";
    }
    std::filesystem::path repos() const { return dir / "repos"; }
    void push(std::string const& what) { repo.git("push -q origin " + what); }

    std::string look(Lookout& lookout, GitServer const& server, Reference const& reference, std::string known,
                     std::string const& name = "shop.git") {
        options.known_revision = std::move(known);
        auto const looked = lookout.look({.url = server.url_of(name)}, reference, options);
        if (!looked) return std::string{to_string(looked.error().code)} + " " + looked.error().message;
        return *looked == Look::unchanged ? "unchanged" : *looked == Look::changed ? "changed" : "unknown";
    }
};

/// `count` branches that lead to `commit`, as a server keeps those that nobody touches.
void add_branches(GitRepo const& repo, std::string const& commit, int count) {
    std::ofstream file{repo.bare() / "packed-refs", std::ios::binary};
    file << "# pack-refs with: peeled fully-peeled sorted \n";
    for (int i = 0; i < count; ++i) file << commit << " refs/heads/feature-" << 1'000'000 + i << "\n";
}

}  // namespace

TEST_CASE("git lookout: an unchanged check costs at most 600 bytes with 10 and with 100,000 references",
          "[git][lookout]") {
    Town town;
    auto const head = town.repo.write("a", "1").commit();
    std::vector<std::size_t> costs;
    for (int const count : {10, 100'000}) {
        add_branches(town.repo, head, count);
        GitServer server{town.repos()};
        Lookout lookout;

        CHECK(town.look(lookout, server, {.branch = "main"}, "main@sha1:" + head) == "unchanged");
        CHECK(server.requests() == "GET refs, POST refs");
        costs.push_back(server.payload());
        server.forget_requests();
        CHECK(town.look(lookout, server, {.branch = "main"}, "main@sha1:" + head) == "unchanged");
        CHECK(server.requests() == "POST refs");
        costs.push_back(server.payload());
    }

    INFO("bytes: " << costs[0] << ", " << costs[1] << ", " << costs[2] << ", " << costs[3]);
    for (auto const cost : costs) CHECK(cost <= 600);
    CHECK(costs[0] == costs[2]);
    CHECK(costs[1] == costs[3]);
}

TEST_CASE("git lookout: every form of a reference means what it means to a checkout", "[git][lookout]") {
    Town town;
    auto const first = town.repo.write("a", "1").commit();
    town.repo.git("tag light");
    town.repo.git("tag -a heavy -m heavy");
    town.repo.git("tag -a twice -m twice heavy");
    town.repo.git("branch other");
    auto const second = town.repo.write("a", "2").commit();
    town.push("--tags");
    town.push("other " + first + ":refs/pull/1/head");
    town.push(first + ":refs/heads/main-2");
    GitServer server{town.repos()};
    std::filesystem::create_directory(town.dir / "scratch");
    for (auto const& [reference, commit] : std::initializer_list<std::pair<Reference, std::string>>{
             {{.branch = "main"}, second},
             {{.branch = "other"}, first},
             {{.tag = "light"}, first},
             {{.tag = "heavy"}, first},
             {{.tag = "twice"}, first},
             {{.name = "refs/heads/main"}, second},
             {{.name = "refs/pull/1/head"}, first},
             {{.name = "refs/tags/heavy"}, first},
             {{.name = "refs/tags/heavy^{}"}, first},
             {{.name = "HEAD"}, second},
             {{.any = "HEAD"}, second},
             {{.any = "heavy"}, first},
             {{.any = "main"}, second},
             {{.any = "heads/other"}, first},
         }) {
        Options options = town.options;
        options.scratch = town.dir / "scratch";
        auto const done = checkout({.url = server.url_of("shop.git")}, reference, options);
        REQUIRE(done);
        INFO(done->revision);
        CHECK(done->commit == commit);
        Lookout lookout;

        CHECK(town.look(lookout, server, reference, done->revision) == "unchanged");
        CHECK(town.look(lookout, server, reference,
                        done->revision.substr(0, done->revision.size() - 40) + std::string(40, '0')) == "changed");
    }
}

TEST_CASE("git lookout: what takes a list, or is not there, is not known", "[git][lookout]") {
    Town town;
    auto const head = town.repo.write("a", "1").commit();
    town.repo.git("tag 1.2.3");
    town.push("--tags");
    GitRepo empty{town.repos(), "empty"};
    GitServer server{town.repos()};
    Lookout lookout;

    CHECK(town.look(lookout, server, {.semver = "1.x"}, "1.2.3@sha1:" + head) == "unknown");
    CHECK(town.look(lookout, server, {.commit = head}, "sha1:" + std::string(40, 'a')) == "unknown");
    CHECK(town.look(lookout, server, {.branch = "ma\nin"}, "main@sha1:" + head) == "unknown");
    CHECK(town.look(lookout, server, {.branch = "main"}, "") == "unknown");
    CHECK(server.requests() == "");
    CHECK(town.look(lookout, server, {.commit = head}, "sha1:" + head) == "unchanged");
    CHECK(server.requests() == "");
    CHECK(town.look(lookout, server, {.branch = "gone"}, "gone@sha1:" + head) == "unknown");
    CHECK(town.look(lookout, server, {.branch = "mai"}, "mai@sha1:" + head) == "unknown");
    CHECK(town.look(lookout, server, {.branch = "main"}, "main@sha1:" + head, "empty.git") == "unknown");
}

TEST_CASE("git lookout: a server of protocol v0 is asked once an hour whether it still is one", "[git][lookout]") {
    Town town;
    auto const head = town.repo.write("a", "1").commit();
    add_branches(town.repo, head, 50'000);
    GitServer server{town.repos(), {"--no-v2"}};
    Lookout lookout;

    CHECK(town.look(lookout, server, {.branch = "main"}, "main@sha1:" + head) == "unknown");
    CHECK(town.look(lookout, server, {.branch = "main"}, "main@sha1:" + head) == "unknown");
    CHECK(server.requests() == "GET refs");
}

TEST_CASE("git lookout: an opening that came damaged says nothing about the next one", "[git][lookout]") {
    Town town;
    auto const head = town.repo.write("a", "1").commit();
    GitServer server{town.repos()};
    Lookout lookout;

    server.faults("refs:damage");
    CHECK(town.look(lookout, server, {.branch = "main"}, "main@sha1:" + head) == "unknown");
    server.faults("");
    CHECK(town.look(lookout, server, {.branch = "main"}, "main@sha1:" + head) == "unchanged");
}

TEST_CASE("git lookout: redirects are followed each time, and credentials go along as far as they may",
          "[git][lookout]") {
    Town town;
    auto const head = town.repo.write("a", "1").commit();
    GitServer target{town.repos(), {"--user", "user", "--password", "secret"}};
    GitServer first{town.repos()};
    first.faults("refs:redirect=" + target.url());
    Lookout lookout;
    town.options.known_revision = "main@sha1:" + head;
    Remote const remote{.url = first.url_of("shop.git"), .credentials = {.username = "user", .password = "secret"}};

    auto const elsewhere = lookout.look(remote, {.branch = "main"}, town.options);

    REQUIRE_FALSE(elsewhere);  // what is for the first is not for the second
    CHECK(elsewhere.error().code == Errc::denied);
    CHECK_FALSE(target.authorized());

    GitServer open{town.repos()};
    first.faults("refs:redirect=" + open.url());
    first.forget_requests();
    for (int i = 0; i < 2; ++i) {
        auto const looked = lookout.look(remote, {.branch = "main"}, town.options);
        REQUIRE(looked);
        CHECK(*looked == Look::unchanged);
    }
    CHECK(first.requests() == "GET refs, GET refs");
    CHECK(open.requests() == "GET refs, POST refs, GET refs, POST refs");
    CHECK_FALSE(open.authorized());
}

TEST_CASE("git lookout: what HTTP says is said in checkout's words", "[git][lookout]") {
    Town town;
    auto const head = town.repo.write("a", "1").commit();
    GitServer server{town.repos()};
    auto const known = "main@sha1:" + head;
    for (bool const has_answered : {false, true}) {
        for (std::string const fault :
             {"status=401", "status=403", "status=404", "status=429", "status=500", "html", "dumb"}) {
            Lookout lookout;
            server.faults("");
            if (has_answered) CHECK(town.look(lookout, server, {.branch = "main"}, known) == "unchanged");
            server.faults(fault);
            INFO(fault << ", has answered before: " << has_answered);
            town.options.known_revision = known;
            auto const expected = checkout({.url = server.url_of("shop.git")}, {.branch = "main"}, town.options);
            REQUIRE_FALSE(expected);

            CHECK(town.look(lookout, server, {.branch = "main"}, known) ==
                  std::string{to_string(expected.error().code)} + " " + expected.error().message);
        }
    }
}

TEST_CASE("git lookout: half answers, and answers that are damaged or never end, unsettle nobody", "[git][lookout]") {
    Town town;
    auto const head = town.repo.write("a", "1").commit();
    auto const known = "main@sha1:" + head;
    GitServer server{town.repos()};
    for (bool const has_answered : {false, true}) {
        auto const look_with = [&](std::string const& fault) {
            Lookout lookout;
            server.faults("");
            if (has_answered) CHECK(town.look(lookout, server, {.branch = "main"}, known) == "unchanged");
            server.faults(fault);
            return town.look(lookout, server, {.branch = "main"}, known);
        };
        CHECK(look_with("refs:damage") == "unknown");
        CHECK(look_with("refs:endless") == "unknown");
        CHECK(look_with("refs:cut").starts_with("offline unable to list remote for"));
        town.options.bounds.whole_max = std::chrono::milliseconds{2'000};
        CHECK(look_with("refs:stall").starts_with("timeout unable to list remote for"));
        town.options.bounds.whole_max = std::chrono::seconds{20};
    }
}

}  // namespace holdfast::git
