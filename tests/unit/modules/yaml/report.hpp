// tests/unit/modules/yaml/report.hpp: what our engine makes of a text, in the words of tests/oracle-yaml/report.go.
#pragma once

#include <boost/json/object.hpp>

#include <string_view>

namespace holdfast::yaml::test {

/// name, dump, emit, wide, four, json, sigs, strict, yaml, pretty: each an answer or "error: ...".
boost::json::object report(std::string_view name, std::string_view text);

}  // namespace holdfast::yaml::test
