// tests/unit/modules/access/remotes_test.cpp: which connection an object gets, when it is made anew, and what is refused.
#include "modules/access/access.hpp"
#include "tests/support/far_cluster.hpp"

#include <catch2/catch.hpp>

namespace holdfast::access {

namespace {

using namespace std::chrono_literals;
using model::KubeConfigRef;

class ManualClock final : public Clock {
public:
    std::chrono::nanoseconds now{1'750'000'000s};
    std::chrono::system_clock::time_point wall() const override { return std::chrono::system_clock::time_point{now}; }
    std::chrono::nanoseconds boot() const override { return now; }
};

struct World {
    test::FakeCluster home;
    test::Far far;
    ManualClock clock;
    std::vector<std::string> tokens;  // "apps/sender for a,b"
    Remotes remotes{{.own = &home,
                     .connect = [this](kube::Config config) -> Result<std::unique_ptr<Connection>> {
                         far.configs.push_back(std::move(config));
                         return std::make_unique<test::FakeConnection>(far);
                     },
                     .request_token = [this](std::string ns, std::string account,
                                             std::vector<std::string> audiences) -> Task<kube::Object> {
                         std::string line = ns + "/" + account + " for";
                         for (std::string const& one : audiences) line += " " + one;
                         tokens.push_back(line);
                         kube::Object const status{{"token", "t" + std::to_string(tokens.size())},
                                                   {"expirationTimestamp", kube::rfc3339(clock.wall() + 1h)}};
                         co_return kube::Object{{"status", status}};
                     },
                     .reach = http::Reach::of_source({}),
                     .clock = clock}};

    World() {
        write("Secret", "apps", "far", "value", test::kubeconfig("server: 'https://far:6443'", "token: secret"));
        far.cluster.objects["_kube-system__Namespace"] = {{"metadata", kube::Object{{"uid", "u-far"}}}};
    }

    void write(std::string const& kind, std::string const& ns, std::string const& name, std::string const& key,
               std::string const& value) {
        test::write_data(home, kind, ns, name, key, value);
    }
    Result<Remote> of(std::string const& name, KubeConfigRef ref, std::string const& ns = "apps",
                      std::string const& default_account = "") {
        return test::run_task(remotes.of({model::Kind::kustomization, ns, name}, std::move(ref), default_account));
    }
    std::string refusal(KubeConfigRef ref) {
        auto const reached = of("web", std::move(ref));
        return reached ? "" : reached.error().message;
    }
};

KubeConfigRef const kFar{.name = "far"};

}  // namespace

TEST_CASE("remotes: objects of a namespace that name the same Secret share a connection, and nobody else does",
          "[access]") {
    World world;
    world.write("Secret", "shop", "far", "value", test::kubeconfig("server: 'https://far:6443'", "token: secret"));

    Remote const web = world.of("web", kFar).value();
    Remote const api = world.of("api", kFar).value();
    Remote const shop = world.of("web", kFar, "shop").value();

    CHECK(web.id == api.id);
    CHECK(web.id != shop.id);
    CHECK(world.far.configs.size() == 2);
    CHECK(web.where == "https://far:6443 u-far");
    world.remotes.forget({model::Kind::kustomization, "apps", "web"});
    CHECK(world.remotes.size() == 2);
    world.remotes.forget({model::Kind::kustomization, "apps", "api"});
    world.remotes.forget({model::Kind::kustomization, "shop", "web"});
    CHECK(world.remotes.size() == 0);
}

TEST_CASE("remotes: what is written anew is used at once, and as other credentials", "[access]") {
    World world;
    Remote const before = world.of("web", kFar).value();
    CHECK(world.of("web", kFar).value().id == before.id);

    world.write("Secret", "apps", "far", "value", test::kubeconfig("server: 'https://far:6443'", "token: other"));
    Remote const after = world.of("web", kFar).value();

    CHECK(after.id != before.id);
    CHECK(after.version != before.version);
    CHECK(after.where == before.where);
    CHECK(world.far.configs.back().credentials.token == "other");
}

TEST_CASE("remotes: while our own server is away what was read is used, and a Secret that is gone is used no more",
          "[access]") {
    World world;
    Remote const before = world.of("web", kFar).value();

    world.home.get_fails = Error{Errc::offline, "no route"};
    CHECK(world.of("web", kFar).value().id == before.id);
    CHECK(world.of("new", {.name = "other"}).error().code == Errc::offline);
    world.home.get_fails.reset();
    world.home.objects.erase("apps_far__Secret");
    CHECK(world.of("web", kFar).error().code == Errc::not_found);
    world.home.get_fails = Error{Errc::offline, "no route"};
    CHECK(world.of("web", kFar).error().code == Errc::offline);
}

TEST_CASE("remotes: the key is the one that is named, else value, else value.yaml", "[access]") {
    World world;
    world.write("Secret", "apps", "two", "value.yaml", test::kubeconfig("server: 'https://yaml:1'", "token: t"));
    CHECK(world.of("web", {.name = "two"}).value().server == "https://yaml:1");
    world.write("Secret", "apps", "two", "value", test::kubeconfig("server: 'https://value:1'", "token: t"));
    CHECK(world.of("web", {.name = "two"}).value().server == "https://value:1");
    CHECK(world.of("web", {.name = "two", .key = "value.yaml"}).value().server == "https://yaml:1");

    CHECK(world.refusal({.name = "none"}) == "unable to read KubeConfig secret 'apps/none' error: not found");
    CHECK(world.refusal({.name = "two", .key = "k"}) ==
          "KubeConfig secret 'apps/two' does not contain a 'k' key with a kubeconfig");
    world.write("Secret", "apps", "empty", "other", "x");
    CHECK(world.refusal({.name = "empty"}) ==
          "KubeConfig secret 'apps/empty' does not contain a 'value' key with a kubeconfig");
}

TEST_CASE("remotes: a kubeconfig reads no file, starts no program, skips no check and acts as nobody else",
          "[access]") {
    World world;
    std::string const cluster = "server: 'https://far:6443'";
    for (std::string const user :
         {"exec: {apiVersion: client.authentication.k8s.io/v1, command: cat}", "auth-provider: {name: gcp}",
          "tokenFile: /etc/shadow", "client-certificate: /etc/shadow", "client-key: /etc/shadow"}) {
        CAPTURE(user);
        world.write("Secret", "apps", "far", "value", test::kubeconfig(cluster, user));
        CHECK(world.refusal(kFar).starts_with("invalid KubeConfig in secret 'apps/far': "));
    }
    world.write("Secret", "apps", "far", "value",
                test::kubeconfig(cluster + ", certificate-authority: /etc/shadow", "token: t"));
    CHECK(world.refusal(kFar).starts_with("invalid KubeConfig in secret 'apps/far': "));
    CHECK(world.far.configs.empty());

    world.write("Secret", "apps", "far", "value",
                test::kubeconfig(cluster + ", insecure-skip-tls-verify: true",
                                 "token: t, as: admin, as-groups: [system:masters]"));
    REQUIRE(world.of("web", kFar));
    kube::Config const& config = world.far.configs.back();
    CHECK_FALSE(config.tls.insecure_skip_verify);
    CHECK(config.credentials.impersonate_user.empty());
    CHECK(config.credentials.impersonate_groups.empty());
    CHECK(config.reach.key() == http::Reach::of_source({}).key());
    CHECK(config.proxy.reach.key() == http::Reach::of_source({}).key());
}

TEST_CASE("remotes: another cluster at the same address is another one, and asked for after every break", "[access]") {
    World world;
    std::string const before = world.of("web", kFar).value().where;
    auto& uid = world.far.cluster.objects["_kube-system__Namespace"]["metadata"].as_object()["uid"];

    uid = "u-other";
    CHECK(world.of("web", kFar).value().where == before);  // nothing has happened: nobody asks
    ++world.far.breaks;
    std::string const after = world.of("web", kFar).value().where;
    CHECK(after == "https://far:6443 u-other");
    CHECK_FALSE(is_same_cluster(before, after));

    // Who may not read the uid knows the cluster by its address.
    ++world.far.breaks;
    world.far.cluster.get_fails = Error{Errc::denied, "forbidden"};
    world.far.last_code = 403;
    std::string const unread = world.of("web", kFar).value().where;
    CHECK(unread == "https://far:6443");
    CHECK(is_same_cluster(unread, after));
    CHECK(fuller_name(after, unread) == after);
    CHECK(fuller_name(unread, after) == after);
    CHECK(is_same_cluster("https://moved:1 u-far", "https://far:6443 u-far"));
    CHECK_FALSE(is_same_cluster("", unread));
    CHECK(is_same_cluster("", ""));

    // Who is known to nobody there reaches nothing, nor does anybody by an address that may not be reached.
    world.far.last_code = GENERATE(0u, 401u);
    ++world.far.breaks;
    CHECK(world.of("web", kFar).error().code == Errc::denied);
    world.far.last_code = 0;
    ++world.far.breaks;
    world.far.cluster.get_fails = Error{Errc::offline, "connection refused"};
    CHECK(world.of("web", kFar).error().message.starts_with("https://far:6443: "));
}

TEST_CASE("remotes: a namespace has its share of connections", "[access]") {
    World world;
    std::size_t reached = 0;
    for (std::size_t i = 0; i < Remotes::kConnectionsMax; ++i) {
        std::string const name = "far" + std::to_string(i);
        world.write("Secret", "apps", name, "value", test::kubeconfig("server: 'https://far:6443'", "token: t"));
        auto const one = world.of(name, {.name = name});
        if (one) ++reached;
        else CHECK(one.error().code == Errc::limit);
    }
    CHECK(reached == Remotes::kConnectionsMax * 3 / 4);
    // Who names another one holds no more than before.
    CHECK(world.of("far0", {.name = "far15"}).has_value());
    CHECK(world.of("far14", {.name = "far14"}).error().code == Errc::limit);
    world.write("Secret", "shop", "far", "value", test::kubeconfig("server: 'https://far:6443'", "token: t"));
    CHECK(world.of("web", kFar, "shop").has_value());
}

TEST_CASE("remotes: a ConfigMap gives a token of an account of the object's namespace, renewed before it ends",
          "[access]") {
    World world;
    KubeConfigRef const issued{.kind = KubeConfigRef::Kind::config_map, .name = "issuer"};
    world.write("ConfigMap", "apps", "issuer", "provider", "generic");
    world.write("ConfigMap", "apps", "issuer", "address", "FAR:6443");

    CHECK(world.of("web", issued).error().message.starts_with("configmap apps/issuer names no serviceAccountName"));
    CHECK(world.tokens.empty());
    CHECK(world.of("web", issued, "apps", "locked").has_value());
    CHECK(world.tokens.back() == "apps/locked for FAR:6443");
    world.write("ConfigMap", "apps", "issuer", "serviceAccountName", "sender");
    world.write("ConfigMap", "apps", "issuer", "audiences", " a \n\nb\n");
    world.write("ConfigMap", "apps", "issuer", "ca.crt", "PEM");
    Remote const before = world.of("web", issued, "apps", "locked").value();
    CHECK(world.tokens.back() == "apps/sender for a b");
    CHECK(world.far.configs.back().tls.ca_pem == "PEM");
    CHECK(world.far.configs.back().server.port == 6443);

    auto const asked = world.tokens.size();
    world.clock.now += 47min;
    CHECK(world.of("web", issued, "apps", "locked").value().id == before.id);
    CHECK(world.tokens.size() == asked);
    world.clock.now += 2min;
    CHECK(world.of("web", issued, "apps", "locked").value().id == before.id);  // who watches goes on
    CHECK(world.far.renewed == std::vector<std::string>{"t" + std::to_string(asked + 1)});
    world.far.last_code = 401;  // withdrawn there
    CHECK(world.of("web", issued, "apps", "locked").value().id == before.id);
    CHECK(world.far.renewed.size() == 2);
}

TEST_CASE("remotes: what a ConfigMap says wrongly is told in Flux's words", "[access]") {
    KubeConfigRef const issued{.kind = KubeConfigRef::Kind::config_map, .name = "issuer"};
    struct Row {
        std::string key, value, says;
    };
    for (Row const& row : {Row{"provider", "aws", "provider 'aws' is not supported by this version of Holdfast"},
                           Row{"provider", "x", "provider 'x' not implemented"},
                           Row{"address", "", "cluster address is required to create a REST config"},
                           Row{"address", "http://far:1", "failed to parse cluster address http://far:1: "}}) {
        World world;
        world.write("ConfigMap", "apps", "issuer", "provider", "generic");
        world.write("ConfigMap", "apps", "issuer", "address", "https://far:6443");
        world.write("ConfigMap", "apps", "issuer", "serviceAccountName", "sender");
        world.write("ConfigMap", "apps", "issuer", row.key, row.value);
        CHECK(world.refusal(issued).starts_with(row.says));
        CHECK(world.tokens.empty());
    }
    World world;
    CHECK(world.refusal(issued) == "failed to get configmap apps/issuer: not found");
}

}  // namespace holdfast::access
