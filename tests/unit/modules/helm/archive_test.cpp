// tests/unit/modules/helm/archive_test.cpp: chart archives, good and hostile.
#include "modules/helm/chart.hpp"
#include "tests/unit/modules/helm/tar_maker.hpp"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::helm::testing;

namespace {

std::string reason(std::vector<Entry> const& extra) {
    auto entries = small_chart("a: 1\n");
    entries.insert(entries.end(), extra.begin(), extra.end());
    auto const files = helm::unpack_archive(make_tgz(entries));
    return files ? "" : files.error().message;
}

}  // namespace

TEST_CASE("helm archive: folders, long names and marks are read", "[helm][archive]") {
    std::string const long_name = "c/files/" + std::string(150, 'x') + "/y.txt";
    auto entries = small_chart("\xEF\xBB\xBF"
                               "a: 1\n");
    entries.push_back({.name = "c/", .type = '5'});
    entries.push_back({.name = "././@LongLink", .data = long_name + '\0', .type = 'L'});
    entries.push_back({.name = "short", .data = "gnu"});
    entries.push_back({.name = "short", .data = "pax", .pax = "path=c/files/" + std::string(200, 'p')});

    auto const chart = helm::load_archive(make_tgz(entries));

    REQUIRE(chart);
    CHECK((*chart)->templates.at(0).data == "a: 1\n");
    REQUIRE((*chart)->files.size() == 2);
    CHECK((*chart)->files[0].name == long_name.substr(2));
    CHECK((*chart)->files[1].name == "files/" + std::string(200, 'p'));
}

TEST_CASE("helm archive: nothing leaves the chart", "[helm][archive][req:R16]") {
    CHECK(reason({{.name = "c/../../etc/passwd"}}) == "chart illegally references parent directory");
    CHECK(reason({{.name = "c/../x"}}) == "chart illegally references parent directory");
    CHECK(reason({{.name = "c//etc/passwd"}}) == "chart illegally contains absolute paths");
    CHECK(reason({{.name = "/etc/passwd"}}).empty());  // the first folder is the empty one and is cut off, as in Helm
    CHECK(reason({{.name = "c\\..\\..\\x"}}) == "chart illegally references parent directory");
    CHECK(reason({{.name = "c/c:/x"}}) == "chart contains illegally named files");
    CHECK(reason({{.name = "file"}}) == "chart illegally contains content outside the base directory: \"file\"");
    CHECK(reason({{.name = "Chart.yaml"}}) ==
          "chart illegally contains content outside the base directory: \"Chart.yaml\"");
    CHECK(reason({{.name = "c/x", .pax = "path=c/../../x"}}) == "chart illegally references parent directory");
}

TEST_CASE("helm archive: links and special files are refused", "[helm][archive][req:R16]") {
    for (char const type : {'1', '2', '3', '4', '6', 'S'}) {
        INFO(type);
        CHECK(reason({{.name = "c/link", .type = type, .link = "/etc/passwd"}})
                  .find("is a link or a special file, which is refused") != std::string::npos);
    }
}

TEST_CASE("helm archive: sizes are bounded before they are believed", "[helm][archive][req:R16]") {
    CHECK(reason({{.name = "c/big", .size_field = "77777777777"}})
              .find("decompressed chart is larger than the maximum size") == 0);
    CHECK(reason({{.name = "c/big", .size_field = std::string("\x80\0\0\0\0\0\0\0\x7f\xff\xff\xff", 12)}})
              .find("decompressed chart") == 0);
    CHECK(reason({{.name = "c/big", .size_field = "00030000000"}})
              .find("decompressed chart file \"c/big\" is larger than the maximum file size 5242880") == 0);
    CHECK(reason({{.name = "c/big", .data = "x", .pax = "size=99999999"}}).find("decompressed chart file") == 0);
    CHECK(reason({{.name = "c/x", .data = "lying", .size_field = "00000100000"}}) == "unexpected EOF");

    std::vector<Entry> many = small_chart("a: 1\n");
    for (int i = 0; i < 21'000; ++i) many.push_back({.name = "c/f" + std::to_string(i)});
    CHECK(helm::unpack_archive(make_tgz(many)).error().code == Errc::limit);
}

TEST_CASE("helm archive: a bomb of zeros ends at the limit", "[helm][archive][req:R16]") {
    // Goal    10,000:1 compression is not unpacked.
    std::vector<Entry> files = small_chart("a: 1\n");
    for (int i = 0; i < 25; ++i)
        files.push_back({.name = "c/z" + std::to_string(i), .data = std::string(5u << 20, '\0')});
    CHECK(helm::unpack_archive(make_tgz(files)).error().code == Errc::limit);
}

TEST_CASE("helm archive: broken bytes are an error wherever they break", "[helm][archive]") {
    auto const good = make_tgz(small_chart("a: 1\n", "b: 2\n"));
    REQUIRE(helm::load_archive(good));
    for (std::size_t length = 0; length + 8 < good.size(); length += 7)
        CHECK_FALSE(helm::load_archive(good.substr(0, length)));
    for (std::size_t at = 0; at < good.size(); ++at) {
        auto bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 0x55);
        (void)helm::load_archive(bad);  // must come back, whatever it says
    }
    CHECK(helm::load_archive("").error().message == "unable to load chart archive: EOF");
    CHECK(helm::load_archive("not a gzip at all").error().message ==
          "unable to load chart archive: gzip: invalid header");
    CHECK(helm::load_archive(gzip("")).error().message.find("no files in chart archive") != std::string::npos);
    CHECK(helm::load_archive(make_tgz({{.name = "c/values.yaml"}})).error().message ==
          "unable to detect chart version, no Chart.yaml found");
}

TEST_CASE("helm archive: a subchart may be an archive itself", "[helm][archive]") {
    auto entries = small_chart("a: 1\n");
    entries.push_back({.name = "c/charts/sub-0.1.0.tgz", .data = make_tgz(small_chart("s: 1\n", "", "sub"))});

    auto const chart = helm::load_archive(make_tgz(entries));

    REQUIRE(chart);
    REQUIRE((*chart)->dependencies.size() == 1);
    CHECK((*chart)->dependencies[0]->metadata.name == "sub");
}

TEST_CASE("helm archive: archives inside of archives end at a depth", "[helm][archive]") {
    auto inner = make_tgz(small_chart("a: 1\n", "", "n"));
    for (int i = 0; i < 40; ++i) {
        auto entries = small_chart("a: 1\n", "", "n");
        entries.push_back({.name = "n/charts/n-0.1.0.tgz", .data = inner});
        inner = make_tgz(entries);
    }
    auto const chart = helm::load_archive(inner);
    REQUIRE_FALSE(chart);
    CHECK(chart.error().code == Errc::limit);
}
