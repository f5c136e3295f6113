// tests/unit/modules/kube/credentials_test.cpp: credentials that change on disk while requests are made with them.
#include "modules/base/base64.hpp"
#include "modules/base/task_group.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/modules/http/pki.hpp"
#include "tests/unit/modules/kube/fake_server.hpp"

#include <fstream>
#include <optional>

namespace holdfast::kube {

namespace {

void write(std::filesystem::path const& path, std::string const& text) { std::ofstream{path} << text; }

std::string kubeconfig(std::string const& url, std::string const& user, std::string const& ca = "") {
    auto const trust = ca.empty() ? "" : ", certificate-authority-data: " + base64_encode(ca);
    return "current-context: m\ncontexts: [{name: m, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: "
           "{server: '" +
           url + "'" + trust + "}}]\nusers: [{name: u, user: " + user + "}]\n";
}

/// A client whose kubeconfig is a file.
struct OnDisk {
    test::TempDir dir;
    FakeServer fake;
    std::filesystem::path file = dir / "config";
    std::unique_ptr<Client> client;

    void start(std::string const& user, std::chrono::milliseconds pause = 0ms) {
        write(file, kubeconfig(fake.url, user));
        auto config = load_kubeconfig(file, "").value();
        client = Client::make(fake.loop.executor(), fake.http, std::move(config), {.credentials_pause = pause}).value();
    }
    Result<Object> get() { return fake.loop.run(client->get(kPod)); }
    std::string authorization() const { return std::string{fake.asked.back().headers.get("Authorization")}; }
};

}  // namespace

TEST_CASE("kube credentials: a kubeconfig that was written anew is used from the next request on", "[kube]") {
    OnDisk world;
    world.start("{token: one}");
    for (int i = 0; i < 9; ++i) world.fake.answer(200, "{}");

    CHECK(world.get());
    CHECK(world.authorization() == "Bearer one");
    write(world.file, kubeconfig(world.fake.url, "{token: two-and-longer}"));
    CHECK(world.get());
    CHECK(world.authorization() == "Bearer two-and-longer");

    write(world.file, "half of a kubec");
    CHECK(world.get());
    CHECK(world.authorization() == "Bearer two-and-longer");
    CHECK(world.client->contact().credentials_problem.contains("kubeconfig"));
    write(world.file, kubeconfig("https://other.example:6443", "{token: three}"));
    CHECK(world.get());
    CHECK(world.authorization() == "Bearer two-and-longer");  // another cluster's token is not for this one
    CHECK(world.client->contact().credentials_problem.contains("another server"));
    write(world.file, kubeconfig(world.fake.url, "{token: four}"));
    CHECK(world.get());
    CHECK(world.authorization() == "Bearer four");
    CHECK(world.client->contact().credentials_problem.empty());
}

TEST_CASE("kube credentials: a 401 reads the kubeconfig at once, and tries again only with something new", "[kube]") {
    OnDisk world;
    world.start("{token: one}", 1h);
    world.fake.answer(200, "{}");
    CHECK(world.get());

    world.fake.answer(401, "no");
    CHECK(world.get().error().code == Errc::denied);
    CHECK(world.fake.asked.size() == 2);
    write(world.file, kubeconfig(world.fake.url, "{token: two}"));
    world.fake.answer(401, "no");
    world.fake.answer(200, "{}");
    CHECK(world.get());
    CHECK(world.authorization() == "Bearer two");
    CHECK(world.fake.asked.size() == 4);
}

TEST_CASE("kube credentials: an empty file of credentials is an error that says so, never a request as nobody",
          "[kube]") {
    OnDisk world;
    write(world.dir / "token", " \n");
    world.start("{tokenFile: token}");

    auto const refused = world.get();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::denied);
    CHECK(refused.error().message.ends_with("token: is empty"));
    CHECK(world.fake.asked.empty());

    write(world.dir / "token", "t1\n");
    world.fake.answer(200, "{}");
    CHECK(world.get());
    CHECK(world.authorization() == "Bearer t1");
    write(world.dir / "token", "");
    world.fake.answer(401, "no");
    world.fake.answer(401, "no");
    CHECK(world.get().error().message.ends_with("token: is empty"));

    for (std::string const user : {"{client-certificate: empty, client-key: empty}", "{client-certificate: empty}"}) {
        write(world.dir / "empty", "");
        write(world.file, kubeconfig(world.fake.url, user));
        auto const config = load_kubeconfig(world.file, "");
        REQUIRE_FALSE(config);
        CHECK(config.error().message.contains("is empty"));
    }
}

TEST_CASE("kube credentials: a new certificate takes a new connection and leaves the request in flight alone",
          "[kube]") {
    test::Loop loop;
    test::TestCa ca;
    http::Server server{loop.executor(), {}};
    http::Client http{loop.executor()};
    bool arrived = false;
    bool release = false;
    server.route("*", "/*", [&](ServerRequest request) -> asio::awaitable<Answer> {
        bool const held = request.path.ends_with("/held");
        if (held) arrived = true;
        while (held && !release) co_await sleep_for(1ms);
        co_return http::json_answer(200, "{}");
    });
    auto const own = ca.issue("server", "IP:127.0.0.1");
    auto const port =
        server
            .listen_tcp("127.0.0.1", 0,
                        http::TlsContext::server(own.certificate_pem, own.key_pem, ca.certificate_pem()).value())
            .value();
    test::TempDir dir;
    auto const renew = [&](std::string const& name) {
        auto const identity = ca.issue(name, "DNS:client");
        write(dir / "crt", identity.certificate_pem);
        write(dir / "key", identity.key_pem);
    };
    renew("first");
    write(dir / "config", kubeconfig("https://127.0.0.1:" + std::to_string(port),
                                     "{client-certificate: crt, client-key: key}", ca.certificate_pem()));
    auto const client =
        Client::make(loop.executor(), http, load_kubeconfig(dir / "config", "").value(), {.credentials_pause = 0ms})
            .value();

    std::optional<bool> answered;
    auto const hold = [&]() -> asio::awaitable<void> {
        auto const object = co_await client->get({kPods, "ns", "held"});
        answered = object.has_value();
    };
    TaskGroup group{loop.executor(), 1};
    REQUIRE(group.start("hold", hold()));
    while (!arrived) loop.run(sleep_for(1ms));
    CHECK(server.connections_open() == 1);
    write(dir / "crt", ca.issue("half", "DNS:client").certificate_pem);  // the key is still the old one's
    CHECK(loop.run(client->get(kPod)));
    CHECK(client->contact().credentials_problem.contains("key"));
    CHECK(server.connections_open() == 2);
    renew("second");
    CHECK(loop.run(client->get(kPod)));
    CHECK(client->contact().credentials_problem.empty());
    CHECK(server.connections_open() == 3);
    CHECK(loop.run(client->get(kPod)));
    CHECK(server.connections_open() == 3);
    CHECK_FALSE(answered);
    release = true;
    while (!answered) loop.run(sleep_for(1ms));
    CHECK(*answered);
    loop.run(group.join());
}

}  // namespace holdfast::kube
