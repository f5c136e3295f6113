// daemon/cli/chart_bridge.cpp: a helmCharts entry as what kustomize asks of `helm template`.
#include "daemon/cli/chart_bridge.hpp"

#include "daemon/cli/flags.hpp"
#include "daemon/cli/template_render.hpp"
#include "modules/base/static_glibc.hpp"

#include <charconv>
#include <sys/stat.h>

namespace holdfast::daemon {

Result<std::string> render_chart(kustomize::HelmRequest const& request) {
    close_static_traps();  // template functions use OpenSSL; `holdfast build` starts without it
    struct stat info{};
    if (::stat(request.chart_directory.c_str(), &info) != 0) {
        return fail(Errc::not_found, "chart '" + request.name + "' is not at " + request.chart_directory +
                                         ": charts are not fetched; put it there with `helm pull --untar`");
    }
    TemplateFlags flags;
    flags.generate_name = request.release_name.empty();
    if (!flags.generate_name) flags.positional.push_back(request.release_name);
    flags.positional.push_back(request.chart_directory);
    flags.namespace_name = request.ns;
    flags.name_template = request.name_template;
    flags.kube_version = request.kube_version;
    for (auto const& list : request.api_versions) {  // each may name several, as the flag that kustomize uses
        auto versions = cli::parse_csv(list);
        if (!versions) return fail(std::move(versions), "apiVersions of chart '" + request.name + "'");
        flags.api_versions.insert(flags.api_versions.end(), versions->begin(), versions->end());
    }
    flags.include_crds = request.include_crds;
    flags.skip_tests = request.skip_tests;
    flags.no_hooks = request.skip_hooks;
    for (std::size_t i = 0; i < request.values.size(); ++i) flags.value_files.push_back(std::to_string(i));
    auto const read = [&request](std::string_view name) -> Result<std::string> {
        std::size_t number = request.values.size();
        std::from_chars(name.data(), name.data() + name.size(), number);
        if (number >= request.values.size()) return fail(Errc::not_found, std::string{name} + " is none of the values");
        return request.values[number];
    };
    auto output = render_template(flags, read);
    if (output.error) {  // helm's own words first, as in kustomize
        return fail(output.error->code, output.err + ": unable to render chart '" + request.name + "'");
    }
    return std::move(output.out);
}

}  // namespace holdfast::daemon
