// modules/kustomize/replacement.cpp: finding the source's value and writing it into every target field.
#include "modules/kustomize/replacement.hpp"

#include "modules/kustomize/context.hpp"
#include "modules/kustomize/selection.hpp"
#include "modules/kustomize/structured_text.hpp"
#include "modules/kustomize/text.hpp"
#include "modules/patch/field.hpp"
#include "modules/patch/path.hpp"
#include "modules/patch/selector.hpp"

namespace holdfast::kustomize {
namespace {

using yaml::Kind;
using yaml::Node;

constexpr std::string_view kDefaultFieldPath = "metadata.name";

std::unexpected<Error> refused(std::string message) { return fail(Errc::invalid_input, std::move(message)); }

ResId id_of(SourceSelector const& source) {
    return {.gvk = {source.group, source.version, source.kind}, .name = source.name, .ns = source.ns};
}

std::string describe(SourceSelector const& source) {
    auto text = id_of(source).str();
    if (!source.field_path.empty()) text += ":" + source.field_path;
    auto const& options = source.options;
    if (options && (!options->delimiter.empty() || options->create)) {
        text += ":" + options->delimiter + "(" + std::to_string(options->index) +
                "), create=" + (options->create ? "true" : "false");
    }
    return text;
}

/// Here, unlike elsewhere, an object of a cluster-wide kind is in "default".
std::string_view or_default(std::string_view ns) { return ns.empty() ? kDefaultNamespace : ns; }

bool selects(SourceSelector const& source, ResId const& id) {
    return (source.name.empty() || source.name == id.name) &&
           (source.ns.empty() || or_default(source.ns) == or_default(id.ns)) &&
           id.gvk.selected_by({source.group, source.version, source.kind});
}

std::vector<std::string> split(std::string_view text, std::string_view delimiter) {
    std::vector<std::string> parts;
    for (std::size_t at = 0;;) {
        auto const next = text.find(delimiter, at);
        parts.emplace_back(text.substr(at, next == std::string_view::npos ? next : next - at));
        if (next == std::string_view::npos) return parts;
        at = next + delimiter.size();
    }
}

std::string joined(std::vector<std::string> const& parts, std::string_view delimiter) {
    std::string text;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) text += delimiter;
        text += parts[i];
    }
    return text;
}

Result<Node*> source_value(Context& context, Replacement const& replacement, ResMap const& objects) {
    if (replacement.source_value && replacement.source) {
        return refused("value and resource selectors are mutually exclusive");
    }
    if (replacement.source_value) return yaml::make_scalar(context.arena, *replacement.source_value);

    auto const& source = *replacement.source;
    Resource* chosen = nullptr;
    for (auto* const object : objects.all()) {
        if (!object->any_id([&](ResId const& id) { return selects(source, id); })) continue;
        if (chosen) return refused("multiple matches for selector " + describe(source));
        chosen = object;
    }
    if (!chosen) return refused("nothing selected by " + describe(source));

    auto const field_path = source.field_path.empty() ? std::string{kDefaultFieldPath} : source.field_path;
    auto const parts = patch::split_field_path(field_path);
    auto found = patch::lookup(*chosen->edit(), patch::Path{parts});
    if (!found) return fail(std::move(found), "error looking up replacement source");
    if (patch::is_nil_or_empty(*found)) {
        return refused("fieldPath `" + field_path + "` is missing for replacement source " + id_of(source).str());
    }
    if (!source.options || source.options->delimiter.empty()) return *found;
    if (!(*found)->is_scalar()) return refused("delimiter option can only be used with scalar nodes");

    auto const text = patch::value_of(*found);
    auto const values = split(text, source.options->delimiter);
    auto const index = source.options->index;
    if (index < 0 || index >= static_cast<std::int64_t>(values.size())) {
        return refused("options.index " + std::to_string(index) + " is out of bounds for value " + std::string{text});
    }
    auto* const part = yaml::clone(context.arena, **found);
    part->set_value(context.arena, values[static_cast<std::size_t>(index)]);
    return part;
}

Result<void> write_value(Context& context, std::optional<FieldOptions> const& options, Node& field, Node const& from) {
    auto* const value = yaml::clone(context.arena, from);
    if (options && !options->delimiter.empty()) {
        if (!field.is_scalar()) return refused("delimiter option can only be used with scalar nodes");
        auto parts = split(field.value(), options->delimiter);
        auto const count = static_cast<std::int64_t>(parts.size());
        std::string part{patch::value_of(value)};
        if (options->index < 0) parts.insert(parts.begin(), std::move(part));
        else if (options->index >= count) parts.push_back(std::move(part));
        else parts[static_cast<std::size_t>(options->index)] = std::move(part);
        field.set_value(context.arena, joined(parts, options->delimiter));
        return {};
    }
    // A scalar keeps its type and style: only the text is copied.
    if (field.is_scalar()) field.set_value(context.arena, value->value());
    else field = *value;
    return {};
}

std::string not_found(std::string_view field_path, bool create) {
    return std::string{"unable to find "} + (create ? "or create " : "") + "field " + go_quote(field_path) +
           " in replacement target";
}

Result<void> write_fields(Context& context, Node& object, TargetSelector const& target, Node const& value) {
    std::vector<std::string> const by_default{std::string{kDefaultFieldPath}};
    for (auto const& field_path : target.field_paths.empty() ? by_default : target.field_paths) {
        bool const create = target.options && target.options->create;
        auto const kind = create ? value.kind : Kind::none;
        auto const parts = patch::split_field_path(field_path);
        if (write_inside_text(context.arena, object, value, parts, kind)) continue;

        auto fields = patch::match(context.arena, object, patch::Path{parts}, kind);
        if (!fields) return fail(std::move(fields), not_found(field_path, create));
        if (fields->nodes.empty()) return refused(not_found(field_path, create));
        for (auto* const field : fields->nodes) {
            if (auto done = write_value(context, target.options, *field, value); !done) return done;
        }
    }
    return {};
}

/// A selector's labels and annotations; read once, complained about only when there is an object to look at.
class Conditions {
public:
    explicit Conditions(Selector const& selector)
        : annotations_{patch::LabelSelector::parse(selector.annotation_selector)},
          labels_{patch::LabelSelector::parse(selector.label_selector)},
          empty_{selector.annotation_selector.empty() && selector.label_selector.empty()} {}

    bool empty() const { return empty_; }

    Result<bool> match(Node const& object) const {
        if (!annotations_) return std::unexpected{annotations_.error()};
        if (!labels_) return std::unexpected{labels_.error()};
        if (empty_) return true;
        auto const metadata = patch::field(&object, "metadata");
        return annotations_->matches(patch::field(metadata.value, "annotations").value) &&
               labels_->matches(patch::field(metadata.value, "labels").value);
    }

private:
    Result<patch::LabelSelector> annotations_, labels_;
    bool empty_;
};

/// Which objects one target means.
struct Target {
    IdMatcher ids;
    Conditions conditions;
    struct Reject {
        IdMatcher ids;
        Conditions conditions;
    };
    std::vector<Reject> rejects;

    static Result<Target> make(TargetSelector const& selector) {
        if (!selector.select) return refused("target must specify resources to select");
        auto ids = IdMatcher::make(*selector.select);
        if (!ids) return fail(std::move(ids), "error creating target selector");
        Target made{std::move(*ids), Conditions{*selector.select}, {}};
        for (auto const& reject : selector.reject) {
            if (!reject) continue;
            auto rejected = IdMatcher::make(*reject);
            if (!rejected) return fail(std::move(rejected), "error creating target selector");
            made.rejects.push_back({std::move(*rejected), Conditions{*reject}});
        }
        return made;
    }

    Result<bool> matches(Resource const& object) const {
        auto const chosen = conditions.match(*object.root());
        if (!chosen || !*chosen) return chosen;
        for (auto const& reject : rejects) {
            if (reject.conditions.empty()) continue;
            auto const rejected = reject.conditions.match(*object.root());
            if (!rejected) return rejected;
            if (*rejected) return false;
        }
        for (auto const& reject : rejects) {
            if (!reject.ids.empty() && has_id(object, reject.ids)) return false;
        }
        return has_id(object, ids);
    }

private:
    static bool has_id(Resource const& object, IdMatcher const& ids) {
        return object.any_id([&](ResId const& id) { return ids.gvk(id.gvk) && ids.name(id.name) && ids.ns(id.ns); });
    }
};

Result<void> apply_one(Context& context, Replacement const& replacement, ResMap& objects) {
    if ((!replacement.source_value && !replacement.source) || replacement.targets.empty()) {
        return refused("replacements must specify a source and at least one target");
    }
    auto value = source_value(context, replacement, objects);
    if (!value) return fail(std::move(value));
    for (auto const& selector : replacement.targets) {
        if (!selector) return refused("target must specify resources to select");
        auto const target = Target::make(*selector);
        if (!target) return std::unexpected{target.error()};
        for (auto* const object : objects.all()) {
            if (object->gone()) continue;
            auto const matches = target->matches(*object);
            if (!matches) return std::unexpected{matches.error()};
            if (!*matches) continue;
            if (auto done = write_fields(context, *object->edit(), *selector, **value); !done) return done;
        }
    }
    return {};
}

}  // namespace

Result<void> apply_replacements(Context& context, std::vector<Replacement> const& replacements, ResMap& objects) {
    for (auto const& replacement : replacements) {
        if (auto done = apply_one(context, replacement, objects); !done) return done;
    }
    return {};
}

}  // namespace holdfast::kustomize
