// tests/unit/modules/source/untar_test.cpp: hostile archives change nothing outside and end in a clear error.
// Goal: every cell of the archive matrix (reliability R-16) that tar can express is refused or bounded.
// Method: archives are made by libarchive's writer, or patched by hand where it refuses to lie.
#include "modules/source/untar.hpp"

#include "tests/support/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace holdfast::source {

using test::TempDir;

struct Item {
    std::string path;
    std::string content = "x";
    unsigned type = AE_IFREG;
    std::string link = "";  // target; hard link when type is a file
    unsigned mode = 0644;
};

using SetFormat = int (*)(archive*);  // by number, libarchive would pull in every format it knows

std::string tar_of(std::vector<Item> const& items, SetFormat set_format = archive_write_set_format_pax_restricted) {
    std::string out(8 << 20, '\0');
    std::size_t used = 0;
    archive* writer = archive_write_new();
    set_format(writer);
    archive_write_add_filter_gzip(writer);
    archive_write_set_bytes_in_last_block(writer, 1);
    REQUIRE(archive_write_open_memory(writer, out.data(), out.size(), &used) == ARCHIVE_OK);
    for (auto const& item : items) {
        archive_entry* entry = archive_entry_new();
        archive_entry_set_pathname(entry, item.path.c_str());
        archive_entry_set_mode(entry, item.type | item.mode);
        bool const hard_link = item.type == AE_IFREG && !item.link.empty();
        if (item.type == AE_IFLNK) archive_entry_set_symlink(entry, item.link.c_str());
        if (hard_link) archive_entry_set_hardlink(entry, item.link.c_str());
        bool const has_content = item.type == AE_IFREG && !hard_link;
        archive_entry_set_size(entry, has_content ? static_cast<la_int64_t>(item.content.size()) : 0);
        REQUIRE(archive_write_header(writer, entry) >= ARCHIVE_WARN);
        if (has_content) archive_write_data(writer, item.content.data(), item.content.size());
        archive_entry_free(entry);
    }
    archive_write_close(writer);
    archive_write_free(writer);
    out.resize(used);
    return out;
}

std::string gzip(std::string_view bytes) {
    z_stream stream{};
    REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string out(deflateBound(&stream, bytes.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

/// One ustar header with a right checksum, whatever it says.
std::string raw_header(std::string_view name, char type, std::string_view size, std::string_view prefix = "") {
    std::string block(512, '\0');
    block.replace(0, name.size(), name);
    block.replace(100, 7, "0000644");
    block.replace(124, size.size(), size);
    block.replace(136, 11, "00000000000");
    block[156] = type;
    block.replace(257, 8, std::string_view{"ustar\00000", 8});
    block.replace(345, prefix.size(), prefix);
    block.replace(148, 8, "        ");
    unsigned sum = 0;
    for (char c : block) sum += static_cast<unsigned char>(c);
    char text[8];
    std::snprintf(text, sizeof text, "%06o", sum);
    block.replace(148, 7, std::string_view{text, 7});
    return block;
}

Errc code_of(std::string const& bytes, UntarLimits const& limits = {}) {
    auto files = untar(bytes, limits);
    REQUIRE_FALSE(files);
    return files.error().code;
}

TEST_CASE("untar: files, directories and the executable bit come back", "[source][untar]") {
    auto const bytes = tar_of({{.path = "./", .type = AE_IFDIR, .mode = 0755},
                               {.path = "a/b.yaml", .content = "b: 1\n"},
                               {.path = "run", .mode = 0755},
                               {.path = "empty/", .type = AE_IFDIR},
                               {.path = "./a//c.yaml", .content = "c"}});

    auto files = untar(bytes).value();

    REQUIRE(files.size() == 5);
    CHECK(files.at("a/b.yaml").content == "b: 1\n");
    CHECK(files.at("a/c.yaml").content == "c");
    CHECK(files.at("run").executable);
    CHECK(files.contains("empty/"));
    CHECK(files.contains("a/"));
}

TEST_CASE("untar: a path that leaves, or is no path, is refused", "[source][untar][req:R-16]") {
    for (std::string const path : {"../evil", "a/../../evil", "/etc/evil", "a/..", "..", "\xff\xfe"}) {
        INFO(path);
        CHECK(code_of(tar_of({{.path = path}})) == Errc::invalid_input);
    }
    CHECK(code_of(gzip(raw_header("", '0', "00000000000") + std::string(1024, '\0'))) == Errc::invalid_input);
}

TEST_CASE("untar: every kind that is neither file nor directory is refused", "[source][untar][req:R-16]") {
    CHECK(code_of(tar_of({{.path = "l", .type = AE_IFLNK, .link = "/etc/passwd"}})) == Errc::invalid_input);
    CHECK(code_of(tar_of({{.path = "f"}, {.path = "h", .link = "f"}})) == Errc::invalid_input);
    CHECK(code_of(tar_of({{.path = "p", .type = AE_IFIFO}})) == Errc::invalid_input);
    CHECK(code_of(tar_of({{.path = "d", .type = AE_IFCHR}})) == Errc::invalid_input);
    CHECK(code_of(tar_of({{.path = "b", .type = AE_IFBLK}})) == Errc::invalid_input);
}

TEST_CASE("untar: links of a foreign archive can be skipped, and then nothing goes through them",
          "[source][untar][req:R-16]") {
    TempDir dir;
    std::filesystem::create_directory(dir / "in");
    int const fd = ::open((dir / "in").c_str(), O_DIRECTORY | O_RDONLY);
    auto const bytes = tar_of({{.path = "out", .type = AE_IFLNK, .link = ".."}, {.path = "out/evil", .content = "e"}});

    REQUIRE(untar_into(fd, bytes, {}, Links::skip));

    CHECK_FALSE(std::filesystem::exists(dir / "evil"));
    CHECK(std::filesystem::exists(dir / "in/out/evil"));
    ::close(fd);
}

TEST_CASE("untar: into a directory, with private modes whatever the archive says", "[source][untar]") {
    TempDir dir;
    int const fd = ::open(dir.path().c_str(), O_DIRECTORY | O_RDONLY);
    auto const bytes = tar_of({{.path = "a/b/c.yaml", .content = "deep", .mode = 06777},
                               {.path = "plain", .mode = 0666},
                               {.path = "empty/", .type = AE_IFDIR}});

    REQUIRE(untar_into(fd, bytes));

    struct stat info{};
    REQUIRE(::stat((dir / "a/b/c.yaml").c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0700);
    REQUIRE(::stat((dir / "plain").c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0600);
    std::ifstream file{dir / "a/b/c.yaml"};
    std::stringstream text;
    text << file.rdbuf();
    CHECK(text.str() == "deep");
    CHECK(std::filesystem::is_directory(dir / "empty"));
    ::close(fd);
}

TEST_CASE("untar: a name that is both file and directory is refused", "[source][untar][req:R-16]") {
    TempDir dir;
    int const fd = ::open(dir.path().c_str(), O_DIRECTORY | O_RDONLY);
    auto const file_first = tar_of({{.path = "a"}, {.path = "a/b"}});
    auto const directory_first = tar_of({{.path = "a/b"}, {.path = "a"}});

    CHECK(code_of(file_first) == Errc::invalid_input);
    CHECK(code_of(directory_first) == Errc::invalid_input);
    CHECK_FALSE(untar_into(fd, file_first));
    ::close(fd);
}

TEST_CASE("untar: a duplicate replaces what came before", "[source][untar]") {
    auto files = untar(tar_of({{.path = "a", .content = "one"}, {.path = "a", .content = "two"}})).value();

    CHECK(files.at("a").content == "two");
}

TEST_CASE("untar: each limit is a limit, however small the archive", "[source][untar][req:R-16][limit]") {
    auto const bomb = tar_of({{.path = "a", .content = std::string(4 << 20, '\0')}});  // 1000:1
    std::vector<Item> many;
    for (int i = 0; i < 101; ++i) many.push_back({.path = std::to_string(i)});

    CHECK(code_of(bomb, {.file_bytes_max = 1 << 20}) == Errc::limit);
    CHECK(code_of(bomb, {.bytes_max = 1 << 20}) == Errc::limit);
    CHECK(code_of(tar_of(many), {.entries_max = 100}) == Errc::limit);
    CHECK(code_of(tar_of({{.path = "a/b/c/d"}}), {.depth_max = 3}) == Errc::limit);
    CHECK(code_of(tar_of({{.path = std::string(5'000, 'n')}})) == Errc::limit);
}

TEST_CASE("untar: directories that nobody listed are counted, and so are their names",
          "[source][untar][req:R-16][limit]") {
    std::vector<Item> deep, wide;
    for (int i = 0; i < 20; ++i) {
        std::string path = std::to_string(i);
        for (int k = 0; k < 100; ++k) path += "/d";
        deep.push_back({.path = path + "/file"});
        wide.push_back({.path = std::to_string(i) + "/" + std::string(200, 'n') + "/file"});
    }
    TempDir const folder;
    int const fd = ::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(fd >= 0);

    CHECK(code_of(tar_of(deep), {.entries_max = 2'000}) == Errc::limit);
    CHECK(untar(tar_of(deep), {.entries_max = 20 * 102}));
    CHECK(code_of(tar_of(wide), {.paths_bytes_max = 8'000}) == Errc::limit);
    CHECK(untar(tar_of(wide), {.paths_bytes_max = 20'000}));
    CHECK(untar_into(fd, tar_of(deep), {.entries_max = 1'000}).error().code == Errc::limit);
    ::close(fd);
}

TEST_CASE("untar: long names of pax and GNU work", "[source][untar]") {
    std::string const name = std::string(150, 'd') + "/" + std::string(200, 'f');

    CHECK(untar(tar_of({{.path = name}})).value().contains(name));
    CHECK(untar(tar_of({{.path = name}}, archive_write_set_format_gnutar)).value().contains(name));
    CHECK(untar(tar_of({{.path = "\xc3\xbc/\xe6\x97\xa5.yaml"}})).value().contains("\xc3\xbc/\xe6\x97\xa5.yaml"));
}

TEST_CASE("untar: what is no tar.gz, or is cut or changed, is refused", "[source][untar][req:R-16]") {
    auto const good = tar_of({{.path = "a", .content = std::string(100'000, 'a')}, {.path = "b"}});
    auto flipped = good;
    flipped[good.size() / 2] ^= 0x40;

    CHECK(code_of("") == Errc::invalid_input);
    CHECK(code_of("<html></html>") == Errc::invalid_input);
    CHECK(code_of(gzip("<html></html>")) == Errc::invalid_input);
    CHECK(code_of(good.substr(0, good.size() / 2)) == Errc::invalid_input);
    CHECK_FALSE(untar(flipped));
}

TEST_CASE("untar: a size that lies costs nothing", "[source][untar][req:R-16]") {
    CHECK(code_of(gzip(raw_header("huge", '0', "77777777777") + std::string(512, 'h'))) == Errc::invalid_input);
    CHECK_FALSE(untar(gzip(raw_header("negative", '0', "-0000000001") + std::string(1024, '\0'))));
}

TEST_CASE("untar: every cut of a good archive ends in an error or in whole files", "[source][untar][req:R-16]") {
    auto const good =
        tar_of({{.path = "a/b.yaml", .content = "b: 1\n"}, {.path = "c.yaml", .content = std::string(3'000, 'c')}});
    for (std::size_t cut = 0; cut < good.size(); ++cut) {
        auto files = untar(good.substr(0, cut));
        if (!files) continue;
        for (auto const& [name, file] : *files)
            CHECK((file.content.empty() || file.content.size() == 5 || file.content.size() == 3'000));
    }
}

}  // namespace holdfast::source
