// tests/unit/modules/base/files_test.cpp: reading whole files, writing to what does not block, and the words for failures.
#include "modules/base/errno_text.hpp"
#include "modules/base/read_file.hpp"
#include "modules/base/write_all.hpp"
#include "tests/support/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <string>
#include <thread>
#include <unistd.h>

using namespace holdfast;

TEST_CASE("errno_text: as Go writes it", "[base]") {
    CHECK(errno_text(ENOENT) == "no such file or directory");
    CHECK(errno_text(ENOSPC) == "no space left on device");
}

TEST_CASE("read_file: the whole file, or why not", "[base]") {
    test::TempDir const folder;
    auto const path = (folder.path() / "f").string();
    std::ofstream{path} << "text";

    CHECK(*read_file(path, 4) == "text");
    CHECK(read_file(path, 3).error().code == Errc::limit);
    CHECK(read_file(path + "x", 4).error().message == "open " + path + "x: no such file or directory");
    CHECK(read_file(folder.path().string(), 4).error().message ==
          "read " + folder.path().string() + ": is a directory");
}

TEST_CASE("write_all: waits for a pipe that does not block", "[base]") {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    REQUIRE(::fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    std::string const text(1u << 20, 'x');
    Result<std::string> got{std::string{}};
    std::thread reader{[&] { got = read_descriptor(ends[0], "pipe", text.size()); }};

    bool const written = write_all(ends[1], text);
    ::close(ends[1]);
    reader.join();
    ::close(ends[0]);

    CHECK(written);
    CHECK(*got == text);
}
