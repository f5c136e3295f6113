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

Result<std::string> gunzip(std::string_view packed, std::size_t plain_bytes_max) {
    z_stream stream{};
    if (inflateInit2(&stream, kGzipWindow) != Z_OK) return fail(Errc::limit, "gunzip: no memory");
    struct End {
        z_stream& stream;
        ~End() { inflateEnd(&stream); }
    } end{stream};
    stream.next_in = bytes_of(packed);
    stream.avail_in = static_cast<uInt>(packed.size());
    std::string plain;
    std::array<char, 16 * 1024> piece;
    for (;;) {
        stream.next_out = reinterpret_cast<Bytef*>(piece.data());
        stream.avail_out = piece.size();
        int const result = inflate(&stream, Z_NO_FLUSH);
        if (result != Z_OK && result != Z_STREAM_END) return fail(Errc::corrupt, "gunzip: not gzip, or cut short");
        auto const got = piece.size() - stream.avail_out;
        if (plain.size() + got > plain_bytes_max) {
            return fail(Errc::limit, "gunzip: more than " + std::to_string(plain_bytes_max) + " bytes");
        }
        plain.append(piece.data(), got);
        if (result != Z_STREAM_END) continue;
        if (stream.avail_in == 0) return plain;
        inflateReset(&stream);  // a gzip file may have several members
    }
}

}  // namespace holdfast::http
