// tests/unit/cache/outbox/opened.hpp: a queue as the daemon opens it.
#pragma once

#include "cache/db/migrate.hpp"
#include "cache/outbox/outbox.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <optional>
#include <utility>

namespace holdfast::cache {

inline model::WallTime a_time() { return model::parse_time("2026-08-22T10:00:00Z").value(); }

struct Opened {
    explicit Opened(std::filesystem::path const& file, OutboxLimits limits = {})
        : connection(std::move(db::Connection::open(file).value())) {
        REQUIRE(db::migrate(connection));
        outbox.emplace(connection, limits, a_time);
        REQUIRE(outbox->open());
    }
    db::Connection connection;
    std::optional<Outbox> outbox;
};

}  // namespace holdfast::cache
