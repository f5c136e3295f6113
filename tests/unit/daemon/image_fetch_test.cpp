// tests/unit/daemon/image_fetch_test.cpp: a layer by way of a worker, and workers that are not what they should be.
// Goal: what a worker fetches is what fetch_image() fetches here, an unchanged tag needs no worker, and whatever a worker says
// that was taken over, one fetch fails and nothing else happens.
// Method: the real work of the daemon's zygote against a small registry; beside it a work that lies, chosen by the tag.
#include "daemon/fetch.hpp"
#include "daemon/image_request.hpp"
#include "daemon/worker_jobs.hpp"

#include "modules/base/json_text.hpp"
#include "modules/sandbox/outside.hpp"
#include "tests/support/small_registry.hpp"
#include "tests/support/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <csignal>

namespace holdfast::daemon {

using source::Image;
using source::ImageMiss;
using source::ImageStep;
using source::ImageWish;

namespace {

std::string const kDigest = "sha256:" + std::string(64, 'a');

std::string answer(Image image) { return describe(std::expected<Image, ImageMiss>{std::move(image)}); }

/// A worker that a registry has taken over, each in its own way.
Result<std::string> lie(int, std::string_view request) {
    auto const parsed = parse_json(request).value();
    auto const wish = read_image_wish(parsed.as_object()).value();
    std::string const revision = wish.tag + "@" + kDigest;
    if (wish.tag == "crash") ::raise(SIGSEGV);
    if (wish.tag == "no-json") return "{";
    if (wish.tag == "other-tag") return answer({.revision = "x@" + kDigest, .is_news = true});
    if (wish.tag == "no-digest") return answer({.revision = wish.tag + "@sha256:../../x", .is_news = true});
    if (wish.tag == "no-metadata") return answer({.revision = revision, .metadata = R"({"a":1})", .is_news = true});
    if (wish.tag == "no-pass")
        return answer({.revision = revision, .is_news = true, .pass = {.authorization = "a\r\nX: y"}});
    if (wish.tag == "nothing-new") return answer({.revision = revision});
    if (wish.tag == "control") {
        ImageMiss const miss{.error = {static_cast<Errc>(99), "a\x1b[31m\nb"}, .step = static_cast<ImageStep>(9)};
        return describe(std::expected<Image, ImageMiss>{std::unexpected{miss}});
    }
    if (wish.tag == "other-host") {
        auto const got = sandbox::outside::connect("127.0.0.1", 1);
        return fail(Errc::busy, got ? "connected" : got.error().message);
    }
    return fail(Errc::busy, "no such way");
}

struct Place {
    test::TempDir dir;
    sandbox::Zygote zygote;
    FetchWorkers workers{zygote};
    test::SmallRegistry registry;
    source::FetchPlace place{.scratch = dir.path(), .reach = http::Reach::of_operator()};
    ImageWish wish{.url = "oci://registry/org/app",
                   .remote = {.name = {registry.server.authority, "org/app"}, .insecure = true}};

    explicit Place(sandbox::Work work = run_worker_job) : zygote{start(work)} {}
    static sandbox::Zygote start(sandbox::Work work) {
        auto zygote =
            sandbox::Zygote::start({{.work = run_worker_job, .limits = {}},
                                    {.work = work, .limits = fetch_limits(64u << 20), .role = sandbox::Role::fetch}});
        REQUIRE(zygote);
        return std::move(*zygote);
    }

    std::string bytes;
    source::ArtifactSink sink = [this](std::string_view piece) -> Result<void> {
        bytes += piece;
        return {};
    };
    std::expected<Image, ImageMiss> fetch() {
        bytes.clear();
        return workers.fetch(wish, place, sink);
    }
    std::expected<Image, ImageMiss> fetch_here() {
        bytes.clear();
        return source::fetch_image(wish, place, sink);
    }
    std::string error_of(std::string const& way) {
        wish.tag = way;
        auto const image = fetch();
        if (image) return "none";
        return std::string{to_string(image.error().error.code)} + " " + image.error().error.message;
    }
};

std::string offer(Place& place) {
    source::MemoryTree tree;
    tree.directory("apps")
        .add("apps/a.yaml", "a: 1\n")
        .add("big", std::string(3u << 20, 'b'))
        .add(".sourceignore", "x\n")
        .add("x", "y");
    return place.registry.put("latest", place.registry.manifest({{"application/any", test::layer_of(tree)}},
                                                                R"(,"annotations":{"k":"\u0001ä"})"));
}

}  // namespace

TEST_CASE("image fetch: a worker brings what this process would have brought", "[daemon][fetch]") {
    Place place;
    offer(place);
    for (bool const copy : {false, true}) {
        place.wish.copy = copy;
        auto const here = place.fetch_here();
        auto const bytes = place.bytes;
        auto const there = place.fetch();

        INFO((there ? there->revision : there.error().error.message));
        REQUIRE(here);
        REQUIRE(there);
        CHECK(there->revision == here->revision);
        CHECK(there->digest == here->digest);
        CHECK(there->metadata == here->metadata);
        CHECK(there->is_news);
        CHECK(place.bytes == bytes);
    }
    CHECK(std::filesystem::is_empty(place.dir.path()));
}

TEST_CASE("image fetch: an unchanged tag is one HEAD, a held digest nothing at all", "[daemon][fetch]") {
    Place place;
    auto const digest = offer(place);
    place.wish.known = "latest@" + digest;

    auto const same = place.fetch();
    CHECK(place.registry.server.asked() == std::vector<std::string>{"HEAD /v2/org/app/manifests/latest"});
    place.registry.server.forget();
    place.wish.digest = place.wish.known = digest;
    auto const held = place.fetch();

    REQUIRE(same);
    CHECK_FALSE(same->is_news);
    REQUIRE(held);
    CHECK_FALSE(held->is_news);
    CHECK(place.registry.server.asked().empty());
}

TEST_CASE("image fetch: what goes wrong is said in the words of here", "[daemon][fetch]") {
    Place place;
    auto const compare = [&] {
        auto const here = place.fetch_here();
        auto const there = place.fetch();
        REQUIRE_FALSE(here);
        REQUIRE_FALSE(there);
        CHECK(there.error().error.code == here.error().error.code);
        CHECK(there.error().error.message == here.error().error.message);
        CHECK(there.error().step == here.error().step);
    };
    place.wish.tag = "gone";
    compare();
    place.wish.semver = "1.x";
    compare();
    place.wish.semver = "";
    place.wish.tag = "";
    place.registry.put("latest", "no manifest");
    compare();
    place.registry.put("latest", place.registry.manifest({{"a", "no gzip"}}));
    compare();
    offer(place);
    place.wish.ignore = std::string(5'000, 'x');
    compare();
    CHECK(std::filesystem::is_empty(place.dir.path()));
}

TEST_CASE("image fetch: a pass that let a worker in is shown by the next look", "[daemon][fetch]") {
    Place place;
    auto const digest = test::sha256_of("{}");
    place.registry.server.answer([](http::ServerRequest const& request) {
        if (request.headers.get("Authorization").empty()) {
            auto refusal = http::json_answer(401, "{}");
            refusal.headers.set("WWW-Authenticate", "Basic realm=\"r\"");
            return refusal;
        }
        auto answer = http::text_answer(200, "{}", test::kManifestType);
        answer.headers.set("Docker-Content-Digest", test::sha256_of("{}"));
        return answer;
    });
    REQUIRE(place.wish.remote.logins.add(place.registry.server.authority, {.username = "u", .password = "p"}));
    place.wish.known = "latest@" + digest;

    REQUIRE(place.fetch());
    CHECK(place.registry.server.asked().size() == 3);  // a HEAD that is refused, then the worker's own two
    place.registry.server.forget();
    auto const image = place.fetch();

    REQUIRE(image);
    CHECK_FALSE(image->is_news);
    CHECK(place.registry.server.asked() == std::vector<std::string>{"HEAD /v2/org/app/manifests/latest Basic dTpw"});
}

TEST_CASE("image fetch: a worker that was taken over gets nowhere", "[daemon][fetch][req:R-22]") {
    Place place{lie};
    place.place.reach = http::Reach::of_source({});
    std::string const pull = "failed to pull artifact from 'oci://registry/org/app': ";
    std::string const none = "corrupt " + pull + "the fetch worker's answer: ";

    CHECK(place.error_of("crash") == "invalid_input " + pull + "the fetch process crashed (Segmentation fault)");
    CHECK(place.error_of("other-host").contains("loopback address"));
    CHECK(place.error_of("no-json") == none + "no object");
    CHECK(place.error_of("other-tag") == none + "no revision that was asked for");
    CHECK(place.error_of("no-digest") == none + "no revision that was asked for");
    CHECK(place.error_of("no-metadata") == none + "annotations that are none");
    CHECK(place.error_of("no-pass") == none + "a pass that is none");
    CHECK(place.error_of("nothing-new") == none + "nothing new, of something that is not held");
    CHECK(place.error_of("control") == "invalid_input a [31m b");
    CHECK(std::filesystem::is_empty(place.dir.path()));
}

}  // namespace holdfast::daemon
