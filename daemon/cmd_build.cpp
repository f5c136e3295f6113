// daemon/cmd_build.cpp: flags in, manifests out.
#include "daemon/cmd_build.hpp"

#include "modules/base/write_all.hpp"
#include "modules/kustomize/kustomize.hpp"
#include "modules/sandbox/command.hpp"

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
#include <unistd.h>
#include <vector>

namespace holdfast::daemon {
namespace {

constexpr std::size_t kMemoryBytesMax = 56u << 20;  // with the program's own pages the 64 MiB of a render worker

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

bool is_true(std::string_view value) {
    return value.empty() || value == "true" || value == "1" || value == "t" || value == "T";
}

/// In the words of kustomize's flag parser.
void deprecate(char const* flag, char const* advice) {
    std::fprintf(stderr, "Flag --%s has been deprecated, %s\n", flag, advice);
}

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
        deprecate("reorder", "use the new 'sortOptions' field in kustomization.yaml instead.");
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
        deprecate("enable-managedby-label",
                  "The flag `enable-managedby-label` has been deprecated. Use the `managedByLabel` option in the "
                  "`buildMetadata` field instead.");
        options.managed_by_label = is_true(value);
    } else if (name == "no-limits") {
        flags.limits = !is_true(value);
    } else if (name == "helm-command" || name == "helm-debug" || name == "stack-trace") {
        // The helm engine is built in; there is no stack to trace.
    } else if (name == "help") {
        flags.help = true;
    } else if (name == "as-current-user" || name == "mount" || name == "network" || name == "network-name" ||
               name == "env" || name == "enable-exec") {
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
            name = argument[1] == 'o'   ? "output"
                   : argument[1] == 'e' ? "env"
                   : argument[1] == 'h' ? "help"
                                        : argument.substr(1);
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

std::string write_file(std::string const& path, std::string_view text) {
    int const fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) return "open " + path + ": " + (errno == ENOENT ? "no such file or directory" : std::strerror(errno));
    bool const ok = write_all(fd, text);
    std::string const wrong = ok ? "" : "write " + path + ": " + std::strerror(errno);
    ::close(fd);
    return wrong;
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    return text;
}

/// kustomize's names: "apps_v1_deployment_web.yaml", with the namespace in front when there are several.
std::string file_name(kustomize::Built::Object const& object, bool with_namespace) {
    auto const slash = object.api_version.find('/');
    auto name = slash == std::string::npos
                    ? object.api_version
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
    struct stat info{};
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
    if (!flags.output.empty())
        reach.write_beneath = {is_directory(flags.output) ? flags.output : parent_of(flags.output)};
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

/// `done` is called while everything the text was made from is still there. Out  what it gave
int build(Flags const& flags, int (*done)(int status)) {
    if (auto confined = confine(flags); !confined) return complain(confined.error().message);
    try {
        std::vector<std::string> warnings;
        auto options = flags.options;
        options.failed_warnings = &warnings;
        auto const built = kustomize::build(flags.directory, options);
        if (built) return done(print(flags, *built));
        if (auto const* const remotes = options.remotes; remotes && !remotes->missing().empty()) return 1;
        for (auto const& warning : warnings) std::fprintf(stderr, "%s\n", warning.c_str());
        return complain(built.error().message);
    } catch (std::bad_alloc const&) {
        return complain("the build needs more memory than its limit; --no-limits lifts it");
    }
}

/// The process ends, so nothing has to be taken apart.
[[noreturn]] int leave(int status) {
    std::fflush(stderr);
    ::_exit(status);
}

int build_with_remotes(Flags const& flags, RemoteFetcher const& fetch) {
    if (!fetch) return complain("--allow-remote-bases: there is no network in this program");
    auto const once = [&flags](kustomize::Remotes& remotes) {
        Flags with = flags;
        with.options.remotes = &remotes;
        return build(with, leave);
    };
    auto const status = build_in_rounds(once, fetch, flags.options.root.empty());
    return status ? *status : complain(status.error().message);
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
    if (char const* const label = std::getenv("KUSTOMIZE_ENABLE_MANAGEDBY_LABEL");
        label && std::string_view{label} == "on") {
        flags.options.managed_by_label = true;
    }
    return flags.remote_bases ? build_with_remotes(flags, ports.fetch_remote) : build(flags, leave);
}

}  // namespace holdfast::daemon
