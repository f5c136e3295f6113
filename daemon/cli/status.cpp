// daemon/cli/status.cpp: holdfast status: asks the daemon over its socket, and shows the answer.
#include "daemon/cli/ask.hpp"
#include "daemon/cli/common.hpp"
#include "daemon/cli/verbs.hpp"
#include "modules/status/table.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <sys/ioctl.h>
#include <unistd.h>

namespace holdfast::daemon {

namespace {

constexpr int kExitNoAnswer = 3;
constexpr std::chrono::milliseconds kAnswerMax{2'500};
constexpr unsigned kWatchEverySeconds = 2;

struct Flags {
    DaemonFlags daemon;
    std::string output = "table";
    status::TableOptions table;
    bool watch = false;
};

/// Columns of the terminal that stdout is; 0 when it is none.
std::size_t terminal_width() {
    winsize size{};
    if (::isatty(STDOUT_FILENO) == 0) return 0;
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
}

int show(std::string const& socket, Flags& flags) {
    auto const document = ask_daemon(socket, {.target = "/api/v1/status"}, kAnswerMax);
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
    add_daemon_flags(app, flags.daemon);
    app.add_option("-o,--output", flags.output, "table or json")->check(CLI::IsMember({"table", "json"}));
    app.add_option("-n,--namespace", flags.table.ns, "Only what is in this namespace")->type_name("NAME");
    app.add_flag("--failed", flags.table.failed,
                 "Only what is Non-Compliant, has objects that are not ready, or drifted");
    app.add_flag("-w,--watch", flags.watch, "Show it again every 2 seconds, until interrupted");
    if (auto const code = stop_after_flags(app, argc, argv)) return *code;

    auto const socket = socket_of(flags.daemon);
    if (!socket) return complain(socket.error(), kExitConfig);
    return flags.watch ? watch(*socket, flags) : show(*socket, flags);
}

}  // namespace holdfast::daemon
