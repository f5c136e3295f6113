// daemon/commands.cpp: daemon, install, status, config.
#include "daemon/commands.hpp"

#include "daemon/app.hpp"
#include "daemon/config.hpp"
#include "daemon/install.hpp"
#include "daemon/render.hpp"
#include "modules/http/client.hpp"
#include "modules/kube/client.hpp"
#include "modules/status/snapshot.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <malloc.h>
#include <optional>
#include <unistd.h>

namespace holdfast::daemon {

namespace {

constexpr char const* kConfigFile = "/etc/holdfast/holdfast.yaml";
constexpr int kExitUsage = 64;  // sysexits.h: the configuration is wrong; systemd does not restart on it
constexpr int kExitNoDaemon = 3;

int complain(Error const& error, int code) {
    std::fprintf(stderr, "holdfast: %s\n", error.message.c_str());
    return code;
}

/// The named file; else the usual one when it is there; else the defaults.
Result<Config> read_config(std::string const& file) {
    if (!file.empty()) return load_config(file);
    if (::access(kConfigFile, R_OK) == 0) return load_config(kConfigFile);
    return default_config();
}

/// Runs one coroutine to its end on a loop of its own.
template <class T> Result<T> run_alone(asio::io_context& io, Task<T> task) {
    std::optional<Result<T>> result;
    auto keep = [](Task<T> work, std::optional<Result<T>>& slot) -> asio::awaitable<void> {
        auto value = co_await std::move(work);
        slot.emplace(std::move(value));
    };
    asio::co_spawn(io, keep(std::move(task), result), [&](std::exception_ptr) { io.stop(); });
    io.run();
    if (!result) return fail(Errc::timeout, "interrupted");
    return std::move(*result);
}

std::string kubeconfig_path(std::string const& flag) {
    if (!flag.empty()) return flag;
    char const* const named = std::getenv("KUBECONFIG");
    if (named != nullptr && named[0] != '\0') return named;
    char const* const home = std::getenv("HOME");
    return home == nullptr ? std::string{} : std::string{home} + "/.kube/config";
}

}  // namespace

int daemon_command(DaemonFlags const& flags) {
    auto config = read_config(flags.config);
    if (!config) return complain(config.error(), kExitUsage);
    if (!flags.state_dir.empty()) config->state_dir = flags.state_dir;
    if (!flags.kubeconfig.empty()) config->kubeconfig = flags.kubeconfig;
    if (!flags.manifests.empty()) config->manifests = flags.manifests;
    if (!flags.listen.empty()) config->status_listen = flags.listen;
    config->no_remote_bases = config->no_remote_bases || flags.no_remote_bases;
    // Two arenas are enough for a loop and its pool; glibc's default of eight per core costs memory, not time.
    ::mallopt(M_ARENA_MAX, 2);
    ::mallopt(M_TRIM_THRESHOLD, 256 * 1024);
    sandbox::Limits limits;
    limits.memory_bytes_max = static_cast<std::size_t>(config->render_memory_bytes_max);
    limits.cpu_max = std::chrono::ceil<std::chrono::seconds>(config->render_cpu_max);
    limits.wall_max = std::chrono::ceil<std::chrono::seconds>(config->render_wall_max);
    sandbox::Confinement const confinement = sandbox::probe();
    if (!confinement.seccomp) {
        return complain({Errc::denied, "this kernel has no seccomp: hostile input could not be rendered safely"},
                        kExitUsage);
    }
    auto zygote = sandbox::Zygote::start(render_job, limits);
    if (!zygote) return complain(zygote.error(), 1);
    auto ran = run_daemon({*config, confinement}, *zygote);
    while (ran && *ran == kStartOver) ran = run_daemon({*config, confinement}, *zygote);
    if (!ran) return complain(ran.error(), ran.error().code == Errc::invalid_input ? kExitUsage : 1);
    return *ran;
}

int install_command(InstallFlags const& flags) {
    if (flags.print) {
        for (CrdFile const& file : crd_files())
            std::printf("---\n%.*s", static_cast<int>(file.text.size()), file.text.data());
        return 0;
    }
    auto config = kube::load_kubeconfig(kubeconfig_path(flags.kubeconfig), flags.context);
    if (!config) return complain(config.error(), 1);
    asio::io_context io{1};
    http::Client http{io.get_executor()};
    auto cluster = kube::Client::make(io.get_executor(), http, std::move(*config));
    if (!cluster) return complain(cluster.error(), 1);
    auto installed = run_alone(io, install_crds(**cluster));
    if (!installed) return complain(installed.error(), 1);
    for (CrdFile const& file : crd_files())
        std::printf("%.*s installed\n", static_cast<int>(file.name.size()), file.name.data());
    return 0;
}

int status_command(StatusFlags const& flags) {
    std::string socket = flags.socket;
    if (socket.empty()) {
        auto config = read_config(flags.config);
        if (!config) return complain(config.error(), kExitUsage);
        if (!flags.state_dir.empty()) config->state_dir = flags.state_dir;
        socket = default_socket(*config);
        constexpr char const* kService = "/run/holdfast/holdfast.sock";
        if (flags.state_dir.empty() && config->status_socket.empty() && ::access(kService, F_OK) == 0)
            socket = kService;
    }
    asio::io_context io{1};
    http::Client http{io.get_executor()};
    http::Endpoint endpoint;
    endpoint.url.scheme = "http";
    endpoint.url.host = "localhost";
    endpoint.url.port = 80;
    endpoint.unix_path = socket;
    http::Request request{.target = "/api/v1/status"};
    auto answer =
        run_alone(io, http.send(std::move(endpoint), std::move(request), {.whole_max = std::chrono::seconds{10}}));
    if (!answer)
        return complain({answer.error().code, "no daemon at " + socket + ": " + answer.error().message}, kExitNoDaemon);
    if (!answer->ok()) return complain({Errc::busy, socket + ": " + http::status_text(answer->status)}, kExitNoDaemon);
    auto const code = status::exit_code(answer->body);
    if (!code) return complain(code.error(), kExitNoDaemon);
    if (flags.output == "json") {
        std::printf("%s\n", answer->body.c_str());
        return *code;
    }
    auto const table = status::to_table(answer->body);
    if (!table) return complain(table.error(), kExitNoDaemon);
    std::fputs(table->c_str(), stdout);
    return *code;
}

int config_check_command(std::string const& file) {
    auto const config = load_config(file);
    if (!config) return complain(config.error(), 1);
    std::printf("%s: ok\n", file.c_str());
    return 0;
}

int config_print_command(PrintFlags const& flags) {
    if (flags.defaults) {
        std::fputs(commented_defaults().c_str(), stdout);
        return 0;
    }
    if (flags.reference) {
        std::fputs(config_reference().c_str(), stdout);
        return 0;
    }
    auto const config = read_config(flags.config);
    if (!config) return complain(config.error(), 1);
    std::fputs(print_config(*config).c_str(), stdout);
    return 0;
}

}  // namespace holdfast::daemon
