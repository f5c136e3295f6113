// daemon/cli/daemon.cpp: holdfast daemon.
#include "daemon/app.hpp"
#include "daemon/cli/common.hpp"
#include "daemon/cli/verbs.hpp"
#include "daemon/fetch.hpp"
#include "daemon/worker_jobs.hpp"

#include <CLI/CLI.hpp>

#include <cerrno>
#include <cstring>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::daemon {

namespace {

constexpr std::string_view kArea = "daemon";

struct Flags {
    std::string config;
    std::string state_dir;
    std::string kubeconfig;
    std::string manifests;
    std::string listen;
    std::string mode;
    bool no_cross_namespace_refs = false;
    bool no_remote_bases = false;
    std::string default_service_account;
    std::string default_decryption_service_account;
    std::string default_kubeconfig_service_account;
    std::string watch_label_selector;
};

/// The file with the flags on top.
Result<Config> config_of(Flags const& flags, std::optional<ListenAddress> const& listen) {
    auto config = read_config(flags.config);
    if (!config) return config;
    if (!flags.state_dir.empty()) config->state_dir = flags.state_dir;
    if (!flags.manifests.empty()) config->manifests = flags.manifests;
    if (listen) config->status_listen = listen;
    if (!flags.mode.empty()) config->mode = flags.mode;
    config->no_cross_namespace_refs = config->no_cross_namespace_refs || flags.no_cross_namespace_refs;
    config->no_remote_bases = config->no_remote_bases || flags.no_remote_bases;
    if (!flags.default_service_account.empty()) config->default_service_account = flags.default_service_account;
    if (!flags.default_decryption_service_account.empty())
        config->default_decryption_service_account = flags.default_decryption_service_account;
    if (!flags.default_kubeconfig_service_account.empty())
        config->default_kubeconfig_service_account = flags.default_kubeconfig_service_account;
    if (!flags.watch_label_selector.empty()) config->watch_label_selector = flags.watch_label_selector;
    return config;
}

/// Which API server it is to be is said once and plainly: a daemon that does nothing because nobody told it of a cluster
/// looks like one that works.
void choose_cluster(Config& config, Flags const& flags) {
    SystemClock const clock;
    Log const log{log_settings(config), clock};
    FoundKubeconfig const found = find_kubeconfig(flags.kubeconfig, config.kubeconfig);
    config.kubeconfig = found.path;
    if (found.path.empty() && !found.in_pod) {
        log.warning(kArea, "no cluster: sources are fetched, nothing is applied. Name a kubeconfig with --kubeconfig, "
                           "the setting kubeconfig or $KUBECONFIG");
        return;
    }
    log.info(kArea, "the cluster is named by " + found.named_by, {{"kubeconfig", found.path}});
}

/// Makes the state directory, or closes to others the one that is there. It holds what Secrets hold: nobody else's
/// folder, and none that others could have put something into, is taken.
Result<void> close_state_dir(std::string const& path) {
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) return {};  // run_daemon makes it, under our umask
    if (!S_ISDIR(info.st_mode)) return fail(Errc::invalid_input, path + ": is no directory");
    if (info.st_uid != ::geteuid()) {
        return fail(Errc::denied, path + ": belongs to user " + std::to_string(info.st_uid) + ", not to user " +
                                      std::to_string(::geteuid()) + " that the daemon runs as");
    }
    if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return fail(Errc::denied, path + ": others may write to it; look at what is in it, then: chmod 0700 " + path);
    }
    if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0 && ::chmod(path.c_str(), 0700) != 0)
        return fail(Errc::denied, path + ": " + std::strerror(errno));
    return {};
}

/// From here on this process holds tokens: no core file and no other process of this user shows its memory. The zygote,
/// which holds nothing, is started before.
void close_memory() {
    rlimit const none{};
    ::setrlimit(RLIMIT_CORE, &none);
    ::prctl(PR_SET_DUMPABLE, 0);
}

}  // namespace

int daemon_verb(int argc, char** argv) {
    Flags flags;
    CLI::App app{"Run the daemon.", "holdfast daemon"};
    app.add_option("--config", flags.config, "Configuration file")->type_name("FILE");
    app.add_option("--state-dir", flags.state_dir, "Database and cache")->type_name("DIR");
    app.add_option("--kubeconfig", flags.kubeconfig,
                   "Where the API server is. Without it: the setting kubeconfig, $KUBECONFIG, the pod's own account, "
                   "~/.kube/config, in this order. A file that is not there yet is looked for until it is.")
        ->type_name("FILE");
    app.add_option("--manifests", flags.manifests, "Directory of local manifests")->type_name("DIR");
    app.add_option("--listen", flags.listen, "Loopback address of the status endpoint")->type_name("ADDRESS:PORT");
    app.add_option("--mode", flags.mode, "What a writer of Flux objects may do: auto is what `holdfast install` chose.")
        ->type_name("auto|flux|azure")
        ->check(CLI::IsMember({"auto", "flux", "azure"}));
    app.add_flag("--no-cross-namespace-refs", flags.no_cross_namespace_refs,
                 "Refuse objects that name a source of another namespace.");
    app.add_flag("--no-remote-bases", flags.no_remote_bases,
                 "Refuse kustomizations that name repositories or files by URL.");
    app.add_option("--default-service-account", flags.default_service_account,
                   "Account that an object acts as when it names none")
        ->type_name("NAME");
    app.add_option("--default-decryption-service-account", flags.default_decryption_service_account,
                   "The same for the key services that decrypt Secrets")
        ->type_name("NAME");
    app.add_option("--default-kubeconfig-service-account", flags.default_kubeconfig_service_account,
                   "The same for a kubeConfig without a Secret")
        ->type_name("NAME");
    app.add_option("--watch-label-selector", flags.watch_label_selector,
                   "Act only on objects of the cluster with these labels")
        ->type_name("SELECTOR");
    if (auto const code = stop_after_flags(app, argc, argv)) return *code;

    auto const listen = parse_listen(flags.listen);
    if (!listen) return complain({listen.error().code, "--listen: " + listen.error().message}, kExitUsage);
    auto const selector = parse_selector(flags.watch_label_selector);
    if (!selector)
        return complain({selector.error().code, "--watch-label-selector: " + selector.error().message}, kExitUsage);
    auto config = config_of(flags, *listen);
    if (!config) return complain(config.error(), kExitConfig);
    // Two arenas are enough for a loop and its pool; glibc's default of eight per core costs memory, not time.
    ::mallopt(M_ARENA_MAX, 2);
    ::mallopt(M_TRIM_THRESHOLD, 256 * 1024);
    ::umask(0077);
    auto closed = close_state_dir(config->state_dir);
    if (!closed) return complain(std::move(closed).error().in("state_dir"), kExitFailed);
    sandbox::Limits limits;
    limits.memory_bytes_max = static_cast<std::size_t>(config->render_memory_bytes_max);
    limits.cpu_max = std::chrono::ceil<std::chrono::seconds>(config->render_cpu_max);
    limits.wall_max = std::chrono::ceil<std::chrono::seconds>(config->render_wall_max);
    sandbox::Confinement const confinement = sandbox::probe();
    if (!confinement.seccomp) {
        return complain({Errc::denied, "this kernel has no seccomp: hostile input could not be rendered safely"},
                        kExitConfig);
    }
    // What every fetch would do anew: workers inherit it.
    git::prepare();
    auto zygote = sandbox::Zygote::start({{.work = run_worker_job, .limits = limits},
                                          {.work = run_worker_job,
                                           .limits = fetch_limits(static_cast<std::uint64_t>(config->git_bytes_max)),
                                           .role = sandbox::Role::fetch}});
    if (!zygote) return complain(zygote.error(), kExitFailed);
    close_memory();
    choose_cluster(*config, flags);
    auto ran = run_daemon({*config, confinement}, *zygote);
    while (ran && *ran == kStartOver) ran = run_daemon({*config, confinement}, *zygote);
    if (!ran) return complain(ran.error(), ran.error().code == Errc::invalid_input ? kExitConfig : kExitFailed);
    return *ran;
}

}  // namespace holdfast::daemon
