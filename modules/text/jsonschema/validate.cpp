// modules/text/jsonschema/validate.cpp: applies compiled subschemas to values, in the library's order of checks.
#include "modules/text/jsonschema/failure.hpp"
#include "modules/text/jsonschema/schema.hpp"

#include "modules/yaml/go_number.hpp"

#include <algorithm>
#include <bit>

namespace holdfast::jsonschema {
namespace {

struct Scope {
    Subschema const* schema;
    char const* reference;  // the keyword when this is a jump, else ""
    int value_id;           // scopes of one value share it
    Scope const* parent;
};

/// Properties and items that no keyword has looked at yet.
struct Unevaluated {
    std::set<std::string_view> properties;
    std::set<std::size_t> items;
    bool empty() const { return properties.empty() && items.empty(); }
};

std::string keyword_location(Scope const* scope) {
    std::string location;
    for (; scope->parent != nullptr; scope = scope->parent) {
        if (*scope->reference != '\0') {
            location = '/' + std::string{scope->reference} + location;
        } else {
            location = scope->schema->location.substr(
                           std::min(scope->parent->schema->location.size(), scope->schema->location.size())) +
                       location;
        }
    }
    return location;
}

std::string displayed(Json const& value) {
    switch (value.kind) {
        case Json::Kind::null: return "<nil>";
        case Json::Kind::boolean: return value.truth ? "true" : "false";
        case Json::Kind::number: return value.text;
        case Json::Kind::string: return quoted(value.text);
        default: return "value";
    }
}

std::string joined(std::vector<std::string> const& names) {
    std::string out;
    for (auto const& name : names) out += (out.empty() ? "" : ", ") + quoted(name);
    return out;
}

std::int64_t count_runes(std::string_view text) {
    return std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; });
}

bool is_compound(Json const& value) { return value.kind == Json::Kind::array || value.kind == Json::Kind::object; }

constexpr std::uint64_t kLooksPerCheck = 16;
constexpr std::uint64_t kBytesPerLook = 16;
constexpr std::uint64_t kDigitsPerLook = 2;
constexpr std::uint64_t kLooksPerInstruction = 16;     // to compile a pattern
constexpr std::uint64_t kInstructionsTried = 100'000;  // before a program is found to be too large

/// What one whole validation shares.
struct Run {
    Limits const& limits;
    Root const* as_schema;    // resources of a schema that is checked against its metaschema
    std::uint64_t looks = 0;  // at values, names and pieces of text; a subschema applied counts as several
    std::size_t failures = 0;
    std::size_t report_bytes = 0;
    std::size_t depth = 0;
    std::optional<Error> stopped;
    std::vector<std::string> path;

    std::uint64_t looks_left() const {
        auto const most = limits.checks_max * kLooksPerCheck;
        return most - std::min(most, looks);
    }
    void stop(Error error) {
        if (!stopped) stopped = std::move(error);
    }
    void look(std::uint64_t count) {
        if (count > looks_left()) stop({Errc::limit, "schema: too many checks"});
        else looks += count;
    }
    void look_at_text(std::size_t bytes) { look(1 + bytes / kBytesPerLook); }

    /// equal(), each pair of parts counted.
    bool same(Json const& left, Json const& right) {
        look_at_text(std::min(left.text.size(), right.text.size()));
        if (stopped || left.kind != right.kind) return false;
        if (left.kind == Json::Kind::array)
            return std::ranges::equal(left.items, right.items,
                                      [&](auto const& a, auto const& b) { return same(a, b); });
        if (left.kind == Json::Kind::object)
            return std::ranges::equal(left.members, right.members, [&](auto const& a, auto const& b) {
                return a.first == b.first && same(a.second, b.second);
            });
        return equal(left, right);
    }
};

class Validator {
public:
    Validator(Run& run, Json const& value, Subschema const* schema, Scope scope, bool only_verdict, bool caller_needs,
              Subschema const* meta)
        : run_(run), value_(value), schema_(schema), scope_(scope), only_verdict_(only_verdict), meta_(meta) {
        if (value.kind == Json::Kind::object && !schema->all_properties_evaluated &&
            (caller_needs || schema->unevaluated_properties != nullptr)) {
            for (auto const& [name, member] : value.members) left_.properties.insert(name);
        }
        if (value.kind == Json::Kind::array && !schema->all_items_evaluated &&
            (caller_needs || schema->unevaluated_items != nullptr)) {
            for (std::size_t i = schema->items_evaluated; i < value.items.size(); ++i) left_.items.insert(i);
        }
    }

    /// Nothing when valid.
    std::unique_ptr<Failure> run() {
        if (run_.stopped) return failure(Failure::Kind::other, {});
        run_.look(kLooksPerCheck);
        if (run_.stopped) return failure(Failure::Kind::other, {});
        if (run_.depth > run_.limits.depth_max) return stop("schema: nested too deep");
        // The metaschema itself stands for whatever dialect the resource at this place declares.
        if (run_.as_schema != nullptr && schema_ == meta_) use_dialect();
        ++run_.depth;
        auto failed = checks();
        --run_.depth;
        return failed;
    }

    Unevaluated const& left() const { return left_; }

private:
    std::unique_ptr<Failure> stop(std::string message) {
        run_.stop({Errc::limit, std::move(message)});
        return failure(Failure::Kind::other, {});
    }

    void use_dialect() {
        std::string ptr;
        for (auto const& token : run_.path) ptr += '/' + escape_token(token);
        auto const found = run_.as_schema->resources.find(ptr);
        if (found == run_.as_schema->resources.end()) return;
        schema_ = meta_ = metaschema(*found->second.draft);
    }

    std::unique_ptr<Failure> failure(Failure::Kind kind, std::string message) {
        auto made = std::make_unique<Failure>();
        made->kind = kind;
        if (only_verdict_) return made;
        made->message = std::move(message);
        for (auto const& token : run_.path) made->location += '/' + escape_token(token);
        run_.report_bytes += made->message.size() + made->location.size();
        if (++run_.failures > run_.limits.failures_max || run_.report_bytes > run_.limits.report_bytes_max)
            run_.stop({Errc::limit, "schema: too many failures"});
        return made;
    }

    template <class Message> void wrong(Message message) {
        failures_.push_back(failure(Failure::Kind::other, only_verdict_ ? std::string{} : message()));
    }
    template <class Message> void wrong_because(Failures causes, Message message) {
        wrong(message);
        failures_.back()->causes = std::move(causes);
    }
    void keep(std::unique_ptr<Failure> failed) {
        if (failed) failures_.push_back(std::move(failed));
    }
    bool enough() const { return (only_verdict_ && !failures_.empty()) || run_.stopped.has_value(); }

    std::unique_ptr<Failure> on_self(Subschema const* schema, char const* reference, bool only_verdict) {
        Validator sub{run_,
                      value_,
                      schema,
                      Scope{schema, reference, scope_.value_id, &scope_},
                      only_verdict_ || only_verdict,
                      !left_.empty(),
                      meta_};
        auto failed = sub.run();
        if (!failed) {
            std::erase_if(left_.properties, [&](auto name) { return !sub.left_.properties.contains(name); });
            std::erase_if(left_.items, [&](auto index) { return !sub.left_.items.contains(index); });
        }
        return failed;
    }

    std::unique_ptr<Failure> on_child(Subschema const* schema, Json const& child, std::string token) {
        run_.path.push_back(std::move(token));
        Validator sub{run_,          child, schema, Scope{schema, "", scope_.value_id + 1, &scope_},
                      only_verdict_, false, meta_};
        auto failed = sub.run();
        run_.path.pop_back();
        return failed;
    }

    std::unique_ptr<Failure> follow(Subschema const* target, char const* keyword) {
        auto failed = on_self(target, keyword, false);
        if (!failed) return nullptr;
        auto made = failure(Failure::Kind::reference, "validation failed");
        if (failed->kind == Failure::Kind::group) {
            made->causes = std::move(failed->causes);
        } else {
            made->causes.push_back(std::move(failed));
        }
        return made;
    }

    std::unique_ptr<Failure> checks() {
        auto const& s = *schema_;
        if (s.boolean) return *s.boolean ? nullptr : failure(Failure::Kind::other, "false schema");
        for (auto const* scope = scope_.parent; scope != nullptr && scope->value_id == scope_.value_id;
             scope = scope->parent) {
            if (scope->schema != scope_.schema) continue;
            return failure(Failure::Kind::other, "both " + keyword_location(&scope_) + " and " +
                                                     keyword_location(scope) + " resolve to " + go_quoted(s.location) +
                                                     " causing reference cycle");
        }
        if (auto failed = plain_checks()) return failed;
        if (s.ref != nullptr) {
            auto failed = follow(s.ref, "$ref");
            if (s.draft < 2019) return failed;
            keep(std::move(failed));
        }
        switch (value_.kind) {
            case Json::Kind::object: check_object(); break;
            case Json::Kind::array: check_array(); break;
            case Json::Kind::string: check_string(); break;
            case Json::Kind::number: check_number(); break;
            default: break;
        }
        if (failures_.empty() || !only_verdict_) {
            if (s.draft >= 2019) references();
            conditions();
            if (s.draft >= 2019) unevaluated();
        }
        if (failures_.empty()) return nullptr;
        if (failures_.size() == 1) return std::move(failures_[0]);
        auto group = failure(Failure::Kind::group, "validation failed");
        group->causes = std::move(failures_);
        return group;
    }

    /// type, const, enum, format: the first that fails is the only report.
    std::unique_ptr<Failure> plain_checks() {
        auto const& s = *schema_;
        unsigned const type = type_of(value_);
        bool const typed =
            (s.types & type) != 0 || ((s.types & kInteger) != 0 && type == kNumber && is_integer(value_.text));
        if (s.types != 0 && !typed)
            return failure(Failure::Kind::other, "got " + type_names(type) + ", want " + type_names(s.types));
        if (s.constant != nullptr && !run_.same(value_, *s.constant)) {
            return failure(Failure::Kind::other,
                           is_compound(*s.constant) ? "'const' failed" : "value must be " + displayed(*s.constant));
        }
        if (s.enumeration != nullptr) {
            auto const& values = s.enumeration->items;
            if (std::ranges::none_of(values, [&](Json const& item) { return run_.same(value_, item); })) {
                return failure(Failure::Kind::other, enum_message(values));
            }
        }
        if (s.format != nullptr && value_.kind == Json::Kind::string) {
            if (auto const reason = reason_against_format()) {
                return failure(Failure::Kind::other,
                               displayed(value_) + " is not valid " + s.format_name + ": " + *reason);
            }
        }
        return nullptr;
    }

    std::optional<std::string> reason_against_format() {
        auto const& text = value_.text;
        run_.look_at_text(text.size());
        if (run_.stopped) return std::nullopt;
        if (schema_->format_name != "regex") return schema_->format(text);
        // A pattern of a few characters may make a large program, which only compiling it tells.
        auto const made = regex::Regex::compile(text);
        auto const too_large = !made && made.error().code == Errc::limit;
        run_.look(kLooksPerInstruction * (made ? made->program_size() : too_large ? kInstructionsTried : text.size()));
        if (made) return std::nullopt;
        return made.error().message;
    }

    bool matches(regex::Regex const& regex, std::string_view text) {
        regex::Effort effort{run_.looks_left()};
        auto const matched = regex.matches(text, effort);
        run_.look(effort.spent() ? UINT64_MAX : effort.looks());
        return matched;
    }

    static std::string enum_message(std::vector<Json> const& values) {
        if (std::ranges::any_of(values, is_compound)) return "'enum' failed";
        if (values.size() == 1) return "value must be " + displayed(values[0]);
        std::string names;
        for (auto const& value : values) names += (names.empty() ? "" : ", ") + displayed(value);
        return "value must be one of " + names;
    }

    std::vector<std::string> missing(std::vector<std::string> const& names) const {
        std::vector<std::string> absent;
        run_.look(names.size() * (1 + std::bit_width(value_.members.size()) / 4));
        if (run_.stopped) return absent;
        for (auto const& name : names) {
            if (value_.find(name) == nullptr) absent.push_back(name);
        }
        return absent;
    }

    void bound(std::optional<std::int64_t> limit, std::int64_t got, bool least, char const* keyword) {
        if (!limit || (least ? got >= *limit : got <= *limit)) return;
        wrong([&] { return std::string{keyword} + ": got " + localized(got) + ", want " + localized(*limit); });
    }

    void require(std::vector<std::string> const& names, std::string const& because) {
        auto const absent = missing(names);
        if (absent.empty()) return;
        wrong([&] { return "properties " + joined(absent) + " required, if " + quoted(because) + " exists"; });
    }

    void check_object() {
        auto const& s = *schema_;
        auto const size = static_cast<std::int64_t>(value_.members.size());
        bound(s.min_properties, size, true, "minProperties");
        bound(s.max_properties, size, false, "maxProperties");
        if (auto const absent = missing(s.required); !absent.empty()) {
            wrong([&] { return (absent.size() == 1 ? "missing property " : "missing properties ") + joined(absent); });
        }
        if (enough()) return;
        run_.look(s.dependent_lists.size() + s.dependent_on.size() + s.dependent_schemas.size() +
                  s.dependent_required.size());
        if (enough()) return;
        for (auto const& [name, names] : s.dependent_lists) {
            if (value_.find(name) != nullptr) require(names, name);
        }
        for (auto const& [name, schema] : s.dependent_on) {
            if (value_.find(name) != nullptr) keep(on_self(schema, "", false));
        }
        check_members();
        if (s.draft == 4) return;
        if (s.property_names != nullptr) check_names();
        if (s.draft == 6) return;
        for (auto const& [name, schema] : s.dependent_schemas) {
            if (value_.find(name) != nullptr) keep(on_self(schema, "", false));
        }
        for (auto const& [name, names] : s.dependent_required) {
            if (value_.find(name) != nullptr) require(names, name);
        }
    }

    void check_members() {
        auto const& s = *schema_;
        std::vector<std::string> refused;
        for (auto const& [name, member] : value_.members) {
            if (enough()) return;
            bool evaluated = false;
            if (auto const found = s.properties.find(name); found != s.properties.end()) {
                evaluated = true;
                keep(on_child(found->second, member, name));
            }
            for (auto const& [regex, schema] : s.pattern_properties) {
                if (!matches(*regex, name)) continue;
                evaluated = true;
                keep(on_child(schema, member, name));
            }
            if (!evaluated && s.additional_properties.kind != Additional::Kind::absent) {
                evaluated = true;
                if (s.additional_properties.kind == Additional::Kind::refused) refused.push_back(name);
                if (s.additional_properties.schema != nullptr)
                    keep(on_child(s.additional_properties.schema, member, name));
            }
            if (evaluated) left_.properties.erase(name);
        }
        if (!refused.empty()) wrong([&] { return "additional properties " + joined(refused) + " not allowed"; });
    }

    void check_names() {
        for (auto const& [name, member] : value_.members) {
            if (enough()) return;
            Json const text = Json::string(name);
            auto const path = std::exchange(run_.path, {});  // names are reported without a place, as the library does
            Validator sub{
                run_,  text, schema_->property_names, Scope{schema_->property_names, "", 0, nullptr}, only_verdict_,
                false, meta_};
            auto failed = sub.run();
            if (failed) {
                auto made = failure(Failure::Kind::other, "invalid propertyName " + quoted(name));
                if (failed->kind == Failure::Kind::group) {
                    made->causes = std::move(failed->causes);
                } else {
                    made->causes.push_back(std::move(failed));
                }
                keep(std::move(made));
            }
            run_.path = path;
        }
    }

    void check_array() {
        auto const& s = *schema_;
        auto const& items = value_.items;
        auto const size = static_cast<std::int64_t>(items.size());
        bound(s.min_items, size, true, "minItems");
        bound(s.max_items, size, false, "maxItems");
        if (s.unique_items) check_unique();
        std::size_t evaluated = std::min(s.prefix_items.size(), items.size());
        for (std::size_t i = 0; i < evaluated && !enough(); ++i)
            keep(on_child(s.prefix_items[i], items[i], std::to_string(i)));
        if (s.items != nullptr) {
            for (std::size_t i = evaluated; i < items.size() && !enough(); ++i)
                keep(on_child(s.items, items[i], std::to_string(i - evaluated)));
            if (s.draft < 2020) evaluated = items.size();
        }
        if (s.additional_items.kind == Additional::Kind::refused && evaluated != items.size()) {
            wrong([&] {
                return "last " + localized(size - static_cast<std::int64_t>(evaluated)) +
                       " additionalItem(s) not allowed";
            });
        }
        if (s.additional_items.schema != nullptr) {
            for (std::size_t i = evaluated; i < items.size() && !enough(); ++i)
                keep(on_child(s.additional_items.schema, items[i], std::to_string(i - evaluated)));
        }
        if (s.contains != nullptr) check_contains();
    }

    void check_unique() {
        auto const& items = value_.items;
        for (std::size_t i = 1; i < items.size() && !run_.stopped; ++i) {
            for (std::size_t j = 0; j < i && !run_.stopped; ++j) {
                if (!run_.same(items[i], items[j])) continue;
                wrong([&] {
                    return "items at " + localized(static_cast<std::int64_t>(j)) + " and " +
                           localized(static_cast<std::int64_t>(i)) + " are equal";
                });
                return;
            }
        }
    }

    static std::string listed(std::vector<std::int64_t> const& indexes) {
        std::string out;
        for (auto const index : indexes) out += (out.empty() ? "" : " ") + std::to_string(index);
        return out;
    }

    void check_contains() {
        auto const& s = *schema_;
        Failures causes;
        std::vector<std::int64_t> matched;
        for (std::size_t i = 0; i < value_.items.size() && !run_.stopped; ++i) {
            if (auto failed = on_child(s.contains, value_.items[i], std::to_string(i))) {
                causes.push_back(std::move(failed));
                continue;
            }
            matched.push_back(static_cast<std::int64_t>(i));
            if (s.draft >= 2020) left_.items.erase(i);
        }
        auto const count = static_cast<std::int64_t>(matched.size());
        if (s.min_contains) {
            if (count < *s.min_contains) {
                wrong_because(std::move(causes), [&] {
                    auto const head =
                        "min " + localized(*s.min_contains) + " items required to match contains schema, but ";
                    return matched.empty() ? head + "none matched"
                                           : head + "matched " + localized(count) + " items at " + listed(matched);
                });
            }
        } else if (matched.empty()) {
            wrong_because(std::move(causes), [] { return std::string{"no items match contains schema"}; });
        }
        if (s.max_contains && count > *s.max_contains) {
            wrong([&] {
                return "max " + localized(*s.max_contains) + " items required to match contains schema, but matched " +
                       localized(count) + " items at " + listed(matched);
            });
        }
    }

    void check_string() {
        auto const& s = *schema_;
        if (s.min_length || s.max_length) {
            run_.look_at_text(value_.text.size());
            auto const length = count_runes(value_.text);
            bound(s.min_length, length, true, "minLength");
            bound(s.max_length, length, false, "maxLength");
        }
        if (s.pattern && !matches(*s.pattern, value_.text)) {
            wrong([&] { return quoted(value_.text) + " does not match pattern " + quoted(s.pattern_text); });
        }
    }

    void compare_to(std::string const& limit, char const* keyword, bool (*good)(int)) {
        if (limit.empty()) return;
        run_.look(1 + (value_.text.size() + limit.size()) / kDigitsPerLook);
        if (run_.stopped || good(compare_numbers(value_.text, limit))) return;
        wrong([&] {
            return std::string{keyword} + ": got " + localized(std::string_view{value_.text}) + ", want " +
                   localized(std::string_view{limit});
        });
    }

    void check_number() {
        auto const& s = *schema_;
        auto const bounds = {&s.minimum, &s.maximum, &s.exclusive_minimum, &s.exclusive_maximum, &s.multiple_of};
        if (!is_readable(value_.text) && !std::ranges::all_of(bounds, &std::string::empty))
            return run_.stop({Errc::invalid_input, std::string{kPanic}});
        compare_to(s.minimum, "minimum", [](int order) { return order >= 0; });
        compare_to(s.maximum, "maximum", [](int order) { return order <= 0; });
        compare_to(s.exclusive_minimum, "exclusiveMinimum", [](int order) { return order > 0; });
        compare_to(s.exclusive_maximum, "exclusiveMaximum", [](int order) { return order < 0; });
        if (s.multiple_of.empty()) return;
        std::uint64_t looks = 0;
        auto const multiple = is_multiple(value_.text, s.multiple_of, run_.looks_left(), looks);
        run_.look(multiple ? looks : UINT64_MAX);
        if (!multiple.value_or(true)) {
            wrong([&] {
                return "multipleOf: got " + localized(std::string_view{value_.text}) + ", want " +
                       localized(std::string_view{s.multiple_of});
            });
        }
    }

    void references() {
        if (auto const* target = schema_->recursive_ref) {
            if (target->recursive_anchor) {
                for (auto const* scope = &scope_; scope != nullptr; scope = scope->parent) {
                    if (scope->schema->resource != nullptr && scope->schema->resource->recursive_anchor)
                        target = scope->schema;
                }
            }
            keep(follow(target, "$recursiveRef"));
        }
        if (auto const* target = schema_->dynamic_ref) {
            auto const& anchor = schema_->dynamic_ref_anchor;
            if (!anchor.empty() && target->dynamic_anchor == anchor) {
                for (auto const* scope = &scope_; scope != nullptr; scope = scope->parent) {
                    if (scope->schema->resource == nullptr) continue;
                    auto const& known = scope->schema->resource->dynamic_schemas;
                    if (auto const found = known.find(anchor); found != known.end()) target = found->second;
                }
            }
            keep(follow(target, "$dynamicRef"));
        }
    }

    void conditions() {
        auto const& s = *schema_;
        if (s.negated != nullptr && !on_self(s.negated, "", true)) wrong([] { return std::string{"'not' failed"}; });
        Failures causes;
        for (auto const* schema : s.all_of) {
            auto failed = on_self(schema, "", false);
            if (!failed) continue;
            causes.push_back(std::move(failed));
            if (only_verdict_) break;
        }
        if (!causes.empty()) wrong_because(std::exchange(causes, {}), [] { return std::string{"'allOf' failed"}; });
        if (!s.any_of.empty()) {
            bool matched = false;
            for (auto const* schema : s.any_of) {
                if (auto failed = on_self(schema, "", false)) {
                    causes.push_back(std::move(failed));
                    continue;
                }
                matched = true;
                if (left_.empty()) break;
            }
            auto kept = std::exchange(causes, {});
            if (!matched) wrong_because(std::move(kept), [] { return std::string{"'anyOf' failed"}; });
        }
        if (!s.one_of.empty()) check_one_of();
        if (s.if_schema == nullptr) return;
        if (!on_self(s.if_schema, "", true)) {
            if (s.then_schema != nullptr) keep(on_self(s.then_schema, "", false));
        } else if (s.else_schema != nullptr) {
            keep(on_self(s.else_schema, "", false));
        }
    }

    void check_one_of() {
        std::optional<std::int64_t> matched;
        Failures causes;
        for (std::size_t i = 0; i < schema_->one_of.size(); ++i) {
            auto failed = on_self(schema_->one_of[i], "", matched.has_value());
            auto const index = static_cast<std::int64_t>(i);
            if (failed) {
                if (!matched) causes.push_back(std::move(failed));
            } else if (!matched) {
                matched = index;
            } else {
                wrong([&] {
                    return "'oneOf' failed, subschemas " + localized(*matched) + ", " + localized(index) + " matched";
                });
                break;
            }
        }
        if (!matched) wrong_because(std::move(causes), [] { return std::string{"'oneOf' failed, none matched"}; });
    }

    void unevaluated() {
        auto const& s = *schema_;
        if (value_.kind == Json::Kind::object && s.unevaluated_properties != nullptr) {
            for (auto const name : left_.properties)
                keep(on_child(s.unevaluated_properties, *value_.find(name), std::string{name}));
            left_.properties.clear();
        }
        if (value_.kind == Json::Kind::array && s.unevaluated_items != nullptr) {
            for (auto const i : left_.items) keep(on_child(s.unevaluated_items, value_.items[i], std::to_string(i)));
            left_.items.clear();
        }
    }

    Run& run_;
    Json const& value_;
    Subschema const* schema_;
    Scope scope_;
    bool only_verdict_;
    Subschema const* meta_;
    Unevaluated left_;
    Failures failures_;
};

}  // namespace

Result<void> check(Subschema const& schema, Json const& value, Limits const& limits, Root const* as_schema) {
    Run run{.limits = limits, .as_schema = as_schema};
    Validator validator{
        run, value, &schema, Scope{&schema, "", 0, nullptr}, false, false, as_schema != nullptr ? &schema : nullptr};
    auto failed = validator.run();
    if (run.stopped) return std::unexpected{*run.stopped};
    if (!failed) return {};
    Failure report;
    report.kind = Failure::Kind::schema;
    report.message = "jsonschema validation failed with " + quoted(schema.location);
    if (failed->kind == Failure::Kind::group) {
        report.causes = std::move(failed->causes);
    } else {
        report.causes.push_back(std::move(failed));
    }
    std::string text;
    display(report, text, 0);
    return fail(Errc::invalid_input, std::move(text));
}

}  // namespace holdfast::jsonschema
