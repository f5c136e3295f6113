// daemon/cli/build.cpp: flags in, manifests out.
#include "daemon/cli/build.hpp"

#include "daemon/cli/flags.hpp"
#include "daemon/cli/say.hpp"
#include "modules/base/errno_text.hpp"
#include "modules/base/write_all.hpp"
#include "modules/kustomize/kustomize.hpp"
#include "modules/sandbox/command.hpp"
#include "modules/text/gotemplate/unicode.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
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
    say("Error: " + message);
    return 1;
}

/// What is checked once all flags are read.
struct Later {
    std::string load_restrictor = "LoadRestrictionsRootOnly";
    std::optional<std::string> reorder;
    bool no_limits = false;
};

void add_flags(cli::FlagTable& table, Flags& flags, Later& later) {
    auto& options = flags.options;
    table.text("output", flags.output, 'o');
    table.text("load-restrictor", later.load_restrictor);
    auto const reorder = [&later](std::string const& name) -> Result<void> {
        later.reorder = name;
        return {};
    };
    table.add({.name = "reorder", .set = reorder});
    table.deprecate("reorder", "use the new 'sortOptions' field in kustomization.yaml instead.");
    table.list("helm-api-versions", options.helm_api_versions);
    table.text("helm-kube-version", options.helm_kube_version);
    table.boolean("enable-helm", options.helm);
    table.boolean("enable-alpha-plugins", options.alpha_plugins);
    table.boolean("enable-managedby-label", options.managed_by_label);
    table.deprecate("enable-managedby-label",
                    "The flag `enable-managedby-label` has been deprecated. Use the `managedByLabel` option in the "
                    "`buildMetadata` field instead.");
    // The helm engine is built in; there is no stack to trace.
    table.ignored_text("helm-command");
    table.ignored_boolean("helm-debug");
    table.ignored_boolean("stack-trace");
    constexpr auto kFunctions = "is for container and exec functions, which are never run here";
    for (auto const* name : {"as-current-user", "network", "enable-exec"}) table.refused_boolean(name, kFunctions);
    for (auto const* name : {"mount", "network-name"}) table.refused_text(name, kFunctions);
    table.refused_text("env", kFunctions, 'e');
    auto const root = [&options](std::string const& directory) -> Result<void> {
        if (directory.empty()) return fail(Errc::invalid_input, "an empty path confines nothing");
        options.root = directory;
        return {};
    };
    table.add({.name = "root", .set = root});
    table.boolean("allow-remote-bases", flags.remote_bases);
    table.boolean("no-limits", later.no_limits);
    table.boolean("help", flags.help, 'h');
}

Result<void> check(Later const& later, Flags& flags) {
    auto const illegal = [](std::string const& name, std::string const& value, char const* legal) {
        return fail(Errc::invalid_input, "illegal flag value --" + name + " " + value + "; legal values: " + legal);
    };
    auto const& restrictor = later.load_restrictor;
    flags.options.load_restrictions_none = restrictor == "LoadRestrictionsNone";
    if (!flags.options.load_restrictions_none && restrictor != "LoadRestrictionsRootOnly" && !restrictor.empty())
        return illegal("load-restrictor", restrictor, "[LoadRestrictionsRootOnly LoadRestrictionsNone]");
    using Reorder = kustomize::Options::Reorder;
    if (later.reorder == "none") flags.options.reorder = Reorder::none;
    else if (later.reorder == "legacy") flags.options.reorder = Reorder::legacy;
    else if (later.reorder) return illegal("reorder", *later.reorder, "[legacy none]");
    flags.limits = !later.no_limits;
    return {};
}

Result<void> parse(int argc, char** argv, Flags& flags, std::vector<std::string>& said) {
    Later later;
    cli::FlagTable table;
    add_flags(table, flags, later);
    auto positional = table.parse(argc, argv, said);
    if (!positional) return fail(std::move(positional));
    if (flags.help) return {};
    if (positional->size() > 1) return fail(Errc::invalid_input, "specify one path to kustomization.yaml");
    if (!positional->empty()) flags.directory = positional->front();
    return check(later, flags);
}

std::string write_file(std::string const& path, std::string_view text) {
    int const fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) return "open " + path + ": " + errno_text(errno);
    bool const ok = write_all(fd, text);
    std::string const wrong = ok ? "" : "write " + path + ": " + errno_text(errno);
    ::close(fd);
    return wrong;
}

/// kustomize's names: "apps_v1_deployment_web.yaml", with the namespace in front when there are several.
std::string file_name(kustomize::Built::Object const& object, bool with_namespace) {
    auto const slash = object.api_version.find('/');
    auto name = slash == std::string::npos
                    ? object.api_version
                    : object.api_version.substr(0, slash) + "_" + object.api_version.substr(slash + 1);
    name += (name.empty() ? "" : "_") + object.kind + "_" + object.name + ".yaml";
    if (with_namespace && !object.cluster_scoped) name = (object.ns.empty() ? "default" : object.ns) + "_" + name;
    std::replace(name.begin(), name.end(), '/', '_');  // neither a name nor a namespace is a path
    return gotemplate::to_lower(name);
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
    reach.reads_anywhere = flags.options.root.empty();
    reach.read_beneath = flags.options.root;
    if (!flags.output.empty())
        reach.write_beneath = {is_directory(flags.output) ? flags.output : parent_of(flags.output)};
    std::optional<sandbox::Limits> limits;
    if (flags.limits) limits = sandbox::Limits{.memory_bytes_max = kMemoryBytesMax};
    auto confined = sandbox::confine_command(reach, limits);
    if (!confined) return fail(std::move(confined));
    return {};
}

int print(Flags const& flags, kustomize::Built const& built) {
    for (auto const& warning : built.warnings) say(warning);
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
    return write_all(STDOUT_FILENO, *text) ? 0 : complain("write stdout: " + errno_text(errno));
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
        for (auto const& warning : warnings) say(warning);
        return complain(built.error().message);
    } catch (std::bad_alloc const&) {
        return complain("the build needs more memory than its limit; --no-limits lifts it");
    } catch (std::exception const& error) {
        return complain(std::string{"the build stopped at a defect in holdfast: "} + error.what());
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
    std::vector<std::string> said;
    auto const parsed = parse(argc, argv, flags, said);
    for (auto const& line : said) say(line);
    if (!parsed) return complain(parsed.error().message);
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
