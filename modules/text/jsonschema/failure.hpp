// modules/text/jsonschema/failure.hpp: why a value is not valid, as a tree, and its printed form; private to this folder.
#pragma once

#include "modules/text/jsonschema/schema.hpp"

#include <memory>
#include <string>
#include <vector>

namespace holdfast::jsonschema {

struct Failure;
using Failures = std::vector<std::unique_ptr<Failure>>;

struct Failure {
    enum class Kind { other, schema, group, reference };
    Kind kind = Kind::other;
    std::string location{};  // JSON pointer into the value
    std::string message{};
    Failures causes{};
};

/// "- at '/a/b': got string, want number", causes two spaces further; a reference with one cause is left out.
inline void display(Failure const& failure, std::string& out, std::size_t indent) {
    bool const skipped = failure.kind == Failure::Kind::reference && failure.causes.size() == 1;
    if (!skipped) {
        if (indent > 0) {
            out += '\n';
            out.append(2 * (indent - 1), ' ');
            out += "- ";
        }
        ++indent;
        if (failure.kind != Failure::Kind::schema) out += "at " + quoted(failure.location) + ": ";
        out += failure.message;
    }
    for (auto const& cause : failure.causes) display(*cause, out, indent);
}

}  // namespace holdfast::jsonschema
