// modules/yaml/scan_tag.cpp: the rare tokens: anchors, aliases, tags and directives.
#include "modules/yaml/scanner.hpp"
#include "modules/yaml/utf8.hpp"

namespace holdfast::yaml {

using chars::hex_value;
using chars::is_blank;
using chars::is_blankz;
using chars::is_word;

bool Scanner::scan_anchor(Token& token) {
    token.start = mark();
    skip_ascii();
    auto const* const from = p_;
    while (is_word(*p_)) ++p_;
    token.text = {from, static_cast<std::size_t>(p_ - from)};
    bool const ends_well = is_blankz(p_) || std::string_view{"?:,]}%@`"}.contains(*p_);
    if (token.text.empty() || !ends_well)
        return fail(token.start, "did not find expected alphabetic or numeric character");
    return true;
}

bool Scanner::scan_tag(Token& token) {
    token.start = mark();
    std::string handle;
    std::string suffix;
    if (p_[1] == '<') {
        p_ += 2;
        newlines_ = 0;
        if (!scan_tag_uri({}, token.start, suffix)) return false;
        if (*p_ != '>') return fail(token.start, "did not find the expected '>'");
        skip_ascii();
    } else {
        if (!scan_tag_handle(false, token.start, handle)) return false;
        if (handle.size() > 1 && handle.back() == '!') {
            if (!scan_tag_uri({}, token.start, suffix)) return false;
        } else {
            // It was no handle but the start of the suffix. "!" alone has the handle "" and the suffix "!".
            if (!scan_tag_uri(handle, token.start, suffix)) return false;
            handle = "!";
            if (suffix.empty()) std::swap(handle, suffix);
        }
    }
    if (!is_blankz(p_)) return fail(token.start, "did not find expected whitespace or line break");
    token.text = arena_.copy(handle);
    token.suffix = arena_.copy(suffix);
    return true;
}

bool Scanner::scan_tag_handle(bool directive, Mark start, std::string& handle) {
    if (*p_ != '!') return fail(start, "did not find expected '!'");
    auto const* const from = p_;
    skip_ascii();
    while (is_word(*p_)) ++p_;
    if (*p_ == '!') ++p_;
    else if (directive && p_ - from != 1) return fail(start, "did not find expected '!'");
    handle.assign<char const*>(from, p_);
    return true;
}

bool Scanner::scan_tag_uri(std::string_view head, Mark start, std::string& uri) {
    bool found = !head.empty();
    if (head.size() > 1) uri = head.substr(1);
    while (is_word(*p_) || (*p_ != '\0' && std::string_view{";/?:@&=+$,.!~*'()[]%"}.contains(*p_))) {
        if (*p_ == '%') {
            if (!scan_uri_escape(start, uri)) return false;
        } else {
            uri.push_back(*p_);
            skip_ascii();
        }
        found = true;
    }
    if (!found) return fail(start, "did not find expected tag URI");
    return true;
}

/// One character of %xx octets.
bool Scanner::scan_uri_escape(Mark start, std::string& uri) {
    int left = -1;
    do {
        int const high = *p_ == '%' ? hex_value(p_[1]) : -1;
        int const low = high < 0 ? -1 : hex_value(p_[2]);
        if (low < 0) return fail(start, "did not find URI escaped octet");
        int const octet = high * 16 + low;
        if (left < 0) {
            bool const is_lead = (octet & 0xC0) != 0x80 && octet < 0xF8;
            left = static_cast<int>(width_of(static_cast<unsigned char>(octet)));
            if (!is_lead) return fail(start, "found an incorrect leading UTF-8 octet");
        } else if ((octet & 0xC0) != 0x80) {
            return fail(start, "found an incorrect trailing UTF-8 octet");
        }
        uri.push_back(static_cast<char>(octet));
        p_ += 3;
        newlines_ = 0;
    } while (--left > 0);
    return true;
}

bool Scanner::scan_directive(Token& token) {
    token.start = mark();
    skip_ascii();
    auto const* const from = p_;
    while (is_word(*p_)) ++p_;
    std::string_view const name{from, static_cast<std::size_t>(p_ - from)};
    if (name.empty()) return fail(token.start, "could not find expected directive name");
    if (!is_blankz(p_)) return fail(token.start, "found unexpected non-alphabetical character");

    if (name == "YAML") {
        token.type = TokenType::version_directive;
        if (!scan_version(token, token.start)) return false;
    } else if (name == "TAG") {
        token.type = TokenType::tag_directive;
        std::string handle;
        std::string prefix;
        skip_blanks();
        if (!scan_tag_handle(true, token.start, handle)) return false;
        if (!is_blank(*p_)) return fail(token.start, "did not find expected whitespace");
        skip_blanks();
        if (!scan_tag_uri({}, token.start, prefix)) return false;
        if (!is_blankz(p_)) return fail(token.start, "did not find expected whitespace or line break");
        token.text = arena_.copy(handle);
        token.suffix = arena_.copy(prefix);
    } else {
        return fail(token.start, "found unknown directive name");
    }

    skip_blanks();
    if (*p_ == '#') read_comment_line();
    if (!chars::is_breakz(p_)) return fail(token.start, "did not find expected comment or line break");
    skip_line();
    return true;
}

bool Scanner::scan_version(Token& token, Mark start) {
    skip_blanks();
    int major = 0;
    int minor = 0;
    if (!scan_version_number(start, major)) return false;
    if (*p_ != '.') return fail(start, "did not find expected digit or '.' character");
    skip_ascii();
    if (!scan_version_number(start, minor)) return false;
    token.compatible = major == 1 && minor == 1;
    return true;
}

bool Scanner::scan_version_number(Mark start, int& number) {
    int length = 0;
    for (; chars::is_digit(*p_); ++length) {
        if (length == 2) return fail(start, "found extremely long version number");
        number = number * 10 + (*p_ - '0');
        skip_ascii();
    }
    if (length == 0) return fail(start, "did not find expected version number");
    return true;
}

}  // namespace holdfast::yaml
