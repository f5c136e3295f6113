// modules/kustomize/accumulator.cpp: merging what directories hand up.
#include "modules/kustomize/target.hpp"

namespace holdfast::kustomize {
namespace {

/// Var.Defaulting
Var with_defaults(Var var) {
    if (var.field_path.empty()) var.field_path = "metadata.name";
    if (!var.api_version.empty()) {
        auto const slash = var.api_version.find('/');
        if (slash == std::string::npos) {
            var.version = var.api_version;
        } else if (var.api_version.find('/', slash + 1) == std::string::npos) {
            var.group = var.api_version.substr(0, slash);
            var.version = var.api_version.substr(slash + 1);
        }
    }
    return var;
}

Result<void> add_var(std::map<std::string, Var>& vars, Var const& var) {
    if (!vars.emplace(var.name, with_defaults(var)).second) {
        return fail(Errc::invalid_input, "var '" + var.name + "' already encountered");
    }
    return {};
}

}  // namespace

/// The default merged into an empty one: what a field specification says twice is said once.
TransformerConfig const& merged_default() {
    static TransformerConfig const merged = [] {
        TransformerConfig made;
        (void)merge_config(made, default_config()).has_value();
        return made;
    }();
    return merged;
}

bool Config::is_default() const { return value_.get() == &merged_default(); }

Result<void> Config::merge_default() {
    if (has_default_) return {};
    has_default_ = true;
    if (value_) return merge_config_step(default_config());
    value_ = std::shared_ptr<TransformerConfig const>{std::shared_ptr<void>{}, &merged_default()};
    return {};
}

Result<void> Config::merge_with_default(TransformerConfig const& more) {
    auto both = default_config();
    if (auto ok = merge_config(both, more); !ok) return ok;
    has_default_ = true;
    return merge_config_step(both);
}

Result<void> Config::merge_config_step(TransformerConfig const& more) {
    auto ok = merge(more);
    if (!ok) return fail(std::move(ok), "merging config " + describe(more));
    return {};
}

Result<void> Config::merge(TransformerConfig const& more) {
    auto merged = value_ ? std::make_shared<TransformerConfig>(*value_) : std::make_shared<TransformerConfig>();
    if (auto ok = merge_config(*merged, more); !ok) return ok;
    value_ = std::move(merged);
    return {};
}

Result<void> Config::merge(Config const& other) {
    if (!other.value_ || value_ == other.value_ || (has_default_ && other.is_default())) return {};
    if (!value_ && other.is_default()) {
        *this = other;
        return {};
    }
    // Also into nothing: a wide specification that comes after a narrow one for the same path is dropped then.
    has_default_ = has_default_ || other.has_default_;
    return merge(*other.value_);
}

Result<void> Config::merge_again() {
    Config fresh;
    if (auto ok = fresh.merge(*this); !ok) return ok;
    *this = std::move(fresh);
    return {};
}

Result<void> Accumulator::merge(Accumulator const& other) {
    if (auto ok = objects.append_all(other.objects.all()); !ok) return ok;
    if (auto ok = config.merge(other.config); !ok) return ok;
    for (auto const& [name, var] : other.vars) {
        if (auto ok = add_var(vars, var); !ok) return ok;
    }
    return {};
}

Result<void> Accumulator::add_vars(std::vector<Var> const& incoming) {
    for (auto const& var : incoming) {
        auto const full = with_defaults(var);
        ResId const wanted{{full.group, full.version, full.kind}, full.object_name, full.object_ns};
        auto const matched = objects.by_any_id(
            [&](ResId const& id) { return wanted.ns.empty() ? wanted.same_gvkn(id) : wanted.same(id); });
        if (matched.size() > 1) {
            return fail(Errc::invalid_input, "found " + std::to_string(matched.size()) + " resId matches for var {" +
                                                 full.name + " " + wanted.gvk.str() + " {" + var.field_path +
                                                 "}} (unable to disambiguate)");
        }
        if (matched.size() == 1) matched.front()->var_names.push_back(var.name);
    }
    for (auto const& var : incoming) {
        if (auto ok = add_var(vars, var); !ok) return ok;
    }
    return {};
}

}  // namespace holdfast::kustomize
