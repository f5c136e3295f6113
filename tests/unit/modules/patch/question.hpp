// tests/unit/modules/patch/question.hpp: one question to modules/patch and its answer, as oracle/main.go has them.
#pragma once

#include <boost/json.hpp>

#include <string>

namespace holdfast::patch {

/// The object as kyaml writes it, as kustomize writes it (or what was found in it), or the error.
struct Answer {
    std::string tree, out, err;
};

/// In  {"op","base","patch","path","create","spec","value","tag","selector","schema"}, as the operation needs
Answer respond(boost::json::object const& question);

}  // namespace holdfast::patch
