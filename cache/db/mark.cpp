// cache/db/mark.cpp: writing the mark whole or not at all, and reading it back.
#include "cache/db/mark.hpp"

#include "cache/db/files.hpp"
#include "modules/base/hash.hpp"

#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>

namespace holdfast::cache::db {

namespace {

constexpr std::string_view kFirstLine = "holdfast-state 1\n";
constexpr std::size_t kMarkBytesMax = 4'096;

std::string text_of(Mark const& mark) {
    std::string text{kFirstLine};
    text += "site " + mark.site + "\nschema " + std::to_string(mark.schema) + "\nissued " +
            std::to_string(mark.issued) + "\nacknowledged " + std::to_string(mark.acknowledged) + "\n";
    for (auto const& [table, page] : mark.roots) text += "root " + table + " " + std::to_string(page) + "\n";
    return text + "check " + std::to_string(hash64(text)) + "\n";
}

bool to_number(std::string_view text, std::int64_t& value) {
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() && value >= 0;
}

bool take_line(std::string const& line, Mark& mark) {
    auto const space = line.find(' ');
    if (space == std::string::npos) return false;
    std::string_view const name = std::string_view{line}.substr(0, space);
    std::string_view const value = std::string_view{line}.substr(space + 1);
    if (name == "site") mark.site = value;
    if (name == "schema") return to_number(value, mark.schema);
    if (name == "issued") return to_number(value, mark.issued);
    if (name == "acknowledged") return to_number(value, mark.acknowledged);
    if (name == "root") {
        auto const second = value.find(' ');
        if (second == std::string_view::npos) return false;
        return to_number(value.substr(second + 1), mark.roots[std::string{value.substr(0, second)}]);
    }
    return true;
}

}  // namespace

std::filesystem::path mark_of(std::filesystem::path const& database) {
    auto path = database;
    return path.replace_extension(".state");
}

std::optional<Mark> read_mark(std::filesystem::path const& database) {
    std::ifstream file{mark_of(database), std::ios::binary};
    std::string text(kMarkBytesMax, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    Mark mark;
    if (!text.starts_with(kFirstLine)) return std::nullopt;
    std::istringstream lines{text.substr(kFirstLine.size())};
    for (std::string line; std::getline(lines, line);) {
        if (!take_line(line, mark)) return std::nullopt;
    }
    if (text_of(mark) != text) return std::nullopt;  // a changed byte, or an end that is missing
    return mark;
}

Result<void> write_mark(std::filesystem::path const& database, Mark const& mark) {
    auto written = replace_file(mark_of(database), text_of(mark));
    if (!written) return fail(std::move(written), "state mark");
    return {};
}

Result<void> describe(Connection& connection, Mark& mark) {
    Statement version{connection, "PRAGMA user_version"};
    auto schema = version.scalar();
    if (!schema) return fail(std::move(schema), "schema version");
    mark.schema = *schema;
    mark.roots.clear();
    Statement tables{connection, "SELECT name, rootpage FROM sqlite_schema WHERE type = 'table'"};
    auto rows = tables.rows();
    for (;;) {
        auto row = rows.next();
        if (!row) return fail(std::move(row), "schema");
        if (!*row) return {};
        mark.roots[rows.text(0)] = rows.integer(1);
    }
}

}  // namespace holdfast::cache::db
