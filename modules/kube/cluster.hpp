// modules/kube/cluster.hpp: what the rest of Holdfast may ask of a Kubernetes API server. Tests fake it.
// Reading order: object.hpp, cluster.hpp, client.hpp, watcher.hpp.
#pragma once

#include "modules/base/async.hpp"
#include "modules/kube/object.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::kube {

/// A kind as the server serves it.
struct Resource {
    GroupVersionKind gvk;
    std::string plural;  // "deployments"
    bool namespaced = false;
    std::vector<std::string> verbs;  // "get", "list", "watch", ...

    bool can(std::string_view verb) const;
};

/// What the server said when it refused: metav1.Status.
struct Refusal {
    unsigned code = 0;    // HTTP status; 0: the server did not answer
    std::string reason;   // "NotFound", "Conflict", "Invalid", "AlreadyExists", "Expired", ...
    std::string message;  // exactly as kubectl and client-go print it
    Object details;       // name, kind, causes, retryAfterSeconds
    std::chrono::seconds retry_after{0};

    bool is(std::string_view wanted) const { return reason == wanted; }
    /// Another value for a field that cannot change, as Flux decides it: delete and create again when forced.
    /// Source  fluxcd/pkg ssa/errors IsImmutableError: any Conflict or Invalid, or a webhook's text
    bool says_immutable() const;
};

/// Where an object lives. `name` empty: the collection.
struct Target {
    Resource resource;
    std::string ns;  // ignored for cluster-scoped kinds
    std::string name;
    std::string subresource = "";  // "status", "scale"
};

struct ReadOptions {
    bool metadata_only = false;  // PartialObjectMetadata: no spec, no status
};

struct ListOptions {
    std::string ns = "";  // "": all namespaces
    std::string label_selector = "";
    std::string field_selector = "";
    bool metadata_only = false;
    std::size_t page_size = 500;
    std::size_t items_max = 0;  // of all pages, a page being one tenth of full at least; 0: the server is trusted
    std::string resource_version = "";  // "0": any version the server's cache holds; "": the newest
};

/// Takes the objects of a list one by one; a failure ends the list with that failure.
using ObjectSink = std::function<Result<void>(Object object)>;

struct WatchOptions {
    std::string ns = "";
    std::string label_selector = "";
    std::string field_selector = "";
    bool metadata_only = false;
    std::string resource_version;              // start after this one
    std::chrono::seconds server_timeout{290};  // the server ends the watch after this: a normal end
    std::chrono::milliseconds silence_max{0};  // nothing for this long, not even a bookmark: timeout; 0: no such bound
};

enum class Event { added, modified, deleted, bookmark };
using EventSink = std::function<Result<void>(Event event, Object object)>;

struct WriteOptions {
    std::string field_manager;
    bool dry_run = false;
    bool force = false;          // apply only: take fields from other managers
    bool metadata_only = false;  // the answer only; saves reading a big object back
};

enum class Patch { merge, json, strategic };

struct DeleteOptions {
    std::string uid = "";                    // precondition
    std::string resource_version = "";       // precondition
    std::string propagation = "Background";  // "Background", "Foreground", "Orphan"
    std::optional<std::int64_t> grace_seconds = std::nullopt;
    bool dry_run = false;
};

/// Every call: In `refusal`, when given, is filled with what the server said if the call fails because of it.
/// Errors  offline, timeout  no answer
///         busy           409, 429, 500, 503, 504 (message: Status.message); 409 means read again, the others retry
///         not_found      404, 410, or a kind the server does not serve. A 404 for the path of a named object and not
///                        for the object says nothing about it (its kind may be served in another version): busy
///         denied         401, 403
///         invalid_input  400, 405, 415, 422, or a name that is no single segment of a path: nothing was sent
///         limit          413, or an answer longer than its bound
class Cluster {
public:
    virtual ~Cluster() = default;

    /// Errors  not_found: `no matches for kind "X" in version "g/v"`
    ///         busy: the server could not say, because the server behind that group is down
    virtual Task<Resource> resource_for(GroupVersionKind gvk) = 0;

    /// The kind in the preferred version when that is served, else in the version that the server prefers, else in any.
    /// For objects that are known by group and kind only: an inventory, a clean-up.
    /// Errors  not_found: the group, or the kind in it, is not served: asked for this call and answered in full
    ///         what kept the server from answering in full (busy, denied, offline, timeout): never not_found
    virtual Task<Resource> any_version_of(std::string group, std::string kind, std::string preferred_version) = 0;

    virtual Task<Object> get(Target target, ReadOptions options = {}, Refusal* refusal = nullptr) = 0;

    /// Lists in pages, one page in memory at a time; starts over when the server lost the continuation (410), so
    /// `begin` is called at the start of each attempt and what came before it does not count.
    /// Out  resourceVersion of the list, to watch from
    virtual Task<std::string> list(Resource resource, ListOptions options, std::function<void()> begin, ObjectSink sink,
                                   Refusal* refusal = nullptr) = 0;

    /// Follows changes until the server ends the watch; then success.
    /// Errors  not_found with refusal reason "Expired" or "Gone": list again. Error events arrive as errors.
    virtual Task<void> watch(Resource resource, WatchOptions options, EventSink sink, Refusal* refusal = nullptr) = 0;

    /// Server-side apply of one whole object; apiVersion, kind, metadata.name and namespace come from it.
    virtual Task<Object> apply(Object object, WriteOptions options, Refusal* refusal = nullptr) = 0;
    virtual Task<Object> apply_to(Target target, Object object, WriteOptions options, Refusal* refusal = nullptr) = 0;

    virtual Task<Object> patch(Target target, Patch type, json::value patch, WriteOptions options,
                               Refusal* refusal = nullptr) = 0;
    virtual Task<Object> create(Object object, WriteOptions options, Refusal* refusal = nullptr) = 0;

    /// Returns when the server accepted the deletion; finalizers may keep the object. not_found when it is gone already.
    virtual Task<void> remove(Target target, DeleteOptions options, Refusal* refusal = nullptr) = 0;
};

/// Which cluster this is, whatever its address: the uid of namespace kube-system, which is made once with the datastore.
/// Errors  as get(); denied when we may not read that namespace
Task<std::string> identity_of(Cluster& cluster);

}  // namespace holdfast::kube
