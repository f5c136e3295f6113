// tests/unit/modules/git/packets_test.cpp: what of a server's words is taken for an answer.
#include "modules/git/packets.hpp"

#include <catch2/catch.hpp>

namespace holdfast::git {

namespace {

std::string const kId(40, 'a');
std::string const kOther(40, 'b');
std::string const kService = packet("# service=git-upload-pack") + "0000";

std::string error_of(std::string const& answer) {
    auto const refs = read_ls_refs(answer, {"refs/heads/main"});
    return refs ? "" : refs.error().message;
}

}  // namespace

TEST_CASE("git packets: one after the other is cut off, and half a packet waits", "[git][packets]") {
    std::string const text = "0006a\n0004000000010002000";
    std::string_view bytes = text;
    auto const next = [&] { return take_packet(bytes).value(); };

    CHECK(next()->data == "a");
    auto const empty = next();
    CHECK((empty->kind == Packet::Kind::data && empty->data.empty()));
    CHECK(next()->kind == Packet::Kind::flush);
    CHECK(next()->kind == Packet::Kind::delimiter);
    CHECK(next()->kind == Packet::Kind::response_end);
    CHECK_FALSE(next());
    CHECK(bytes == "000");
}

TEST_CASE("git packets: a length that git does not send is refused", "[git][packets][limit]") {
    for (std::string const text : {"0003", "fff1", "-001a", "+005a", "0x5a", " 005a", "zzzz", "\xff\xff\xff\xff"}) {
        INFO(text);
        std::string_view bytes = text;
        CHECK_FALSE(take_packet(bytes));
    }
    std::string const largest = "fff0" + std::string(kPacketBytesMax - 4, 'x');
    std::string_view bytes = largest;
    CHECK(take_packet(bytes).value()->data.size() == kPacketBytesMax - 4);
}

TEST_CASE("git packets: the opening tells a server that can be asked from all others", "[git][packets]") {
    std::string const v2 = packet("version 2") + packet("agent=git/2.39.5") + packet("ls-refs=unborn") + "0000";

    CHECK(read_opening(kService + v2) == Opening::lists_refs);
    CHECK(read_opening(v2) == Opening::lists_refs);
    CHECK(read_opening(packet("version 2") + packet("fetch") + "0000") == Opening::other);
    CHECK(read_opening(packet("version 2") + packet("ls-refs") + packet("object-format=sha256") + "0000") ==
          Opening::other);
    CHECK(read_opening(packet("version 2") + packet("ls-refs") + packet("object-format=sha1") + "0000") ==
          Opening::lists_refs);
    CHECK(read_opening(packet("version 1")) == Opening::older);
    CHECK(read_opening(kService + packet(kId + " HEAD" + std::string{"\0multi_ack", 10})) == Opening::older);
    CHECK(read_opening(kService + packet(kId + " capabilities^{}" + std::string{"\0thin", 5})) == Opening::older);
    CHECK(read_opening(kService + packet(kId + " HEAD")) == Opening::other);
    CHECK(read_opening(kService + packet("x" + kId + " HEAD" + std::string{"\0", 1})) == Opening::other);
    CHECK(read_opening(kService + packet(kId + " HEAD").substr(0, 20)) == Opening::incomplete);
    CHECK(read_opening("00000000") == Opening::other);
    CHECK(read_opening("<html>") == Opening::other);
    for (std::size_t size = 0; size < kService.size() + v2.size(); ++size) {
        CHECK(read_opening((kService + v2).substr(0, size)) == Opening::incomplete);
    }
}

TEST_CASE("git packets: ls-refs gives the references that were asked for, and what their tags point to",
          "[git][packets]") {
    auto const refs =
        read_ls_refs(packet(kId + " HEAD symref-target:refs/heads/main") + packet(kId + " refs/heads/main") +
                         packet(kOther + " refs/heads/main-2") + packet(kId + " refs/tags/v1 peeled:" + kOther) +
                         packet("unborn refs/heads/none") + packet(kOther + " refs/heads/main") + "0000",
                     {"refs/heads/main", "refs/tags/v1", "HEAD", "refs/heads/none"});

    REQUIRE(refs);
    REQUIRE(refs->size() == 3);
    CHECK(refs->at(0).name == "HEAD");
    CHECK(refs->at(1).name == "refs/heads/main");
    CHECK(refs->at(1).commit() == kId);  // the first of two of one name
    CHECK(refs->at(2).commit() == kOther);
    CHECK(read_ls_refs("0000", {"refs/heads/main"}).value().empty());
}

TEST_CASE("git packets: what is not an answer to ls-refs is none", "[git][packets]") {
    CHECK(error_of("") == "ls-refs: cut short");
    CHECK(error_of(packet(kId + " refs/heads/main")) == "ls-refs: cut short");
    CHECK(error_of("0000" + packet(kId + " refs/heads/main")) == "ls-refs: bytes behind its end");
    CHECK(error_of("00010000") == "ls-refs: a packet that has no place there");
    CHECK(error_of(packet("ERR unknown object format") + "0000") == "ls-refs: refused by the server");
    CHECK(error_of(packet(kId) + "0000") == "ls-refs: a line that is no reference");
    CHECK(error_of(packet("AAAA refs/heads/main") + "0000") == "ls-refs: a line that is no reference");
    CHECK(error_of(packet(kId + " refs/heads/main peeled:x") + "0000") == "ls-refs: a tag that points to no object");
    CHECK(error_of("00zz") == "ls-refs: a packet without a length");
}

}  // namespace holdfast::git
