// daemon/cmd_template.cpp: flags in, rendered charts out.
#include "daemon/cmd_template.hpp"

#include "daemon/template_flags.hpp"
#include "modules/base/write_all.hpp"
#include "modules/helm/helm.hpp"
#include "modules/helm/output.hpp"
#include "modules/helm/user_values.hpp"
#include "modules/sandbox/command.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <set>

namespace holdfast::daemon {
namespace {

constexpr std::size_t kStackBytes = 256u << 20;
constexpr std::size_t kMemoryBytesMax = 128u << 20;  // the output alone may have 64 MiB
constexpr std::size_t kValuesBytesMax = 64u << 20;

constexpr std::string_view kHelp =
    "Usage: holdfast template [NAME] CHART [flags]\n"
    "Renders a chart folder or .tgz as `helm template` v4.2.1 does; the flags are Helm's.\n\n"
    "  -f, --values FILES            values files, \"-\" for standard input\n"
    "      --set, --set-string, --set-json, --set-file, --set-literal LINE\n"
    "  -n, --namespace NAME          default \"default\"\n"
    "  -s, --show-only PATTERN       only these templates\n"
    "  -a, --api-versions LIST       added to .Capabilities.APIVersions\n"
    "      --kube-version VERSION    .Capabilities.KubeVersion, default v1.36.0\n"
    "      --include-crds, --no-hooks, --skip-tests, --is-upgrade, --skip-schema-validation\n"
    "      --name-template TEXT, --output-dir DIR, --release-name\n"
    "      --seed N, --time SECONDS  fix what is random and what time it is\n"
    "      --no-limits               lift the limits: 128 MiB, 10 s of CPU time\n"
    "Refused: --validate, --post-renderer, --dependency-update, --repo, --verify and remote charts.\n";

class SystemRandom : public gotemplate::Random {
public:
    void fill(std::span<std::byte> out) override {
        if (out.size() >= sizeof pool_) return ask(out);
        if (out.size() > left_) ask(pool_), left_ = sizeof pool_;
        left_ -= out.size();
        std::memcpy(out.data(), pool_ + left_, out.size());
        ::explicit_bzero(pool_ + left_, out.size());
    }

private:
    static void ask(std::span<std::byte> out) {
        while (!out.empty()) {
            auto const got = ::getrandom(out.data(), out.size(), 0);
            if (got > 0) out = out.subspan(static_cast<std::size_t>(got));
        }
    }

    std::byte pool_[256];  // random characters are asked for one by one
    std::size_t left_ = 0;
};

class SeededRandom : public gotemplate::Random {
public:
    explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
    void fill(std::span<std::byte> out) override {
        for (auto& byte : out) byte = static_cast<std::byte>(engine_());
    }

private:
    std::mt19937_64 engine_;
};

class CommandClock : public gotemplate::Clock {
public:
    explicit CommandClock(std::optional<std::int64_t> fixed) : fixed_(fixed) {}
    std::chrono::system_clock::time_point now() override {
        if (fixed_) return std::chrono::system_clock::time_point{std::chrono::seconds{*fixed_}};
        return std::chrono::system_clock::now();
    }

private:
    std::optional<std::int64_t> fixed_;
};

std::string reason(int code) {
    if (code == ENOENT) return "no such file or directory";
    std::string text = std::strerror(code);
    if (!text.empty()) text[0] = static_cast<char>(text[0] | 32);
    return text;
}

Result<std::string> read_descriptor(int fd, std::string const& name) {
    std::string data;
    char buffer[64 << 10];
    ssize_t got = 0;
    while ((got = ::read(fd, buffer, sizeof buffer)) > 0) {
        data.append(buffer, static_cast<std::size_t>(got));
        if (data.size() > kValuesBytesMax)
            return fail(Errc::limit, name + " is larger than " + std::to_string(kValuesBytesMax) + " bytes");
    }
    if (got < 0) return fail(Errc::invalid_input, "read " + name + ": " + reason(errno));
    return data;
}

Result<std::string> read_values(std::string_view path) {
    std::string const name{path};
    auto const first = name.find_first_not_of(" \t\n");
    if (first != name.npos && name.substr(first, name.find_last_not_of(" \t\n") - first + 1) == "-")
        return read_descriptor(0, "stdin");
    for (auto const scheme : {"http://", "https://", "oci://"}) {
        if (name.starts_with(scheme)) return fail(Errc::denied, name + " is not read: values come from files");
    }
    int const fd = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail(Errc::not_found, "open " + name + ": " + reason(errno));
    auto data = read_descriptor(fd, name);
    ::close(fd);
    return data;
}

/// Time zones from the system's files; only plain names below the folder.
class ZoneFiles : public gotemplate::TimeZones {
public:
    std::optional<std::string_view> find(std::string_view name) override {
        std::string const key{name};
        if (auto const known = cache_.find(key); known != cache_.end()) return known->second;
        if (key.empty() || key.find("..") != key.npos || key.starts_with('/')) return std::nullopt;
        auto data = read_values("/usr/share/zoneinfo/" + key);
        if (!data) return std::nullopt;
        return cache_.emplace(key, std::move(*data)).first->second;
    }

private:
    std::map<std::string, std::string> cache_;
};

/// Helm's LocateChart for charts that are on this machine.
Result<std::string> locate(std::string name) {
    auto const first = name.find_first_not_of(" \t\n");
    if (first != name.npos) name = name.substr(first, name.find_last_not_of(" \t\n") - first + 1);
    std::error_code ec;
    struct stat info{};
    if (::stat(name.c_str(), &info) == 0) return std::filesystem::absolute(name, ec).lexically_normal().string();
    if (name.starts_with('/') || name.starts_with('.')) return fail(Errc::not_found, "path \"" + name + "\" not found");
    if (name.find("://") != name.npos)
        return fail(Errc::denied, name + " is not fetched: charts are rendered from files");
    auto const slash = name.find('/');
    if (slash == name.npos)
        return fail(Errc::not_found, "non-absolute URLs should be in form of repo_name/path_to_chart, got: " + name);
    return fail(Errc::not_found, "repo " + name.substr(0, slash) + " not found");
}

struct Names {
    std::string release;
    std::string chart;
};

Result<Names> names_of(TemplateFlags const& flags, helm::Engine& engine, helm::Ports const& ports) {
    auto const& words = flags.positional;
    if (words.empty())
        return fail(Errc::invalid_input,
                    "\"helm template\" requires at least 1 argument\n\nUsage:  helm template [NAME] [CHART] [flags]");
    if (words.size() > 2) {
        std::string extra;
        for (std::size_t i = 2; i < words.size(); ++i) extra += (i == 2 ? "" : ", ") + words[i];
        return fail(Errc::invalid_input, "expected at most two arguments, unexpected arguments: " + extra);
    }
    if (words.size() == 2) {
        if (flags.generate_name) return fail(Errc::invalid_input, "cannot set --generate-name and also specify a name");
        if (!flags.name_template.empty())
            return fail(Errc::invalid_input, "cannot set --name-template and also specify a name");
        return Names{words[0], words[1]};
    }
    if (flags.name_template.empty()) return Names{"release-name", words[0]};
    auto name = engine.render_name(flags.name_template, ports);
    if (!name) return fail(std::move(name));
    return Names{*name, words[0]};
}

Result<void> write_file(std::string const& folder, helm::OutputFile const& file, std::set<std::string>& written) {
    auto const path = folder + '/' + file.path;
    std::error_code ec;
    std::filesystem::create_directories(std::filesystem::path{path}.parent_path(), ec);
    // Hooks are added to whatever is there, as Helm does; manifests replace what an earlier run left.
    bool const append = file.is_hook ? std::filesystem::exists(path, ec) : written.contains(path);
    int const fd =
        ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_CREAT | (append ? O_APPEND : O_TRUNC), append ? 0600 : 0666);
    if (fd < 0) return fail(Errc::invalid_input, "open " + path + ": " + reason(errno));
    int const wrong = write_all(fd, file.text) ? 0 : errno;
    ::close(fd);
    if (wrong != 0) return fail(Errc::invalid_input, "write " + path + ": " + reason(wrong));
    written.insert(path);
    std::printf("wrote %s\n", path.c_str());
    return {};
}

Result<std::string> write_files(TemplateFlags const& flags, std::string const& release, helm::Rendered const& rendered,
                                helm::OutputOptions const& options) {
    std::set<std::string> written;
    auto const folder = flags.release_name ? flags.output_dir + '/' + release : flags.output_dir;
    for (auto const& file : helm::print_files(rendered, options)) {
        if (auto done = write_file(file.is_crd ? flags.output_dir : folder, file, written); !done)
            return fail(std::move(done));
    }
    return std::string{"\n"};
}

/// Renders and hands the text to `emit` while everything it was made from is still there: a program that ends with it
/// need not take hundreds of thousands of small objects apart first.
/// `log` is what Helm writes to stderr on the way, also when the render fails.
Result<void> run(TemplateFlags const& flags, helm::Log& log, std::function<void(std::string)> const& emit) {
    helm::RenderOptions options;
    options.log = &log;
    options.budget.stack_bytes_max = kStackBytes - (8u << 20);
    if (!flags.kube_version.empty()) {
        auto version = helm::parse_kube_version(flags.kube_version);
        if (!version) return fail(std::move(version), "invalid kube version '" + flags.kube_version + '\'');
        options.capabilities.kube_version = *version;
    }
    auto& versions = options.capabilities.api_versions;
    versions.insert(versions.end(), flags.api_versions.begin(), flags.api_versions.end());
    SystemRandom system_random;
    SeededRandom seeded_random{flags.seed.value_or(0)};
    CommandClock clock{flags.time};
    ZoneFiles zones;
    helm::Ports ports{.random = flags.seed ? static_cast<gotemplate::Random*>(&seeded_random) : &system_random,
                      .clock = &clock,
                      .zones = &zones};
    helm::Engine engine;
    auto names = names_of(flags, engine, ports);
    if (!names) return fail(std::move(names));
    auto path = locate(names->chart);
    if (!path) return fail(std::move(path));
    auto values = helm::merge_user_values(
        {flags.value_files, flags.set_json, flags.set, flags.set_string, flags.set_file, flags.set_literal},
        read_values);
    if (!values) return fail(std::move(values));
    auto chart = helm::load_path(*path, &log);
    if (!chart) return fail(std::move(chart));
    if (auto good = helm::check_installable(**chart, &log); !good) return fail(std::move(good));
    if (auto good = helm::check_release_name(names->release, &log); !good) return fail(std::move(good));
    options.release = {
        .name = names->release, .namespace_name = flags.namespace_name, .revision = 1, .is_upgrade = flags.is_upgrade};
    options.skip_schema_validation = flags.skip_schema_validation;
    helm::RenderStage stage{};
    auto rendered = engine.render(**chart, *values, options, ports, &stage);
    if (!rendered) {
        bool const hint = stage == helm::RenderStage::templates || stage == helm::RenderStage::manifests;
        if (hint && !flags.debug)
            return fail(rendered.error().code,
                        rendered.error().message + "\n\nUse --debug flag to render out invalid YAML");
        return fail(std::move(rendered));
    }
    helm::OutputOptions const output{flags.include_crds, flags.no_hooks, flags.skip_tests, flags.show_only};
    auto text = flags.output_dir.empty() ? helm::print(*rendered, output)
                                         : write_files(flags, names->release, *rendered, output);
    if (!text) return fail(std::move(text));
    emit(std::move(*text));
    return {};
}

/// Templates include each other deeply; the main thread's stack may grow this far.
void raise_stack() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_STACK, &limit) != 0) return;
    auto const wanted = limit.rlim_max == RLIM_INFINITY ? kStackBytes : std::min<rlim_t>(kStackBytes, limit.rlim_max);
    if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < wanted) {
        limit.rlim_cur = wanted;
        ::setrlimit(RLIMIT_STACK, &limit);
    }
}

/// Renders what anyone may have written: from here on this process is its own render worker.
Result<void> confine(TemplateFlags const& flags) {
    sandbox::Reach reach;
    if (!flags.output_dir.empty()) reach.write_beneath = {flags.output_dir};
    std::optional<sandbox::Limits> limits;
    // No wall-clock limit: values may come from a pipe that takes its time.
    if (!flags.no_limits)
        limits = sandbox::Limits{.memory_bytes_max = kMemoryBytesMax, .wall_max = std::chrono::seconds{0}};
    auto confined = sandbox::confine_command(reach, limits);
    if (!confined) return fail(std::move(confined));
    return {};
}

std::string lines_of(std::vector<std::string> const& lines) {
    std::string text;
    for (auto const& line : lines) text += line + '\n';
    return text;
}

TemplateOutput failed(std::string err, std::string const& message) {
    return {1, {}, std::move(err) + "Error: " + message + '\n'};
}

TemplateOutput render(TemplateFlags const& flags, std::function<void(TemplateOutput const&)> const& last_words) {
    TemplateOutput output;
    helm::Log log;
    try {
        auto done = run(flags, log, [&](std::string text) {
            output.err = lines_of(flags.deprecations) + lines_of(log);
            output.out = std::move(text);
            if (last_words) last_words(output);
        });
        if (!done) return failed(lines_of(flags.deprecations) + lines_of(log), done.error().message);
    } catch (std::bad_alloc const&) {
        return failed(lines_of(flags.deprecations),
                      "the render needs more memory than its limit; --no-limits lifts it");
    }
    return output;
}

int print(TemplateOutput const& output) {
    std::fwrite(output.err.data(), 1, output.err.size(), stderr);
    bool const written =
        std::fwrite(output.out.data(), 1, output.out.size(), stdout) == output.out.size() && std::fflush(stdout) == 0;
    if (!written) std::fprintf(stderr, "Error: write stdout: %s\n", std::strerror(errno));
    return written ? output.status : 1;
}

}  // namespace

TemplateOutput template_output(int argc, char** argv) {
    auto const flags = parse_template_flags(argc, argv);
    if (!flags) return failed({}, flags.error().message);
    if (flags->help) return {0, std::string{kHelp}, {}};
    raise_stack();
    return render(*flags, {});
}

int run_template(int argc, char** argv) {
    auto const flags = parse_template_flags(argc, argv);
    if (!flags) return print(failed({}, flags.error().message));
    if (flags->help) return print({0, std::string{kHelp}, {}});
    raise_stack();
    if (auto confined = confine(*flags); !confined) return print(failed({}, confined.error().message));
    // One short run: give memory back at its end, not in between.
    ::mallopt(M_MXFAST, 0);
    ::mallopt(M_TRIM_THRESHOLD, 256 << 20);
    ::mallopt(M_TOP_PAD, 1 << 20);
    return print(render(*flags, [](TemplateOutput const& output) { ::_exit(print(output)); }));
}

}  // namespace holdfast::daemon
