// modules/helm/log.hpp: lines as Helm writes them to stderr (slog's text form, without the time).
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::helm {

using Log = std::vector<std::string>;  // in Helm's order, but for maps, where Go's is random

struct LogField {
    std::string_view name;
    std::string_view value;
};

/// level=INFO msg="..." name=value
std::string log_line(std::string_view level, std::string_view message, std::initializer_list<LogField> fields = {});

}  // namespace holdfast::helm
