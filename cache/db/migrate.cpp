// cache/db/migrate.cpp: brings a database file to the schema this binary knows, forward only.
#include "cache/db/migrate.hpp"

#include <string>

namespace holdfast::cache::db {

namespace {

constexpr std::int64_t kApplicationId = 0x486f6c64;  // "Hold", written into the file's header
constexpr std::int64_t kVersionMax = 10'000;         // above it the number is damage, and not a newer Holdfast

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

Result<bool> is_ours(Connection& connection) {
    Statement select{connection, "PRAGMA application_id"};
    auto id = select.scalar();
    if (!id) return fail(std::move(id), "application id");
    Statement count{connection, "PRAGMA user_version"};
    auto version = count.scalar();
    if (!version) return fail(std::move(version), "schema version");
    return *id == kApplicationId || (*id == 0 && *version == 0);
}

Result<void> migrate(Connection& connection, std::span<Migration const> migrations) {
    Statement select{connection, "PRAGMA user_version"};
    auto version = select.scalar();
    if (!version) return fail(std::move(version), "schema version");
    auto ours = is_ours(connection);
    if (!ours) return fail(std::move(ours), "database");
    if (!*ours) return fail(Errc::invalid_input, "database: the file is an SQLite database of another program");
    if (*version < 0 || *version > kVersionMax)
        return fail(Errc::corrupt, "schema version " + std::to_string(*version));

    auto const known = static_cast<std::int64_t>(migrations.size());
    if (*version > known) {
        return fail(Errc::invalid_input, "the state directory was written by a newer holdfast (schema " +
                                             std::to_string(*version) + ", this one knows " + std::to_string(known) +
                                             "): start that version again, or move the directory away");
    }
    for (auto const& migration : migrations.subspan(static_cast<std::size_t>(*version))) {
        auto applied = apply(connection, migration);
        // What no disk and no other process refused: the file has other tables than its version says.
        if (!applied && applied.error().code == Errc::invalid_input) applied.error().code = Errc::corrupt;
        if (!applied) return fail(std::move(applied), "migration " + std::string{migration.name});
    }
    return {};
}

}  // namespace holdfast::cache::db
