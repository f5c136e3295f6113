// modules/http/wire.hpp: bytes to messages and back; the only face of Beast in this project.
#pragma once

#include "modules/http/message.hpp"
#include "modules/http/stream.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace holdfast::http::wire {

struct Limits {
    std::size_t header_bytes_max = 64u << 10;
    std::size_t body_bytes_max = 8u << 20;
    std::size_t piece_bytes = 16u << 10;  // read at once; held while a message is awaited
};

/// Receives one message from a stream, piece by piece. Reads through one buffer that is freed with it.
class Reader {
public:
    enum class Side { request, response };

    Reader(Stream& stream, Side side, Limits limits);
    ~Reader();

    /// A response to HEAD or CONNECT has no body, whatever its header says.
    void expect_no_body();

    /// Waits until a message begins. Out  false when the peer closed instead
    Task<bool> first_byte();

    /// Reads until the header is complete; of a response the final one: interim answers (100 to 199 but 101, RFC 9110
    /// section 15.2) are skipped, whoever sent them and whether or not they were asked for.
    /// Out  false when the peer closed before the first byte. Errors  limit  more interim answers than anyone needs
    Task<bool> header();

    /// Reads the next piece of the body. Out  empty at its end; the view lives until the next call
    Task<std::string_view> body();

    /// After a failure: the status a server answers with, 431, 413 or 400.
    unsigned refusal() const;
    bool got_some() const;         // any byte came
    bool keeps_alive() const;      // after the body: the stream may carry another message, and nothing is still to come
    std::size_t leftover() const;  // bytes that came after the message

    // After header():
    unsigned status() const;
    std::string const& method() const;
    std::string const& target() const;
    Headers& headers();
    bool wants_continue() const;  // Expect: 100-continue

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Request line and fields, CRLF at the end; adds Content-Length for a body. Errors  invalid_input: control characters
Result<std::string> format(Request const& request);
/// `chunked`: the length is not known yet.
Result<std::string> format(Response const& response, bool chunked, bool keep_alive);
/// One chunk; an empty piece is the end.
std::string chunk(std::string_view piece);

}  // namespace holdfast::http::wire
