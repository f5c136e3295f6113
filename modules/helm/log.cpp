// modules/helm/log.cpp: slog's TextHandler: what is quoted and what is not.
#include "modules/helm/log.hpp"

#include "modules/text/gotemplate/strconv.hpp"

#include <algorithm>

namespace holdfast::helm {
namespace {

void append(std::string& line, std::string_view name, std::string_view value) {
    if (!line.empty()) line += ' ';
    line += name;
    line += '=';
    auto const quoted = gotemplate::quote(value);
    // A backslash alone does not ask for quotes; whatever else quoting changes does.
    bool const plain = !value.empty() &&
                       std::ranges::none_of(value, [](char c) { return c == ' ' || c == '=' || c == '"'; }) &&
                       quoted.size() == value.size() + 2 + static_cast<std::size_t>(std::ranges::count(value, '\\'));
    line += plain ? value : std::string_view{quoted};
}

}  // namespace

std::string log_line(std::string_view level, std::string_view message, std::initializer_list<LogField> fields) {
    std::string line;
    append(line, "level", level);
    append(line, "msg", message);
    for (auto const& field : fields) append(line, field.name, field.value);
    return line;
}

}  // namespace holdfast::helm
