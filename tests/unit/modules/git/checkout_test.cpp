// tests/unit/modules/git/checkout_test.cpp: what a Reference means, and the files of its commit, against real git.
#include "modules/git/git.hpp"

#include "tests/support/git_server.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <map>
#include <thread>

namespace holdfast::git {

using test::GitRepo;
using test::GitServer;
using test::TempDir;

struct Place {
    TempDir dir;
    Options options;

    Place() {
        std::filesystem::create_directory(dir / "scratch");
        std::filesystem::create_directory(dir / "repos");
        options.scratch = dir / "scratch";
        options.reach = http::Reach::of_operator();
        options.bounds.whole_max = std::chrono::seconds{20};
    }
    std::filesystem::path repos() const { return dir / "repos"; }
    bool scratch_is_empty() const { return std::filesystem::is_empty(dir / "scratch"); }
};

Checkout ok(Result<Checkout> done) {
    if (!done) FAIL(done.error().message);
    return std::move(*done);
}

std::map<std::string, FileKind> kinds(Snapshot const& snapshot) {
    std::map<std::string, FileKind> found;
    for (auto const& file : snapshot.files()) found.emplace(file.path, file.kind);
    return found;
}

std::string content(Snapshot& snapshot, std::string_view path) {
    for (std::size_t i = 0; i < snapshot.files().size(); ++i) {
        if (snapshot.files()[i].path == path) return snapshot.read(i).value();
    }
    return "(no such file)";
}

TEST_CASE("git: a branch gives its newest commit with two requests and no history", "[git]") {
    Place place;
    GitRepo repo{place.repos()};
    for (int i = 0; i < 5; ++i)
        repo.write("app.yaml", "version: " + std::to_string(i) + "\n").commit("change " + std::to_string(i));
    auto const head = repo.head();
    GitServer server{place.repos()};

    auto done = ok(checkout({.url = server.url_of("shop.git")}, {.branch = "main"}, place.options));

    CHECK(done.revision == "main@sha1:" + head);
    CHECK(done.commit == head);
    REQUIRE(done.snapshot);
    CHECK(content(*done.snapshot, "app.yaml") == "version: 4\n");
    CHECK(done.snapshot->message() == "change 4\n");
    CHECK(server.requests() == "GET refs, POST pack");  // as git itself asks, for which all servers are made
    CHECK_FALSE(place.scratch_is_empty());
    done.snapshot.reset();
    CHECK(place.scratch_is_empty());
}

TEST_CASE("git: where a shallow history ends may be said in lines, and in any pieces", "[git]") {
    Place place;
    GitRepo repo{place.repos()};
    repo.write("a", "1").commit();
    auto const head = repo.write("a", "2").commit();
    GitServer server{place.repos()};
    for (std::string const faults : {"pack:lines", "slow=0", "pack:lines\npack:slow=0"}) {
        INFO(faults);
        server.faults(faults);
        auto done = ok(checkout({.url = server.url_of("shop.git")}, {.branch = "main"}, place.options));
        CHECK(done.revision == "main@sha1:" + head);
        CHECK(content(*done.snapshot, "a") == "2");
    }
}

TEST_CASE("git: any name means what it means to git fetch", "[git]") {
    Place place;
    GitRepo repo{place.repos()};
    auto const first = repo.write("a", "1").commit();
    repo.git("branch both && git -C " + repo.work().string() + " push -q origin both");
    auto const second = repo.write("a", "2").commit();
    repo.git("tag both && git -C " + repo.work().string() + " push -q origin refs/tags/both");
    GitServer server{place.repos()};
    auto const commit_of = [&](std::string const& name, Remote const& remote) {
        auto done = checkout(remote, {.any = name}, place.options);
        return done ? done->revision : done.error().message;
    };

    for (Remote const& remote :
         {Remote{.url = server.url_of("shop.git")}, Remote{.url = "file://" + repo.bare().string(), .local = true}}) {
        INFO(remote.url);
        CHECK(commit_of("HEAD", remote) == "HEAD@sha1:" + second);
        CHECK(commit_of("main", remote) == "main@sha1:" + second);
        CHECK(commit_of("both", remote) == "both@sha1:" + second);  // the tag goes first
        CHECK(commit_of("heads/both", remote) == "heads/both@sha1:" + first);
        CHECK(commit_of("refs/heads/both", remote) == "refs/heads/both@sha1:" + first);
        CHECK(commit_of("none", remote).ends_with("couldn't find remote ref none"));
    }
}

TEST_CASE("git: a repository of this machine is read only for who may read it", "[git]") {
    Place place;
    GitRepo repo{place.repos()};
    auto const first = repo.write("a", "1").commit();
    std::filesystem::create_symlink("a", repo.work() / "link");
    auto const second = repo.commit();
    auto const url = "file://" + repo.bare().string();

    auto const refused = checkout({.url = url}, {.branch = "main"}, place.options);
    auto done = ok(checkout({.url = url, .local = true}, {.branch = "main"}, place.options));
    auto earlier = ok(checkout({.url = url, .local = true}, {.commit = first}, place.options));

    CHECK(refused.error().code == Errc::invalid_input);
    CHECK(done.revision == "main@sha1:" + second);
    CHECK(content(*done.snapshot, "a") == "1");
    CHECK(content(*done.snapshot, "link") == "a");
    CHECK(earlier.snapshot->files().size() == 1);
    done.snapshot.reset();
    earlier.snapshot.reset();
    CHECK(place.scratch_is_empty());
}

TEST_CASE("git: the revision that is held costs one request and nothing of the disk", "[git]") {
    Place place;
    GitRepo repo{place.repos()};
    auto const head = repo.write("a", "1").commit();
    GitServer server{place.repos()};
    place.options.known_revision = "main@sha1:" + head;
    place.options.scratch = place.dir / "not-there";

    auto done = ok(checkout({.url = server.url_of("shop.git")}, {.branch = "main"}, place.options));

    CHECK(done.revision == place.options.known_revision);
    CHECK_FALSE(done.snapshot);
    CHECK(server.requests() == "GET refs");
    CHECK(place.scratch_is_empty());
}

TEST_CASE("git: a commit that is held costs no request", "[git]") {
    Place place;
    std::string const commit(40, 'a');
    place.options.known_revision = "sha1:" + commit;

    auto done = ok(checkout({.url = "http://127.0.0.1:1/shop.git"}, {.commit = commit}, place.options));

    CHECK(done.revision == place.options.known_revision);
    CHECK_FALSE(done.snapshot);
}

TEST_CASE("git: each kind of reference gives Flux's revision", "[git]") {
    Place place;
    GitRepo repo{place.repos()};
    auto const first = repo.write("a", "1").commit();
    repo.git("tag light");
    repo.git("tag -a -m annotated v1.0.0");
    repo.git("push -q origin --tags");
    auto const second = repo.write("a", "2").commit();
    auto const third = repo.write("a", "3").commit();
    repo.git("push -q origin HEAD:refs/pull/7/head");
    GitServer server{place.repos()};
    auto const revision = [&](Reference const& reference) {
        auto done = ok(checkout({.url = server.url_of("shop.git")}, reference, place.options));
        CHECK(done.snapshot);
        return done.revision + "=" + content(*done.snapshot, "a");
    };

    CHECK(revision({.branch = "main"}) == "main@sha1:" + third + "=3");
    CHECK(revision({.tag = "light"}) == "light@sha1:" + first + "=1");
    CHECK(revision({.tag = "v1.0.0"}) == "v1.0.0@sha1:" + first + "=1");
    CHECK(revision({.name = "refs/pull/7/head"}) == "refs/pull/7/head@sha1:" + third + "=3");
    CHECK(revision({.name = "refs/tags/v1.0.0"}) == "refs/tags/v1.0.0@sha1:" + first + "=1");
    CHECK(revision({.commit = second}) == "sha1:" + second + "=2");
    CHECK(revision({.branch = "main", .commit = second}) == "main@sha1:" + second + "=2");
    CHECK(revision({.branch = "main", .tag = "light"}) == "light@sha1:" + first + "=1");
    CHECK(revision({.branch = "main", .tag = "light", .name = "refs/heads/main"}) ==
          "refs/heads/main@sha1:" + third + "=3");
}

TEST_CASE("git: semver asks the picker, with the names of the tags", "[git]") {
    Place place;
    GitRepo repo{place.repos()};
    auto const head = repo.write("a", "1").commit();
    repo.git("tag 1.2.3 && git -C " + repo.work().string() + " push -q origin --tags");
    GitServer server{place.repos()};
    auto const remote = Remote{.url = server.url_of("shop.git")};

    auto const without = checkout(remote, {.semver = "1.x"}, place.options);
    place.options.pick_tag = [](std::string const& constraint,
                                std::vector<std::string_view> const& tags) -> Result<std::optional<std::string>> {
        return constraint == "1.x" ? std::optional{std::string{tags.at(0)}} : std::nullopt;
    };

    CHECK(without.error().code == Errc::invalid_input);
    CHECK(ok(checkout(remote, {.semver = "1.x"}, place.options)).revision == "1.2.3@sha1:" + head);
    CHECK(checkout(remote, {.semver = "2.x"}, place.options).error().message == "no match found for semver: 2.x");
    place.options.pick_tag = [](std::string const&,
                                std::vector<std::string_view> const&) -> Result<std::optional<std::string>> {
        return fail(Errc::invalid_input, "semver parse error: improper constraint: 1.x");
    };
    CHECK(checkout(remote, {.semver = "1.x"}, place.options).error().message ==
          "semver parse error: improper constraint: 1.x");
}

TEST_CASE("git: modes, links and submodules are told apart", "[git]") {
    Place place;
    GitRepo repo{place.repos()};
    repo.write("run.sh", "#!/bin/sh\n").write("apps/web/a.yaml", "a").write("empty", "");
    std::filesystem::permissions(repo.work() / "run.sh", std::filesystem::perms::owner_all);
    std::filesystem::create_symlink("/etc/passwd", repo.work() / "link");
    auto const head = repo.commit();
    repo.git("update-index --add --cacheinfo 160000," + head + ",module");
    repo.git("-c commit.gpgsign=false commit -q -m module && git -C " + repo.work().string() + " push -q origin HEAD");
    GitServer server{place.repos()};

    auto done = ok(checkout({.url = server.url_of("shop.git")}, {.branch = "main"}, place.options));

    auto const found = kinds(*done.snapshot);
    CHECK(found.at("run.sh") == FileKind::executable);
    CHECK(found.at("link") == FileKind::link);
    CHECK(found.at("module") == FileKind::submodule);
    CHECK(found.at("apps") == FileKind::directory);
    CHECK(found.at("apps/web/a.yaml") == FileKind::file);
    CHECK(content(*done.snapshot, "empty").empty());
    CHECK(found.size() == 7);
}

TEST_CASE("git: a commit that no reference names is found in the history when the server gives no single commits",
          "[git]") {
    Place place;
    GitRepo repo{place.repos()};
    auto const first = repo.write("a", "1").commit();
    repo.write("a", "2").commit();
    GitServer server{place.repos(), {"--no-single-commits"}};

    auto done = ok(checkout({.url = server.url_of("shop.git")}, {.branch = "main", .commit = first}, place.options));
    auto const unknown = checkout({.url = server.url_of("shop.git")}, {.commit = std::string(40, 'a')}, place.options);

    CHECK(content(*done.snapshot, "a") == "1");
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().code == Errc::not_found);
}

TEST_CASE("git: what does not exist is not_found, in Flux's words", "[git]") {
    Place place;
    GitRepo repo{place.repos()};
    repo.write("a", "1").commit();
    GitRepo empty{place.repos(), "empty"};
    GitServer server{place.repos()};
    auto const url = server.url_of("shop.git");
    auto const error = [&](std::string const& at, Reference const& reference) {
        auto done = checkout({.url = at}, reference, place.options);
        REQUIRE_FALSE(done);
        CHECK(done.error().code == Errc::not_found);
        return done.error().message;
    };

    CHECK(error(url, {.branch = "nope"}) ==
          "unable to clone '" + url + "': couldn't find remote ref \"refs/heads/nope\"");
    CHECK(error(url, {}) == "unable to clone '" + url + "': couldn't find remote ref \"refs/heads/master\"");
    CHECK(error(url, {.tag = "v9"}) == "unable to clone '" + url + "': couldn't find remote ref \"refs/tags/v9\"");
    CHECK(error(url, {.name = "refs/x/y"}) == "unable to resolve ref 'refs/x/y' to a specific commit");
    CHECK(error(url, {.commit = std::string(40, 'a')}) ==
          "unable to resolve commit object for '" + std::string(40, 'a') + "': object not found");
    CHECK(error(server.url_of("none.git"), {.name = "refs/x/y"}) ==
          "unable to list remote for '" + server.url_of("none.git") + "': repository not found: Repository not found.");
    CHECK(error(server.url_of("none.git"), {}) ==
          "unable to clone '" + server.url_of("none.git") + "': repository not found: Repository not found.");
    CHECK(error(server.url_of("empty.git"), {}) == "git repository is empty");
    CHECK(reason_of({Errc::not_found, "git repository is empty"}) == "EmptyGitRepository");
    CHECK(place.scratch_is_empty());
}

TEST_CASE("git: fetches run side by side", "[git]") {
    Place place;
    GitRepo one{place.repos(), "one"};
    GitRepo two{place.repos(), "two"};
    one.write("a", "1").commit();
    two.write("a", "2").commit();
    GitServer server{place.repos()};
    std::array<std::string, 6> got;
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < got.size(); ++i) {
            threads.emplace_back([&, i] {
                auto done = checkout({.url = server.url_of(i % 2 == 0 ? "one.git" : "two.git")}, {.branch = "main"},
                                     place.options);
                got[i] = done ? content(*done->snapshot, "a") : done.error().message;
            });
        }
    }

    for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == (i % 2 == 0 ? "1" : "2"));
    CHECK(place.scratch_is_empty());
}

TEST_CASE("git: clean_scratch removes what a crash left, and nothing else", "[git]") {
    Place place;
    std::filesystem::create_directories(place.options.scratch / "git-abcdef/objects");
    std::filesystem::create_directory(place.options.scratch / "other");

    clean_scratch(place.options.scratch);

    CHECK_FALSE(std::filesystem::exists(place.options.scratch / "git-abcdef"));
    CHECK(std::filesystem::exists(place.options.scratch / "other"));
}

}  // namespace holdfast::git
