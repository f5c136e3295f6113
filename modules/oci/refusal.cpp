// modules/oci/refusal.cpp: reads the errors of a registry, and prints their details as Go would.
#include "modules/oci/refusal.hpp"

#include "modules/base/json_text.hpp"
#include "modules/base/utf8.hpp"
#include "modules/http/retry.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace holdfast::oci {

namespace {

namespace json = boost::json;

constexpr std::size_t kWordsMax = 1'024;
constexpr std::size_t kErrorsMax = 16;
constexpr int kDepthMax = 8;

/// fmt's %v: maps in the order of their names.
std::string go_text(json::value const& value, int depth = 0) {
    if (depth > kDepthMax) return "...";
    if (auto const* text = value.if_string()) return std::string{*text};
    if (value.is_null()) return "<nil>";
    std::string out;
    if (auto const* object = value.if_object()) {
        std::set<std::string> names;
        for (auto const& member : *object) names.emplace(member.key());
        for (auto const& name : names)
            out += (out.empty() ? "" : " ") + name + ":" + go_text(object->at(name), depth + 1);
        return "map[" + out + "]";
    }
    if (auto const* list = value.if_array()) {
        for (auto const& one : *list) out += (out.empty() ? "" : " ") + go_text(one, depth + 1);
        return "[" + out + "]";
    }
    return json::serialize(value);
}

std::string text_of(json::object const& object, std::string_view name) {
    auto const* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string{value->get_string()} : std::string{};
}

/// {"errors": [{"code": …, "message": …, "detail": …}]}
std::string diagnostics_of(std::string_view body) {
    auto const parsed = parse_json(body);
    auto const* object = parsed ? parsed->if_object() : nullptr;
    auto const* errors = object == nullptr ? nullptr : object->if_contains("errors");
    auto const* list = errors == nullptr ? nullptr : errors->if_array();
    if (list == nullptr || list->empty()) return {};
    std::string out;
    for (std::size_t i = 0; i < std::min(list->size(), kErrorsMax); ++i) {
        auto const* one = (*list)[i].if_object();
        if (one == nullptr) return {};
        out += (i == 0 ? "" : "; ") + text_of(*one, "code") + ": " + text_of(*one, "message");
        auto const* detail = one->if_contains("detail");
        if (detail != nullptr && !detail->is_null()) out += "; " + go_text(*detail);
    }
    return list->size() == 1 ? out : "multiple errors returned: " + out;
}

std::string plain(std::string_view text) {
    auto const out = without_controls(to_utf8(text, kWordsMax));
    return out.substr(0, out.find_last_not_of(' ') + 1);
}

}  // namespace

std::string shown_url(http::Url url) {
    static constexpr std::array<std::string_view, 7> kOwn{"scope", "service", "mount", "from", "digest", "n", "last"};
    auto const mark = url.target.find('?');
    if (mark == std::string::npos) return url.text();
    auto parameters = http::parse_query(std::string_view{url.target}.substr(mark + 1));
    for (auto& [name, value] : parameters) {
        if (std::ranges::find(kOwn, name) == kOwn.end()) value = "REDACTED";
    }
    url.target = url.target.substr(0, mark + 1) + http::query_string(parameters);
    return url.text();
}

Error refused(std::string_view method, http::Url const& url, http::Response const& answer, bool quotes) {
    std::string words = quotes ? plain(diagnostics_of(answer.body)) : "";
    if (words.empty()) {
        words = "unexpected status code " + http::status_text(answer.status);
        auto const body = quotes ? plain(answer.body) : "";
        if (!body.empty()) words += ": " + body;
    }
    return {http::errc_of_status(answer.status), std::string{method} + " " + shown_url(url) + ": " + words};
}

}  // namespace holdfast::oci
