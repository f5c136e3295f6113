// modules/patch/json_diff.cpp: two JSON values side by side.
#include "modules/patch/json_diff.hpp"

#include "modules/base/limits.hpp"

namespace holdfast::patch {

namespace json = boost::json;

namespace {

void add_operation(json::array& out, char const* op, std::string const& path, json::value const* value = nullptr) {
    json::object operation{{"op", op}, {"path", path}};
    if (value) operation["value"] = *value;
    out.emplace_back(std::move(operation));
}

void diff(json::array& out, std::string const& path, json::value const& from, json::value const& to,
          std::size_t depth) {
    if (depth < limits::kPatchDepthMax && from.is_object() && to.is_object()) {
        auto const& old = from.get_object();
        auto const& now = to.get_object();
        for (auto const& [name, value] : old) {
            if (!now.contains(name)) add_operation(out, "remove", path + "/" + escape_pointer(name));
        }
        for (auto const& [name, value] : now) {
            auto const below = path + "/" + escape_pointer(name);
            if (auto const* const known = old.if_contains(name)) diff(out, below, *known, value, depth + 1);
            else add_operation(out, "add", below, &value);
        }
        return;
    }
    if (depth < limits::kPatchDepthMax && from.is_array() && to.is_array()) {
        auto const& old = from.get_array();
        auto const& now = to.get_array();
        auto const common = std::min(old.size(), now.size());
        for (std::size_t i = 0; i < common; ++i) diff(out, path + "/" + std::to_string(i), old[i], now[i], depth + 1);
        for (std::size_t i = old.size(); i > common; --i)
            add_operation(out, "remove", path + "/" + std::to_string(i - 1));
        for (std::size_t i = common; i < now.size(); ++i) add_operation(out, "add", path + "/-", &now[i]);
        return;
    }
    if (from != to) add_operation(out, "replace", path, &to);
}

class Drift {
public:
    Drift(std::vector<std::string>& out, std::size_t max) : out_{out}, max_{max} {}

    void compare(std::string const& path, json::value const& wanted, json::value const& live, std::size_t depth) {
        if (out_.size() >= max_) return;
        if (depth < limits::kPatchDepthMax && wanted.is_object() && live.is_object()) {
            for (auto const& [name, value] : wanted.get_object()) {
                auto const below = path + "/" + escape_pointer(name);
                auto const* const found = live.get_object().if_contains(name);
                if (found) compare(below, value, *found, depth + 1);
                else if (out_.size() < max_) out_.push_back(below);
            }
            return;
        }
        auto const* const list = wanted.if_array();
        auto const* const live_list = live.if_array();
        if (depth < limits::kPatchDepthMax && list && live_list && list->size() == live_list->size()) {
            for (std::size_t i = 0; i < list->size(); ++i) {
                compare(path + "/" + std::to_string(i), (*list)[i], (*live_list)[i], depth + 1);
            }
            return;
        }
        if (wanted != live) out_.push_back(path);
    }

private:
    std::vector<std::string>& out_;
    std::size_t max_;
};

}  // namespace

std::string escape_pointer(std::string_view part) {
    std::string text;
    text.reserve(part.size());
    for (auto const c : part) {
        if (c == '~') text += "~0";
        else if (c == '/') text += "~1";
        else text += c;
    }
    return text;
}

json::array json_diff(json::value const& from, json::value const& to) {
    json::array out;
    diff(out, "", from, to, 0);
    return out;
}

json::value merge_diff(json::value const& from, json::value const& to) {
    if (!from.is_object() || !to.is_object()) return to;
    json::object out;
    auto const& old = from.get_object();
    auto const& now = to.get_object();
    for (auto const& [name, value] : old) {
        if (!now.contains(name)) out[name] = nullptr;
    }
    for (auto const& [name, value] : now) {
        auto const* const known = old.if_contains(name);
        if (!known) out[name] = value;
        else if (*known != value) out[name] = merge_diff(*known, value);
    }
    return out;
}

std::vector<std::string> drift(json::value const& wanted, json::value const& live, std::size_t max) {
    std::vector<std::string> out;
    Drift{out, max}.compare("", wanted, live, 0);
    return out;
}

}  // namespace holdfast::patch
