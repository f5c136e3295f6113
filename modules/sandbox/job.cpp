// modules/sandbox/job.cpp: the frames of a job over an Asio stream.
#include "modules/sandbox/job.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstring>

namespace holdfast::sandbox {

namespace {

using Socket = asio::local::stream_protocol::socket;

struct Ending {
    std::string reply;
    char reply_type = 0;
    int wait_status = 0;
};

Task<Ending> converse(Socket& socket, std::string request, std::size_t reply_bytes_max) {
    boost::system::error_code ec;
    auto token = asio::redirect_error(asio::use_awaitable, ec);
    auto const size = static_cast<std::uint32_t>(request.size());
    std::array<asio::const_buffer, 2> const out{asio::buffer(&size, sizeof size), asio::buffer(request)};
    co_await asio::async_write(socket, out, token);
    // A job that died before reading breaks the pipe; its 'X' frame says why.
    Ending ending;
    for (;;) {
        std::array<char, 5> head{};
        co_await asio::async_read(socket, asio::buffer(head), token);
        if (ec) break;
        std::uint32_t length = 0;
        std::memcpy(&length, head.data() + 1, sizeof length);
        // A job that was taken over says what it likes: the second frame of one can only be its end.
        if (length > (ending.reply_type == 0 ? reply_bytes_max : sizeof(std::int32_t))) break;
        std::string body(length, '\0');
        co_await asio::async_read(socket, asio::buffer(body), token);
        if (ec) break;
        if (head[0] == 'X' && body.size() == sizeof(std::int32_t)) {
            std::memcpy(&ending.wait_status, body.data(), sizeof ending.wait_status);
            break;
        }
        ending.reply_type = head[0];
        ending.reply = std::move(body);
    }
    co_return ending;
}

}  // namespace

Task<std::string> run_job(Zygote& zygote, int input_fd, std::string request, Order order) {
    auto const executor = co_await asio::this_coro::executor;
    auto spawned = zygote.spawn(input_fd, order);
    if (!spawned) co_return fail(std::move(spawned));
    Socket socket{executor};
    boost::system::error_code ec;
    socket.assign(asio::local::stream_protocol{}, *spawned, ec);
    if (ec) co_return fail(Errc::limit, "sandbox: " + ec.message());
    Limits const limits = zygote.limits(order);
    // The zygote has a clock for the job; this one only guards against a zygote that never answers.
    auto talk = converse(socket, std::move(request), limits.reply_bytes_max);
    auto ending = co_await within(limits.wall_max + std::chrono::seconds{5}, std::move(talk), "render");
    if (!ending) co_return fail(std::move(ending));
    co_return outcome(std::move(ending->reply), ending->reply_type, ending->wait_status, limits);
}

}  // namespace holdfast::sandbox
