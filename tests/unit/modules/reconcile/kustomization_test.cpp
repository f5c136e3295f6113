// tests/unit/modules/reconcile/kustomization_test.cpp: one pass after the other over a fake renderer and a fake cluster.
#include "modules/base/hash.hpp"
#include "modules/reconcile/kustomization.hpp"
#include "tests/support/far_cluster.hpp"
#include "tests/support/story_world.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

#include <algorithm>

namespace holdfast::reconcile {

namespace {

using namespace std::chrono_literals;
using model::Key;
using model::Kind;
using model::Truth;

Key const kSource{Kind::git_repository, "apps", "shop"};
Key const kWeb{Kind::kustomization, "apps", "web"};
Key const kBase{Kind::kustomization, "apps", "base"};

class FakeRenderer final : public Renderer {
public:
    std::vector<std::string> names;  // of the ConfigMaps that a render gives
    std::optional<Error> refuse;
    std::vector<std::string> remotes;
    std::string remote_content;
    std::size_t renders = 0;
    bool may_fetch = true;  // of the last one

    Task<Rendered> render(std::string, model::Artifact artifact, model::KustomizationSpec, bool remote_bases) override {
        ++renders;
        may_fetch = remote_bases;
        if (refuse) co_return fail(refuse->code, refuse->message);
        Rendered out;
        out.digest = "sha256:" + artifact.digest + remote_content;
        out.remotes = remotes;
        for (std::string const& name : names) {
            out.objects.push_back({{"apiVersion", "v1"},
                                   {"kind", "ConfigMap"},
                                   {"metadata", boost::json::object{{"name", name}, {"namespace", "apps"}}},
                                   {"data", boost::json::object{{"revision", artifact.revision + remote_content}}}});
        }
        co_return out;
    }
};

struct World : test::StoryWorld {
    FakeRenderer renderer;
    std::vector<Key> damaged;
    rollout::OwnedObjects owned{{io.get_executor(), nullptr, log, clock},
                                0};  // no watches: what is seen is what a test says
    test::Asked asked;
    access::Locks locks{access::Lock{}};
    test::Far far;
    access::Remotes remotes{{.own = &cluster,
                             .connect = [this](kube::Config config) -> Result<std::unique_ptr<access::Connection>> {
                                 far.configs.push_back(std::move(config));
                                 return std::make_unique<test::FakeConnection>(far);
                             },
                             .request_token = {},
                             .reach = {},
                             .clock = clock}};
    access::Access access{{&cluster, test::acting(cluster, asked)}, locks, &remotes};
    Kustomizations story{ports(), access, renderer, owned, {}, [this](Key const& key) { damaged.push_back(key); }};

    World() {
        wish(
            R"({"apiVersion":"source.toolkit.fluxcd.io/v1","kind":"GitRepository","metadata":{"name":"shop","namespace":"apps"},
                 "spec":{"url":"https://example.com/shop.git","interval":"1m"}})");
        commit("1");
        renderer.names = {"a", "b"};
    }
    void commit(std::string const& revision) {
        auto& status = registry.find(kSource)->status;
        status.part<model::SourceStatus>().artifact =
            model::Artifact{.revision = "main@sha1:" + revision, .digest = "sha256:" + revision};
        status.conditions.set("Ready", Truth::yes, "Succeeded", "stored", 1, clock.wall());
    }
    model::Entry& want(std::string const& name, std::string const& more = "",
                       model::Origin origin = model::Origin::cluster, std::string const& meta = "") {
        return wish(R"({"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization","metadata":{"name":")" +
                        name + R"(","namespace":"apps")" + meta +
                        R"(},"spec":{"sourceRef":{"kind":"GitRepository","name":"shop"},"path":"./",
                        "interval":"10m","retryInterval":"2m","prune":true)" +
                        more + "}}",
                    origin);
    }
    /// A Secret "far" that leads to the far cluster, which is the one that `uid` names.
    void lead_far(std::string const& token = "t", std::string const& uid = "u-far") {
        test::write_data(cluster, "Secret", "apps", "far", "value",
                         test::kubeconfig("server: 'https://far:6443'", "token: " + token));
        far.cluster.objects["_kube-system__Namespace"] = {
            {"metadata", kube::Object{{"name", "kube-system"}, {"uid", uid}}}};
    }
    story::Next pass(Key const& key = kWeb) { return StoryWorld::pass(story, key); }
    model::KustomizationStatus const& status(Key const& key = kWeb) {
        return registry.find(key)->status.part<model::KustomizationStatus>();
    }
    bool comes_before(std::string const& one, std::string const& other) const {
        auto const& log = cluster.log;
        auto const first = std::ranges::find(log, one);
        return first != log.end() && std::ranges::find(first, log.end(), other) != log.end() &&
               std::ranges::find(log.begin(), first, other) == first;
    }
    std::vector<std::string> live() const {
        std::vector<std::string> names;
        for (auto const& [id, object] : cluster.objects) names.emplace_back(kube::name_of(object));
        return names;
    }
    std::vector<std::string> inventory(Key const& key = kWeb) {
        std::vector<std::string> ids;
        for (auto const& one : registry.find(key)->status.part<model::KustomizationStatus>().inventory)
            ids.push_back(one.id);
        return ids;
    }
    std::vector<std::string> journaled(Key const& key = kWeb) {
        std::vector<std::string> ids;
        for (auto const& one : journal.entries[key].owned) ids.push_back(one.entry.id);
        std::ranges::sort(ids);
        return ids;
    }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("kustomization: what is about to be written is in the journal before the first write", "[reconcile]") {
    World world;
    world.want("web");

    auto const next = world.pass();

    CHECK(next.after == 10min);
    CHECK(world.condition(kWeb).reason == "ReconciliationSucceeded");
    CHECK(world.condition(kWeb).message == "Applied revision: main@sha1:1");
    CHECK(world.comes_before("intend", "apply ConfigMap/apps/a"));
    CHECK(world.comes_before("intend", "apply ConfigMap/apps/b"));
    CHECK(world.cluster.log.back() == "record");
    CHECK(world.live() == Names{"a", "b"});
    CHECK(world.inventory() == Names{"apps_a__ConfigMap", "apps_b__ConfigMap"});
    CHECK(world.journaled() == world.inventory());
}

TEST_CASE("kustomization: a full disk lets nothing be written that no inventory would name", "[reconcile]") {
    World world;
    world.want("web");
    world.journal.refuse = Error{Errc::limit, "the disk is full"};

    auto const next = world.pass();

    CHECK(world.cluster.objects.empty());
    CHECK(std::ranges::count(world.cluster.log, "apply ConfigMap/apps/a") == 0);
    CHECK(world.registry.find(kWeb)->unrecorded == "the disk is full");
    CHECK(next.after == 10s);
}

TEST_CASE("kustomization: a pass over nothing new makes no request and writes nothing", "[reconcile]") {
    World world;
    world.want("web");
    world.pass();
    auto const saves = world.journal.saves;
    world.cluster.log.clear();

    auto const next = world.pass();

    CHECK(next.after == 10min);
    CHECK(world.cluster.log.empty());
    CHECK(world.journal.saves == saves);
    CHECK(world.renderer.renders == 1);
}

TEST_CASE("kustomization: after a restart the journal is enough for a pass without a request", "[reconcile]") {
    World before;
    before.want("web");
    before.pass();
    World after;
    auto& entry = after.want("web");
    auto const& kept = before.journal.entries.at(kWeb);
    entry.status = model::read_status(Kind::kustomization, boost::json::parse(kept.status).as_object());
    after.story.load(kept);
    entry.wish.clear();  // the journal has it
    entry.facts_digest = hash64(kept.facts);

    auto const next = after.pass();

    CHECK(next.after == 10min);
    CHECK(after.cluster.log.empty());
    CHECK(after.renderer.renders == 0);
}

TEST_CASE("kustomization: a remote base is looked at once in each interval, and costs nothing while it stands still",
          "[reconcile]") {
    World world;
    world.renderer.remotes = {"git::https://host/org/repo"};
    world.want("web");
    world.pass();
    auto const saves = world.journal.saves;
    world.cluster.log.clear();

    world.clock.now += 4min;
    CHECK(world.pass().after == 6min);  // woken by something else
    CHECK(world.renderer.renders == 1);
    world.clock.now += 6min;
    CHECK(world.pass().after == 10min);
    CHECK(world.renderer.renders == 2);
    CHECK(world.cluster.log.empty());
    CHECK(world.journal.saves == saves);

    world.renderer.remote_content = "moved";
    world.clock.now += 10min;
    CHECK(world.pass().after == 10min);
    CHECK(world.cluster.log.back() == "record");
    CHECK(world.condition(kWeb).message == "Applied revision: main@sha1:1");
    CHECK(world.story.remotes() == std::set<std::string>{"git::https://host/org/repo"});
}

TEST_CASE("kustomization: after a restart a remote base is looked at, and nothing is written when it stands still",
          "[reconcile]") {
    World before;
    before.renderer.remotes = {"https://host/file.yaml"};
    before.want("web");
    before.pass();
    World after;
    after.renderer.remotes = before.renderer.remotes;
    auto& entry = after.want("web");
    auto const& kept = before.journal.entries.at(kWeb);
    entry.status = model::read_status(Kind::kustomization, boost::json::parse(kept.status).as_object());
    after.story.load(kept);
    entry.wish.clear();  // the journal has it
    entry.facts_digest = hash64(kept.facts);
    CHECK(after.story.remotes() == std::set<std::string>{"https://host/file.yaml"});

    CHECK(after.pass().after == 10min);

    CHECK(after.renderer.renders == 1);
    CHECK(after.cluster.log.empty());
    CHECK(after.journal.saves == 0);
}

TEST_CASE("kustomization: only what a new commit changed is applied, and what it left out is deleted", "[reconcile]") {
    World world;
    world.want("web");
    world.pass();
    world.cluster.log.clear();
    world.commit("2");
    world.renderer.names = {"b", "c"};

    world.pass();

    CHECK(world.live() == Names{"b", "c"});
    CHECK(world.inventory() == Names{"apps_b__ConfigMap", "apps_c__ConfigMap"});
    CHECK(world.status().last_applied_revision == "main@sha1:2");
    CHECK(std::ranges::count(world.cluster.log, "delete ConfigMap/apps/a") == 1);
    CHECK(world.comes_before("intend", "apply ConfigMap/apps/b"));
}

TEST_CASE("kustomization: what another inventory names is pruned when it is ours and the manifests lack it",
          "[reconcile]") {
    World world;
    world.renderer.names = {"a", "b", "c"};
    world.want("web");
    world.pass();
    auto const restored = world.status();
    auto const old = world.cluster.objects.at("apps_c__ConfigMap");
    world.renderer.names = {"a", "b"};
    world.commit("2");
    world.pass();
    REQUIRE(world.live() == Names{"a", "b"});
    world.cluster.objects["apps_c__ConfigMap"] = old;  // the datastore went back
    model::Status shown;
    shown.part<model::KustomizationStatus>() = restored;
    shown.part<model::KustomizationStatus>().inventory.push_back({"apps_other__ConfigMap", "v1"});

    CHECK(world.story.reclaim(kWeb, shown));
    world.pass();

    CHECK(world.live() == Names{"a", "b"});
    CHECK(world.inventory() == Names{"apps_a__ConfigMap", "apps_b__ConfigMap"});
    CHECK(world.journaled() == world.inventory());
    shown.part<model::KustomizationStatus>().inventory = world.status().inventory;
    CHECK_FALSE(world.story.reclaim(kWeb, shown));
}

TEST_CASE("kustomization: another revision of the same files is applied, and says what it was made of", "[reconcile]") {
    World world;
    world.want("web");
    world.pass();
    auto& artifact = *world.registry.find(kSource)->status.part<model::SourceStatus>().artifact;
    artifact.revision = "latest@sha256:2";
    artifact.metadata = R"({"org.opencontainers.image.revision":"main@sha1:7"})";

    world.pass();

    CHECK(world.status().last_applied_revision == "latest@sha256:2");
    CHECK(world.condition(kWeb).message == "Applied revision: latest@sha256:2");
    CHECK(world.status().last_applied_origin == "main@sha1:7");
    REQUIRE(world.status().history.size() == 1);
    CHECK(world.status().history.front().revision.origin == "main@sha1:7");
    auto const renders = world.renderer.renders;
    world.pass();
    CHECK(world.renderer.renders == renders);
    artifact.metadata.clear();
    artifact.revision = "latest@sha256:3";
    world.pass();
    CHECK(world.status().last_applied_origin.empty());
}

TEST_CASE("kustomization: what the cluster has seen a later revision of waits for its source", "[reconcile]") {
    World world;
    world.renderer.names = {"a", "b"};
    world.want("web");
    world.pass();
    auto& overtaken_by = world.registry.find(kSource)->status.part<model::SourceStatus>().overtaken_by;
    overtaken_by = "main@sha1:9";
    world.renderer.names = {"a"};
    world.commit("2");

    world.pass();

    CHECK(world.live() == Names{"a", "b"});
    CHECK(world.condition(kWeb).reason == "ArtifactFailed");
    CHECK(world.condition(kWeb).message.contains("is older than revision 'main@sha1:9'"));
    overtaken_by.clear();
    world.commit("9");
    world.pass();
    CHECK(world.live() == Names{"a"});
    CHECK(world.condition(kWeb).status == Truth::yes);
}

TEST_CASE("kustomization: without prune what is left out stays", "[reconcile]") {
    World world;
    world.want("web", R"(,"prune":false)");
    world.pass();
    world.commit("2");
    world.renderer.names = {"b"};

    world.pass();

    CHECK(world.live() == Names{"a", "b"});
}

TEST_CASE("kustomization: a build that fails keeps everything that is applied", "[reconcile]") {
    World world;
    world.want("web");
    world.pass();
    auto const applied = world.inventory();
    world.cluster.log.clear();
    world.commit("2");
    world.renderer.refuse = Error{Errc::invalid_input, "kustomize build failed: no such field"};

    auto const next = world.pass();

    CHECK(next.after == 2min);
    CHECK(world.condition(kWeb).reason == "BuildFailed");
    CHECK(world.condition(kWeb).message == "kustomize build failed: no such field");
    CHECK(world.live() == Names{"a", "b"});
    CHECK(world.inventory() == applied);
    CHECK(world.journaled() == applied);
    CHECK(world.status().last_applied_revision == "main@sha1:1");
    CHECK(world.cluster.log == Names{"record"});
}

TEST_CASE("kustomization: an empty render deletes what it left out, a failed one never does", "[reconcile]") {
    World world;
    world.want("web");
    world.pass();
    world.commit("2");
    world.renderer.refuse = Error{Errc::corrupt, "the cached artifact is damaged"};
    world.pass();
    CHECK(world.live() == Names{"a", "b"});
    CHECK(world.condition(kWeb).reason == "ArtifactFailed");
    CHECK(world.damaged == std::vector<Key>{kSource});

    world.renderer.refuse.reset();
    world.renderer.names.clear();
    world.pass();

    CHECK(world.live().empty());
}

TEST_CASE("kustomization: a refused object keeps its stage unwritten, and the next pass tries again", "[reconcile]") {
    World world;
    world.want("web");
    world.cluster.refuse = [](kube::Object const& object) -> std::optional<kube::Refusal> {
        if (kube::name_of(object) != "b") return std::nullopt;
        return kube::Refusal{.code = 422, .reason = "Invalid", .message = "no"};
    };

    auto const next = world.pass();
    CHECK(world.condition(kWeb).reason == "ReconciliationFailed");
    CHECK(world.cluster.objects.empty());
    CHECK(next.after == 2min);
    world.cluster.refuse = nullptr;
    world.clock.now += 2min;
    world.pass();

    CHECK(world.condition(kWeb).status == Truth::yes);
    CHECK(world.live() == Names{"a", "b"});
}

TEST_CASE("kustomization: a write whose answer was lost stays in the inventory, and is deleted when no longer wished",
          "[reconcile]") {
    World world;
    world.want("web");
    world.cluster.lose = [](kube::Object const& object) { return kube::name_of(object) == "a"; };
    world.pass();
    CHECK(world.condition(kWeb).reason == "ReconciliationFailed");
    REQUIRE(world.live() == Names{"a"});
    CHECK(std::ranges::count(world.journaled(), "apps_a__ConfigMap") == 1);

    world.cluster.lose = nullptr;
    world.commit("2");
    world.renderer.names = {"b"};
    world.pass();

    CHECK(world.live() == Names{"b"});
    CHECK(world.inventory() == Names{"apps_b__ConfigMap"});
}

TEST_CASE("kustomization: a source without an artifact is waited for, a missing one is said", "[reconcile]") {
    World world;
    world.want("web");
    world.registry.find(kSource)->status = {};

    world.pass();
    CHECK(world.condition(kWeb).type == "absent");

    world.registry.find(kSource)->status.conditions.set("Ready", Truth::no, "GitOperationFailed", "no", 1,
                                                        world.clock.wall());
    world.pass();
    CHECK(world.condition(kWeb).reason == "ArtifactFailed");
    world.registry.vanish(*world.registry.find(kSource));
    world.pass();
    CHECK(world.condition(kWeb).message ==
          "GitRepository.source.toolkit.fluxcd.io \"shop\" not found: in namespace apps");
    CHECK(world.renderer.renders == 0);
}

TEST_CASE("kustomization: a source of another namespace is refused in Flux's words when the lock says so",
          "[reconcile]") {
    World world;
    world.wish(R"({"apiVersion":"source.toolkit.fluxcd.io/v1","kind":"GitRepository","metadata":{"name":"theirs",
        "namespace":"platform"},"spec":{"url":"https://example.com/theirs.git","interval":"1m"}})");
    auto& theirs = world.registry.find({Kind::git_repository, "platform", "theirs"})->status;
    theirs.part<model::SourceStatus>().artifact = model::Artifact{.revision = "main@sha1:9", .digest = "sha256:9"};
    auto const want = [&] {
        world.wish(R"({"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization","metadata":{"name":"web",
            "namespace":"apps"},"spec":{"sourceRef":{"kind":"GitRepository","name":"theirs","namespace":"platform"},
            "path":"./","interval":"10m","prune":true}})");
    };
    want();
    world.locks = access::Locks{{.no_cross_namespace_refs = true}};

    auto const refused = world.pass();

    CHECK_FALSE(refused.after);  // no passing of time mends it
    for (std::string_view const type : {"Ready", "Stalled"}) {
        CHECK(world.condition(kWeb, type).reason == "AccessDenied");
        CHECK(world.condition(kWeb, type).message ==
              "can't access 'GitRepository/platform/theirs', cross-namespace references have been blocked");
    }
    CHECK(world.condition(kWeb).status == Truth::no);
    CHECK(world.renderer.renders == 0);
    CHECK(world.cluster.objects.empty());
    world.locks = access::Locks{access::Lock{}};
    world.pass();
    CHECK(world.condition(kWeb).reason == "ReconciliationSucceeded");
    CHECK(world.condition(kWeb, "Stalled").type == "absent");
}

TEST_CASE("kustomization: a kind that is not known, in a namespace that may not be named, is refused the same way",
          "[reconcile]") {
    World world;
    world.wish(R"({"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization","metadata":{"name":"web",
        "namespace":"apps"},"spec":{"sourceRef":{"kind":"OCIRepository","name":"theirs","namespace":"platform"},
        "path":"./","interval":"10m","prune":true}})");
    world.locks = access::Locks{{.no_cross_namespace_refs = true}};

    world.pass();

    CHECK(world.condition(kWeb).message ==
          "can't access 'OCIRepository/platform/theirs', cross-namespace references have been blocked");
}

TEST_CASE("kustomization: who may not use the source is waited for by nobody who prunes", "[reconcile]") {
    World world;
    world.want("web");
    world.pass();
    world.wish(R"({"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization","metadata":{"name":"foreign",
        "namespace":"tenant"},"spec":{"sourceRef":{"kind":"GitRepository","name":"shop","namespace":"apps"},
        "path":"./","interval":"10m","prune":true}})");
    world.locks = access::Locks{{.no_cross_namespace_refs = true}};
    world.commit("2");
    world.renderer.names = {"a"};

    world.pass();

    CHECK(world.live() == Names{"a"});
}

TEST_CASE("kustomization: remote bases are fetched unless the lock of the object forbids it", "[reconcile]") {
    World world;
    world.want("web");
    world.pass();
    CHECK(world.renderer.may_fetch);
    world.locks = access::Locks{{.no_remote_bases = true}};
    world.commit("2");

    world.pass();

    CHECK_FALSE(world.renderer.may_fetch);
}

TEST_CASE("kustomization: a circle through a namespace that may not be named is not told", "[reconcile]") {
    World world;
    world.want("web", R"(,"dependsOn":[{"name":"secret","namespace":"platform"}])");
    world.wish(R"({"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization","metadata":{"name":"secret",
        "namespace":"platform"},"spec":{"sourceRef":{"kind":"GitRepository","name":"x"},"path":"./","interval":"10m",
        "prune":true,"dependsOn":[{"name":"hidden"}]}})");
    world.wish(R"({"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization","metadata":{"name":"hidden",
        "namespace":"platform"},"spec":{"sourceRef":{"kind":"GitRepository","name":"x"},"path":"./","interval":"10m",
        "prune":true,"dependsOn":[{"name":"web","namespace":"apps"}]}})");
    world.pass();
    CHECK(world.condition(kWeb).message.find("hidden") != std::string::npos);
    world.locks = access::Locks{{.no_cross_namespace_refs = true}};
    world.clock.now += 31s;

    world.pass();

    CHECK(world.condition(kWeb).message == "dependency 'platform/secret' is not ready");
}

TEST_CASE("kustomization: nothing is rendered before its dependencies are ready at the same revision", "[reconcile]") {
    World world;
    world.want("web", R"(,"dependsOn":[{"name":"base"}])");

    auto const next = world.pass();
    CHECK(next.after == 30s);
    CHECK(world.condition(kWeb).reason == "DependencyNotReady");
    CHECK(world.condition(kWeb).message ==
          "dependency 'apps/base' not found: kustomizations.kustomize.toolkit.fluxcd.io \"base\" not found");

    world.want("base");
    world.pass();
    CHECK(world.condition(kWeb).message == "dependency 'apps/base' is not ready");
    world.pass(kBase);
    world.pass();
    CHECK(world.condition(kWeb).status == Truth::yes);

    world.commit("2");
    world.pass();
    CHECK(world.condition(kWeb).message == "dependency 'apps/base' revision is not up to date");
    world.pass(kBase);
    world.pass();
    CHECK(world.condition(kWeb).status == Truth::yes);
}

TEST_CASE("kustomization: a circle of dependencies is named, not waited for", "[reconcile]") {
    World world;
    world.want("web", R"(,"dependsOn":[{"name":"base"}])");
    world.want("base", R"(,"dependsOn":[{"name":"third"}])");
    world.want("third", R"(,"dependsOn":[{"name":"web"}])");

    world.pass();

    CHECK(world.condition(kWeb).reason == "DependencyNotReady");
    CHECK(world.condition(kWeb).message ==
          "dependency 'apps/base' is not ready: dependency cycle web -> base -> third -> web");
    CHECK(world.renderer.renders == 0);
}

TEST_CASE("kustomization: a request to reconcile runs a whole pass and is acknowledged", "[reconcile]") {
    World world;
    world.want("web");
    world.pass();

    world.registry.find(kWeb)->meta.requested_at = "2026-01-01T00:00:00Z";
    world.pass();

    CHECK(world.renderer.renders == 2);
    CHECK(world.registry.find(kWeb)->status.last_handled_reconcile_at == "2026-01-01T00:00:00Z");
    world.pass();
    CHECK(world.renderer.renders == 2);
}

TEST_CASE("kustomization: suspended, nothing is touched; resumed, it is looked at again", "[reconcile]") {
    World world;
    world.want("web");
    world.pass();
    world.want("web", R"(,"suspend":true)");
    world.commit("2");
    world.cluster.log.clear();

    auto const next = world.pass();
    CHECK_FALSE(next.after);
    CHECK(world.cluster.log.size() == 1);  // of the journal: the wish, and what Azure is told
    CHECK(world.journal.records.back().fields.at("ComplianceState") == "Suspended");

    world.want("web");
    world.pass();
    CHECK(world.status().last_applied_revision == "main@sha1:2");
}

TEST_CASE("kustomization: an unreadable spec stalls until there is another one", "[reconcile]") {
    World world;
    world.wish(
        R"({"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization","metadata":{"name":"web","namespace":"apps"},
                   "spec":{"sourceRef":{"kind":"GitRepository","name":"shop"},"interval":"soon","prune":true}})");

    auto const next = world.pass();

    CHECK_FALSE(next.after);
    CHECK(world.condition(kWeb).reason == "InvalidSpec");
    CHECK(world.condition(kWeb, "Stalled").status == Truth::yes);
    world.want("web");
    world.pass();
    CHECK(world.condition(kWeb).status == Truth::yes);
    CHECK(world.condition(kWeb, "Stalled").type == "absent");
}

TEST_CASE("kustomization: deleting it deletes what it applied, as its policy says", "[reconcile]") {
    struct Case {
        std::string spec;
        bool deletes;
    };
    auto const one = GENERATE(
        Case{"", true}, Case{R"(,"prune":false)", false}, Case{R"(,"prune":false,"deletionPolicy":"Delete")", true},
        Case{R"(,"deletionPolicy":"Orphan")", false}, Case{R"(,"deletionPolicy":"MirrorPrune")", true},
        Case{R"(,"deletionPolicy":"WaitForTermination")", true}, Case{R"(,"suspend":true)", false});
    INFO(one.spec);
    World world;
    world.want("web");
    world.pass();
    world.want("web", one.spec);
    world.registry.find(kWeb)->meta.deleting = true;

    world.pass();

    CHECK(world.live().empty() == one.deletes);
    CHECK(world.registry.find(kWeb) == nullptr);
    CHECK_FALSE(world.journal.entries.contains(kWeb));
    REQUIRE_FALSE(world.journal.records.empty());
    CHECK(world.journal.records.back().state_digest == "Deleted");
}

TEST_CASE("kustomization: an object that vanished is no order to delete; a file taken away is", "[reconcile]") {
    World world;
    world.want("web");
    world.pass();
    world.registry.leave(*world.registry.find(kWeb));
    world.pass();
    CHECK(world.live() == Names{"a", "b"});
    CHECK(world.registry.find(kWeb) == nullptr);

    World local;
    local.want("web", "", model::Origin::local);
    local.pass();
    local.registry.leave(*local.registry.find(kWeb));
    local.pass();
    CHECK(local.live().empty());
}

TEST_CASE("kustomization: with wait it is ready when everything is", "[reconcile]") {
    World world;
    world.want("web", R"(,"wait":true)");

    world.pass();

    CHECK(world.condition(kWeb).status == Truth::yes);
    CHECK(world.condition(kWeb, "Healthy").message == "Health check passed in 0s");
}

TEST_CASE("kustomization: a health check that is soon over costs one copy of the status", "[reconcile]") {
    World world;
    world.want(
        "web",
        R"(,"timeout":"1m","healthChecks":[{"apiVersion":"v1","kind":"ConfigMap","name":"late","namespace":"apps"}])");
    std::string const id = "apps_web_kustomize.toolkit.fluxcd.io_Kustomization";
    world.cluster.objects[id] = boost::json::parse(R"({"apiVersion":"kustomize.toolkit.fluxcd.io/v1",
        "kind":"Kustomization","metadata":{"name":"web","namespace":"apps","resourceVersion":"1"}})")
                                    .as_object();
    auto const copies = [&] { return std::ranges::count(world.cluster.log, "patch status Kustomization/apps/web"); };

    REQUIRE(world.pass().after);
    CHECK(copies() == 0);
    CHECK(world.journal.entries.at(kWeb).owned.size() == 2);

    SECTION("it is over") {
        world.cluster.objects["apps_late__ConfigMap"] =
            boost::json::parse(
                R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"late","namespace":"apps"}})")
                .as_object();
        world.pass();
        CHECK(copies() == 1);
        CHECK(world.condition(kWeb).status == Truth::yes);
    }
    SECTION("it is not, and is announced") {
        world.clock.now += 6s;
        world.pass();
        CHECK(copies() == 1);
        CHECK(world.condition(kWeb).status == Truth::unknown);
    }
}

TEST_CASE("kustomization: what never becomes healthy fails at its timeout, and says which", "[reconcile]") {
    World world;
    world.want(
        "web",
        R"(,"timeout":"1m","healthChecks":[{"apiVersion":"apps/v1","kind":"Deployment","name":"none","namespace":"apps"}])");

    auto const first = world.pass();
    REQUIRE(first.after);
    CHECK(*first.after <= 5s);
    world.clock.now += 5s;
    world.pass();
    CHECK(world.condition(kWeb).status == Truth::unknown);
    world.clock.now += 56s;
    auto const last = world.pass();

    CHECK(world.condition(kWeb).reason == "HealthCheckFailed");
    CHECK(world.condition(kWeb).message ==
          "health check failed after 1m1s: timeout waiting for: [Deployment/apps/none status: 'NotFound']");
    CHECK(last.after == 2min);
    CHECK(world.live() == Names{"a", "b"});
}

TEST_CASE("kustomization: without a cluster it says so and keeps the wish", "[reconcile]") {
    World world;
    world.want("web");
    auto ports = world.ports();
    ports.cluster = nullptr;
    access::Access const nowhere{{nullptr, test::acting(world.cluster, world.asked)}, world.locks};
    Kustomizations alone{ports, nowhere, world.renderer, world.owned, {}, [](Key const&) {}};

    story::Passes::Stories stories{};
    stories[static_cast<std::size_t>(Kind::kustomization)] = &alone;
    story::Passes passes{ports, stories};
    world.run(passes.run(kWeb));

    CHECK(world.condition(kWeb).message == "no cluster is configured: see `kubeconfig` in holdfast.yaml");
    CHECK(world.renderer.renders == 0);
}

TEST_CASE("kustomization: a failed pass is tried again at its retry, whoever wakes it", "[reconcile]") {
    World world;
    world.want("web");
    world.renderer.refuse = Error{Errc::invalid_input, "kustomize build failed"};
    CHECK(world.pass().after == 2min);
    auto const saves = world.journal.saves;

    world.clock.now += 1s;
    auto const woken = world.pass();

    CHECK(woken.after == 119s);
    CHECK(world.renderer.renders == 1);
    CHECK(world.journal.saves == saves);
    world.clock.now += 119s;
    CHECK(world.pass().after == 2min);
    CHECK(world.renderer.renders == 2);
    CHECK(world.journal.transactions == 1);  // the same failure again is written nowhere
    world.commit("2");
    world.pass();
    CHECK(world.renderer.renders == 3);
}

TEST_CASE("kustomization: an adopted inventory of made-up kinds is asked about a hundred times at most",
          "[reconcile]") {
    World world;
    world.cluster.serve({"", "v1", "ConfigMap"});
    auto& entry = world.want("web");
    auto& inventory = entry.status.part<model::KustomizationStatus>().inventory;
    for (int i = 0; i < 1'000; ++i) {
        std::string const number = std::to_string(i);
        inventory.push_back({"apps_x" + number + "_made.up" + std::to_string(i % 300) + "_Kind", "v1"});
    }
    world.story.adopt(entry);
    world.renderer.refuse = Error{Errc::invalid_input, "kustomize build failed: no"};
    auto const before = world.cluster.kinds_asked;

    world.pass();

    CHECK(world.cluster.kinds_asked - before == 100);
}

TEST_CASE("dependencies: one walk answers for all, and the shortest circle is shown", "[reconcile][dependencies]") {
    World world;
    auto const needs = [](std::vector<std::string> const& names) {
        std::string list;
        for (std::string const& name : names) list += (list.empty() ? "{\"name\":\"" : ",{\"name\":\"") + name + "\"}";
        return R"(,"dependsOn":[)" + list + "]";
    };
    Key const a{Kind::kustomization, "apps", "a"};
    Key const b{Kind::kustomization, "apps", "b"};
    Key const tail{Kind::kustomization, "apps", "tail"};
    world.want("a", needs({"b", "long"}));
    world.want("b", needs({"c", "nowhere"}));
    world.want("c", needs({"a"}));
    world.want("long", needs({"b"}));
    world.want("tail", needs({"a"}));
    Dependencies dependencies;
    auto const now = world.clock.now;

    CHECK(dependencies.circle(world.registry, a, b, {}, now) == "a -> b -> c -> a");
    CHECK(dependencies.circle(world.registry, tail, a, {}, now) == "");
    CHECK(dependencies.circle(world.registry, b, {Kind::kustomization, "apps", "nowhere"}, {}, now) == "");

    world.want("c", needs({}));
    CHECK(dependencies.circle(world.registry, a, b, {}, now + 1ms) == "a -> b -> c -> a");  // no walk for each change
    CHECK(dependencies.circle(world.registry, a, b, {}, now + 1s) == "");
}

TEST_CASE("kustomization: a hundred may be depended on, and no more", "[reconcile][dependencies]") {
    World world;
    for (std::size_t const count : {100u, 101u}) {
        std::string list;
        for (std::size_t i = 0; i < count; ++i)
            list += (i == 0 ? "" : ",") + (R"({"name":"k)" + std::to_string(i) + "\"}");
        auto const& entry = world.want("web", R"(,"dependsOn":[)" + list + "]");
        CHECK(entry.problem == (count == 100 ? "" : "spec.dependsOn: more than 100 dependencies"));
    }
}

TEST_CASE("kustomization: a repeated failure costs no write and no event", "[reconcile]") {
    World world;
    world.want("web", R"(,"dependsOn":[{"name":"web"}])");
    world.pass();
    auto const saves = world.journal.saves;
    auto const records = world.journal.records.size();
    std::size_t heard = 0;
    world.registry.listen([&](model::Entry const&, model::Change) { ++heard; });
    world.cluster.log.clear();

    for (int i = 0; i < 10; ++i) world.pass();

    CHECK(world.condition(kWeb).message == "dependency 'apps/web' is not ready: dependency cycle web -> web");
    CHECK(world.journal.saves == saves);
    CHECK(world.journal.records.size() == records);
    CHECK(heard == 0);
    CHECK(world.cluster.log.empty());
}

namespace {

/// A Deployment among the rendered objects, as healthy as a test says.
struct HealthWorld : World {
    rollout::Applied answer(kube::Health health) {
        rollout::Known const* known = owned.find({kWeb}, "apps_a__ConfigMap");
        return {.id = *kube::parse_object_id("apps_a__ConfigMap"),
                .owned = known->object,
                .action = rollout::Action::unchanged,
                .status = {health, "crash loop"}};
    }
    void becomes(kube::Health health) { owned.update({kWeb}, answer(health)); }
};

}  // namespace

TEST_CASE("kustomization: with wait, an object that fails later makes it not ready, and healthy again ready",
          "[reconcile]") {
    HealthWorld world;
    world.want("web", R"(,"wait":true)");
    world.pass();
    REQUIRE(world.condition(kWeb).status == Truth::yes);
    auto const renders = world.renderer.renders;

    world.becomes(kube::Health::failed);
    world.pass();

    CHECK(world.condition(kWeb).status == Truth::no);
    CHECK(world.condition(kWeb).reason == "HealthCheckFailed");
    CHECK(world.condition(kWeb, "Healthy").status == Truth::no);
    CHECK(world.condition(kWeb, "Healthy").message ==
          "failed early due to stalled resources: [ConfigMap/apps/a status: 'Failed']: ConfigMap/apps/a: crash loop");
    CHECK(world.journal.records.back().fields.at("ComplianceState") == "Non-Compliant");
    auto const saves = world.journal.saves;
    world.clock.now += 2min;
    world.pass();
    CHECK(world.journal.saves == saves);  // it is said already

    world.becomes(kube::Health::current);
    world.pass();
    CHECK(world.condition(kWeb).status == Truth::yes);
    CHECK(world.condition(kWeb, "Healthy").status == Truth::yes);
    CHECK(world.journal.records.back().fields.at("ComplianceState") == "Compliant");
    CHECK(world.renderer.renders == renders);
}

TEST_CASE(
    "kustomization: with wait, an object that stays unready fails it at the timeout, a wake-up does not restart it",
    "[reconcile]") {
    HealthWorld world;
    world.want("web", R"(,"wait":true,"timeout":"1m")");
    world.pass();
    world.becomes(kube::Health::in_progress);

    world.pass();
    CHECK(world.condition(kWeb).status == Truth::yes);  // a moment is no news
    for (int second = 0; second < 59; ++second) {
        world.clock.now += 1s;
        world.pass();
    }
    CHECK(world.condition(kWeb).status == Truth::unknown);
    world.clock.now += 1s;
    world.pass();

    CHECK(world.condition(kWeb).reason == "HealthCheckFailed");
    CHECK(world.condition(kWeb).message ==
          "health check failed after 1m0s: timeout waiting for: [ConfigMap/apps/a status: 'InProgress']");
}

TEST_CASE("kustomization: a request on an unhealthy one is answered by the pass it starts", "[reconcile]") {
    HealthWorld world;
    world.want("web", R"(,"wait":true,"timeout":"1m")");
    world.pass();
    world.becomes(kube::Health::in_progress);
    world.registry.find(kWeb)->meta.requested_at = "t1";
    auto const renders = world.renderer.renders;

    world.pass();
    world.becomes(kube::Health::in_progress);  // the apply's answer said otherwise
    for (int second = 0; second <= 61; ++second) {
        world.clock.now += 1s;
        world.pass();
    }

    CHECK(world.renderer.renders == renders + 1);
    CHECK(world.registry.find(kWeb)->status.last_handled_reconcile_at == "t1");
    CHECK(world.condition(kWeb).reason == "HealthCheckFailed");
}

TEST_CASE("kustomization: a request applies every object, known or not", "[reconcile]") {
    World world;
    world.want("web");
    world.pass();
    world.cluster.log.clear();
    world.registry.find(kWeb)->meta.requested_at = "t1";

    world.pass();

    CHECK(std::ranges::count(world.cluster.log, "apply ConfigMap/apps/a") == 1);
    CHECK(std::ranges::count(world.cluster.log, "apply ConfigMap/apps/b") == 1);
}

TEST_CASE("kustomization: an object that moves to another one of the same source is never deleted", "[reconcile]") {
    struct ByName final : Renderer {
        std::map<std::string, Names> names;  // by path
        Task<Rendered> render(std::string, model::Artifact artifact, model::KustomizationSpec spec, bool) override {
            Rendered out{.digest = "sha256:" + artifact.digest + spec.path};
            for (std::string const& name : names[spec.path]) {
                out.objects.push_back({{"apiVersion", "v1"},
                                       {"kind", "ConfigMap"},
                                       {"metadata", boost::json::object{{"name", name}, {"namespace", "apps"}}}});
            }
            co_return out;
        }
    };
    World world;
    ByName renderer;
    Kustomizations story{world.ports(), world.access, renderer, world.owned, {}, [](Key const&) {}};
    renderer.names = {{"./web", {"moved", "web"}}, {"./base", {"base"}}};
    world.want("web", R"(,"path":"./web")");
    world.want("base", R"(,"path":"./base")");
    auto const pass = [&](Key const& key) { return world.StoryWorld::pass(story, key); };
    pass(kWeb);
    pass(kBase);
    auto const uid = std::string{kube::uid_of(world.cluster.objects.at("apps_moved__ConfigMap"))};
    world.commit("2");
    renderer.names = {{"./web", {"web"}}, {"./base", {"base", "moved"}}};

    auto const waits = pass(kWeb);
    CHECK(waits.after == 500ms);
    CHECK(world.cluster.objects.contains("apps_moved__ConfigMap"));
    pass(kBase);
    pass(kWeb);

    CHECK(std::string{kube::uid_of(world.cluster.objects.at("apps_moved__ConfigMap"))} == uid);
    CHECK(world.inventory() == Names{"apps_web__ConfigMap"});
    CHECK(world.inventory(kBase) == Names{"apps_base__ConfigMap", "apps_moved__ConfigMap"});
    CHECK(world.condition(kWeb).message == "Applied revision: main@sha1:2");
}

TEST_CASE("kustomization: what is stale does not wait for ever for the others", "[reconcile]") {
    World world;
    world.want("web");
    world.want("base");  // never runs
    world.pass();
    world.commit("2");
    world.renderer.names = {"b"};
    world.pass();
    CHECK(world.live() == Names{"a", "b"});

    world.clock.now += 11s;
    world.pass();

    CHECK(world.live() == Names{"b"});
    CHECK(world.condition(kWeb).status == Truth::yes);
}

TEST_CASE("kustomization: WaitForTermination waits for what a finalizer holds, and says so", "[reconcile]") {
    World world;
    world.want("web", R"(,"deletionPolicy":"WaitForTermination","timeout":"1m")");
    world.pass();
    world.cluster.objects.at("apps_a__ConfigMap")["metadata"].as_object()["finalizers"] =
        boost::json::array{"ex.io/hold"};
    world.registry.find(kWeb)->meta.deleting = true;

    auto const first = world.pass();

    CHECK(first.after == 2s);
    REQUIRE(world.registry.find(kWeb) != nullptr);
    CHECK(world.condition(kWeb).message == "waiting for the termination of [ConfigMap/apps/a]");
    CHECK(world.journal.entries.contains(kWeb));
    SECTION("until it is gone") {
        world.cluster.objects.erase("apps_a__ConfigMap");
        world.pass();
        CHECK(world.registry.find(kWeb) == nullptr);
    }
    SECTION("or until the timeout") {
        world.clock.now += 61s;
        world.pass();
        CHECK(world.registry.find(kWeb) == nullptr);
    }
}

TEST_CASE("kustomization: a deletion that cannot go on says why, and backs off", "[reconcile]") {
    World world;
    world.want("web");
    world.pass();
    world.cluster.discovery_fails = Error{Errc::busy, "the server is not able to say"};
    world.registry.find(kWeb)->meta.deleting = true;

    auto const first = world.pass();

    CHECK(world.condition(kWeb).reason == "PruneFailed");
    CHECK(world.condition(kWeb).message.starts_with("pruning for deleted resource failed: delete failed, errors: "));
    CHECK(model::compliance_of(world.registry.find(kWeb)->status.conditions, false) ==
          model::Compliance::non_compliant);
    REQUIRE(first.after);
    CHECK(*first.after >= 4s);
    world.cluster.discovery_fails.reset();
    world.pass();
    CHECK(world.live().empty());
    CHECK(world.registry.find(kWeb) == nullptr);
}

TEST_CASE("kustomization: a refused finalizer is a condition and a back-off", "[reconcile]") {
    World world;
    world.want("web").meta.has_finalizer = false;
    world.cluster.objects["apps_web_kustomize.toolkit.fluxcd.io_Kustomization"] =
        boost::json::parse(R"({"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization",
                               "metadata":{"name":"web","namespace":"apps","resourceVersion":"1"}})")
            .as_object();
    world.cluster.refuse_patch = [](kube::Target const& target,
                                    boost::json::value const&) -> std::optional<kube::Refusal> {
        if (target.subresource == "status") return std::nullopt;
        return kube::Refusal{.code = 403, .reason = "Forbidden", .message = "not yours"};
    };

    auto const next = world.pass();

    REQUIRE(next.after);
    CHECK(*next.after >= 4s);
    CHECK(world.condition(kWeb).reason == "FinalizerFailed");
    CHECK(world.condition(kWeb).message.find("not yours") != std::string::npos);
    CHECK(world.renderer.renders == 0);
}

TEST_CASE("kustomization: an exception ends its pass, and nothing else", "[reconcile]") {
    struct Broken final : Renderer {
        Task<Rendered> render(std::string, model::Artifact, model::KustomizationSpec, bool) override {
            throw std::out_of_range{"vector::_M_range_check"};
            co_return Rendered{};
        }
    };
    World world;
    Broken renderer;
    Kustomizations story{world.ports(), world.access, renderer, world.owned, {}, [](Key const&) {}};
    world.want("web");

    auto const next = world.StoryWorld::pass(story, kWeb);

    REQUIRE(next.after);
    CHECK(*next.after >= 4s);
    CHECK(world.condition(kWeb).reason == "InternalError");
    CHECK(world.condition(kWeb).message == "a bug of Holdfast ended this pass: vector::_M_range_check");
}

TEST_CASE("kustomization: what the journal could not be told is not said either, and is tried again", "[reconcile]") {
    World world;
    world.want("web");
    world.journal.refuse = Error{Errc::limit, "the disk is full"};
    CHECK(world.pass().after == 10s);
    CHECK(world.condition(kWeb).type == "absent");
    CHECK(world.registry.find(kWeb)->unrecorded == "the disk is full");

    world.journal.refuse.reset();
    world.clock.now += 2min;
    world.pass();

    CHECK(world.registry.find(kWeb)->unrecorded.empty());
    CHECK(world.condition(kWeb).status == Truth::yes);
}

TEST_CASE("kustomization: what it applied is in the journal in the end, though the disk was full when it ended",
          "[reconcile]") {
    World world;
    world.want("web");
    world.pass();
    world.commit("2");
    world.renderer.names = {"a", "b"};
    // Nothing new to plan: the first write of this pass is its end.
    world.journal.refuse = Error{Errc::limit, "the disk is full"};
    world.pass();
    world.journal.refuse.reset();
    auto const before = world.journal.entries.at(kWeb).owned.at(0).wished;

    world.pass();

    CHECK(world.journal.entries.at(kWeb).owned.at(0).wished != before);
    CHECK(world.condition(kWeb).message == "Applied revision: main@sha1:2");
}

namespace {

std::string const kDeployer = "system:serviceaccount:apps:deployer ";
constexpr auto kAsDeployer = R"(,"serviceAccountName":"deployer")";

/// What was asked of objects that are not the daemon's own, in the words of Asked.
Names touched(World const& world) {
    Names all;
    for (std::string const& line : world.cluster.log) {
        bool const writes = line.starts_with("apply ") || line.starts_with("dry-run ") || line.starts_with("delete ") ||
                            line.starts_with("json-patch ");
        if (writes) all.push_back(line);
    }
    return all;
}

Names writes_as(World const& world, std::string const& user) {
    Names all;
    for (std::string const& line : world.asked.log) {
        if (line.starts_with(user) && !line.starts_with(user + "get ")) all.push_back(line.substr(user.size()));
    }
    return all;
}

}  // namespace

TEST_CASE("kustomization: what is asked for one that names an account goes out as that account", "[reconcile]") {
    World world;
    world.cluster.objects["apps_deployer__ServiceAccount"] = {};
    world.cluster.objects["apps_late__ConfigMap"] = {};
    world.want("web",
               std::string{kAsDeployer} +
                   R"(,"healthChecks":[{"apiVersion":"v1","kind":"ConfigMap","name":"late","namespace":"apps"}])");
    world.pass();
    CHECK(world.condition(kWeb).status == Truth::yes);
    CHECK(world.asked.has(kDeployer + "get ConfigMap/apps/late"));

    world.renderer.names = {"a"};
    world.commit("2");
    world.pass();
    CHECK(world.condition(kWeb).status == Truth::yes);
    CHECK(world.asked.has(kDeployer + "get ConfigMap/apps/b"));
    CHECK(world.asked.has(kDeployer + "delete ConfigMap/apps/b"));

    world.registry.find(kWeb)->meta.deleting = true;
    world.pass();
    CHECK(world.asked.has(kDeployer + "delete ConfigMap/apps/a"));
    CHECK(touched(world) == writes_as(world, kDeployer));
    CHECK(std::ranges::all_of(world.asked.log, [](auto const& line) { return line.starts_with(kDeployer); }));
}

TEST_CASE("kustomization: a version that is served no more is noticed at the interval, and told as an apply tells it",
          "[reconcile]") {
    World world;
    world.cluster.serve({"", "v1", "ConfigMap"});
    world.cluster.serve({"", "v2", "ConfigMap"});
    world.want("web");
    world.pass();
    world.cluster.log.clear();
    world.cluster.stop_serving({"", "v1", "ConfigMap"});

    world.clock.now += 9min;
    world.pass();
    CHECK(world.condition(kWeb).status == Truth::yes);
    world.clock.now += 1min;
    auto const next = world.pass();

    CHECK(next.after == 2min);
    CHECK(world.condition(kWeb).reason == "ReconciliationFailed");
    CHECK(world.condition(kWeb).message.contains("no matches for kind \"ConfigMap\" in version \"v1\""));
    CHECK(world.live() == Names{"a", "b"});
    CHECK(world.inventory() == Names{"apps_a__ConfigMap", "apps_b__ConfigMap"});
    auto const renders = world.renderer.renders;
    world.clock.now += 1min;
    world.pass();  // woken: not before its time
    CHECK(world.renderer.renders == renders);

    world.cluster.serve({"", "v1", "ConfigMap"});
    world.clock.now += 1min;
    world.pass();
    CHECK(world.condition(kWeb).status == Truth::yes);
    world.cluster.log.clear();
    world.clock.now += 10min;
    world.pass();
    CHECK(world.cluster.log.empty());
}

TEST_CASE("kustomization: a server that cannot say which versions it serves has not ended any", "[reconcile]") {
    World world;
    world.want("web");
    world.pass();
    world.cluster.discovery_fails = Error{Errc::busy, "the server is not able to say"};
    world.clock.now += 10min;

    world.pass();

    CHECK(world.condition(kWeb).status == Truth::yes);
}

TEST_CASE("kustomization: an account without rights gets the server's words, and nothing is written", "[reconcile]") {
    World world;
    world.asked.refused = {kDeployer + "dry-run ConfigMap/apps/b", kDeployer + "get"};
    world.want("web", kAsDeployer);

    world.pass();

    CHECK(world.live().empty());
    CHECK(world.inventory().empty());
    CHECK(world.journaled().empty());
    CHECK(world.condition(kWeb).reason == "ReconciliationFailed");
    CHECK(world.condition(kWeb).message ==
          "ConfigMap/apps/b dry-run failed (Forbidden): " + kDeployer + "cannot dry-run ConfigMap/apps/b\n");
    world.renderer.names = {"a"};
    world.commit("2");
    world.pass();
    CHECK(world.condition(kWeb).reason == "ReconciliationSucceeded");  // what it never wrote is not its to prune
}

TEST_CASE("kustomization: another account applies everything itself before it counts as applied", "[reconcile]") {
    World world;
    world.want("web");
    world.pass();
    REQUIRE(world.condition(kWeb).status == Truth::yes);
    bool const may = GENERATE(true, false);
    if (!may) world.asked.refused = {kDeployer + "dry-run"};

    world.want("web", kAsDeployer);
    world.pass();

    CHECK(world.condition(kWeb).status == (may ? Truth::yes : Truth::no));
    CHECK(world.asked.has(kDeployer + "dry-run ConfigMap/apps/a"));
    world.asked.log.clear();
    world.clock.now += 2min;
    world.pass();
    CHECK(world.asked.log.empty() == may);  // what failed is tried again, with nothing taken for known
    world.asked.refused.clear();
    world.cluster.log.clear();
    world.want("web");
    world.pass();
    CHECK(world.condition(kWeb).status == Truth::yes);
    CHECK((touched(world).empty() == !may));  // the rights that it was applied with last are not asked again
}

TEST_CASE("kustomization: after a restart the account that applied is known", "[reconcile]") {
    World before;
    before.want("web", kAsDeployer);
    before.pass();
    World after;
    auto& entry = after.want("web", kAsDeployer);
    auto const& kept = before.journal.entries.at(kWeb);
    entry.status = model::read_status(Kind::kustomization, boost::json::parse(kept.status).as_object());
    after.story.load(kept);

    after.pass();

    CHECK(after.asked.log.empty());
    CHECK(after.renderer.renders == 0);
}

TEST_CASE("kustomization: a refused deletion is said, and what it was of stays owned", "[reconcile]") {
    World world;
    world.cluster.objects["apps_deployer__ServiceAccount"] = {};
    world.asked.refused = {kDeployer + "delete"};
    world.want("web", kAsDeployer);
    world.pass();
    world.renderer.names = {"a"};
    world.commit("2");

    world.pass();

    CHECK(world.condition(kWeb).reason == "PruneFailed");
    CHECK(world.inventory() == Names{"apps_a__ConfigMap", "apps_b__ConfigMap"});
    CHECK(world.cluster.objects.contains("apps_b__ConfigMap"));
    world.registry.find(kWeb)->meta.deleting = true;
    world.pass();
    CHECK(world.condition(kWeb).reason == "PruneFailed");
    CHECK(world.registry.find(kWeb) != nullptr);
}

TEST_CASE("kustomization: when its account is gone nothing is pruned, and it says what stays", "[reconcile]") {
    World world;
    world.want("web", kAsDeployer);
    world.pass();
    world.cluster.log.clear();
    world.registry.find(kWeb)->meta.deleting = true;

    world.pass();

    CHECK(world.registry.find(kWeb) == nullptr);
    CHECK(world.live() == Names{"a", "b"});
    CHECK(touched(world).empty());
    REQUIRE_FALSE(world.cluster.events.empty());
    auto const& event = world.cluster.events.back();
    CHECK(kube::find_string(event, {"type"}) == "Warning");
    CHECK(kube::find_string(event, {"reason"}) == "ReconciliationSucceeded");
    CHECK(kube::find_string(event, {"message"})
              .starts_with("unable to prune objects: \nConfigMap/apps/a\nConfigMap/apps/b"));
}

TEST_CASE("kustomization: an account that nobody can ask for keeps the deletion waiting", "[reconcile]") {
    World world;
    world.want("web", kAsDeployer);
    world.pass();
    world.cluster.get_fails = Error{Errc::offline, "no answer"};
    world.registry.find(kWeb)->meta.deleting = true;

    auto const next = world.pass();

    CHECK(world.condition(kWeb).reason == "PruneFailed");
    CHECK(world.condition(kWeb).message ==
          "pruning for deleted resource failed: service account apps/deployer: no answer");
    CHECK(next.after);
    CHECK(world.live() == Names{"a", "b"});
    world.cluster.get_fails.reset();
    world.cluster.objects["apps_deployer__ServiceAccount"] = {};
    world.clock.now += 30s;
    world.pass();
    CHECK(world.registry.find(kWeb) == nullptr);
    CHECK_FALSE(world.cluster.objects.contains("apps_a__ConfigMap"));
}

TEST_CASE("kustomization: a health check of what its account may not read says so at its timeout", "[reconcile]") {
    World world;
    world.asked.refused = {kDeployer + "get"};
    world.cluster.objects["apps_late__ConfigMap"] = {};
    bool const before = GENERATE(true, false);  // whether it was ready before that
    std::string const check =
        R"(,"healthChecks":[{"apiVersion":"v1","kind":"ConfigMap","name":"late","namespace":"apps"}],"timeout":"1m")";
    if (before) {
        world.want("web", check);
        world.pass();
        REQUIRE(world.condition(kWeb).status == Truth::yes);
    }
    world.want("web", check + kAsDeployer);
    world.pass();
    world.clock.now += 61s;
    world.pass();

    CHECK(world.condition(kWeb).reason == "HealthCheckFailed");
    CHECK(world.condition(kWeb).message ==
          "health check failed after 1m1s: timeout waiting for: [ConfigMap/apps/late status: 'Unknown': " + kDeployer +
              "cannot get ConfigMap/apps/late]");
}

namespace {

std::string const kFarAway = R"(,"kubeConfig":{"secretRef":{"name":"far"}})";

std::size_t applied_far(World const& world) {
    return static_cast<std::size_t>(std::ranges::count_if(
        world.far.cluster.log, [](std::string const& line) { return line.starts_with("apply "); }));
}

}  // namespace

TEST_CASE("kustomization: one with kubeConfig has its life on that cluster, and its inventory names it",
          "[reconcile]") {
    World world;
    world.lead_far();
    world.want("web", kFarAway);

    world.pass();

    CHECK(world.condition(kWeb).message == "Applied revision: main@sha1:1");
    CHECK(applied_far(world) == 2);
    CHECK_FALSE(world.cluster.objects.contains("apps_a__ConfigMap"));
    CHECK(world.inventory() == Names{"apps_a__ConfigMap", "apps_b__ConfigMap"});
    for (auto const& one : world.journal.entries[kWeb].owned) CHECK(one.cluster == "https://far:6443 u-far");
    world.pass();
    CHECK(applied_far(world) == 2);  // nothing is new

    world.renderer.names = {"a"};
    world.commit("2");
    world.pass();
    CHECK_FALSE(world.far.cluster.objects.contains("apps_b__ConfigMap"));

    world.registry.find(kWeb)->meta.deleting = true;
    world.pass();
    CHECK(world.registry.find(kWeb) == nullptr);
    CHECK_FALSE(world.far.cluster.objects.contains("apps_a__ConfigMap"));
    CHECK(world.remotes.size() == 0);
}

TEST_CASE("kustomization: after a restart it goes on at its cluster, also when that is away at first", "[reconcile]") {
    World world;
    world.lead_far();
    world.want("web", kFarAway);
    world.pass();
    auto const before = applied_far(world);
    Kustomizations again{world.ports(), world.access, world.renderer, world.owned, {}, [](Key const&) {}};
    again.load(world.journal.entries[kWeb]);
    bool const away = GENERATE(true, false);
    if (away) {
        ++world.far.breaks;
        world.far.cluster.get_fails = Error{Errc::offline, "connection refused"};
        world.StoryWorld::pass(again, kWeb);
        CHECK(world.condition(kWeb).reason == "ReconciliationFailed");
        CHECK(world.condition(kWeb).message == "https://far:6443: identity of the cluster: connection refused");
        CHECK(world.inventory() == Names{"apps_a__ConfigMap", "apps_b__ConfigMap"});
        world.far.cluster.get_fails.reset();
        world.clock.now += 121s;
    }

    world.StoryWorld::pass(again, kWeb);

    CHECK(world.condition(kWeb).status == Truth::yes);
    CHECK(applied_far(world) == before);
    CHECK(world.journaled() == Names{"apps_a__ConfigMap", "apps_b__ConfigMap"});
}

TEST_CASE("kustomization: with other credentials everything is applied before it counts as applied", "[reconcile]") {
    World world;
    world.lead_far("t1");
    world.want("web", kFarAway);
    world.pass();

    world.lead_far("t2");
    world.pass();

    CHECK(world.far.configs.size() == 2);
    CHECK(applied_far(world) == 4);
    CHECK(world.inventory() == Names{"apps_a__ConfigMap", "apps_b__ConfigMap"});
}

TEST_CASE("kustomization: on another cluster nothing of the former inventory is pruned or taken as applied",
          "[reconcile]") {
    World world;
    std::string const from = GENERATE("home", "elsewhere");
    world.lead_far("t", "u-former");
    world.want("web", from == "home" ? "" : kFarAway);
    world.pass();
    REQUIRE(world.inventory().size() == 2);
    test::FakeCluster& former = from == "home" ? world.cluster : world.far.cluster;
    auto const there = former.objects;

    // Another cluster, where somebody has an object of the same name.
    if (from == "home") {
        world.lead_far();
        world.want("web", kFarAway);
    } else {
        ++world.far.breaks;
        world.far.cluster.objects.clear();
        world.lead_far("t", "u-other");
    }
    world.far.cluster.objects["apps_b__ConfigMap"] = there.at("apps_b__ConfigMap");
    world.far.cluster.log.clear();
    world.renderer.names = {"a"};
    world.commit("2");
    world.pass();

    CHECK(world.condition(kWeb).message == "Applied revision: main@sha1:2");
    CHECK(world.inventory() == Names{"apps_a__ConfigMap"});
    CHECK(world.journaled() == Names{"apps_a__ConfigMap"});
    CHECK(world.far.cluster.objects.contains("apps_a__ConfigMap"));
    CHECK(world.far.cluster.objects.contains("apps_b__ConfigMap"));
    if (from == "home") CHECK(world.cluster.objects.contains("apps_a__ConfigMap"));
}

TEST_CASE("kustomization: what was applied to another cluster than it names at its deletion stays", "[reconcile]") {
    World world;
    world.want("web");
    world.pass();
    world.lead_far();
    world.want("web", kFarAway).meta.deleting = true;

    world.pass();

    CHECK(world.registry.find(kWeb) == nullptr);
    CHECK(world.cluster.objects.contains("apps_a__ConfigMap"));
    REQUIRE_FALSE(world.cluster.events.empty());
    CHECK(std::string{kube::find_string(world.cluster.events.back(), {"message"})}.starts_with(
        "unable to prune objects: \nConfigMap/apps/a\nConfigMap/apps/b\nit was applied to another cluster"));
}

TEST_CASE("kustomization: deleted while its Secret is gone it waits, and says how it is let go", "[reconcile]") {
    World world;
    world.lead_far();
    world.want("web", kFarAway);
    world.pass();
    world.cluster.objects.erase("apps_far__Secret");
    world.registry.find(kWeb)->meta.deleting = true;

    world.pass();

    CHECK(world.condition(kWeb).reason == "PruneFailed");
    CHECK(world.condition(kWeb).message.find("unable to read KubeConfig secret 'apps/far'") != std::string::npos);
    CHECK(world.condition(kWeb).message.find("deletionPolicy: Orphan") != std::string::npos);
    CHECK(world.far.cluster.objects.contains("apps_a__ConfigMap"));
    world.lead_far();
    world.clock.now += 301s;
    world.pass();
    CHECK(world.registry.find(kWeb) == nullptr);
    CHECK_FALSE(world.far.cluster.objects.contains("apps_a__ConfigMap"));
}

TEST_CASE("kustomization: a kubeConfig that cannot be read stops the pass in Flux's words, and touches nothing",
          "[reconcile]") {
    World world;
    world.want("web", kFarAway);

    auto const next = world.pass();

    CHECK(next.after == 2min);
    CHECK(world.condition(kWeb).reason == "ReconciliationFailed");
    CHECK(world.condition(kWeb).message == "unable to read KubeConfig secret 'apps/far' error: not found");
    CHECK(world.status().last_attempted_revision == "main@sha1:1");
    CHECK(kube::find_string(world.cluster.events.back(), {"message"}) ==
          "failed to build kube client: unable to read KubeConfig secret 'apps/far' error: not found");
    CHECK(world.renderer.renders == 0);
    // Nobody asks again before its time, whoever wakes it.
    world.lead_far();
    world.pass();
    CHECK(world.condition(kWeb).status == Truth::no);
    world.clock.now += 121s;
    world.pass();
    CHECK(world.condition(kWeb).status == Truth::yes);
}

}  // namespace holdfast::reconcile
