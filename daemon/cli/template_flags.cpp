// daemon/cli/template_flags.cpp: the flag table of `helm template`.
#include "daemon/cli/template_flags.hpp"

#include "daemon/cli/flags.hpp"
#include "modules/base/errno_text.hpp"
#include "modules/helm/capabilities.hpp"
#include "modules/helm/log.hpp"
#include "modules/text/gotemplate/gotime.hpp"
#include "modules/text/gotemplate/strconv.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

namespace holdfast::daemon {
namespace {

using gotemplate::quote;

std::unexpected<Error> wrong(std::string message) { return fail(Errc::invalid_input, std::move(message)); }

/// pflag's StringToString: what `--labels` takes.
Result<void> check_pairs(std::string const& text) {
    auto const count = std::ranges::count(text, '=');
    std::vector<std::string> pairs{text};
    if (count > 1) {
        auto read = cli::parse_csv(text);
        if (!read) return std::unexpected{read.error()};
        pairs = std::move(*read);
    }
    for (auto const& pair : pairs) {
        if (pair.find('=') == pair.npos) return wrong(pair + " must be formatted as key=value");
    }
    return {};
}

Result<void> check_duration(std::string const& text) {
    auto const read = gotemplate::parse_duration(text);
    if (!read) return std::unexpected{read.error()};
    return {};
}

/// strconv.ParseInt(text, 0, 64) and ParseFloat(text, 32), whose errors pflag shows.
Result<void> check_integer(std::string const& text) {
    auto const parsed = gotemplate::parse_int(text, 0, 64);
    if (parsed) return {};
    return std::unexpected{parsed.error()};
}

Result<void> check_float(std::string const& text) {
    auto const parsed = gotemplate::parse_float(text, 32);
    if (parsed) return {};
    return std::unexpected{parsed.error()};
}

Result<void> check_wait(std::vector<std::string>& said, std::string const& text) {
    if (text == "watcher" || text == "legacy" || text == "hookOnly") return {};
    if (text == "true" || text == "false") {
        said.push_back(helm::log_line("WARN", "--wait=" + text +
                                                  " is deprecated (boolean value) and can be replaced with --wait=" +
                                                  (text == "true" ? "watcher" : "hookOnly")));
        return {};
    }
    return wrong("invalid wait input " + quote(text) + ". Valid inputs are watcher, hookOnly, and legacy");
}

/// cmdGetDryRunFlagStrategy, once all flags are read.
Result<void> check_dry_run(std::vector<std::string>& said, std::string const& value) {
    if (value == "client") return {};
    if (value == "server")
        return fail(Errc::denied,
                    "--dry-run=server is refused: it asks a cluster, and a template is rendered without one");
    if (value == "unset") {
        said.push_back(
            helm::log_line("WARN", "--dry-run is deprecated and should be replaced with '--dry-run=client'"));
        return {};
    }
    auto const invalid = "invalid dry-run value (" + quote(value) + "). Must be ";
    auto const truth = gotemplate::parse_bool(value);
    if (value != "none" && !truth) return wrong(invalid + R"("none", "server", or "client")");
    if (value == "none" || !*truth) return wrong(invalid + R"("server" or "client")");
    said.push_back(helm::log_line("WARN", "boolean '--dry-run=" + value +
                                              "' flag is deprecated and must be replaced with '--dry-run=client'"));
    return {};
}

/// The files of a registry client that Helm makes although no registry is asked.
struct TlsFiles {
    std::string cert, key, ca;

    Result<void> check() const {
        if (!cert.empty() && !key.empty()) {
            if (auto const read = readable("unable to read cert file: ", cert); !read) return read;
            if (auto const read = readable("unable to read key file: ", key); !read) return read;
        }
        return ca.empty() ? Result<void>{} : readable("can't read CA file: ", ca);
    }

private:
    static Result<void> readable(std::string const& what, std::string const& path) {
        int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        int const error = errno;
        if (fd >= 0) return ::close(fd), Result<void>{};
        return wrong("missing registry client: can't create TLS config for client: " + what + quote(path) + ": open " +
                     path + ": " + errno_text(error));
    }
};

/// Checked by Helm's root command before any other flag is.
Result<void> check_color(std::string const& mode) {
    if (mode.empty() || mode == "never" || mode == "auto" || mode == "always") return {};
    return wrong("invalid color mode " + quote(mode) + ": must be one of: never, auto, always");
}

/// What is checked behind the table, in Helm's order.
struct Later {
    TlsFiles tls;
    std::string color, dry_run = "client";
};

void add_values(cli::FlagTable& table, TemplateFlags& flags) {
    table.csv("values", flags.value_files, 'f');
    table.list("set", flags.set);
    table.list("set-string", flags.set_string);
    table.list("set-json", flags.set_json);
    table.list("set-file", flags.set_file);
    table.list("set-literal", flags.set_literal);
}

void add_render(cli::FlagTable& table, TemplateFlags& flags) {
    auto const shown = [&flags](std::string const& pattern) -> Result<void> {
        flags.show_only.push_back(pattern);
        return {};
    };
    table.add({.name = "show-only", .set = shown, .letter = 's'});
    table.csv("api-versions", flags.api_versions, 'a');
    table.text("namespace", flags.namespace_name, 'n');
    table.text("kubeconfig", flags.kubeconfig);
    table.text("kube-context", flags.kube_context);
    table.text("kube-version", flags.kube_version);
    table.text("output-dir", flags.output_dir);
    table.text("name-template", flags.name_template);
    table.text("version", flags.version);
    table.boolean("generate-name", flags.generate_name, 'g');
    table.boolean("no-hooks", flags.no_hooks);
    table.boolean("include-crds", flags.include_crds);
    table.boolean("skip-crds", flags.skip_crds);
    table.boolean("skip-tests", flags.skip_tests);
    table.boolean("is-upgrade", flags.is_upgrade);
    table.boolean("release-name", flags.release_name);
    table.boolean("skip-schema-validation", flags.skip_schema_validation);
    table.boolean("debug", flags.debug);
    table.boolean("devel", flags.devel);
}

/// Flags for a cluster or a download: they change nothing here, but a mistake in them is one.
void add_ignored(cli::FlagTable& table, Later& later, std::vector<std::string>& said) {
    for (auto const name :
         {"create-namespace", "force-replace", "force-conflicts", "replace", "wait-for-jobs",
          "disable-openapi-validation", "rollback-on-failure", "take-ownership", "insecure-skip-tls-verify",
          "plain-http", "pass-credentials", "kube-insecure-skip-tls-verify", "server-side", "enable-dns", "hide-notes",
          "render-subchart-notes", "force", "atomic"})
        table.ignored_boolean(name);
    for (auto const name : {"description", "keyring", "username", "password", "kube-token", "kube-as-user",
                            "kube-as-group", "kube-apiserver", "kube-ca-file", "kube-tls-server-name",
                            "registry-config", "repository-config", "repository-cache", "content-cache"})
        table.ignored_text(name);
    constexpr auto kNoEffect = "this flag has no effect for 'helm template' and will be removed in Helm 5";
    table.deprecate("hide-notes", kNoEffect);
    table.deprecate("render-subchart-notes", kNoEffect);
    table.deprecate("force", "use --force-replace instead");
    table.deprecate("atomic", "use --rollback-on-failure instead");
    table.add({.name = "timeout", .set = check_duration});
    table.add({.name = "labels", .set = check_pairs, .letter = 'l'});
    table.add({.name = "burst-limit", .set = check_integer});
    table.add({.name = "qps", .set = check_float});
    table.add({.name = "wait",
               .set = [&said](std::string const& text) { return check_wait(said, text); },
               .bare = "watcher"});
    table.text("cert-file", later.tls.cert);
    table.text("key-file", later.tls.key);
    table.text("ca-file", later.tls.ca);
    table.text("color", later.color);
    table.text("colour", later.color);
    auto const dry_run = [&later](std::string const& text) -> Result<void> {
        later.dry_run = text;
        return {};
    };
    table.add({.name = "dry-run", .set = dry_run, .bare = "unset"});
}

void add_refused(cli::FlagTable& table) {
    table.refused_boolean("validate", "is refused: it asks a cluster, and a template is rendered without one");
    table.refused_text("post-renderer", "is refused: no other program is started");
    table.refused_text("post-renderer-args", "is refused: no other program is started");
    table.refused_boolean("dependency-update",
                          "is refused: charts are not fetched while rendering; vendor them into charts/");
    table.refused_text("repo", "is refused: charts are not fetched while rendering");
    table.refused_boolean("verify", "is refused: provenance files are checked when a chart is fetched");
}

template <class Number>
void add_number(cli::FlagTable& table, std::string_view name, std::optional<Number>& slot, std::int64_t size_max) {
    auto const set = [&slot, size_max](std::string const& text) -> Result<void> {
        std::int64_t parsed = 0;
        auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), parsed);
        if (ec != std::errc{} || end != text.data() + text.size()) return wrong("not a whole number");
        if (parsed > size_max || parsed < -size_max) return wrong("more than " + std::to_string(size_max));
        slot = static_cast<Number>(parsed);
        return {};
    };
    table.add({.name = name, .set = set});
}

}  // namespace

Result<TemplateFlags> parse_template_flags(int argc, char** argv, std::vector<std::string>& said) {
    TemplateFlags flags;
    Later later;
    cli::FlagTable table;
    if (char const* const debug = std::getenv("HELM_DEBUG"))
        flags.debug = gotemplate::parse_bool(debug).value_or(false);
    add_values(table, flags);
    add_render(table, flags);
    add_ignored(table, later, said);
    add_refused(table);
    table.boolean("no-limits", flags.no_limits);
    add_number(table, "seed", flags.seed, INT64_MAX);
    // A clock counts nanoseconds: some 292 years to either side of 1970.
    add_number(table, "time", flags.time,
               std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::duration::max()).count());
    table.boolean("help", flags.help, 'h');
    auto positional = table.parse(argc, argv, said);
    if (!positional) return std::unexpected{positional.error()};
    flags.positional = std::move(*positional);
    if (flags.help) return flags;
    if (auto const ok = check_color(later.color); !ok) return std::unexpected{ok.error()};
    if (!flags.kube_version.empty()) {
        auto const version = helm::parse_kube_version(flags.kube_version);
        if (!version) return wrong("invalid kube version '" + flags.kube_version + "': " + version.error().message);
    }
    if (auto const ok = later.tls.check(); !ok) return std::unexpected{ok.error()};
    if (auto const ok = check_dry_run(said, later.dry_run); !ok) return std::unexpected{ok.error()};
    return flags;
}

}  // namespace holdfast::daemon
