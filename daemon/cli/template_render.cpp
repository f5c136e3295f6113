// daemon/cli/template_render.cpp: a chart named by flags, rendered to the text that `helm template` prints.
#include "daemon/cli/template_render.hpp"

#include "daemon/cli/helm_namespace.hpp"
#include "modules/base/errno_text.hpp"
#include "modules/base/read_file.hpp"
#include "modules/base/write_all.hpp"
#include "modules/helm/helm.hpp"
#include "modules/helm/output.hpp"
#include "modules/helm/system_ports.hpp"
#include "modules/helm/user_values.hpp"
#include "modules/sandbox/command.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <new>
#include <set>

namespace holdfast::daemon {
namespace {

constexpr std::size_t kValuesBytesMax = 64u << 20;
constexpr std::size_t kStackOfFunctions = 8u << 20;

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

/// What stands behind the error of a render that got as far as its manifests.
std::string hint(TemplateFlags const& flags) {
    return flags.debug ? "" : "\n\nUse --debug flag to render out invalid YAML";
}

/// Helm's ensureDirectoryForFile; Go names the part of the path that stands in the way.
Result<void> make_directories_for(std::string const& file) {
    std::filesystem::path const folder = std::filesystem::path{file}.parent_path();
    struct stat info{};
    if (::stat(folder.c_str(), &info) == 0) return {};
    if (errno != ENOENT) return fail(Errc::invalid_input, "stat " + folder.string() + ": " + errno_text(errno));
    std::error_code why;
    std::filesystem::create_directories(folder, why);
    if (!why) return {};
    std::filesystem::path part;
    for (auto const& name : folder) {
        part /= name;
        if (::stat(part.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) break;
    }
    return fail(Errc::invalid_input, "mkdir " + part.string() + ": " + errno_text(why.value()));
}

Result<void> write_file(std::string const& folder, helm::OutputFile const& file, std::set<std::string>& written) {
    auto const path = folder + '/' + file.path;
    if (auto made = make_directories_for(path); !made) return made;
    std::error_code ec;
    // Hooks are added to whatever is there, as Helm does; manifests replace what an earlier run left.
    bool const append = file.is_hook ? std::filesystem::exists(path, ec) : written.contains(path);
    int const fd =
        ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_CREAT | (append ? O_APPEND : O_TRUNC), append ? 0600 : 0666);
    if (fd < 0) return fail(Errc::invalid_input, "open " + path + ": " + errno_text(errno));
    int const wrong = write_all(fd, file.text) ? 0 : errno;
    ::close(fd);
    if (wrong != 0) return fail(Errc::invalid_input, "write " + path + ": " + errno_text(wrong));
    written.insert(path);
    std::printf("wrote %s\n", path.c_str());
    return {};
}

Result<std::string> write_files(TemplateFlags const& flags, std::string const& release, helm::Rendered const& rendered,
                                helm::OutputOptions const& options) {
    std::set<std::string> written;
    auto const folder = flags.release_name ? flags.output_dir + '/' + release : flags.output_dir;
    for (auto const& file : helm::print_files(rendered, options)) {
        auto done = write_file(file.is_crd ? flags.output_dir : folder, file, written);
        if (done) continue;
        // Manifests are written within the render, hooks by the command behind it.
        return file.is_hook ? fail(std::move(done)) : fail(done.error().code, done.error().message + hint(flags));
    }
    return std::string{"\n"};
}

std::string lines_of(std::vector<std::string> const& lines) {
    std::string text;
    for (auto const& line : lines) text += line + '\n';
    return text;
}

Result<helm::RenderOptions> options_of(TemplateFlags const& flags, helm::Log& log) {
    helm::RenderOptions options;
    options.log = &log;
    options.debug = flags.debug;
    // A function that recurses through a value does so below the deepest template.
    auto const stack = sandbox::raise_stack();
    options.budget.stack_bytes_max = stack - std::min(kStackOfFunctions, stack / 2);
    if (flags.no_limits) options.budget.slow_time_max = std::chrono::nanoseconds::max();
    if (!flags.kube_version.empty()) {
        auto version = helm::parse_kube_version(flags.kube_version);
        if (!version) return fail(std::move(version), "invalid kube version '" + flags.kube_version + '\'');
        options.capabilities.kube_version = *version;
    }
    auto& versions = options.capabilities.api_versions;
    versions.insert(versions.end(), flags.api_versions.begin(), flags.api_versions.end());
    options.release.revision = 1;
    options.release.is_upgrade = flags.is_upgrade;
    options.skip_schema_validation = flags.skip_schema_validation;
    return options;
}

/// The lines of `--debug` that come from the command and not from the engine.
void log_start(TemplateFlags const& flags, helm::Log& log) {
    if (!flags.debug) return;
    log.push_back(helm::log_line("DEBUG", "Original chart version", {{"version", flags.version}}));
    if (flags.version.empty() && flags.devel) log.push_back(helm::log_line("DEBUG", "setting version to >0.0.0-0"));
}

/// Renders and hands the text to `emit` while everything it was made from is still there: a program that ends with it
/// need not take hundreds of thousands of small objects apart first. `log` is what Helm writes to stderr on the way, also
/// when the render fails; then `shown` is what `--debug` prints all the same.
Result<void> run(TemplateFlags const& flags, helm::ReadFile const& read_values, helm::Log& log, std::string& shown,
                 std::function<void(std::string)> const& emit) {
    auto options = options_of(flags, log);
    if (!options) return fail(std::move(options));
    helm::SystemRandom system_random;
    helm::SeededRandom seeded_random{flags.seed.value_or(0)};
    helm::SystemClock clock{flags.time};
    helm::ZoneFiles zones;
    helm::Ports ports{.random = flags.seed ? static_cast<gotemplate::Random*>(&seeded_random) : &system_random,
                      .clock = &clock,
                      .zones = &zones};
    helm::Engine engine;
    log_start(flags, log);
    auto names = names_of(flags, engine, ports);
    if (!names) return fail(std::move(names));
    auto path = locate(names->chart);
    if (!path) return fail(std::move(path));
    if (flags.debug) log.push_back(helm::log_line("DEBUG", "Chart path", {{"path", *path}}));
    auto values = helm::merge_user_values(
        {flags.value_files, flags.set_json, flags.set, flags.set_string, flags.set_file, flags.set_literal},
        read_values);
    if (!values) return fail(std::move(values));
    auto chart = helm::load_path(*path, &log);
    if (!chart) return fail(std::move(chart));
    if (auto good = helm::check_installable(**chart, &log); !good) return fail(std::move(good));
    if (auto good = helm::check_release_name(names->release, &log); !good) return fail(std::move(good));
    options->release.name = names->release;
    options->release.namespace_name =
        flags.namespace_name.empty() ? helm_namespace(flags.kubeconfig, flags.kube_context) : flags.namespace_name;
    helm::OutputOptions const output{flags.include_crds, flags.no_hooks, flags.skip_tests, flags.show_only};
    helm::RenderFailure failure;
    auto rendered = engine.render(**chart, *values, *options, ports, &failure);
    if (!rendered) {
        bool const in_templates =
            failure.stage == helm::RenderStage::templates || failure.stage == helm::RenderStage::manifests;
        if (!in_templates) return fail(std::move(rendered));
        if (!flags.debug) return fail(rendered.error().code, rendered.error().message + hint(flags));
        auto text = helm::print(failure, output);
        if (!text) return fail(std::move(text));
        shown = std::move(*text);
        return fail(std::move(rendered));
    }
    auto text = flags.output_dir.empty() ? helm::print(*rendered, output)
                                         : write_files(flags, names->release, *rendered, output);
    if (!text) return fail(std::move(text));
    emit(std::move(*text));
    return {};
}

}  // namespace

Result<std::string> read_values_file(std::string_view path) {
    std::string const name{path};
    auto const first = name.find_first_not_of(" \t\n");
    if (first != name.npos && name.substr(first, name.find_last_not_of(" \t\n") - first + 1) == "-")
        return read_descriptor(STDIN_FILENO, "stdin", kValuesBytesMax);
    for (auto const scheme : {"http://", "https://", "oci://"}) {
        if (name.starts_with(scheme)) return fail(Errc::denied, name + " is not read: values come from files");
    }
    return read_file(name, kValuesBytesMax);
}

TemplateOutput render_template(TemplateFlags const& flags, helm::ReadFile const& read_values,
                               std::function<void(TemplateOutput const&)> const& last_words) {
    TemplateOutput output;
    helm::Log log;
    try {
        auto done = run(flags, read_values, log, output.out, [&](std::string text) {
            output.err = lines_of(flags.said) + lines_of(log);
            output.out = std::move(text);
            if (last_words) last_words(output);
        });
        if (done) return output;
        output.error = done.error();
    } catch (std::bad_alloc const&) {
        output.out.clear();
        output.error = Error{Errc::limit, "the render needs more memory than its limit; --no-limits lifts it"};
    } catch (std::exception const& error) {
        output.out.clear();
        output.error =
            Error{Errc::invalid_input, std::string{"the render stopped at a defect in holdfast: "} + error.what()};
    }
    output.status = 1;
    output.err = lines_of(flags.said) + lines_of(log) + "Error: " + output.error->message + '\n';
    return output;
}

}  // namespace holdfast::daemon
