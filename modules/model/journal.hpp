// modules/model/journal.hpp: the port through which every story makes its outcome durable.
// Filled by cache/journal. Blocking: called on the db pool only (base/on_pool.hpp).
#pragma once

#include "modules/base/error.hpp"
#include "modules/model/inventory.hpp"
#include "modules/model/record.hpp"
#include "modules/model/spec.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::model {

/// One object of an owner's inventory (a Kustomization's, a release's), with what is needed to see drift without asking the API server.
struct OwnedObject {
    InventoryEntry entry;
    std::string uid;
    std::string resource_version;  // after our last apply
    std::uint64_t wished = 0;      // digest of the manifest we applied; 0 while only planned
    std::uint64_t fields = 0;      // digest of the fields the API server says we own
    std::string cluster;           // where it is; "" = the cluster of the daemon itself
};

/// What outlives a restart about one object.
struct JournalEntry {
    Key key;
    std::string wish;    // apiVersion, kind, metadata and spec as they were last seen, JSON
    std::string status;  // .status, JSON
    std::string facts;   // what the story needs to continue, JSON; "" when nothing
    std::vector<OwnedObject> owned;
};

/// Everything one pass changed. Absent parts stay as they are. What is equal to what is held costs no write; of `owned`
/// a resource version that alone is newer is not written either, so after a restart it may be an older one.
struct JournalWrite {
    Key key;
    std::optional<std::string> wish;
    std::optional<std::string> status;
    std::optional<std::string> facts;
    std::optional<std::vector<OwnedObject>> owned;
    std::vector<ComplianceRecord> records;
};

class Journal {
public:
    virtual ~Journal() = default;

    /// All or nothing, durable on return; the records are in the outbox from then on. A full outbox counts the
    /// records it refuses (the status page shows them) and the rest is written.
    /// Errors  limit  the disk is full: nothing was written
    virtual Result<void> save(JournalWrite const& write) = 0;

    /// Forgets an object that is finally gone. Its records stay until Azure has them.
    virtual Result<void> erase(Key const& key, std::vector<ComplianceRecord> const& last_records) = 0;

    /// Everything, once, at start, one after the other: together they may be larger than memory.
    virtual Result<void> load(std::function<void(JournalEntry)> const& each) = 0;
};

}  // namespace holdfast::model
