// modules/base/log.cpp: formats a line and writes it at once.
#include "modules/base/log.hpp"

#include "modules/base/mask.hpp"
#include "modules/base/utf8.hpp"

#include <array>
#include <cstdio>
#include <ctime>
#include <unistd.h>

namespace holdfast {

namespace {

constexpr std::array<std::string_view, 4> kLevelNames{"debug", "info", "warning", "error"};
constexpr std::size_t kLineBytesMax = 32u << 10;  // a longer value is cut: the log is no data store

/// A JSON string. DEL, C1 controls and what turns the direction of writing are escaped too: JSON allows them bare, but
/// whoever reads the log on a terminal would have it obey them.
void append_json(std::string& line, std::string_view value) {
    std::string const text = to_utf8(value, kLineBytesMax);
    std::size_t const end = line.size() + kLineBytesMax;
    line += '"';
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto const c = static_cast<unsigned char>(text[i]);
        bool const starts = (c & 0xC0) != 0x80;
        if (starts && line.size() > end) break;  // escapes grow; never half a character
        std::size_t const length = control_length(std::string_view{text}.substr(i));
        switch (c) {
            case '"': line += "\\\""; break;
            case '\\': line += "\\\\"; break;
            case '\n': line += "\\n"; break;
            case '\r': line += "\\r"; break;
            case '\t': line += "\\t"; break;
            default:
                if (length > 0) {
                    // Of a well-formed character: its first byte says less with each byte more, the others six bits.
                    unsigned code = length == 1 ? c : c & (0x3Fu >> (length - 1));
                    for (std::size_t more = 1; more < length; ++more)
                        code = code << 6 | (static_cast<unsigned char>(text[++i]) & 0x3Fu);
                    char escaped[8];
                    std::snprintf(escaped, sizeof escaped, "\\u%04x", code);
                    line += escaped;
                } else {
                    line += static_cast<char>(c);
                }
        }
    }
    line += '"';
}

std::string timestamp(std::chrono::system_clock::time_point time) {
    auto const millis = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
    std::time_t const seconds = static_cast<std::time_t>(millis / 1000);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char text[48];
    std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900, parts.tm_mon + 1,
                  parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, static_cast<int>(millis % 1000));
    return text;
}

}  // namespace

std::optional<LogLevel> read_log_level(std::string_view word) {
    for (std::size_t i = 0; i < kLevelNames.size(); ++i) {
        if (kLevelNames[i] == word) return static_cast<LogLevel>(i);
    }
    return std::nullopt;
}

bool Log::wants(LogLevel level, std::string_view area) const {
    auto const own = settings_.areas.find(area);
    return level >= (own == settings_.areas.end() ? settings_.level : own->second);
}

void Log::write(LogLevel level, std::string_view area, std::string_view said,
                std::initializer_list<Field> fields) const {
    if (!wants(level, area)) return;
    std::string line;
    std::string_view const name = kLevelNames[static_cast<std::size_t>(level)];
    auto const message = mask_logins(said);
    if (settings_.json) {
        line = "{\"ts\":\"" + timestamp(clock_.wall()) + "\",\"level\":\"" + std::string{name} + "\",\"area\":\"" +
               std::string{area} + "\",\"msg\":";
        append_json(line, message);
        for (Field const& field : fields) {
            if (field.second.empty()) continue;
            line += ",\"" + std::string{field.first} + "\":";
            append_json(line, mask_logins(field.second));
        }
        line += "}\n";
    } else {
        line = timestamp(clock_.wall()) + " " + std::string{name} + " " + std::string{area} + ": ";
        line += without_controls(to_utf8(message, kLineBytesMax));
        for (Field const& field : fields) {
            if (field.second.empty()) continue;
            line += " " + std::string{field.first} + "=";
            append_json(line, mask_logins(field.second));
        }
        line += '\n';
    }
    // A full or closed log never stops the daemon.
    [[maybe_unused]] auto const written = ::write(settings_.fd, line.data(), line.size());
}

}  // namespace holdfast
