// tests/unit/daemon/mode_test.cpp: which mode is chosen when our CRDs are installed, and how it is read again.
#include "daemon/install.hpp"
#include "daemon/mode.hpp"
#include "tests/support/fake_cluster.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

namespace holdfast::daemon {

using access::Mode;

namespace {

/// Knows definitions, and establishes them at once.
class Definitions final : public test::FakeCluster {
public:
    Task<std::string> list(kube::Resource, kube::ListOptions, std::function<void()> begin, kube::ObjectSink sink,
                           kube::Refusal*) override {
        begin();
        for (auto const& [id, object] : objects) {
            auto taken = sink(object);
            if (!taken) co_return fail(std::move(taken));
        }
        co_return std::string{"7"};
    }
    Task<kube::Object> get(kube::Target target, kube::ReadOptions options, kube::Refusal* refusal) override {
        if (refused) co_return std::unexpected{*refused};
        auto found = co_await FakeCluster::get(std::move(target), options, refusal);
        if (found) {
            (*found)["status"] = boost::json::parse(
                R"({"conditions":[{"type":"Established","status":"True"},{"type":"NamesAccepted","status":"True"}]})");
        }
        co_return found;
    }
    void define(std::string const& name, std::string const& annotations = "{}") {
        objects["_" + name + "_apiextensions.k8s.io_CustomResourceDefinition"] =
            boost::json::parse(
                R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":")" +
                name + R"(","annotations":)" + annotations + "}}")
                .as_object();
    }
    std::optional<Error> refused;
};

std::optional<Mode> chosen(Definitions& cluster) { return test::run_task(chosen_mode(cluster)).value(); }
Mode choice(Definitions& cluster, std::optional<Mode> asked = {}) {
    return test::run_task(choose_mode(cluster, asked)).value().mode;
}

}  // namespace

TEST_CASE("mode: azure where nothing of Flux is, flux where a definition of Flux is", "[daemon][mode]") {
    Definitions cluster;
    cluster.define("things.example.com");
    CHECK(choice(cluster) == Mode::azure);

    cluster.define("alerts.notification.toolkit.fluxcd.io");
    CHECK(choice(cluster) == Mode::flux);
    CHECK(choice(cluster, Mode::azure) == Mode::azure);
}

TEST_CASE("mode: what was chosen is kept, whoever installs again and whatever of Flux is there by then",
          "[daemon][mode]") {
    Definitions cluster;
    CHECK(chosen(cluster) == std::nullopt);

    REQUIRE(test::run_task(install_crds(cluster, Mode::azure)));
    CHECK(cluster.log.front() == "apply CustomResourceDefinition/fluxconfigs.clusterconfig.azure.com");
    CHECK(chosen(cluster) == Mode::azure);
    CHECK(choice(cluster) == Mode::azure);
    REQUIRE(test::run_task(install_crds(cluster, std::nullopt)));
    CHECK(chosen(cluster) == Mode::azure);
    REQUIRE(test::run_task(install_crds(cluster, Mode::flux)));
    CHECK(chosen(cluster) == Mode::flux);
}

TEST_CASE("mode: nobody chose where the daemon installed, and where there are no definitions at all",
          "[daemon][mode]") {
    Definitions cluster;
    REQUIRE(test::run_task(install_crds(cluster, std::nullopt)));
    CHECK(chosen(cluster) == std::nullopt);

    Definitions bare;
    bare.serve({"", "v1", "ConfigMap"});
    CHECK(chosen(bare) == std::nullopt);
}

TEST_CASE("mode: a word that is none allows nothing, and neither does an answer that does not come", "[daemon][mode]") {
    Definitions cluster;
    cluster.define(std::string{kModeDefinition}, R"({"holdfast/mode":"Flux"})");
    CHECK(chosen(cluster) == Mode::azure);

    cluster.refused = Error{Errc::denied, "forbidden"};
    CHECK(test::run_task(chosen_mode(cluster)).error().code == Errc::denied);
    cluster.discovery_fails = Error{Errc::busy, "no answer"};
    CHECK(test::run_task(chosen_mode(cluster)).error().code == Errc::busy);
    CHECK(test::run_task(choose_mode(cluster, std::nullopt)).error().code == Errc::busy);
}

}  // namespace holdfast::daemon
