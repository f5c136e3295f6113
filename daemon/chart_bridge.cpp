// daemon/chart_bridge.cpp: a helmCharts entry as the command line that kustomize gives helm.
#include "daemon/chart_bridge.hpp"

#include "daemon/cmd_template.hpp"
#include "daemon/memory_file.hpp"
#include "modules/base/static_glibc.hpp"

#include <sys/stat.h>

namespace holdfast::daemon {

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
    std::vector<MemoryFile> files;  // each exists only while it is read
    for (std::string const& text : request.values) {
        auto file = MemoryFile::create();
        if (!file || !file->append(text))
            return fail(Errc::limit, "no memory for the values of chart '" + request.name + "'");
        option("--values", "/proc/self/fd/" + std::to_string(file->fd()));
        files.push_back(std::move(*file));
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
