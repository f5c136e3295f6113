// modules/helm/system_ports.hpp: what a render asks of the world, answered by the machine: the ports of a command, and of a
// worker but for the zone files, which a process without files cannot read.
#pragma once

#include "modules/text/gotemplate/ports.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>

namespace holdfast::helm {

/// The kernel's randomness.
class SystemRandom final : public gotemplate::Random {
public:
    void fill(std::span<std::byte> out) override;

private:
    std::byte pool_[256];  // random characters are asked for one by one
    std::size_t left_ = 0;
};

/// The same bytes for the same seed, for renders that are compared; nothing secret comes of it.
class SeededRandom final : public gotemplate::Random {
public:
    explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
    void fill(std::span<std::byte> out) override;

private:
    std::mt19937_64 engine_;
};

/// The wall clock, or one second for ever.
class SystemClock final : public gotemplate::Clock {
public:
    explicit SystemClock(std::optional<std::int64_t> fixed_seconds = std::nullopt) : fixed_(fixed_seconds) {}
    std::chrono::system_clock::time_point now() override;

private:
    std::optional<std::int64_t> fixed_;
};

/// Time zones from the system's files; only plain names below their folder.
class ZoneFiles final : public gotemplate::TimeZones {
public:
    std::optional<std::string_view> find(std::string_view name) override;

private:
    std::map<std::string, std::string, std::less<>> cache_;
};

}  // namespace holdfast::helm
