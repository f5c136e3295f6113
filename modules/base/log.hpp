// modules/base/log.hpp: one line per event, as JSON for machines or text for people, with a level per area.
#pragma once

#include "modules/base/clock.hpp"

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast {

enum class LogLevel { debug, info, warning, error };

std::optional<LogLevel> read_log_level(std::string_view word);

/// Thread-safe: each line is one write(2), and holds no control character, no broken UTF-8 and no login of a URL whatever was
/// passed. Other values that may hold secrets are the caller's duty not to pass.
class Log {
public:
    struct Settings {
        LogLevel level = LogLevel::info;
        std::map<std::string, LogLevel, std::less<>> areas;  // wins over `level`
        bool json = true;
        int fd = 2;
    };
    using Field = std::pair<std::string_view, std::string_view>;

    Log(Settings settings, Clock const& clock) : settings_(std::move(settings)), clock_(clock) {}

    bool wants(LogLevel level, std::string_view area) const;

    /// `area` is the folder that speaks: "source", "reconcile", "uplink".
    void write(LogLevel level, std::string_view area, std::string_view message,
               std::initializer_list<Field> fields = {}) const;

    void debug(std::string_view area, std::string_view message, std::initializer_list<Field> fields = {}) const {
        write(LogLevel::debug, area, message, fields);
    }
    void info(std::string_view area, std::string_view message, std::initializer_list<Field> fields = {}) const {
        write(LogLevel::info, area, message, fields);
    }
    void warning(std::string_view area, std::string_view message, std::initializer_list<Field> fields = {}) const {
        write(LogLevel::warning, area, message, fields);
    }
    void error(std::string_view area, std::string_view message, std::initializer_list<Field> fields = {}) const {
        write(LogLevel::error, area, message, fields);
    }

private:
    Settings settings_;
    Clock const& clock_;
};

}  // namespace holdfast
