// modules/helm/toml_read.cpp: a port of BurntSushi/toml v1.6 parse.go: TOML into map[string]any, errors in Go's words.
#include "modules/base/limits.hpp"
#include "modules/helm/functions.hpp"
#include "modules/helm/toml_lex.hpp"
#include "modules/helm/toml_scalar.hpp"
#include "modules/helm/toml_text.hpp"
#include "modules/text/gotemplate/strconv.hpp"

#include <deque>
#include <unordered_map>

namespace holdfast::helm {

using gotemplate::Value;
namespace types = gotemplate::types;

namespace toml {

namespace {

/// What [[name]] makes: unlike an array of inline tables it can be added to and has tables below it.
constexpr std::string_view kTableListName = "[]map[string]interface {}";
gotemplate::Type const kTableList{
    .kind = gotemplate::Kind::slice, .name = kTableListName, .kind_name = "slice", .elem = &types::map_any};

bool is_table_list(Value const& value) { return value.is_list() && !value.is_nil() && &value.type() == &kTableList; }

/// The text is no TOML: what Unmarshal returns.
struct ParseError {
    std::string text;
};
struct LimitError {
    std::string text;
};

/// What is known of one key, whichever element of an array of tables it is in. Go keeps this by the key's text.
struct KeyNode {
    KeyNode const* parent;  // nullptr: a key of the document
    std::string name;
    bool implicit = false;  // made for [a.b] or a.b = 1, may still be defined once
    bool is_array = false;
};

/// Where keys go: their path, and the table at that path now. The table is invalid when something else is there.
struct Context {
    KeyNode* node = nullptr;
    Value table{};
};

using Key = std::vector<std::string>;

class Parser {
public:
    explicit Parser(std::string_view text) : lexer_(text) {}

    Value run() {
        context_ = root();
        for (auto item = next(); item.type != ItemType::eof; item = next()) top_level(item);
        return root_;
    }

private:
    Context root() const { return {.node = nullptr, .table = root_}; }

    // ---- errors

    [[noreturn]] void refuse(std::int64_t line, std::string const& message) const {
        auto const last_key = current();
        throw ParseError{"toml: line " + std::to_string(line) +
                         (last_key.empty() ? "" : " (last key " + gotemplate::quote(last_key) + ")") + ": " + message};
    }
    /// At the last key that began.
    [[noreturn]] void refuse(std::string const& message) const { refuse(line_, message); }

    template <class T> T checked(Item const& item, Result<T> made) const {
        if (!made) refuse(item.line, made.error().message);
        return *std::move(made);
    }

    static void expect(ItemType wanted, Item const& item) {
        if (item.type != wanted)
            throw Panic{"BUG: Expected '" + std::string{name_of(wanted)} + "' but got '" +
                        std::string{name_of(item.type)} + "'.\n\n"};
    }

    /// The full name of the key being read.
    std::string current() const {
        if (current_key_.empty()) return path_text(context_.node);
        if (context_.node == nullptr) return current_key_;
        return path_text(context_.node) + "." + current_key_;
    }

    static std::string path_text(KeyNode const* node) {
        std::vector<std::string_view> parts;
        for (; node != nullptr; node = node->parent) parts.push_back(node->name);
        std::string text;
        for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
            if (!text.empty()) text += '.';
            append_key(text, *part);
        }
        return text;
    }
    static std::string path_text(KeyNode const* parent, std::string_view name) {
        auto text = path_text(parent);
        if (parent != nullptr) text += '.';
        append_key(text, name);
        return text;
    }

    // ---- items

    Item next() {
        auto item = lexer_.next_item();
        if (item.type == ItemType::error) refuse(item.line, item.error);
        return item;
    }
    Item next_of_key() {
        auto item = next();
        line_ = item.line;
        return item;
    }

    Key key_until(ItemType end) {
        Key key;
        auto item = next_of_key();
        for (; item.type != end && item.type != ItemType::eof; item = next()) key.push_back(key_part(item));
        expect(end, item);
        return key;
    }

    std::string key_part(Item const& item) {
        switch (item.type) {
            case ItemType::text:
            case ItemType::string:
            case ItemType::raw_string: return std::string{item.text};
            case ItemType::string_escaped: return checked(item, unescaped(item.text));
            default: throw Panic{"BUG: Unexpected key type: " + std::string{name_of(item.type)} + "\n\n"};
        }
    }

    // ---- keys and tables

    KeyNode* known(KeyNode const* parent, std::string_view name) {
        auto const found = nodes_by_name_.find({parent, name});
        return found == nodes_by_name_.end() ? nullptr : found->second;
    }

    KeyNode& node_of(KeyNode const* parent, std::string_view name) {
        if (auto* found = known(parent, name)) return *found;
        auto& made = nodes_.emplace_back(KeyNode{.parent = parent, .name = std::string{name}});
        nodes_by_name_.emplace(NodeName{parent, made.name}, &made);
        return made;
    }

    Value new_table() {
        if (++tables_ > limits::kTomlTablesMax)
            throw LimitError{"TOML of more than " + std::to_string(limits::kTomlTablesMax) + " tables"};
        return Value::map();
    }

    /// The context of `name` below `in`, whatever is there.
    Context below(Context const& in, std::string_view name) {
        Context made{.node = &node_of(in.node, name)};
        auto const* found = in.table.find(name);
        if (found->is_map()) made.table = *found;
        else if (is_table_list(*found)) made.table = found->items().back();
        return made;
    }

    /// [a.b.c] and [[a.b.c]].
    void open_table(Key const& key, bool array) {
        auto in = root();
        for (std::size_t i = 0; i + 1 < key.size(); ++i) {
            if (in.table.find(key[i]) == nullptr) {
                node_of(in.node, key[i]).implicit = true;
                in.table.set(key[i], new_table());
            }
            in = below(in, key[i]);
            if (!in.table.is_map()) refuse("Key '" + path_text(in.node) + "' was already created as a hash.");
        }
        open_below(in, key.back(), array);
    }

    /// Makes the table `name` in the table `in` and enters it.
    void open_below(Context const& in, std::string_view name, bool array) {
        if (!in.table.is_map() && in.node != nullptr)
            refuse("Key '" + path_text(in.node) + "' was already created as a hash.");
        context_ = in;
        if (!array) {
            set_value(name, new_table());
        } else {
            if (context_.table.find(name) == nullptr) context_.table.set(name, Value::list({}, kTableList));
            auto list = *context_.table.find(name);
            if (!is_table_list(list))
                refuse("Key '" + path_text(in.node, name) + "' was already created and cannot be used as an array.");
            list.push_back(new_table());
        }
        context_ = below(context_, name);
    }

    /// Enters the tables that `key` names before its last part; they are made as they are needed.
    void enter_parents(Key const& key) {
        for (std::size_t i = 0; i + 1 < key.size(); ++i) {
            node_of(context_.node, key[i]).implicit = true;
            open_below(Context{context_}, key[i], false);
        }
    }

    void set_value(std::string_view name, Value value) {
        if (!context_.table.is_map()) refuse("Key '" + path_text(context_.node) + "' has already been defined.");
        if (context_.table.find(name) != nullptr) {
            auto* node = known(context_.node, name);
            bool const implicit = node != nullptr && node->implicit;
            if (!implicit) refuse("Key '" + path_text(context_.node, name) + "' has already been defined.");
            // An implicit table is there already, and stays. An array was built up element by element; only now it
            // is known as a whole.
            node->implicit = false;
            if (!node->is_array) return;
        }
        context_.table.set(name, std::move(value));
    }

    /// Of the key `name` of the context; of the context itself when the name is empty, as in Go.
    void set_type(std::string_view name, bool is_array) {
        auto const* parent = name.empty() && context_.node != nullptr ? context_.node->parent : context_.node;
        auto const key = name.empty() && context_.node != nullptr ? std::string_view{context_.node->name} : name;
        if (is_array) node_of(parent, key).is_array = true;
        else if (auto* node = known(parent, key)) node->is_array = false;
    }

    // ---- the document

    void top_level(Item const& item) {
        switch (item.type) {
            case ItemType::comment_start: expect(ItemType::text, next()); break;
            case ItemType::table_start:
                open_table(key_until(ItemType::table_end), false);
                set_type("", false);
                break;
            case ItemType::array_table_start:
                open_table(key_until(ItemType::array_table_end), true);
                set_type("", false);
                break;
            case ItemType::key_start: {
                auto const outer = context_;
                auto const key = key_until(ItemType::key_end);
                current_key_ = key.back();
                enter_parents(key);
                auto const first = next();
                auto made = value(first, false, 0);
                set_value(current_key_, std::move(made));
                set_type(current_key_, first.type == ItemType::array_start);
                context_ = outer;
                current_key_.clear();
                break;
            }
            default: throw Panic{"BUG: Unexpected type at top level: " + std::string{name_of(item.type)} + "\n\n"};
        }
    }

    // ---- values

    Value value(Item const& item, bool in_array, std::size_t depth) {
        switch (item.type) {
            case ItemType::string:
            case ItemType::raw_string: return Value::string(item.text);
            case ItemType::string_escaped: return Value::string(checked(item, unescaped(item.text)));
            case ItemType::multiline_string:
                return Value::string(
                    checked(item, unescaped(without_escaped_newlines(without_first_newline(item.text)))));
            case ItemType::raw_multiline_string: return Value::string(without_first_newline(item.text));
            case ItemType::integer: return checked(item, integer_of(item.text));
            case ItemType::floating: return checked(item, float_of(item.text));
            case ItemType::boolean: return Value::boolean(item.text == "true");
            case ItemType::datetime: return checked(item, datetime_of(item.text));
            case ItemType::array_start: return array(depth);
            case ItemType::inline_table_start: return inline_table(in_array, depth);
            default: throw Panic{"BUG: Unexpected value type: " + std::string{name_of(item.type)} + "\n\n"};
        }
    }

    static void check_depth(std::size_t depth) {
        if (depth >= limits::kTomlDepthMax)
            throw LimitError{"TOML nested deeper than " + std::to_string(limits::kTomlDepthMax)};
    }

    Value array(std::size_t depth) {
        check_depth(depth);
        set_type(current_key_, true);
        std::vector<Value> items;
        for (auto item = next(); item.type != ItemType::array_end; item = next()) {
            if (item.type == ItemType::comment_start) {
                expect(ItemType::text, next());
                continue;
            }
            items.push_back(value(item, true, depth + 1));
        }
        return Value::list(std::move(items));
    }

    /// The table is built twice, as in Go: in the document, where keys given twice are found, and on its own, which
    /// is what an array keeps.
    Value inline_table(bool in_array, std::size_t depth) {
        check_depth(depth);
        auto const outer = context_;
        auto const outer_key = std::exchange(current_key_, {});
        auto& node = node_of(outer.node, outer_key);
        context_ = {.node = &node};
        node.implicit = true;
        open_below(outer, outer_key, in_array);
        auto const inner = context_;

        Value made = new_table();
        for (auto item = next(); item.type != ItemType::inline_table_end; item = next()) {
            if (item.type == ItemType::comment_start) {
                expect(ItemType::text, next());
                continue;
            }
            auto const key = key_until(ItemType::key_end);
            current_key_ = key.back();
            enter_parents(key);
            auto const first = next();
            auto const member = value(first, false, depth + 1);
            set_value(current_key_, member);
            set_type(current_key_, first.type == ItemType::array_start);
            set_member(made, key, member);
            context_ = inner;
        }
        context_ = outer;
        current_key_ = outer_key;
        return made;
    }

    void set_member(Value table, Key const& key, Value const& member) {
        for (std::size_t i = 0; i + 1 < key.size(); ++i) {
            if (table.find(key[i]) == nullptr) table.set(key[i], new_table());
            auto const below = *table.find(key[i]);
            if (!below.is_map()) refuse(gotemplate::quote(path_text(context_.node)) + " is not a table");
            table = below;
        }
        table.set(key.back(), member);
    }

    struct NodeName {
        KeyNode const* parent;
        std::string_view name;  // the node's own
        bool operator==(NodeName const&) const = default;
    };
    struct NodeHash {
        std::size_t operator()(NodeName const& key) const {
            return std::hash<void const*>{}(key.parent) * 31 + std::hash<std::string_view>{}(key.name);
        }
    };

    Lexer lexer_;
    Value const root_ = Value::map();
    Context context_{};
    std::string current_key_{};
    std::int64_t line_ = 0;  // where the last key began
    std::size_t tables_ = 0;
    std::deque<KeyNode> nodes_{};  // stays where it is as it grows
    std::unordered_map<NodeName, KeyNode*, NodeHash> nodes_by_name_{};
};

Value error_map(std::string_view message) {
    auto map = Value::map();
    map.set("Error", Value::string(message));
    return map;
}

/// UTF-16 looks like text with a NUL in every other byte.
bool looks_like_utf16(std::string_view text) { return text.substr(0, 6).find('\0') != text.npos; }

}  // namespace

}  // namespace toml

Result<Value> from_toml(std::string_view text) {
    if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) text.remove_prefix(2);
    else if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    if (toml::looks_like_utf16(text))
        return toml::error_map(
            "toml: line 1: files cannot contain NULL bytes; probably using UTF-16; TOML files must be UTF-8");
    try {
        return toml::Parser{text}.run();
    } catch (toml::ParseError const& error) {
        return toml::error_map(error.text);
    } catch (toml::LimitError const& error) {
        return fail(Errc::limit, error.text);
    } catch (toml::Panic const& panic) {
        return fail(Errc::invalid_input, panic.text);
    }
}

}  // namespace holdfast::helm
