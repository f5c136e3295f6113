// modules/http/stream.cpp: non-blocking reads and writes on a socket, with or without TLS.
//
// OpenSSL works on the socket directly, not through asio::ssl: four buffers of 17 KB per connection are not held, and the
// deepest template of Asio is not compiled.
#include "modules/http/stream.hpp"

#include "modules/base/assert.hpp"
#include "modules/http/acknowledged.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace holdfast::http {

namespace {

enum class Want { nothing, read, write };

/// What one attempt at an operation came to.
struct Attempt {
    std::size_t bytes = 0;
    Want want = Want::nothing;
    std::string failure = {};
    bool is_refusal = false;  // the peer does not want us, or who we say that we are
};

/// Alerts by which a server refuses a client's certificate, or that there is none. With TLS 1.3 they come behind the handshake.
bool is_refusing_alert(unsigned long code) {
    switch (ERR_GET_REASON(code) - SSL_AD_REASON_OFFSET) {
        case SSL_AD_BAD_CERTIFICATE:
        case SSL_AD_UNSUPPORTED_CERTIFICATE:
        case SSL_AD_CERTIFICATE_REVOKED:
        case SSL_AD_CERTIFICATE_EXPIRED:
        case SSL_AD_CERTIFICATE_UNKNOWN:
        case SSL_AD_UNKNOWN_CA:
        case SSL_AD_ACCESS_DENIED:
        case TLS13_AD_CERTIFICATE_REQUIRED: return ERR_GET_LIB(code) == ERR_LIB_SSL;
        default: return false;
    }
}

std::string text_of_errno(int code) { return std::generic_category().message(code); }

}  // namespace

struct Stream::State : std::enable_shared_from_this<Stream::State> {
    using Wait = asio::posix::stream_descriptor::wait_type;

    State(asio::any_io_executor const& executor, int fd) : descriptor(executor), timer(executor) {
        boost::system::error_code ec;
        descriptor.assign(fd, ec);
        if (ec) ::close(fd);  // every operation then says "closed"
    }
    ~State() { SSL_free(ssl); }

    void arm() {
        armed_for = deadline;
        if (deadline == Clock::time_point::max()) return;
        timer.expires_at(deadline);
        timer.async_wait([weak = weak_from_this()](boost::system::error_code ec) {
            auto const self = weak.lock();
            if (ec || !self) return;
            // The deadline usually moved on since this timer was set; that costs nothing until here.
            if (Clock::now() < self->deadline || self->is_heard()) return self->arm();
            self->timed_out = true;
            self->close();
        });
    }

    /// The peer took bytes of ours since the deadline was set: moves it on.
    bool is_heard() {
        if (silence == Clock::duration::zero() || Clock::now() >= latest) return false;
        auto const now_acknowledged = bytes_acknowledged(fd());
        if (now_acknowledged <= acknowledged) return false;
        acknowledged = now_acknowledged;
        deadline = std::min(Clock::now() + silence, latest);
        return true;
    }

    void close() {
        boost::system::error_code ignored;
        descriptor.close(ignored);
        timer.cancel();
        armed_for = Clock::time_point::max();
    }

    asio::awaitable<std::string> wait(Want want) {
        if (timed_out || !descriptor.is_open()) co_return "closed";
        auto const token = asio::as_tuple(asio::use_awaitable);
        auto const [ec] =
            co_await descriptor.async_wait(want == Want::read ? Wait::wait_read : Wait::wait_write, token);
        if (ec) co_await stop_if_cancelled();
        co_return ec ? ec.message() : std::string{};
    }

    std::unexpected<Error> failure(std::string_view step, std::string const& why) const {
        if (timed_out) return fail(Errc::timeout, std::string{step} + ": no answer in time");
        return fail(Errc::offline, std::string{step} + ": " + why);
    }

    Attempt after_ssl(int result) const {
        switch (SSL_get_error(ssl, result)) {
            case SSL_ERROR_WANT_READ: return {.want = Want::read};
            case SSL_ERROR_WANT_WRITE: return {.want = Want::write};
            case SSL_ERROR_ZERO_RETURN: return {};
            case SSL_ERROR_SYSCALL: return {.failure = errno != 0 ? text_of_errno(errno) : "connection cut off"};
            default: {
                auto const code = ERR_peek_last_error();
                auto const* reason = ERR_reason_error_string(code);
                ERR_clear_error();
                return {.failure = reason != nullptr ? reason : "TLS failed", .is_refusal = is_refusing_alert(code)};
            }
        }
    }

    Attempt try_read(std::span<char> into) const {
        if (ssl != nullptr) {
            ERR_clear_error();
            int const got = SSL_read(ssl, into.data(), static_cast<int>(std::min<std::size_t>(into.size(), 1u << 20)));
            return got > 0 ? Attempt{.bytes = static_cast<std::size_t>(got)} : after_ssl(got);
        }
        auto const got = ::recv(fd(), into.data(), into.size(), 0);
        if (got >= 0) return {.bytes = static_cast<std::size_t>(got)};
        if (errno == EAGAIN || errno == EINTR) return {.want = Want::read};
        return {.failure = text_of_errno(errno)};
    }

    Attempt try_write(std::string_view bytes) const {
        if (ssl != nullptr) {
            ERR_clear_error();
            int const sent =
                SSL_write(ssl, bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), 1u << 20)));
            return sent > 0 ? Attempt{.bytes = static_cast<std::size_t>(sent)} : after_ssl(sent);
        }
        auto const sent = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent >= 0) return {.bytes = static_cast<std::size_t>(sent)};
        if (errno == EAGAIN || errno == EINTR) return {.want = Want::write};
        return {.failure = text_of_errno(errno)};
    }

    int fd() const { return const_cast<asio::posix::stream_descriptor&>(descriptor).native_handle(); }

    asio::posix::stream_descriptor descriptor;
    asio::steady_timer timer;
    Clock::time_point deadline = Clock::time_point::max();
    Clock::time_point armed_for = Clock::time_point::max();
    Clock::duration silence = Clock::duration::zero();  // zero: the deadline does not move
    Clock::time_point latest;
    std::uint64_t acknowledged = 0;
    bool timed_out = false;
    std::shared_ptr<TlsContext const> tls;
    SSL* ssl = nullptr;
};

// OpenSSL's own socket BIO uses write(), which raises SIGPIPE when the peer is gone.
static BIO_METHOD const* socket_bio() {
    static BIO_METHOD* const method = [] {
        auto* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "holdfast socket");
        BIO_meth_set_write(made, [](BIO* bio, char const* bytes, int size) {
            auto const sent =
                ::send(*static_cast<int*>(BIO_get_data(bio)), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
            BIO_clear_retry_flags(bio);
            if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
            return static_cast<int>(sent);
        });
        BIO_meth_set_read(made, [](BIO* bio, char* into, int size) {
            auto const got = ::recv(*static_cast<int*>(BIO_get_data(bio)), into, static_cast<std::size_t>(size), 0);
            BIO_clear_retry_flags(bio);
            if (got < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
            if (got == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
            return static_cast<int>(got);
        });
        BIO_meth_set_ctrl(made, [](BIO* bio, int command, long, void*) -> long {
            if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
            return command == BIO_CTRL_FLUSH ? 1 : 0;
        });
        BIO_meth_set_destroy(made, [](BIO* bio) {
            delete static_cast<int*>(BIO_get_data(bio));
            return 1;
        });
        return made;
    }();
    return method;
}

static SSL* new_ssl(TlsContext const& tls, int fd) {
    auto* const ssl = SSL_new(tls.native());
    auto* const bio = BIO_new(socket_bio());
    HOLDFAST_ASSERT(ssl != nullptr && bio != nullptr);
    BIO_set_data(bio, new int{fd});
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    return ssl;
}

Stream::Stream(asio::any_io_executor executor, int socket) : state_(std::make_shared<State>(executor, socket)) {
    // These fail on a unix socket, which is harmless. Keep-alive finds a peer that vanished while a watch is silent.
    auto const set = [socket](int level, int option, int value) {
        ::setsockopt(socket, level, option, &value, sizeof value);
    };
    set(IPPROTO_TCP, TCP_NODELAY, 1);
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, 30);
    set(IPPROTO_TCP, TCP_KEEPINTVL, 10);
    set(IPPROTO_TCP, TCP_KEEPCNT, 3);
}

Stream::~Stream() { state_->close(); }

void Stream::expires_after(Clock::duration silence, Clock::time_point latest) {
    expires_at(std::min(Clock::now() + silence, latest));
    state_->silence = silence;
    state_->latest = latest;
    state_->acknowledged = bytes_acknowledged(state_->fd());
}

void Stream::expires_at(Clock::time_point when) {
    state_->silence = Clock::duration::zero();
    state_->deadline = when;
    if (when < state_->armed_for) state_->arm();
}

void Stream::close() { state_->close(); }

int Stream::release() {
    HOLDFAST_ASSERT(state_->ssl == nullptr);
    if (!state_->descriptor.is_open()) return -1;
    state_->timer.cancel();
    state_->armed_for = Clock::time_point::max();
    return state_->descriptor.release();
}

bool Stream::idle_and_open() const {
    if (!state_->descriptor.is_open() || state_->timed_out) return false;
    char byte = 0;
    if (state_->ssl != nullptr) {
        // Takes in session tickets that came late, and a goodbye.
        ERR_clear_error();
        int const got = SSL_peek(state_->ssl, &byte, 1);
        bool const open = got <= 0 && SSL_get_error(state_->ssl, got) == SSL_ERROR_WANT_READ;
        ERR_clear_error();
        return open;
    }
    auto const got = ::recv(state_->fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EINTR);
}

Task<std::size_t> Stream::read_some(std::span<char> into) {
    auto const state = state_;
    for (;;) {
        auto attempt = state->try_read(into);
        if (attempt.is_refusal) co_return fail(Errc::denied, "receive: " + attempt.failure);
        if (!attempt.failure.empty()) co_return state->failure("receive", attempt.failure);
        if (attempt.want == Want::nothing) co_return attempt.bytes;
        auto const failed = co_await state->wait(attempt.want);
        if (!failed.empty()) co_return state->failure("receive", failed);
    }
}

Task<void> Stream::write(std::string_view bytes) {
    auto const state = state_;
    while (!bytes.empty()) {
        auto attempt = state->try_write(bytes);
        if (!attempt.failure.empty()) {
            // Who refuses us says so and closes: the words lie there to be read when the line is cut already.
            std::array<char, 64> rest{};
            auto const heard = state->try_read(rest);
            if (heard.is_refusal) co_return fail(Errc::denied, "receive: " + heard.failure);
            co_return state->failure("send", attempt.failure);
        }
        bytes.remove_prefix(attempt.bytes);
        if (attempt.want == Want::nothing) continue;
        auto const failed = co_await state->wait(attempt.want);
        if (!failed.empty()) co_return state->failure("send", failed);
    }
    co_return Result<void>{};
}

Task<void> Stream::connected() {
    auto const state = state_;
    auto const failed = co_await state->wait(Want::write);
    if (state->timed_out) co_return fail(Errc::timeout, "no answer in time");
    if (!failed.empty()) co_return fail(Errc::offline, failed);
    int code = 0;
    socklen_t size = sizeof code;
    ::getsockopt(state->fd(), SOL_SOCKET, SO_ERROR, &code, &size);
    if (code != 0) co_return fail(code == ETIMEDOUT ? Errc::timeout : Errc::offline, text_of_errno(code));
    co_return Result<void>{};
}

static std::unexpected<Error> not_trusted(SSL const* ssl, std::string const& host, std::string const& reason) {
    auto const verified = SSL_get_verify_result(ssl);
    if (verified != X509_V_OK) {
        return fail(Errc::denied,
                    "TLS with " + host + ": certificate refused: " + X509_verify_cert_error_string(verified));
    }
    return fail(Errc::denied, "TLS with " + host + ": " + reason);
}

Task<void> Stream::handshake_as_client(std::shared_ptr<TlsContext const> tls, std::string host) {
    auto const state = state_;
    auto const& name = tls->server_name().empty() ? host : tls->server_name();
    state->tls = tls;
    state->ssl = new_ssl(*tls, state->fd());
    // The zone of an address, "fe80::1%eth0", says through which door; certificates know the address alone.
    auto const address = name.substr(0, name.find('%'));
    boost::system::error_code not_literal;
    asio::ip::make_address(address, not_literal);
    bool const checked = not_literal ? SSL_set_tlsext_host_name(state->ssl, name.c_str()) == 1 &&
                                           SSL_set1_host(state->ssl, name.c_str()) == 1
                                     : X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(state->ssl), address.c_str()) == 1;
    if (!checked) {
        ERR_clear_error();
        co_return fail(Errc::denied, "TLS with " + host + ": the name cannot be checked");
    }
    for (;;) {
        ERR_clear_error();
        int const result = SSL_connect(state->ssl);
        if (result == 1) co_return Result<void>{};
        bool const broken_line = SSL_get_error(state->ssl, result) == SSL_ERROR_SYSCALL;
        auto attempt = state->after_ssl(result);
        if (attempt.want == Want::nothing) {
            if (broken_line || state->timed_out) co_return state->failure("TLS with " + host, attempt.failure);
            if (attempt.failure.empty()) co_return fail(Errc::offline, "TLS with " + host + ": closed by the peer");
            if (attempt.failure.contains("unexpected eof")) co_return state->failure("TLS with " + host, "cut off");
            co_return not_trusted(state->ssl, host, attempt.failure);
        }
        auto const failed = co_await state->wait(attempt.want);
        if (!failed.empty()) co_return state->failure("TLS with " + host, failed);
    }
}

Task<void> Stream::handshake_as_server(std::shared_ptr<TlsContext const> tls) {
    auto const state = state_;
    state->tls = tls;
    state->ssl = new_ssl(*tls, state->fd());
    for (;;) {
        ERR_clear_error();
        int const result = SSL_accept(state->ssl);
        if (result == 1) co_return Result<void>{};
        auto attempt = state->after_ssl(result);
        if (attempt.want == Want::nothing)
            co_return state->failure("TLS", attempt.failure.empty() ? "closed" : attempt.failure);
        auto const failed = co_await state->wait(attempt.want);
        if (!failed.empty()) co_return state->failure("TLS", failed);
    }
}

}  // namespace holdfast::http
