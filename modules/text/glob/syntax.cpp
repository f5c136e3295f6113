// modules/text/glob/syntax.cpp: pattern text to tree, with gobwas' lexer rules.
#include "modules/text/glob/syntax.hpp"

#include "modules/text/glob/glob.hpp"

namespace holdfast::glob {
namespace {

constexpr char32_t kBroken = 0xFFFD;

class Parser {
public:
    explicit Parser(std::string_view text) : text_(text) {}

    Result<Node> pattern_list() {
        Node root;
        auto ended = pattern(root, 0);
        if (!ended) return fail(std::move(ended));
        return root;
    }

private:
    enum class End { input, separator, close };

    Result<char32_t> read() {
        auto const rune = rune_at(text_, at_);
        if (rune.value == kBroken) return fail(Errc::invalid_input, "could not read rune");
        last_ = rune.bytes;
        at_ += rune.bytes;
        return rune.bytes == 0 ? U'\0' : rune.value;
    }
    void unread() { at_ -= last_; }

    /// One pattern up to the end, or to "," or "}" inside braces.
    Result<End> pattern(Node& into, std::size_t depth) {
        if (depth > kDepthMax) return fail(Errc::limit, "glob: braces nested too deep");
        for (;;) {
            auto const rune = read();
            if (!rune) return fail(Result<char32_t>{rune});
            switch (*rune) {
                case U'\0': return End::input;
                case U'{': {
                    Node choice{.kind = Node::Kind::any_of};
                    auto end = End::separator;
                    while (end == End::separator) {
                        auto& alternative = choice.children.emplace_back();
                        auto ended = pattern(alternative, depth + 1);
                        if (!ended) return fail(std::move(ended));
                        end = *ended;
                    }
                    into.children.push_back(std::move(choice));
                    if (end == End::input) return End::input;
                    break;
                }
                case U'[': {
                    auto parsed = character_class(into);
                    if (!parsed) return fail(std::move(parsed));
                    break;
                }
                case U'?': into.children.push_back({.kind = Node::Kind::single}); break;
                case U'*': {
                    auto const next = read();
                    if (!next) return fail(Result<char32_t>{next});
                    bool const twice = *next == U'*';
                    if (!twice) unread();
                    into.children.push_back({.kind = twice ? Node::Kind::super : Node::Kind::any});
                    break;
                }
                default:
                    if (depth > 0 && *rune == U',') return End::separator;
                    if (depth > 0 && *rune == U'}') return End::close;
                    unread();
                    auto found = plain(depth > 0 ? U"?*[{}," : U"?*[{");
                    if (!found) return fail(std::move(found));
                    if (!found->empty()) into.children.push_back({.kind = Node::Kind::text, .text = std::move(*found)});
            }
        }
    }

    Result<std::u32string> plain(std::u32string_view stops) {
        std::u32string out;
        bool escaped = false;
        for (;;) {
            auto const rune = read();
            if (!rune) return fail(Result<char32_t>{rune});
            if (*rune == U'\0') return out;
            if (!escaped && *rune == U'\\') {
                escaped = true;
                continue;
            }
            if (!escaped && stops.find(*rune) != stops.npos) {
                unread();
                return out;
            }
            escaped = false;
            out += *rune;
        }
    }

    Result<void> character_class(Node& into) {
        Node node;
        auto rune = read();
        if (!rune) return fail(std::move(rune));
        if (*rune == U'!') {
            node.negated = true;
            rune = read();
            if (!rune) return fail(std::move(rune));
        }
        if (*rune == U'\0') return fail(Errc::invalid_input, "unexpected end of input");
        if (rune_at(text_, at_).value == U'-') {
            node.kind = Node::Kind::range;
            node.low = *rune;
            ++at_;
            auto const high = read();
            if (!high) return fail(Result<char32_t>{high});
            if (*high == U'\0') return fail(Errc::invalid_input, "unexpected end of input");
            node.high = *high;
            if (node.high < node.low)
                return fail(Errc::invalid_input, "hi character '" + to_utf8({&node.high, 1}) +
                                                     "' should be greater than lo '" + to_utf8({&node.low, 1}) + "'");
        } else {
            unread();
            node.kind = Node::Kind::list;
            auto chars = plain(U"]");
            if (!chars) return fail(std::move(chars));
            node.text = std::move(*chars);
        }
        auto const close = read();
        if (!close) return fail(Result<char32_t>{close});
        if (*close == U'\0') return fail(Errc::invalid_input, "unexpected end of input");
        if (*close != U']') return fail(Errc::invalid_input, "expected close range character");
        if (node.kind == Node::Kind::list && node.text.empty())
            return fail(Errc::invalid_input, "could not parse range");
        into.children.push_back(std::move(node));
        return {};
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t last_ = 0;
};

}  // namespace

Rune rune_at(std::string_view text, std::size_t at) {
    if (at >= text.size()) return {};
    auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(i < text.size() ? text[i] : 0); };
    unsigned char const lead = byte(at);
    if (lead < 0x80) return {lead, 1};
    std::size_t const length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4) return {kBroken, 1};
    char32_t value = lead & (0x7F >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(at + i) & 0xC0) != 0x80) return {kBroken, 1};
        value = (value << 6) | (byte(at + i) & 0x3F);
    }
    bool const overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
    if (overlong || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) return {kBroken, 1};
    return {value, length};
}

std::size_t rune_bytes(char32_t rune) { return rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4; }

std::string to_utf8(std::u32string_view text) {
    std::string out;
    for (char32_t const rune : text) {
        auto const bytes = rune_bytes(rune);
        if (bytes == 1) {
            out += static_cast<char>(rune);
            continue;
        }
        out += static_cast<char>((0xF00 >> bytes) | (rune >> (6 * (bytes - 1))));
        for (std::size_t i = bytes - 1; i-- > 0;) out += static_cast<char>(0x80 | ((rune >> (6 * i)) & 0x3F));
    }
    return out;
}

Result<Node> parse(std::string_view pattern) {
    if (pattern.size() > kPatternBytesMax) return fail(Errc::limit, "glob: pattern too long");
    return Parser{pattern}.pattern_list();
}

}  // namespace holdfast::glob
