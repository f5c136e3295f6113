// modules/source/tar_writer.cpp: ustar headers, pax headers for long or non-ASCII names, and deterministic gzip.
#include "modules/source/tar_writer.hpp"

#include "modules/base/assert.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

namespace holdfast::source {

namespace {

constexpr std::size_t kBlockBytes = 512;
constexpr std::size_t kNameBytes = 100;
constexpr std::size_t kPrefixBytes = 155;
constexpr std::size_t kPieceBytes = 64 << 10;
constexpr int kCompressionLevel = 6;

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// What of a name fits into a header's field that only serves readers which do not know pax.
std::string ascii_of(std::string_view text) {
    std::string ascii;
    for (char c : text) {
        if (static_cast<unsigned char>(c) < 0x80 && c != '\0') ascii += c;
    }
    return ascii.substr(0, kNameBytes);
}

struct SplitName {
    std::string_view prefix;
    std::string_view name;
};

/// As ustar wants a long name: cut at a "/". Nothing when there is no fitting place.
std::optional<SplitName> split_name(std::string_view path) {
    if (!is_ascii(path)) return std::nullopt;
    if (path.size() <= kNameBytes) return SplitName{"", path};
    std::size_t length = path.size() > kPrefixBytes + 1 ? kPrefixBytes + 1 : path.size();
    auto const slash = path.substr(0, length).rfind('/');
    if (slash == std::string_view::npos || slash == 0) return std::nullopt;
    auto const name = path.substr(slash + 1);
    if (name.empty() || name.size() > kNameBytes) return std::nullopt;
    return SplitName{path.substr(0, slash), name};
}

/// "<length> path=<path>\n" where length counts itself.
std::string pax_record(std::string_view path) {
    std::size_t const rest = std::strlen(" path=\n") + path.size();
    std::size_t size = rest + std::to_string(rest).size();
    if (std::to_string(size).size() + rest != size) size = rest + std::to_string(size).size();
    return std::to_string(size) + " path=" + std::string{path} + "\n";
}

std::string pax_name(std::string_view path) {
    auto const slash = path.rfind('/');
    std::string const folder = slash == std::string_view::npos ? "" : std::string{path.substr(0, slash + 1)};
    auto const file = slash == std::string_view::npos ? path : path.substr(slash + 1);
    return ascii_of(folder + "PaxHeaders.0/" + std::string{file});
}

void put_octal(char* field, std::size_t bytes, std::uint64_t value) {
    std::snprintf(field, bytes, "%0*llo", static_cast<int>(bytes - 1), static_cast<unsigned long long>(value));
}

}  // namespace

Result<void> TarWriter::block(std::string_view name, std::string_view prefix, char type, unsigned mode,
                              std::uint64_t size, bool pax) {
    HOLDFAST_ASSERT(name.size() <= kNameBytes && prefix.size() <= kPrefixBytes);
    std::array<char, kBlockBytes> bytes{};
    char* const at = bytes.data();
    std::ranges::copy(name, at);
    put_octal(at + 100, 8, mode);
    put_octal(at + 108, 8, 0);
    put_octal(at + 116, 8, 0);
    put_octal(at + 124, 12, size);
    put_octal(at + 136, 12, 0);
    at[156] = type;
    std::memcpy(at + 257, "ustar\00000", 8);
    if (!pax) {
        put_octal(at + 329, 8, 0);  // device numbers, which Go leaves empty in the pax header itself
        put_octal(at + 337, 8, 0);
    }
    std::ranges::copy(prefix, at + 345);
    std::memset(at + 148, ' ', 8);
    unsigned sum = 0;
    for (char c : bytes) sum += static_cast<unsigned char>(c);
    put_octal(at + 148, 7, sum);
    at[155] = ' ';
    return out_.write({bytes.data(), bytes.size()});
}

Result<void> TarWriter::header(std::string_view path, char type, unsigned mode, std::uint64_t size) {
    if (auto const split = split_name(path)) return block(split->name, split->prefix, type, mode, size, false);
    auto const record = pax_record(path);
    auto announced = block(pax_name(path), "", 'x', 0, record.size(), true);
    if (!announced) return announced;
    auto written = padded(record);
    if (!written) return written;
    return block(ascii_of(path), "", type, mode, size, false);
}

Result<void> TarWriter::padded(std::string_view content) {
    static constexpr std::array<char, kBlockBytes> kZeros{};
    auto written = out_.write(content);
    if (!written) return written;
    return out_.write({kZeros.data(), (kBlockBytes - content.size() % kBlockBytes) % kBlockBytes});
}

Result<void> TarWriter::directory(std::string_view path) { return header(path, '5', 0750, 0); }

Result<void> TarWriter::file(std::string_view path, bool executable, std::string_view content) {
    auto written = header(path, '0', executable ? 0700 : 0600, content.size());
    if (!written) return written;
    return padded(content);
}

Result<void> TarWriter::finish() {
    std::string const end(2 * kBlockBytes, '\0');
    auto written = out_.write(end);
    if (!written) return written;
    return out_.finish();
}

struct GzipSink::State {
    z_stream stream{};
    gz_header header{};  // read by zlib with the first output
};

GzipSink::GzipSink(ArtifactSink const& sink)
    : sink_{sink}, state_{std::make_unique<State>()}, buffer_{std::make_unique<char[]>(kPieceBytes)} {
    constexpr int kGzipWindow = 15 + 16;
    constexpr int kUnknownSystem = 255;
    auto* const stream = &state_->stream;
    HOLDFAST_ASSERT(deflateInit2(stream, kCompressionLevel, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    state_->header.os = kUnknownSystem;
    HOLDFAST_ASSERT(deflateSetHeader(stream, &state_->header) == Z_OK);
    stream->next_out = reinterpret_cast<Bytef*>(buffer_.get());
    stream->avail_out = kPieceBytes;
}

GzipSink::~GzipSink() { deflateEnd(&state_->stream); }

Result<void> GzipSink::write(std::string_view bytes) { return deflate_some(bytes, Z_NO_FLUSH); }

Result<void> GzipSink::finish() { return deflate_some({}, Z_FINISH); }

Result<void> GzipSink::deflate_some(std::string_view bytes, int flush) {
    auto* const stream = &state_->stream;
    stream->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream->avail_in = static_cast<uInt>(bytes.size());
    for (;;) {
        int const code = deflate(stream, flush);
        HOLDFAST_ASSERT(code != Z_STREAM_ERROR);
        bool const ended = code == Z_STREAM_END;
        if (stream->avail_out == 0 || ended) {
            std::string_view const piece{buffer_.get(), kPieceBytes - stream->avail_out};
            hash_.update(piece);
            size_ += piece.size();
            auto taken = sink_(piece);
            if (!taken) return taken;
            stream->next_out = reinterpret_cast<Bytef*>(buffer_.get());
            stream->avail_out = kPieceBytes;
        }
        bool const all_taken = flush == Z_NO_FLUSH && stream->avail_in == 0 && stream->avail_out > 0;
        if (ended || all_taken) return {};
    }
}

std::string GzipSink::digest() {
    auto const digest = hash_.finish();
    return "sha256:" + crypto::hex(digest.data(), digest.size());
}

}  // namespace holdfast::source
