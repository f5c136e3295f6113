// tests/support/fake_cluster.hpp: a kube::Cluster in memory for unit tests: server-side apply, deletion, refusals on demand.
// It knows no defaults and no validation; what needs those is tested on the real API server.
#pragma once

#include "modules/kube/cluster.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace holdfast::test {

namespace json = boost::json;

/// Runs one coroutine to its end and returns what it returned.
template <class T> Result<T> run_task(Task<T> task) {
    asio::io_context io{1};
    std::optional<Result<T>> result;
    auto keep = [](Task<T> work, std::optional<Result<T>>& slot) -> asio::awaitable<void> {
        auto value = co_await std::move(work);
        slot.emplace(std::move(value));
    };
    asio::co_spawn(io, keep(std::move(task), result), [](std::exception_ptr error) {
        if (error) std::rethrow_exception(error);
    });
    io.run();
    return std::move(result.value());
}

class FakeCluster : public kube::Cluster {
public:
    std::map<std::string, kube::Object> objects;  // by id text
    std::vector<std::string> log;                 // "dry-run ConfigMap/a/b", "apply …", "delete …"
    std::function<std::optional<kube::Refusal>(kube::Object const&)> refuse;  // asked for every apply
    std::function<bool(kube::Object const&)> lose;  // the write is made, its answer never arrives

    Task<kube::Resource> resource_for(kube::GroupVersionKind gvk) override {
        bool const cluster_wide =
            gvk.kind == "Namespace" || gvk.kind == "ClusterRole" || gvk.kind == "CustomResourceDefinition";
        kube::Resource resource{
            .gvk = std::move(gvk), .plural = "things", .namespaced = !cluster_wide, .verbs = {"get"}};
        co_return resource;
    }

    Task<kube::Object> get(kube::Target target, kube::ReadOptions, kube::Refusal*) override {
        auto const found = objects.find(id_of(target));
        if (found == objects.end()) co_return fail(Errc::not_found, "not found");
        co_return kube::Object{found->second};
    }

    Task<std::string> list(kube::Resource, kube::ListOptions, std::function<void()>, kube::ObjectSink,
                           kube::Refusal*) override {
        co_return fail(Errc::offline, "not in this test");
    }
    Task<void> watch(kube::Resource, kube::WatchOptions, kube::EventSink, kube::Refusal*) override {
        co_return fail(Errc::offline, "not in this test");
    }

    Task<kube::Object> apply(kube::Object object, kube::WriteOptions options, kube::Refusal* refusal) override {
        kube::Target target;
        target.resource.gvk = *kube::kind_of(object);
        target.ns = kube::namespace_of(object);
        target.name = kube::name_of(object);
        return apply_to(std::move(target), std::move(object), std::move(options), refusal);
    }

    Task<kube::Object> apply_to(kube::Target target, kube::Object object, kube::WriteOptions options,
                                kube::Refusal* refusal) override {
        auto const id = *kube::id_of(object);
        log.push_back((options.dry_run ? "dry-run " : "apply ") + id.display());
        if (refuse) {
            if (auto refused = refuse(object)) {
                if (refusal != nullptr) *refusal = *refused;
                co_return fail(Errc::invalid_input, refused->message);
            }
        }
        auto const before = objects.find(id.text());
        json::object& metadata = object["metadata"].as_object();
        bool const is_new = before == objects.end();
        metadata["uid"] = is_new ? "uid-" + std::to_string(++versions_) : std::string{kube::uid_of(before->second)};
        metadata["resourceVersion"] = std::to_string(++versions_);
        metadata["generation"] = is_new ? 1 : kube::generation_of(before->second) + 1;
        metadata["managedFields"] = json::array{json::object{{"manager", options.field_manager},
                                                             {"operation", "Apply"},
                                                             {"fieldsV1", json::object{{"f:data", json::object{}}}}}};
        if (!options.dry_run) objects[id.text()] = object;
        if (!options.dry_run && lose && lose(object)) co_return fail(Errc::timeout, "no answer in 30 s");
        co_return object;
    }

    Task<kube::Object> patch(kube::Target, kube::Patch, json::value, kube::WriteOptions, kube::Refusal*) override {
        co_return fail(Errc::offline, "not in this test");
    }
    Task<kube::Object> create(kube::Object, kube::WriteOptions, kube::Refusal*) override {
        co_return fail(Errc::offline, "not in this test");
    }
    Task<kube::Object> replace(kube::Target, kube::Object, kube::WriteOptions, kube::Refusal*) override {
        co_return fail(Errc::offline, "not in this test");
    }

    Task<void> remove(kube::Target target, kube::DeleteOptions options, kube::Refusal*) override {
        auto const found = objects.find(id_of(target));
        if (found == objects.end()) co_return fail(Errc::not_found, "not found");
        if (!options.uid.empty() && options.uid != kube::uid_of(found->second))
            co_return fail(Errc::busy, "another object");
        log.push_back("delete " + kube::parse_object_id(found->first)->display());
        objects.erase(found);
        co_return Result<void>{};
    }

    Task<std::string> raw(std::string) override { co_return std::string{}; }

private:
    static std::string id_of(kube::Target const& target) {
        return kube::ObjectId{target.ns, target.name, target.resource.gvk.group, target.resource.gvk.kind}.text();
    }
    int versions_ = 0;
};

}  // namespace holdfast::test
