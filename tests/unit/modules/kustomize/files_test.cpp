// tests/unit/modules/kustomize/files_test.cpp: paths as Go cleans them, reads that stay inside.
#include "modules/kustomize/files.hpp"
#include "tests/support/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <sys/stat.h>

namespace holdfast::kustomize {

TEST_CASE("kustomize: paths are cleaned and joined as Go does", "[kustomize][files]") {
    struct Row {
        char const *path, *clean;
    };
    for (auto const& [path, clean] :
         {Row{"", "."}, Row{"/", "/"}, Row{"a//b/./c/..", "a/b"}, Row{"../a/../..", "../.."}, Row{"/../a", "/a"},
          Row{"a/../..", ".."}, Row{"./", "."}, Row{"/a/b/../../..", "/"}}) {
        CHECK(clean_path(path) == clean);
    }
    CHECK(join_path("/a/b", "../c") == "/a/c");
    CHECK(join_path("", "c") == "c");
    CHECK(join_path("/a", "") == "/a");
    CHECK(base_name("/a/b/") == "b");
    CHECK(base_name("") == ".");
    CHECK(is_below("/a/b", "/a"));
    CHECK(is_below("/a", "/a"));
    CHECK(is_below("/a", "/"));
    CHECK_FALSE(is_below("/ab", "/a"));
}

TEST_CASE("kustomize: nothing outside of the root is read, whatever leads there", "[kustomize][files]") {
    test::TempDir const outer;
    auto const root = outer / "root";
    std::filesystem::create_directories(root);
    std::ofstream{outer / "secret"} << "secret";
    std::ofstream{root / "inside"} << "inside";
    std::filesystem::create_symlink("../secret", root / "link");
    std::filesystem::create_symlink("inside", root / "good_link");
    std::filesystem::create_symlink("..", root / "up");
    Files files{root.string(), {1000, 1000}, nullptr};

    for (auto const* path : {"../secret", "link", "up/secret", "../root/../secret"}) {
        auto const read = files.read((root / path).string());
        REQUIRE_FALSE(read);
        CHECK(read.error().code == Errc::denied);
    }
    CHECK_FALSE(files.read("/etc/passwd"));
    CHECK(files.read((root / "inside").string()).value() == "inside");
    CHECK(files.read((root / "good_link").string()).value() == "inside");
}

TEST_CASE("kustomize: only regular files are read", "[kustomize][files]") {
    test::TempDir const top;
    REQUIRE(::mkfifo((top / "fifo").c_str(), 0600) == 0);
    Files files{"", {1000, 1000}, nullptr};

    CHECK(files.read((top / "fifo").string()).error().message.ends_with("not a regular file"));
    CHECK(files.read("/dev/zero").error().message == "read /dev/zero: not a regular file");
    CHECK(files.read(top.path().string()).error().message.ends_with("is a directory"));
    CHECK(files.read((top / "gone").string()).error().code == Errc::not_found);
}

}  // namespace holdfast::kustomize
