// cache/db/statement.cpp: preparing, binding, stepping, and transactions.
#include "cache/db/db.hpp"

#include "cache/db/error.hpp"
#include "modules/base/assert.hpp"

#include <sqlite3.h>

namespace holdfast::cache::db {

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

std::optional<Error> Statement::start(std::size_t arguments) {
    if (!statement_) {
        sqlite3_stmt* prepared = nullptr;
        int const code = sqlite3_prepare_v3(handle_, sql_.data(), static_cast<int>(sql_.size()),
                                            SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
        statement_.reset(prepared);
        if ((code & 0xff) == SQLITE_ERROR) assertion_failed(sqlite3_errmsg(handle_), __FILE__, __LINE__);
        if (code != SQLITE_OK) return error_of(handle_, code);
    }
    HOLDFAST_ASSERT(!sqlite3_stmt_busy(statement_.get()));  // its last Rows is still alive
    HOLDFAST_ASSERT(sqlite3_bind_parameter_count(statement_.get()) == static_cast<int>(arguments));
    return std::nullopt;
}

namespace {

std::optional<Error> bound(sqlite3* handle, int code) {
    if (code == SQLITE_OK) return std::nullopt;
    return error_of(handle, code);
}

}  // namespace

std::optional<Error> Statement::bind_integer(int index, std::int64_t value) {
    return bound(handle_, sqlite3_bind_int64(statement_.get(), index, value));
}

std::optional<Error> Statement::bind_real(int index, double value) {
    return bound(handle_, sqlite3_bind_double(statement_.get(), index, value));
}

std::optional<Error> Statement::bind_text(int index, std::string_view value) {
    // A null pointer would bind NULL: an empty view is an empty text.
    char const* data = value.data() != nullptr ? value.data() : "";
    return bound(handle_,
                 sqlite3_bind_text64(statement_.get(), index, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

std::optional<Error> Statement::bind_blob(int index, std::string_view value) {
    char const* data = value.data() != nullptr ? value.data() : "";
    return bound(handle_, sqlite3_bind_blob64(statement_.get(), index, data, value.size(), SQLITE_TRANSIENT));
}

std::optional<Error> Statement::bind_null(int index) {
    return bound(handle_, sqlite3_bind_null(statement_.get(), index));
}

Result<void> Statement::finish(Rows& rows) {
    for (;;) {
        auto more = rows.next();
        if (!more) return fail(std::move(more));
        if (!*more) return {};
    }
}

Result<std::int64_t> Statement::first_integer(Rows& rows) {
    auto found = rows.next();
    if (!found) return fail(std::move(found));
    if (!*found) return fail(Errc::not_found, "no row");
    return rows.integer(0);
}

Rows::~Rows() {
    if (statement_ == nullptr) return;
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

Result<bool> Rows::next() {
    if (failed_) return std::unexpected{*failed_};
    int const code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    failed_ = error_of(sqlite3_db_handle(statement_), code);
    return std::unexpected{*failed_};
}

std::int64_t Rows::integer(int column) const { return sqlite3_column_int64(statement_, column); }

double Rows::real(int column) const { return sqlite3_column_double(statement_, column); }

std::string Rows::text(int column) const {
    auto const* bytes = static_cast<char const*>(sqlite3_column_blob(statement_, column));
    if (bytes == nullptr) return {};
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Rows::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

std::optional<std::string> Rows::text_or_null(int column) const {
    if (is_null(column)) return std::nullopt;
    return text(column);
}

std::optional<std::int64_t> Rows::integer_or_null(int column) const {
    if (is_null(column)) return std::nullopt;
    return integer(column);
}

Result<Transaction> Transaction::begin(Connection& connection) {
    HOLDFAST_ASSERT(sqlite3_get_autocommit(connection.handle()) != 0);  // they do not nest
    auto begun = connection.execute("BEGIN IMMEDIATE");
    if (!begun) return fail(std::move(begun), "begin");
    return Transaction{connection};
}

Result<void> Transaction::commit() {
    HOLDFAST_ASSERT(connection_ != nullptr);
    auto committed = connection_->execute("COMMIT");
    if (!committed) return fail(std::move(committed), "commit");  // the destructor rolls back
    connection_ = nullptr;
    return {};
}

Transaction::~Transaction() {
    // A full disk may have rolled back by itself already.
    if (connection_ == nullptr || sqlite3_get_autocommit(connection_->handle()) != 0) return;
    auto rolled_back = connection_->execute("ROLLBACK");
    HOLDFAST_ASSERT(rolled_back || sqlite3_get_autocommit(connection_->handle()) != 0);
}

}  // namespace holdfast::cache::db
