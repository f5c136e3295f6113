// tests/unit/modules/intake/intake_test.cpp: wishes from files and from the journal; nothing unreadable takes anything back.
#include "modules/intake/intake.hpp"
#include "modules/model/kinds.hpp"
#include "tests/support/fake_cluster.hpp"
#include "tests/support/temp_dir.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

#include <fcntl.h>
#include <fstream>
#include <unistd.h>

namespace holdfast::intake {

namespace {

using model::Key;
using model::Kind;

Key const kShop{Kind::git_repository, "apps", "shop"};
Key const kOther{Kind::git_repository, "apps", "other"};

std::string repository(std::string const& name, std::string const& url = "https://example.com/shop.git") {
    return "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata:\n  name: " + name +
           "\n  namespace: apps\n  labels: {team: blue}\nspec:\n  url: " + url + "\n  interval: 1m\n";
}

struct World {
    test::TempDir directory;
    SystemClock clock;
    int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    Log log{{.fd = nowhere}, clock};
    model::Registry registry;
    std::vector<std::string> heard;
    LocalIntake intake{directory.path(), registry, log};
    int writes = 0;

    explicit World(model::WishLimits limits = {}) : registry(limits) {
        registry.listen([this](model::Entry const& entry, model::Change) { heard.push_back(entry.key.text()); });
    }
    ~World() { ::close(nowhere); }
    void write(std::string const& name, std::string const& text) {
        std::ofstream{directory / name} << text;
        // Two writes within a tick of the file system's clock would look the same.
        std::filesystem::last_write_time(directory / name, std::filesystem::file_time_type::clock::now() +
                                                               std::chrono::seconds{++writes});
    }
    void remove(std::string const& name) { std::filesystem::remove(directory / name); }
    bool has(Key const& key) {
        auto const* entry = registry.find(key);
        return entry != nullptr && !entry->gone;
    }
};

}  // namespace

TEST_CASE("intake: a directory of manifests becomes wishes, several documents to a file", "[intake]") {
    World world;
    world.write("a.yaml", repository("shop") + "---\n" + repository("other") + "---\n# nothing\n");
    world.write("readme.txt", "not a manifest");

    CHECK(world.intake.look());

    CHECK(world.has(kShop));
    CHECK(world.has(kOther));
    CHECK(world.intake.problems().empty());
    auto const& entry = *world.registry.find(kShop);
    CHECK(entry.meta.origin == model::Origin::local);
    CHECK(entry.meta.labels.at("team") == "blue");
    CHECK(entry.meta.generation == 1);
    CHECK(entry.spec_as<model::GitRepositorySpec>().interval == std::chrono::minutes{1});
}

TEST_CASE("intake: unchanged files are not read again, a changed wish is the next generation", "[intake]") {
    World world;
    world.write("a.yaml", repository("shop"));
    world.intake.look();
    world.heard.clear();

    CHECK_FALSE(world.intake.look());
    world.write("a.yaml", "# a comment\n" + repository("shop"));
    CHECK(world.intake.look());
    CHECK(world.heard.empty());
    CHECK(world.registry.find(kShop)->meta.generation == 1);
    world.write("a.yaml", repository("shop", "https://example.com/new.git"));
    world.intake.look();

    CHECK(world.heard.size() == 1);
    CHECK(world.registry.find(kShop)->meta.generation == 2);
}

TEST_CASE("intake: a document that is gone is taken back, once", "[intake]") {
    World world;
    world.write("a.yaml", repository("shop"));
    world.write("b.yaml", repository("other"));
    world.intake.look();

    world.remove("b.yaml");
    world.intake.look();

    CHECK(world.has(kShop));
    CHECK_FALSE(world.has(kOther));
    world.write("b.yaml", repository("other"));
    world.intake.look();
    CHECK(world.has(kOther));
}

TEST_CASE("intake: one broken file takes nothing back, and the others are still read", "[intake]") {
    World world;
    world.write("a.yaml", repository("shop"));
    world.intake.look();

    world.write("a.yaml", "kind: [\n");
    world.write("b.yaml", repository("other"));
    world.intake.look();

    CHECK(world.has(kShop));
    CHECK(world.has(kOther));
    REQUIRE(world.intake.problems().size() == 1);
    CHECK(world.intake.problems()[0].starts_with("a.yaml:"));
    world.remove("a.yaml");
    world.intake.look();
    CHECK_FALSE(world.has(kShop));
    CHECK(world.intake.problems().empty());
}

TEST_CASE("intake: a directory that is gone or cannot be read takes nothing back", "[intake]") {
    World world;
    world.write("a.yaml", repository("shop"));
    world.intake.look();

    std::filesystem::remove_all(world.directory.path());
    world.intake.look();
    CHECK(world.has(kShop));
    std::ofstream{world.directory.path()} << "a file in its place";
    world.intake.look();
    CHECK(world.has(kShop));
    CHECK(world.intake.problems().size() == 1);
    std::filesystem::remove(world.directory.path());
    std::filesystem::create_directory(world.directory.path());
    world.intake.look();

    CHECK_FALSE(world.has(kShop));
}

TEST_CASE("intake: what cannot be a wish is named by file and line", "[intake]") {
    World world;
    auto const problem = [&](std::string const& text) {
        world.write("a.yaml", text);
        world.intake.look();
        return world.intake.problems().empty() ? std::string{} : world.intake.problems()[0];
    };

    CHECK(problem("---\n---\nkind: Secret\napiVersion: v1\n") ==
          "a.yaml:3: not a GitRepository, OCIRepository, Kustomization or FluxConfig of a version that is read here");
    CHECK(problem("- a\n") ==
          "a.yaml:1: not a GitRepository, OCIRepository, Kustomization or FluxConfig of a version that is read here");
    CHECK(problem("apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: a}\n") ==
          "a.yaml:1: metadata.name and metadata.namespace are required");
    CHECK(problem(repository("shop") + "  timeout: soon\n").starts_with("a.yaml:1: spec.timeout: "));
    CHECK(problem(repository("shop")).empty());
}

TEST_CASE("intake: an object with a wrong spec is there with its problem, and is mended by a good one", "[intake]") {
    World world;
    world.write("a.yaml", repository("shop") + "  timeout: soon\n");
    world.intake.look();
    REQUIRE(world.has(kShop));
    CHECK_FALSE(world.registry.find(kShop)->spec);
    CHECK(world.registry.find(kShop)->problem.starts_with("spec.timeout: "));

    world.write("a.yaml", repository("shop"));
    world.intake.look();

    CHECK(world.registry.find(kShop)->spec);
    CHECK(world.registry.find(kShop)->problem.empty());
}

TEST_CASE("intake: the same object twice is a problem, not a coin toss", "[intake]") {
    World world;
    world.write("a.yaml", repository("shop", "https://example.com/first.git"));
    world.write("b.yaml", repository("shop", "https://example.com/second.git"));

    world.intake.look();

    CHECK(world.registry.find(kShop)->spec_as<model::GitRepositorySpec>().url == "https://example.com/first.git");
    CHECK(world.registry.find(kShop)->meta.generation == 1);
    REQUIRE(world.intake.problems().size() == 1);
    CHECK(world.intake.problems()[0] == "b.yaml:1: GitRepository/apps/shop is defined twice: the first one counts");
}

TEST_CASE("intake: the wish's text is the object without what others write into it", "[intake]") {
    auto const parse = [](std::string_view text) { return boost::json::parse(text).as_object(); };
    auto const plain = wish_text(
        parse(
            R"({"apiVersion":"v1","kind":"X","metadata":{"name":"a","namespace":"b"},"spec":{"url":"u","interval":"1m"}})"),
        model::Origin::cluster);
    auto const live =
        wish_text(parse(R"({"kind":"X","status":{"a":1},"apiVersion":"v1","spec":{"url":"u","interval":"1m"},
        "metadata":{"namespace":"b","resourceVersion":"7","name":"a","managedFields":[{}],"annotations":{"x":"y"}}})"),
                  model::Origin::cluster);

    CHECK(plain == live);
    CHECK(
        plain ==
        R"({"apiVersion":"v1","kind":"X","metadata":{"name":"a","namespace":"b"},"spec":{"url":"u","interval":"1m"}})");
}

TEST_CASE("intake: the journal gives back wish and status, and the same wish again is no change", "[intake]") {
    World before;
    before.write("a.yaml", repository("shop"));
    before.intake.look();
    auto& kept = *before.registry.find(kShop);
    kept.status.observed_generation = 3;
    kept.status.part<model::SourceStatus>().artifact =
        model::Artifact{.revision = "main@sha1:1", .digest = "sha256:" + std::string(64, '1')};
    model::JournalEntry const row{.key = kShop,
                                  .wish = kept.wish.text(),
                                  .status = boost::json::serialize(model::to_json(kShop.kind, kept.status)),
                                  .facts = "",
                                  .owned = {}};
    World after;

    REQUIRE(restore(after.registry, row));

    auto const& entry = *after.registry.find(kShop);
    CHECK(entry.meta.origin == model::Origin::local);
    CHECK(model::source_revision(entry.status) == "main@sha1:1");
    CHECK(entry.meta.generation == 3);
    CHECK(entry.wish.empty());
    CHECK(entry.spec_as<model::GitRepositorySpec>().url == "https://example.com/shop.git");
    after.write("a.yaml", repository("shop"));
    after.intake.look();
    CHECK(entry.meta.generation == 3);
    CHECK(entry.wish.empty());
}

TEST_CASE("intake: a restored local wish without its file is taken back", "[intake]") {
    World world;
    REQUIRE(restore(world.registry,
                    {.key = kShop,
                     .wish = R"({"apiVersion":"source.toolkit.fluxcd.io/v1","kind":"GitRepository","origin":"local",
        "metadata":{"name":"shop","namespace":"apps"},"spec":{"url":"https://example.com/a.git","interval":"1m"}})",
                     .status = "",
                     .facts = "",
                     .owned = {}}));
    LocalIntake intake{world.directory.path(), world.registry, world.log};
    world.write("a.yaml", repository("other"));

    intake.look();

    CHECK(world.has(kOther));
    CHECK_FALSE(world.has(kShop));
}

TEST_CASE("intake: a login is not in what is kept, and what is restored without it waits until it is back",
          "[intake]") {
    auto const with = [](std::string const& login) {
        return boost::json::parse(R"({"apiVersion":"source.toolkit.fluxcd.io/v1","kind":"GitRepository",
            "metadata":{"name":"shop","namespace":"apps","generation":7},
            "spec":{"url":"https://)" +
                                  login + R"(@example.com/a.git","interval":"1m"}})")
            .as_object();
    };
    auto const put = [](model::Registry& registry, boost::json::object const& object) -> model::Entry& {
        return registry.put(kShop, model::read_meta(object, model::Origin::cluster),
                            model::read_spec(kShop.kind, object), wish_text(object, model::Origin::cluster),
                            std::nullopt);
    };
    std::string const kept = wish_text(with("bot:s3cr3t"), model::Origin::cluster);
    model::Registry registry;
    std::vector<Key> wanted;
    registry.listen([&](model::Entry const& entry, model::Change) { wanted.push_back(entry.key); });

    CHECK(kept.find("s3cr3t") == std::string::npos);
    auto const odd =
        boost::json::parse(R"({"kind":"K","spec":{"a":"http://h:bad","b":["x@y",{"c":"https://u:s3cr3t@h"}]}})");
    CHECK(wish_text(odd.as_object(), model::Origin::cluster)
              .find(R"("spec":{"a":"http://h:bad","b":["x@y",{"c":"https://xxxxx@h"}]})") != std::string::npos);
    CHECK(kept != wish_text(with("bot:other"), model::Origin::cluster));
    REQUIRE(restore(registry, {.key = kShop, .wish = kept, .status = "", .facts = "", .owned = {}}));
    CHECK(registry.find(kShop)->abridged);
    wanted.clear();
    auto const& entry = put(registry, with("bot:s3cr3t"));
    CHECK_FALSE(entry.abridged);
    CHECK(entry.spec_as<model::GitRepositorySpec>().url == "https://bot:s3cr3t@example.com/a.git");
    CHECK(entry.wish.empty());  // the journal has it
    CHECK(wanted == std::vector{kShop});
    put(registry, with("bot:other"));
    CHECK_FALSE(entry.wish.empty());
    CHECK(entry.wish.text().find("other") == std::string::npos);
}

TEST_CASE("intake: what was applied before a restart turns nothing away after it", "[intake][shares]") {
    Key const web{Kind::kustomization, "apps", "web"};
    model::Status applied;
    for (int i = 0; i < 1'000; ++i)
        applied.part<model::KustomizationStatus>().inventory.push_back(
            {"a_" + std::to_string(i) + "__ConfigMap", "v1"});
    std::string const wish =
        R"({"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization","metadata":{"namespace":"apps","name":"web"},)"
        R"("spec":{"interval":"1m","prune":true,"sourceRef":{"kind":"GitRepository","name":"x"}}})";
    auto const status = boost::json::serialize(model::to_json(web.kind, applied));
    model::Registry registry{{.count_max = 100, .bytes_max = 100'000}};

    REQUIRE(restore(registry, {.key = web, .wish = wish, .status = status, .facts = "", .owned = {}}));

    CHECK(registry.find(web)->spec);
    CHECK(registry.find(web)->problem.empty());
    CHECK(registry.find(web)->status.part<model::KustomizationStatus>().inventory.size() == 1'000);
}

TEST_CASE("intake: a row that cannot be read is damage, and says whose", "[intake]") {
    World world;
    for (auto const& [wish, status] :
         std::vector<std::pair<std::string, std::string>>{{"{", "{}"}, {"[]", "{}"}, {"{}", "{"}, {"{}", "3"}}) {
        auto const done =
            restore(world.registry, {.key = kShop, .wish = wish, .status = status, .facts = "", .owned = {}});
        REQUIRE_FALSE(done);
        CHECK(done.error().code == Errc::corrupt);
        CHECK(done.error().message.starts_with("GitRepository/apps/shop: "));
    }
}

namespace {

/// Lists what it has, and has nothing to say after that.
class Listed final : public test::FakeCluster {
public:
    std::set<std::string> selectors;  // of the lists that were asked for

    Task<std::string> list(kube::Resource resource, kube::ListOptions options, std::function<void()> begin,
                           kube::ObjectSink sink, kube::Refusal*) override {
        selectors.insert(options.label_selector);
        begin();
        for (auto const& [id, object] : objects) {
            if (kube::find_string(object, {"kind"}) != resource.gvk.kind) continue;
            auto taken = sink(object);
            if (!taken) co_return fail(std::move(taken));
        }
        co_return std::string{"7"};
    }
    Task<void> watch(kube::Resource, kube::WatchOptions, kube::EventSink, kube::Refusal*) override {
        co_await sleep_for(std::chrono::hours{1});
        co_return Result<void>{};
    }
};

struct ClusterWorld {
    SystemClock clock;
    int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    Log log{{.fd = nowhere}, clock};
    model::Registry registry;
    Listed cluster;
    std::vector<Key> adopted;
    std::vector<Key> differs;
    std::vector<model::Kind> unseen;
    std::string label_selector;

    explicit ClusterWorld(model::WishLimits limits = {}) : registry(limits) {}
    ~ClusterWorld() { ::close(nowhere); }

    static boost::json::object shop(std::string const& status = "", std::string const& metadata = "") {
        return boost::json::parse(R"({"apiVersion":"source.toolkit.fluxcd.io/v1","kind":"GitRepository",
            "metadata":{"name":"shop","namespace":"apps","uid":"u","generation":2)" +
                                  metadata + R"(},"spec":{"url":"https://example.com/a.git","interval":"1m"})" +
                                  (status.empty() ? "" : R"(,"status":)" + status) + "}")
            .as_object();
    }
    static model::Status ready() {
        model::Status status;
        status.conditions.set("Ready", model::Truth::yes, "Succeeded", "stored artifact", 2, {});
        status.observed_generation = 2;
        return status;
    }
    void know(model::Status const& status) {
        REQUIRE(restore(registry, {.key = kShop,
                                   .wish = wish_text(shop(), model::Origin::cluster),
                                   .status = boost::json::serialize(model::to_json(kShop.kind, status)),
                                   .facts = "",
                                   .owned = {}}));
    }
    /// What the cluster has is listed once.
    void list(boost::json::object object) {
        cluster.objects["apps_shop_source.toolkit.fluxcd.io_GitRepository"] = std::move(object);
        asio::io_context io{1};
        std::size_t lists = 0;
        ClusterIntake intake{io.get_executor(),
                             cluster,
                             registry,
                             log,
                             label_selector,
                             {.adopted = [this](model::Entry const& entry) { adopted.push_back(entry.key); },
                              .listed = [&](model::Kind) { ++lists; },
                              .unseen = [&](model::Kind kind) { unseen.push_back(kind); },
                              .copy_differs = [this](model::Entry const& entry,
                                                     model::Status const&) { differs.push_back(entry.key); }}};
        intake.start();
        while (lists + unseen.size() < model::kKinds.size()) REQUIRE(io.run_one_for(std::chrono::seconds{30}) == 1);
        asio::co_spawn(io, intake.stop(), [](std::exception_ptr error) {
            if (error) std::rethrow_exception(error);
        });
        io.run();
    }
};

}  // namespace

TEST_CASE("intake: a status in the cluster that is not what is known is owed, also when there is none", "[intake]") {
    for (std::string const& shown : {std::string{}, std::string{R"({"observedGeneration":-1})"},
                                     std::string{R"({"conditions":[],"observedGeneration":2})"}}) {
        ClusterWorld world;
        world.know(ClusterWorld::ready());
        world.list(ClusterWorld::shop(shown));
        INFO(shown);
        CHECK(world.differs == std::vector<Key>{kShop});
        CHECK(world.adopted.empty());
        CHECK(world.registry.find(kShop)->copy.owed);
    }
}

TEST_CASE("intake: a status in the cluster that is what is known is left alone", "[intake]") {
    ClusterWorld world;
    world.know(ClusterWorld::ready());
    auto const shown = boost::json::serialize(model::to_json(kShop.kind, ClusterWorld::ready()));
    world.list(ClusterWorld::shop(shown));
    world.list(ClusterWorld::shop(shown, R"(,"resourceVersion":"99")"));
    CHECK(world.differs.empty());
    CHECK_FALSE(world.registry.find(kShop)->copy.owed);

    ClusterWorld nothing_known;
    nothing_known.know({});
    nothing_known.list(ClusterWorld::shop(R"({"observedGeneration":-1})"));
    CHECK(nothing_known.differs.empty());
}

TEST_CASE("intake: an object that only the cluster knows brings its status, unless it is on its way out", "[intake]") {
    auto const shown = boost::json::serialize(model::to_json(kShop.kind, ClusterWorld::ready()));
    ClusterWorld world;
    world.list(ClusterWorld::shop(shown));
    CHECK(world.adopted == std::vector<Key>{kShop});
    CHECK(world.registry.find(kShop)->status.conditions.is("Ready", model::Truth::yes));

    ClusterWorld leaving;
    leaving.list(ClusterWorld::shop(shown, R"(,"deletionTimestamp":"2025-06-15T15:06:40Z")"));
    CHECK(leaving.adopted.empty());
    CHECK(leaving.registry.find(kShop)->status.conditions.all().empty());
}

TEST_CASE("intake: only what has the watched labels is asked for, of every kind", "[intake]") {
    ClusterWorld world;
    world.label_selector = "shard=one";

    world.list(ClusterWorld::shop());

    CHECK(world.cluster.selectors == std::set<std::string>{"shard=one"});
}

TEST_CASE("intake: that a kind is not served is told, and keeps nobody from the others", "[intake]") {
    ClusterWorld world;
    for (auto const& [name, version, kind] : {std::tuple{"source.toolkit.fluxcd.io", "v1", "GitRepository"},
                                              std::tuple{"source.toolkit.fluxcd.io", "v1", "OCIRepository"},
                                              std::tuple{"kustomize.toolkit.fluxcd.io", "v1", "Kustomization"}})
        world.cluster.serve({name, version, kind});

    world.list(ClusterWorld::shop());

    CHECK(world.unseen == std::vector<model::Kind>{model::Kind::flux_config});
    CHECK(world.registry.find(kShop) != nullptr);
}

TEST_CASE("intake: a local wish that was turned away is read again once there is room", "[intake][shares]") {
    World world{{.count_max = 4, .bytes_max = 1u << 20}};
    for (std::string const name : {"a", "b", "c", "d"}) world.write(name + ".yaml", repository(name));
    world.intake.look();
    Key const last{Kind::git_repository, "apps", "d"};
    REQUIRE(world.registry.find(last));
    CHECK(world.registry.find(last)->problem.starts_with("no room for this object"));
    CHECK_FALSE(world.intake.look());

    world.remove("a.yaml");
    world.intake.look();
    world.registry.vanish(*world.registry.find({Kind::git_repository, "apps", "a"}));
    CHECK(world.intake.look());

    CHECK(world.registry.find(last)->problem.empty());
}

TEST_CASE("intake: an object that finds no room brings no status either, and its journal row names it only",
          "[intake][shares]") {
    ClusterWorld world{{.count_max = 4, .bytes_max = 1'500}};
    auto const shown = boost::json::serialize(model::to_json(kShop.kind, ClusterWorld::ready()));
    auto big = ClusterWorld::shop(shown);
    big["spec"].as_object()["ignore"] = std::string(10'000, '#');
    world.list(std::move(big));

    auto const* entry = world.registry.find(kShop);
    REQUIRE(entry != nullptr);
    CHECK(entry->problem.starts_with("no room for this object"));
    CHECK(entry->status.conditions.all().empty());
    CHECK(world.adopted.empty());

    model::Registry after;
    REQUIRE(restore(after, {.key = kShop, .wish = entry->wish.text(), .status = "{}", .facts = "", .owned = {}}));
    CHECK_FALSE(after.find(kShop)->spec);
}

}  // namespace holdfast::intake
