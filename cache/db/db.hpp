// cache/db/db.hpp: SQLite behind RAII; the only header through which the rest of cache/ sees it.
// Reading order: Connection, Statement, Rows, Transaction; migrate.hpp brings a file to the newest schema.
#pragma once

#include "modules/base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

struct sqlite3;
struct sqlite3_stmt;

namespace holdfast::cache::db {

struct Options {
    std::int64_t cache_kib_max = 1'024;  // pages held in memory
    std::int64_t file_bytes_max = 0;     // 0 = no bound; past it every write fails with limit
    bool check_on_open = true;           // quick_check: reads the whole file once, about 1 ms per MB
};

/// One open database file. Movable; every Statement on it must be gone before it is.
class Connection {
public:
    /// Opens or creates `file`: WAL, EXCLUSIVE locking, synchronous FULL, foreign keys on, mode 0600.
    ///
    /// Errors  busy     another process holds it (one daemon per state directory)
    ///         corrupt  not a database, or the quick check found damage: move the file away
    ///         denied   no permission, or a read-only file system
    ///         limit    the disk is full
    static Result<Connection> open(std::filesystem::path const& file, Options options = {});

    /// Runs constant statements without parameters or results, separated by `;`.
    Result<void> execute(std::string const& sql);

    /// Full integrity check and foreign key check; corrupt names the first finding.
    Result<void> check();

    std::int64_t last_insert_id() const;
    std::int64_t changes() const;
    sqlite3* handle() const { return handle_.get(); }
    std::filesystem::path file() const;

    /// From now on a write that would make the file larger fails with limit; 0 = no bound. What is larger already stays.
    Result<void> bound(std::int64_t file_bytes_max);

private:
    struct Close {
        void operator()(sqlite3* handle) const;
    };
    explicit Connection(sqlite3* handle) : handle_{handle} {}

    std::unique_ptr<sqlite3, Close> handle_;
};

/// Bytes bound as BLOB; a bare string is bound as TEXT.
struct Blob {
    std::string_view bytes;
};

/// The rows of one run. Resets the statement at the end of its scope: no read lock stays open.
class Rows {
public:
    Rows(Rows const&) = delete;
    Rows& operator=(Rows const&) = delete;
    ~Rows();

    /// False after the last row. Columns below are those of the row it found.
    Result<bool> next();

    std::int64_t integer(int column) const;
    double real(int column) const;
    std::string text(int column) const;  // TEXT or BLOB, zero bytes kept
    bool is_null(int column) const;
    std::optional<std::string> text_or_null(int column) const;
    std::optional<std::int64_t> integer_or_null(int column) const;

private:
    friend class Statement;
    Rows(sqlite3_stmt* statement, std::optional<Error> failed) : statement_{statement}, failed_{std::move(failed)} {}

    sqlite3_stmt* statement_;
    std::optional<Error> failed_;  // preparing or binding failed: the first next() says so
};

/// One constant SQL statement, prepared at first use and kept.
/// Wrong SQL or a wrong number of arguments is a wrong program and stops it.
class Statement {
public:
    /// `sql` has static storage; `connection` outlives this object.
    Statement(Connection& connection, std::string_view sql) : handle_{connection.handle()}, sql_{sql} {}

    /// Binds ?1, ?2, ... and runs to the end.
    /// Errors  limit (disk or file_bytes_max full), busy, corrupt, denied; invalid_input: a constraint refused it
    template <class... Arguments> Result<void> run(Arguments const&... arguments) {
        Rows result = rows(arguments...);
        return finish(result);
    }

    /// Binds ?1, ?2, ...; the rows come from Rows::next().
    template <class... Arguments> [[nodiscard]] Rows rows(Arguments const&... arguments) {
        std::optional<Error> failed = start(sizeof...(arguments));
        int index = 0;
        ((failed || (failed = bind(++index, arguments))), ...);
        return Rows{statement_.get(), std::move(failed)};
    }

    /// The first column of the first row; not_found when there is no row.
    template <class... Arguments> Result<std::int64_t> scalar(Arguments const&... arguments) {
        Rows result = rows(arguments...);
        return first_integer(result);
    }

private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };

    std::optional<Error> start(std::size_t arguments);
    static Result<void> finish(Rows& rows);
    static Result<std::int64_t> first_integer(Rows& rows);

    std::optional<Error> bind_integer(int index, std::int64_t value);
    std::optional<Error> bind_real(int index, double value);
    std::optional<Error> bind_text(int index, std::string_view value);
    std::optional<Error> bind_blob(int index, std::string_view value);
    std::optional<Error> bind_null(int index);

    std::optional<Error> bind(int index, std::string_view value) { return bind_text(index, value); }
    std::optional<Error> bind(int index, Blob value) { return bind_blob(index, value.bytes); }
    std::optional<Error> bind(int index, std::nullptr_t) { return bind_null(index); }
    template <class Number>
        requires std::is_integral_v<Number>
    std::optional<Error> bind(int index, Number value) {
        return bind_integer(index, static_cast<std::int64_t>(value));
    }
    std::optional<Error> bind(int index, double value) { return bind_real(index, value); }
    template <class Value> std::optional<Error> bind(int index, std::optional<Value> const& value) {
        return value ? bind(index, *value) : bind_null(index);
    }

    sqlite3* handle_;
    std::string_view sql_;
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// Everything between begin() and commit() or nothing. Rolls back at the end of its scope unless committed.
/// Transactions do not nest.
class Transaction {
public:
    static Result<Transaction> begin(Connection& connection);

    /// Durable when it returns success (synchronous FULL). After an error nothing of it is kept.
    Result<void> commit();

    Transaction(Transaction&& other) noexcept : connection_{std::exchange(other.connection_, nullptr)} {}
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();

private:
    explicit Transaction(Connection& connection) : connection_{&connection} {}

    Connection* connection_;  // null once committed or moved from
};

}  // namespace holdfast::cache::db
