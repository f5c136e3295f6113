// daemon/cli/common.hpp: what several verbs do the same way: read flags, read the configuration, find a kubeconfig, complain.
#pragma once

#include "daemon/config.hpp"
#include "modules/base/async.hpp"

#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace holdfast::daemon {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;    // the command line is wrong
constexpr int kExitConfig = 64;  // sysexits.h: the configuration is wrong; systemd does not restart on it

/// Prints each line of the message after "holdfast: "; returns `code`.
int complain(Error const& error, int code);

/// Reads the flags of one verb (or of one verb below it). Out: the exit code when that ends it: after --help, or after
/// saying what is wrong with the command line and what was probably meant.
std::optional<int> stop_after_flags(CLI::App& app, int argc, char** argv);

/// The named file; else /etc/holdfast/holdfast.yaml when it is there; else the defaults.
Result<Config> read_config(std::string const& file);

/// Where a kubeconfig was found. `path` empty: nowhere, or (in_pod) the pod's own account is to be used instead.
struct FoundKubeconfig {
    std::string path;
    std::string named_by;  // "--kubeconfig", "$KUBECONFIG", "~/.kube/config", ...
    bool in_pod = false;
};

/// What was named, by the flag or else by the configuration; else $KUBECONFIG (of several files the first that is there);
/// else the pod's own account; else ~/.kube/config, when it is there.
FoundKubeconfig find_kubeconfig(std::string const& flag, std::string const& configured);

}  // namespace holdfast::daemon
