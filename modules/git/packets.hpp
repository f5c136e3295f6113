// modules/git/packets.hpp: what a server says in Git protocol v2 about its references; private to this folder.
// Pure, and the only parser of a Git server's bytes that runs in the daemon itself: tests/fuzz/git_packets_fuzz.cpp.
#pragma once

#include "modules/git/reference.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::git {

/// One pkt-line: four hex digits with the length of all of it, then the bytes.
struct Packet {
    enum class Kind { data, flush, delimiter, response_end };
    Kind kind = Kind::data;
    std::string_view data;  // without the newline at the end
};

inline constexpr std::size_t kPacketBytesMax = 65'520;  // with its length

/// Cuts the first packet off `bytes`.
/// Out     nothing when the rest of it has not come yet
/// Errors  invalid_input  no length, or one that git does not send
Result<std::optional<Packet>> take_packet(std::string_view& bytes);

/// In  data  at most kPacketBytesMax - 4 bytes
std::string bare_packet(std::string_view data);

/// The same with a newline.
std::string packet(std::string_view data);

/// What GET info/refs says about the server, as far as it has come.
enum class Opening {
    incomplete,
    lists_refs,  // protocol v2, with the command ls-refs
    older,       // protocol v0 or v1: the list itself
    other,       // no ls-refs, another object format, damaged, or no Git at all
};
Opening read_opening(std::string_view answer);

/// The request of ls-refs for the references whose names begin with one of `names`.
std::string ls_refs_request(std::vector<std::string> const& names);

/// The answer to ls_refs_request(): of the references that came, those called exactly as one of `names`.
/// Errors  invalid_input  not an answer to ls-refs, the server's error among it, or one that is cut short
/// Cost    O(answer)
/// Source  git's Documentation/gitprotocol-v2.txt
Result<std::vector<Ref>> read_ls_refs(std::string_view answer, std::vector<std::string> const& names);

}  // namespace holdfast::git
