// modules/git/packets.cpp: pkt-lines, the opening of a server and its answer to ls-refs.
#include "modules/git/packets.hpp"

#include "modules/base/assert.hpp"

#include <algorithm>
#include <charconv>

namespace holdfast::git {

namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kIdBytes = 40;
constexpr std::string_view kFlush = "0000", kDelimiter = "0001";

std::unexpected<Error> not_an_answer(std::string_view why) {
    return fail(Errc::invalid_input, "ls-refs: " + std::string{why});
}

bool is_commit_id(std::string_view text) {
    return text.size() == kIdBytes && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// The first word of `line`, which is cut off with the blank behind it.
std::string_view take_word(std::string_view& line) {
    auto const word = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(line.size(), word.size() + 1));
    return word;
}

/// How the list of an older protocol begins: "version 1", or "<id> <name>\0<capabilities>".
bool begins_list(std::string_view line) {
    if (line == "version 1") return true;
    auto const id = take_word(line);
    return is_commit_id(id) && line.find('\0') != std::string_view::npos && !line.starts_with('\0');
}

/// "<id> <name>[ symref-target:<name>][ peeled:<id>]"
Result<std::optional<Ref>> read_ref(std::string_view line, std::vector<std::string> const& names) {
    auto const id = take_word(line);
    if (id == "unborn") return std::nullopt;  // not asked for; a name without a commit
    auto const name = take_word(line);
    if (!is_commit_id(id) || name.empty()) return not_an_answer("a line that is no reference");
    auto commit = id;
    while (!line.empty()) {
        constexpr std::string_view kPeeled = "peeled:";
        auto const attribute = take_word(line);
        if (!attribute.starts_with(kPeeled)) continue;
        commit = attribute.substr(kPeeled.size());
        if (!is_commit_id(commit)) return not_an_answer("a tag that points to no object");
    }
    if (std::ranges::find(names, name) == names.end()) return std::nullopt;
    return Ref::of(name, commit);
}

}  // namespace

Result<std::optional<Packet>> take_packet(std::string_view& bytes) {
    if (bytes.size() < kLengthBytes) return std::nullopt;
    std::size_t length = 0;
    auto const* const end = bytes.data() + kLengthBytes;
    auto const read = std::from_chars(bytes.data(), end, length, 16);
    if (read.ec != std::errc{} || read.ptr != end) return fail(Errc::invalid_input, "a packet without a length");
    if (length < kLengthBytes) {
        if (length == 3) return fail(Errc::invalid_input, "a packet of 3 bytes");
        bytes.remove_prefix(kLengthBytes);
        return Packet{.kind = static_cast<Packet::Kind>(length + 1), .data = {}};
    }
    if (length > kPacketBytesMax)
        return fail(Errc::invalid_input, "a packet of more than " + std::to_string(kPacketBytesMax) + " bytes");
    if (bytes.size() < length) return std::nullopt;
    auto data = bytes.substr(kLengthBytes, length - kLengthBytes);
    bytes.remove_prefix(length);
    if (data.ends_with('\n')) data.remove_suffix(1);
    return Packet{.kind = Packet::Kind::data, .data = data};
}

std::string bare_packet(std::string_view data) {
    HOLDFAST_ASSERT(data.size() + kLengthBytes <= kPacketBytesMax);
    char digits[kLengthBytes];
    auto const length = data.size() + kLengthBytes;
    for (std::size_t i = 0; i < kLengthBytes; ++i)
        digits[i] = "0123456789abcdef"[length >> (4 * (kLengthBytes - 1 - i)) & 0xf];
    return std::string{digits, kLengthBytes} + std::string{data};
}

std::string packet(std::string_view data) { return bare_packet(std::string{data} + "\n"); }

Opening read_opening(std::string_view answer) {
    bool is_first = true, is_v2 = false, lists = false;
    for (;;) {
        auto const packet = take_packet(answer);
        if (!packet) return Opening::other;
        if (!*packet) return Opening::incomplete;
        auto const [kind, data] = **packet;
        // "# service=git-upload-pack" and a flush stand before the opening itself; not every server sends them.
        bool const is_service = is_first && data.starts_with("# service=");
        is_first = false;
        if (is_service) continue;
        if (kind == Packet::Kind::flush && !is_v2) {
            if (answer.starts_with(kFlush)) return Opening::other;
            continue;
        }
        if (kind == Packet::Kind::flush) return lists ? Opening::lists_refs : Opening::other;
        if (kind != Packet::Kind::data) return Opening::other;
        if (!is_v2) {
            if (data != "version 2") return begins_list(data) ? Opening::older : Opening::other;
            is_v2 = true;
            continue;
        }
        lists = lists || data == "ls-refs" || data.starts_with("ls-refs=");
        if (data.starts_with("object-format=") && data != "object-format=sha1") return Opening::other;
    }
}

std::string ls_refs_request(std::vector<std::string> const& names) {
    std::string request = packet("command=ls-refs") + std::string{kDelimiter} + packet("peel");
    for (auto const& name : names) request += packet("ref-prefix " + name);
    return request + std::string{kFlush};
}

Result<std::vector<Ref>> read_ls_refs(std::string_view answer, std::vector<std::string> const& names) {
    std::vector<Ref> refs;
    for (;;) {
        auto const packet = take_packet(answer);
        if (!packet) return not_an_answer(packet.error().message);
        if (!*packet) return not_an_answer("cut short");
        auto const [kind, data] = **packet;
        if (kind == Packet::Kind::flush) break;
        if (kind != Packet::Kind::data) return not_an_answer("a packet that has no place there");
        if (data.starts_with("ERR ")) return not_an_answer("refused by the server");
        auto ref = read_ref(data, names);
        if (!ref) return fail(std::move(ref));
        // At most one of each name is wished for; the first one counts.
        if (*ref && refs.size() < names.size() && std::ranges::find(refs, (*ref)->name, &Ref::name) == refs.end())
            refs.push_back(std::move(**ref));
    }
    if (!answer.empty()) return not_an_answer("bytes behind its end");
    return refs;
}

}  // namespace holdfast::git
