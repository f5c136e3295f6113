// daemon/main.cpp: the table of verbs.
#include "daemon/cli/build.hpp"
#include "daemon/cli/chart_bridge.hpp"
#include "daemon/cli/fetch_remote.hpp"
#include "daemon/cli/suggest.hpp"
#include "daemon/cli/template.hpp"
#include "daemon/cli/verbs.hpp"
#include "modules/base/static_glibc.hpp"

#include <boost/system/system_error.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace {

using namespace holdfast::daemon;

struct Verb {
    std::string_view name;
    std::string_view summary;
    int (*run)(int argc, char** argv);
    // Looks up no name and uses no OpenSSL (what a chart or a remote base needs, it sees to itself): starts without their cost.
    bool is_light = false;
};

// `build` and `template` have the flags of the programs they stand for and read them themselves.
constexpr Verb kVerbs[] = {
    {"daemon", "Run the daemon.", daemon_verb},
    {"status", "Show what the daemon knows.", status_verb},
    {"queue", "Show, send again, export or check what waits for Azure.", queue_verb},
    {"install", "Install the CRDs on the API server.", install_verb},
    {"config", "Check or print the configuration.", config_verb},
    {"build", "Print what kustomize build prints.",
     [](int argc, char** argv) { return run_build(argc, argv, {render_chart, fetch_remote}); }, true},
    {"template", "Print what helm template prints.", run_template},
    {"version", "Print the version.", version_verb},
};

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

void print_help(std::FILE* to) {
    std::fputs(
        "GitOps where the network is not: one daemon that does what Azure's microsoft.flux extension does, online and "
        "offline.\n\nUsage: holdfast COMMAND [flags]\n\n",
        to);
    for (Verb const& verb : kVerbs)
        std::fprintf(to, "  %-10s %s\n", std::string{verb.name}.c_str(), std::string{verb.summary}.c_str());
    std::fputs(
        "\n`holdfast COMMAND --help` says more. Exit codes: 0 done, 1 failed, 2 wrong command line;\n"
        "of status: 0 compliant, 1 pending, 2 non-compliant, 3 no answer; of daemon also 64: wrong configuration.\n",
        to);
}

Verb const* find_verb(std::string_view name) {
    for (Verb const& verb : kVerbs) {
        if (verb.name == name) return &verb;
    }
    return nullptr;
}

int unknown(std::string const& word) {
    std::vector<std::string_view> known;
    for (Verb const& verb : kVerbs) known.push_back(verb.name);
    std::string const meant = nearest(word, known);
    std::fprintf(stderr, "holdfast: unknown %s \"%s\" for \"holdfast\"\n", word.starts_with('-') ? "flag" : "command",
                 word.c_str());
    if (!meant.empty()) std::fprintf(stderr, "Did you mean `holdfast %s`?\n", meant.c_str());
    std::fputs("See `holdfast --help`.\n", stderr);
    return kExitUsage;
}

int run_verb(Verb const& verb, int argc, char** argv) {
    if (!verb.is_light) {
        holdfast::close_static_traps();  // before anything that looks up a name or uses OpenSSL
        std::signal(SIGPIPE, SIG_IGN);
    }
    return verb.run(argc, argv);
}

int run(int argc, char** argv) {
    std::string const word = argc < 2 ? "" : argv[1];
    if (word.empty()) {
        print_help(stderr);
        return kExitUsage;
    }
    if (Verb const* verb = find_verb(word)) return run_verb(*verb, argc - 1, argv + 1);
    if (word == "--version") return version_verb(1, argv);
    bool const is_help = word == "help" || word == "--help" || word == "-h";
    if (!is_help) return unknown(word);
    if (argc < 3) {
        print_help(stdout);
        return 0;
    }
    Verb const* asked = find_verb(argv[2]);
    if (asked == nullptr) return unknown(argv[2]);
    char help[] = "--help";
    char* words[] = {argv[2], help, nullptr};
    return run_verb(*asked, 2, words);
}

[[noreturn]] void refused(char const* what) {
    std::fprintf(
        stderr,
        "holdfast: the system refuses what is needed: %s (see ulimit -a; in the unit LimitNOFILE, TasksMax, MemoryMax)\n",
        what);
    ::_exit(kExitFailed);
}

/// What a machine may refuse to a program: descriptors, threads, memory. That is no fault of ours, and a core dump helps
/// nobody. Not a catch in main(): that would take down half-built objects first, and a thread pool that did not get all
/// its threads waits for those it has for ever.
[[noreturn]] void end_with_reason() {
    try {
        if (auto const thrown = std::current_exception()) std::rethrow_exception(thrown);
    } catch (boost::system::system_error const& error) {
        refused(error.what());
    } catch (std::system_error const& error) {
        refused(error.what());
    } catch (std::bad_alloc const&) {
        refused("no memory");
    } catch (std::exception const& error) {
        std::fprintf(stderr, "holdfast: %s\n", error.what());
    }
    std::abort();
}

}  // namespace

int main(int argc, char** argv) {
    std::set_terminate(end_with_reason);
    return run(argc, argv);
}
