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

void Config::use_default() {
    if (!value_) {
        value_ = std::shared_ptr<TransformerConfig const>{std::shared_ptr<void>{}, &default_config()};
        has_default_ = true;
        return;
    }
    if (has_default_) return;
    (void)merge(default_config()).has_value();
    has_default_ = true;
}

Result<void> Config::merge(TransformerConfig const& more) {
    auto merged = value_ ? std::make_shared<TransformerConfig>(*value_) : std::make_shared<TransformerConfig>();
    if (auto ok = merge_config(*merged, more); !ok) return ok;
    value_ = std::move(merged);
    return {};
}

Result<void> Config::merge(Config const& other) {
    if (!other.value_ || value_ == other.value_) return {};
    if (!value_) {
        *this = other;
        return {};
    }
    if (has_default_ && other.value_.get() == &default_config()) return {};
    if (other.has_default_ && value_.get() == &default_config()) {
        *this = other;
        return {};
    }
    bool const has_default = has_default_ || other.has_default_;
    auto ok = merge(*other.value_);
    has_default_ = has_default;
    return ok;
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
        auto const matched = objects.by_any_id([&](ResId const& id) {
            return wanted.ns.empty() ? wanted.same_gvkn(id) : wanted.same(id);
        });
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
