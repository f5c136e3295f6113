// tests/unit/modules/git/hostile_test.cpp: servers that refuse, lie, stall or never stop.
// Goal: each ends in the right reaction, in bounded time, and leaves no file behind.
// Method: tests/support/git_http.py with one fault after the other.
#include "modules/git/git.hpp"
#include "modules/git/library.hpp"

#include "tests/support/git_server.hpp"

#include <catch2/catch.hpp>

#include <git2/sys/errors.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include <random>
#include <thread>

namespace holdfast::git {

using test::GitRepo;
using test::GitServer;
using test::TempDir;
using namespace std::chrono_literals;

struct Hostile {
    TempDir dir;
    Options options;
    GitRepo repo;
    GitServer server;

    explicit Hostile(std::vector<std::string> const& arguments = {})
        : repo{make(dir)}, server{dir / "repos", arguments} {
        options.scratch = dir / "scratch";
        options.bounds.whole_max = 10s;
        options.reach = http::Reach::of_operator();
        repo.write("a.yaml", std::string(5'000, 'a')).commit();
    }

    static std::filesystem::path make(TempDir const& dir) {
        std::filesystem::create_directory(dir / "scratch");
        std::filesystem::create_directory(dir / "repos");
        return dir / "repos";
    }

    Remote remote() const { return {.url = server.url_of("shop.git")}; }

    Error error(Remote const& at) {
        auto done = checkout(at, {.branch = "main"}, options);
        CHECK(std::filesystem::is_empty(options.scratch));
        if (done) return {Errc::busy, "it worked"};
        auto const prefix = "unable to clone '" + at.url + "': ";
        CHECK(done.error().message.starts_with(prefix));
        return {done.error().code, done.error().message.substr(std::min(prefix.size(), done.error().message.size()))};
    }
    Error error_with(std::string const& faults) {
        server.faults(faults);
        return error(remote());
    }
};

void check(Error const& error, Errc code, std::string_view text) {
    INFO(error.message);
    CHECK(to_string(error.code) == to_string(code));
    CHECK(error.message.contains(text));
}

TEST_CASE("git: each refusal has its reaction and Flux's words", "[git][fault]") {
    Hostile git;

    check(git.error_with("status=401"), Errc::denied, "authentication required: told to answer 401");
    check(git.error_with("status=403"), Errc::denied, "authorization failed: told to answer 403");
    check(git.error_with("status=404"), Errc::not_found, "repository not found: told to answer 404");
    check(git.error_with("status=429"), Errc::busy, "status code: 429");
    check(git.error_with("status=500"), Errc::busy, "info/refs\" status code: 500");
    check(git.error_with("status=418"), Errc::invalid_input, "status code: 418");
    check(git.error_with("pack:status=403"), Errc::denied, "authorization failed");
    check(git.error_with("pack:status=503"), Errc::busy, "git-upload-pack\" status code: 503");
}

TEST_CASE("git: the library's doubts about itself are told in words of ours", "[git][fault]") {
    use_library();
    for (auto const& [klass, text] : std::initializer_list<std::pair<git_error_t, char const*>>{
             {GIT_ERROR_INVALID, "invalid argument: 'remote->active_refspecs'"},
             {GIT_ERROR_INTERNAL, "unrecoverable internal error: 'git__is_sizet(total)'"}}) {
        git_error_set_str(klass, text);
        auto const error = library_error(Errc::invalid_input);
        CHECK(error.code == Errc::invalid_input);
        CHECK(error.message == "what the server sent is not what a Git server sends");
    }
    git_error_set_str(GIT_ERROR_INVALID, "corrupt pack");
    CHECK(library_error(Errc::invalid_input).message == "corrupt pack");
}

TEST_CASE("git: a list whose capabilities end with the object format is read", "[git][fault]") {
    Hostile git;
    GitRepo const empty{git.dir / "repos", "empty"};
    auto const branch = Reference{.branch = "main"};

    git.server.faults("refs:format");
    auto const held = checkout(git.remote(), branch, git.options);
    INFO((held ? "" : held.error().message));
    CHECK(held);
    auto const none = checkout({.url = git.server.url_of("empty.git")}, branch, git.options);
    REQUIRE_FALSE(none);
    CHECK(none.error().message == "git repository is empty");
    CHECK(reason_of(none.error()) == "EmptyGitRepository");
}

TEST_CASE("git: what a server says where the pack was asked for is told", "[git][fault]") {
    Hostile git;

    check(git.error_with("pack:error=this repository sleeps"), Errc::invalid_input, "this repository sleeps");
    check(git.error_with("refs:error=this repository sleeps"), Errc::invalid_input, "this repository sleeps");
    check(git.error_with("pack:status=401"), Errc::denied, "authentication required: told to answer 401");
}

TEST_CASE("git: of a server that cuts no history all of it is fetched", "[git][fault]") {
    Hostile git;
    git.repo.write("b.yaml", "b").commit();

    git.server.faults("no-shallow");
    auto const held = checkout(git.remote(), {.branch = "main"}, git.options);
    INFO((held ? "" : held.error().message));
    CHECK(held);
}

TEST_CASE("git: a web page is not taken for a repository", "[git][fault]") {
    Hostile git;

    check(git.error_with("html"), Errc::invalid_input,
          "the server does not answer as a Git server; it says: <!DOCTYPE html>");
    check(git.error_with("pack:html"), Errc::invalid_input, "the server does not answer as a Git server");
}

TEST_CASE("git: a redirect to another host is followed, and that host never sees the credentials", "[git][fault]") {
    Hostile git{{"--user", "u", "--password", "p"}};
    GitServer open{git.dir / "repos"};
    GitServer closed{git.dir / "repos", {"--user", "u", "--password", "p"}};
    auto remote = git.remote();
    remote.credentials = {.username = "u", .password = "p"};

    git.server.faults("redirect=" + open.url());
    CHECK(checkout(remote, {.branch = "main"}, git.options));
    CHECK(open.requests() == "GET refs, POST pack");
    CHECK_FALSE(open.authorized());
    git.server.faults("redirect=" + closed.url());
    auto const refused = git.error(remote);
    CHECK(refused.code == Errc::denied);
    CHECK(refused.message.ends_with("authentication required"));  // without that host's own words
    CHECK_FALSE(closed.authorized());
    closed.faults("html");
    CHECK(git.error(remote).message.ends_with(": the server does not answer as a Git server"));
    open.forget_requests();
    git.server.faults("pack:redirect=" + open.url());
    check(git.error(remote), Errc::invalid_input, "status code: 302");
    CHECK(open.requests().empty());
}

TEST_CASE("git: a redirect from https to http is refused", "[git][fault]") {
    Hostile git;
    auto const folder = (git.dir / "tls").string();
    GitServer secure{git.dir / "repos", {"--tls", folder}};
    auto const ca = test::shell("cat " + folder + "/ca.crt") + "\n";
    Remote const remote{.url = secure.url_of("shop.git"), .credentials = {.ca_pem = ca}};

    secure.faults("redirect=" + git.server.url());
    check(git.error(remote), Errc::denied, "redirect from https to " + git.server.url() + " refused");
    CHECK(git.server.requests().empty());
    GitServer elsewhere{git.dir / "repos", {"--tls", folder}};
    secure.faults("redirect=" + elsewhere.url());
    CHECK(checkout(remote, {.branch = "main"}, git.options));
}

TEST_CASE("git: an error names the remote without the login in its URL, whatever that holds", "[git][fault]") {
    Hostile git;
    auto const host = git.server.url().substr(7);
    git.server.faults("status=500");
    for (std::string const login : {"bot:p@s3cr3t", "s3cr3t@x", "bot:s3cr3t"}) {
        auto const done =
            checkout({.url = "http://" + login + "@" + host + "/shop.git"}, {.branch = "main"}, git.options);
        REQUIRE_FALSE(done);
        CHECK(done.error().message.starts_with("unable to clone 'http://" + host + "/shop.git': "));
        CHECK(done.error().message.find("s3cr3t") == std::string::npos);
    }
}

TEST_CASE("git: a redirect leads to no address that the remote itself may not have", "[git][fault][reach]") {
    Hostile git;
    auto const port = git.server.url().substr(git.server.url().rfind(':'));
    git.options.reach = http::Reach::of_source({http::Network::parse("127.0.0.1/32").value()});

    CHECK(checkout(git.remote(), {.branch = "main"}, git.options));
    check(git.error_with("redirect=http://127.0.0.2" + port), Errc::denied, "127.0.0.2 is a loopback address");
    check(git.error_with("redirect=http://169.254.169.254"), Errc::denied, "169.254.169.254 is a link-local address");
    git.server.faults("");
    git.server.forget_requests();
    git.options.reach = http::Reach::of_source({});
    check(git.error(git.remote()), Errc::denied, "127.0.0.1 is a loopback address");
    CHECK(git.server.requests().empty());
}

TEST_CASE("git: dumb HTTP and a compressed answer are called by their names", "[git][fault]") {
    Hostile git;

    check(git.error_with("refs:dumb"), Errc::invalid_input, "the server speaks the dumb HTTP protocol only");
    check(git.error_with("refs:gzip"), Errc::invalid_input, "the answer is compressed, which was not asked for");
    check(git.error_with("pack:gzip"), Errc::invalid_input, "the answer is compressed, which was not asked for");
}

TEST_CASE("git: a redirect on the same host is followed, and a circle ends", "[git][fault][limit]") {
    Hostile git;
    std::filesystem::create_directory(git.dir / "repos/moved");
    std::filesystem::create_directory_symlink(git.repo.bare(), git.dir / "repos/moved/shop.git");

    git.server.faults("refs:redirect-once=" + git.server.url() + "/moved");
    CHECK(checkout(git.remote(), {.branch = "main"}, git.options));
    check(git.error_with("redirect=" + git.server.url()), Errc::limit, "more than 5 redirects");
}

TEST_CASE("git: endless answers are cut at their bound", "[git][fault][limit]") {
    Hostile git;
    git.options.bounds.refs_bytes_max = 1 << 20;
    git.options.bounds.wire_bytes_max = 1 << 20;

    check(git.error_with("refs:endless"), Errc::limit, "longer than 1048576 bytes");
    check(git.error_with("pack:endless"), Errc::limit, "longer than 1048576 bytes");
}

TEST_CASE("git: a server that stalls costs the bound and no more", "[git][fault]") {
    Hostile git;
    git.options.bounds.whole_max = 500ms;
    for (std::string const fault : {"refs:stall", "pack:stall", "refs:stall-body", "pack:stall-body"}) {
        INFO(fault);
        auto const start = std::chrono::steady_clock::now();
        auto const error = git.error_with(fault);
        CHECK(to_string(error.code) == "timeout");
        CHECK(std::chrono::steady_clock::now() - start < 2s);
    }
    git.options.bounds.whole_max = 10s;
    git.options.bounds.idle_max = 300ms;
    CHECK(git.error_with("pack:stall").code == Errc::timeout);
}

TEST_CASE("git: a slow server is fine while it keeps moving", "[git][fault]") {
    Hostile git;
    git.options.bounds.idle_max = 1s;
    git.server.faults("slow=20");

    CHECK(checkout(git.remote(), {.branch = "main"}, git.options));
}

TEST_CASE("git: stop ends a stalled fetch at once", "[git][fault]") {
    Hostile git;
    std::stop_source source;
    git.options.stop = source.get_token();
    git.server.faults("pack:stall");
    std::chrono::steady_clock::time_point stopped;
    std::jthread const stopper{[&] {
        std::this_thread::sleep_for(300ms);
        stopped = std::chrono::steady_clock::now();
        source.request_stop();
    }};

    auto const error = git.error(git.remote());

    CHECK(std::chrono::steady_clock::now() - stopped < 2s);  // 0.1 s when the machine is idle
    check(error, Errc::timeout, "context canceled");
}

// Method: a listener whose queue is full drops every further SYN, as a firewall does.
TEST_CASE("git: stop ends a connect that nobody answers", "[git][fault]") {
    Hostile git;
    int const listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener, 0) == 0);
    REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    std::vector<int> fillers;
    for (int i = 0; i < 4; ++i) {
        fillers.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        ::connect(fillers.back(), reinterpret_cast<sockaddr*>(&address), size);
    }
    std::stop_source source;
    git.options.stop = source.get_token();
    std::jthread const stopper{[&] {
        std::this_thread::sleep_for(300ms);
        source.request_stop();
    }};
    auto const start = std::chrono::steady_clock::now();

    auto const error = git.error({.url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/shop.git"});

    CHECK(std::chrono::steady_clock::now() - start > 250ms);
    CHECK(std::chrono::steady_clock::now() - start < 2s);
    check(error, Errc::timeout, "context canceled");
    for (int const filler : fillers) ::close(filler);
    ::close(listener);
}

TEST_CASE("git: cut and damaged answers are errors, never a shorter repository", "[git][fault]") {
    Hostile git;

    std::minstd_rand random{1};
    std::string noise(50'000, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    git.repo.write("noise", noise).commit();

    check(git.error_with("refs:cut"), Errc::offline, "");
    check(git.error_with("pack:cut"), Errc::offline, "");
    auto const damaged = git.error_with("pack:damage");
    INFO(damaged.message);
    CHECK(damaged.code == Errc::invalid_input);
    git.server.faults("");
    CHECK(checkout(git.remote(), {.branch = "main"}, git.options));
}

TEST_CASE("git: nobody there is offline", "[git][fault]") {
    Hostile git;

    check(git.error({.url = "http://127.0.0.1:1/shop.git"}), Errc::offline, "");
    check(git.error({.url = "http://no-such-host.invalid/shop.git"}), Errc::offline, "");
}

TEST_CASE("git: more objects or files than allowed are a limit", "[git][limit]") {
    Hostile git;
    for (int i = 0; i < 50; ++i) git.repo.write("f" + std::to_string(i), std::to_string(i));
    git.repo.commit();

    git.options.bounds.files_max = 20;
    check(git.error_with(""), Errc::limit, "more than 20 files");
    git.options.bounds.files_max = 1'000;
    git.options.bounds.objects_max = 20;
    check(git.error_with(""), Errc::limit, "objects, more than 20");
    git.options.bounds.objects_max = 1'000;
    git.options.bounds.wire_bytes_max = 1'000;
    check(git.error_with(""), Errc::limit, "");
}

TEST_CASE("git: an object that unpacks to more than allowed is a limit, however small it travels",
          "[git][limit][req:R-17]") {
    Hostile git;
    git.repo.write("bomb", std::string(40 << 20, '\0')).commit();

    check(git.error_with(""), Errc::limit, "");
}

TEST_CASE("git: a full scratch disk is a limit, and the process lives", "[git][limit][fault]") {
    if (::geteuid() != 0) {
        WARN("skipped: needs root to mount a small tmpfs");
        return;
    }
    Hostile git;
    std::minstd_rand random{2};
    std::string noise(600'000, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    git.repo.write("noise", noise).commit();
    pid_t const child = ::fork();
    if (child == 0) {
        if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount("tmpfs", git.options.scratch.c_str(), "tmpfs", 0, "size=300k") != 0)
            ::_exit(77);
        auto const full = checkout(git.remote(), {.branch = "main"}, git.options);
        if (full) ::_exit(1);
        std::fprintf(stderr, "%s\n", full.error().message.c_str());
        if (full.error().code != Errc::limit) ::_exit(2);
        if (!std::filesystem::is_empty(git.options.scratch)) ::_exit(3);
        if (full.error().message.contains(git.options.scratch.string())) ::_exit(4);
        auto const again = checkout(git.remote(), {.branch = "main"}, git.options);
        ::_exit(again.error().message == full.error().message ? 0 : 5);  // or each retry would be news
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        WARN("skipped: mounting is not allowed here");
        return;
    }
    CHECK(status == 0);
}

TEST_CASE("git: a tree with a hostile name is refused", "[git][req:R-17]") {
    Hostile git;
    auto const blob = git.repo.git("rev-parse HEAD:a.yaml");
    for (std::string const name : {"..", ".", "a/b"}) {
        auto const file = (git.dir / "tree").string();
        test::shell("python3 -c \"import sys; sys.stdout.buffer.write(b'100644 " + name + "\\0' + bytes.fromhex('" +
                    blob + "'))\" > " + file);
        auto const tree = git.repo.git("hash-object -w -t tree --literally " + file);
        auto const commit = git.repo.git("commit-tree -m evil " + tree);
        git.repo.git("push -q -f origin " + commit + ":refs/heads/main");
        auto const error = git.error_with("");
        INFO(name << ": " << error.message);
        CHECK(error.code == Errc::invalid_input);
    }
}

TEST_CASE("git: a path too long, and paths too long together, are limits before they are made",
          "[git][limit][req:R-17]") {
    Hostile git;
    auto const list = [&git](std::string const& script) {
        return test::shell("python3 -c \"" + script + "\" | git -C " + git.repo.work().string() + " mktree -z");
    };
    auto const push = [&git](std::string const& tree) {
        auto const commit = git.repo.git("commit-tree -m long " + tree);
        git.repo.git("push -q -f origin " + commit + ":refs/heads/main");
    };
    auto const blob = git.repo.git("rev-parse HEAD:a.yaml");

    push(list("print('100644 blob " + blob + "\\t' + 'n' * 4097, end='\\0')"));
    check(git.error_with(""), Errc::limit, "a path is longer than 4096 bytes");

    auto tree = list("[print('100644 blob " + blob + "\\t%04d' % i + 'n' * 900, end='\\0') for i in range(1000)]");
    push(list("[print('040000 tree " + tree + "\\t%04d' % i, end='\\0') for i in range(40)]"));
    check(git.error_with(""), Errc::limit, "the paths have more than 16777216 bytes");
}

TEST_CASE("git: trees nested too deep, and a tree that multiplies, are limits", "[git][limit][req:R-17]") {
    Hostile git;
    std::string deep;
    for (int i = 0; i < 140; ++i) deep += "d/";
    git.repo.write(deep + "f", "x").commit();
    check(git.error_with(""), Errc::limit, "directories deeper than 128");

    // Twelve trees of twelve times the same tree: 12^6 files in 8 objects.
    auto tree = git.repo.git("rev-parse HEAD:a.yaml");
    std::string type = "blob";
    for (int level = 0; level < 6; ++level) {
        std::string list;
        for (int i = 0; i < 12; ++i)
            list +=
                (type == "blob" ? "100644 blob " : "040000 tree ") + tree + "\\t" + static_cast<char>('a' + i) + "\\n";
        tree = test::shell("printf '" + list + "' | git -C " + git.repo.work().string() + " mktree");
        type = "tree";
    }
    auto const commit = git.repo.git("commit-tree -m bomb " + tree);
    git.repo.git("push -q -f origin " + commit + ":refs/heads/main");
    check(git.error_with(""), Errc::limit, "files and directories");
}

}  // namespace holdfast::git
