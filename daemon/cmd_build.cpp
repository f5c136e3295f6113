// daemon/cmd_build.cpp: flags in, manifests out.
#include "daemon/cmd_build.hpp"

#include "daemon/remote_bases.hpp"
#include "modules/base/limits.hpp"
#include "modules/kustomize/kustomize.hpp"
#include "modules/sandbox/command.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace holdfast::daemon {
namespace {

constexpr std::size_t kMemoryBytesMax = 56u << 20;  // with the program's own pages the 64 MiB of a render worker

constexpr std::size_t kWantedBytesMax = 4u << 20;   // a list of remote resources

constexpr std::string_view kHelp =
    "Usage: holdfast build [flags] DIR\n"
    "Builds the kustomization in DIR (default .) as `kustomize build` v5.8.1 does.\n\n"
    "  -o, --output PATH             write there; a directory gets one file per object\n"
    "      --load-restrictor NAME    LoadRestrictionsRootOnly (default) or LoadRestrictionsNone\n"
    "      --reorder NAME            legacy or none\n"
    "      --root DIR                read nothing outside of DIR, links resolved\n"
    "      --allow-remote-bases      fetch Git repositories and files that are named by URL\n"
    "      --enable-helm             render helmCharts\n"
    "      --helm-api-versions V     for Capabilities.APIVersions; may be repeated\n"
    "      --helm-kube-version V     for Capabilities.KubeVersion\n"
    "      --enable-alpha-plugins    accepted; only builtin plugins run\n"
    "      --enable-managedby-label  add app.kubernetes.io/managed-by\n"
    "      --no-limits               lift the limits of a render worker: 64 MiB, 10 s of CPU time, 20 s\n";

struct Flags {
    kustomize::Options options;
    std::string directory = ".", output;
    bool limits = true, help = false, remote_bases = false;
};

int complain(std::string const& message) {
    std::fprintf(stderr, "Error: %s\n", message.c_str());
    return 1;
}

bool is_true(std::string_view value) { return value.empty() || value == "true" || value == "1" || value == "t" || value == "T"; }

/// Takes one flag; what is wrong with it, or "".
std::string take(Flags& flags, std::string_view name, std::string const& value) {
    auto& options = flags.options;
    if (name == "output") {
        flags.output = value;
    } else if (name == "load-restrictor") {
        if (value != "LoadRestrictionsNone" && value != "LoadRestrictionsRootOnly" && !value.empty()) {
            return "illegal flag value --load-restrictor " + value +
                   "; legal values: [LoadRestrictionsRootOnly LoadRestrictionsNone]";
        }
        options.load_restrictions_none = value == "LoadRestrictionsNone";
    } else if (name == "reorder") {
        if (value != "none" && value != "legacy") {
            return "illegal flag value --reorder " + value + "; legal values: [legacy none]";
        }
        options.reorder = value == "none" ? kustomize::Options::Reorder::none : kustomize::Options::Reorder::legacy;
    } else if (name == "root") {
        options.root = value;
    } else if (name == "allow-remote-bases") {
        flags.remote_bases = is_true(value);
    } else if (name == "helm-api-versions") {
        options.helm_api_versions.push_back(value);
    } else if (name == "helm-kube-version") {
        options.helm_kube_version = value;
    } else if (name == "enable-helm") {
        options.helm = is_true(value);
    } else if (name == "enable-alpha-plugins") {
        options.alpha_plugins = is_true(value);
    } else if (name == "enable-managedby-label") {
        options.managed_by_label = is_true(value);
    } else if (name == "no-limits") {
        flags.limits = !is_true(value);
    } else if (name == "helm-command" || name == "helm-debug" || name == "stack-trace") {
        // The helm engine is built in; there is no stack to trace.
    } else if (name == "help") {
        flags.help = true;
    } else if (name == "as-current-user" || name == "mount" || name == "network" || name == "network-name" || name == "env" || name == "enable-exec") {
        return "--" + std::string{name} + " is for container and exec functions, which are never run here";
    } else {
        return "unknown flag: --" + std::string{name};
    }
    return {};
}

bool takes_value(std::string_view name) {
    for (auto const known : {"output", "load-restrictor", "reorder", "root", "helm-api-versions", "helm-kube-version",
                             "helm-command", "mount", "network-name", "env"}) {
        if (name == known) return true;
    }
    return false;
}

std::string parse(int argc, char** argv, Flags& flags) {
    std::vector<std::string> positional;
    bool only_positional = false;
    for (int i = 1; i < argc; ++i) {
        std::string_view argument = argv[i];
        if (only_positional || argument.size() < 2 || argument[0] != '-') {
            positional.emplace_back(argument);
            continue;
        }
        if (argument == "--") {
            only_positional = true;
            continue;
        }
        std::string name, value;
        bool has_value = false;
        if (argument.starts_with("--")) {
            auto const equal = argument.find('=');
            name = argument.substr(2, equal == std::string_view::npos ? equal : equal - 2);
            has_value = equal != std::string_view::npos;
            if (has_value) value = argument.substr(equal + 1);
        } else {
            name = argument[1] == 'o' ? "output" : argument[1] == 'e' ? "env" : argument[1] == 'h' ? "help" : argument.substr(1);
            has_value = argument.size() > 2 && takes_value(name);
            if (has_value) value = argument.substr(argument[2] == '=' ? 3 : 2);
        }
        if (!has_value && takes_value(name)) {
            if (i + 1 == argc) return "flag needs an argument: --" + name;
            value = argv[++i];
        }
        if (auto wrong = take(flags, name, value); !wrong.empty()) return wrong;
    }
    if (positional.size() > 1) return "specify one path to kustomization.yaml";
    if (!positional.empty()) flags.directory = positional.front();
    return {};
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        auto const written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

std::string write_file(std::string const& path, std::string_view text) {
    int const fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) return "open " + path + ": " + std::strerror(errno);
    bool const ok = write_all(fd, text);
    std::string const wrong = ok ? "" : "write " + path + ": " + std::strerror(errno);
    ::close(fd);
    return wrong;
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    return text;
}

/// kustomize's names: "apps_v1_deployment_web.yaml", with the namespace in front when there are several.
std::string file_name(kustomize::Built::Object const& object, bool with_namespace) {
    auto const slash = object.api_version.find('/');
    auto name = slash == std::string::npos ? object.api_version
                                           : object.api_version.substr(0, slash) + "_" + object.api_version.substr(slash + 1);
    name += (name.empty() ? "" : "_") + object.kind + "_" + object.name + ".yaml";
    std::replace(name.begin(), name.end(), '/', '_');  // a name is never a path
    if (with_namespace && !object.cluster_scoped) name = (object.ns.empty() ? "default" : object.ns) + "_" + name;
    return lower(name);
}

std::string write_directory(std::string const& directory, kustomize::Built const& built) {
    std::vector<std::string> namespaces;
    for (auto const& object : built.objects) {
        if (!object.cluster_scoped) namespaces.push_back(object.ns.empty() ? "default" : object.ns);
    }
    std::sort(namespaces.begin(), namespaces.end());
    bool const several = std::unique(namespaces.begin(), namespaces.end()) - namespaces.begin() > 1;
    for (auto const& object : built.objects) {
        auto text = built.text_of(object);
        if (!text) return text.error().message;
        if (auto wrong = write_file(directory + "/" + file_name(object, several), *text); !wrong.empty()) return wrong;
    }
    return {};
}

bool is_directory(std::string const& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

std::string parent_of(std::string const& path) {
    auto const slash = path.rfind('/');
    return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

/// The build reads what anyone may have written: from here on this process is its own render worker.
Result<void> confine(Flags const& flags) {
    sandbox::Reach reach;
    if (!flags.options.root.empty()) reach.read_beneath = flags.options.root;
    if (!flags.output.empty()) reach.write_beneath = {is_directory(flags.output) ? flags.output : parent_of(flags.output)};
    std::optional<sandbox::Limits> limits;
    if (flags.limits) limits = sandbox::Limits{.memory_bytes_max = kMemoryBytesMax};
    auto confined = sandbox::confine_command(reach, limits);
    if (!confined) return fail(std::move(confined));
    return {};
}

int print(Flags const& flags, kustomize::Built const& built) {
    for (auto const& warning : built.warnings) std::fprintf(stderr, "%s\n", warning.c_str());
    if (!flags.output.empty() && is_directory(flags.output)) {
        auto const wrong = write_directory(flags.output, built);
        return wrong.empty() ? 0 : complain(wrong);
    }
    auto text = built.text();
    if (!text) return complain(text.error().message);
    if (!flags.output.empty()) {
        auto const wrong = write_file(flags.output, *text);
        return wrong.empty() ? 0 : complain(wrong);
    }
    return write_all(STDOUT_FILENO, *text) ? 0 : complain(std::string{"write stdout: "} + std::strerror(errno));
}

/// What a build says that needs something remote: the list, on a pipe.
struct Wanted {
    kustomize::Remotes& remotes;
    int fd;
};

int finish(Flags const& flags, Result<kustomize::Built> const& built, Wanted const* wanted) {
    if (built) return print(flags, *built);
    if (!wanted || wanted->remotes.missing().empty()) return complain(built.error().message);
    return write_all(wanted->fd, boost::json::serialize(describe(wanted->remotes.missing()))) ? 0 : 1;
}

/// Exits while everything the text was made from is still there: the process ends, so nothing has to be taken apart.
[[noreturn]] void build(Flags const& flags, Wanted const* wanted = nullptr) {
    int status = 1;
    if (auto confined = confine(flags); !confined) {
        complain(confined.error().message);
    } else {
        try {
            auto const built = kustomize::build(flags.directory, flags.options);
            status = finish(flags, built, wanted);
            std::fflush(stderr);
            ::_exit(status);
        } catch (std::bad_alloc const&) {
            complain("the build needs more memory than its limit; --no-limits lifts it");
        }
    }
    std::fflush(stderr);
    ::_exit(status);
}

/// One round, in the child.
[[noreturn]] void build_with(Flags flags, Supplies const& supplies, int wanted_fd) {
    auto const mapping = Mapping::of(supplies.file().fd());
    auto remotes = mapping ? read_supplies(supplies.description(), mapping->bytes()) : Result<kustomize::Remotes>{std::unexpected{mapping.error()}};
    if (!remotes) ::_exit(complain(remotes.error().message));
    flags.options.remotes = &*remotes;
    Wanted const wanted{*remotes, wanted_fd};
    build(flags, &wanted);
}

struct Round {
    int status = 1;
    std::vector<kustomize::Remote> missing;
};

std::string read_all(int fd) {
    std::string text;
    char block[4096];
    for (;;) {
        auto const got = ::read(fd, block, sizeof block);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0 || text.size() > kWantedBytesMax) return text;
        text.append(block, static_cast<std::size_t>(got));
    }
}

/// The render has no network, and who has the network does not render: each round is a child of its own.
Result<Round> run_round(Flags const& flags, Supplies const& supplies) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail(Errc::limit, std::string{"pipe: "} + std::strerror(errno));
    pid_t const child = ::fork();
    if (child == 0) {
        ::close(ends[0]);
        build_with(flags, supplies, ends[1]);
    }
    ::close(ends[1]);
    auto const text = child > 0 ? read_all(ends[0]) : std::string{};
    ::close(ends[0]);
    if (child < 0) return fail(Errc::limit, std::string{"fork: "} + std::strerror(errno));
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    Round round{.status = WIFEXITED(status) ? WEXITSTATUS(status) : 1};
    if (text.empty()) return round;
    boost::system::error_code ec;
    auto const described = boost::json::parse(text, ec);
    auto missing = read_remotes(ec ? boost::json::value{} : described);
    if (!missing) return fail(std::move(missing));
    round.missing = std::move(*missing);
    return round;
}

/// Builds and fetches in turn, until a build needs nothing more.
int build_in_rounds(Flags const& flags, RemoteFetcher const& fetch) {
    auto supplies = Supplies::create();
    if (!supplies) return complain(supplies.error().message);
    for (std::size_t rounds = 0;; ++rounds) {
        auto const round = run_round(flags, *supplies);
        if (!round) return complain(round.error().message);
        if (round->missing.empty()) return round->status;
        if (rounds == limits::kRemoteRoundsMax) {
            return complain("remote '" + round->missing.front().url + "': more than " + std::to_string(rounds) + " rounds of remote resources");
        }
        for (auto const& remote : round->missing) {
            auto const content = fetch(remote, supplies->bytes_left(), flags.options.root.empty());
            if (auto ok = supplies->add(remote, content); !ok) return complain(ok.error().message);
        }
    }
}

}  // namespace

int run_build(int argc, char** argv, BuildPorts ports) {
    Flags flags;
    flags.options.render_chart = std::move(ports.render_chart);
    flags.options.remote_refusal = "--allow-remote-bases allows it";
    if (auto const wrong = parse(argc, argv, flags); !wrong.empty()) return complain(wrong);
    if (flags.help) {
        std::fputs(kHelp.data(), stdout);
        return 0;
    }
    if (char const* const label = std::getenv("KUSTOMIZE_ENABLE_MANAGEDBY_LABEL"); label && std::string_view{label} == "on") {
        flags.options.managed_by_label = true;
    }
    if (!flags.remote_bases) build(flags);
    if (!ports.fetch_remote) return complain("--allow-remote-bases: no network in this program");
    return build_in_rounds(flags, ports.fetch_remote);
}

}  // namespace holdfast::daemon
