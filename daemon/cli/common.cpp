// daemon/cli/common.cpp: flags by CLI11, in our words and with our exit codes.
#include "daemon/cli/common.hpp"

#include "daemon/cli/say.hpp"
#include "daemon/cli/suggest.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <unistd.h>

namespace holdfast::daemon {

namespace {

constexpr char const* kConfigFile = "/etc/holdfast/holdfast.yaml";

/// The innermost command that the line got to.
CLI::App const& last_of(CLI::App const& app) {
    auto const inner = app.get_subcommands();
    return inner.empty() ? app : last_of(*inner.front());
}

/// "holdfast config check": the command with those it stands below.
std::string full_name(CLI::App const& app) {
    return app.get_parent() == nullptr ? app.get_name() : full_name(*app.get_parent()) + " " + app.get_name();
}

/// What nobody asked for: a flag, a command, or a word too many. Empty: nothing is left over.
std::string unexpected(CLI::App const& app) {
    std::vector<std::string> const left = app.remaining(true);
    if (left.empty()) return {};
    std::string const word = left.front().substr(0, left.front().find('='));
    auto const commands = app.get_subcommands([](CLI::App const*) { return true; });
    std::vector<std::string> known;
    if (word.starts_with('-')) {
        for (CLI::Option const* option : app.get_options()) {
            for (std::string const& name : option->get_lnames()) known.push_back("--" + name);
        }
    } else {
        for (CLI::App const* command : commands) known.push_back(command->get_name());
    }
    std::string const meant = nearest(word, {known.begin(), known.end()});
    return std::string{word.starts_with('-') ? "unknown flag"
                       : commands.empty()    ? "unexpected argument"
                                             : "unknown command"} +
           " \"" + word + "\"" + (meant.empty() ? "" : ", did you mean \"" + meant + "\"?");
}

std::string first_of(std::string const& list) {
    std::string first;
    for (std::size_t at = 0; at <= list.size();) {
        std::size_t const end = std::min(list.find(':', at), list.size());
        std::string const file = list.substr(at, end - at);
        if (!file.empty() && ::access(file.c_str(), R_OK) == 0) return file;
        if (first.empty()) first = file;
        at = end + 1;
    }
    return first;
}

std::string variable(char const* name) {
    char const* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

}  // namespace

int complain(Error const& error, int code) {
    std::string const& text = error.message;
    for (std::size_t at = 0; at <= text.size();) {
        std::size_t const end = std::min(text.find('\n', at), text.size());
        say("holdfast: " + text.substr(at, end - at));
        at = end + 1;
    }
    return code;
}

std::optional<int> stop_after_flags(CLI::App& app, int argc, char** argv) {
    std::string message;
    try {
        app.parse(argc, argv);
        return std::nullopt;
    } catch (CLI::Success const& asked_for_help) {
        return app.exit(asked_for_help);
    } catch (CLI::ParseError const& error) {
        // A word that nobody knows explains more than what is missing because of it.
        message = unexpected(last_of(app));
        if (message.empty()) message = error.what();
    }
    std::string const name = full_name(last_of(app));
    say(name + ": " + message + "\nSee `" + name + " --help`.");
    return kExitUsage;
}

Result<Config> read_config(std::string const& file) {
    if (!file.empty()) return load_config(file);
    if (::access(kConfigFile, R_OK) == 0) return load_config(kConfigFile);
    return default_config();
}

FoundKubeconfig find_kubeconfig(std::string const& flag, std::string const& configured) {
    if (!flag.empty()) return {flag, "--kubeconfig"};
    if (!configured.empty()) return {configured, "the setting kubeconfig"};
    if (std::string const listed = first_of(variable("KUBECONFIG")); !listed.empty()) return {listed, "$KUBECONFIG"};
    if (!variable("KUBERNETES_SERVICE_HOST").empty() && !variable("KUBERNETES_SERVICE_PORT").empty())
        return {"", "the pod's own account", true};
    std::string const home = variable("HOME") + "/.kube/config";
    if (::access(home.c_str(), R_OK) == 0) return {home, "~/.kube/config"};
    return {};
}

}  // namespace holdfast::daemon
