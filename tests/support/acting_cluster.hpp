// tests/support/acting_cluster.hpp: a cluster as somebody else sees it, who asked for what, and what is refused to whom.
#pragma once

#include "modules/access/access.hpp"
#include "tests/support/fake_cluster.hpp"

#include <set>

namespace holdfast::test {

/// What was asked as somebody, in order: "system:serviceaccount:apps:web get ConfigMap/apps/a".
struct Asked {
    std::vector<std::string> log;
    std::set<std::string> refused;  // what starts like one of these is answered with Forbidden

    bool has(std::string const& line) const { return std::ranges::find(log, line) != log.end(); }
};

class ActingCluster final : public kube::Cluster {
public:
    ActingCluster(kube::Cluster& real, Asked& asked, std::string user)
        : real_(real), asked_(asked), user_(std::move(user)) {}

    Task<kube::Resource> resource_for(kube::GroupVersionKind gvk) override {
        return real_.resource_for(std::move(gvk));
    }
    Task<kube::Resource> any_version_of(std::string group, std::string kind, std::string version) override {
        return real_.any_version_of(std::move(group), std::move(kind), std::move(version));
    }
    Task<kube::Object> get(kube::Target target, kube::ReadOptions options, kube::Refusal* refusal) override {
        if (auto no = refuses("get", target, refusal)) co_return std::unexpected{*no};
        auto found = co_await real_.get(std::move(target), options, refusal);
        co_return found;
    }
    Task<std::string> list(kube::Resource, kube::ListOptions, std::function<void()>, kube::ObjectSink,
                           kube::Refusal*) override {
        co_return fail(Errc::denied, "an account lists nothing");
    }
    Task<void> watch(kube::Resource, kube::WatchOptions, kube::EventSink, kube::Refusal*) override {
        co_return fail(Errc::denied, "an account watches nothing");
    }
    Task<kube::Object> apply(kube::Object, kube::WriteOptions, kube::Refusal*) override {
        co_return fail(Errc::invalid_input, "not in this test");
    }
    Task<kube::Object> apply_to(kube::Target target, kube::Object object, kube::WriteOptions options,
                                kube::Refusal* refusal) override {
        if (auto no = refuses(options.dry_run ? "dry-run" : "apply", target, refusal)) co_return std::unexpected{*no};
        auto applied = co_await real_.apply_to(std::move(target), std::move(object), std::move(options), refusal);
        co_return applied;
    }
    Task<kube::Object> patch(kube::Target target, kube::Patch type, json::value patch, kube::WriteOptions options,
                             kube::Refusal* refusal) override {
        if (auto no = refuses("patch", target, refusal)) co_return std::unexpected{*no};
        auto patched = co_await real_.patch(std::move(target), type, std::move(patch), std::move(options), refusal);
        co_return patched;
    }
    Task<kube::Object> create(kube::Object, kube::WriteOptions, kube::Refusal*) override {
        co_return fail(Errc::invalid_input, "not in this test");
    }
    Task<void> remove(kube::Target target, kube::DeleteOptions options, kube::Refusal* refusal) override {
        if (auto no = refuses("delete", target, refusal)) co_return std::unexpected{*no};
        auto removed = co_await real_.remove(std::move(target), std::move(options), refusal);
        co_return removed;
    }

private:
    std::optional<Error> refuses(std::string const& verb, kube::Target const& target, kube::Refusal* refusal) {
        std::string const what = verb + " " + target.resource.gvk.kind + "/" + target.ns + "/" + target.name;
        asked_.log.push_back(user_ + " " + what);
        bool const no = std::ranges::any_of(
            asked_.refused, [&](std::string const& start) { return asked_.log.back().starts_with(start); });
        if (!no) return std::nullopt;
        kube::Refusal const said{.code = 403, .reason = "Forbidden", .message = user_ + " cannot " + what};
        if (refusal != nullptr) *refusal = said;
        return kube::to_error(said);
    }

    kube::Cluster& real_;
    Asked& asked_;
    std::string user_;
};

/// The port of access::Access over a cluster of a test.
inline access::Access::As acting(kube::Cluster& real, Asked& asked) {
    return [&real, &asked](std::string user) -> std::shared_ptr<kube::Cluster> {
        return std::make_shared<ActingCluster>(real, asked, std::move(user));
    };
}

}  // namespace holdfast::test
