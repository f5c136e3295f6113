// modules/text/gotemplate/sprig_encoding.cpp: base64, base32, paths, URLs, UUIDs and random texts.
#include "modules/base/base64.hpp"
#include "modules/text/gotemplate/gourl.hpp"
#include "modules/text/gotemplate/sprig.hpp"
#include "modules/text/gotemplate/sprig_common.hpp"
#include "modules/text/gotemplate/template.hpp"
#include "modules/text/gotemplate/unicode.hpp"

#include <array>

namespace holdfast::gotemplate {

namespace {

using namespace sprig;

// ---- paths (package path; filepath is the same on Linux)

std::string clean(std::string_view path) {
    if (path.empty()) return ".";
    auto const rooted = path[0] == '/';
    std::vector<std::string_view> parts;
    for (std::size_t at = 0; at <= path.size();) {
        auto const end = std::min(path.find('/', at), path.size());
        auto const part = path.substr(at, end - at);
        at = end + 1;
        if (part.empty() || part == ".") continue;
        if (part != "..") parts.push_back(part);
        else if (!parts.empty() && parts.back() != "..") parts.pop_back();
        else if (!rooted) parts.push_back(part);
    }
    std::string out = rooted ? "/" : "";
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) out.push_back('/');
        out += parts[i];
    }
    return out.empty() ? "." : out;
}

std::string base(std::string_view path) {
    if (path.empty()) return ".";
    while (path.ends_with('/')) path.remove_suffix(1);
    if (auto const slash = path.rfind('/'); slash != std::string_view::npos) path = path.substr(slash + 1);
    return path.empty() ? "/" : std::string{path};
}

std::string dir(std::string_view path) { return clean(path.substr(0, path.rfind('/') + 1)); }

std::string extension(std::string_view path) {
    for (auto i = path.size(); i-- > 0 && path[i] != '/';)
        if (path[i] == '.') return std::string{path.substr(i)};
    return "";
}

// ---- randomness

std::uint64_t random_below(Call& call, std::uint64_t bound) {
    // Rejection keeps every value equally likely.
    auto const limit = UINT64_MAX - UINT64_MAX % bound;
    for (;;) {
        std::uint64_t value = 0;
        call.executor().ports().random->fill(std::as_writable_bytes(std::span{&value, 1}));
        if (value < limit) return value % bound;
    }
}

Result<Value> random_text(Call& call, std::string_view alphabet) {
    auto const count = call.integer(0);
    if (count <= 0) return Value::string("");
    if (auto charged = call.charge_bytes(static_cast<std::uint64_t>(count)); !charged) return fail(std::move(charged));
    if (auto charged = call.charge_steps(static_cast<std::uint64_t>(count)); !charged) return fail(std::move(charged));
    std::string out(static_cast<std::size_t>(count), '\0');
    for (auto& c : out) c = alphabet[random_below(call, alphabet.size())];
    return Value::string(out);
}

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kAlphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

std::string printable_ascii() {
    std::string all;
    for (char c = ' '; c < 127; ++c) all.push_back(c);
    return all;
}

Result<Value> random_bytes(Call& call) {
    auto const count = call.integer(0);
    if (count < 0) return bad(kMakeSlice);
    if (auto charged = call.charge_bytes(static_cast<std::uint64_t>(count) * 4); !charged)
        return fail(std::move(charged));
    std::string bytes(static_cast<std::size_t>(count), '\0');
    call.executor().ports().random->fill(std::as_writable_bytes(std::span{bytes}));
    return Value::string(base64_encode(bytes));
}

Result<Value> shuffle(Call& call) {
    if (auto charged = call.charge_bytes(call.text(0).size() * 4); !charged) return fail(std::move(charged));
    if (auto charged = call.charge_steps(call.text(0).size()); !charged) return fail(std::move(charged));
    auto runes = to_runes(call.text(0));
    for (auto i = runes.size(); i-- > 1;) std::swap(runes[i], runes[random_below(call, i + 1)]);
    return text(call, from_runes(runes));
}

Result<Value> uuid(Call& call) {
    std::array<unsigned char, 16> bytes{};
    call.executor().ports().random->fill(std::as_writable_bytes(std::span{bytes}));
    bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0F) | 0x40);
    bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3F) | 0x80);
    constexpr char kHex[] = "0123456789abcdef";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) out.push_back('-');
        out.push_back(kHex[bytes[i] >> 4]);
        out.push_back(kHex[bytes[i] & 15]);
    }
    return Value::string(out);
}

Result<Value> random_integer(Call& call) {
    auto const min = call.integer(0), max = call.integer(1);
    auto const width = static_cast<std::int64_t>(static_cast<std::uint64_t>(max) - static_cast<std::uint64_t>(min));
    if (width <= 0) return bad("invalid argument to Intn");
    return Value::integer(static_cast<std::int64_t>(static_cast<std::uint64_t>(min) +
                                                    random_below(call, static_cast<std::uint64_t>(width))));
}

// ---- URLs

Result<Value> url_parse(Call& call) {
    auto const url = parse_url(call.text(0));
    if (!url) return bad("unable to parse url: " + url.error().message);
    auto made = Value::map();
    made.set("scheme", Value::string(url->scheme));
    made.set("host", Value::string(url->host));
    made.set("hostname", Value::string(url->hostname()));
    made.set("path", Value::string(url->path));
    made.set("query", Value::string(url->query));
    made.set("opaque", Value::string(url->opaque));
    made.set("fragment", Value::string(url->fragment));
    made.set("userinfo", Value::string(url->user ? url->user->text() : ""));
    return made;
}

Result<Value> url_join(Call& call) {
    Url url;
    std::string user;
    for (auto const& [key, field] :
         std::initializer_list<std::pair<char const*, std::string*>>{{"scheme", &url.scheme},
                                                                     {"host", &url.host},
                                                                     {"path", &url.path},
                                                                     {"query", &url.query},
                                                                     {"opaque", &url.opaque},
                                                                     {"fragment", &url.fragment},
                                                                     {"userinfo", &user}}) {
        auto const* value = call[0].find(key);
        if (value == nullptr) continue;
        if (value->kind() == Kind::invalid) return bad(kNilDereference);
        if (!value->is_string())
            return bad("unable to parse " + std::string{key} + " key, must be of type string, but " +
                       std::string{kind_name(*value)} + " found");
        *field = value->as_string();
    }
    if (!user.empty()) {
        auto const parsed = parse_url("proto://" + user + "@host");
        if (!parsed) return bad("unable to parse userinfo in dict: " + parsed.error().message);
        url.user = parsed->user;
    }
    return text(call, url.text());
}

Result<Value> adler32(Call& call) {
    std::uint32_t a = 1, b = 0;
    for (auto const c : call.text(0)) {
        a = (a + static_cast<unsigned char>(c)) % 65'521;
        b = (b + a) % 65'521;
    }
    return Value::string(std::to_string(b << 16 | a));
}

}  // namespace

void add_sprig_encoding(FuncMap& funcs) {
    auto const map_text = [&](std::string_view name, auto function) {
        funcs.add(name, "string -> string", [function](Call& call) { return text(call, function(call.text(0))); });
    };
    map_text("b64enc", base64_encode);
    map_text("b32enc", base32_encode);
    auto const or_message = [](Result<std::string> const& decoded) {
        return decoded ? *decoded : decoded.error().message;
    };
    map_text("b64dec", [or_message](std::string_view s) { return or_message(base64_decode(s)); });
    map_text("b32dec", [or_message](std::string_view s) { return or_message(base32_decode(s)); });
    for (auto const* prefix : {"", "os"}) {
        auto const named = [&](std::string name) {
            if (*prefix != '\0') name[0] = static_cast<char>(name[0] - 32);
            return prefix + name;
        };
        map_text(named("base"), base);
        map_text(named("dir"), dir);
        map_text(named("clean"), clean);
        map_text(named("ext"), extension);
        funcs.add(named("isAbs"), "string -> bool",
                  [](Call& call) -> Result<Value> { return Value::boolean(call.text(0).starts_with('/')); });
    }
    funcs.add("urlParse", "string -> map", url_parse);
    funcs.add("urlJoin", "map -> string", url_join);
    funcs.add("adler32sum", "string -> string", adler32);
    funcs.add("uuidv4", "-> string", uuid);
    funcs.add("randAlphaNum", "int -> string", [](Call& call) { return random_text(call, kAlphanumeric); });
    funcs.add("randAlpha", "int -> string", [](Call& call) { return random_text(call, kLetters); });
    funcs.add("randNumeric", "int -> string", [](Call& call) { return random_text(call, kDigits); });
    funcs.add("randAscii", "int -> string",
              [ascii = printable_ascii()](Call& call) { return random_text(call, ascii); });
    funcs.add("randBytes", "int -> string", random_bytes);
    funcs.add("randInt", "int, int -> int", random_integer);
    funcs.add("shuffle", "string -> string", shuffle);
    // A render never asks the network: Helm's answer with DNS switched off.
    funcs.add("getHostByName", "string -> string", [](Call&) -> Result<Value> { return Value::string(""); });
}

}  // namespace holdfast::gotemplate
