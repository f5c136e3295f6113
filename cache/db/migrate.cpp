// cache/db/migrate.cpp: brings a database file to the schema this binary knows, forward only.
#include "cache/db/migrate.hpp"

#include <string>

namespace holdfast::cache::db {

namespace {

constexpr std::int64_t kApplicationId = 0x486f6c64;  // "Hold", written into the file's header

Result<void> recognize(Connection& connection, std::int64_t version) {
    Statement select{connection, "PRAGMA application_id"};
    auto id = select.scalar();
    if (!id) return fail(std::move(id), "application id");
    if (*id == kApplicationId || (*id == 0 && version == 0)) return {};
    return fail(Errc::invalid_input, "the file is an SQLite database of another program");
}

Result<void> apply(Connection& connection, Migration const& migration) {
    auto transaction = Transaction::begin(connection);
    if (!transaction) return fail(std::move(transaction));
    auto changed = connection.execute(std::string{migration.sql});
    if (!changed) return fail(std::move(changed));
    auto counted = connection.execute("PRAGMA application_id=" + std::to_string(kApplicationId) +
                                      ";PRAGMA user_version=" + std::to_string(migration.number));
    if (!counted) return fail(std::move(counted));
    return transaction->commit();
}

}  // namespace

Result<void> migrate(Connection& connection, std::span<Migration const> migrations) {
    Statement select{connection, "PRAGMA user_version"};
    auto version = select.scalar();
    if (!version) return fail(std::move(version), "schema version");
    auto ours = recognize(connection, *version);
    if (!ours) return fail(std::move(ours), "database");

    auto const known = static_cast<std::int64_t>(migrations.size());
    if (*version > known) {
        return fail(Errc::invalid_input, "the state directory was written by a newer holdfast (schema " +
                                             std::to_string(*version) + ", this one knows " + std::to_string(known) +
                                             "): start that version again, or move the directory away");
    }
    for (auto const& migration : migrations.subspan(static_cast<std::size_t>(*version))) {
        auto applied = apply(connection, migration);
        if (!applied) return fail(std::move(applied), "migration " + std::string{migration.name});
    }
    return {};
}

}  // namespace holdfast::cache::db
