// tests/fuzz/git_packets_fuzz.cpp: what a Git server says to the daemon itself: its opening, or its answer to ls-refs.
// Looks for: crashes, undefined behaviour, an answer that is taken in pieces but not whole, a reference nobody asked for.
#include "modules/git/packets.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

using namespace holdfast::git;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const text{reinterpret_cast<char const*>(data), size};
    std::vector<std::string> const names{"refs/heads/main", "refs/tags/v1", "HEAD"};
    // What is settled after some bytes stays so, whatever comes behind them.
    auto const half = read_opening(text.substr(0, size / 2));
    if (half != Opening::incomplete && half != read_opening(text)) std::abort();
    auto const refs = read_ls_refs(text, names);
    if (refs && refs->size() > names.size()) std::abort();
    for (std::size_t i = 0; refs && i < refs->size(); ++i) {
        if (std::ranges::find(names, refs->at(i).name) == names.end()) std::abort();
    }
    auto rest = text;
    for (;;) {
        auto const before = rest.size();
        auto const packet = take_packet(rest);
        if (!packet || !*packet) break;
        if (rest.size() >= before || (*packet)->data.size() > kPacketBytesMax) std::abort();
    }
    return 0;
}
