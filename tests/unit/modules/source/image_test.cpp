// tests/unit/modules/source/image_test.cpp: from a registry to one layer, as files or as it is.
// Goal: which tag, which platform and which layer are those that Flux would take, and nothing comes of what is not whole.
// Method: fetch_image() in this process against a small registry; the layers are written by our own writer.
#include "modules/oci/manifest.hpp"
#include "modules/source/image.hpp"
#include "tests/support/small_registry.hpp"
#include "tests/support/temp_dir.hpp"

#include <catch2/catch.hpp>

namespace holdfast::source {

namespace {

using test::layer_of;
using test::sha256_of;
using test::SmallRegistry;

constexpr auto kAny = "application/any";
constexpr auto kChart = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

struct World {
    test::TempDir dir;
    SmallRegistry registry;
    ImageWish wish{.url = "oci://registry/org/app",
                   .remote = {.name = {registry.server.authority, "org/app"}, .insecure = true}};
    std::string bytes;

    std::expected<Image, ImageMiss> fetch() {
        bytes.clear();
        return fetch_image(wish, {.scratch = dir.path(), .reach = http::Reach::of_operator()},
                           [this](std::string_view piece) -> Result<void> {
                               bytes += piece;
                               return {};
                           });
    }
    std::string revision() {
        auto const image = fetch();
        return image ? image->revision : image.error().error.message;
    }
};

MemoryTree files() {
    MemoryTree tree;
    tree.directory("apps").add("apps/a.yaml", "a: 1\n").add("run.sh", "#!/bin/sh\n", EntryKind::executable);
    tree.add("big", std::string(300'000, 'b')).add("c.jpg", "x");
    return tree;
}

}  // namespace

TEST_CASE("image: the files of a layer become the artifact that the ignore rules leave", "[source][image]") {
    World world;
    auto tree = files();
    auto const layer = layer_of(tree);
    auto const digest =
        world.registry.put("latest", world.registry.manifest({{kAny, layer}}, R"(,"annotations":{"k":"v"})"));
    for (auto const& ignore : {std::optional<std::string>{}, std::optional<std::string>{"big\n"}}) {
        world.wish.ignore = ignore;
        auto plain = files();
        std::string expected;
        auto const written = write_artifact(plain, ignore, [&](std::string_view piece) -> Result<void> {
            expected += piece;
            return {};
        });
        REQUIRE(written);

        auto const image = world.fetch();

        REQUIRE(image);
        CHECK(image->revision == "latest@" + digest);
        CHECK(image->is_news);
        CHECK(image->metadata == R"({"k":"v"})");
        CHECK(image->digest == written->digest);
        CHECK(world.bytes == expected);
    }
    CHECK(std::filesystem::is_empty(world.dir.path()));
}

TEST_CASE("image: what is known is asked for once and not fetched", "[source][image]") {
    World world;
    auto const digest = world.registry.put("1", world.registry.manifest({{kAny, "x"}}));
    world.wish.tag = "1";
    world.wish.known = "1@" + digest;

    auto const image = world.fetch();

    REQUIRE(image);
    CHECK_FALSE(image->is_news);
    CHECK(world.bytes.empty());
    CHECK(world.registry.server.asked() == std::vector<std::string>{"GET /v2/org/app/manifests/1"});
}

TEST_CASE("image: a digest wins over a range, and a range over a tag", "[source][image]") {
    World world;
    auto tree = files();
    auto const text = world.registry.manifest({{kAny, layer_of(tree)}});
    std::string digest;
    for (auto const* tag : {"1.0.0", "1.2.0", "v1.2.0", "1.3.0-rc.1", "2", "2.0", "latest", "2.0.0_x"})
        digest = world.registry.put(tag, text);
    world.registry.tags = R"({"tags":["latest","1.0.0","1.2.0","v1.2.0","1.3.0-rc.1","2","2.0","2.0.0_x","../x"]})";
    world.wish.tag = "1.0.0";

    CHECK(world.revision() == "1.0.0@" + digest);
    world.wish.semver = ">=1.0.0";
    CHECK(world.revision() == "1.2.0@" + digest);
    world.wish.semver = ">=1.0.0-0";
    CHECK(world.revision() == "1.3.0-rc.1@" + digest);
    world.wish.semver_filter = "^v";
    CHECK(world.revision() == "v1.2.0@" + digest);
    world.wish.semver_filter = "(";
    CHECK(world.revision().contains("error parsing regexp"));
    world.wish.semver_filter = "^nothing$";
    CHECK(world.revision() ==
          "failed to determine the artifact tag for 'oci://registry/org/app': no match found for semver: >=1.0.0-0");
    world.wish.semver_filter = "";
    world.wish.semver = "x.y";
    CHECK(world.revision().starts_with(
        "failed to determine the artifact tag for 'oci://registry/org/app': semver 'x.y' parse error: "));
    world.wish.digest = digest;
    CHECK(world.revision() == digest);
}

TEST_CASE("image: of charts the tag is the version with its plus", "[source][image]") {
    World world;
    auto const digest = world.registry.put("1.0.0_build.2", world.registry.manifest({{kChart, "chart"}}));
    world.registry.tags = R"({"tags":["1.0.0_build.2"]})";
    world.wish.semver = "1.x";
    CHECK(world.revision().contains("no match found"));
    world.wish.media_type = kChart;
    world.wish.copy = true;

    auto const image = world.fetch();

    REQUIRE(image);
    CHECK(image->revision == "1.0.0_build.2@" + digest);
    CHECK(image->digest == sha256_of("chart"));
    CHECK(world.bytes == "chart");
}

TEST_CASE("image: the layer is the first, or the first of its media type", "[source][image]") {
    World world;
    world.registry.put("latest", world.registry.manifest({{"a", "one"}, {"b", "two"}, {"b", "three"}}));
    world.wish.copy = true;

    REQUIRE(world.fetch());
    CHECK(world.bytes == "one");
    world.wish.media_type = "b";
    REQUIRE(world.fetch());
    CHECK(world.bytes == "two");
    world.wish.media_type = "c";
    auto const none = world.fetch();
    REQUIRE_FALSE(none);
    CHECK(none.error().step == ImageStep::layer);
    CHECK(none.error().error.message == "failed to find layer with media type 'c' in artifact");
    world.registry.put("latest", world.registry.manifest({}));
    CHECK(world.revision() == "no layers found in artifact");
}

TEST_CASE("image: an index stands for the image of this machine", "[source][image]") {
    World world;
    world.wish.copy = true;
    auto const own = oci::own_platform();
    auto const platform = [](std::string const& architecture) {
        return R"(,"platform":{"os":"linux","architecture":")" + architecture + "\"}";
    };
    auto const index = [&](std::string const& first, std::string const& second) {
        auto const one = world.registry.manifest({{kAny, first}});
        auto const two = world.registry.manifest({{kAny, second}});
        world.registry.put("one", one);
        world.registry.put("two", two);
        return R"({"manifests":[)" + SmallRegistry::descriptor(kAny, one, platform(first)) + "," +
               SmallRegistry::descriptor(kAny, two, platform(second)) + "]}";
    };

    auto const digest = world.registry.put("latest", index("s390x", own.architecture), test::kIndexType);
    CHECK(world.revision() == "latest@" + digest);
    CHECK(world.bytes == own.architecture);
    auto const other = world.registry.put("latest", index("s390x", "riscv64"), test::kIndexType);
    CHECK(world.revision() == "failed to pull artifact from 'oci://registry/org/app': no child with platform linux/" +
                                  own.architecture + " in index " + world.registry.server.authority + "/org/app@" +
                                  other);
}

TEST_CASE("image: nothing is made of a layer that is not whole, and each failure has its step", "[source][image]") {
    World world;
    auto tree = files();
    auto const layer = layer_of(tree);
    auto const offer = [&](std::string const& bytes) {
        world.registry.put("latest", world.registry.manifest({{kAny, bytes}}));
    };
    auto const step = [&](std::string_view words) {
        auto const image = world.fetch();
        REQUIRE_FALSE(image);
        INFO(image.error().error.message);
        CHECK(image.error().error.message.contains(words));
        CHECK(world.bytes.empty());
        return image.error().step;
    };

    offer(layer);
    world.registry.blobs[sha256_of(layer)].back() ^= 1;
    CHECK(step("failed to extract layer contents from artifact: error verifying sha256 checksum") == ImageStep::layer);
    world.registry.blobs.clear();
    CHECK(step("failed to extract layer contents from artifact: GET ") == ImageStep::layer);
    offer("no gzip");
    CHECK(step("failed to extract layer contents from artifact: untar: not a gzip file") == ImageStep::layer);
    offer(layer.substr(0, layer.size() / 2));
    CHECK(step("untar: not a tar.gz") == ImageStep::layer);
    world.wish.wire_bytes_max = 10;
    offer(layer);
    CHECK(step("more than 10") == ImageStep::layer);
    world.wish.tag = "gone";
    CHECK(step("failed to determine artifact digest: GET ") == ImageStep::digest);
    world.wish.digest = sha256_of("gone");
    CHECK(step("failed to pull artifact from 'oci://registry/org/app': GET ") == ImageStep::pull);
    CHECK(std::filesystem::is_empty(world.dir.path()));
}

TEST_CASE("image: a revision is believed when the wish can have led to it", "[source][image]") {
    std::string const digest = sha256_of("x");
    CHECK(can_be({}, "latest@" + digest));
    CHECK(can_be({.tag = "1"}, "1@" + digest));
    CHECK(can_be({.semver = "1.x"}, "1.2@" + digest));
    CHECK(can_be({.digest = digest}, digest));
    CHECK_FALSE(can_be({}, "1@" + digest));
    CHECK_FALSE(can_be({}, digest));
    CHECK_FALSE(can_be({}, "latest@sha256:../../x"));
    CHECK_FALSE(can_be({.semver = "1.x"}, "../x@" + digest));
    CHECK_FALSE(can_be({.digest = digest}, sha256_of("y")));
}

}  // namespace holdfast::source
