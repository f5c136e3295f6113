// modules/helm/functions.hpp: what Helm adds to sprig: include, tpl, required, fail, lookup, and YAML, JSON, TOML both ways.
#pragma once

#include "modules/base/error.hpp"
#include "modules/base/limits.hpp"
#include "modules/text/gotemplate/funcs.hpp"
#include "modules/text/gotemplate/template.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace holdfast::helm {

/// Answers `lookup`. Offline there is none and every answer is an empty map.
class Lookup {
public:
    virtual ~Lookup() = default;
    /// One object, or a list when name is empty; an empty map when nothing is there.
    virtual Result<gotemplate::Value> find(std::string_view api_version, std::string_view kind,
                                           std::string_view namespace_name, std::string_view name) = 0;
};

/// Texts given to tpl, parsed; bounded, emptied when full.
class TplCache {
public:
    explicit TplCache(std::size_t bytes_max = limits::kTplCacheBytesMax) : bytes_max_(bytes_max) {}
    Result<gotemplate::TemplateSet::Parsed> parsed(gotemplate::TemplateSet const& set, std::string_view text);

private:
    std::size_t bytes_max_;
    std::size_t bytes_ = 0;
    std::unordered_map<std::string, gotemplate::TemplateSet::Parsed> by_text_;
};

/// The executor of one Helm render: what include, tpl and lookup share while it runs.
class HelmExecutor : public gotemplate::Executor {
public:
    HelmExecutor(gotemplate::TemplateSet const& set, gotemplate::Ports const& ports, gotemplate::Budget const& budget,
                 TplCache& cache, Lookup* lookup)
        : Executor(set, gotemplate::MissingKey::zero, ports, budget), tpl_cache(cache), lookup_port(lookup) {}

    TplCache& tpl_cache;
    Lookup* lookup_port;
    int tpl_depth = 0;
    std::map<std::string, int, std::less<>> included;  // how often each name is being included right now
};

/// Everything a chart's template may call, sprig included. Only for templates run by a HelmExecutor.
void add_helm_functions(gotemplate::FuncMap& funcs);

/// sigs.k8s.io/yaml Marshal without its last line break.
Result<std::string> to_yaml(gotemplate::Value const& value);

/// BurntSushi/toml's encoder.
/// Errors  invalid_input  Go's text: a nil in a list; a nil at the top, where Go panics
///         limit          deeper or larger than limits.hpp allows
Result<std::string> to_toml(gotemplate::Value const& value);

/// Helm's fromToml: BurntSushi/toml's decoder into map[string]any. A text that is no TOML gives {"Error": Go's text}.
/// Errors  invalid_input  where Go panics
///         limit          deeper or with more tables than limits.hpp allows
Result<gotemplate::Value> from_toml(std::string_view text);

}  // namespace holdfast::helm
