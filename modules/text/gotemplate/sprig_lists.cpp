// modules/text/gotemplate/sprig_lists.cpp: sprig's list functions; each has a twin whose name starts with "must".
#include "modules/text/gotemplate/sprig.hpp"
#include "modules/text/gotemplate/sprig_common.hpp"

#include <algorithm>
#include <cmath>

namespace holdfast::gotemplate {

namespace {

using namespace sprig;

// The elements of argument `index`, or the error sprig gives for what is not a list ("Cannot WHAT type string").
Result<std::vector<Value>> items_of(Call& call, std::size_t index, std::string_view what) {
    auto const& list = call[index];
    if (list.kind() == Kind::invalid) return bad(kNilDereference);
    if (!list.is_list()) return bad(std::string{what} + " type " + std::string{kind_name(list)});
    if (auto charged = call.charge_bytes(list.size() * sizeof(Value)); !charged) return fail(std::move(charged));
    if (auto charged = call.charge_steps(list.size() / 4); !charged) return fail(std::move(charged));
    return elements(list);
}

Result<bool> holds(Call& call, std::vector<Value> const& list, Value const& wanted) {
    for (auto const& item : list)
        if (auto same = call.equal(wanted, item); !same || *same) return same;
    return false;
}

Result<Value> append(Call& call) {
    auto items = items_of(call, 0, "Cannot push on");
    if (!items) return fail(std::move(items));
    items->push_back(call[1]);
    return Value::list(*std::move(items));
}

Result<Value> prepend(Call& call) {
    auto items = items_of(call, 0, "Cannot prepend on");
    if (!items) return fail(std::move(items));
    items->insert(items->begin(), call[1]);
    return Value::list(*std::move(items));
}

Result<Value> first(Call& call) {
    if (call[0].kind() == Kind::invalid) return bad(kNilDereference);
    if (!call[0].is_list()) return bad("Cannot find first on type " + std::string{kind_name(call[0])});
    return call[0].size() == 0 ? Value::nil() : call[0].at(0);
}

Result<Value> last(Call& call) {
    if (call[0].kind() == Kind::invalid) return bad(kNilDereference);
    if (!call[0].is_list()) return bad("Cannot find last on type " + std::string{kind_name(call[0])});
    return call[0].size() == 0 ? Value::nil() : call[0].at(call[0].size() - 1);
}

Result<Value> rest(Call& call) {
    auto items = items_of(call, 0, "Cannot find rest on");
    if (!items) return fail(std::move(items));
    if (items->empty()) return Value::zero(types::list_any);
    items->erase(items->begin());
    return Value::list(*std::move(items));
}

Result<Value> initial(Call& call) {
    auto items = items_of(call, 0, "Cannot find initial on");
    if (!items) return fail(std::move(items));
    if (items->empty()) return Value::zero(types::list_any);
    items->pop_back();
    return Value::list(*std::move(items));
}

Result<Value> reverse(Call& call) {
    auto items = items_of(call, 0, "Cannot find reverse on");
    if (!items) return fail(std::move(items));
    std::reverse(items->begin(), items->end());
    return Value::list(*std::move(items));
}

Result<Value> compact(Call& call) {
    auto items = items_of(call, 0, "Cannot compact on");
    if (!items) return fail(std::move(items));
    std::erase_if(*items, is_empty);
    return Value::list(*std::move(items));
}

Result<Value> uniq(Call& call) {
    auto const items = items_of(call, 0, "Cannot find uniq on");
    if (!items) return std::unexpected{items.error()};
    std::vector<Value> kept;
    for (auto const& item : *items) {
        auto const known = holds(call, kept, item);
        if (!known) return std::unexpected{known.error()};
        if (!*known) kept.push_back(item);
    }
    return Value::list(std::move(kept));
}

Result<Value> without(Call& call) {
    auto const items = items_of(call, 0, "Cannot find without on");
    if (!items) return std::unexpected{items.error()};
    std::vector<Value> const omitted{call.args().begin() + 1, call.args().end()};
    std::vector<Value> kept;
    for (auto const& item : *items) {
        auto const unwanted = holds(call, omitted, item);
        if (!unwanted) return std::unexpected{unwanted.error()};
        if (!*unwanted) kept.push_back(item);
    }
    return Value::list(std::move(kept));
}

Result<Value> has(Call& call) {
    if (call[1].kind() == Kind::invalid) return Value::boolean(false);
    auto const items = items_of(call, 1, "Cannot find has on");
    if (!items) return std::unexpected{items.error()};
    auto const held = holds(call, *items, call[0]);
    if (!held) return std::unexpected{held.error()};
    return Value::boolean(*held);
}

Result<Value> slice(Call& call) {
    auto const items = items_of(call, 0, "list should be type of slice or array but");
    if (!items) {
        auto message = items.error().message;
        if (auto const at = message.find(" but type "); at != std::string::npos) message.replace(at, 10, " but ");
        return fail(items.error().code, std::move(message));
    }
    if (items->empty()) return Value::nil();
    auto const size = static_cast<std::int64_t>(items->size());
    auto const start = call.size() > 1 ? to_int64(call[1]) : 0;
    auto const end = call.size() > 2 ? to_int64(call[2]) : size;
    if (start < 0 || end < start || end > size) return bad("reflect.Value.Slice: slice index out of bounds");
    if (call[0].is_bytes())
        return Value::bytes(
            call[0].as_string().substr(static_cast<std::size_t>(start), static_cast<std::size_t>(end - start)));
    return Value::list({items->begin() + start, items->begin() + end}, call[0].type());
}

Result<Value> concat(Call& call) {
    std::vector<Value> joined;
    for (std::size_t i = 0; i < call.size(); ++i) {
        if (call[i].kind() != Kind::invalid && !call[i].is_list())
            return bad("Cannot concat type " + std::string{kind_name(call[i])} + " as list");
        auto items = items_of(call, i, "");
        if (!items) return fail(std::move(items));
        joined.insert(joined.end(), items->begin(), items->end());
    }
    if (joined.empty()) return Value::zero(types::list_any);
    return Value::list(std::move(joined));
}

Result<Value> chunk(Call& call) {
    auto const items = items_of(call, 1, "Cannot chunk");
    if (!items) return std::unexpected{items.error()};
    // Go counts in floating point, which is what makes sizes of zero and less come out as they do.
    auto const size = call.integer(0);
    auto const length = static_cast<double>(items->size());
    auto const count = truncated(std::floor((length - 1) / static_cast<double>(size)));
    if (size == 0 || count < -1) return bad(kMakeSlice);
    std::vector<Value> chunks;
    std::size_t at = 0;
    for (std::int64_t i = 0; i <= count; ++i) {
        auto wanted = i == count ? truncated(std::floor(std::fmod(length, static_cast<double>(size)))) : size;
        if (wanted == 0) wanted = size;
        if (wanted < 0) return bad(kMakeSlice);
        auto const begin = items->begin() + static_cast<std::ptrdiff_t>(at);
        chunks.push_back(Value::list({begin, begin + wanted}));
        at += static_cast<std::size_t>(wanted);
    }
    return Value::list(std::move(chunks), types::list_list);
}

}  // namespace

void add_sprig_lists(FuncMap& funcs) {
    auto const list = [](Call& call) -> Result<Value> { return Value::list({call.args().begin(), call.args().end()}); };
    funcs.add("list", "...any -> []any", list);
    funcs.add("tuple", "...any -> []any", list);
    funcs.add("concat", "...any -> any", concat);
    auto const pair = [&](std::string_view name, std::string_view must, std::string_view signature,
                          Result<Value> (*function)(Call&)) {
        funcs.add(name, signature, function);
        funcs.add(must, signature, function);
    };
    pair("append", "mustAppend", "any, any -> []any", append);
    pair("push", "mustPush", "any, any -> []any", append);
    pair("prepend", "mustPrepend", "any, any -> []any", prepend);
    pair("first", "mustFirst", "any -> any", first);
    pair("last", "mustLast", "any -> any", last);
    pair("rest", "mustRest", "any -> []any", rest);
    pair("initial", "mustInitial", "any -> []any", initial);
    pair("reverse", "mustReverse", "any -> []any", reverse);
    pair("compact", "mustCompact", "any -> []any", compact);
    pair("uniq", "mustUniq", "any -> []any", uniq);
    pair("without", "mustWithout", "any, ...any -> []any", without);
    pair("has", "mustHas", "any, any -> bool", has);
    pair("slice", "mustSlice", "any, ...any -> any", slice);
    pair("chunk", "mustChunk", "int, any -> [][]any", chunk);
}

}  // namespace holdfast::gotemplate
