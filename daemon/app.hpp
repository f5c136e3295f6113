// daemon/app.hpp: the composition root: builds every object once, in order, and takes them down in reverse.
#pragma once

#include "daemon/config.hpp"
#include "modules/base/error.hpp"
#include "modules/sandbox/sandbox.hpp"

#include <string>

namespace holdfast::daemon {

struct StartOptions {
    Config config;
    sandbox::Confinement confinement;  // as probed before anything else
};

/// What run_daemon returns when it wants to be called again: something it needs has appeared.
inline constexpr int kStartOver = 100;

/// Runs the daemon until SIGTERM or SIGINT. `zygote` was forked before the first thread.
/// Out     0 after an orderly stop; kStartOver
/// Errors  what keeps it from starting at all: state directory, database, listening address
Result<int> run_daemon(StartOptions options, sandbox::Zygote& zygote);

/// Where the status socket is by default.
std::string default_socket(Config const& config);

}  // namespace holdfast::daemon
