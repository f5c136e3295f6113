// modules/kube/object.cpp: field access on JSON objects.
#include "modules/kube/object.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <vector>

namespace holdfast::kube {

static std::string_view view_of(json::string const& text) { return {text.data(), text.size()}; }
static json::string_view json_view(std::string_view text) { return {text.data(), text.size()}; }

Result<void> check_segment(std::string_view what, std::string_view name) {
    std::string why;
    if (name == "." || name == "..") {
        why = "may not be '" + std::string{name} + "'";
    } else {
        for (char const c : {'/', '%'}) {
            if (!name.contains(c)) continue;
            why += (why.empty() ? "may not contain '" : " may not contain '") + std::string{c} + "'";
        }
    }
    if (why.empty()) return {};
    return fail(Errc::invalid_input, "invalid " + std::string{what} + " \"" + std::string{name} + "\": [" + why + "]");
}

std::string GroupVersionKind::api_version() const { return group.empty() ? version : group + "/" + version; }

GroupVersionKind parse_api_version(std::string_view api_version, std::string_view kind) {
    auto const slash = api_version.find('/');
    if (slash == std::string_view::npos) return {"", std::string{api_version}, std::string{kind}};
    return {std::string{api_version.substr(0, slash)}, std::string{api_version.substr(slash + 1)}, std::string{kind}};
}

Result<GroupVersionKind> kind_of(Object const& object) {
    auto const api_version = find_string(object, {"apiVersion"});
    auto const kind = find_string(object, {"kind"});
    if (api_version.empty()) return fail(Errc::invalid_input, "object has no apiVersion");
    if (kind.empty()) return fail(Errc::invalid_input, "object has no kind");
    if (std::ranges::count(api_version, '/') > 1) {
        return fail(Errc::invalid_input, "unexpected GroupVersion string: " + std::string{api_version});
    }
    return parse_api_version(api_version, kind);
}

static std::string replace_all(std::string text, std::string_view from, std::string_view to) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
    return text;
}

static bool is_rbac(ObjectId const& id) {
    static constexpr std::array<std::string_view, 4> kKinds{"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"};
    return id.group == "rbac.authorization.k8s.io" && std::ranges::find(kKinds, id.kind) != kKinds.end();
}

std::string ObjectId::text() const {
    return ns + "_" + (is_rbac(*this) ? replace_all(name, ":", "__") : name) + "_" + group + "_" + kind;
}

std::string ObjectId::display() const { return ns.empty() ? kind + "/" + name : kind + "/" + ns + "/" + name; }

Result<ObjectId> parse_object_id(std::string_view text) {
    auto const broken = [text] {
        return fail(Errc::invalid_input, "unable to parse stored object metadata: " + std::string{text});
    };
    auto const first = text.find('_');
    if (first == std::string_view::npos) return broken();
    auto rest = text.substr(first + 1);
    auto const last = rest.rfind('_');
    if (last == std::string_view::npos) return broken();
    auto const kind = rest.substr(last + 1);
    rest = rest.substr(0, last);
    auto const before = rest.rfind('_');
    if (before == std::string_view::npos) return broken();
    return ObjectId{.ns = std::string{text.substr(0, first)},
                    .name = replace_all(std::string{rest.substr(0, before)}, "__", ":"),
                    .group = std::string{rest.substr(before + 1)},
                    .kind = std::string{kind}};
}

Result<ObjectId> id_of(Object const& object) {
    auto kind = kind_of(object);
    if (!kind) return fail(std::move(kind));
    auto const name = name_of(object);
    if (name.empty()) return fail(Errc::invalid_input, kind->kind + " has no metadata.name");
    return ObjectId{std::string{namespace_of(object)}, std::string{name}, kind->group, kind->kind};
}

json::value const* find(Object const& object, std::initializer_list<std::string_view> path) {
    Object const* here = &object;
    json::value const* value = nullptr;
    for (auto const name : path) {
        if (value != nullptr) here = value->if_object();
        if (here == nullptr) return nullptr;
        value = here->if_contains(json_view(name));
        if (value == nullptr) return nullptr;
    }
    return value;
}

std::string_view find_string(Object const& object, std::initializer_list<std::string_view> path) {
    auto const* const value = find(object, path);
    auto const* const text = value != nullptr ? value->if_string() : nullptr;
    return text != nullptr ? view_of(*text) : std::string_view{};
}

std::optional<std::int64_t> find_integer(Object const& object, std::initializer_list<std::string_view> path) {
    auto const* const value = find(object, path);
    if (value == nullptr) return std::nullopt;
    if (value->is_int64()) return value->get_int64();
    if (value->is_uint64()) return static_cast<std::int64_t>(value->get_uint64());
    return std::nullopt;
}

Object const* find_object(Object const& object, std::initializer_list<std::string_view> path) {
    auto const* const value = find(object, path);
    return value != nullptr ? value->if_object() : nullptr;
}

json::array const* find_array(Object const& object, std::initializer_list<std::string_view> path) {
    auto const* const value = find(object, path);
    return value != nullptr ? value->if_array() : nullptr;
}

std::string_view name_of(Object const& object) { return find_string(object, {"metadata", "name"}); }
std::string_view namespace_of(Object const& object) { return find_string(object, {"metadata", "namespace"}); }
std::string_view uid_of(Object const& object) { return find_string(object, {"metadata", "uid"}); }
std::string_view resource_version_of(Object const& object) {
    return find_string(object, {"metadata", "resourceVersion"});
}
std::int64_t generation_of(Object const& object) {
    return find_integer(object, {"metadata", "generation"}).value_or(0);
}
bool is_being_deleted(Object const& object) { return !find_string(object, {"metadata", "deletionTimestamp"}).empty(); }

bool has_finalizer(Object const& object, std::string_view finalizer) {
    auto const* const finalizers = find_array(object, {"metadata", "finalizers"});
    return finalizers != nullptr && std::ranges::any_of(*finalizers, [finalizer](json::value const& value) {
               return value.is_string() && view_of(value.get_string()) == finalizer;
           });
}

static std::optional<std::string_view> entry(Object const& object, std::string_view map, std::string_view key) {
    auto const* const value = find(object, {"metadata", map, key});
    if (value == nullptr || !value->is_string()) return std::nullopt;
    return view_of(value->get_string());
}

std::optional<std::string_view> label(Object const& object, std::string_view key) {
    return entry(object, "labels", key);
}
std::optional<std::string_view> annotation(Object const& object, std::string_view key) {
    return entry(object, "annotations", key);
}

static Object& map_at(Object& parent, std::string_view name) {
    auto& value = parent[json_view(name)];
    return value.is_object() ? value.get_object() : value.emplace_object();
}

static void set_entry(Object& object, std::string_view map, std::string_view key, std::string_view value) {
    map_at(map_at(object, "metadata"), map)[json_view(key)] = json_view(value);
}

void set_namespace(Object& object, std::string_view ns) { map_at(object, "metadata")["namespace"] = json_view(ns); }
void set_label(Object& object, std::string_view key, std::string_view value) {
    set_entry(object, "labels", key, value);
}
void set_annotation(Object& object, std::string_view key, std::string_view value) {
    set_entry(object, "annotations", key, value);
}

std::string rfc3339(std::chrono::system_clock::time_point when) {
    auto const seconds = std::chrono::system_clock::to_time_t(when);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    auto const size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return {text.data(), size};
}

static std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
    if (at + count > text.size()) return std::nullopt;
    int number = 0;
    auto const* const begin = text.data() + at;
    auto const [end, ec] = std::from_chars(begin, begin + count, number);
    if (ec != std::errc{} || end != begin + count || number < 0) return std::nullopt;
    return number;
}

std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text) {
    auto const year = digits(text, 0, 4);
    auto const month = digits(text, 5, 2);
    auto const day = digits(text, 8, 2);
    auto const hour = digits(text, 11, 2);
    auto const minute = digits(text, 14, 2);
    auto const second = digits(text, 17, 2);
    if (!year || !month || !day || !hour || !minute || !second || text.size() < 20) return std::nullopt;
    if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':')
        return std::nullopt;
    if (*month < 1 || *month > 12 || *day < 1 || *day > 31 || *hour > 23 || *minute > 59 || *second > 60)
        return std::nullopt;
    std::tm parts{};
    parts.tm_year = *year - 1900;
    parts.tm_mon = *month - 1;
    parts.tm_mday = *day;
    parts.tm_hour = *hour;
    parts.tm_min = *minute;
    parts.tm_sec = *second;
    auto when = std::chrono::system_clock::from_time_t(::timegm(&parts));
    std::size_t at = 19;
    if (text[at] == '.') {
        auto scale = std::chrono::nanoseconds{100'000'000};
        for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10) {
            when += std::chrono::duration_cast<std::chrono::system_clock::duration>(scale * (text[at] - '0'));
        }
    }
    auto const zone = text.substr(at);
    if (zone == "Z" || zone == "z") return when;
    auto const hours = digits(zone, 1, 2);
    auto const minutes = digits(zone, 4, 2);
    if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':' || !hours || !minutes)
        return std::nullopt;
    auto const offset = std::chrono::hours{*hours} + std::chrono::minutes{*minutes};
    return zone[0] == '+' ? when - offset : when + offset;
}

}  // namespace holdfast::kube
