// modules/intake/intake.hpp: wishes enter here, from the cluster's watches and from a directory of manifests.
#pragma once

#include "modules/base/clock.hpp"
#include "modules/base/log.hpp"
#include "modules/base/task_group.hpp"
#include "modules/kube/watcher.hpp"
#include "modules/model/journal.hpp"
#include "modules/model/registry.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace holdfast::intake {

/// The wish of an object as it is kept: apiVersion, kind, name, namespace, spec. Its digest is the spec's identity.
/// A login in one of its URLs is a digest of it: the journal holds none, and what is restored from there waits for its feed.
std::string wish_text(boost::json::object const& object, model::Origin origin);

/// Puts what the journal knows into the registry, before anything else speaks.
/// Errors  corrupt  a row that cannot be read; limit  its namespace has too many: the others are still put
Result<void> restore(model::Registry& registry, model::JournalEntry const& entry);

/// Follows the objects of every kind of ours in the whole cluster.
/// An object that is not in a complete list has vanished; what that means is for its story to say.
class ClusterIntake {
public:
    struct Listeners {
        std::function<void(model::Entry const&)>
            adopted;  // unknown to the journal, with a status: Flux applied it before us
        std::function<void(model::Kind)>
            listed;  // the first complete list of this kind is in the registry: what the journal knows of it is confirmed
        std::function<void(model::Kind)> unseen;  // the kind is not served, or we may not read it
        std::function<void(model::Entry const&, model::Status const& shown)>
            copy_differs;  // .status in the cluster is not what is known
    };
    /// An object whose labels do not match `label_selector` is as if it were not there; "" matches all.
    ClusterIntake(asio::any_io_executor executor, kube::Cluster& cluster, model::Registry& registry, Log const& log,
                  std::string const& label_selector, Listeners listeners);
    ~ClusterIntake();

    void start();
    asio::awaitable<void> stop();

    struct WatchState {
        model::Kind kind;
        kube::Watcher::State state;
    };
    std::vector<WatchState> states() const;

private:
    class KindFeed;
    asio::awaitable<void> ask_again();

    TaskGroup group_;
    kube::Cluster& cluster_;
    std::vector<std::unique_ptr<KindFeed>> feeds_;  // by the kind's number
    Log const& log_;
};

/// Reads `directory`/*.yaml and *.yml; looks again when a file changes. A wish whose document is gone from a directory
/// that was read without any error is taken back; one unreadable file keeps everything as it is.
class LocalIntake {
public:
    LocalIntake(std::filesystem::path directory, model::Registry& registry, Log const& log);

    /// Looks once. Out: true when anything changed.
    bool look();

    /// Looks for ever, every two seconds at the stamps of the files.
    asio::awaitable<void> run();

    std::vector<std::string> const& problems() const { return problems_; }

private:
    std::string stamps() const;
    bool finds_room() const;
    void read_file(std::filesystem::path const& file, std::set<model::Key>& seen);

    std::filesystem::path directory_;
    model::Registry& registry_;
    Log const& log_;
    std::string stamps_;
    std::set<model::Key> ours_;
    std::vector<std::string> problems_;  // "apps.yaml:12: …"
};

}  // namespace holdfast::intake
