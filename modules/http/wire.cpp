// modules/http/wire.cpp: Beast's parser fed by hand, and message heads as text.
#include "modules/http/wire.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

namespace holdfast::http::wire {

namespace beast = boost::beast;

namespace {

/// What both directions of parser report to.
struct Seen {
    unsigned status = 0;
    std::string method;
    std::string target;
    Headers headers;
    std::vector<std::string_view> pieces;  // of the body, into the buffer being parsed
};

template <bool IsRequest> class Parser final : public beast::http::basic_parser<IsRequest> {
public:
    explicit Parser(Seen& seen) : seen_(seen) {}

private:
    using Code = beast::error_code;
    using View = beast::string_view;

    void on_request_impl(beast::http::verb, View method, View target, int, Code&) override {
        seen_.method.assign(method.data(), method.size());
        seen_.target.assign(target.data(), target.size());
    }
    void on_response_impl(int status, View, int, Code&) override { seen_.status = static_cast<unsigned>(status); }
    void on_field_impl(beast::http::field, View name, View value, Code&) override {
        seen_.headers.add({name.data(), name.size()}, {value.data(), value.size()});
    }
    void on_header_impl(Code&) override {}
    void on_body_init_impl(boost::optional<std::uint64_t> const&, Code&) override {}
    std::size_t on_body_impl(View piece, Code&) override {
        seen_.pieces.emplace_back(piece.data(), piece.size());
        return piece.size();
    }
    void on_chunk_header_impl(std::uint64_t, View, Code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, View piece, Code&) override {
        seen_.pieces.emplace_back(piece.data(), piece.size());
        return piece.size();
    }
    void on_finish_impl(Code&) override {}

    Seen& seen_;
};

/// The two parsers have no common base, so calls go through std::visit-like forwarding.
class AnyParser {
public:
    AnyParser(Reader::Side side, Seen& seen) { begin(side, seen); }

    /// For the next message.
    void begin(Reader::Side side, Seen& seen) {
        if (side == Reader::Side::request) {
            request_.emplace(seen);
        } else {
            response_.emplace(seen);
        }
    }

    template <class Call> decltype(auto) with(Call&& call) { return request_ ? call(*request_) : call(*response_); }

private:
    std::optional<Parser<true>> request_;
    std::optional<Parser<false>> response_;
};

Errc errc_of(beast::error_code ec) {
    if (ec == beast::http::error::header_limit || ec == beast::http::error::body_limit) return Errc::limit;
    if (ec == beast::http::error::partial_message || ec == beast::http::error::end_of_stream) return Errc::offline;
    return Errc::invalid_input;
}

}  // namespace

static constexpr unsigned kInterimMax =
    32;  // answers before the answer: a server that never comes to the point is no server

struct Reader::State {
    State(Stream& stream_in, Side side_in, Limits limits_in)
        : stream(stream_in), side(side_in), limits(limits_in), parser(side, seen) {
        prepare();
    }

    void prepare() {
        parser.with([&](auto& p) {
            p.header_limit(static_cast<std::uint32_t>(limits.header_bytes_max));
            p.body_limit(limits.body_bytes_max);
            p.skip(no_body);
        });
    }

    bool at_interim() const { return side == Side::response && seen.status < 200 && seen.status != 101; }

    /// Forgets the message that ended with its header; what came behind it is the start of the next one.
    Result<void> skip_interim() {
        if (++interim > kInterimMax)
            return fail(Errc::limit, "HTTP: more than " + std::to_string(kInterimMax) + " interim answers");
        seen = {};
        parser.begin(side, seen);
        prepare();
        return {};
    }

    /// Reads more bytes behind those not yet parsed. Out  false at the end of the stream
    Task<bool> fill() {
        if (parsed > 0) {
            std::memmove(buffer.data(), buffer.data() + parsed, filled - parsed);
            filled -= parsed;
            parsed = 0;
        }
        auto const bound = limits.header_bytes_max + limits.piece_bytes;
        if (buffer.size() < filled + limits.piece_bytes) {
            if (filled >= bound) refusal = 431;
            if (filled >= bound)
                co_return fail(Errc::limit, "header longer than " + std::to_string(limits.header_bytes_max) + " bytes");
            buffer.resize(filled + limits.piece_bytes);
        }
        auto const got = co_await stream.read_some({buffer.data() + filled, buffer.size() - filled});
        if (!got) co_return std::unexpected{got.error()};
        filled += *got;
        co_return *got > 0;
    }

    /// Feeds the parser what is there. Out  false when it needs more bytes
    Result<bool> parse() {
        if (filled == parsed) return false;
        beast::error_code ec;
        auto const bytes = boost::asio::const_buffer{buffer.data() + parsed, filled - parsed};
        auto const used = parser.with([&](auto& p) { return p.put(bytes, ec); });
        parsed += used;
        if (ec == beast::http::error::need_more) return false;
        if (ec == beast::http::error::header_limit) refusal = 431;
        if (ec == beast::http::error::body_limit) refusal = 413;
        if (ec) return fail(errc_of(ec), "HTTP: " + ec.message());
        return used > 0;
    }

    /// A 204 has no body (RFC 9112 section 6.3); who announces one all the same will send it, late or soon.
    void look_for_what_cannot_be() {
        bool const has_length = seen.headers.get("Content-Length").find_first_not_of('0') != std::string_view::npos;
        announces_too_much =
            side == Side::response && seen.status == 204 && (has_length || seen.headers.find("Transfer-Encoding"));
    }

    Stream& stream;
    Side side;
    Limits limits;
    bool no_body = false;
    bool announces_too_much = false;
    unsigned interim = 0;
    Seen seen;
    AnyParser parser;
    std::vector<char> buffer;
    std::size_t filled = 0;
    std::size_t parsed = 0;
    std::size_t next_piece = 0;
    bool got_some = false;
    unsigned refusal = 400;
};

Reader::Reader(Stream& stream, Side side, Limits limits) : state_(std::make_unique<State>(stream, side, limits)) {}
Reader::~Reader() = default;

void Reader::expect_no_body() {
    state_->no_body = true;
    state_->prepare();
}

Task<bool> Reader::first_byte() {
    auto const more = co_await state_->fill();
    if (more) state_->got_some = *more;
    co_return std::move(more);
}

Task<bool> Reader::header() {
    auto& state = *state_;
    for (;;) {
        auto parsed = state.parse();
        if (!parsed) co_return fail(std::move(parsed));
        if (state.parser.with([](auto& p) { return p.is_header_done(); })) {
            if (!state.at_interim()) {
                state.look_for_what_cannot_be();
                co_return true;
            }
            auto skipped = state.skip_interim();
            if (!skipped) co_return fail(std::move(skipped));
            continue;
        }
        if (*parsed) continue;
        auto const more = co_await state.fill();
        if (!more) co_return std::unexpected{more.error()};
        if (!*more && !state.got_some) co_return false;
        if (!*more) co_return fail(Errc::offline, "HTTP: cut off inside the header");
        state.got_some = true;
    }
}

Task<std::string_view> Reader::body() {
    auto& state = *state_;
    for (;;) {
        if (state.next_piece < state.seen.pieces.size()) co_return state.seen.pieces[state.next_piece++];
        state.seen.pieces.clear();
        state.next_piece = 0;
        if (state.parser.with([](auto& p) { return p.is_done(); })) co_return std::string_view{};
        auto parsed = state.parse();
        if (!parsed) co_return fail(std::move(parsed));
        if (*parsed || !state.seen.pieces.empty()) continue;
        auto const more = co_await state.fill();
        if (!more) co_return std::unexpected{more.error()};
        if (*more) continue;
        // The end of the stream is the end of a body without length; of any other it is a cut.
        beast::error_code ec;
        state.parser.with([&](auto& p) { p.put_eof(ec); });
        if (ec) co_return fail(Errc::offline, "HTTP: cut off inside the body");
    }
}

unsigned Reader::refusal() const { return state_->refusal; }
bool Reader::got_some() const { return state_->got_some; }

bool Reader::keeps_alive() const {
    if (state_->announces_too_much) return false;
    return state_->parser.with([](auto& p) { return p.is_done() && p.keep_alive() && !p.need_eof(); });
}

std::size_t Reader::leftover() const { return state_->filled - state_->parsed; }
unsigned Reader::status() const { return state_->seen.status; }
std::string const& Reader::method() const { return state_->seen.method; }
std::string const& Reader::target() const { return state_->seen.target; }
Headers& Reader::headers() { return state_->seen.headers; }

bool Reader::wants_continue() const { return equal_ignoring_case(state_->seen.headers.get("Expect"), "100-continue"); }

static bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view{"!#$%&'*+-.^_`|~"}.contains(static_cast<char>(c));
    });
}

static Result<void> append_fields(std::string& out, Headers const& headers) {
    for (auto const& [name, value] : headers) {
        bool const clean =
            std::ranges::none_of(value, [](unsigned char c) { return (c < ' ' && c != '\t') || c == 127; });
        if (!is_token(name) || !clean)
            return fail(Errc::invalid_input, "HTTP header " + name + " holds a control character");
        out += name + ": " + value + "\r\n";
    }
    return {};
}

Result<std::string> format(Request const& request) {
    bool const clean = std::ranges::none_of(request.target, [](unsigned char c) { return c <= ' ' || c == 127; });
    if (!is_token(request.method) || !clean || request.target.empty()) {
        return fail(Errc::invalid_input, "HTTP request line holds a space or control character");
    }
    std::string out = request.method + " " + request.target + " HTTP/1.1\r\n";
    auto appended = append_fields(out, request.headers);
    if (!appended) return fail(std::move(appended));
    bool const sends_body =
        !request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
    if (sends_body) out += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
    out += "\r\n";
    return out;
}

Result<std::string> format(Response const& response, bool chunked, bool keep_alive) {
    std::string out = "HTTP/1.1 " + status_text(response.status) + "\r\n";
    auto appended = append_fields(out, response.headers);
    if (!appended) return fail(std::move(appended));
    bool const never_has_body = response.status == 204 || response.status == 304 || response.status < 200;
    if (chunked) {
        out += "Transfer-Encoding: chunked\r\n";
    } else if (!never_has_body && !response.headers.find("Content-Length")) {
        out += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
    }
    if (!keep_alive) out += "Connection: close\r\n";
    out += "\r\n";
    return out;
}

std::string chunk(std::string_view piece) {
    static constexpr std::string_view kHex = "0123456789abcdef";
    if (piece.empty()) return "0\r\n\r\n";
    std::string size;
    for (auto left = piece.size(); left > 0; left /= 16) size.insert(size.begin(), kHex[left % 16]);
    return size + "\r\n" + std::string{piece} + "\r\n";
}

}  // namespace holdfast::http::wire
