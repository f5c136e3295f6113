// modules/text/gotemplate/value.cpp: storage of strings, lists and maps; destruction without recursion.
#include "modules/text/gotemplate/value.hpp"

#include "modules/base/assert.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <new>
#include <unordered_set>

namespace holdfast::gotemplate {

namespace detail {

struct String : Counted {
    std::size_t size = 0;
    char* data() { return reinterpret_cast<char*>(this + 1); }

    static String* make(std::string_view text) {
        void* memory = std::malloc(sizeof(String) + text.size() + 1);
        if (memory == nullptr) throw std::bad_alloc{};
        auto* made = new (memory) String;
        made->size = text.size();
        if (!text.empty()) std::memcpy(made->data(), text.data(), text.size());
        made->data()[text.size()] = '\0';
        return made;
    }
};

struct List : Counted {
    Type const* type = &types::list_any;
    std::vector<Value> items;
};

// Entries in any order until someone asks for the sorted ones; an index once a linear search would be slow.
struct Map : Counted {
    Type const* type = &types::map_any;
    std::vector<std::pair<Value, Value>> entries;
    std::vector<std::uint32_t> index;  // open addressing: position + 1, 0 is free
    bool sorted = true;

    static constexpr std::size_t kLinearMax = 8;
    static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

    std::size_t slot_of(std::string_view key) const {
        auto const mask = index.size() - 1;
        auto slot = std::hash<std::string_view>{}(key)&mask;
        while (index[slot] != 0 && entries[index[slot] - 1].first.as_string() != key) slot = (slot + 1) & mask;
        return slot;
    }

    std::size_t position(std::string_view key) const {
        if (entries.size() <= kLinearMax) {
            for (std::size_t i = 0; i < entries.size(); ++i)
                if (entries[i].first.as_string() == key) return i;
            return kNone;
        }
        auto const found = index[slot_of(key)];
        return found == 0 ? kNone : found - 1;
    }

    void reindex() {
        index.clear();
        if (entries.size() <= kLinearMax) return;
        std::size_t size = 32;
        while (size < entries.size() * 2) size *= 2;
        index.assign(size, 0);
        for (std::size_t i = 0; i < entries.size(); ++i)
            index[slot_of(entries[i].first.as_string())] = static_cast<std::uint32_t>(i + 1);
    }

    void add(Value key, Value value) {
        if (sorted && !entries.empty() && key.as_string() < entries.back().first.as_string()) sorted = false;
        entries.emplace_back(std::move(key), std::move(value));
        if (entries.size() <= kLinearMax) return;
        if (index.size() < entries.size() * 2) return reindex();
        index[slot_of(entries.back().first.as_string())] = static_cast<std::uint32_t>(entries.size());
    }

    void sort() {
        if (sorted) return;
        std::sort(entries.begin(), entries.end(),
                  [](auto const& a, auto const& b) { return a.first.as_string() < b.first.as_string(); });
        sorted = true;
        reindex();
    }
};

}  // namespace detail

namespace {

constexpr std::array<Type const*, 16> kScalarTypes{
    &types::integer,  &types::int8,   &types::int16,   &types::int32,  &types::int64,   &types::unsigned_integer,
    &types::uint8,    &types::uint16, &types::uint32,  &types::uint64, &types::float32, &types::float64,
    &types::duration, &types::month,  &types::weekday, &types::boolean};

std::uint8_t scalar_index(Type const& type) {
    for (std::size_t i = 0; i < kScalarTypes.size(); ++i)
        if (kScalarTypes[i] == &type) return static_cast<std::uint8_t>(i);
    HOLDFAST_ASSERT(!"scalar type is in the table");
    return 0;
}

/// Whether a list or map of the type may hold the value: readers of an []byte element look at no kind.
bool holds(Type const& container, Value const& value) {
    return container.elem->is_interface || is_assignable(value.type(), *container.elem);
}

// What lost its last holder and waits to be freed: nesting a million deep must not use a million stack frames.
struct Graveyard {
    std::vector<std::pair<Kind, detail::Counted*>> waiting;
    bool busy = false;
};
thread_local Graveyard graveyard;

}  // namespace

void Value::destroy() noexcept {
    if (bits_.kind == Kind::string || bits_.bytes) {
        std::free(payload_.string);
        return;
    }
    graveyard.waiting.emplace_back(bits_.kind, payload_.shared);
    if (graveyard.busy) return;
    graveyard.busy = true;
    while (!graveyard.waiting.empty()) {
        auto const [kind, shared] = graveyard.waiting.back();
        graveyard.waiting.pop_back();
        if (kind == Kind::slice) delete static_cast<detail::List*>(shared);
        else if (kind == Kind::map) delete static_cast<detail::Map*>(shared);
        else delete static_cast<Object*>(shared);
    }
    graveyard.busy = false;
}

Value Value::nil() {
    Value made;
    made.bits_.in_interface = true;
    return made;
}

Value Value::boolean(bool value) {
    Value made;
    made.bits_.kind = Kind::boolean;
    made.bits_.scalar_type = 15;
    made.payload_.number = value ? 1 : 0;
    return made;
}

Value Value::integer(std::int64_t value) {
    Value made;
    made.bits_.kind = Kind::integer;
    made.payload_.number = value;
    return made;
}

Value Value::integer(std::int64_t value, Type const& type) {
    auto made = integer(value);
    made.bits_.scalar_type = scalar_index(type);
    return made;
}

Value Value::unsigned_integer(std::uint64_t value, Type const& type) {
    Value made;
    made.bits_.kind = Kind::unsigned_integer;
    made.bits_.scalar_type = scalar_index(type);
    made.payload_.number = static_cast<std::int64_t>(value);
    return made;
}

Value Value::floating(double value, Type const& type) {
    Value made;
    made.bits_.kind = Kind::floating;
    made.bits_.scalar_type = scalar_index(type);
    made.payload_.real = value;
    return made;
}

Value Value::string(std::string_view text) {
    Value made;
    made.bits_.kind = Kind::string;
    if (!text.empty()) {
        made.payload_.string = detail::String::make(text);
        made.payload_.string->refs = 1;
    } else {
        made.payload_.shared = nullptr;
    }
    return made;
}

Value Value::bytes(std::string_view text) {
    Value made;
    made.bits_.kind = Kind::slice;
    made.bits_.bytes = true;
    made.payload_.string = detail::String::make(text);
    made.payload_.string->refs = 1;
    return made;
}

Value Value::list(std::vector<Value> items, Type const& type) {
    Value made;
    made.bits_.kind = Kind::slice;
    auto* list = new detail::List;
    list->refs = 1;
    list->type = &type;
    list->items = std::move(items);
    for (auto& item : list->items) {
        HOLDFAST_ASSERT(holds(type, item));
        item.bits_.in_interface = false;
    }
    made.payload_.list = list;
    return made;
}

Value Value::list_of_strings(std::span<std::string const> items) {
    std::vector<Value> values;
    values.reserve(items.size());
    for (auto const& item : items) values.push_back(Value::string(item));
    return list(std::move(values), types::list_string);
}

Value Value::map(Type const& type) {
    Value made;
    made.bits_.kind = Kind::map;
    auto* map = new detail::Map;
    map->refs = 1;
    map->type = &type;
    made.payload_.map = map;
    return made;
}

Value Value::object(Object* adopted) {
    Value made;
    made.bits_.kind = adopted->type().kind;
    adopted->refs = 1;
    made.payload_.shared = adopted;
    return made;
}

Value Value::zero(Type const& type) {
    switch (type.kind) {
        case Kind::invalid: return nil();
        case Kind::boolean: return boolean(false);
        case Kind::integer: return integer(0, type);
        case Kind::unsigned_integer: return unsigned_integer(0, type);
        case Kind::floating: return floating(0, type);
        case Kind::string: return string("");
        default: break;
    }
    // A nil slice, map or pointer has no storage. It is remembered by kind; its type is the plain one.
    Value made;
    made.bits_.kind = type.kind;
    made.bits_.bytes = &type == &types::bytes;
    made.bits_.scalar_type = &type == &types::list_string ? 1 : &type == &types::map_string ? 2 : 0;
    made.payload_.shared = nullptr;
    return made;
}

/// Types that maps are seen as, by number. Filled by the first use of each; never emptied.
static std::array<std::atomic<Type const*>, 16> kViews{};

Type const& Value::type() const {
    switch (bits_.kind) {
        case Kind::boolean: return types::boolean;
        case Kind::integer:
        case Kind::unsigned_integer:
        case Kind::floating: return *kScalarTypes[bits_.scalar_type];
        case Kind::string: return types::string;
        case Kind::slice:
            if (bits_.bytes) return types::bytes;
            if (payload_.list == nullptr) return bits_.scalar_type == 1 ? types::list_string : types::list_any;
            return *payload_.list->type;
        case Kind::map:
            if (payload_.map == nullptr) return bits_.scalar_type == 2 ? types::map_string : types::map_any;
            if (bits_.view != 0) return *kViews[bits_.view].load(std::memory_order_relaxed);
            return *payload_.map->type;
        case Kind::structure:
        case Kind::pointer:
            if (payload_.shared != nullptr) return static_cast<Object*>(payload_.shared)->type();
            return types::error;
        default: return types::any;
    }
}

bool Value::is_nil() const {
    switch (bits_.kind) {
        case Kind::invalid: return true;
        case Kind::slice:
        case Kind::map:
        case Kind::pointer: return payload_.shared == nullptr;
        default: return false;
    }
}

Value Value::boxed() const& {
    Value copy = *this;
    copy.bits_.in_interface = true;
    if (copy.bits_.kind == Kind::structure) copy.bits_.scalar_type = 0;
    return copy;
}
Value Value::boxed() && {
    bits_.in_interface = true;
    if (bits_.kind == Kind::structure) bits_.scalar_type = 0;
    return std::move(*this);
}
Value Value::addressed(bool yes) const {
    Value copy = *this;
    if (bits_.kind == Kind::structure) copy.bits_.scalar_type = yes ? kAddressable : 0;
    return copy;
}
Value Value::unboxed() const& {
    Value copy = *this;
    copy.bits_.in_interface = false;
    return copy;
}
Value Value::unboxed() && {
    bits_.in_interface = false;
    return std::move(*this);
}

std::string_view Value::as_string() const {
    HOLDFAST_ASSERT(is_string() || is_bytes());
    return payload_.string == nullptr ? std::string_view{}
                                      : std::string_view{payload_.string->data(), payload_.string->size};
}

std::size_t Value::size() const {
    if (bits_.kind < Kind::string || payload_.shared == nullptr) return 0;
    if (bits_.kind == Kind::string || bits_.bytes) return payload_.string->size;
    if (bits_.kind == Kind::slice) return payload_.list->items.size();
    if (bits_.kind == Kind::map) return payload_.map->entries.size();
    return 0;
}

Value Value::at(std::size_t index) const {
    HOLDFAST_ASSERT(is_list() && index < size());
    if (bits_.bytes) return unsigned_integer(static_cast<unsigned char>(as_string()[index]), types::uint8);
    auto item = payload_.list->items[index];
    item.bits_.in_interface = payload_.list->type->elem->is_interface;
    return item;
}

std::span<Value const> Value::items() const {
    HOLDFAST_ASSERT(is_list() && !bits_.bytes);
    if (payload_.list == nullptr) return {};
    return payload_.list->items;
}

void Value::push_back(Value item) {
    HOLDFAST_ASSERT(is_list() && !bits_.bytes && payload_.list != nullptr);
    HOLDFAST_ASSERT(holds(*payload_.list->type, item));
    item.bits_.in_interface = false;
    payload_.list->items.push_back(std::move(item));
}

Value const* Value::find(std::string_view key) const {
    if (payload_.map == nullptr) return nullptr;
    HOLDFAST_ASSERT(is_map());
    auto const position = payload_.map->position(key);
    return position == detail::Map::kNone ? nullptr : &payload_.map->entries[position].second;
}

Value Value::lookup(std::string_view key) const {
    auto const* found = find(key);
    if (found == nullptr) return {};
    auto value = *found;
    value.bits_.in_interface = payload_.map->type->elem->is_interface;
    return value;
}

void Value::set(std::string_view key, Value value) { put(nullptr, key, std::move(value)); }

void Value::set(Value const& key, Value value) { put(&key, key.as_string(), std::move(value)); }

Result<void> Value::assign(Value const& key, Value value) {
    auto const& wanted = *type().elem;
    auto const& from = value.static_type();
    if (!is_assignable(from, wanted))
        return fail(Errc::invalid_input, "reflect.Value.SetMapIndex: value of type " + std::string{from.name} +
                                             " is not assignable to type " + std::string{wanted.name});
    set(key, std::move(value));
    return {};
}

void Value::put(Value const* key, std::string_view name, Value value) {
    HOLDFAST_ASSERT(is_map() && payload_.map != nullptr);
    HOLDFAST_ASSERT(holds(*payload_.map->type, value));
    value.bits_.in_interface = false;
    auto const position = payload_.map->position(name);
    if (position != detail::Map::kNone) payload_.map->entries[position].second = std::move(value);
    else payload_.map->add(key != nullptr ? key->unboxed() : string(name), std::move(value));
}

bool Value::erase(std::string_view key) {
    if (payload_.map == nullptr) return false;
    HOLDFAST_ASSERT(is_map());
    auto& map = *payload_.map;
    auto const position = map.position(key);
    if (position == detail::Map::kNone) return false;
    map.entries.erase(map.entries.begin() + static_cast<std::ptrdiff_t>(position));
    map.reindex();
    return true;
}

std::span<std::pair<Value, Value> const> Value::entries() const {
    if (payload_.map == nullptr) return {};
    HOLDFAST_ASSERT(is_map());
    payload_.map->sort();
    return payload_.map->entries;
}

void Value::retype(Type const& type) {
    HOLDFAST_ASSERT(is_map() && payload_.map != nullptr && payload_.map->type->elem == type.elem);
    payload_.map->type = &type;
}

Value Value::viewed_as(Type const& type) const {
    HOLDFAST_ASSERT(is_map() && payload_.map != nullptr && payload_.map->type->elem == type.elem);
    Value view = *this;
    view.bits_.view = 0;
    if (payload_.map->type == &type) return view;
    for (std::uint32_t i = 1; i < kViews.size(); ++i) {
        Type const* free = nullptr;
        if (kViews[i].load(std::memory_order_relaxed) == &type || kViews[i].compare_exchange_strong(free, &type) ||
            free == &type) {
            view.bits_.view = i;
            return view;
        }
    }
    HOLDFAST_ASSERT(!"too many view types");
    return view;
}

Object* Value::as_object() const {
    HOLDFAST_ASSERT(kind() == Kind::structure || kind() == Kind::pointer);
    return static_cast<Object*>(payload_.shared);
}

void const* Value::identity() const { return bits_.kind >= Kind::string ? payload_.shared : nullptr; }

bool is_true(Value const& value) {
    switch (value.kind()) {
        case Kind::boolean: return value.as_bool();
        case Kind::integer:
        case Kind::unsigned_integer: return value.as_int() != 0;
        case Kind::floating: return value.as_float() != 0;
        case Kind::string:
        case Kind::slice:
        case Kind::map: return value.size() > 0;
        case Kind::structure: return true;
        case Kind::pointer: return !value.is_nil();
        default: return false;
    }
}

namespace {

constexpr std::size_t kBytesLikeOneValue = 128;  // compared in the time that one value takes

enum class Verdict { equal, different, look_inside };

// What two values say without their elements.
Verdict compare_outside(Value const& left, Value const& right, Looked& looked) {
    auto const verdict = [](bool same) { return same ? Verdict::equal : Verdict::different; };
    if (left.kind() != right.kind()) return Verdict::different;
    if (left.kind() == Kind::invalid) return Verdict::equal;
    if (&left.type() != &right.type()) return Verdict::different;
    switch (left.kind()) {
        case Kind::boolean: return verdict(left.as_bool() == right.as_bool());
        case Kind::integer:
        case Kind::unsigned_integer: return verdict(left.as_int() == right.as_int());
        case Kind::floating: return verdict(left.as_float() == right.as_float());
        case Kind::string:
        case Kind::slice:
        case Kind::map: break;
        case Kind::structure:
        case Kind::pointer:
            return verdict(left.as_object() == right.as_object() ||
                           (left.as_object() && right.as_object() && left.as_object()->equals(*right.as_object())));
        default: return Verdict::different;
    }
    if (left.is_nil() != right.is_nil() || left.size() != right.size()) return Verdict::different;
    if (left.identity() == right.identity()) return Verdict::equal;
    if (!left.is_string() && !left.is_bytes()) return Verdict::look_inside;
    looked.count += left.size() / kBytesLikeOneValue;
    return verdict(left.as_string() == right.as_string());
}

struct PairHash {
    std::size_t operator()(std::pair<void const*, void const*> const& pair) const {
        return std::hash<void const*>{}(pair.first) * 31 + std::hash<void const*>{}(pair.second);
    }
};

}  // namespace

std::optional<bool> deep_equal(Value const& left, Value const& right, Looked& looked) {
    // Two containers on the way down, and how many of their elements are done. No recursion: values nest without bound.
    struct Frame {
        Value const *left, *right;
        std::size_t done = 0;
    };
    std::vector<Frame> open;
    // As reflect.DeepEqual: two that were met before are equal, or somebody else says no. Without it a value that shares
    // its parts would take time exponential in its depth.
    std::unordered_set<std::pair<void const*, void const*>, PairHash> met;
    auto const enter = [&](Value const& a, Value const& b) -> std::optional<bool> {
        if (++looked.count > looked.max) return std::nullopt;
        auto const verdict = compare_outside(a, b, looked);
        if (verdict == Verdict::look_inside && met.emplace(a.identity(), b.identity()).second) open.push_back({&a, &b});
        return verdict != Verdict::different;
    };
    auto same = enter(left, right);
    while (same == true && !open.empty()) {
        auto& frame = open.back();
        if (frame.done == frame.left->size()) {
            open.pop_back();
            continue;
        }
        auto const at = frame.done++;
        if (frame.left->is_list()) {
            same = enter(frame.left->items()[at], frame.right->items()[at]);
            continue;
        }
        auto const& [left_key, left_item] = frame.left->entries()[at];
        auto const& [right_key, right_item] = frame.right->entries()[at];
        looked.count += left_key.size() / kBytesLikeOneValue;
        same = left_key.as_string() == right_key.as_string() ? enter(left_item, right_item) : false;
    }
    return same;
}

}  // namespace holdfast::gotemplate
