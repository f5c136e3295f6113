// tests/unit/modules/source/artifact_test.cpp: artifacts are deterministic, clean and bounded, and come back as they were.
#include "modules/source/artifact.hpp"

#include "modules/base/limits.hpp"
#include "modules/crypto/digest.hpp"
#include "modules/source/untar.hpp"
#include "tests/unit/modules/source/memory_tree.hpp"

#include <catch2/catch.hpp>

#include <zlib.h>

namespace holdfast::source {

struct Written {
    Result<ArtifactInfo> info;
    std::string bytes;
};

Written write(Tree& tree, std::optional<std::string> const& ignore = std::nullopt) {
    std::string bytes;
    auto info = write_artifact(tree, ignore, [&](std::string_view piece) -> Result<void> {
        bytes += piece;
        return {};
    });
    return {std::move(info), std::move(bytes)};
}

std::string gunzip(std::string_view bytes) {
    std::string out(16 << 20, '\0');
    z_stream stream{};
    REQUIRE(inflateInit2(&stream, 31) == Z_OK);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    REQUIRE(inflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    inflateEnd(&stream);
    return out;
}

std::vector<std::string> names(std::string const& bytes) {
    std::vector<std::string> found;
    for (auto const& [name, file] : untar(bytes).value()) found.push_back(name + (file.executable ? "*" : ""));
    return found;
}

TEST_CASE("artifact: the same tree gives the same bytes in whatever order it is listed", "[source][artifact]") {
    MemoryTree one;
    one.directory("a")
        .add("a/x.yaml", "x: 1\n")
        .add("a.yaml", "a: 1\n")
        .add("run.sh", "#!/bin/sh\n", EntryKind::executable);
    MemoryTree other;
    other.add("run.sh", "#!/bin/sh\n", EntryKind::executable)
        .add("a.yaml", "a: 1\n")
        .directory("a")
        .add("a/x.yaml", "x: 1\n");

    auto const first = write(one);
    auto const second = write(other);

    REQUIRE(first.info);
    CHECK(first.bytes == second.bytes);
    CHECK(first.info->digest == "sha256:" + crypto::sha256_hex(first.bytes));
    CHECK(first.info->size == first.bytes.size());
    CHECK(first.info->files == 3);
    CHECK(first.bytes.substr(0, 10) ==
          std::string_view("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10));  // no time, no name, unknown system
    CHECK(names(first.bytes) == std::vector<std::string>{"a.yaml", "a/", "a/x.yaml", "run.sh*"});
}

// Method: the digest of the tar inside was computed with Go's archive/tar from the calls of Flux's Archive().
TEST_CASE("artifact: the tar inside is byte for byte what Flux writes", "[source][artifact]") {
    MemoryTree tree;
    std::string const deep = "d/" + std::string(90, 'e') + "/" + std::string(80, 'f');
    std::string const long_name = "n" + std::string(130, 'n') + ".yaml";
    tree.directory("d").directory("d/" + std::string(90, 'e')).add(deep, "prefix\n").add(long_name, "pax\n");
    tree.add("\xc3\xbcml.yaml", "utf8\n").add("run.sh", "#!/bin/sh\n", EntryKind::executable).add("empty", "");
    tree.add("block", std::string(512, 'b'));

    auto const written = write(tree);

    REQUIRE(written.info);
    CHECK(crypto::sha256_hex(gunzip(written.bytes)) ==
          "87210463c47de613f4aad3acdcb35ab282a03d5903a612c2e4ec6ef5dbaad5d4");
}

TEST_CASE("artifact: links, ignored files and version control are left out", "[source][artifact]") {
    MemoryTree tree;
    tree.add("app.yaml", "a").add("link", "app.yaml", EntryKind::other).add("logo.png", "p").directory(".github");
    tree.add(".github/ci.yaml", "c").add(".gitignore", "x").directory("apps").add("apps/values.yaml", "v");

    auto const written = write(tree);

    CHECK(names(written.bytes) == std::vector<std::string>{"app.yaml", "apps/", "apps/values.yaml"});
}

TEST_CASE("artifact: .sourceignore of every directory counts, and spec.ignore comes last", "[source][artifact]") {
    MemoryTree tree;
    tree.add(".sourceignore", "*.md\n").add("README.md", "r").add("logo.png", "p");
    tree.directory("apps")
        .add("apps/.sourceignore", "secret.yaml\n")
        .add("apps/secret.yaml", "s")
        .add("apps/README.md", "r");
    tree.add("secret.yaml", "s");

    auto const written = write(tree, "!/README.md\n");

    CHECK(names(written.bytes) == std::vector<std::string>{".sourceignore", "README.md", "apps/", "apps/.sourceignore",
                                                           "logo.png", "secret.yaml"});
}

TEST_CASE("artifact: a hostile path is refused by name", "[source][artifact]") {
    for (std::string const path : {"../x", "a/../../x", "/etc/passwd", "a//b", ".", "", "a/."}) {
        MemoryTree tree;
        tree.add(path, "x");
        auto const written = write(tree);
        INFO(path);
        REQUIRE_FALSE(written.info);
        CHECK(written.info.error().code == Errc::invalid_input);
    }
    MemoryTree twice;
    twice.add("a", "1").add("a", "2");
    CHECK(write(twice).info.error().message == "path 'a' is there twice");
}

TEST_CASE("artifact: too many entries, too long a path, too large an ignore file are limits",
          "[source][artifact][limit]") {
    MemoryTree many;
    for (std::size_t i = 0; i <= limits::kArtifactEntriesMax; ++i) many.add(std::to_string(i), "");
    MemoryTree deep;
    deep.add(std::string(limits::kArtifactPathBytesMax + 1, 'a'), "");
    MemoryTree rules;
    rules.add(".sourceignore", std::string(limits::kIgnoreFileBytesMax + 1, '#'));

    CHECK(write(many).info.error().code == Errc::limit);
    CHECK(write(deep).info.error().code == Errc::limit);
    CHECK(write(rules).info.error().code == Errc::limit);
}

TEST_CASE("artifact: what the sink refuses is the result", "[source][artifact]") {
    MemoryTree tree;
    tree.add("a", "x");

    auto info = write_artifact(tree, std::nullopt,
                               [](std::string_view) -> Result<void> { return fail(Errc::limit, "cache full"); });

    REQUIRE_FALSE(info);
    CHECK(info.error().message == "cache full");
}

TEST_CASE("artifact: two thousand folders with ignore rules of a quarter of a megabyte each are a limit, soon",
          "[source][artifact][limit]") {
    MemoryTree tree;
    for (int i = 0; i < 1'999; ++i) {
        auto const folder = "d" + std::to_string(i);
        tree.directory(folder).add(folder + "/.sourceignore", std::string(limits::kIgnoreFileBytesMax - 1, 'x'));
    }

    auto const written = write(tree);

    REQUIRE_FALSE(written.info);
    CHECK(written.info.error().code == Errc::limit);
    CHECK(written.info.error().message == "d0/.sourceignore: an ignore pattern of more than 4096 bytes");
}

TEST_CASE("artifact: rules that cost too much to compare end as a limit", "[source][artifact][limit]") {
    MemoryTree tree;
    std::string rules;
    for (int i = 0; i < 1'999; ++i) rules += "*a*a*a*a*a*a*a*b" + std::to_string(i) + "\n";
    tree.add(".sourceignore", rules);
    for (int i = 0; i < 5'000; ++i) tree.add(std::string(240, 'a') + std::to_string(i), "");

    auto const written = write(tree);

    REQUIRE_FALSE(written.info);
    CHECK(written.info.error().code == Errc::limit);
    CHECK(written.info.error().message == "the ignore patterns take more than 4000000000 steps to compare");
}

TEST_CASE("artifact: writing ends when its caller says so", "[source][artifact]") {
    MemoryTree tree;
    for (int i = 0; i < 10; ++i) tree.add("f" + std::to_string(i), "x");
    int asked = 0;
    auto const no_longer = [&]() -> Result<void> {
        if (++asked == 5) return fail(Errc::timeout, "context canceled");
        return {};
    };

    auto const info = write_artifact(tree, std::nullopt, [](std::string_view) { return Result<void>{}; }, no_longer);

    REQUIRE_FALSE(info);
    CHECK(info.error().message == "context canceled");
    CHECK(asked == 5);
}

}  // namespace holdfast::source
