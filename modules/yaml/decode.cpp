// modules/yaml/decode.cpp: nodes to values; the decoder half of go-yaml's decode.go (v3) and of v2's with sigs' keys.
#include "modules/base/base64.hpp"
#include "modules/yaml/go_number.hpp"
#include "modules/yaml/go_text.hpp"
#include "modules/yaml/json.hpp"
#include "modules/yaml/resolve.hpp"
#include "modules/yaml/timestamp.hpp"
#include "modules/yaml/utf8.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace holdfast::yaml {

namespace json = boost::json;

namespace {

constexpr std::size_t kErrorsMax = 100;  // messages about equal keys; go-yaml prints all, quadratic in number

/// go-yaml's rule against alias bombs: the larger the document, the smaller the share that aliases may make.
double allowed_alias_ratio(double decoded) {
    constexpr double low = 400'000;
    constexpr double high = 4'000'000;
    if (decoded <= low) return 0.99;
    if (decoded >= high) return 0.10;
    return 0.99 - 0.89 * ((decoded - low) / (high - low));
}

bool is_merge(Node const& node) {
    return node.is_scalar() && node.value() == "<<" &&
           (node.tag_id() == Tag::none || node.tag_id() == Tag::merge || node.tag() == "!") &&
           !(node.tag_id() == Tag::none && any(node.style & kNotPlain));
}

Node const* target_of(Node const& node) { return follow(const_cast<Node*>(&node)); }

/// Pairs of equal keys, in the order in which go-yaml's two loops find them.
std::vector<std::pair<std::size_t, std::size_t>> equal_keys(Node const& map) {
    std::vector<std::pair<std::size_t, std::size_t>> pairs;
    auto const is_same = [&](std::size_t i, std::size_t j) {
        return map.item(i)->kind == map.item(j)->kind && map.item(i)->value() == map.item(j)->value();
    };
    if (map.size() <= 32) {
        for (std::size_t i = 0; i < map.size(); i += 2) {
            for (std::size_t j = i + 2; j < map.size(); j += 2) {
                if (is_same(i, j)) pairs.emplace_back(i, j);
            }
        }
        return pairs;
    }
    std::unordered_map<std::string_view, std::size_t> last[2];  // of scalars, of everything else
    std::vector<std::size_t> before(map.size(), map.size());    // the equal key before this one
    bool any_found = false;
    for (std::size_t i = 0; i < map.size(); i += 2) {
        auto const& key = *map.item(i);
        auto const [found, added] = last[key.is_scalar() ? 0 : 1].try_emplace(key.value(), i);
        if (added) continue;
        if (is_same(found->second, i)) {
            before[i] = found->second;
            any_found = true;
        }
        found->second = i;
    }
    if (!any_found) return pairs;
    for (std::size_t j = 0; j < map.size() && pairs.size() < kErrorsMax; j += 2) {
        for (auto i = before[j]; i < map.size() && pairs.size() < kErrorsMax; i = before[i]) pairs.emplace_back(i, j);
    }
    std::ranges::sort(pairs);
    return pairs;
}

void report_equal_keys(Node const& map, std::vector<std::string>& errors) {
    for (auto const [i, j] : equal_keys(map)) {
        if (errors.size() >= kErrorsMax) return;
        errors.push_back("line " + std::to_string(map.item(j)->line) + ": mapping key " +
                         go_quote(map.item(j)->value()) + " already defined at line " +
                         std::to_string(map.item(i)->line));
    }
}

std::unexpected<Error> type_error(std::vector<std::string> const& errors) {
    std::string text = "yaml: unmarshal errors:";
    for (auto const& error : errors) text += "\n  " + error;
    return fail(Errc::invalid_input, std::move(text));
}

class Decoder {
public:
    explicit Decoder(JsonOptions options) : options_{std::move(options)}, v2_{options_.dialect == Dialect::v2} {}

    Result<json::value> run(Node const& root) {
        json::value out(options_.storage);
        auto const* const node = root_of(&root);
        bool good = true;
        if (node && node->is_map() && options_.text_keys_at_root) good = count() && mapping(*node, out, true, 0);
        else if (node) good = decode(*node, out, 0);
        if (!good && failed_) return fail(failed_code_, *failed_);
        if (!errors_.empty()) return type_error(errors_);
        if (unsupported_) return fail(Errc::invalid_input, *unsupported_);
        return out;
    }

private:
    using Merged = std::unordered_set<std::string>;

    bool fatal(std::string text, Errc code = Errc::invalid_input) {
        if (failed_) return false;
        failed_ = (code == Errc::invalid_input ? "yaml: " : "") + std::move(text);
        failed_code_ = code;
        return false;
    }

    /// One decode operation.
    bool count() {
        ++decoded_;
        if (alias_depth_ > 0) ++aliased_;
        if (aliased_ > 100 && decoded_ > 1000) {
            auto const decoded = static_cast<double>(decoded_);
            if (static_cast<double>(aliased_) / decoded > allowed_alias_ratio(decoded)) {
                return fatal("document contains excessive aliasing");
            }
            if (aliased_ > limits::kYamlAliasNodesMax) return fatal("yaml: aliases make too many nodes", Errc::limit);
        }
        return true;
    }

    /// False: no value. Then failed_ says why, or an entry of errors_ does.
    bool decode(Node const& node, json::value& out, std::size_t depth) {
        if (!count()) return false;
        if (depth > limits::kYamlDepthMax * 2) return fatal("yaml: nested too deep", Errc::limit);
        switch (node.kind) {
            case Kind::scalar: return scalar(node, out);
            case Kind::sequence: return sequence(node, out, depth);
            case Kind::mapping: return mapping(node, out, false, depth);
            case Kind::document: return node.empty() || decode(*node.item(0), out, depth);
            case Kind::alias:
                return through_alias(node, [&](Node const& target) { return decode(target, out, depth + 1); });
            case Kind::none: break;
        }
        out = nullptr;
        return true;
    }

    template <class Visit> bool through_alias(Node const& alias, Visit visit) {
        if (!alias.alias()) return fatal("unknown anchor '" + std::string{alias.value()} + "' referenced");
        if (!open_aliases_.insert(&alias).second) {
            return fatal("anchor '" + std::string{alias.value()} + "' value contains itself");
        }
        ++alias_depth_;
        bool const good = visit(*alias.alias());
        --alias_depth_;
        open_aliases_.erase(&alias);
        return good;
    }

    bool scalar(Node const& node, json::value& out) {
        auto resolved = resolve_node(node, options_.dialect);
        if (!resolved) {
            failed_ = resolved.error().message;
            return false;
        }
        switch (resolved->tag) {
            case Tag::null: out = nullptr; return true;
            case Tag::binary: {
                auto bytes = base64_decode(node.value());
                if (!bytes) return fatal("!!binary value contains invalid base64 data");
                out = *bytes;
                return true;
            }
            case Tag::timestamp: {
                auto const time = v2_ ? std::nullopt : parse_timestamp(node.value());
                if (time && std::abs(time->offset_seconds) >= 24 * 3600 && !unsupported_) {
                    unsupported_ = "json: error calling MarshalJSON for type time.Time: "
                                   "Time.MarshalJSON: timezone hour outside of range [0,23]";
                }
                out = time ? to_rfc3339(*time) : std::string{node.value()};
                return true;
            }
            default: break;
        }
        if (auto const* const boolean = std::get_if<bool>(&resolved->value)) out = *boolean;
        else if (auto const* const number = std::get_if<std::int64_t>(&resolved->value)) out = *number;
        else if (auto const* const big = std::get_if<std::uint64_t>(&resolved->value)) out = *big;
        else if (auto const* const real = std::get_if<double>(&resolved->value)) out = *real;
        else out = json::string_view{node.value().data(), node.value().size()};
        return true;
    }

    bool sequence(Node const& node, json::value& out, std::size_t depth) {
        auto& list = out.emplace_array();
        list.reserve(node.size());
        for (auto const* const child : node.items()) {
            json::value item(options_.storage);
            if (decode(*child, item, depth + 1)) list.push_back(std::move(item));
            else if (failed_) return false;
        }
        return true;
    }

    bool mapping(Node const& node, json::value& out, bool text_keys, std::size_t depth) {
        if (!v2_) {
            auto const before = errors_.size();
            report_equal_keys(node, errors_);
            if (errors_.size() > before) return false;
        }
        auto& object = out.emplace_object();
        object.reserve(node.entries());
        if (!v2_ && !text_keys && !is_string_map(node)) {
            unsupported_ = "json: unsupported type: map[interface {}]interface {}";
        }
        return v2_ ? fill_v2(node, object, depth) : fill_v3(node, object, nullptr, text_keys, depth);
    }

    static bool is_string_map(Node const& node) {
        for (std::size_t i = 0; i + 1 < node.size(); i += 2) {
            auto const tag = node.item(i)->short_tag_id();
            if (tag != Tag::string && tag != Tag::merge) return false;
        }
        return true;
    }

    /// The text of a key; false when there is none (then the entry is left out, or failed_ says more).
    bool key_text(Node const& key, std::string& text, bool text_keys, std::size_t depth) {
        if (auto const* const plain = target_of(key); plain && plain->is_scalar() && (key.is_scalar() || text_keys)) {
            if (!count()) return false;
            if (plain->short_tag_id() == Tag::binary) {
                auto bytes = base64_decode(plain->value());
                if (!bytes) return fatal("!!binary value contains invalid base64 data");
                text = *bytes;
                return true;
            }
            if (auto const resolved = resolve_node(*plain, options_.dialect); !resolved)
                return fatal_of(resolved.error());
            text = plain->value();
            return !text_keys || plain->short_tag_id() != Tag::null;
        }
        json::value value(options_.storage);
        auto const* const target = target_of(key);
        if (text_keys && target && !target->is_scalar()) {
            if (!count()) return false;
            errors_.push_back("line " + std::to_string(target->line) + ": cannot unmarshal " +
                              std::string{target->short_tag()} + " into string");
            return false;
        }
        if (!decode(key, value, depth + 1)) return false;
        if (value.is_array() || value.is_object()) return fatal("invalid map key: " + go_syntax(value, v2_));
        text = go_key(value);
        return true;
    }

    bool fatal_of(Error const& error) {
        if (!failed_) failed_ = error.message;
        return false;
    }

    /// v3: a merge key comes last and never overrides. `merged` holds the keys that are taken, while merging.
    bool fill_v3(Node const& node, json::object& object, Merged* merged, bool text_keys, std::size_t depth) {
        Node const* merge_value = nullptr;
        for (std::size_t i = 0; i + 1 < node.size(); i += 2) {
            auto const& key = *node.item(i);
            if (is_merge(key)) {
                merge_value = node.item(i + 1);
                continue;
            }
            std::string text;
            if (!key_text(key, text, text_keys || is_plain_string(key), depth)) {
                if (failed_) return false;
                continue;
            }
            if (merged && !merged->insert(text).second) continue;
            json::value value(options_.storage);
            if (decode(*node.item(i + 1), value, depth + 1)) object[text] = std::move(value);
            else if (failed_) return false;
        }
        if (!merge_value) return true;
        Merged taken;
        if (!merged) {
            for (std::size_t i = 0; i + 1 < node.size(); i += 2) {
                auto const& key = *node.item(i);
                std::string text;
                // Among text keys a key of another type is not known to the merge, which then overrides it.
                if (!key_text(key, text, text_keys || is_plain_string(key), depth)) {
                    if (failed_) return false;
                } else if (is_plain_string(key)) {
                    taken.insert(text);
                }
            }
            merged = &taken;
        }
        return merge(*merge_value, [&](Node const& from) {
            auto const before = errors_.size();
            report_equal_keys(from, errors_);
            return errors_.size() > before || fill_v3(from, object, merged, text_keys, depth + 1);
        });
    }

    static bool is_plain_string(Node const& key) { return key.short_tag_id() == Tag::string; }

    /// v2: a merge key acts where it stands: later keys override it, it overrides earlier ones.
    bool fill_v2(Node const& node, json::object& object, std::size_t depth) {
        for (std::size_t i = 0; i + 1 < node.size(); i += 2) {
            auto const& key = *node.item(i);
            auto const& value_node = *node.item(i + 1);
            if (is_merge(key)) {
                if (!merge(value_node, [&](Node const& from) { return fill_v2(from, object, depth + 1); }))
                    return false;
                continue;
            }
            json::value key_value(options_.storage);
            json::value value(options_.storage);
            if (!decode(key, key_value, depth + 1)) return false;
            if (key_value.is_array() || key_value.is_object())
                return fatal("invalid map key: " + go_syntax(key_value, true));
            if (!decode(value_node, value, depth + 1)) return false;
            if ((key_value.is_null() || key_value.is_uint64()) && !unsupported_) {
                auto const key_words =
                    key_value.is_null() ? "%!s(<nil>), key: <nil>" : "uint64, key: " + go_syntax(key_value, true);
                unsupported_ = "unsupported map key of type: " + key_words +
                               ", value: " + (value.is_null() ? "<nil>" : go_syntax(value, true));
            }
            auto const text = go_key(key_value);
            if (options_.strict && object.contains(text)) {
                if (errors_.size() < kErrorsMax) {
                    errors_.push_back("line " + std::to_string(value_node.line) + ": key " +
                                      go_syntax(key_value, true) + " already set in map");
                }
                continue;
            }
            object[text] = std::move(value);
        }
        return true;
    }

    template <class Fill> bool merge(Node const& value, Fill fill) {
        auto const one = [&](Node const& node) {
            if (node.is_map()) return count() && fill(node);
            if (!node.is_alias() || !node.alias() || !node.alias()->is_map()) return want_map();
            return count() && through_alias(node, [&](Node const& target) { return count() && fill(target); });
        };
        if (!value.is_seq()) return one(value);
        auto const count_items = value.size();
        for (std::size_t i = 0; i < count_items; ++i) {
            if (!one(*value.item(v2_ ? count_items - 1 - i : i))) return false;
        }
        return true;
    }

    bool want_map() { return fatal("map merge requires map or sequence of maps as the value"); }

    JsonOptions options_;
    bool v2_;
    std::size_t decoded_ = 0;
    std::size_t aliased_ = 0;
    std::size_t alias_depth_ = 0;
    std::unordered_set<Node const*> open_aliases_;
    std::vector<std::string> errors_;
    std::optional<std::string> failed_;
    Errc failed_code_ = Errc::invalid_input;
    std::optional<std::string> unsupported_;
};

}  // namespace

Result<json::value> to_json(Node const& node, JsonOptions options) { return Decoder{std::move(options)}.run(node); }

Result<void> check_unique_keys(Node const& node) {
    std::vector<std::string> errors;
    std::vector<Node const*> open{&node};
    while (!open.empty()) {
        auto const& top = *open.back();
        open.pop_back();
        auto const before = errors.size();
        if (top.is_map()) report_equal_keys(top, errors);
        if (errors.size() > before) continue;
        for (auto i = top.size(); i-- > 0;) {
            if (!top.item(i)->empty()) open.push_back(top.item(i));
        }
    }
    if (errors.empty()) return {};
    return type_error(errors);
}

}  // namespace holdfast::yaml
