// modules/helm/text.cpp: small text helpers of the Helm port.
#include "modules/helm/text.hpp"

#include "modules/base/search.hpp"

namespace holdfast::helm {
namespace {

/// Bytes of the white space character that text starts with, 0 for none.
std::size_t space_at_front(std::string_view text) {
    if (text.empty()) return 0;
    if (is_space(text[0])) return 1;
    if (text.starts_with("\xC2\x85") || text.starts_with("\xC2\xA0")) return 2;
    if (text.size() < 3) return 0;
    auto const three = text.substr(0, 3);
    if (three == "\xE1\x9A\x80" || three == "\xE2\x81\x9F" || three == "\xE3\x80\x80" || three == "\xE2\x80\xA8" ||
        three == "\xE2\x80\xA9" || three == "\xE2\x80\xAF")
        return 3;
    return three.starts_with("\xE2\x80") && three[2] >= '\x80' && three[2] <= '\x8A' ? 3 : 0;
}

}  // namespace

std::string_view trimmed_left(std::string_view text) {
    while (auto const bytes = space_at_front(text)) text.remove_prefix(bytes);
    return text;
}

std::string_view trimmed(std::string_view text) {
    text = trimmed_left(text);
    for (;;) {
        std::size_t cut = 0;
        for (std::size_t const bytes : {1u, 2u, 3u}) {
            if (text.size() >= bytes && space_at_front(text.substr(text.size() - bytes)) == bytes) cut = bytes;
        }
        if (cut == 0) return text;
        text.remove_suffix(cut);
    }
}

std::string lower(std::string_view text) {
    std::string out{text};
    for (auto& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return out;
}

std::vector<std::string_view> split(std::string_view text, char by) {
    std::vector<std::string_view> parts;
    for (;;) {
        auto const at = text.find(by);
        parts.push_back(text.substr(0, at));
        if (at == text.npos) return parts;
        text.remove_prefix(at + 1);
    }
}

std::string_view base_name(std::string_view path) {
    auto const slash = path.rfind('/');
    return slash == path.npos ? path : path.substr(slash + 1);
}

std::string_view extension(std::string_view path) {
    auto const base = base_name(path);
    auto const dot = base.rfind('.');
    return dot == base.npos ? std::string_view{} : base.substr(dot);
}

std::string clean_path(std::string_view path) {
    bool const rooted = path.starts_with('/');
    std::vector<std::string_view> kept;
    for (auto const part : split(path, '/')) {
        if (part.empty() || part == ".") continue;
        if (part != "..") {
            kept.push_back(part);
        } else if (!kept.empty() && kept.back() != "..") {
            kept.pop_back();
        } else if (!rooted) {
            kept.push_back(part);
        }
    }
    std::string out = rooted ? "/" : "";
    for (std::size_t i = 0; i < kept.size(); ++i) {
        if (i > 0) out += '/';
        out += kept[i];
    }
    return out.empty() ? "." : out;
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
    auto at = find_text(text, from);
    if (at == text.npos) return text;
    std::string out;
    out.reserve(text.size());
    std::size_t start = 0;
    for (; at != text.npos; at = find_text(text, from, start)) {
        out.append(text, start, at - start);
        out += to;
        start = at + from.size();
    }
    return out.append(text, start);
}

}  // namespace holdfast::helm
