// modules/text/gotemplate/sprig_dicts.cpp: sprig's dictionaries; merge as dario.cat/mergo v1.0.1 does it.
#include "modules/text/gotemplate/sprig.hpp"
#include "modules/text/gotemplate/sprig_common.hpp"

#include <unordered_set>

namespace holdfast::gotemplate {

namespace {

using namespace sprig;

constexpr int kMergeDepthMax = 1'000;

Result<Value> dict(Call& call) {
    auto made = Value::map();
    for (std::size_t i = 0; i < call.size(); i += 2) {
        auto const value = i + 1 < call.size() ? call[i + 1] : Value::string("");
        if (call[i].is_string()) made.set(call[i], value);
        else made.set(to_text_strict(call[i]), value);
    }
    return made;
}

Result<Value> get(Call& call) {
    auto const* found = call[0].find(call.text(1));
    return found != nullptr ? *found : Value::string("");
}

Result<Value> set(Call& call) {
    if (call[0].is_nil()) return bad("assignment to entry in nil map");
    call[0].set(call[1], call[2]);
    return call[0];
}

Result<Value> unset(Call& call) {
    if (auto charged = call.charge_steps(call[0].size() / 4); !charged) return fail(std::move(charged));
    call[0].erase(call.text(1));
    return call[0];
}

Result<Value> pluck(Call& call) {
    std::vector<Value> found;
    for (auto const& map : call.args().subspan(1))
        if (auto const* value = map.find(call.text(0))) found.push_back(*value);
    return Value::list(std::move(found));
}

Result<Value> keys(Call& call) {
    std::vector<Value> names;
    for (auto const& map : call.args()) {
        if (auto charged = call.charge_bytes(map.size() * sizeof(Value)); !charged) return fail(std::move(charged));
        if (auto charged = call.charge_steps(map.size()); !charged) return fail(std::move(charged));
        for (auto const& [key, value] : map.entries()) names.push_back(key);
    }
    return Value::list(std::move(names), types::list_string);
}

Result<Value> values(Call& call) {
    if (auto charged = call.charge_bytes(call[0].size() * sizeof(Value)); !charged) return fail(std::move(charged));
    if (auto charged = call.charge_steps(call[0].size() / 4); !charged) return fail(std::move(charged));
    std::vector<Value> items;
    for (auto const& [key, value] : call[0].entries()) items.push_back(value);
    return Value::list(std::move(items));
}

Result<Value> pick(Call& call) {
    auto made = Value::map();
    for (auto const& key : call.args().subspan(1))
        if (auto const* value = call[0].find(key.as_string())) made.set(key, *value);
    return made;
}

Result<Value> omit(Call& call) {
    if (auto charged = call.charge_bytes(call[0].size() * 2 * sizeof(Value)); !charged) return fail(std::move(charged));
    if (auto charged = call.charge_steps(call[0].size()); !charged) return fail(std::move(charged));
    std::unordered_set<std::string_view> unwanted;
    for (auto const& key : call.args().subspan(1)) unwanted.insert(key.as_string());
    auto made = Value::map();
    for (auto const& [key, value] : call[0].entries())
        if (!unwanted.contains(key.as_string())) made.set(key, value);
    return made;
}

// mergo.isEmptyValue with dereferencing.
bool is_blank(Value const* value) {
    if (value == nullptr) return true;
    if (value->kind() == Kind::structure || value->kind() == Kind::function) return false;
    return !is_true(*value);
}

Result<void> merge_into(Call& call, Value destination, Value const& source, bool overwrite, int depth) {
    if (depth > kMergeDepthMax) return fail(Errc::limit, "maps to merge nest too deep");
    if (destination.identity() == source.identity()) return {};
    auto const entries = source.entries();
    if (auto charged = call.charge_steps(entries.size()); !charged) return fail(std::move(charged));
    // A copy: source and destination may share parts.
    std::vector<std::pair<Value, Value>> const held{entries.begin(), entries.end()};
    auto const in_interface = source.is_nil() || source.type().elem->is_interface;
    for (auto const& [key, value] : held) {
        auto const* found = destination.find(key.as_string());
        auto const element = in_interface ? value.boxed() : value;
        if (value.kind() == Kind::invalid) {
            if (!overwrite) continue;
            if (auto set = destination.assign(key, element); !set) return set;
            continue;
        }
        auto const blank = is_blank(found);
        if (value.is_map() && found != nullptr && found->is_map() && !found->is_nil()) {
            if (auto merged = merge_into(call, *found, value, overwrite, depth + 1); !merged) return merged;
            if (!blank) continue;
            found = destination.find(key.as_string());
        }
        if (value.is_list()) {
            if (found != nullptr && found->is_string() && &destination.type() == &types::map_string)
                return bad("reflect: call of reflect.Value.IsNil on string Value");
            // mergo takes a list out of its interface first: that is the type which the map may refuse.
            if (overwrite || blank)
                if (auto set = destination.assign(key, value); !set) return set;
            if (!blank) continue;
        }
        if (!overwrite && !is_blank(found)) continue;
        if (auto set = destination.assign(key, element); !set) return set;
    }
    return {};
}

// mergo itself never fails here: what does is a panic of reflect, which no twin of the function hides.
Result<Value> merge(Call& call, bool overwrite) {
    auto destination = call[0].is_nil() ? Value::map() : call[0];
    for (auto const& source : call.args().subspan(1))
        if (auto merged = merge_into(call, destination, source, overwrite, 0); !merged) return fail(std::move(merged));
    return destination;
}

Result<Value> dig(Call& call) {
    if (call.size() < 3) return bad("dig needs at least three arguments");
    auto const last = call.size() - 1;
    auto const is_plain_map = [](Value const& value) { return value.is_map() && &value.type() == &types::map_any; };
    if (!is_plain_map(call[last])) return bad(assertion_text(call[last], "map[string]interface {}"));
    for (std::size_t i = 0; i + 1 < last; ++i)
        if (!call[i].is_string()) return bad(assertion_text(call[i], "string"));
    Value at = call[last];
    for (std::size_t i = 0; i + 1 < last; ++i) {
        if (!is_plain_map(at)) return bad(assertion_text(at, "map[string]interface {}"));
        auto const* next = at.find(call.text(i));
        if (next == nullptr) return call[last - 1];
        auto step = *next;
        at = std::move(step);
    }
    return at;
}

}  // namespace

void add_sprig_dicts(FuncMap& funcs) {
    funcs.add("dict", "...any -> map", dict);
    funcs.add("get", "map, string -> any", get);
    funcs.add("set", "map, string, any -> map", set);
    funcs.add("unset", "map, string -> map", unset);
    funcs.add("hasKey", "map, string -> bool",
              [](Call& call) -> Result<Value> { return Value::boolean(call[0].find(call.text(1)) != nullptr); });
    funcs.add("pluck", "string, ...map -> []any", pluck);
    funcs.add("keys", "...map -> []string", keys);
    funcs.add("values", "map -> []any", values);
    funcs.add("pick", "map, ...string -> map", pick);
    funcs.add("omit", "map, ...string -> map", omit);
    for (auto const* name : {"merge", "mustMerge"})
        funcs.add(name, "map, ...map -> any", [](Call& call) { return merge(call, false); });
    for (auto const* name : {"mergeOverwrite", "mustMergeOverwrite"})
        funcs.add(name, "map, ...map -> any", [](Call& call) { return merge(call, true); });
    funcs.add("dig", "...any -> any", dig);
}

}  // namespace holdfast::gotemplate
