// tests/unit/modules/helm/tar_maker.cpp: .tgz bytes with whatever headers a test wants.
#include "tests/unit/modules/helm/tar_maker.hpp"

#include <zlib.h>

#include <cstdio>
#include <cstring>

namespace holdfast::helm::testing {
namespace {

void add(std::string& tar, Entry const& entry) {
    char block[512] = {};
    std::memcpy(block, entry.name.data(), std::min<std::size_t>(entry.name.size(), 100));
    std::memcpy(block + 100, "0000644", 8);
    std::snprintf(block + 124, 12, "%011zo", entry.data.size());
    if (!entry.size_field.empty())
        std::memcpy(block + 124, entry.size_field.data(), std::min<std::size_t>(entry.size_field.size(), 12));
    block[156] = entry.type;
    std::memcpy(block + 157, entry.link.data(), std::min<std::size_t>(entry.link.size(), 100));
    std::memcpy(block + 257,
                "ustar\0"
                "00",
                8);
    std::memset(block + 148, ' ', 8);
    unsigned sum = 0;
    for (char const c : block) sum += static_cast<unsigned char>(c);
    std::snprintf(block + 148, 8, "%06o", sum);
    tar.append(block, 512);
    tar += entry.data;
    tar.append((512 - entry.data.size() % 512) % 512, '\0');
}

}  // namespace

std::string make_tar(std::vector<Entry> const& entries) {
    std::string tar;
    for (auto const& entry : entries) {
        if (!entry.pax.empty()) {
            auto const body = ' ' + entry.pax + '\n';
            auto length = body.size() + 2;
            while (std::to_string(length).size() + body.size() != length) ++length;
            add(tar, {.name = "pax", .data = std::to_string(length) + body, .type = 'x'});
        }
        add(tar, entry);
    }
    return tar.append(1024, '\0');
}

std::string gzip(std::string_view bytes) {
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&stream, bytes.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

std::string make_tgz(std::vector<Entry> const& entries) { return gzip(make_tar(entries)); }

std::vector<Entry> small_chart(std::string_view template_text, std::string_view values, std::string_view name) {
    std::string const top{name};
    std::vector<Entry> entries{
        {.name = top + "/Chart.yaml", .data = "apiVersion: v2\nname: " + top + "\nversion: 0.1.0\n"},
        {.name = top + "/templates/a.yaml", .data = std::string{template_text}}};
    if (!values.empty()) entries.push_back({.name = top + "/values.yaml", .data = std::string{values}});
    return entries;
}

}  // namespace holdfast::helm::testing
