// modules/text/gotemplate/template.cpp: sets of parsed templates, layered instead of cloned.
#include "modules/text/gotemplate/template.hpp"

#include "modules/text/gotemplate/node.hpp"
#include "modules/text/gotemplate/parse.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::gotemplate {

TemplateSet::TemplateSet(FuncMap const& funcs, TemplateSet const* parent) : funcs_(funcs), parent_(parent) {}
TemplateSet::~TemplateSet() = default;

Result<void> TemplateSet::parse(std::string_view name, std::string_view text) {
    auto parsed = parse_only(name, text);
    if (!parsed) return fail(std::move(parsed));
    add(*parsed);
    return {};
}

Result<TemplateSet::Parsed> TemplateSet::parse_only(std::string_view name, std::string_view text, TextLife life) const {
    auto trees = parse_template(name, text, life, funcs_);
    if (!trees) return fail(std::move(trees));
    return std::make_shared<Trees const>(*std::move(trees));
}

void TemplateSet::add(Parsed const& parsed) {
    for (auto const& [name, tree] : *parsed) {
        if (is_empty(*tree->root) && find(name) != nullptr) continue;
        trees_.erase(name);  // with its key
        trees_.emplace(name, tree);
    }
}

Tree const* TemplateSet::find(std::string_view name) const {
    for (auto const* set = this; set != nullptr; set = set->parent_)
        if (auto const found = set->trees_.find(name); found != set->trees_.end()) return found->second.get();
    return nullptr;
}

std::vector<std::string> TemplateSet::names() const {
    std::vector<std::string> names;
    for (auto const& [name, tree] : trees_) names.emplace_back(name);
    std::ranges::sort(names);
    return names;
}

}  // namespace holdfast::gotemplate
