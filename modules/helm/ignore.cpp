// modules/helm/ignore.cpp: .helmignore rules, read and asked as Helm does.
#include "modules/helm/ignore.hpp"

#include "modules/helm/text.hpp"
#include "modules/text/glob/glob.hpp"

namespace holdfast::helm {

Result<IgnoreRules> IgnoreRules::parse(std::string_view text) {
    IgnoreRules rules;
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    for (auto line : split(text, '\n')) {
        if (auto added = rules.add(line); !added) return fail(std::move(added));
    }
    if (auto added = rules.add("templates/.?*"); !added) return fail(std::move(added));
    return rules;
}

Result<void> IgnoreRules::add(std::string_view line) {
    auto pattern = trimmed(line);
    if (pattern.empty() || pattern.starts_with('#')) return {};
    if (pattern.find("**") != pattern.npos)
        return fail(Errc::invalid_input, "double-star (**) syntax is not supported");
    if (auto tried = glob::match_path(pattern, "abc"); !tried) return fail(std::move(tried));
    Rule rule;
    if (pattern.starts_with('!')) {
        rule.negated = true;
        pattern.remove_prefix(1);
    }
    if (pattern.ends_with('/')) {
        rule.folders_only = true;
        pattern.remove_suffix(1);
    }
    if (pattern.find('/') != pattern.npos) rule.on = Rule::On::path;
    if (pattern.starts_with('/')) pattern.remove_prefix(1);
    rule.pattern = pattern;
    rules_.push_back(std::move(rule));
    return {};
}

bool IgnoreRules::ignores(std::string_view path, bool is_folder) const {
    if (path.empty() || path == "." || path == "./") return false;
    for (auto const& rule : rules_) {
        auto const matched = glob::match_path(rule.pattern, rule.on == Rule::On::path ? path : base_name(path));
        bool const matches = matched && *matched;
        if (rule.negated) {
            if ((rule.folders_only && !is_folder) || !matches) return true;
            continue;
        }
        if (rule.folders_only && !is_folder) continue;
        if (matches) return true;
    }
    return false;
}

}  // namespace holdfast::helm
