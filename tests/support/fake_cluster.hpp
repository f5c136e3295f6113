// tests/support/fake_cluster.hpp: a kube::Cluster in memory for unit tests: server-side apply, deletion, refusals on demand.
// It knows no defaults and no validation; what needs those is tested on the real API server.
#pragma once

#include "modules/kube/cluster.hpp"
#include "modules/kube/refusal.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
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
    std::vector<kube::Object> events;
    std::vector<std::string> log;  // "dry-run ConfigMap/a/b", "apply …", "delete …"
    std::function<std::optional<kube::Refusal>(kube::Object const&)> refuse;  // asked for every apply
    std::function<bool(kube::Object const&)> lose;  // the write is made, its answer never arrives
    std::function<std::optional<kube::Refusal>(kube::Target const&, json::value const&)> refuse_patch;
    std::function<std::optional<kube::Refusal>(kube::Object const&)> refuse_create;
    std::optional<Error> get_fails;        // what every look says instead of an answer
    std::optional<Error> discovery_fails;  // what discovery says instead of an answer
    std::size_t kinds_asked = 0;           // how often it was asked for a kind in any version

    /// From the first call on only what was declared is served. Of a group the server prefers the version declared first.
    void serve(kube::GroupVersionKind gvk, bool namespaced = true) {
        kinds_.push_back({.gvk = std::move(gvk), .plural = "things", .namespaced = namespaced, .verbs = {"get"}});
        permissive_ = false;
    }
    /// The version is not served any more, or with an empty version: the kind.
    void stop_serving(kube::GroupVersionKind const& gvk) {
        std::erase_if(kinds_, [&gvk](kube::Resource const& kind) {
            return kind.gvk.group == gvk.group && kind.gvk.kind == gvk.kind &&
                   (gvk.version.empty() || kind.gvk.version == gvk.version);
        });
        permissive_ = false;
    }

    Task<kube::Resource> resource_for(kube::GroupVersionKind gvk) override {
        if (discovery_fails) co_return std::unexpected{*discovery_fails};
        if (permissive_) co_return anything(std::move(gvk));
        auto const found = std::ranges::find(kinds_, gvk, &kube::Resource::gvk);
        if (found == kinds_.end())
            co_return fail(Errc::not_found,
                           "no matches for kind \"" + gvk.kind + "\" in version \"" + gvk.api_version() + "\"");
        co_return kube::Resource{*found};
    }

    Task<kube::Resource> any_version_of(std::string group, std::string kind, std::string preferred) override {
        ++kinds_asked;
        if (discovery_fails) co_return std::unexpected{*discovery_fails};
        if (permissive_) co_return anything({group, preferred.empty() ? "v1" : preferred, kind});
        kube::Resource const* found = nullptr;
        for (auto const& served : kinds_) {
            if (served.gvk.group != group || served.gvk.kind != kind) continue;
            if (found == nullptr || served.gvk.version == preferred) found = &served;
        }
        if (found == nullptr)
            co_return fail(Errc::not_found, "no matches for kind \"" + kind + "\" in group \"" + group + "\"");
        co_return kube::Resource{*found};
    }

    Task<kube::Object> get(kube::Target target, kube::ReadOptions, kube::Refusal*) override {
        if (get_fails) co_return std::unexpected{*get_fails};
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
        json::array managers;
        if (!is_new) {
            // What others wrote stays: labels, annotations, and their entries of managedFields.
            for (std::string_view const map : {"labels", "annotations"}) {
                if (auto const* there = kube::find_object(before->second, {"metadata", map})) {
                    json::object merged = *there;
                    if (auto const* wished = kube::find_object(object, {"metadata", map})) {
                        for (auto const& member : *wished) merged[member.key()] = member.value();
                    }
                    metadata[map] = std::move(merged);
                }
            }
            if (auto const* there = kube::find_array(before->second, {"metadata", "managedFields"})) {
                for (json::value const& one : *there) {
                    bool const ours = kube::find_string(one.as_object(), {"manager"}) == options.field_manager &&
                                      kube::find_string(one.as_object(), {"operation"}) == "Apply";
                    if (!ours) managers.push_back(one);
                }
            }
        }
        managers.push_back(json::object{{"manager", options.field_manager},
                                        {"operation", "Apply"},
                                        {"fieldsV1", json::object{{"f:data", json::object{}}}}});
        metadata["uid"] = is_new ? "uid-" + std::to_string(++versions_) : std::string{kube::uid_of(before->second)};
        // A dry run of a create answers without a version.
        if (!is_new || !options.dry_run) metadata["resourceVersion"] = std::to_string(++versions_);
        metadata["generation"] = is_new ? 1 : kube::generation_of(before->second) + 1;
        metadata["managedFields"] = std::move(managers);
        if (!options.dry_run) objects[id.text()] = object;
        if (!options.dry_run && lose && lose(object)) co_return fail(Errc::timeout, "no answer in 30 s");
        co_return object;
    }

    /// A merge patch as the server makes it of a kind with a status subresource: the main path keeps the status, the
    /// status path keeps everything else; metadata.uid and metadata.resourceVersion are preconditions; an object that is
    /// being deleted goes with its last finalizer.
    Task<kube::Object> patch(kube::Target target, kube::Patch type, json::value patch, kube::WriteOptions options,
                             kube::Refusal* refusal) override {
        if (type == kube::Patch::json && patch.is_array()) {
            auto edited = edit(target, patch.get_array(), refusal);
            co_return edited;
        }
        if (type != kube::Patch::merge || !patch.is_object())
            co_return refused({.code = 415, .reason = "UnsupportedMediaType", .message = "only merge patches"},
                              refusal);
        if (refuse_patch) {
            if (auto const no = refuse_patch(target, patch)) co_return refused(*no, refusal);
        }
        auto const found = objects.find(id_of(target));
        if (found == objects.end()) co_return refused(not_there(target), refusal);
        auto const id = *kube::parse_object_id(found->first);
        bool const of_status = target.subresource == "status";
        kube::Object merged = found->second;
        kube::Object const& wanted = patch.get_object();
        for (auto const* field : {"uid", "resourceVersion"}) {
            auto const expected = kube::find_string(wanted, {"metadata", field});
            if (!expected.empty() && expected != kube::find_string(merged, {"metadata", field}))
                co_return refused({.code = 409, .reason = "Conflict", .message = "the object has been modified"},
                                  refusal);
        }
        kube::Object counted;  // the part of the patch that this path takes
        for (auto const& [key, value] : wanted) {
            if ((key == "status") == of_status) counted[key] = value;
        }
        merge(merged, counted);
        log.push_back((options.dry_run ? "dry-run patch " : of_status ? "patch status " : "patch ") + id.display());
        if (merged == found->second) co_return merged;
        json::object& metadata = merged["metadata"].as_object();
        if (!of_status && kube::find(merged, {"spec"}) != nullptr && merged["spec"] != found->second["spec"])
            metadata["generation"] = kube::generation_of(merged) + 1;
        metadata["resourceVersion"] = std::to_string(++versions_);
        if (options.dry_run) co_return merged;
        if (kube::is_being_deleted(merged) && !has_finalizers(merged)) {
            objects.erase(found);
        } else {
            found->second = merged;
        }
        co_return merged;
    }
    /// Events are kept apart; of others only a dry run: would it be taken, were it not there?
    Task<kube::Object> create(kube::Object object, kube::WriteOptions options, kube::Refusal* refusal) override {
        auto const id = *kube::id_of(object);
        if (!options.dry_run) {
            events.push_back(object);
            co_return object;
        }
        log.push_back("dry-run create " + id.display());
        if (refuse_create) {
            if (auto const no = refuse_create(object)) co_return refused(*no, refusal);
        }
        if (objects.contains(id.text()))
            co_return refused({.code = 409, .reason = "AlreadyExists", .message = "already exists"}, refusal);
        co_return object;
    }
    Task<void> remove(kube::Target target, kube::DeleteOptions options, kube::Refusal*) override {
        auto const found = objects.find(id_of(target));
        if (found == objects.end()) co_return fail(Errc::not_found, "not found");
        if (!options.uid.empty() && options.uid != kube::uid_of(found->second))
            co_return fail(Errc::busy, "another object");
        log.push_back("delete " + kube::parse_object_id(found->first)->display());
        if (has_finalizers(found->second)) {
            found->second["metadata"].as_object()["deletionTimestamp"] = "2025-06-15T15:06:40Z";
        } else {
            objects.erase(found);
        }
        co_return Result<void>{};
    }

private:
    static kube::Resource anything(kube::GroupVersionKind gvk) {
        bool const cluster_wide =
            gvk.kind == "Namespace" || gvk.kind == "ClusterRole" || gvk.kind == "CustomResourceDefinition";
        return {.gvk = std::move(gvk), .plural = "things", .namespaced = !cluster_wide, .verbs = {"get"}};
    }
    static std::unexpected<Error> refused(kube::Refusal const& no, kube::Refusal* told) {
        if (told != nullptr) *told = no;
        return std::unexpected{kube::to_error(no)};
    }
    static kube::Refusal not_there(kube::Target const& target) {
        return {.code = 404, .reason = "NotFound", .message = "things \"" + target.name + "\" not found"};
    }
    static bool has_finalizers(kube::Object const& object) {
        auto const* const finalizers = kube::find_array(object, {"metadata", "finalizers"});
        return finalizers != nullptr && !finalizers->empty();
    }
    /// remove and replace of members, which is what a cleanup needs; of metadata.resourceVersion a precondition.
    Result<kube::Object> edit(kube::Target const& target, json::array const& operations, kube::Refusal* refusal) {
        auto const found = objects.find(id_of(target));
        if (found == objects.end()) return refused(not_there(target), refusal);
        log.push_back("json-patch " + kube::parse_object_id(found->first)->display());
        kube::Object edited = found->second;
        for (json::value const& one : operations) {
            std::string const path{kube::find_string(one.as_object(), {"path"})};
            if (path == "/metadata/resourceVersion") {
                if (kube::find_string(one.as_object(), {"value"}) == kube::resource_version_of(found->second)) continue;
                return refused({.code = 409, .reason = "Conflict", .message = "the object has been modified"}, refusal);
            }
            json::object* at = &edited;
            std::string rest = path.substr(1);
            for (auto slash = rest.find('/'); slash != std::string::npos; slash = rest.find('/')) {
                at = &(*at)[rest.substr(0, slash)].as_object();
                rest = rest.substr(slash + 1);
            }
            for (auto escape = rest.find("~1"); escape != std::string::npos; escape = rest.find("~1")) {
                rest.replace(escape, 2, "/");
            }
            if (kube::find_string(one.as_object(), {"op"}) == "remove") at->erase(rest);
            else (*at)[rest] = one.as_object().at("value");
        }
        edited["metadata"].as_object()["resourceVersion"] = std::to_string(++versions_);
        found->second = edited;
        return edited;
    }
    /// Source  RFC 7396
    static void merge(json::object& into, json::object const& patch) {
        for (auto const& [key, value] : patch) {
            if (value.is_null()) {
                into.erase(key);
            } else if (value.is_object()) {
                auto& inner = into[key];
                if (!inner.is_object()) inner.emplace_object();
                merge(inner.get_object(), value.get_object());
            } else {
                into[key] = value;
            }
        }
    }
    static std::string id_of(kube::Target const& target) {
        return kube::ObjectId{target.ns, target.name, target.resource.gvk.group, target.resource.gvk.kind}.text();
    }
    std::vector<kube::Resource> kinds_;  // declared; each group's preferred version first
    bool permissive_ = true;             // every kind in every version
    int versions_ = 0;
};

}  // namespace holdfast::test
