// daemon/cli/template.cpp: flags in, rendered charts out.
#include "daemon/cli/template.hpp"

#include "daemon/cli/say.hpp"
#include "modules/base/errno_text.hpp"
#include "modules/base/write_all.hpp"
#include "modules/sandbox/command.hpp"

#include <malloc.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string_view>

namespace holdfast::daemon {
namespace {

constexpr std::size_t kMemoryBytesMax = 128u << 20;  // the output alone may have 64 MiB
constexpr std::chrono::seconds kCpuMax{70};          // keys may take 60 of them: limits::kTemplateSlowTimeMax

constexpr std::string_view kHelp =
    "Usage: holdfast template [NAME] CHART [flags]\n"
    "Renders a chart folder or .tgz as `helm template` v4.2.1 does; the flags are Helm's.\n\n"
    "  -f, --values FILES            values files, \"-\" for standard input\n"
    "      --set, --set-string, --set-json, --set-file, --set-literal LINE\n"
    "  -n, --namespace NAME          default: as helm finds it\n"
    "  -s, --show-only PATTERN       only these templates\n"
    "  -a, --api-versions LIST       added to .Capabilities.APIVersions\n"
    "      --kube-version VERSION    .Capabilities.KubeVersion, default v1.36.0\n"
    "      --include-crds, --no-hooks, --skip-tests, --is-upgrade, --skip-schema-validation\n"
    "      --name-template TEXT, --output-dir DIR, --release-name\n"
    "      --seed N, --time SECONDS  fix what is random and what time it is\n"
    "      --no-limits               lift the limits: 128 MiB, 70 s of CPU time\n"
    "Refused: --validate, --post-renderer, --dependency-update, --repo, --verify and remote charts.\n";

/// Renders what anyone may have written: from here on this process is its own render worker.
Result<void> confine(TemplateFlags const& flags) {
    sandbox::Reach reach{.reads_anywhere = true};
    if (!flags.output_dir.empty()) reach.write_beneath = {flags.output_dir};
    std::optional<sandbox::Limits> limits;
    // No wall-clock limit: values may come from a pipe that takes its time.
    if (!flags.no_limits)
        limits = sandbox::Limits{
            .memory_bytes_max = kMemoryBytesMax, .cpu_max = kCpuMax, .wall_max = std::chrono::seconds{0}};
    auto confined = sandbox::confine_command(reach, limits);
    if (!confined) return fail(std::move(confined));
    return {};
}

TemplateOutput failed(std::vector<std::string> const& said, Error error) {
    std::string err;
    for (auto const& line : said) err += line + '\n';
    return {.status = 1, .out = {}, .err = err + "Error: " + error.message + '\n', .error = error};
}

int print(TemplateOutput const& output) {
    write_stderr(output.err);
    if (write_all(STDOUT_FILENO, output.out)) return output.status;
    say("Error: write stdout: " + errno_text(errno));
    return 1;
}

}  // namespace

TemplateOutput template_output(int argc, char** argv) {
    std::vector<std::string> said;
    auto flags = parse_template_flags(argc, argv, said);
    if (!flags) return failed(said, flags.error());
    if (flags->help) return {.status = 0, .out = std::string{kHelp}, .err = {}, .error = {}};
    flags->said = std::move(said);
    sandbox::raise_stack();
    return render_template(*flags, read_values_file);
}

int run_template(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_DFL);  // `| head` ends it without a word, as it ends helm
    std::vector<std::string> said;
    auto flags = parse_template_flags(argc, argv, said);
    if (!flags) return print(failed(said, flags.error()));
    if (flags->help) return print({.status = 0, .out = std::string{kHelp}, .err = {}, .error = {}});
    flags->said = std::move(said);
    if (auto confined = confine(*flags); !confined) return print(failed({}, confined.error()));
    // One short run: give memory back at its end, not in between.
    ::mallopt(M_MXFAST, 0);
    ::mallopt(M_TRIM_THRESHOLD, 256 << 20);
    ::mallopt(M_TOP_PAD, 1 << 20);
    return print(
        render_template(*flags, read_values_file, [](TemplateOutput const& output) { ::_exit(print(output)); }));
}

}  // namespace holdfast::daemon
