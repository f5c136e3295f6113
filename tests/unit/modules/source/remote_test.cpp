// tests/unit/modules/source/remote_test.cpp: files named by URL: where they may lie, and who sees a login.
// Goal: a stranger's URL or redirect reaches nothing of this machine, and a login goes to the host it was written for.
// Method: real servers on two loopback addresses, of which the first stands for the outside.
#include "modules/source/remote.hpp"
#include "tests/support/memory_bytes.hpp"

#include "modules/base/base64.hpp"
#include "modules/http/server.hpp"

#include <boost/asio/io_context.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <mutex>
#include <thread>

namespace holdfast::source {

namespace {

/// Answers on an address of this machine in a thread of its own.
class FileServer {
public:
    explicit FileServer(std::string const& host) {
        server_.route("GET", "/*", [this](http::ServerRequest request) -> asio::awaitable<http::Answer> {
            ++hits;
            std::scoped_lock const lock{mutex_};
            authorization_ = request.headers.get("Authorization");
            auto answer = http::text_answer(redirect_.empty() ? 200 : 302, "kind: Secret\n");
            if (!redirect_.empty()) answer.headers.set("Location", redirect_);
            co_return answer;
        });
        auto const port = server_.listen_tcp(host, 0);
        REQUIRE(port);
        authority = host + ":" + std::to_string(*port);
        thread_ = std::thread{[this] { loop_.run(); }};
    }
    ~FileServer() {
        loop_.stop();
        thread_.join();
    }

    void redirect_to(std::string location) {
        std::scoped_lock const lock{mutex_};
        redirect_ = std::move(location);
    }
    std::string authorization() {
        std::scoped_lock const lock{mutex_};
        return authorization_;
    }

    std::string authority;
    std::atomic<int> hits = 0;

private:
    asio::io_context loop_{1};
    http::Server server_{loop_.get_executor(), {}};
    std::mutex mutex_;
    std::string redirect_;
    std::string authorization_;
    std::thread thread_;
};

struct World {
    FileServer outside{"127.0.0.1"};
    FileServer inside{"127.0.0.2"};
    http::Reach reach = http::Reach::of_content({http::Network::parse("127.0.0.1/32").value()});

    Result<RemoteContent> get(std::string const& url) {
        return fetch_remote({.url = url}, {.bytes_max = 1 << 20, .reach = reach});
    }
};

}  // namespace

TEST_CASE("remote: a URL and a redirect reach no address that the reach refuses", "[source][remote][reach]") {
    World world;

    auto const allowed = world.get("http://" + world.outside.authority + "/a.yaml");
    auto const named = world.get("http://" + world.inside.authority + "/a.yaml");
    world.outside.redirect_to("http://" + world.inside.authority + "/a.yaml");
    auto const led = world.get("http://" + world.outside.authority + "/a.yaml");
    world.outside.redirect_to("//169.254.169.254/latest/user-data");
    auto const metadata = world.get("http://" + world.outside.authority + "/a.yaml");

    REQUIRE(allowed);
    CHECK(test::text_of(*allowed->bytes) == "kind: Secret\n");
    for (auto const* refused : {&named, &led, &metadata}) {
        REQUIRE_FALSE(*refused);
        CHECK(refused->error().code == Errc::denied);
    }
    CHECK(named.error().message.contains("127.0.0.2 is a loopback address"));
    CHECK(led.error().message.contains("127.0.0.2 is a loopback address"));
    CHECK(metadata.error().message.contains("169.254.169.254 is a link-local address"));
    CHECK(world.inside.hits == 0);
}

TEST_CASE("remote: a repository by URL is held to the same", "[source][remote][reach]") {
    World world;

    auto const refused = fetch_remote(
        {.kind = kustomize::Remote::Kind::repository, .url = "http://" + world.inside.authority + "/org/base.git"},
        {.bytes_max = 1 << 20, .reach = world.reach});

    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::denied);
    CHECK(refused.error().message.contains("127.0.0.2 is a loopback address"));
    CHECK(world.inside.hits == 0);
}

TEST_CASE("remote: a login goes to the host it was written for and no further", "[source][remote]") {
    World world;
    world.reach = http::Reach::of_operator();

    REQUIRE(world.get("http://bot:s3cr3t@" + world.outside.authority + "/a.yaml"));
    CHECK(world.outside.authorization() == "Basic " + base64_encode("bot:s3cr3t"));
    world.outside.redirect_to("http://" + world.inside.authority + "/a.yaml");
    REQUIRE(world.get("http://bot:s3cr3t@" + world.outside.authority + "/a.yaml"));
    CHECK(world.inside.hits == 1);
    CHECK(world.inside.authorization().empty());
}

}  // namespace holdfast::source
