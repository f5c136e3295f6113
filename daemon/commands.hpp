// daemon/commands.hpp: the commands behind the command line; each returns the exit code.
#pragma once

#include <string>

namespace holdfast::daemon {

struct DaemonFlags {
    std::string config;
    std::string state_dir;
    std::string kubeconfig;
    std::string manifests;
    std::string listen;
    bool no_remote_bases = false;
};

struct InstallFlags {
    std::string kubeconfig;
    std::string context;
    bool print = false;
};

struct StatusFlags {
    std::string socket;
    std::string config;
    std::string state_dir;
    std::string output = "table";
};

struct PrintFlags {
    std::string config;
    bool defaults = false;
    bool reference = false;
};

int daemon_command(DaemonFlags const& flags);
int install_command(InstallFlags const& flags);
int status_command(StatusFlags const& flags);
int config_check_command(std::string const& file);
int config_print_command(PrintFlags const& flags);

}  // namespace holdfast::daemon
