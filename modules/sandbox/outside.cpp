// modules/sandbox/outside.cpp: the frames of a job that is served while it runs.
#include "modules/sandbox/outside.hpp"

#include "modules/sandbox/frames.hpp"

#include <array>
#include <cstring>
#include <string>

namespace holdfast::sandbox::outside {

namespace {

std::unexpected<Error> alone() { return fail(Errc::limit, "nobody waits for this job any more"); }

/// Behind 'N': what connecting came to.
Error read_refusal() {
    std::uint32_t size = 0;
    if (!read_all(kJobSocket, &size, sizeof size) || size == 0 || size > kPieceBytesMax) return alone().error();
    std::string text(size, '\0');
    if (!read_all(kJobSocket, text.data(), text.size())) return alone().error();
    return {static_cast<Errc>(text[0]), text.substr(1)};
}

Result<int> ask(char type, std::string_view question) {
    if (!write_frame(kJobSocket, type, question)) return alone();
    char answer = 0;
    std::array<int, 2> fds{-1, -1};
    int const count = receive_descriptor(kJobSocket, answer, fds);
    if (count == 1 && answer == 'F') return fds[0];
    if (count < 0 && answer == 'N') return std::unexpected{read_refusal()};
    return alone();
}

}  // namespace

Result<int> connect(std::string_view host, std::uint16_t port) {
    std::string question(sizeof port, '\0');
    std::memcpy(question.data(), &port, sizeof port);
    return ask('C', question += host);
}

Result<int> open(std::string_view what) { return ask('O', what); }

Result<void> give(std::string_view piece) {
    while (!piece.empty()) {
        auto const part = piece.substr(0, kPieceBytesMax);
        if (!write_frame(kJobSocket, 'D', part)) return alone();
        piece.remove_prefix(part.size());
    }
    return {};
}

}  // namespace holdfast::sandbox::outside
