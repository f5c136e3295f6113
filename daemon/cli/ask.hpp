// daemon/cli/ask.hpp: what the verbs share that ask a running daemon.
#pragma once

#include "modules/base/error.hpp"
#include "modules/http/message.hpp"

#include <chrono>
#include <string>

namespace CLI {
class App;
}

namespace holdfast::daemon {

struct DaemonFlags {
    std::string socket;
    std::string config;
    std::string state_dir;
};

/// Names of flags; `flags` outlives the parse.
void add_daemon_flags(CLI::App& app, DaemonFlags& flags);

/// Errors  invalid_input  the configuration that was named is wrong
Result<std::string> socket_of(DaemonFlags const& flags);

/// Errors  not_found, offline  no daemon: no such socket, or nobody listens;  denied  it is another user's;
///         timeout             it does not answer;  busy  it says no: the message has its words
Result<std::string> ask_daemon(std::string const& socket, http::Request request, std::chrono::milliseconds answer_max);

}  // namespace holdfast::daemon
