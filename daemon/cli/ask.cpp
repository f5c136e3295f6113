// daemon/cli/ask.cpp: one question over the daemon's socket.
#include "daemon/cli/ask.hpp"

#include "daemon/app.hpp"
#include "daemon/cli/common.hpp"
#include "modules/base/private_loop.hpp"
#include "modules/http/client.hpp"

#include <CLI/CLI.hpp>

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace holdfast::daemon {

void add_daemon_flags(CLI::App& app, DaemonFlags& flags) {
    app.add_option("--socket", flags.socket, "The daemon's socket")->type_name("FILE");
    app.add_option("--config", flags.config, "Configuration file that names the socket")->type_name("FILE");
    app.add_option("--state-dir", flags.state_dir, "State directory that holds the socket")->type_name("DIR");
}

Result<std::string> socket_of(DaemonFlags const& flags) {
    if (!flags.socket.empty()) return flags.socket;
    auto config = read_config(flags.config);
    if (!config) return fail(std::move(config));
    if (!flags.state_dir.empty()) config->state_dir = flags.state_dir;
    constexpr char const* kService = "/run/holdfast/holdfast.sock";
    if (flags.state_dir.empty() && config->status_socket.empty() && ::access(kService, F_OK) == 0) return kService;
    return default_socket(*config);
}

namespace {

Error silent(std::string const& socket) {
    return {Errc::timeout,
            "the daemon at " + socket +
                " does not answer: it is there, but stopped or overloaded (look at its process and its log)"};
}

/// Is anyone there? The answer to a connect says it exactly; the HTTP client would only say that it failed.
Result<void> knock(std::string const& socket) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket.size() >= sizeof address.sun_path) {
        return fail(Errc::invalid_input, "the socket's path is too long: " + std::to_string(socket.size()) +
                                             " bytes of at most " + std::to_string(sizeof address.sun_path - 1) +
                                             "; set a shorter one in status.socket: " + socket);
    }
    std::memcpy(address.sun_path, socket.data(), socket.size());
    int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return fail(Errc::limit, std::string{"socket: "} + std::strerror(errno));
    int const code = ::connect(fd, reinterpret_cast<sockaddr const*>(&address), sizeof address) == 0 ? 0 : errno;
    ::close(fd);
    switch (code) {
        case 0: return {};
        case EAGAIN: return std::unexpected{silent(socket)};  // nobody has taken those who came before us
        case ENOENT: return fail(Errc::not_found, "no daemon at " + socket + ": there is no such socket");
        case ECONNREFUSED: return fail(Errc::offline, "no daemon at " + socket + ": it has ended, nobody listens");
        case EACCES:
            return fail(Errc::denied, "the daemon's socket " + socket +
                                          " may not be opened by this user: run as root or as its owner");
        default: return fail(Errc::offline, "no daemon at " + socket + ": " + std::strerror(code));
    }
}

}  // namespace

Result<std::string> ask_daemon(std::string const& socket, http::Request request, std::chrono::milliseconds answer_max) {
    auto knocked = knock(socket);
    if (!knocked) return fail(std::move(knocked));
    PrivateLoop loop;
    http::Client http{loop.executor()};
    http::Endpoint endpoint;
    endpoint.url.scheme = "http";
    endpoint.url.host = "localhost";
    endpoint.url.port = 80;
    endpoint.unix_path = socket;
    auto answer = loop.run(http.send(std::move(endpoint), std::move(request), {.whole_max = answer_max}));
    if (!answer && answer.error().code == Errc::timeout) return std::unexpected{silent(socket)};
    if (!answer) return fail(Errc::offline, "the daemon at " + socket + " ended before it answered");
    if (!answer->ok()) {
        std::string const words = answer->body.empty() ? "" : ": " + answer->body;
        return fail(Errc::busy, "the daemon at " + socket + " answers " + http::status_text(answer->status) + words);
    }
    return std::move(answer->body);
}

}  // namespace holdfast::daemon
