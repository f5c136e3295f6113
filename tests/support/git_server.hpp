// tests/support/git_server.hpp: a Git repository and tests/support/git_http.py in front of it, for C++ tests.
// Compile with -DHOLDFAST_SOURCE_ROOT="<the tree>".
#pragma once

#include "modules/base/assert.hpp"
#include "tests/support/temp_dir.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <sstream>
#include <string>
#include <vector>

namespace holdfast::test {

/// Runs a shell command and returns what it printed, without the last newline. A failing command ends the test run.
inline std::string shell(std::string const& command) {
    FILE* const pipe = ::popen(command.c_str(), "r");
    HOLDFAST_ASSERT(pipe != nullptr);
    std::string out;
    char buffer[4'096];
    while (std::size_t const got = std::fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, got);
    int const status = ::pclose(pipe);
    if (status != 0) std::fprintf(stderr, "command failed: %s\n", command.c_str());
    HOLDFAST_ASSERT(status == 0);
    while (out.ends_with('\n')) out.pop_back();
    return out;
}

/// A bare repository "shop.git" in `root`, filled through a working copy.
class GitRepo {
public:
    explicit GitRepo(std::filesystem::path const& root, std::string const& name = "shop")
        : work_{root / (name + ".work")}, bare_{root / (name + ".git")} {
        shell("git init -q -b main " + work_.string() + " && git init -q -b main --bare " + bare_.string());
        git("config user.name tester");
        git("config user.email tester@example.com");
        git("remote add origin " + bare_.string());
    }

    GitRepo& write(std::string const& path, std::string const& content) {
        std::filesystem::create_directories((work_ / path).parent_path());
        std::ofstream{work_ / path, std::ios::binary} << content;
        return *this;
    }

    /// Commits everything and pushes; returns the commit.
    std::string commit(std::string const& message = "change") {
        git("add -A");
        git("-c commit.gpgsign=false commit -q --allow-empty -m '" + message + "'");
        git("push -q origin HEAD");
        return head();
    }

    std::string head() { return git("rev-parse HEAD"); }
    std::string git(std::string const& arguments) {
        return shell("git -C " + work_.string() + " " + arguments + " 2>&1");
    }
    std::filesystem::path const& work() const { return work_; }
    std::filesystem::path const& bare() const { return bare_; }

private:
    std::filesystem::path work_;
    std::filesystem::path bare_;
};

/// The server, as a process of its own that ends with this object.
class GitServer {
public:
    explicit GitServer(std::filesystem::path const& root, std::vector<std::string> arguments = {}) {
        int in[2];
        int out[2];
        HOLDFAST_ASSERT(::pipe2(in, O_CLOEXEC) == 0 && ::pipe2(out, O_CLOEXEC) == 0);
        std::vector<std::string> words{"python3", HOLDFAST_SOURCE_ROOT "/tests/support/git_http.py", "--root",
                                       root.string(), "--until-eof"};
        words.insert(words.end(), arguments.begin(), arguments.end());
        std::vector<char*> argv;
        for (auto& word : words) argv.push_back(word.data());
        argv.push_back(nullptr);
        process_ = ::fork();
        HOLDFAST_ASSERT(process_ >= 0);
        if (process_ == 0) {
            ::dup2(in[0], 0);
            ::dup2(out[1], 1);
            ::execvp(argv[0], argv.data());
            ::_exit(127);
        }
        ::close(in[0]);
        ::close(out[1]);
        input_ = in[1];
        char c = 0;
        while (::read(out[0], &c, 1) == 1 && c != '\n') url_ += c;
        ::close(out[0]);
        HOLDFAST_ASSERT(url_.starts_with("http"));
    }

    ~GitServer() {
        ::close(input_);
        ::waitpid(process_, nullptr, 0);
    }
    GitServer(GitServer const&) = delete;
    GitServer& operator=(GitServer const&) = delete;

    std::string const& url() const { return url_; }
    std::string url_of(std::string const& repository) const { return url_ + "/" + repository; }

    /// One fault per line; "" for none.
    void faults(std::string const& lines) {
        shell("curl -sSk -f -o /dev/null --data-binary '" + lines + "' " + url_ + "/-/faults");
    }
    void forget_requests() { shell("curl -sSk -f -o /dev/null -X DELETE " + url_ + "/-/requests"); }
    /// "GET refs, POST pack"
    std::string requests() const {
        return shell("curl -sSk -f " + url_ +
                     "/-/requests | python3 -c 'import json, sys; "
                     "print(\", \".join(r[\"method\"] + \" \" + r[\"stage\"] for r in json.load(sys.stdin)))'");
    }

    /// The bytes of all requests and answers so far, without the heads of HTTP.
    std::size_t payload() const {
        return std::stoul(
            shell("curl -sSk -f " + url_ +
                  "/-/requests | python3 -c 'import json, sys; "
                  "print(sum(r[\"body_bytes\"] + r.get(\"answer_bytes\", 0) for r in json.load(sys.stdin)))'"));
    }

    /// Whether any request brought credentials.
    bool authorized() const {
        return shell("curl -sSk -f " + url_ +
                     "/-/requests | python3 -c 'import json, sys; "
                     "print(any(r[\"authorization\"] for r in json.load(sys.stdin)))'") == "True";
    }

private:
    pid_t process_ = -1;
    int input_ = -1;
    std::string url_;
};

}  // namespace holdfast::test
