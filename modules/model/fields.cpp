// modules/model/fields.cpp: types, defaults, and what nobody asked for.
#include "modules/model/fields.hpp"

#include <algorithm>

namespace holdfast::model {

namespace {

bool is_no_wish(json::value const& value) {
    if (value.is_null()) return true;
    if (value.is_bool()) return !value.get_bool();
    if (value.is_string()) return value.get_string().empty();
    if (value.is_array()) return value.get_array().empty();
    return value.is_object() && value.get_object().empty();
}

}  // namespace

Fields::Fields(json::object const* object, std::string path, Reading& reading)
    : object_(object), path_(std::move(path)), reading_(reading) {}

Fields::~Fields() {
    if (object_ == nullptr) return;
    for (auto const& member : *object_) {
        if (std::ranges::find(asked_, std::string_view{member.key()}) != asked_.end()) continue;
        wrong(member.key(), "is not known to this version of Holdfast");
    }
}

json::value const* Fields::ask(std::string_view name) {
    asked_.emplace_back(name);
    return object_ == nullptr ? nullptr : object_->if_contains(name);
}

bool Fields::has(std::string_view name) {
    auto const* value = ask(name);
    return value != nullptr && !value->is_null();
}

std::string Fields::text(std::string_view name, std::string fallback) {
    auto const* value = ask(name);
    if (value == nullptr || value->is_null()) return fallback;
    if (!value->is_string()) return wrong(name, "must be a string"), fallback;
    return std::string{value->get_string()};
}

bool Fields::flag(std::string_view name, bool fallback) {
    auto const* value = ask(name);
    if (value == nullptr || value->is_null()) return fallback;
    if (!value->is_bool()) return wrong(name, "must be true or false"), fallback;
    return value->get_bool();
}

Duration Fields::duration(std::string_view name, Duration fallback) {
    if (!has(name)) return fallback;
    auto const parsed = parse_duration(text(name));
    if (!parsed) return wrong(name, parsed.error().message), fallback;
    return *parsed;
}

Duration Fields::required_duration(std::string_view name) {
    if (!has(name)) return wrong(name, "is required"), Duration{};
    return duration(name, Duration{});
}

std::string Fields::required_text(std::string_view name) {
    std::string value = text(name);
    if (value.empty()) wrong(name, "is required");
    return value;
}

std::map<std::string, std::string> Fields::texts(std::string_view name) {
    std::map<std::string, std::string> found;
    Fields fields = child(name);
    if (fields.object_ == nullptr) return found;
    for (auto const& member : *fields.object_) found[std::string{member.key()}] = fields.text(member.key());
    return found;
}

std::vector<std::string> Fields::list_of_texts(std::string_view name) {
    std::vector<std::string> found;
    auto const* values = list(name);
    if (values == nullptr) return found;
    for (json::value const& value : *values) {
        if (value.is_string()) found.emplace_back(value.get_string());
        else wrong(name, "must be a list of names");
    }
    return found;
}

Fields Fields::child(std::string_view name) {
    auto const* value = ask(name);
    bool const absent = value == nullptr || value->is_null();
    if (!absent && !value->is_object()) wrong(name, "must be an object");
    return Fields{absent ? nullptr : value->if_object(), at(name), reading_};
}

json::array const* Fields::list(std::string_view name) {
    auto const* value = ask(name);
    if (value == nullptr || value->is_null()) return nullptr;
    if (!value->is_array()) return wrong(name, "must be a list"), nullptr;
    return &value->get_array();
}

Fields Fields::element(std::string_view name, json::array const& list, std::size_t index) {
    std::string path = at(name) + "[" + std::to_string(index) + "]";
    auto const* object = list[index].if_object();
    if (object == nullptr) reading_.wrong(path + ": must be an object");
    return Fields{object, std::move(path), reading_};
}

json::value const* Fields::as_is(std::string_view name) {
    auto const* value = ask(name);
    return value == nullptr || value->is_null() ? nullptr : value;
}

void Fields::accept(std::string_view name) {
    if (ask(name) != nullptr) reading_.accepted(at(name));
}

void Fields::refuse(std::string_view name, std::string_view why) {
    auto const* value = ask(name);
    if (value != nullptr && !is_no_wish(*value)) wrong(name, why);
}

void Fields::wrong(std::string_view name, std::string_view what) {
    reading_.wrong(at(name) + ": " + std::string{what});
}

}  // namespace holdfast::model
