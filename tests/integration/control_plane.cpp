// tests/integration/control_plane.cpp: talks to the launcher over its standard input and output.
#include "tests/integration/control_plane.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

namespace holdfast::test {

std::filesystem::path control_plane_binary() {
    auto const* const value = std::getenv("HOLDFAST_CONTROLPLANE");
    if (value == nullptr || *value == '\0') return {};
    std::filesystem::path const path{value};
    return std::filesystem::is_directory(path) ? path / "controlplane" : path;
}

ControlPlane::ControlPlane(std::filesystem::path const& binary, std::vector<std::string> options) {
    auto name = (std::filesystem::temp_directory_path() / "holdfast-plane-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = name;
    int in[2];
    int out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    std::vector<std::string> words{binary.string(), "up", "--dir", folder_.string()};
    words.insert(words.end(), options.begin(), options.end());
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
        ::dup2(in[0], STDIN_FILENO);
        ::dup2(out[1], STDOUT_FILENO);
        ::execv(arguments[0], arguments.data());
        ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    to_child_ = in[1];
    from_child_ = out[0];
    kubeconfig_ = read_line();
    if (kubeconfig_.empty()) throw std::runtime_error("controlplane up did not come up");
}

ControlPlane::~ControlPlane() {
    ::close(to_child_);  // the launcher takes everything down when its input ends
    int status = 0;
    ::waitpid(pid_, &status, 0);
    ::close(from_child_);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

std::string ControlPlane::read_line() {
    std::string line;
    for (char c = 0; ::read(from_child_, &c, 1) == 1 && c != '\n';) line += c;
    return line;
}

std::string ControlPlane::command(std::string const& words) {
    auto const line = words + "\n";
    if (::write(to_child_, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
        return "error: launcher is gone";
    return read_line();
}

}  // namespace holdfast::test
