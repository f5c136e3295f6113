// daemon/chart_bridge.cpp: a helmCharts entry as the command line that kustomize gives helm.
#include "daemon/chart_bridge.hpp"

#include "daemon/cmd_template.hpp"
#include "modules/base/static_glibc.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::daemon {

namespace {

/// A values file that exists only while it is read.
class MemoryFile {
public:
    explicit MemoryFile(std::string_view text) : fd_(::memfd_create("values", MFD_CLOEXEC)) {
        while (fd_ >= 0 && !text.empty()) {
            ssize_t const written = ::write(fd_, text.data(), text.size());
            if (written <= 0) break;
            text.remove_prefix(static_cast<std::size_t>(written));
        }
        whole_ = fd_ >= 0 && text.empty();
    }
    MemoryFile(MemoryFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)), whole_(other.whole_) {}
    ~MemoryFile() {
        if (fd_ >= 0) ::close(fd_);
    }
    bool whole() const { return whole_; }
    std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

private:
    int fd_;
    bool whole_ = false;
};

}  // namespace

Result<std::string> render_chart(kustomize::HelmRequest const& request) {
    close_static_traps();  // template functions use OpenSSL; `holdfast build` starts without it
    struct stat info{};
    if (::stat(request.chart_directory.c_str(), &info) != 0) {
        return fail(Errc::not_found, "chart '" + request.name + "' is not at " + request.chart_directory +
                                         ": charts are not fetched; put it there with `helm pull --untar`");
    }
    std::vector<std::string> words{"template"};
    if (request.release_name.empty()) {
        words.emplace_back("--generate-name");
    } else {
        words.push_back(request.release_name);
    }
    words.push_back(request.chart_directory);
    auto const option = [&](char const* name, std::string const& value) {
        if (value.empty()) return;
        words.emplace_back(name);
        words.push_back(value);
    };
    option("--namespace", request.ns);
    option("--name-template", request.name_template);
    option("--kube-version", request.kube_version);
    for (std::string const& version : request.api_versions) option("--api-versions", version);
    if (request.include_crds) words.emplace_back("--include-crds");
    if (request.skip_tests) words.emplace_back("--skip-tests");
    if (request.skip_hooks) words.emplace_back("--no-hooks");
    std::vector<MemoryFile> files;
    for (std::string const& text : request.values) {
        files.emplace_back(text);
        if (!files.back().whole()) return fail(Errc::limit, "no memory for the values of chart '" + request.name + "'");
        option("--values", files.back().path());
    }
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    auto const output = template_output(static_cast<int>(arguments.size()), arguments.data());
    if (output.status != 0) {  // helm's own words first, as in kustomize
        return fail(Errc::invalid_input, output.err + ": unable to render chart '" + request.name + "'");
    }
    return output.out;
}

}  // namespace holdfast::daemon
