// modules/patch/json_patch.cpp: the six operations, with the habits and words of evanphx/json-patch v4.
#include "modules/patch/json_patch.hpp"

#include "modules/base/limits.hpp"
#include "modules/patch/field.hpp"
#include "modules/patch/json_node.hpp"
#include "modules/yaml/go_number.hpp"
#include "modules/yaml/json.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace holdfast::patch {

namespace json = boost::json;

namespace {

std::unexpected<Error> refused(std::string message) { return fail(Errc::invalid_input, std::move(message)); }

std::string_view go_kind(json::value const& value) {
    switch (value.kind()) {
        case json::kind::object: return "object";
        case json::kind::array: return "array";
        case json::kind::string: return "string";
        case json::kind::bool_: return "bool";
        case json::kind::null: return "null";
        default: return "number";
    }
}

/// A text field of an operation, or why it is none.
Result<std::string> text_of(json::object const& operation, std::string_view name, std::string_view missing) {
    auto const* const found = operation.if_contains(name);
    if (!found || found->is_null()) return refused(std::string{missing} + ": missing value");
    if (auto const* const text = found->if_string()) return std::string{*text};
    return refused("json: cannot unmarshal " + std::string{go_kind(*found)} + " into Go value of type string");
}

/// ~1 and ~0 of a JSON pointer.
std::string unescaped(std::string_view part) {
    std::string text;
    text.reserve(part.size());
    for (std::size_t i = 0; i < part.size(); ++i) {
        if (part[i] == '~' && i + 1 < part.size() && (part[i + 1] == '0' || part[i + 1] == '1')) {
            text += part[++i] == '1' ? '/' : '~';
        } else {
            text += part[i];
        }
    }
    return text;
}

Result<long> index_in(std::string_view key) {
    auto const digits = key.substr(key.starts_with('+') ? 1 : 0);
    long index = 0;
    auto const [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    auto const range = ec == std::errc::result_out_of_range;
    if (ec == std::errc{} && end == digits.data() + digits.size()) return index;
    return refused("strconv.Atoi: parsing \"" + std::string{key} +
                   "\": " + (range ? "value out of range" : "invalid syntax"));
}

std::unexpected<Error> bad_index(long index) {
    return refused("Unable to access invalid index: " + std::to_string(index) + ": invalid index referenced");
}

/// Negative counts from the end; `size` itself is outside.
Result<std::size_t> place_in(std::string_view key, std::size_t size) {
    auto const index = index_in(key);
    if (!index) return std::unexpected{index.error()};
    auto const length = static_cast<long>(size);
    if (*index >= length || *index < -length) return bad_index(*index);
    return static_cast<std::size_t>(*index < 0 ? *index + length : *index);
}

/// Where a pointer's last part points: a name in an object, or an index in an array.
struct Place {
    json::value* holder;
    std::string key;

    /// nullptr for a name that is not there: evanphx takes it for null.
    Result<json::value*> get() const {
        if (auto* const object = holder->if_object()) return object->if_contains(key);
        auto& array = holder->get_array();
        auto const index = place_in(key, array.size());
        if (!index) return std::unexpected{index.error()};
        return &array[*index];
    }

    Result<void> add(json::value value) const {
        if (auto* const object = holder->if_object()) {
            object->insert_or_assign(key, std::move(value));
            return {};
        }
        auto& array = holder->get_array();
        if (key == "-") {
            array.push_back(std::move(value));
            return {};
        }
        auto const number = index_in(key);
        if (!number) {
            return refused("value was not a proper array index: '" + key + "': " + number.error().message);
        }
        auto const index = place_in(key, array.size() + 1);
        if (!index) return std::unexpected{index.error()};
        array.insert(array.begin() + static_cast<std::ptrdiff_t>(*index), std::move(value));
        return {};
    }

    Result<void> remove() const {
        if (auto* const object = holder->if_object()) {
            if (object->erase(key) == 0) return refused("Unable to remove nonexistent key: " + key + ": missing value");
            return {};
        }
        auto& array = holder->get_array();
        auto const index = place_in(key, array.size());
        if (!index) return std::unexpected{index.error()};
        array.erase(array.begin() + static_cast<std::ptrdiff_t>(*index));
        return {};
    }
};

/// evanphx findObject: what stands before the first slash is not looked at.
std::optional<Place> find(json::value& root, std::string_view pointer) {
    auto at = pointer.find('/');
    if (at == std::string_view::npos) return {};
    auto* holder = &root;
    for (;;) {
        auto const next = pointer.find('/', at + 1);
        auto part = unescaped(pointer.substr(at + 1, next == std::string_view::npos ? next : next - at - 1));
        if (next == std::string_view::npos) return Place{holder, std::move(part)};
        auto const found = Place{holder, std::move(part)}.get();
        if (!found || !*found || !((*found)->is_object() || (*found)->is_array())) return {};
        holder = *found;
        at = next;
    }
}

/// encoding/json's text of a number.
std::string text_of(json::value const& number) {
    if (auto const* const whole = number.if_int64()) return std::to_string(*whole);
    if (auto const* const whole = number.if_uint64()) return std::to_string(*whole);
    return yaml::format_float_json(number.get_double()).value_or("");
}

bool same(json::value const& a, json::value const& b, bool as_written) {
    if (a.is_number() && b.is_number()) {
        auto const text = text_of(b);
        bool const had_point = as_written && b.is_double() && text.find_first_of(".e") == std::string::npos;
        return !had_point && text_of(a) == text;
    }
    if (a.kind() != b.kind()) return false;
    if (auto const* const object = a.if_object()) {
        auto const& other = b.get_object();
        if (object->size() != other.size()) return false;
        for (auto const& [name, value] : *object) {
            auto const* const found = other.if_contains(name);
            if (!found || !same(value, *found, as_written)) return false;
        }
        return true;
    }
    if (auto const* const array = a.if_array()) {
        auto const& other = b.get_array();
        return array->size() == other.size() &&
               std::ranges::equal(*array, other, [&](auto const& x, auto const& y) { return same(x, y, as_written); });
    }
    // Scalars are compared as text: the object's has its <, > and & escaped, a JSON patch is taken as written.
    auto const* const text = a.if_string();
    if (text && as_written && std::string_view{*text}.find_first_of("<>&") != std::string_view::npos) return false;
    return a == b;
}

struct Size {
    std::size_t nodes = 1;
    std::size_t levels = 0;  // below the value: 0 for a scalar
};

/// Recurses as deep as `value` is, which fits() keeps below kPatchDepthMax.
Size size_of(json::value const& value) {
    Size size;
    auto const count = [&](json::value const& child) {
        auto const below = size_of(child);
        size.nodes += below.nodes;
        size.levels = std::max(size.levels, below.levels + 1);
    };
    if (auto const* const object = value.if_object()) {
        for (auto const& [name, child] : *object) count(child);
    } else if (auto const* const array = value.if_array()) {
        for (auto const& child : *array) count(child);
    }
    return size;
}

/// One application of a patch.
class Application {
public:
    Application(json::value& root, bool as_written) : root_{root}, as_written_{as_written} {}

    Result<void> run(json::object const& operation) {
        auto const* const found = operation.if_contains("op");
        auto const* const name = found ? found->if_string() : nullptr;
        std::string_view const op = name ? std::string_view{*name} : "unknown";
        if (op == "add") return add(operation);
        if (op == "remove") return remove(operation);
        if (op == "replace") return replace(operation);
        if (op == "move") return move(operation);
        if (op == "test") return test(operation);
        if (op == "copy") return copy(operation);
        return refused("Unexpected kind: " + std::string{op});
    }

private:
    static Result<std::string> path_of(json::object const& operation) {
        return text_of(operation, "path", "operation missing path field");
    }
    static Result<std::string> from_of(json::object const& operation) {
        return text_of(operation, "from", "operation, missing from field");
    }
    static json::value value_of(json::object const& operation) {
        auto const* const found = operation.if_contains("value");
        return found ? *found : json::value{};
    }

    Result<void> add(json::object const& operation) {
        auto const path = path_of(operation);
        if (!path) return refused("add operation failed to decode path: missing value");
        auto const place = find(root_, *path);
        if (!place)
            return refused("add operation does not apply: doc is missing path: \"" + *path + "\": missing value");
        auto value = value_of(operation);
        if (auto fine = fits(*place, *path, size_of(value)); !fine) return fine;
        auto done = place->add(std::move(value));
        if (!done) return fail(std::move(done), "error in add for path: '" + *path + "'");
        return {};
    }

    Result<void> remove(json::object const& operation) {
        auto const path = path_of(operation);
        if (!path) return refused("remove operation failed to decode path: missing value");
        auto const place = find(root_, *path);
        if (!place) {
            return refused("remove operation does not apply: doc is missing path: \"" + *path + "\": missing value");
        }
        if (auto paid = pay(*place, 1); !paid) return paid;
        auto done = place->remove();
        if (!done) return fail(std::move(done), "error in remove for path: '" + *path + "'");
        return {};
    }

    Result<void> replace(json::object const& operation) {
        auto path = path_of(operation);
        if (!path) return fail(std::move(path), "replace operation failed to decode path");
        if (path->empty()) {
            auto value = value_of(operation);
            if (!value.is_object() && !value.is_array()) {
                return refused("replace operation value must be object or array: %!w(<nil>)");
            }
            root_ = std::move(value);
            return {};
        }
        auto const place = find(root_, *path);
        if (!place)
            return refused("replace operation does not apply: doc is missing path: " + *path + ": missing value");
        auto const old = place->get();
        if (!old) return refused("replace operation does not apply: doc is missing key: " + *path + ": missing value");
        auto value = value_of(operation);
        if (auto fine = fits(*place, *path, size_of(value)); !fine) return fine;
        if (*old) **old = std::move(value);
        else place->holder->get_object().insert_or_assign(place->key, std::move(value));  // as evanphx v4
        return {};
    }

    Result<void> move(json::object const& operation) {
        auto from = from_of(operation);
        if (!from) return fail(std::move(from), "move operation failed to decode from");
        auto const source = find(root_, *from);
        if (!source)
            return refused("move operation does not apply: doc is missing from path: " + *from + ": missing value");
        auto const step = "error in move for path: '" + source->key + "'";
        auto found = source->get();
        if (!found) return fail(std::move(found), step);
        auto value = *found ? std::move(**found) : json::value{};
        if (auto paid = pay(*source, 1); !paid) return paid;
        if (auto done = source->remove(); !done) return fail(std::move(done), step);

        auto path = path_of(operation);
        if (!path) return fail(std::move(path), "move operation failed to decode path");
        auto const target = find(root_, *path);
        if (!target) {
            return refused("move operation does not apply: doc is missing destination path: " + *path +
                           ": missing value");
        }
        if (auto fine = fits(*target, *path, size_of(value)); !fine) return fine;
        auto done = target->add(std::move(value));
        if (!done) return fail(std::move(done), "error in move for path: '" + *path + "'");
        return {};
    }

    Result<void> test(json::object const& operation) {
        auto path = path_of(operation);
        if (!path) return fail(std::move(path), "test operation failed to decode path");
        auto const failed = "testing value " + *path + " failed: test failed";
        auto const expected = value_of(operation);
        if (path->empty()) {
            if (same(root_, expected, as_written_)) return {};
            return refused(failed);
        }
        auto const place = find(root_, *path);
        if (!place) return refused("test operation does not apply: is missing path: " + *path + ": missing value");
        auto found = place->get();
        if (!found) return fail(std::move(found), "error in test for path: '" + *path + "'");
        if (!*found || (*found)->is_null() ? expected.is_null() : same(**found, expected, as_written_)) return {};
        return refused(failed);
    }

    Result<void> copy(json::object const& operation) {
        auto from = from_of(operation);
        if (!from) return fail(std::move(from), "copy operation failed to decode from");
        auto const source = find(root_, *from);
        if (!source)
            return refused("copy operation does not apply: doc is missing from path: " + *from + ": missing value");
        auto found = source->get();
        if (!found) return fail(std::move(found), "error in copy for from: '" + *from + "'");
        auto const path = path_of(operation);
        if (!path) return refused("copy operation failed to decode path: missing value");
        auto const target = find(root_, *path);
        if (!target) {
            return refused("copy operation does not apply: doc is missing destination path: " + *path +
                           ": missing value");
        }
        auto const size = *found ? size_of(**found) : Size{};
        copied_ += size.nodes;
        if (copied_ > limits::kPatchCopiedNodesMax) {
            return fail(Errc::limit,
                        "copy operations make more than " + std::to_string(limits::kPatchCopiedNodesMax) + " values");
        }
        if (auto fine = fits(*target, *path, size); !fine) return fine;
        auto done = target->add(*found ? json::value(**found) : json::value());
        if (!done) return fail(std::move(done), "error while adding value during copy");
        return {};
    }

    /// To put something into a list, or to take it out, moves what stands behind.
    Result<void> pay(Place const& place, std::size_t steps) {
        auto const* const list = place.holder->if_array();
        steps_ += steps + (list ? list->size() / kElementsPerStep : 0);
        if (steps_ <= limits::kPatchStepsMax) return {};
        return fail(Errc::limit, "JSON patch takes more than " + std::to_string(limits::kPatchStepsMax) + " steps");
    }

    /// A value may not make the document deeper than allowed.
    Result<void> fits(Place const& place, std::string_view pointer, Size size) {
        auto const parts = static_cast<std::size_t>(std::ranges::count(pointer, '/'));
        if (parts + size.levels > limits::kPatchDepthMax) {
            return fail(Errc::limit, "object is nested deeper than " + std::to_string(limits::kPatchDepthMax));
        }
        return pay(place, size.nodes);
    }

    static constexpr std::size_t kElementsPerStep = 32;

    json::value& root_;
    bool as_written_;
    std::size_t copied_ = 0;
    std::size_t steps_ = 0;
};

}  // namespace

Result<JsonPatch> JsonPatch::parse(std::string_view text) {
    json::value read;
    JsonPatch patch;
    patch.as_written_ = text.starts_with('[');
    if (patch.as_written_) {
        json::error_code ec;
        json::parse_options options;
        options.max_depth = limits::kPatchDepthMax;
        read = json::parse(text, ec, {}, options);
        if (ec) return refused("invalid JSON: " + ec.message());
    } else {
        auto converted = yaml::read_sigs(text);
        if (!converted) return fail(std::move(converted));
        read = std::move(*converted);
    }
    if (read.is_null()) return patch;
    auto* const list = read.if_array();
    if (!list) {
        return refused("json: cannot unmarshal " + std::string{go_kind(read)} +
                       " into Go value of type jsonpatch.Patch");
    }
    if (list->size() > limits::kPatchOperationsMax) {
        return fail(Errc::limit, "patch has more than " + std::to_string(limits::kPatchOperationsMax) + " operations");
    }
    for (auto& operation : *list) {
        if (operation.is_null()) {
            patch.operations_.emplace_back();
            continue;
        }
        if (!operation.is_object()) {
            return refused("json: cannot unmarshal " + std::string{go_kind(operation)} +
                           " into Go value of type jsonpatch.Operation");
        }
        patch.operations_.push_back(std::move(operation.get_object()));
    }
    return patch;
}

Result<void> JsonPatch::apply(json::value& document) const {
    if (!document.is_object() && !document.is_array()) {
        return refused("json: cannot unmarshal " + std::string{go_kind(document)} +
                       " into Go value of type jsonpatch.partialDoc");
    }
    Application application{document, as_written_};
    for (auto const& operation : operations_) {
        if (auto done = application.run(operation); !done) return done;
    }
    return {};
}

Result<void> JsonPatch::apply(yaml::Arena& arena, yaml::Node& object) const {
    auto* const root = yaml::root_of(&object);
    auto document = to_json_as_written(*root);
    if (!document) return fail(std::move(document));
    if (auto done = apply(*document); !done) return done;
    if (!document->is_object()) {
        return refused("json: cannot unmarshal " + std::string{go_kind(*document)} +
                       " into Go value of type map[string]interface {}");
    }
    auto made = from_map(arena, *document);
    if (!made) return fail(std::move(made));
    *root = **made;
    return {};
}

void apply_merge_patch(json::value& target, json::value const& patch) {
    auto const* const changes = patch.if_object();
    if (!changes) {
        target = patch;
        return;
    }
    if (!target.is_object()) target = json::object{};
    auto& object = target.get_object();
    for (auto const& [name, change] : *changes) {
        if (change.is_null()) object.erase(name);
        else apply_merge_patch(object[name], change);
    }
}

}  // namespace holdfast::patch
