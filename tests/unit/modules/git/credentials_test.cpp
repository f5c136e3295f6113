// tests/unit/modules/git/credentials_test.cpp: who we are and whom we trust, over http and https.
#include "modules/git/git.hpp"

#include "tests/support/git_server.hpp"

#include <catch2/catch.hpp>

namespace holdfast::git {

using test::GitRepo;
using test::GitServer;
using test::TempDir;

std::string read_file(std::filesystem::path const& path) {
    std::ifstream file{path, std::ios::binary};
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

struct Private {
    TempDir dir;
    Options options;
    GitRepo repo;

    Private() : repo{make(dir)} {
        options.scratch = dir / "scratch";
        options.reach = http::Reach::of_operator();
        options.bounds.whole_max = std::chrono::seconds{20};
        repo.write("a", "1").commit();
    }
    static std::filesystem::path make(TempDir const& dir) {
        std::filesystem::create_directory(dir / "scratch");
        std::filesystem::create_directory(dir / "repos");
        return dir / "repos";
    }
    std::string tls() const { return (dir / "tls").string(); }
    std::string pem(std::string const& name) const { return read_file(dir.path() / "tls" / name); }

    std::string outcome(std::string const& url, Credentials const& credentials) {
        auto done = checkout({.url = url, .credentials = credentials}, {.branch = "main"}, options);
        return done ? "ok" : std::string{to_string(done.error().code)} + " " + done.error().message;
    }
};

TEST_CASE("git: basic auth and bearer token", "[git]") {
    Private git;
    GitServer basic{git.dir / "repos", {"--user", "user", "--password", "p@ss: w\xc3\xb6rd"}};
    GitServer bearer{git.dir / "repos", {"--token", "t0ken"}};

    CHECK(git.outcome(basic.url_of("shop.git"), {.username = "user", .password = "p@ss: w\xc3\xb6rd"}) == "ok");
    CHECK(git.outcome(basic.url_of("shop.git"), {.username = "user", .password = "p@ss"}).starts_with("denied"));
    CHECK(git.outcome(basic.url_of("shop.git"), {}).starts_with("denied"));
    CHECK(git.outcome(bearer.url_of("shop.git"), {.bearer_token = "t0ken"}) == "ok");
    CHECK(git.outcome(bearer.url_of("shop.git"), {.bearer_token = "wrong"})
              .ends_with("authentication required: no or wrong credentials"));
}

TEST_CASE("git: user and password in the URL work, and never show in a message", "[git]") {
    Private git;
    GitServer server{git.dir / "repos", {"--user", "user", "--password", "s3cret"}};
    auto const host = server.url().substr(7);

    CHECK(git.outcome("http://user:s3cret@" + host + "/shop.git", {}) == "ok");
    auto const wrong = git.outcome("http://user:wrongone@" + host + "/shop.git", {});
    CHECK(wrong.starts_with("denied"));
    CHECK_FALSE(wrong.contains("wrongone"));
    CHECK(wrong.contains("'http://" + host + "/shop.git'"));
}

TEST_CASE("git: https with the given CA; without it the server is not trusted", "[git]") {
    Private git;
    GitServer server{git.dir / "repos", {"--tls", git.tls()}};
    auto const url = server.url_of("shop.git");
    auto const port = server.url().substr(server.url().rfind(':'));

    CHECK(git.outcome(url, {.ca_pem = git.pem("ca.crt")}) == "ok");
    CHECK(git.outcome("https://localhost" + port + "/shop.git", {.ca_pem = git.pem("ca.crt")}) == "ok");
    CHECK(git.outcome(url, {}).starts_with("denied"));
}

TEST_CASE("git: a client certificate is shown when the server asks", "[git]") {
    Private git;
    GitServer server{git.dir / "repos", {"--tls", git.tls(), "--client-cert"}};
    auto const url = server.url_of("shop.git");
    Credentials credentials{.ca_pem = git.pem("ca.crt")};

    CHECK(git.outcome(url, credentials) != "ok");
    credentials.certificate_pem = git.pem("client.crt");
    credentials.key_pem = git.pem("client.key");
    CHECK(git.outcome(url, credentials) == "ok");
}

TEST_CASE("git: credentials that cannot work are found without a request", "[git]") {
    auto const message = [](Remote const& remote) {
        auto const checked = check_credentials(remote);
        return checked ? "ok" : checked.error().message;
    };

    CHECK(message({.url = "http://h/r"}) == "ok");
    CHECK(message({.url = "https://h/r", .credentials = {.password = "p"}}) ==
          "invalid 'https' auth option: 'password' requires 'username' to be set");
    CHECK(message({.url = "http://h/r", .credentials = {.username = "u", .bearer_token = "t"}}) ==
          "basic auth and bearer token cannot be set at the same time");
    CHECK(message({.url = "https://h/r", .credentials = {.certificate_pem = "c"}}) ==
          "tls.crt and tls.key belong together; only one is set");
    CHECK(message({.url = "https://h/r", .credentials = {.ca_pem = "not pem"}}) != "ok");
    CHECK(message({.url = "ssh://git@h/r"}) != "ok");
    CHECK(message({.url = "file:///etc"}) != "ok");
    CHECK(message({.url = "http://h/r", .proxy_url = "ftp://x"}) == "ok");  // only looked at when it is used
}

}  // namespace holdfast::git
