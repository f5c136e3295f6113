// daemon/cli/status.cpp: holdfast status: asks the daemon over its socket, and shows the answer.
#include "daemon/app.hpp"
#include "daemon/cli/common.hpp"
#include "daemon/cli/verbs.hpp"
#include "modules/base/private_loop.hpp"
#include "modules/http/client.hpp"
#include "modules/status/table.hpp"

#include <CLI/CLI.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace holdfast::daemon {

namespace {

constexpr int kExitNoAnswer = 3;
constexpr std::chrono::milliseconds kAnswerMax{2'500};
constexpr unsigned kWatchEverySeconds = 2;

struct Flags {
    std::string socket;
    std::string config;
    std::string state_dir;
    std::string output = "table";
    status::TableOptions table;
    bool watch = false;
};

Result<std::string> socket_of(Flags const& flags) {
    if (!flags.socket.empty()) return flags.socket;
    auto config = read_config(flags.config);
    if (!config) return fail(std::move(config));
    if (!flags.state_dir.empty()) config->state_dir = flags.state_dir;
    constexpr char const* kService = "/run/holdfast/holdfast.sock";
    if (flags.state_dir.empty() && config->status_socket.empty() && ::access(kService, F_OK) == 0) return kService;
    return default_socket(*config);
}

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

Result<std::string> ask(std::string const& socket) {
    auto knocked = knock(socket);
    if (!knocked) return fail(std::move(knocked));
    PrivateLoop loop;
    http::Client http{loop.executor()};
    http::Endpoint endpoint;
    endpoint.url.scheme = "http";
    endpoint.url.host = "localhost";
    endpoint.url.port = 80;
    endpoint.unix_path = socket;
    http::Request request{.target = "/api/v1/status"};
    auto answer = loop.run(http.send(std::move(endpoint), std::move(request), {.whole_max = kAnswerMax}));
    if (!answer && answer.error().code == Errc::timeout) return std::unexpected{silent(socket)};
    if (!answer) return fail(Errc::offline, "the daemon at " + socket + " ended before it answered");
    if (!answer->ok())
        return fail(Errc::busy, "the daemon at " + socket + " answers " + http::status_text(answer->status));
    return std::move(answer->body);
}

/// Columns of the terminal that stdout is; 0 when it is none.
std::size_t terminal_width() {
    winsize size{};
    if (::isatty(STDOUT_FILENO) == 0) return 0;
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
}

int show(std::string const& socket, Flags& flags) {
    auto const document = ask(socket);
    if (!document) return complain(document.error(), kExitNoAnswer);
    auto const code = status::exit_code(*document);
    if (!code) return complain(code.error(), kExitNoAnswer);
    if (flags.output == "json") {
        std::printf("%s\n", document->c_str());
        return *code;
    }
    flags.table.width = terminal_width();
    auto const table = status::to_table(*document, flags.table);
    if (!table) return complain(table.error(), kExitNoAnswer);
    std::fputs(table->c_str(), stdout);
    return *code;
}

/// Until interrupted, or until nobody reads any more.
int watch(std::string const& socket, Flags& flags) {
    bool const on_terminal = ::isatty(STDOUT_FILENO) != 0;
    bool first = true;
    for (;;) {
        if (on_terminal) std::fputs("\x1b[H\x1b[2J\x1b[3J", stdout);
        else if (!first && flags.output == "table") std::fputs("\n", stdout);
        first = false;
        int const code = show(socket, flags);
        if (std::fflush(stdout) != 0) return code;
        ::sleep(kWatchEverySeconds);
    }
}

}  // namespace

int status_verb(int argc, char** argv) {
    Flags flags;
    CLI::App app{
        "Show what the daemon knows.\nExit code: 0 compliant, 1 pending, 2 non-compliant or a problem, 3 no daemon or "
        "no answer; of everything, whatever is shown.",
        "holdfast status"};
    app.add_option("--socket", flags.socket, "The daemon's socket")->type_name("FILE");
    app.add_option("--config", flags.config, "Configuration file that names the socket")->type_name("FILE");
    app.add_option("--state-dir", flags.state_dir, "State directory that holds the socket")->type_name("DIR");
    app.add_option("-o,--output", flags.output, "table or json")->check(CLI::IsMember({"table", "json"}));
    app.add_option("-n,--namespace", flags.table.ns, "Only what is in this namespace")->type_name("NAME");
    app.add_flag("--failed", flags.table.failed,
                 "Only what is Non-Compliant, has objects that are not ready, or drifted");
    app.add_flag("-w,--watch", flags.watch, "Show it again every 2 seconds, until interrupted");
    if (auto const code = stop_after_flags(app, argc, argv)) return *code;

    auto const socket = socket_of(flags);
    if (!socket) return complain(socket.error(), kExitConfig);
    return flags.watch ? watch(*socket, flags) : show(*socket, flags);
}

}  // namespace holdfast::daemon
