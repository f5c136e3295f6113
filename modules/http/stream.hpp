// modules/http/stream.hpp: one connection: plain TCP, TLS or a unix socket, behind one face.
#pragma once

#include "modules/base/async.hpp"
#include "modules/http/tls.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace holdfast::http {

/// Reads and writes under a deadline. Holds no buffers of its own; an idle TLS stream costs about 15 KB.
/// One reader and one writer at a time, not both. After any error: close it.
class Stream {
public:
    using Clock = std::chrono::steady_clock;

    /// Takes a non-blocking socket, connected or connecting, and closes it in the end.
    Stream(asio::any_io_executor executor, int socket);
    ~Stream();
    Stream(Stream const&) = delete;
    Stream& operator=(Stream const&) = delete;

    /// Every later read, write or handshake fails with timeout once `when` has passed.
    void expires_at(Clock::time_point when);

    /// As expires_at(), but a peer that acknowledges bytes of ours within `silence` is given as long again, `latest` at most:
    /// what was written waits in the kernel, and a slow link is no silent one.
    void expires_after(Clock::duration silence, Clock::time_point latest);

    /// Waits until a connect() in progress has ended. Errors  offline, timeout
    Task<void> connected();

    /// Errors  denied   the certificate is not trusted, or is for another name (message says which)
    ///         offline  the peer hung up; timeout
    Task<void> handshake_as_client(std::shared_ptr<TlsContext const> tls, std::string host);
    Task<void> handshake_as_server(std::shared_ptr<TlsContext const> tls);

    /// Out  bytes read; 0 at the end of the stream
    Task<std::size_t> read_some(std::span<char> into);
    /// `bytes` must stay alive until this returns.
    Task<void> write(std::string_view bytes);

    /// True while the peer has neither closed nor sent something nobody asked for: fit to be used again.
    bool idle_and_open() const;
    void close();
    /// Gives the socket up, connected and without TLS: it is the caller's, who closes it. Out  -1: there is none
    int release();

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace holdfast::http
