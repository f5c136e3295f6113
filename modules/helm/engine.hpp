// modules/helm/engine.hpp: renders the templates of a chart tree; private to this folder, helm.hpp is the way in.
#pragma once

#include "modules/helm/functions.hpp"
#include "modules/helm/instance.hpp"
#include "modules/helm/objects.hpp"

#include <map>
#include <string>

namespace holdfast::helm {

struct EngineRun {
    gotemplate::FuncMap const& funcs;
    gotemplate::Ports ports;
    gotemplate::Budget budget;
    TplCache& tpl_cache;
    Lookup* lookup = nullptr;
};

/// Every template's output by its full name, partials left out.
///
/// In      values  the coalesced values of the root chart; templates may change them
/// Errors  invalid_input  Helm's text: "parse error at (c/templates/a.yaml:3): ...", "execution error at (...): message of fail",
///                        or location, what was executed and the reason, one a line
///         limit          a field of Budget
Result<std::map<std::string, std::string>> render_templates(Instance const& root, gotemplate::Value const& values,
                                                            gotemplate::Value const& release,
                                                            gotemplate::Value const& capabilities,
                                                            EngineRun const& run);

/// Helm's cleanupParseError and reformatExecErrorMsg.
std::string parse_error_text(std::string const& name, std::string const& message);
std::string exec_error_text(std::string const& name, std::vector<std::string_view> const& chain);

}  // namespace holdfast::helm
