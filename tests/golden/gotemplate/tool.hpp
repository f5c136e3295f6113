// tests/golden/gotemplate/tool.hpp: evaluates one golden request the way oracle/main.go does.
#pragma once

#include "modules/text/gotemplate/value.hpp"

#include <string>

namespace holdfast::gotemplate::golden {

struct Answer {
    std::string out, err;
};

/// `flags`: f sprig and missingkey=zero, s missingkey=error, i whole numbers as int64.
Answer evaluate(std::string_view text, Value const& data, std::string_view flags);

}  // namespace holdfast::gotemplate::golden
