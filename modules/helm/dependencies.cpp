// modules/helm/dependencies.cpp: which subcharts are on, under which name, and what their values give to the parent.
#include "modules/helm/instance.hpp"

#include "modules/helm/text.hpp"
#include "modules/text/gotemplate/fmt.hpp"
#include "modules/text/gotemplate/strconv.hpp"
#include "modules/text/semver/semver.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>

namespace holdfast::helm {

using gotemplate::Value;

namespace {

/// Values.PathValue: the scalar, list or null at a dotted path, or nothing (also for a map).
std::optional<Value> value_at(Value const& values, std::string_view path) {
    auto const dot = path.rfind('.');
    Value const table = dot == path.npos ? values : table_at(values, path.substr(0, dot));
    if (!table.is_map()) return std::nullopt;
    auto const* found = table.find(dot == path.npos ? path : path.substr(dot + 1));
    return found == nullptr || found->is_map() ? std::nullopt : std::optional{*found};
}

void apply_tags(std::vector<Dependency>& dependencies, Value const& values, Log& log) {
    Value const tags = table_at(values, "tags");
    if (!tags.is_map()) return;
    for (auto& dependency : dependencies) {
        bool any_true = false, any_false = false;
        for (auto const& tag : dependency.tags) {
            auto const* found = tags.find(tag);
            if (found == nullptr) continue;
            if (found->kind() != gotemplate::Kind::boolean) {
                log.push_back(log_line("WARN", "returned non-bool value", {{"tag", tag}, {"chart", dependency.name}}));
                continue;
            }
            (found->as_bool() ? any_true : any_false) = true;
        }
        dependency.enabled = any_true || !any_false;
    }
}

void apply_conditions(std::vector<Dependency>& dependencies, Value const& values, std::string const& path, Log& log) {
    for (auto& dependency : dependencies) {
        for (auto const condition : split(trimmed(dependency.condition), ',')) {
            if (condition.empty()) continue;
            auto const found = value_at(values, path + std::string{condition});
            if (!found) continue;
            if (found->kind() == gotemplate::Kind::boolean) {
                dependency.enabled = found->as_bool();
                break;
            }
            log.push_back(
                log_line("WARN", "returned non-bool value", {{"path", condition}, {"chart", dependency.name}}));
        }
    }
}

/// Helm copies a chart and its parts, but not what is below them: that keeps its parents, and so the path without the alias.
std::unique_ptr<Instance> copy_of(Instance const& source, Instance const* parent) {
    auto made = std::make_unique<Instance>();
    made->chart = source.chart;
    made->metadata = source.metadata;
    made->values = source.values;
    made->parent = parent;
    for (auto const& part : source.dependencies) made->dependencies.push_back(copy_of(*part, part->parent));
    return made;
}

class Picker {
public:
    explicit Picker(Log& log) : log_(log) {}

    Result<void> pick(Instance& chart, Value const& values, std::string const& path) {
        if (!chart.metadata.dependencies) return {};
        auto& wanted = *chart.metadata.dependencies;
        if (auto done = choose(chart, wanted); !done) return done;
        for (auto& dependency : wanted) dependency.enabled = true;
        auto coalesced = coalesce_values(chart, values, false, log_);
        if (!coalesced) return fail(std::move(coalesced));
        apply_tags(wanted, *coalesced, log_);
        apply_conditions(wanted, *coalesced, path, log_);
        std::set<std::string, std::less<>> off;
        for (auto const& dependency : wanted) {
            if (!dependency.enabled) off.insert(dependency.name);
        }
        std::erase_if(chart.dependencies, [&](auto const& sub) { return off.contains(sub->name()); });
        std::erase_if(wanted, [&](auto const& dependency) { return off.contains(dependency.name); });
        for (auto const& sub : chart.dependencies) {
            if (auto done = pick(*sub, *coalesced, path + sub->name() + '.'); !done) return done;
        }
        if (wanted.empty()) chart.metadata.dependencies.reset();
        return {};
    }

private:
    /// Charts that Chart.yaml does not name first, then one per entry that fits, under its alias.
    Result<void> choose(Instance& chart, std::vector<Dependency>& wanted) {
        std::vector<std::unique_ptr<Instance>> chosen;
        std::vector<std::unique_ptr<Instance>> named;
        for (auto& existing : chart.dependencies) {
            bool const listed = std::ranges::any_of(wanted, [&](auto const& dependency) {
                return dependency.name == existing->name() &&
                       semver::is_compatible(dependency.version, existing->metadata.version);
            });
            (listed ? named : chosen).push_back(std::move(existing));
        }
        for (auto& dependency : wanted) {
            auto const found = std::ranges::find_if(named, [&](auto const& existing) {
                return existing->chart->metadata.name == dependency.name &&
                       semver::is_compatible(dependency.version, existing->metadata.version);
            });
            if (found != named.end()) {
                auto copy = copy_of(**found, &chart);
                for (auto const& part : copy->dependencies) part->parent = copy.get();
                if (++instances_ > kInstancesMax) return fail(Errc::limit, "too many subcharts");
                if (!dependency.alias.empty()) copy->metadata.name = dependency.alias;
                chosen.push_back(std::move(copy));
            }
            if (!dependency.alias.empty()) dependency.name = dependency.alias;
        }
        chart.dependencies = std::move(chosen);
        std::ranges::move(named, std::back_inserter(chart.replaced));
        return {};
    }

    Log& log_;
    std::size_t instances_ = 0;
};

Value wrapped(std::string_view path, Value value) {
    if (path == ".") return value;
    auto const parts = split(path, '.');
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
        Value outer = Value::map();
        outer.set(*part, std::move(value).boxed());
        value = std::move(outer);
    }
    return value;
}

std::string text_of(Value const& map, std::string_view key) {
    auto const* found = map.find(key);
    return found == nullptr ? "<nil>" : gotemplate::to_text(*found);
}

Value child_and_parent(std::string_view child, std::string_view parent) {
    Value pair = Value::map(gotemplate::types::map_string);
    pair.set("child", Value::string(child));
    pair.set("parent", Value::string(parent));
    return pair;
}

Result<void> import_values(Instance& chart, Log& log) {
    for (auto const& sub : chart.dependencies) {
        if (auto done = import_values(*sub, log); !done) return done;
    }
    if (!chart.metadata.dependencies) return {};
    auto coalesced = coalesce_values(chart, Value{}, true, log);
    if (!coalesced) return fail(std::move(coalesced));
    Value imported = Value::map();
    for (auto& dependency : *chart.metadata.dependencies) {
        std::vector<Value> seen;
        for (auto const& entry : dependency.import_values) {
            std::string child, parent = ".";
            if (entry.is_map()) {
                child = text_of(entry, "child");
                parent = text_of(entry, "parent");
            } else if (entry.is_string()) {
                child = "exports." + std::string{entry.as_string()};
            } else {
                continue;
            }
            seen.push_back(child_and_parent(child, parent).boxed());
            auto const path = dependency.name + '.' + child;
            std::string_view missing;
            Value const table = table_at(*coalesced, path, &missing);
            if (!table.is_map()) {
                auto const reason = gotemplate::quote(missing) + " is not a table";
                log.push_back(entry.is_map() ? log_line("WARN", "ImportValues missing table from chart",
                                                        {{"chart", dependency.name}, {"error", reason}})
                                             : log_line("WARN", "ImportValues missing table", {{"error", reason}}));
                continue;
            }
            coalesce_tables(imported, wrapped(parent, table), true, "", log);
        }
        dependency.import_values = std::move(seen);
    }
    Value merged = deep_copy(*coalesced).unboxed();
    coalesce_tables(merged, std::move(imported), true, "", log);
    chart.values = std::move(merged);
    return {};
}

}  // namespace

Value table_at(Value const& values, std::string_view path, std::string_view* missing) {
    Value table = values;
    for (auto const part : split(path, '.')) {
        auto const* found = table.is_map() ? table.find(part) : nullptr;
        if (found == nullptr || !found->is_map()) {
            if (missing != nullptr) *missing = part;
            return {};
        }
        table = found->unboxed();
    }
    return table;
}

std::string Instance::full_path() const {
    return parent == nullptr ? name() : parent->full_path() + "/charts/" + name();
}

std::unique_ptr<Instance> instantiate(Chart const& chart, Instance const* parent) {
    auto made = std::make_unique<Instance>();
    made->chart = &chart;
    made->metadata = chart.metadata;
    made->values = chart.values;
    made->parent = parent;
    for (auto const& sub : chart.dependencies) made->dependencies.push_back(instantiate(*sub, made.get()));
    return made;
}

Result<void> process_dependencies(Instance& root, Value const& values, Log& log) {
    if (auto done = Picker{log}.pick(root, values, ""); !done) return done;
    return import_values(root, log);
}

}  // namespace holdfast::helm
