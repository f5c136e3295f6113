// cache/db/head.hpp: a first page for a database file that has lost its own, and the leaves of its tables; private to cache/db.
#pragma once

#include "modules/base/error.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace holdfast::cache::db {

/// Overwrites page 1 of `file` with one that names the tables of the newest schema that `roots` has a page for.
Result<void> lead_to(std::filesystem::path const& file, std::map<std::string, std::int64_t> const& roots);

/// Page 1 as it is; writing it back undoes lead_to(). "" when it cannot be read.
std::string read_head(std::filesystem::path const& file);
void write_head(std::filesystem::path const& file, std::string const& page);

/// The pages that look like a leaf of one kind, in order.
class Leaves {
public:
    enum class Of { table, index };  // with row ids, or WITHOUT ROWID

    /// Reads the list of free pages from page 1 on.
    static Result<Leaves> open(std::filesystem::path const& file, Of of);
    Leaves(Leaves&& other) noexcept
        : fd_{std::exchange(other.fd_, -1)}, type_{other.type_}, page_{other.page_}, free_{std::move(other.free_)} {}
    Leaves& operator=(Leaves&&) = delete;
    ~Leaves();

    /// Nothing after the last.
    std::optional<std::int64_t> next();
    bool is_free(std::int64_t page) const { return free_.contains(page); }

private:
    Leaves(int fd, unsigned char type) : fd_{fd}, type_{type} {}
    void read_free();

    int fd_;
    unsigned char type_;
    std::int64_t page_ = 1;
    std::set<std::int64_t> free_;
};

}  // namespace holdfast::cache::db
