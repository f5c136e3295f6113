// daemon/cli/install.cpp: holdfast install.
#include "daemon/install.hpp"
#include "daemon/cli/common.hpp"
#include "daemon/cli/verbs.hpp"
#include "daemon/mode.hpp"
#include "modules/base/private_loop.hpp"
#include "modules/http/client.hpp"
#include "modules/kube/client.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>

namespace holdfast::daemon {

int install_verb(int argc, char** argv) {
    std::string file;
    std::string context;
    std::string mode;
    bool print = false;
    CLI::App app{"Install the CRDs on the API server that --kubeconfig, $KUBECONFIG, the pod's own account or "
                 "~/.kube/config names.",
                 "holdfast install"};
    app.add_option("--kubeconfig", file, "Where the API server is")->type_name("FILE");
    app.add_option("--context", context, "Context of the kubeconfig");
    app.add_option("--mode", mode,
                   "What a writer of Flux objects may do. Without it: what was chosen before, else flux where Flux's "
                   "definitions are, else azure.")
        ->type_name("flux|azure")
        ->check(CLI::IsMember({"flux", "azure"}));
    app.add_flag("--print", print, "Print the CRDs instead of applying them.");
    if (auto const code = stop_after_flags(app, argc, argv)) return *code;

    if (print) {
        for (CrdFile const& crd : crd_files())
            std::printf("---\n%.*s", static_cast<int>(crd.text.size()), crd.text.data());
        return 0;
    }
    FoundKubeconfig const found = find_kubeconfig(file, "");
    if (found.path.empty() && !found.in_pod) {
        return complain(
            {Errc::not_found, "no kubeconfig: name one with --kubeconfig or $KUBECONFIG, or put it at ~/.kube/config"},
            kExitFailed);
    }
    auto config = found.in_pod ? kube::in_cluster_config(std::getenv("KUBERNETES_SERVICE_HOST"),
                                                         std::getenv("KUBERNETES_SERVICE_PORT"))
                               : kube::load_kubeconfig(found.path, context);
    if (!config) return complain(std::move(config).error().in(found.named_by), kExitFailed);
    PrivateLoop loop;
    http::Client http{loop.executor()};
    auto cluster = kube::Client::make(loop.executor(), http, std::move(*config));
    if (!cluster) return complain(cluster.error(), kExitFailed);
    auto choice = loop.run(choose_mode(**cluster, mode_named(mode)));
    if (!choice) return complain(choice.error(), kExitFailed);
    auto installed = loop.run(install_crds(**cluster, choice->mode));
    if (!installed) return complain(installed.error(), kExitFailed);
    for (CrdFile const& crd : crd_files())
        std::printf("%.*s installed\n", static_cast<int>(crd.name.size()), crd.name.data());
    std::printf("mode %s, for %s\n", std::string{mode_name(choice->mode)}.c_str(), std::string{choice->why}.c_str());
    return 0;
}

}  // namespace holdfast::daemon
