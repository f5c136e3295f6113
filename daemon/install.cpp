// daemon/install.cpp: applies the embedded CRDs one by one.
#include "daemon/install.hpp"

#include "daemon/mode.hpp"

#include "modules/kube/kstatus.hpp"
#include "modules/yaml/json.hpp"

namespace holdfast::daemon {

namespace {

namespace json = boost::json;
constexpr std::chrono::seconds kEstablishedMax{60};
constexpr std::chrono::milliseconds kLookEvery{100};

Task<void> wait_established(kube::Cluster& cluster, kube::Target target) {
    auto const started = std::chrono::steady_clock::now();
    for (;;) {
        auto live = co_await cluster.get(target);
        if (!live) co_return fail(std::move(live));
        if (kube::status_of(*live, std::chrono::system_clock::now()).health == kube::Health::current)
            co_return Result<void>{};
        if (std::chrono::steady_clock::now() - started > kEstablishedMax) {
            co_return fail(Errc::timeout, "not established after 60 s");
        }
        co_await sleep_for(kLookEvery);
    }
}

void annotate(kube::Object& definition, access::Mode mode) {
    json::value& annotations = definition["metadata"].as_object()["annotations"];
    if (!annotations.is_object()) annotations = json::object{};
    annotations.get_object()[kModeAnnotation] = mode_name(mode);
}

}  // namespace

Task<void> install_crds(kube::Cluster& cluster, std::optional<access::Mode> mode) {
    if (!mode) {
        auto before = co_await chosen_mode(cluster);
        if (!before) co_return fail(std::move(before), "install");
        mode = *before;
    }
    auto resource = co_await cluster.resource_for({"apiextensions.k8s.io", "v1", "CustomResourceDefinition"});
    if (!resource) co_return fail(std::move(resource), "install");
    std::vector<kube::Target> targets;
    for (CrdFile const& file : crd_files()) {
        auto value = yaml::read_sigs(file.text);
        if (!value || !value->is_object()) co_return fail(Errc::invalid_input, "install: " + std::string{file.name});
        kube::Object object = std::move(value->get_object());
        if (mode && kube::name_of(object) == kModeDefinition) annotate(object, *mode);
        targets.push_back({*resource, "", std::string{kube::name_of(object)}});
        kube::WriteOptions const options{.field_manager = "holdfast", .force = true, .metadata_only = true};
        auto applied = co_await cluster.apply(std::move(object), options);
        if (!applied) co_return fail(std::move(applied), "install " + std::string{file.name});
    }
    for (kube::Target& target : targets) {
        std::string const name = target.name;
        auto established = co_await wait_established(cluster, std::move(target));
        if (!established) co_return fail(std::move(established), "install " + name);
    }
    co_return Result<void>{};
}

}  // namespace holdfast::daemon
