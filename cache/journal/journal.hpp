// cache/journal/journal.hpp: status, inventory and records of every pass, in one transaction each.
#pragma once

#include "cache/db/db.hpp"
#include "cache/outbox/outbox.hpp"
#include "modules/model/journal.hpp"

namespace holdfast::cache {

/// Tables: objects, owned (0002_journal.sql, 0003_owners.sql) and the outbox's. Fills model::Journal.
class Journal final : public model::Journal {
public:
    /// Both must outlive this object; all are used from the db pool only.
    Journal(db::Connection& connection, Outbox& outbox);

    Result<void> save(model::JournalWrite const& write) override;
    Result<void> erase(model::Key const& key, std::vector<model::ComplianceRecord> const& last_records) override;
    Result<void> load(std::function<void(model::JournalEntry)> const& each) override;

private:
    struct Difference;

    Result<Difference> compare(model::JournalWrite const& pass);
    Result<void> write(model::Key const& key, Difference const& difference);
    Result<void> put_records(std::vector<model::ComplianceRecord> const& records,
                             Outbox::Word word = Outbox::Word::change);
    Result<std::vector<model::OwnedObject>> owned_by(model::Key const& key);

    db::Connection& connection_;
    Outbox& outbox_;
    db::Statement ensure_;
    db::Statement set_wish_;
    db::Statement set_status_;
    db::Statement set_facts_;
    db::Statement remove_;
    db::Statement held_;
    db::Statement disown_all_;
    db::Statement disown_;
    db::Statement own_;
    db::Statement objects_;
    db::Statement owned_;
};

}  // namespace holdfast::cache
