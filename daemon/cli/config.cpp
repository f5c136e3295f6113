// daemon/cli/config.cpp: holdfast config check, holdfast config print.
#include "daemon/budget.hpp"
#include "daemon/cli/common.hpp"
#include "daemon/cli/verbs.hpp"
#include "modules/intake/intake.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>

namespace holdfast::daemon {

namespace {

/// What the daemon will say about the local manifests: files that cannot be read, and wishes that are refused.
std::vector<std::string> manifest_problems(Config const& config) {
    SystemClock const clock;
    Log const silent{{.fd = -1}, clock};
    model::Registry registry;
    intake::LocalIntake local{config.manifests, registry, silent};
    static_cast<void>(local.look());
    std::vector<std::string> problems = local.problems();
    for (auto const& [key, entry] : registry.all()) {
        if (!entry->problem.empty()) problems.push_back(key.text() + ": " + entry->problem);
    }
    return problems;
}

int check(std::string const& file) {
    auto const config = load_config(file);
    if (!config) return complain(config.error(), kExitFailed);
    auto const problems = manifest_problems(*config);
    for (std::string const& problem : problems)
        complain({Errc::invalid_input, config->manifests + ": " + problem}, kExitFailed);
    if (!problems.empty()) return kExitFailed;
    std::printf("%s: ok\n", file.c_str());
    return 0;
}

int print(std::string const& file, bool defaults, bool reference, bool unit) {
    if (defaults) {
        std::fputs(commented_defaults().c_str(), stdout);
        return 0;
    }
    if (reference) {
        std::fputs(config_reference().c_str(), stdout);
        return 0;
    }
    auto const config = read_config(file);
    if (!config) return complain(config.error(), kExitFailed);
    std::string const text =
        unit ? service_drop_in(static_cast<std::size_t>(config->memory_bytes_max)) : print_config(*config);
    std::fputs(text.c_str(), stdout);
    return 0;
}

}  // namespace

int config_verb(int argc, char** argv) {
    std::string checked;
    std::string printed;
    bool defaults = false;
    bool reference = false;
    bool unit = false;
    CLI::App app{"Check or print the configuration.", "holdfast config"};
    app.require_subcommand(1);
    auto* checks = app.add_subcommand(
        "check", "Read a configuration file and the manifests it names, and say everything that is wrong with them.");
    checks->add_option("FILE", checked, "Configuration file")->required();
    auto* prints = app.add_subcommand("print", "Print the settings in force.");
    prints->add_option("--config", printed, "Configuration file")->type_name("FILE");
    prints->add_flag("--defaults", defaults, "Print the commented file of all defaults.");
    prints->add_flag("--reference", reference, "Print the reference page.");
    prints->add_flag("--unit", unit, "Print the drop-in that makes the service unit follow limits.memory.");
    if (auto const code = stop_after_flags(app, argc, argv)) return *code;
    return checks->parsed() ? check(checked) : print(printed, defaults, reference, unit);
}

}  // namespace holdfast::daemon
