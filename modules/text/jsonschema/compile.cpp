// modules/text/jsonschema/compile.cpp: documents to subschemas: resources, anchors, references, keywords.
#include "modules/text/jsonschema/schema.hpp"

namespace holdfast::jsonschema {
namespace {

constexpr std::string_view kOneOf4[] = {"definitions/*",
                                        "not",
                                        "allOf/[]",
                                        "anyOf/[]",
                                        "oneOf/[]",
                                        "properties/*",
                                        "additionalProperties",
                                        "patternProperties/*",
                                        "items",
                                        "items/[]",
                                        "additionalItems",
                                        "dependencies/*"};
constexpr std::string_view kOneOf6[] = {"propertyNames", "contains"};
constexpr std::string_view kOneOf7[] = {"if", "then", "else"};
constexpr std::string_view kOneOf2019[] = {"$defs/*", "dependentSchemas/*", "unevaluatedProperties", "unevaluatedItems",
                                           "contentSchema"};
constexpr std::string_view kOneOf2020[] = {"prefixItems/[]"};

/// Calls visit(keyword, shape) for every place of a draft where a subschema may stand.
template <class Visit> void each_place(int draft, Visit visit) {
    for (auto const place : kOneOf4) visit(place);
    if (draft >= 6)
        for (auto const place : kOneOf6) visit(place);
    if (draft >= 7)
        for (auto const place : kOneOf7) visit(place);
    if (draft >= 2019)
        for (auto const place : kOneOf2019) visit(place);
    if (draft >= 2020)
        for (auto const place : kOneOf2020) visit(place);
}

std::string_view string_of(Json const& object, std::string_view key) {
    auto const* found = object.find(key);
    return found != nullptr && found->kind == Json::Kind::string ? std::string_view{found->text} : std::string_view{};
}

bool has_string(Json const& object, std::string_view key) {
    auto const* found = object.find(key);
    return found != nullptr && found->kind == Json::Kind::string;
}

std::string id_of(Draft const& draft, Json const& object) {
    if (draft.version < 2019 && object.find("$ref") != nullptr) return {};
    return split_url(string_of(object, draft.id_key)).first;
}

class Compiler {
public:
    Compiler(Compiled& into, bool assert_formats) : into_(into), assert_formats_(assert_formats) {}

    Result<Subschema const*> run(std::string const& url) {
        auto loaded = load(url);
        if (!loaded) return fail(std::move(loaded));
        auto* first = enqueue({url, ""});
        while (!queue_.empty()) {
            auto* next = queue_.front();
            queue_.pop_front();
            if (auto done = compile_one(*next); !done) return fail(std::move(done));
            if (into_.schemas.size() > into_.limits.schemas_max)
                return fail(Errc::limit, "schema: too many subschemas");
            if (location_bytes_ > into_.limits.location_bytes_max)
                return fail(Errc::limit, "schema: names of subschemas too long");
        }
        return first;
    }

private:
    Subschema* enqueue(Pointer const& at) {
        auto& slot = into_.by_pointer[at];
        if (slot != nullptr) return slot;
        slot = &into_.schemas.emplace_back();
        slot->at = at;
        slot->location = at.string();
        location_bytes_ += at.ptr.size() + slot->location.size();
        queue_.push_back(slot);
        return slot;
    }

    // ---- documents, resources and anchors

    Result<Root*> load(std::string const& url) {
        if (auto const found = into_.roots.find(url); found != into_.roots.end()) return &found->second;
        std::string_view text = metaschema_text(url);
        if (text.empty() && url.starts_with("urn:")) text = "true";
        if (text.empty()) {
            return fail(Errc::invalid_input,
                        "failing loading " + go_quoted(url) + ": schemas outside of the chart are not loaded");
        }
        auto parsed = parse_json(text);
        if (!parsed) return fail(std::move(parsed));
        return add_root(url, into_.documents.emplace_back(std::move(*parsed)));
    }

public:
    Result<Root*> add_root(std::string const& url, Json const& document) {
        Root root{.url = url, .document = &document};
        if (auto done = collect(root, document, url, "", latest_draft(), 0); !done) return fail(std::move(done));
        if (!url.starts_with("http://json-schema.org/") && !url.starts_with("https://json-schema.org/")) {
            if (auto valid = validate(root, document, ""); !valid) return fail(std::move(valid));
        }
        return &into_.roots.insert_or_assign(url, std::move(root)).first->second;
    }

private:
    Result<void> validate(Root const& root, Json const& value, std::string const& ptr) {
        auto const& draft = *root.resource_at(ptr).draft;
        if (is_plainly_valid(into_, value, draft.version, ptr.empty())) return {};
        auto valid = check(*metaschema(draft), value, into_.limits, &root);
        if (valid || valid.error().code == Errc::limit || valid.error().message == kPanic) return valid;
        return fail(Errc::invalid_input, go_quoted(Pointer{root.url, ptr}.string()) +
                                             " is not valid against metaschema: " + valid.error().message);
    }

    Result<Draft const*> draft_of(Root const& root, Json const& object, std::string const& ptr,
                                  Draft const& otherwise) {
        if (!has_string(object, "$schema")) return &otherwise;
        auto const url = string_of(object, "$schema");
        if (auto const* known = draft_of_url(url)) return known;
        auto const base = split_url(url).first;
        if (ptr.empty() && base == root.url)
            return fail(Errc::invalid_input, "draft " + go_quoted(base) + " is not supported");
        if (base.starts_with("urn:")) return &otherwise;
        return fail(Errc::invalid_input,
                    "failing loading " + go_quoted(base) + ": schemas outside of the chart are not loaded");
    }

    Result<void> collect(Root& root, Json const& schema, std::string base, std::string const& ptr,
                         Draft const& inherited, std::size_t depth) {
        if (depth > into_.limits.depth_max) return fail(Errc::limit, "schema: nested too deep");
        if (!root.collected.insert(ptr).second) return {};
        if (schema.kind != Json::Kind::object) {
            if (ptr.empty()) root.add({.ptr = ptr, .id = base, .draft = &inherited});
            return {};
        }
        auto draft = draft_of(root, schema, ptr, inherited);
        if (!draft) return fail(std::move(draft));
        bool has_schema = has_string(schema, "$schema");
        auto id = id_of(**draft, schema);
        if (id.empty() && !ptr.empty()) {
            draft = &inherited;
            has_schema = false;
            id = id_of(**draft, schema);
        }
        if (!id.empty() || ptr.empty()) {
            if (!id.empty()) {
                auto joined = join_url(base, id);
                if (!joined)
                    return fail(Errc::invalid_input,
                                "error in parsing id at " + go_quoted(Pointer{root.url, ptr}.string()));
                base = split_url(*joined).first;
            }
            auto const* found = root.resource_of(base);
            if (found != nullptr && found->ptr != ptr)
                return fail(Errc::invalid_input, "duplicate id " + go_quoted(base) + " in " + go_quoted(root.url) +
                                                     " at " + go_quoted(ptr) + " and " + go_quoted(found->ptr));
            if (found == nullptr) root.add({.ptr = ptr, .id = base, .draft = has_schema ? *draft : &inherited});
        }
        auto* own = const_cast<Resource*>(root.resource_of(base));
        if (own == nullptr) return fail(Errc::invalid_input, "unable to validate schema: baseres is nil");
        if (auto done = collect_anchors(root, schema, ptr, *own); !done) return done;
        return collect_places(root, schema, base, ptr, **draft, *own->draft, depth);
    }

    Result<void> collect_places(Root& root, Json const& schema, std::string const& base, std::string const& ptr,
                                Draft const& draft, Draft const& inherited, std::size_t depth) {
        std::optional<Error> failed;
        auto const visit = [&](Json const& sub, std::string const& where) {
            if (failed) return;
            if (auto done = collect(root, sub, base, where, inherited, depth + 1); !done) failed = done.error();
        };
        each_place(draft.version, [&](std::string_view place) {
            auto const slash = place.find('/');
            auto const keyword = place.substr(0, slash);
            auto const* found = schema.find(keyword);
            if (found == nullptr) return;
            auto const at = ptr + '/' + std::string{keyword};
            if (slash == place.npos) {
                visit(*found, at);
            } else if (place.ends_with('*') && found->kind == Json::Kind::object) {
                for (auto const& [name, sub] : found->members) visit(sub, at + '/' + escape_token(name));
            } else if (place.ends_with(']') && found->kind == Json::Kind::array) {
                for (std::size_t i = 0; i < found->items.size(); ++i)
                    visit(found->items[i], at + '/' + std::to_string(i));
            }
        });
        if (failed) return std::unexpected{*failed};
        return {};
    }

    Result<void> collect_anchors(Root& root, Json const& schema, std::string const& ptr, Resource& own) {
        if (schema.kind != Json::Kind::object) return {};
        auto const add = [&](std::string const& anchor) -> Result<void> {
            auto const [at, fresh] = own.anchors.try_emplace(anchor, ptr);
            if (fresh || at->second == ptr) return {};
            return fail(Errc::invalid_input, "duplicate anchor " + go_quoted(anchor) + " in " + go_quoted(root.url) +
                                                 " at " + go_quoted(at->second) + " and " + go_quoted(ptr));
        };
        if (own.draft->version < 2019) {
            if (schema.find("$ref") != nullptr) return {};
            bool good = true;
            auto const anchor = percent_decode(split_url(string_of(schema, own.draft->id_key)).second, good);
            if (!good)
                return fail(Errc::invalid_input,
                            "error in parsing anchor at " + go_quoted(Pointer{root.url, ptr}.string()));
            if (!anchor.empty() && !anchor.starts_with('/')) return add(anchor);
            return {};
        }
        if (has_string(schema, "$anchor")) {
            if (auto done = add(std::string{string_of(schema, "$anchor")}); !done) return done;
        }
        if (own.draft->version >= 2020 && has_string(schema, "$dynamicAnchor")) {
            std::string const anchor{string_of(schema, "$dynamicAnchor")};
            if (auto done = add(anchor); !done) return done;
            own.dynamic_anchors.insert(anchor);
        }
        return {};
    }

    /// A subschema outside of the known places (a $ref to "#/foo/bar"): collected and validated when first used.
    Result<void> ensure(Pointer const& at) {
        auto loaded = load(at.url);
        if (!loaded) return fail(std::move(loaded));
        Root& root = **loaded;
        if (root.collected.contains(at.ptr)) return {};
        auto const* value = look_up(*root.document, at.ptr);
        if (value == nullptr)
            return fail(Errc::invalid_input, "json-pointer in " + go_quoted(at.string()) + " not found");
        auto const& base = root.resource_at(at.ptr);
        if (auto done = collect(root, *value, base.id, at.ptr, *base.draft, 0); !done) return done;
        if (!root.resources.contains(at.ptr)) {
            if (auto done = collect_anchors(root, *value, at.ptr, root.resource_at(at.ptr)); !done) return done;
        }
        return validate(root, *value, at.ptr);
    }

    Result<Pointer> resolve_in(Root const& root, Resource const& resource, std::string const& fragment) {
        if (fragment.empty() || fragment.starts_with('/')) return Pointer{root.url, resource.ptr + fragment};
        auto const found = resource.anchors.find(fragment);
        if (found != resource.anchors.end()) return Pointer{root.url, found->second};
        return fail(Errc::invalid_input, "anchor in " + go_quoted(Pointer{resource.id, fragment}.string()) +
                                             " not found in schema " + go_quoted(root.url));
    }

    /// The subschema a reference points to, and its decoded fragment.
    Result<Subschema*> reference(Subschema const& from, Resource const& resource, std::string_view text,
                                 std::string& fragment) {
        auto [url, raw] = split_url(text);
        bool good = true;
        fragment = percent_decode(raw, good);
        if (!good) {
            auto const at = raw.find('%');
            return fail(Errc::invalid_input,
                        "error in parsing " + go_quoted(text) + ": invalid URL escape " + go_quoted(raw.substr(at, 3)));
        }
        auto joined = join_url(resource.id, url);
        if (!joined) return fail(std::move(joined));
        auto const& root = into_.roots.at(from.at.url);
        auto const* target = *joined == root.url ? &root.resource_at("") : root.resource_of(*joined);
        Result<Pointer> at = fail(Errc::invalid_input, "");
        if (target != nullptr) {
            at = resolve_in(root, *target, fragment);
        } else {
            auto loaded = load(*joined);
            if (!loaded) return fail(std::move(loaded));
            at = resolve_in(**loaded, (*loaded)->resource_at(""), fragment);
        }
        if (!at) return fail(std::move(at));
        return enqueue(*at);
    }

    // ---- keywords

    Result<void> compile_one(Subschema& s) {
        if (auto done = ensure(s.at); !done) return done;
        auto& root = into_.roots.at(s.at.url);
        auto const* value = look_up(*root.document, s.at.ptr);
        if (value == nullptr)
            return fail(Errc::invalid_input, "json-pointer in " + go_quoted(s.at.string()) + " not found");
        Resource const& resource = root.resource_at(s.at.ptr);
        s.draft = resource.draft->version;
        s.resource = enqueue({s.at.url, resource.ptr});
        if (s.draft >= 2020 && s.resource == &s) {
            for (auto const& [anchor, ptr] : resource.anchors) {
                if (resource.dynamic_anchors.contains(anchor)) s.dynamic_schemas[anchor] = enqueue({s.at.url, ptr});
            }
        }
        if (value->kind == Json::Kind::boolean) s.boolean = value->truth;
        if (value->kind == Json::Kind::object) {
            if (value->members.empty()) {
                s.boolean = true;
            } else if (auto done = keywords(s, *value, resource); !done) {
                return done;
            }
        }
        s.all_properties_evaluated = s.additional_properties.kind != Additional::Kind::absent;
        s.all_items_evaluated =
            s.items != nullptr || (s.draft < 2020 && s.additional_items.kind != Additional::Kind::absent);
        s.items_evaluated = s.prefix_items.size();
        return {};
    }

    Result<void> refer(Subschema& s, Json const& object, Resource const& resource, std::string_view key,
                       Subschema const*& into, std::string* anchor = nullptr) {
        if (!has_string(object, key)) return {};
        std::string fragment;
        auto target = reference(s, resource, string_of(object, key), fragment);
        if (!target) return fail(std::move(target));
        into = *target;
        if (anchor != nullptr && !fragment.starts_with('/')) *anchor = fragment;
        return {};
    }

    Result<void> keywords(Subschema& s, Json const& object, Resource const& resource) {
        if (auto done = refer(s, object, resource, "$ref", s.ref); !done) return done;
        if (s.draft < 2019 && s.ref != nullptr) return {};
        if (auto done = applicators(s, object); !done) return done;
        if (auto done = assertions(s, object); !done) return done;
        if (s.draft >= 2019) {
            if (auto done = refer(s, object, resource, "$recursiveRef", s.recursive_ref); !done) return done;
            s.recursive_anchor = truth(object, "$recursiveAnchor");
        }
        if (s.draft >= 2020) {
            if (auto done = refer(s, object, resource, "$dynamicRef", s.dynamic_ref, &s.dynamic_ref_anchor); !done)
                return done;
            s.dynamic_anchor = string_of(object, "$dynamicAnchor");
        }
        return {};
    }

    Subschema const* property(Subschema const& s, Json const& object, std::string_view key) {
        return object.find(key) == nullptr ? nullptr : enqueue({s.at.url, s.at.ptr + '/' + escape_token(key)});
    }

    std::vector<Subschema const*> list(Subschema const& s, Json const& object, std::string_view key) {
        std::vector<Subschema const*> made;
        auto const* found = object.find(key);
        if (found == nullptr || found->kind != Json::Kind::array) return made;
        for (std::size_t i = 0; i < found->items.size(); ++i)
            made.push_back(enqueue({s.at.url, s.at.ptr + '/' + std::string{key} + '/' + std::to_string(i)}));
        return made;
    }

    std::map<std::string, Subschema const*> map(Subschema const& s, Json const& object, std::string_view key) {
        std::map<std::string, Subschema const*> made;
        auto const* found = object.find(key);
        if (found == nullptr || found->kind != Json::Kind::object) return made;
        for (auto const& [name, sub] : found->members)
            made[name] = enqueue({s.at.url, s.at.ptr + '/' + std::string{key} + '/' + escape_token(name)});
        return made;
    }

    Additional additional(Subschema const& s, Json const& object, std::string_view key) {
        auto const* found = object.find(key);
        if (found == nullptr) return {};
        if (found->kind == Json::Kind::boolean)
            return {found->truth ? Additional::Kind::allowed : Additional::Kind::refused};
        return {Additional::Kind::schema, property(s, object, key)};
    }

    Result<void> applicators(Subschema& s, Json const& object) {
        s.all_of = list(s, object, "allOf");
        s.any_of = list(s, object, "anyOf");
        s.one_of = list(s, object, "oneOf");
        s.negated = property(s, object, "not");
        if (auto const* items = object.find("items"); items != nullptr && s.draft < 2020) {
            s.items_is_list = items->kind == Json::Kind::array;
            if (s.items_is_list) {
                s.prefix_items = list(s, object, "items");
                s.additional_items = additional(s, object, "additionalItems");
            } else {
                s.items = property(s, object, "items");
            }
        }
        s.properties = map(s, object, "properties");
        for (auto const& [name, sub] : map(s, object, "patternProperties")) {
            auto regex = into_.pattern(name);
            if (!regex) return bad_regex(s, "patternProperties", name, regex.error());
            s.pattern_properties.emplace_back(*regex, sub);
        }
        s.additional_properties = additional(s, object, "additionalProperties");
        if (auto const* found = object.find("dependencies"); found != nullptr && found->kind == Json::Kind::object) {
            for (auto const& [name, dependency] : found->members) {
                if (dependency.kind == Json::Kind::array) {
                    s.dependent_lists[name] = strings(dependency);
                } else {
                    s.dependent_on[name] = enqueue({s.at.url, s.at.ptr + "/dependencies/" + escape_token(name)});
                }
            }
        }
        if (s.draft >= 6) {
            s.contains = property(s, object, "contains");
            s.property_names = property(s, object, "propertyNames");
        }
        if (s.draft >= 7 && (s.if_schema = property(s, object, "if")) != nullptr) {
            auto const* condition = object.find("if");
            bool const fixed = condition->kind == Json::Kind::boolean;
            if (!fixed || condition->truth) s.then_schema = property(s, object, "then");
            if (!fixed || !condition->truth) s.else_schema = property(s, object, "else");
        }
        if (s.draft >= 2019) {
            s.dependent_schemas = map(s, object, "dependentSchemas");
            s.unevaluated_items = property(s, object, "unevaluatedItems");
            s.unevaluated_properties = property(s, object, "unevaluatedProperties");
        }
        if (s.draft >= 2020) {
            s.prefix_items = list(s, object, "prefixItems");
            s.items = property(s, object, "items");
        }
        return {};
    }

    Result<void> bad_regex(Subschema const& s, std::string_view keyword, std::string const& text, Error const& error) {
        if (error.code == Errc::limit) return std::unexpected{error};
        return fail(Errc::invalid_input, "invalid regex " + go_quoted(text) + " at " +
                                             go_quoted(s.location + '/' + std::string{keyword}) + ": " + error.message);
    }

    static std::vector<std::string> strings(Json const& list) {
        std::vector<std::string> made;
        for (auto const& item : list.items) {
            if (item.kind == Json::Kind::string) made.push_back(item.text);
        }
        return made;
    }

    static bool truth(Json const& object, std::string_view key) {
        auto const* found = object.find(key);
        return found != nullptr && found->kind == Json::Kind::boolean && found->truth;
    }

    static std::string number(Json const& object, std::string_view key) {
        auto const* found = object.find(key);
        auto const readable = found != nullptr && found->kind == Json::Kind::number && is_readable(found->text);
        return readable ? found->text : std::string{};
    }

    static std::optional<std::int64_t> integer(Json const& object, std::string_view key) {
        auto const text = number(object, key);
        if (text.empty() || !is_integer(text)) return std::nullopt;
        return low_bits(text);
    }

    Result<void> assertions(Subschema& s, Json const& object) {
        if (auto const* types = object.find("type")) {
            if (types->kind == Json::Kind::string) s.types = type_named(types->text);
            for (auto const& item : types->items) {
                if (item.kind == Json::Kind::string) s.types |= type_named(item.text);
            }
        }
        if (auto const* values = object.find("enum"); values != nullptr && values->kind == Json::Kind::array) {
            s.enumeration = values;
            for (auto const& item : values->items) s.enum_types |= type_of(item);
        }
        if (s.draft >= 6) s.constant = object.find("const");
        s.multiple_of = number(object, "multipleOf");
        s.maximum = number(object, "maximum");
        s.exclusive_maximum = number(object, "exclusiveMaximum");
        if (truth(object, "exclusiveMaximum")) std::swap(s.maximum, s.exclusive_maximum);
        s.minimum = number(object, "minimum");
        s.exclusive_minimum = number(object, "exclusiveMinimum");
        if (truth(object, "exclusiveMinimum")) std::swap(s.minimum, s.exclusive_minimum);
        s.min_length = integer(object, "minLength");
        s.max_length = integer(object, "maxLength");
        if (has_string(object, "pattern")) {
            s.pattern_text = string_of(object, "pattern");
            auto regex = into_.pattern(s.pattern_text);
            if (!regex) return bad_regex(s, "pattern", s.pattern_text, regex.error());
            s.pattern = *regex;
        }
        s.min_items = integer(object, "minItems");
        s.max_items = integer(object, "maxItems");
        s.unique_items = truth(object, "uniqueItems");
        s.min_properties = integer(object, "minProperties");
        s.max_properties = integer(object, "maxProperties");
        if (auto const* required = object.find("required"); required != nullptr) s.required = strings(*required);
        if ((assert_formats_ || s.draft < 2019) && has_string(object, "format")) {
            s.format_name = string_of(object, "format");
            s.format = format_named(s.format_name);
        }
        if (s.draft >= 2019) {
            if (s.contains != nullptr) {
                s.min_contains = integer(object, "minContains");
                s.max_contains = integer(object, "maxContains");
            }
            if (auto const* found = object.find("dependentRequired");
                found != nullptr && found->kind == Json::Kind::object) {
                for (auto const& [name, names] : found->members) {
                    if (names.kind == Json::Kind::array) s.dependent_required[name] = strings(names);
                }
            }
        }
        return {};
    }

    Compiled& into_;
    bool assert_formats_;
    std::deque<Subschema*> queue_;
    std::size_t location_bytes_ = 0;
};

}  // namespace

void Root::add(Resource resource) {
    ids.try_emplace(resource.id, resource.ptr);
    auto ptr = resource.ptr;
    resources.insert_or_assign(std::move(ptr), std::move(resource));
}

Resource const* Root::resource_of(std::string const& id) const {
    auto const found = ids.find(id);
    return found == ids.end() ? nullptr : &resources.at(found->second);
}

Resource const& Root::resource_at(std::string ptr) const {
    for (;;) {
        if (auto const found = resources.find(ptr); found != resources.end()) return found->second;
        auto const slash = ptr.rfind('/');
        if (slash == ptr.npos) return resources.at("");
        ptr.erase(slash);
    }
}

Resource& Root::resource_at(std::string ptr) {
    return const_cast<Resource&>(std::as_const(*this).resource_at(std::move(ptr)));
}

Result<Subschema const*> compile_into(Compiled& into, std::string const& url, bool assert_formats) {
    return Compiler{into, assert_formats}.run(url);
}

Result<Regex> Compiled::pattern(std::string const& text) {
    if (auto const known = patterns_.find(text); known != patterns_.end()) return known->second;
    auto made = regex::Regex::compile(text);
    if (!made) return fail(std::move(made));
    instructions_ += made->program_size();
    if (instructions_ > limits.instructions_max) return fail(Errc::limit, "schema: patterns too large together");
    return patterns_.emplace(text, std::make_shared<regex::Regex const>(std::move(*made))).first->second;
}

Schema::Schema(std::shared_ptr<Compiled const> compiled) : compiled_(std::move(compiled)) {}

std::vector<std::string> Schema::unresolved_urns() const {
    std::vector<std::string> urns;
    for (auto const& [url, root] : compiled_->roots) {
        if (url.starts_with("urn:")) urns.push_back(url);
    }
    return urns;
}

Result<void> Schema::validate(Json const& value) const {
    return check(*compiled_->start, value, compiled_->limits, nullptr);
}

Result<Schema> compile(std::string_view url, std::string_view document, Limits const& limits) {
    if (document.size() > limits.schema_bytes_max)
        return fail(Errc::limit, "schema: larger than " + std::to_string(limits.schema_bytes_max) + " bytes");
    auto parsed = parse_json(document);
    if (!parsed) return fail(std::move(parsed));
    auto compiled = std::make_shared<Compiled>();
    compiled->limits = limits;
    std::string const name{url};
    auto const& owned = compiled->documents.emplace_back(std::move(*parsed));
    Compiler compiler{*compiled, false};
    if (auto added = compiler.add_root(name, owned); !added) return fail(std::move(added));
    auto start = compiler.run(name);
    if (!start) return fail(std::move(start));
    compiled->start = *start;
    return Schema{std::move(compiled)};
}

}  // namespace holdfast::jsonschema
