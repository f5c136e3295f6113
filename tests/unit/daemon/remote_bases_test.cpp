// tests/unit/daemon/remote_bases_test.cpp: what was fetched arrives as it was sent, and no more of it than is allowed.
#include "daemon/remote_bases.hpp"

#include "modules/base/limits.hpp"
#include "modules/kustomize/tree_text.hpp"
#include "tests/support/memory_bytes.hpp"

#include <catch2/catch.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace holdfast::daemon {

using kustomize::Remote;
using source::RemoteContent;

namespace {

Remote file(std::string url) { return {.url = std::move(url)}; }
Remote repository(std::string url, std::string ref) {
    return {Remote::Kind::repository, std::move(url), std::move(ref), false, std::chrono::seconds{3}};
}

}  // namespace

TEST_CASE("remote bases: a list of what is missing survives its text", "[daemon][remote]") {
    auto const text =
        boost::json::serialize(describe({file("http://host/a"), repository("https://host/org/repo", "v1")}));

    auto const remotes = read_remotes(boost::json::parse(text));

    REQUIRE(remotes);
    REQUIRE(remotes->size() == 2);
    CHECK(remotes->front().key() == "http://host/a");
    CHECK(remotes->back().key() == "git::https://host/org/repo?submodules=false&ref=v1");
    CHECK(remotes->back().timeout == std::chrono::seconds{3});
    for (auto const* bad :
         {"{}", "[1]", "[{}]", R"([{"repository":1,"url":"","ref":"","submodules":true,"timeout":1}])"}) {
        INFO(bad);
        CHECK_FALSE(read_remotes(boost::json::parse(bad)));
    }
}

TEST_CASE("remote bases: what was fetched, and what was not, arrives in the render", "[daemon][remote]") {
    std::string tree;
    kustomize::append_entry(tree, kustomize::TreeEntry::file, "a.yaml", "a: 1\n");
    Supplies supplies;
    REQUIRE(supplies.add(file("http://host/a"), RemoteContent{.bytes = test::memory_bytes("words")}));
    REQUIRE(supplies.add(file("http://host/b"), RemoteContent{.status = 404}));
    REQUIRE(supplies.add(repository("https://host/r", ""), RemoteContent{.bytes = test::memory_bytes(tree)}));
    REQUIRE(supplies.add(repository("https://host/none", ""), fail(Errc::offline, "nobody answers")));

    auto input = std::move(*MemoryFile::create());
    REQUIRE(supplies.append_to(input));
    auto const mapping = Mapping::of(input.fd());
    REQUIRE(mapping);
    auto remotes = read_supplies(supplies.description(), mapping->bytes());
    REQUIRE(remotes);

    CHECK(remotes->need(file("http://host/a"))->content == "words");
    CHECK(remotes->need(file("http://host/b"))->status == 404);
    CHECK(remotes->need(repository("https://host/r", ""))->tree.files.at("/a.yaml") == "a: 1\n");
    auto const& failed = remotes->need(repository("https://host/none", ""))->outcome;
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == Errc::offline);
    CHECK(failed.error().message == "nobody answers");
    CHECK(remotes->missing().empty());
    CHECK_FALSE(read_supplies(supplies.description(), mapping->bytes().substr(1)));
}

TEST_CASE("remote bases: one build gets 64 of them, 100 MiB in all", "[daemon][remote]") {
    Supplies supplies;
    for (std::size_t i = 0; i < limits::kRemotesMax; ++i)
        REQUIRE(supplies.add(file("http://host/" + std::to_string(i)), RemoteContent{}));
    auto const many = supplies.add(file("http://host/more"), RemoteContent{});
    CHECK(many.error().code == Errc::limit);
    CHECK(many.error().message == "remote 'http://host/more': more than 64 remote resources in one build");

    Supplies large;
    REQUIRE(large.add(file("http://host/half"),
                      RemoteContent{.bytes = test::memory_bytes(std::string(limits::kRemoteBytesMax / 2 + 1, 'x'))}));
    CHECK(large.bytes_left() == limits::kRemoteBytesMax / 2 - 1);
    auto const much =
        large.add(file("http://host/other"),
                  RemoteContent{.bytes = test::memory_bytes(std::string(limits::kRemoteBytesMax / 2, 'x'))});
    CHECK(much.error().message ==
          "remote 'http://host/other': more than 104857600 bytes of remote resources in one build");

    Supplies little{10};  // a daemon has less
    CHECK(little.bytes_left() == 10);
    auto const more = little.add(file("http://host/a"), RemoteContent{.bytes = test::memory_bytes("12345678901")});
    CHECK(more.error().message == "remote 'http://host/a': more than 10 bytes of remote resources in one build");
}

TEST_CASE("remote bases: a sealed input cannot be changed", "[daemon][remote]") {
    auto input = std::move(*MemoryFile::create());
    auto other = std::move(*MemoryFile::create());
    REQUIRE(other.append("tree"));
    REQUIRE(input.append("artifact"));
    REQUIRE(input.append(other));
    input.seal();

    CHECK(input.size() == 12);
    CHECK_FALSE(input.append("more"));
    CHECK(Mapping::of(input.fd())->bytes() == "artifacttree");
}

}  // namespace holdfast::daemon
