// modules/kustomize/selection.cpp: anchored patterns on ids, selectors on labels and annotations.
#include "modules/kustomize/selection.hpp"

#include "modules/patch/regex.hpp"
#include "modules/patch/selector.hpp"

#include <re2/re2.h>

namespace holdfast::kustomize {

std::string go_regex_error(std::string_view re2_error, std::string_view) {
    return "error parsing regexp: " + std::string{re2_error};
}

Result<Pattern> Pattern::make(std::string const& text) {
    Pattern pattern;
    if (text.empty()) return pattern;
    if (text.find_first_of("\\.+*?()|[]{}^$") == std::string::npos) {
        pattern.literal_ = text;
        return pattern;
    }
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(1 << 20);
    auto regex = std::make_shared<re2::RE2>("^(?:" + text + ")$", options);
    if (!regex->ok()) {
        auto said = patch::Regex::compile("^(?:" + text + ")$");
        return fail(Errc::invalid_input, said ? go_regex_error(regex->error(), text) : said.error().message);
    }
    pattern.regex_ = std::move(regex);
    return pattern;
}

bool Pattern::matches(std::string_view text) const {
    if (regex_) return re2::RE2::PartialMatch({text.data(), text.size()}, *regex_);
    return literal_.empty() || literal_ == text;
}

Result<IdMatcher> IdMatcher::make(Selector const& selector) {
    IdMatcher matcher;
    matcher.empty_ = selector.group.empty() && selector.version.empty() && selector.kind.empty() &&
                     selector.name.empty() && selector.ns.empty();
    struct Part {
        std::string const& text;
        Pattern& into;
    };
    for (auto const& part :
         {Part{selector.group, matcher.group_}, Part{selector.version, matcher.version_},
          Part{selector.kind, matcher.kind_}, Part{selector.name, matcher.name_}, Part{selector.ns, matcher.ns_}}) {
        auto pattern = Pattern::make(part.text);
        if (!pattern) return fail(std::move(pattern));
        part.into = std::move(*pattern);
    }
    return matcher;
}

Result<ObjectMatcher> ObjectMatcher::make(Selector const& selector) {
    auto ids = IdMatcher::make(selector);
    if (!ids) return fail(std::move(ids));
    ObjectMatcher matcher;
    matcher.ids_ = std::move(*ids);
    matcher.labels_ = selector.label_selector;
    matcher.annotations_ = selector.annotation_selector;
    return matcher;
}

Result<bool> ObjectMatcher::matches(Resource const& object) const {
    auto const& now = object.id();
    auto const& original = object.original_id();
    if (!ids_.ns(original.effective_namespace()) && !ids_.ns(now.effective_namespace())) return false;
    if (!ids_.name(original.name) && !ids_.name(now.name)) return false;
    if (!ids_.gvk(now.gvk)) return false;
    struct Part {
        std::string const& text;
        StringMap map;
    };
    for (auto const& [text, map] : {Part{labels_, labels_.empty() ? StringMap{} : object.labels()},
                                    Part{annotations_, annotations_.empty() ? StringMap{} : object.annotations()}}) {
        if (text.empty()) continue;
        auto selector = patch::LabelSelector::parse(text);
        if (!selector) return fail(std::move(selector));
        if (!selector->matches(map)) return false;
    }
    return true;
}

}  // namespace holdfast::kustomize
