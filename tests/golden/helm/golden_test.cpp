// tests/golden/helm/golden_test.cpp: small charts that each aim at one feature, against what the real helm printed.
#include "daemon/cli/template.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace fs = std::filesystem;

namespace {

struct Case {
    std::string name;
    std::vector<std::string> runs;
    std::map<std::string, std::string> files;
};

std::vector<Case> read_cases(fs::path const& path) {
    std::vector<Case> cases;
    std::ifstream file{path};
    std::string* current = nullptr;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("## ")) {
            cases.push_back({.name = line.substr(3, line.find(':') - 3), .runs = {}, .files = {}});
            current = nullptr;
        } else if (current == nullptr && line.starts_with("$")) {
            cases.back().runs.push_back(line.size() > 2 ? line.substr(2) : std::string{});
        } else if (line.starts_with("-- ") && line.ends_with(" --")) {
            current = &cases.back().files[line.substr(3, line.size() - 6)];
        } else if (current != nullptr) {
            *current += line + '\n';
        }
    }
    return cases;
}

/// As in the record script: blanks split, "\ " keeps one, some flags take the rest of the line.
std::vector<std::string> words(std::string rest) {
    std::vector<std::string> out;
    while (!rest.empty()) {
        if (!out.empty() &&
            (out.back() == "--name-template" || out.back() == "--set-literal" || out.back() == "--set-json")) {
            out.push_back(rest);
            break;
        }
        std::string word;
        std::size_t at = 0;
        for (; at < rest.size() && rest[at] != ' '; ++at) {
            if (rest[at] == '\\' && at + 1 < rest.size() && (rest[at + 1] == ' ' || rest[at + 1] == '"')) ++at;
            word += rest[at];
        }
        out.push_back(word);
        rest.erase(0, std::min(rest.find_first_not_of(' ', at), rest.size()));
    }
    return out;
}

void write_chart(fs::path const& top, Case& one) {
    if (!one.files.contains("Chart.yaml") && !one.files.contains("!Chart.yaml"))
        one.files["Chart.yaml"] = "apiVersion: v2\nname: c\nversion: 0.1.0\n";
    fs::create_directories(top / "c");
    for (auto const& [name, text] : one.files) {
        if (name.starts_with('!')) continue;
        auto const path = (top / "c" / name).lexically_normal();
        fs::create_directories(path.parent_path());
        std::ofstream{path} << text;
    }
}

std::string replaced(std::string text, std::string const& from, std::string const& to) {
    for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
    return text;
}

/// The environment of one run: a home without a kubeconfig, and the variables in front of the arguments.
class Variables {
public:
    Variables(std::vector<std::string>& arguments, fs::path const& home) {
        set("HOME", home.string());
        for (auto const* name : {"KUBECONFIG", "HELM_NAMESPACE", "HELM_KUBECONTEXT", "HELM_DEBUG"})
            set(name, std::nullopt);
        while (!arguments.empty() && arguments.front().starts_with("HELM_")) {
            auto const equal = arguments.front().find('=');
            set(arguments.front().substr(0, equal), arguments.front().substr(equal + 1));
            arguments.erase(arguments.begin());
        }
    }
    Variables(Variables const&) = delete;
    Variables& operator=(Variables const&) = delete;
    ~Variables() {
        for (auto const& [name, before] : before_) put(name, before);
    }

private:
    void set(std::string const& name, std::optional<std::string> const& value) {
        char const* const before = std::getenv(name.c_str());
        before_.emplace(name, before == nullptr ? std::nullopt : std::optional<std::string>{before});
        put(name, value);
    }
    static void put(std::string const& name, std::optional<std::string> const& value) {
        if (value) ::setenv(name.c_str(), value->c_str(), 1);
        else ::unsetenv(name.c_str());
    }
    std::map<std::string, std::optional<std::string>> before_;
};

/// One run in the form of the .expected files.
std::string answer(std::string const& run, fs::path const& top) {
    std::vector<std::string> arguments = words(run);
    Variables const variables{arguments, top};
    arguments.insert(arguments.begin(), "template");
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    auto const output = holdfast::daemon::template_output(static_cast<int>(argv.size()), argv.data());
    auto const error = output.status == 0 ? output.err.size() : output.err.find("Error: ");
    auto text = output.status == 0 ? output.out : output.err.substr(error);
    text = replaced(std::move(text), top.string(), "$DIR");
    std::string out = "$ " + run + "\nstatus " + std::to_string(output.status) + '\n';
    std::istringstream log{replaced(output.err.substr(0, error), top.string(), "$DIR")};
    std::set<std::string> logged;  // Go's maps give the log its order
    for (std::string line; std::getline(log, line);) {
        if (line.starts_with("level=") || line.starts_with("Flag --")) logged.insert("! " + line + '\n');
    }
    for (auto const& line : logged) out += line;
    if (output.status != 0) {  // what --debug prints all the same
        std::istringstream shown{output.out};
        for (std::string line; std::getline(shown, line);) out += "> " + line + '\n';
    }
    std::istringstream lines{text + '\n'};
    for (std::string line; std::getline(lines, line);) out += "| " + line + '\n';
    return out;
}

/// "## name" -> the recorded blocks below it, one per run.
std::map<std::string, std::vector<std::string>> read_expected(fs::path const& path) {
    std::map<std::string, std::vector<std::string>> all;
    std::vector<std::string>* current = nullptr;
    std::ifstream file{path};
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("## ")) {
            current = &all[line.substr(3)];
        } else {
            if (line.starts_with("$")) current->emplace_back();
            current->back() += line + '\n';
        }
    }
    return all;
}

}  // namespace

TEST_CASE("helm: our charts render as helm renders them", "[helm][golden]") {
    // Goal    one feature, or one mistake, a chart: output, error text and status equal helm's.
    // Method  write each chart of charts/*.txt to a folder, run every "$" line in it, compare with charts/*.expected.
    auto const before = fs::current_path();
    auto const top = fs::temp_directory_path() / ("holdfast-helm-" + std::to_string(::getpid()));
    int charts = 0;
    for (auto const& entry : fs::directory_iterator{HOLDFAST_GOLDEN_DIR "/helm/charts"}) {
        if (entry.path().extension() != ".txt") continue;
        auto const expected = read_expected(fs::path{entry.path()}.replace_extension(".expected"));
        for (auto& one : read_cases(entry.path())) {
            fs::remove_all(top);
            write_chart(top, one);
            fs::current_path(top);
            auto const& blocks = expected.at(one.name);
            REQUIRE(blocks.size() == one.runs.size());
            for (std::size_t i = 0; i < one.runs.size(); ++i) {
                INFO(one.name);
                CHECK(answer(one.runs[i], fs::canonical(top)) == blocks[i]);
            }
            fs::current_path(before);
            ++charts;
        }
    }
    fs::remove_all(top);
    CHECK(charts >= 60);
}
