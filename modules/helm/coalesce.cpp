// modules/helm/coalesce.cpp: how a chart's defaults and the user's values become one map per chart.
#include "modules/helm/instance.hpp"

#include "modules/text/gotemplate/fmt.hpp"
#include "modules/text/gotemplate/strconv.hpp"

#include <set>

namespace holdfast::helm {

using gotemplate::Value;

namespace {

std::string join(std::string const& prefix, std::string_view name) {
    return prefix.empty() ? std::string{name} : prefix + '.' + std::string{name};
}

std::vector<Value> keys_of(Value const& map) {
    std::vector<Value> keys;
    for (auto const& [key, value] : map.entries()) keys.push_back(key);
    return keys;
}

/// Helm's log.Printf, which its logger shows as information; a line end at the end goes.
void note(Log& log, std::string_view text) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    log.push_back(log_line("INFO", text));
}

/// Deletes every null in a tree of maps, in place.
void clean_nils(Value& map) {
    for (auto const& key : keys_of(map)) {
        auto const* found = map.find(key.as_string());
        if (found->is_map()) {
            auto inner = found->unboxed();
            clean_nils(inner);
        } else if (found->is_nil()) {
            map.erase(key.as_string());
        }
    }
}

class Coalescer {
public:
    Coalescer(bool merge, Log& log) : merge_(merge), log_(log) {}

    Result<void> chart(Instance const& chart, Value& into, std::string const& prefix) {
        own_values(chart, into, prefix);
        for (auto const& sub : chart.dependencies) {
            auto const& name = sub->name();
            auto const* existing = into.find(name);
            if (existing == nullptr) {
                into.set(name, Value::map().boxed());
            } else if (!existing->is_map()) {
                Value const shown[] = {*existing};
                std::string text;
                gotemplate::printf(text, "%t", shown);
                return fail(Errc::invalid_input, "type mismatch on " + name + ": " + text);
            }
            Value table = into.find(name)->unboxed();
            auto const path = join(prefix, chart.name());
            globals(table, into, path);
            auto done = this->chart(*sub, table, path);
            if (!done) return done;
        }
        return {};
    }

private:
    void warn(std::string_view text) { note(log_, text); }

    /// Passes `global` of the parent down, under what the child already has.
    void globals(Value& into, Value const& from, std::string const& prefix) {
        Value target = Value::map();
        if (auto const* existing = into.find("global")) {
            if (!existing->is_map())
                return warn("warning: skipping globals because destination global is not a table.");
            target = existing->unboxed();
        }
        Value source = Value::map();
        if (auto const* existing = from.find("global")) {
            if (!existing->is_map()) return warn("warning: skipping globals because source global is not a table.");
            source = existing->unboxed();
        }
        for (auto const& key : keys_of(source)) {
            auto const name = key.as_string();
            Value const value = *source.find(name);
            auto const* have = target.find(name);
            if (value.is_map()) {
                Value copy = Value::map();
                for (auto const& [k, v] : value.entries()) copy.set(k, v);
                if (have == nullptr) {
                    target.set(key, std::move(copy).boxed());
                } else if (!have->is_map()) {
                    warn("Conflict: cannot merge map onto non-map for " + gotemplate::quote(name) + ". Skipping.");
                } else {
                    coalesce_tables(copy, have->unboxed(), true, join(prefix, name), log_);
                    target.set(key, std::move(copy).boxed());
                }
            } else if (have != nullptr && have->is_map()) {
                warn("key " + std::string{name} + " is table. Skipping");
            } else {
                target.set(key, value.boxed());
            }
        }
        into.set("global", std::move(target).boxed());
    }

    static bool is_subchart(Instance const& chart, std::string_view name) {
        for (auto const& sub : chart.dependencies) {
            if (sub->name() == name) return true;
        }
        return false;
    }

    void own_values(Instance const& chart, Value& into, std::string const& prefix) {
        if (!chart.values.is_map()) return;
        auto const path = join(prefix, chart.name());
        Value defaults = deep_copy(chart.values);
        for (auto const& key : keys_of(defaults)) {
            auto const name = key.as_string();
            Value fallback = defaults.find(name)->unboxed();
            auto const* given = into.find(name);
            if (given == nullptr) {
                if (!merge_) {
                    if (fallback.is_nil() && !fallback.is_map()) continue;
                    if (fallback.is_map()) clean_nils(fallback);
                }
                into.set(key, std::move(fallback).boxed());
                continue;
            }
            if (given->is_map()) {
                if (!fallback.is_map()) {
                    if (!fallback.is_nil())
                        warn("warning: skipped value for " + path + '.' + std::string{name} + ": Not a table.");
                    continue;
                }
                bool const merge = merge_ || is_subchart(chart, name);
                if (!merge) clean_nils(fallback);
                Value table = given->unboxed();
                coalesce_tables(table, std::move(fallback), merge, join(path, name), log_);
            } else if (given->is_nil() && !merge_) {
                into.erase(name);
            }
        }
    }

    bool merge_;
    Log& log_;
};

}  // namespace

Value deep_copy(Value const& value) {
    if (value.is_map()) {
        if (value.is_nil()) return Value::map();
        Value copy = Value::map();
        for (auto const& [key, item] : value.entries()) copy.set(key, deep_copy(item));
        return value.in_interface() ? std::move(copy).boxed() : copy;
    }
    if (value.is_list() && !value.is_bytes() && !value.is_nil()) {
        std::vector<Value> items;
        items.reserve(value.size());
        for (auto const& item : value.items()) items.push_back(deep_copy(item));
        auto copy = Value::list(std::move(items), value.type());
        return value.in_interface() ? std::move(copy).boxed() : copy;
    }
    return value;
}

void coalesce_tables(Value& into, Value from, bool merge, std::string const& prefix, Log& log) {
    std::set<std::string, std::less<>> given_before;  // keys of `from` that had a value
    for (auto const& [key, value] : from.entries()) {
        if (value.is_map() || !value.is_nil()) given_before.emplace(key.as_string());
    }
    for (auto const& [key, value] : into.entries()) {
        if (!value.is_map() && value.is_nil()) from.set(key, Value::nil());
    }
    for (auto const& key : keys_of(from)) {
        auto const name = key.as_string();
        Value const fallback = *from.find(name);
        auto const* have = into.find(name);
        if (have == nullptr) {
            into.set(key, fallback.boxed());
            continue;
        }
        bool const null = !have->is_map() && have->is_nil();
        if (!merge && null && given_before.contains(name)) {
            into.erase(name);
        } else if (fallback.is_map()) {
            if (have->is_map()) {
                Value table = have->unboxed();
                coalesce_tables(table, fallback.unboxed(), merge, join(prefix, name), log);
            } else {
                note(log, "warning: cannot overwrite table with non table for " + join(prefix, name) + " (" +
                              gotemplate::to_text(fallback) + ')');
            }
        } else if (have->is_map() && !fallback.is_nil()) {
            note(log, "warning: destination for " + join(prefix, name) + " is a table. Ignoring non-table value (" +
                          gotemplate::to_text(fallback) + ')');
        }
    }
}

Result<Value> coalesce_values(Instance const& root, Value const& values, bool merge, Log& log) {
    Value result = values.is_map() ? deep_copy(values).unboxed() : Value::map();
    Coalescer coalescer{merge, log};
    if (auto done = coalescer.chart(root, result, ""); !done) return fail(std::move(done));
    return result;
}

}  // namespace holdfast::helm
