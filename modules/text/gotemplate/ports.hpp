// modules/text/gotemplate/ports.hpp: what templates may ask of the world, handed in by the caller.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace holdfast::gotemplate {

/// Randomness for uuidv4, rand*, shuffle and key generation. A seeded one makes a render repeatable.
class Random {
public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::byte> out) = 0;
};

class Clock {
public:
    virtual ~Clock() = default;
    virtual std::chrono::system_clock::time_point now() = 0;
};

/// Names of time zones -> TZif bytes (RFC 8536). Nothing: the zone is unknown.
class TimeZones {
public:
    virtual ~TimeZones() = default;
    virtual std::optional<std::string_view> find(std::string_view name) = 0;
};

/// None may be null while a template that uses it runs; a missing zone table means UTC and "Local" only.
struct Ports {
    Random* random = nullptr;
    Clock* clock = nullptr;
    TimeZones* zones = nullptr;
};

}  // namespace holdfast::gotemplate
