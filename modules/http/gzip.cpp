// modules/http/gzip.cpp: zlib with the gzip wrapping.
#include "modules/http/gzip.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>

namespace holdfast::http {

static constexpr int kGzipWindow = 15 + 16;  // 32 KiB window, gzip header and trailer

static Bytef* bytes_of(std::string_view text) {
    return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // zlib's next_in is not const
}

Result<std::string> gzip(std::string_view plain, int level) {
    z_stream stream{};
    if (deflateInit2(&stream, level, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        return fail(Errc::limit, "gzip: no memory");
    }
    std::string packed;
    packed.resize(deflateBound(&stream, static_cast<uLong>(plain.size())));
    stream.next_in = bytes_of(plain);
    stream.avail_in = static_cast<uInt>(plain.size());
    stream.next_out = bytes_of(packed);
    stream.avail_out = static_cast<uInt>(packed.size());
    int const ended = deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    if (ended != Z_STREAM_END) return fail(Errc::limit, "gzip: output longer than its bound");
    return packed;
}

struct Gunzip::State {
    std::size_t bytes_max;
    Sink sink;
    z_stream stream{};
    bool ready = false;
    bool between = true;  // before the first member of the file, or behind one
    std::size_t bytes = 0;
};

Gunzip::Gunzip(std::size_t plain_bytes_max, Sink sink)
    : state_{std::make_unique<State>(State{plain_bytes_max, std::move(sink)})} {
    state_->ready = inflateInit2(&state_->stream, kGzipWindow) == Z_OK;
}

Gunzip::~Gunzip() {
    if (state_->ready) inflateEnd(&state_->stream);
}

Result<void> Gunzip::write(std::string_view packed) {
    if (!state_->ready) return fail(Errc::limit, "gunzip: no memory");
    auto& stream = state_->stream;
    stream.next_in = bytes_of(packed);
    stream.avail_in = static_cast<uInt>(packed.size());
    std::array<char, 16 * 1024> piece;
    bool full = false;  // the last piece left no room: there may be more without more input
    while (stream.avail_in > 0 || full) {
        if (state_->between) inflateReset(&stream);  // a gzip file may have several members
        state_->between = false;
        stream.next_out = reinterpret_cast<Bytef*>(piece.data());
        stream.avail_out = piece.size();
        int const result = inflate(&stream, Z_NO_FLUSH);
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
            return fail(Errc::corrupt, "gunzip: not gzip, or cut short");
        auto const got = piece.size() - stream.avail_out;
        state_->bytes += got;
        if (state_->bytes > state_->bytes_max)
            return fail(Errc::limit, "gunzip: more than " + std::to_string(state_->bytes_max) + " bytes");
        if (auto taken = state_->sink({piece.data(), got}); !taken) return taken;
        state_->between = result == Z_STREAM_END;
        full = !state_->between && stream.avail_out == 0;
    }
    return {};
}

Result<void> Gunzip::finish() {
    if (!state_->between || state_->stream.total_in == 0) return fail(Errc::corrupt, "gunzip: not gzip, or cut short");
    return {};
}

Result<std::string> gunzip(std::string_view packed, std::size_t plain_bytes_max) {
    std::string plain;
    Gunzip unpack{plain_bytes_max, [&plain](std::string_view piece) -> Result<void> {
                      plain += piece;
                      return {};
                  }};
    auto done = unpack.write(packed);
    if (done) done = unpack.finish();
    if (!done) return std::unexpected{std::move(done).error()};
    return plain;
}

}  // namespace holdfast::http
