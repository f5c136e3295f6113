// modules/helm/archive.cpp: .tgz bytes to files: streamed, bounded, links and escapes refused.
#include "modules/helm/chart.hpp"
#include "modules/helm/text.hpp"
#include "modules/text/gotemplate/strconv.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace holdfast::helm {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kExtraBytesMax = 64u << 10;  // one pax header or GNU long name
constexpr std::size_t kStreamBytesMax = kChartBytesMax + kChartFilesMax * 4 * kBlock;

/// gzip members, one after another, inflated as far as asked.
class Inflater {
public:
    explicit Inflater(std::string_view bytes) : bytes_(bytes) {
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
        stream_.avail_in = static_cast<uInt>(bytes.size());
        ready_ = inflateInit2(&stream_, 15 + 16) == Z_OK;
    }
    Inflater(Inflater const&) = delete;
    Inflater& operator=(Inflater const&) = delete;
    ~Inflater() {
        if (ready_) inflateEnd(&stream_);
    }

    /// Fills `out` as far as the stream goes; returns the bytes written.
    Result<std::size_t> read(std::span<char> out) {
        if (!ready_) return fail(Errc::invalid_input, "gzip: invalid header");
        std::size_t done = 0;
        while (done < out.size() && !ended_) {
            stream_.next_out = reinterpret_cast<Bytef*>(out.data() + done);
            stream_.avail_out = static_cast<uInt>(out.size() - done);
            int const code = inflate(&stream_, Z_NO_FLUSH);
            done = out.size() - stream_.avail_out;
            if (code == Z_STREAM_END) {
                ended_ = stream_.avail_in == 0 || stream_.next_in[0] != 0x1f;
                if (!ended_) inflateReset(&stream_);
            } else if (code == Z_BUF_ERROR || (code == Z_OK && stream_.avail_in == 0 && stream_.avail_out > 0)) {
                return fail(Errc::invalid_input, "unexpected EOF");
            } else if (code != Z_OK) {
                return fail(Errc::invalid_input, "flate: corrupt input");
            }
        }
        total_ += done;
        if (total_ > kStreamBytesMax)
            return fail(Errc::limit,
                        "decompressed chart is larger than the maximum size " + std::to_string(kChartBytesMax));
        return done;
    }

private:
    std::string_view bytes_;
    z_stream stream_{};
    bool ready_ = false;
    bool ended_ = false;
    std::size_t total_ = 0;
};

struct Header {
    std::string name;
    std::uint64_t size = 0;
    char type = '0';
};

class Tar {
public:
    explicit Tar(std::string_view bytes) : stream_(bytes) {}

    /// The next entry, its data still unread; false at the end.
    Result<bool> next(Header& header) {
        std::string long_name;
        std::optional<std::uint64_t> long_size;
        for (int extras = 0; extras < 16; ++extras) {
            std::array<char, kBlock> block{};
            auto got = stream_.read(block);
            if (!got) return fail(std::move(got));
            if (*got == 0) return false;
            if (*got != kBlock) return fail(Errc::invalid_input, "unexpected EOF");
            if (std::ranges::all_of(block, [](char c) { return c == 0; })) return false;
            if (!checksum_good(block)) return fail(Errc::invalid_input, "archive/tar: invalid tar header");
            header = parse(block);
            if (!size_good_) return fail(Errc::invalid_input, "archive/tar: invalid tar header");
            if (header.type == 'x' || header.type == 'g' || header.type == 'L' || header.type == 'K') {
                auto text = body(header.size, kExtraBytesMax);
                if (!text) return fail(std::move(text));
                if (header.type == 'L') long_name = text->substr(0, text->find('\0'));
                if (header.type == 'x') read_pax(*text, long_name, long_size);
                continue;
            }
            if (!long_name.empty()) header.name = long_name;
            if (long_size) header.size = *long_size;
            return true;
        }
        return fail(Errc::limit, "archive/tar: too many extension headers");
    }

    Result<std::string> body(std::uint64_t size, std::size_t bytes_max) {
        if (size > bytes_max) return fail(Errc::limit, "archive/tar: entry too large");
        std::string data(static_cast<std::size_t>(size), '\0');
        auto got = stream_.read(data);
        if (!got) return fail(std::move(got));
        if (*got != size) return fail(Errc::invalid_input, "unexpected EOF");
        std::array<char, kBlock> padding{};
        auto const rest = static_cast<std::size_t>((kBlock - size % kBlock) % kBlock);
        got = stream_.read(std::span{padding}.first(rest));
        if (!got) return fail(std::move(got));
        return data;
    }

private:
    static std::string field(std::array<char, kBlock> const& block, std::size_t at, std::size_t size) {
        std::string text(block.data() + at, size);
        return text.substr(0, text.find('\0'));
    }

    static std::uint64_t octal(std::string_view text) {
        std::uint64_t value = 0;
        while (!text.empty() && (text[0] == ' ' || text[0] == '\0')) text.remove_prefix(1);
        std::from_chars(text.data(), text.data() + text.size(), value, 8);
        return value;
    }

    static bool checksum_good(std::array<char, kBlock> const& block) {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < kBlock; ++i)
            sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(block[i]);
        return octal(std::string_view{block.data() + 148, 8}) == sum;
    }

    Header parse(std::array<char, kBlock> const& block) {
        Header header{.name = field(block, 0, 100), .size = 0, .type = block[156] == 0 ? '0' : block[156]};
        std::string_view const magic{block.data() + 257, 6};
        if (magic.starts_with("ustar") && magic[5] == '\0') {
            if (auto const prefix = field(block, 345, 155); !prefix.empty()) header.name = prefix + '/' + header.name;
        }
        size_good_ = true;
        if ((block[124] & 0x80) != 0) {
            for (std::size_t i = 125; i < 136; ++i) {
                size_good_ = size_good_ && (header.size >> 55) == 0;
                header.size = header.size << 8 | static_cast<unsigned char>(block[i]);
            }
        } else {
            header.size = octal(std::string_view{block.data() + 124, 12});
        }
        return header;
    }

    static void read_pax(std::string_view text, std::string& name, std::optional<std::uint64_t>& size) {
        while (!text.empty()) {
            std::size_t length = 0;
            auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), length);
            auto const digits = static_cast<std::size_t>(end - text.data());
            if (ec != std::errc{} || length <= digits + 1 || length > text.size()) return;
            auto const record = text.substr(digits + 1, length - digits - 2);
            auto const equals = record.find('=');
            if (record.substr(0, equals) == "path") name = record.substr(equals + 1);
            if (record.substr(0, equals) == "size") {
                std::uint64_t value = 0;
                std::from_chars(record.data() + equals + 1, record.data() + record.size(), value);
                size = value;
            }
            text.remove_prefix(length);
        }
    }

    Inflater stream_;
    bool size_good_ = true;
};

/// Helm's rules for one entry's name: the first folder is cut off, nothing may leave the chart.
Result<std::string> chart_name(std::string const& name) {
    char const by = name.find('\\') != name.npos ? '\\' : '/';
    auto const first = name.find(by);
    std::string rest = first == name.npos ? std::string{} : name.substr(first + 1);
    std::ranges::replace(rest, by, '/');
    if (rest.starts_with('/')) return fail(Errc::invalid_input, "chart illegally contains absolute paths");
    rest = clean_path(rest);
    if (rest == ".")
        return fail(Errc::invalid_input,
                    "chart illegally contains content outside the base directory: " + gotemplate::quote(name));
    if (rest.starts_with("..")) return fail(Errc::invalid_input, "chart illegally references parent directory");
    bool const drive =
        rest.size() >= 3 && ((rest[0] | 32) >= 'a' && (rest[0] | 32) <= 'z') && rest[1] == ':' && rest[2] == '/';
    if (drive || rest.find('\0') != rest.npos) return fail(Errc::invalid_input, "chart contains illegally named files");
    if (name.substr(0, first) == "Chart.yaml") return fail(Errc::invalid_input, "chart yaml not in base directory");
    return rest;
}

}  // namespace

Result<std::vector<File>> unpack_archive(std::string_view bytes) {
    if (bytes.size() < 10 || !bytes.starts_with("\x1f\x8b\x08"))
        return fail(Errc::invalid_input, bytes.empty()       ? "EOF"
                                         : bytes.size() < 10 ? "unexpected EOF"
                                                             : "gzip: invalid header");
    Tar tar{bytes};
    std::vector<File> files;
    std::uint64_t left = kChartBytesMax;
    std::size_t entries = 0;
    for (;;) {
        Header header;
        auto more = tar.next(header);
        if (!more) return fail(std::move(more));
        if (!*more) break;
        if (++entries > kChartFilesMax)
            return fail(Errc::limit, "chart archive has more than " + std::to_string(kChartFilesMax) + " entries");
        if (header.type == '5' || (header.type == '0' && header.name.ends_with('/'))) {
            if (header.size != 0) {
                if (auto skipped = tar.body(header.size, kChartFileBytesMax); !skipped) return fail(std::move(skipped));
            }
            continue;
        }
        if (header.type != '0' && header.type != '7')
            return fail(Errc::invalid_input, "chart archive entry " + gotemplate::quote(header.name) +
                                                 " is a link or a special file, which is refused");
        auto name = chart_name(header.name);
        if (!name) return fail(std::move(name));
        if (header.size > left)
            return fail(Errc::limit,
                        "decompressed chart is larger than the maximum size " + std::to_string(kChartBytesMax));
        if (header.size > kChartFileBytesMax) {
            return fail(Errc::limit, "decompressed chart file " + gotemplate::quote(header.name) +
                                         " is larger than the maximum file size " + std::to_string(kChartFileBytesMax));
        }
        auto data = tar.body(header.size, kChartFileBytesMax);
        if (!data) return fail(std::move(data));
        left -= header.size;
        if (data->starts_with("\xEF\xBB\xBF")) data->erase(0, 3);
        files.push_back({std::move(*name), std::move(*data)});
    }
    if (files.empty()) return fail(Errc::invalid_input, "no files in chart archive");
    return files;
}

}  // namespace holdfast::helm
