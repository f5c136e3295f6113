// daemon/main.cpp: the command line.
#include "daemon/chart_bridge.hpp"
#include "daemon/cmd_build.hpp"
#include "daemon/cmd_template.hpp"
#include "daemon/commands.hpp"
#include "daemon/fetch_remote.hpp"
#include "modules/base/static_glibc.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstring>

int main(int argc, char** argv) {
    using namespace holdfast::daemon;
    // `build` and `template` have the flags of the programs they stand for and read them themselves. A build looks up
    // no name and uses no OpenSSL (a chart does, and closes the traps then), so it starts without their cost.
    if (argc >= 2 && std::strcmp(argv[1], "build") == 0)
        return run_build(argc - 1, argv + 1, {render_chart, fetch_remote});
    holdfast::close_static_traps();  // before anything that looks up a name or uses OpenSSL
    std::signal(SIGPIPE, SIG_IGN);
    if (argc >= 2 && std::strcmp(argv[1], "template") == 0) return run_template(argc - 1, argv + 1);

    CLI::App app{
        "GitOps where the network is not: one daemon that does what Azure's microsoft.flux extension does, online and offline."};
    app.name("holdfast");
    app.require_subcommand(1);
    app.set_version_flag("--version", std::string{"holdfast " HOLDFAST_VERSION});
    int code = 0;

    DaemonFlags daemon;
    auto* run = app.add_subcommand("daemon", "Run the daemon.");
    run->add_option("--config", daemon.config, "Configuration file")->type_name("FILE");
    run->add_option("--state-dir", daemon.state_dir, "Database and cache")->type_name("DIR");
    run->add_option("--kubeconfig", daemon.kubeconfig, "Where the API server is")->type_name("FILE");
    run->add_option("--manifests", daemon.manifests, "Directory of local manifests")->type_name("DIR");
    run->add_option("--listen", daemon.listen, "Address of the status endpoint")->type_name("HOST:PORT");
    run->add_flag("--no-remote-bases", daemon.no_remote_bases,
                  "Refuse kustomizations that name repositories or files by URL.");
    run->callback([&] { code = daemon_command(daemon); });

    InstallFlags install;
    auto* crds = app.add_subcommand("install", "Install the CRDs on the API server.");
    crds->add_option("--kubeconfig", install.kubeconfig, "Where the API server is")->type_name("FILE");
    crds->add_option("--context", install.context, "Context of the kubeconfig");
    crds->add_flag("--print", install.print, "Print the CRDs instead of applying them.");
    crds->callback([&] { code = install_command(install); });

    StatusFlags status;
    auto* show = app.add_subcommand(
        "status",
        "Show what the daemon knows. Exit code: 0 compliant, 1 pending, 2 non-compliant or a manifest that cannot be read, 3 no daemon.");
    show->add_option("--socket", status.socket, "The daemon's socket")->type_name("FILE");
    show->add_option("--config", status.config, "Configuration file that names the socket")->type_name("FILE");
    show->add_option("--state-dir", status.state_dir, "State directory that holds the socket")->type_name("DIR");
    show->add_option("-o,--output", status.output, "table or json")->check(CLI::IsMember({"table", "json"}));
    show->callback([&] { code = status_command(status); });

    auto* config = app.add_subcommand("config", "Check or print the configuration.");
    config->require_subcommand(1);
    std::string file;
    auto* check = config->add_subcommand("check", "Read a configuration file and say what is wrong with it.");
    check->add_option("FILE", file, "Configuration file")->required();
    check->callback([&] { code = config_check_command(file); });
    PrintFlags print;
    auto* printed = config->add_subcommand("print", "Print the settings in force.");
    printed->add_option("--config", print.config, "Configuration file")->type_name("FILE");
    printed->add_flag("--defaults", print.defaults, "Print the commented file of all defaults.");
    printed->add_flag("--reference", print.reference, "Print the reference page.");
    printed->callback([&] { code = config_print_command(print); });

    app.add_subcommand("build", "Print what kustomize build prints. See `holdfast build --help`.");
    app.add_subcommand("template", "Print what helm template prints. See `holdfast template --help`.");

    CLI11_PARSE(app, argc, argv);
    return code;
}
