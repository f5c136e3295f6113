// daemon/cli/verbs.hpp: what can follow `holdfast`, one file a verb. main.cpp has the table.
#pragma once

namespace holdfast::daemon {

/// In      argv[0] is the verb, what follows is its own
/// Out     the exit code (docs/cli.md)
int config_verb(int argc, char** argv);
int daemon_verb(int argc, char** argv);
int install_verb(int argc, char** argv);
int queue_verb(int argc, char** argv);
int status_verb(int argc, char** argv);
int version_verb(int argc, char** argv);

}  // namespace holdfast::daemon
