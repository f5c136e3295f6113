// daemon/template_flags.cpp: the flag table of `helm template` and a parser with pflag's rules.
#include "daemon/template_flags.hpp"

#include <charconv>
#include <functional>
#include <map>
#include <string_view>

namespace holdfast::daemon {
namespace {

struct Flag {
    bool takes_value;
    std::function<Result<void>(TemplateFlags&, std::string const&)> apply;
    std::string bare_value = "true";  // what a flag without "=" means
};
using Table = std::map<std::string, Flag, std::less<>>;

Result<void> refuse(std::string const& name, std::string_view why) {
    return fail(Errc::invalid_input, "--" + name + " is refused: " + std::string{why});
}

Result<bool> truth(std::string const& name, std::string const& text) {
    for (auto const yes : {"true", "TRUE", "True", "1", "t", "T"}) {
        if (text == yes) return true;
    }
    for (auto const no : {"false", "FALSE", "False", "0", "f", "F"}) {
        if (text == no) return false;
    }
    return fail(Errc::invalid_input, "invalid argument \"" + text + "\" for \"--" + name +
                                         "\" flag: strconv.ParseBool: parsing \"" + text + "\": invalid syntax");
}

/// pflag's StringSlice: one CSV line.
void add_csv(std::vector<std::string>& into, std::string_view line) {
    std::string item;
    bool quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        char const c = line[i];
        if (c == '"' && (quoted || item.empty())) {
            if (quoted && i + 1 < line.size() && line[i + 1] == '"') {
                item += '"';
                ++i;
            } else {
                quoted = !quoted;
            }
        } else if (c == ',' && !quoted) {
            into.push_back(std::exchange(item, {}));
        } else {
            item += c;
        }
    }
    if (!line.empty()) into.push_back(std::move(item));
}

Table make_table() {
    Table table;
    auto const flag = [&](std::string name, bool TemplateFlags::* slot) {
        table[name] = {false, [name, slot](TemplateFlags& flags, std::string const& text) -> Result<void> {
                           auto value = truth(name, text);
                           if (!value) return fail(std::move(value));
                           flags.*slot = *value;
                           return {};
                       }};
    };
    auto const text = [&](std::string name, std::string TemplateFlags::* slot) {
        table[name] = {true, [slot](TemplateFlags& flags, std::string const& value) -> Result<void> {
                           flags.*slot = value;
                           return {};
                       }};
    };
    auto const list = [&](std::string name, std::vector<std::string> TemplateFlags::* slot, bool csv = false) {
        table[name] = {true, [slot, csv](TemplateFlags& flags, std::string const& value) -> Result<void> {
                           if (csv) {
                               add_csv(flags.*slot, value);
                           } else {
                               (flags.*slot).push_back(value);
                           }
                           return {};
                       }};
    };
    auto const ignored = [&](std::string name, bool takes_value) {
        table[name] = {takes_value, [](TemplateFlags&, std::string const&) -> Result<void> { return {}; }};
    };
    auto const deprecated = [&](std::string name, std::string why) {
        table[name] = {false, [name, why](TemplateFlags& flags, std::string const&) -> Result<void> {
                           flags.deprecations.push_back("Flag --" + name + " has been deprecated, " + why);
                           return {};
                       }};
    };
    auto const refused = [&](std::string name, bool takes_value, std::string why) {
        table[name] = {takes_value, [name, why, takes_value](TemplateFlags&, std::string const& value) -> Result<void> {
                           if (!takes_value && value == "false") return {};
                           return refuse(name, why);
                       }};
    };
    list("values", &TemplateFlags::value_files, true);
    list("set", &TemplateFlags::set);
    list("set-string", &TemplateFlags::set_string);
    list("set-json", &TemplateFlags::set_json);
    list("set-file", &TemplateFlags::set_file);
    list("set-literal", &TemplateFlags::set_literal);
    list("show-only", &TemplateFlags::show_only);
    list("api-versions", &TemplateFlags::api_versions, true);
    text("namespace", &TemplateFlags::namespace_name);
    text("kube-version", &TemplateFlags::kube_version);
    text("output-dir", &TemplateFlags::output_dir);
    text("name-template", &TemplateFlags::name_template);
    flag("generate-name", &TemplateFlags::generate_name);
    flag("no-hooks", &TemplateFlags::no_hooks);
    flag("include-crds", &TemplateFlags::include_crds);
    flag("skip-crds", &TemplateFlags::skip_crds);
    flag("skip-tests", &TemplateFlags::skip_tests);
    flag("is-upgrade", &TemplateFlags::is_upgrade);
    flag("release-name", &TemplateFlags::release_name);
    flag("skip-schema-validation", &TemplateFlags::skip_schema_validation);
    flag("debug", &TemplateFlags::debug);
    flag("no-limits", &TemplateFlags::no_limits);
    flag("help", &TemplateFlags::help);
    for (auto const name :
         {"create-namespace", "force-replace", "force-conflicts", "replace", "wait-for-jobs", "devel",
          "disable-openapi-validation", "rollback-on-failure", "take-ownership", "insecure-skip-tls-verify",
          "plain-http", "pass-credentials", "kube-insecure-skip-tls-verify", "server-side", "wait", "enable-dns"})
        ignored(name, false);
    for (auto const name : {"timeout",
                            "description",
                            "labels",
                            "version",
                            "keyring",
                            "username",
                            "password",
                            "cert-file",
                            "key-file",
                            "ca-file",
                            "kubeconfig",
                            "kube-context",
                            "kube-token",
                            "kube-as-user",
                            "kube-as-group",
                            "kube-apiserver",
                            "kube-ca-file",
                            "kube-tls-server-name",
                            "registry-config",
                            "repository-config",
                            "repository-cache",
                            "content-cache",
                            "burst-limit",
                            "qps",
                            "color",
                            "colour"})
        ignored(name, true);
    deprecated("hide-notes", "this flag has no effect for 'helm template' and will be removed in Helm 5");
    deprecated("render-subchart-notes", "this flag has no effect for 'helm template' and will be removed in Helm 5");
    deprecated("force", "use --force-replace instead");
    deprecated("atomic", "use --rollback-on-failure instead");
    refused("validate", false, "it asks a cluster, and a template is rendered without one");
    refused("post-renderer", true, "no other program is started");
    refused("post-renderer-args", true, "no other program is started");
    refused("dependency-update", false, "charts are not fetched while rendering; vendor them into charts/");
    refused("repo", true, "charts are not fetched while rendering");
    refused("verify", false, "provenance files are checked when a chart is fetched");
    table["dry-run"] = {
        false,
        [](TemplateFlags&, std::string const& value) -> Result<void> {
            if (value == "server")
                return refuse("dry-run=server", "it asks a cluster, and a template is rendered without one");
            if (value == "client" || value == "unset" || value == "true" || value == "none" || value == "false")
                return {};
            return fail(Errc::invalid_input,
                        "invalid dry-run value (\"" + value + "\"). Must be \"none\", \"server\", or \"client\"");
        },
        "unset"};
    auto const number = [&](std::string name, auto apply) {
        table[name] = {true, [name, apply](TemplateFlags& flags, std::string const& value) -> Result<void> {
                           std::int64_t parsed = 0;
                           auto const [end, ec] = std::from_chars(value.data(), value.data() + value.size(), parsed);
                           if (ec != std::errc{} || end != value.data() + value.size())
                               return fail(Errc::invalid_input,
                                           "invalid argument \"" + value + "\" for \"--" + name + "\" flag");
                           apply(flags, parsed);
                           return {};
                       }};
    };
    number("seed", [](TemplateFlags& flags, std::int64_t value) { flags.seed = static_cast<std::uint64_t>(value); });
    number("time", [](TemplateFlags& flags, std::int64_t value) { flags.time = value; });
    return table;
}

std::string_view long_name(char letter) {
    switch (letter) {
        case 'f': return "values";
        case 's': return "show-only";
        case 'a': return "api-versions";
        case 'n': return "namespace";
        case 'g': return "generate-name";
        case 'l': return "labels";
        case 'h': return "help";
        default: return {};
    }
}

}  // namespace

Result<TemplateFlags> parse_template_flags(int argc, char** argv) {
    static Table const table = make_table();
    TemplateFlags flags;
    bool only_positional = false;
    for (int i = 1; i < argc; ++i) {
        std::string_view const word = argv[i];
        if (only_positional || word.size() < 2 || word[0] != '-') {
            flags.positional.emplace_back(word);
            continue;
        }
        if (word == "--") {
            only_positional = true;
            continue;
        }
        if (word.starts_with("--")) {
            auto const equals = word.find('=');
            auto const name = word.substr(2, equals == word.npos ? word.npos : equals - 2);
            auto const found = table.find(name);
            if (found == table.end()) return fail(Errc::invalid_input, "unknown flag: --" + std::string{name});
            std::string value = found->second.bare_value;
            if (equals != word.npos) {
                value = word.substr(equals + 1);
            } else if (found->second.takes_value) {
                if (++i == argc) return fail(Errc::invalid_input, "flag needs an argument: --" + std::string{name});
                value = argv[i];
            }
            if (auto applied = found->second.apply(flags, value); !applied) return fail(std::move(applied));
            continue;
        }
        for (std::size_t at = 1; at < word.size(); ++at) {
            auto const name = long_name(word[at]);
            if (name.empty())
                return fail(Errc::invalid_input,
                            "unknown shorthand flag: '" + std::string(1, word[at]) + "' in " + std::string{word});
            auto const& known = table.find(name)->second;
            std::string value = known.bare_value;
            bool ended = false;
            if (known.takes_value) {
                ended = true;
                if (at + 1 < word.size()) {
                    value = word.substr(at + (word[at + 1] == '=' ? 2 : 1));
                } else {
                    if (++i == argc)
                        return fail(Errc::invalid_input, "flag needs an argument: '" + std::string(1, word[at]) +
                                                             "' in " + std::string{word});
                    value = argv[i];
                }
            }
            if (auto applied = known.apply(flags, value); !applied) return fail(std::move(applied));
            if (ended) break;
        }
    }
    return flags;
}

}  // namespace holdfast::daemon
