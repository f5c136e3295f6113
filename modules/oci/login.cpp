// modules/oci/login.cpp: reads Docker's configuration, and finds in it as Kubernetes does.
#include "modules/oci/login.hpp"

#include "modules/base/base64.hpp"
#include "modules/base/json_text.hpp"

#include <boost/json/object.hpp>

#include <utility>

namespace holdfast::oci {

namespace {

namespace json = boost::json;

/// Go's JSON finds a member by its name in whatever case, but the names are written in one.
std::string text_at(json::object const& object, std::string_view name) {
    auto const* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string{value->get_string()} : std::string{};
}

/// "user:password" in base64, with or without its padding, in one line or in several.
Result<std::pair<std::string, std::string>> decode_auth(std::string auth) {
    std::erase_if(auth, [](char c) { return c == '\n' || c == '\r'; });
    while (auth.size() % 4 != 0) auth += '=';
    auto decoded = base64_decode(auth);
    if (!decoded) return fail(std::move(decoded), "unable to decode auth field");
    auto const colon = decoded->find(':');
    if (colon == std::string::npos) {
        return fail(Errc::invalid_input, "unable to decode auth field: must be formatted as base64(username:password)");
    }
    return std::pair{decoded->substr(0, colon), decoded->substr(colon + 1)};
}

Result<Login> read_login(json::object const& entry) {
    Login login{.username = text_at(entry, "username"),
                .password = text_at(entry, "password"),
                .identity_token = text_at(entry, "identitytoken"),
                .registry_token = text_at(entry, "registrytoken")};
    auto auth = text_at(entry, "auth");
    if (auth.empty()) return login;
    auto decoded = decode_auth(std::move(auth));
    if (!decoded) return fail(std::move(decoded));
    login.username = std::move(decoded->first);
    login.password = std::move(decoded->second);
    return login;
}

/// "https://ghcr.io/v2/org" is "ghcr.io/org".
std::string place_of(std::string_view key) {
    for (std::string_view const scheme : {"https://", "http://"}) {
        if (key.starts_with(scheme)) key.remove_prefix(scheme.size());
    }
    auto const host = key.substr(0, key.find('/'));
    auto path = key.substr(host.size());
    for (std::string_view const version : {"/v2/", "/v1/"}) {
        if (!path.starts_with(version)) continue;
        path.remove_prefix(version.size() - 1);
        break;
    }
    return std::string{host} + (path == "/" ? std::string{} : std::string{path});
}

struct Place {
    std::string_view host;
    std::string_view port;
    std::string_view path;
};

Place split(std::string_view place) {
    Place out{.host = place.substr(0, place.find('/'))};
    out.path = place.substr(out.host.size());
    auto const colon = out.host.rfind(':');
    if (colon != std::string_view::npos && out.host.find(']', colon) == std::string_view::npos) {
        out.port = out.host.substr(colon + 1);
        out.host = out.host.substr(0, colon);
    }
    return out;
}

/// "*" and "?" within one part of a host's name.
bool part_fits(std::string_view glob, std::string_view text) {
    std::size_t star = std::string_view::npos, resume = 0, at = 0, i = 0;
    while (i < text.size()) {
        if (at < glob.size() && glob[at] == '*') {
            star = at++;
            resume = i;
        } else if (at < glob.size() && (glob[at] == '?' || glob[at] == text[i])) {
            ++at;
            ++i;
        } else if (star != std::string_view::npos) {
            at = star + 1;
            i = ++resume;
        } else {
            return false;
        }
    }
    return glob.find_first_not_of('*', at) == std::string_view::npos;
}

bool host_fits(std::string_view glob, std::string_view host) {
    for (;;) {
        auto const glob_part = glob.substr(0, glob.find('.'));
        auto const host_part = host.substr(0, host.find('.'));
        if (!part_fits(glob_part, host_part)) return false;
        bool const last = glob_part.size() == glob.size();
        if (last || host_part.size() == host.size()) return last && host_part.size() == host.size();
        glob.remove_prefix(glob_part.size() + 1);
        host.remove_prefix(host_part.size() + 1);
    }
}

/// A path fits what lies beneath it; "org" is not above "organisation".
bool path_fits(std::string_view above, std::string_view path) {
    while (above.ends_with('/')) above.remove_suffix(1);
    return path.starts_with(above) && (path.size() == above.size() || path[above.size()] == '/');
}

bool fits(std::string_view place, std::string_view resource) {
    auto const wished = split(place);
    auto const asked = split(resource);
    return wished.port == asked.port && host_fits(wished.host, asked.host) && path_fits(wished.path, asked.path);
}

}  // namespace

Result<void> Keyring::add_config(std::string_view text) {
    auto const parsed = parse_json(text);
    if (!parsed) return std::unexpected{parsed.error()};
    auto const* object = parsed->if_object();
    auto const* auths = object == nullptr ? nullptr : object->if_contains("auths");
    if (object == nullptr || (auths != nullptr && !auths->is_object() && !auths->is_null()))
        return fail(Errc::invalid_input, "json: a Docker configuration is an object with an object of auths");
    if (auths == nullptr || auths->is_null()) return {};
    for (auto const& [key, value] : auths->get_object()) {
        if (!value.is_object()) return fail(Errc::invalid_input, "json: the login of a registry is an object");
        auto login = read_login(value.get_object());
        if (!login) return fail(std::move(login));
        auto added = add(place_of(key), std::move(*login));
        if (!added) return added;
    }
    return {};
}

Result<void> Keyring::add_auths(std::string_view text) { return add_config("{\"auths\":" + std::string{text} + "}"); }

Result<void> Keyring::add(std::string place, Login login) {
    if (entries_.size() >= kLoginsMax) return fail(Errc::limit, "more than " + std::to_string(kLoginsMax) + " logins");
    entries_.push_back({std::move(place), std::move(login)});
    return {};
}

Login Keyring::find(std::string_view resource) const {
    Entry const* best = nullptr;
    for (Entry const& entry : entries_) {
        if (fits(entry.place, resource) && (best == nullptr || entry.place > best->place)) best = &entry;
    }
    return best == nullptr ? Login{} : best->login;
}

}  // namespace holdfast::oci
