// tests/unit/daemon/fetch_test.cpp: a commit by way of a worker, and workers that are not what they should be.
// Goal: what a worker fetches is what fetch_commit() fetches here, and whatever a worker that was taken over says, one fetch
// fails and nothing else happens.
// Method: the real work of the daemon's zygote against real git; beside it a work that lies, chosen by the host of the URL.
#include "daemon/fetch.hpp"
#include "daemon/fetch_request.hpp"
#include "daemon/worker_jobs.hpp"

#include "modules/base/json_text.hpp"
#include "modules/base/sanitized.hpp"
#include "modules/sandbox/outside.hpp"

#include "tests/support/git_server.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <fstream>
#include <sstream>
#include <sys/socket.h>

namespace holdfast::daemon {

using source::Commit;
using source::CommitMiss;
using source::CommitWish;
using test::GitRepo;
using test::GitServer;
using test::TempDir;

namespace {

std::string const kId(40, 'a');

std::string answer(std::string const& revision, std::string const& id, bool news) {
    return describe(std::expected<Commit, CommitMiss>{
        Commit{.revision = revision, .id = id, .headline = "one", .digest = "sha256:00", .is_news = news}});
}

/// A worker that a server has taken over, each in its own way.
Result<std::string> lie(int, std::string_view request) {
    auto const parsed = parse_json(request).value();
    auto const wish = read_wish(parsed.as_object()).value();
    auto const url = wish.remote.url;
    auto const way = url.substr(url.rfind('/') + 1);
    if (way == "crash") ::raise(SIGSEGV);
    if (way == "kill") ::raise(SIGKILL);
    if (way == "hang") {
        for (;;) ::getpid();
    }
    if (way == "oversized") {
        while (sandbox::outside::give(std::string(64u << 10, 'x'))) {}
        return "";
    }
    if (way == "memory") {
        std::vector<std::string> all;
        for (;;) all.emplace_back(1u << 20, 'x');
    }
    if (way == "asks-without-end") {
        while (sandbox::outside::connect("127.0.0.1", 1).error().message != "nobody waits for this job any more") {}
    }
    if (way == "other-host") {
        auto const got = sandbox::outside::connect("127.0.0.1", wish.reference.branch == "main" ? 1 : 2);
        return fail(Errc::busy, got ? "connected" : got.error().message);
    }
    if (way == "other-file") {
        auto const got = sandbox::outside::open("/etc/passwd");
        return fail(Errc::busy, got ? "opened" : got.error().message);
    }
    if (way == "no-json") return "{";
    if (way == "wrong-branch") return answer("other@sha1:" + kId, kId, true);
    if (way == "wrong-commit") return answer("main@sha1:" + kId, "../../x", true);
    if (way == "nothing-new") return answer("main@sha1:" + kId, kId, false);
    if (way == "wrong-digest") {
        CHECK(sandbox::outside::give("bytes"));
        return answer("main@sha1:" + kId, kId, true);
    }
    if (way == "control") {
        CommitMiss const miss{.error = {static_cast<Errc>(99), "a\x1b[31m\nb"}};
        return describe(std::expected<Commit, CommitMiss>{std::unexpected{miss}});
    }
    return run_worker_job(4, request);
}

struct Place {
    TempDir dir;
    sandbox::Zygote zygote;
    FetchWorkers workers{zygote};
    source::CommitPlace place;

    explicit Place(sandbox::Work work = run_worker_job) : zygote{start(work)} {
        std::filesystem::create_directory(dir / "repos");
        std::filesystem::create_directory(dir / "scratch");
        place = {.scratch = dir / "scratch", .reach = http::Reach::of_operator()};
    }
    static sandbox::Zygote start(sandbox::Work work) {
        git::prepare();
        auto limits = fetch_limits(64u << 20);
        auto zygote = sandbox::Zygote::start(
            {{.work = run_worker_job, .limits = {}}, {.work = work, .limits = limits, .role = sandbox::Role::fetch}});
        REQUIRE(zygote);
        return std::move(*zygote);
    }
    std::filesystem::path repos() const { return dir / "repos"; }
    bool scratch_is_empty() const { return std::filesystem::is_empty(dir / "scratch"); }

    struct Done {
        std::expected<Commit, CommitMiss> commit;
        std::string bytes;
    };
    Done fetch(CommitWish const& wish) {
        Done done;
        auto const sink = [&](std::string_view piece) -> Result<void> {
            done.bytes += piece;
            return {};
        };
        done.commit = workers.fetch(wish, place, sink);
        return done;
    }
    Done fetch_here(CommitWish const& wish) {
        Done done;
        auto const sink = [&](std::string_view piece) -> Result<void> {
            done.bytes += piece;
            return {};
        };
        done.commit = source::fetch_commit(wish, place, sink);
        return done;
    }
    std::string error_of(CommitWish const& wish) {
        auto const done = fetch(wish);
        if (done.commit) return "none";
        return std::string{to_string(done.commit.error().error.code)} + " " + done.commit.error().error.message;
    }
    /// What comes of a worker that behaves so.
    std::string error_of(std::string const& way, std::chrono::milliseconds timeout = std::chrono::seconds{60}) {
        return error_of({.remote = {.url = "http://git.example/" + way},
                         .reference = {.branch = "main"},
                         .timeout = timeout,
                         .bytes_max = 1u << 20});
    }
};

std::string read_file(std::filesystem::path const& path) {
    std::ostringstream text;
    text << std::ifstream{path, std::ios::binary}.rdbuf();
    return text.str();
}

}  // namespace

TEST_CASE("fetch: a worker brings what this process would have brought", "[daemon][fetch]") {
    Place place;
    GitRepo repo{place.repos()};
    repo.write("a/b.yaml", "a: 1\n").write("c.jpg", "x").write("big", std::string(300'000, 'b'));
    auto const head = repo.commit("say why");
    repo.git("tag -a v1.2.3 -m v1.2.3");
    repo.git("push -q origin --tags");
    GitServer server{place.repos()};
    CommitWish wish{.remote = {.url = server.url_of("shop.git")}};

    for (git::Reference const& reference :
         {git::Reference{.branch = "main"}, git::Reference{.tag = "v1.2.3"}, git::Reference{.semver = "1.x"},
          git::Reference{.name = "HEAD"}, git::Reference{.commit = head}, git::Reference{.any = "main"}}) {
        for (auto const form : {CommitWish::Form::artifact, CommitWish::Form::tree}) {
            wish.reference = reference;
            wish.form = form;
            auto const here = place.fetch_here(wish);
            auto const there = place.fetch(wish);

            INFO((there.commit ? there.commit->revision : there.commit.error().error.message));
            REQUIRE(here.commit);
            REQUIRE(there.commit);
            CHECK(there.commit->revision == here.commit->revision);
            CHECK(there.commit->id == head);
            CHECK(there.commit->headline == "say why");
            CHECK(there.commit->digest == here.commit->digest);
            CHECK(there.commit->is_news);
            CHECK(there.bytes == here.bytes);
        }
    }
    CHECK(place.scratch_is_empty());
}

TEST_CASE("fetch: what is not new costs a worker only when there is no other way to know", "[daemon][fetch]") {
    Place place;
    GitRepo repo{place.repos()};
    auto const head = repo.write("a", "1").commit();
    repo.git("tag 1.0.0");
    repo.git("push -q origin --tags");
    GitServer v2{place.repos()};
    GitServer v0{place.repos(), {"--no-v2"}};
    CommitWish wish{.reference = {.branch = "main"}, .known = "main@sha1:" + head};

    for (auto const* server : {&v2, &v0}) {
        wish.remote.url = server->url_of("shop.git");
        auto const done = place.fetch(wish);
        REQUIRE(done.commit);
        CHECK_FALSE(done.commit->is_news);
        CHECK(done.commit->revision == wish.known);
        CHECK(done.bytes.empty());
    }
    CHECK(v2.requests() == "GET refs, POST refs");
    CHECK(v0.requests() == "GET refs, GET refs");
    wish.reference = {.semver = "1.x"};
    wish.known = "1.0.0@sha1:" + head;
    auto const done = place.fetch(wish);
    REQUIRE(done.commit);
    CHECK_FALSE(done.commit->is_news);
}

TEST_CASE("fetch: credentials, certificates and redirects work as here", "[daemon][fetch]") {
    Place place;
    GitRepo repo{place.repos()};
    repo.write("a", "1").commit();
    GitServer server{
        place.repos(),
        {"--user", "user", "--password", "s3cret", "--tls", (place.dir / "tls").string(), "--client-cert"}};
    auto const pem = [&](char const* name) { return read_file(place.dir / "tls" / name); };
    CommitWish wish{.remote = {.url = "https://127.0.0.1" + server.url().substr(server.url().rfind(':')) + "/shop.git"},
                    .reference = {.branch = "main"}};
    wish.remote.credentials = {.username = "user",
                               .password = "s3cret",
                               .ca_pem = pem("ca.crt"),
                               .certificate_pem = pem("client.crt"),
                               .key_pem = pem("client.key")};

    auto const good = place.fetch(wish);
    INFO((good.commit ? "" : good.commit.error().error.message));
    CHECK(good.commit);
    for (auto const damage : {&git::Credentials::password, &git::Credentials::ca_pem, &git::Credentials::key_pem}) {
        auto bad = wish;
        bad.remote.credentials.*damage = damage == &git::Credentials::password ? "wrong" : "";
        if (damage == &git::Credentials::key_pem) bad.remote.credentials.certificate_pem = "";
        auto const here = place.fetch_here(bad);
        auto const there = place.fetch(bad);
        REQUIRE_FALSE(here.commit);
        REQUIRE_FALSE(there.commit);
        CHECK(there.commit.error().error.code == here.commit.error().error.code);
        // Whether a missing certificate is heard of while sending or while receiving is chance.
        if (damage != &git::Credentials::key_pem)
            CHECK(there.commit.error().error.message == here.commit.error().error.message);
    }

    GitServer plain{place.repos()};
    GitServer first{place.repos()};
    first.faults("refs:redirect=" + plain.url());
    CHECK(place.fetch({.remote = {.url = first.url_of("shop.git")}, .reference = {.branch = "main"}}).commit);
    CHECK(plain.requests() == "GET refs, POST pack");
}

TEST_CASE("fetch: what goes wrong is said in the words of here", "[daemon][fetch]") {
    Place place;
    GitRepo repo{place.repos()};
    auto const head = repo.write("a", "1").write("module", "x").commit();
    GitServer server{place.repos()};
    CommitWish wish{.remote = {.url = server.url_of("shop.git")}, .reference = {.branch = "main"}};
    auto const compare = [&](CommitWish const& asked) {
        auto const here = place.fetch_here(asked);
        auto const there = place.fetch(asked);
        REQUIRE_FALSE(here.commit);
        REQUIRE_FALSE(there.commit);
        CHECK(there.commit.error().error.code == here.commit.error().error.code);
        CHECK(there.commit.error().error.message == here.commit.error().error.message);
        CHECK(there.commit.error().of_storage == here.commit.error().of_storage);
    };
    for (std::string const fault : {"status=401", "status=404", "status=503", "html", "dumb", "pack:cut", "refs:cut"}) {
        INFO(fault);
        server.faults(fault);
        compare(wish);
    }
    server.faults("");
    compare({.remote = wish.remote, .reference = {.branch = "gone"}});
    compare({.remote = wish.remote, .reference = {.semver = "nonsense"}});
    compare({.remote = {.url = "http://127.0.0.1:1/shop.git"}, .reference = {.branch = "main"}});
    compare({.remote = wish.remote, .reference = {.branch = "main"}, .ignore = std::string(5'000, 'x')});
    compare({.remote = wish.remote, .reference = {.branch = "main"}, .form = CommitWish::Form::tree, .bytes_max = 1});
    server.faults("pack:stall");
    wish.timeout = std::chrono::milliseconds{500};
    compare(wish);
    CHECK(place.scratch_is_empty());
}

TEST_CASE("fetch: nobody is talked to whom the wish may not reach, first or by redirect", "[daemon][fetch]") {
    Place place;
    GitRepo repo{place.repos()};
    repo.write("a", "1").commit();
    GitServer server{place.repos()};
    CommitWish const wish{.remote = {.url = server.url_of("shop.git")}, .reference = {.branch = "main"}};
    place.place.reach = http::Reach::of_source({});

    CHECK(place.error_of(wish).starts_with("denied "));
    CHECK(server.requests() == "");
}

TEST_CASE("fetch: a worker that was taken over gets nowhere", "[daemon][fetch][req:R-22]") {
    Place place{lie};
    place.place.reach = http::Reach::of_source({});

    CHECK(place.error_of("crash") == "invalid_input the fetch process crashed (Segmentation fault)");
    CHECK(place.error_of("kill").starts_with("busy "));
    if (!kSanitized) CHECK(place.error_of("memory").starts_with("limit "));  // its shadow needs terabytes
    CHECK(place.error_of("oversized") == "limit more than 1048576 bytes");
    CHECK(place.error_of("asks-without-end") == "limit the job asks for more than 32 descriptors");
    CHECK(place.error_of("other-host").starts_with("busy 127.0.0.1"));
    CHECK(place.error_of("other-host").contains("loopback address"));
    CHECK(place.error_of("other-file") == "busy a worker opens nothing but the certificates");
    CHECK(place.error_of("no-json") == "corrupt the fetch worker's answer: no object");
    CHECK(place.error_of("wrong-branch") == "corrupt the fetch worker's answer: no revision that was asked for");
    CHECK(place.error_of("wrong-commit") == "corrupt the fetch worker's answer: no revision that was asked for");
    CHECK(place.error_of("nothing-new") ==
          "corrupt the fetch worker's answer: nothing new, of something that is not held");
    CHECK(place.error_of("control") == "invalid_input a [31m b");
    CHECK(place.scratch_is_empty());
}

TEST_CASE("fetch: a worker that hangs ends with its fetch, or with the daemon", "[daemon][fetch]") {
    Place place{lie};
    std::stop_source stop;
    place.place.stop = stop.get_token();
    stop.request_stop();

    CHECK(place.error_of("hang") == "timeout context canceled");
    CHECK(place.scratch_is_empty());
}

TEST_CASE("fetch: answers are read as a stranger's", "[daemon][fetch]") {
    auto const says = [](git::Reference const& reference, std::string const& revision, std::string const& known = "") {
        CommitWish const wish{.reference = reference, .known = known};
        return read_answer(answer(revision, kId, known.empty()), wish).has_value();
    };
    CHECK(says({}, "master@sha1:" + kId));
    CHECK(says({.branch = "a"}, "a@sha1:" + kId));
    CHECK_FALSE(says({.branch = "a"}, "b@sha1:" + kId));
    CHECK_FALSE(says({.branch = "a"}, "a@sha1:" + std::string(40, 'b')));
    CHECK(says({.tag = "v1"}, "v1@sha1:" + kId));
    CHECK(says({.name = "refs/pull/1/head"}, "refs/pull/1/head@sha1:" + kId));
    CHECK(says({.any = "HEAD"}, "HEAD@sha1:" + kId));
    CHECK(says({.commit = kId}, "sha1:" + kId));
    CHECK(says({.branch = "a", .commit = kId}, "a@sha1:" + kId));
    CHECK_FALSE(says({.commit = std::string(40, 'b')}, "sha1:" + kId));
    CHECK(says({.semver = "1.x"}, "v1.2.3@sha1:" + kId));
    CHECK_FALSE(says({.semver = "1.x"}, "v1\n2@sha1:" + kId));
    CHECK_FALSE(says({.semver = "1.x"}, "@sha1:" + kId));
    CHECK_FALSE(says({.semver = "1.x"}, std::string(2'000, 'v') + "@sha1:" + kId));
    CHECK(says({.branch = "a"}, "a@sha1:" + kId, "a@sha1:" + kId));
    CHECK_FALSE(says({.branch = "a"}, "a@sha1:" + kId, "a@sha1:" + std::string(40, 'b')));
}

}  // namespace holdfast::daemon
