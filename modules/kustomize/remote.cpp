// modules/kustomize/remote.cpp: kustomize's reading of URLs, step by step as api/internal/git/repospec.go has it.
#include "modules/kustomize/remote.hpp"

#include "modules/model/duration.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace holdfast::kustomize {
namespace {

constexpr std::string_view kFileScheme = "file://";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f'); }

bool starts_ignoring_case(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() &&
           std::equal(prefix.begin(), prefix.end(), text.begin(), [](char want, char c) { return want == lower(c); });
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
    if (!starts_ignoring_case(text, prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

/// url.QueryUnescape
std::optional<std::string> unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i] == '+' ? ' ' : text[i];
            continue;
        }
        if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return std::nullopt;
        unsigned value = 0;
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16);
        out += static_cast<char>(value);
        i += 2;
    }
    return out;
}

/// url.ParseQuery: the first value of each name; nothing when a part is malformed.
std::optional<std::map<std::string, std::string>> read_query(std::string_view query) {
    std::map<std::string, std::string> values;
    while (!query.empty()) {
        auto const pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), pair.size() + 1));
        if (pair.empty()) continue;
        auto const equal = pair.find('=');
        auto name = unescape(pair.substr(0, equal));
        auto value = unescape(equal == std::string_view::npos ? "" : pair.substr(equal + 1));
        if (pair.find(';') != std::string_view::npos || !name || !value) return std::nullopt;
        values.emplace(std::move(*name), std::move(*value));
    }
    return values;
}

std::optional<std::chrono::nanoseconds> read_timeout(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    std::int64_t seconds = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error == std::errc{} && end == text.data() + text.size()) {
        constexpr std::int64_t kSecondsMax = 290LL * 365 * 86'400;  // what nanoseconds can hold
        if (seconds <= 0 || seconds > kSecondsMax) return std::nullopt;
        return std::chrono::seconds{seconds};
    }
    auto const duration = model::parse_duration(text);
    if (!duration || duration->count() <= 0) return std::nullopt;
    return *duration;
}

void read_parameters(std::string_view query, Repository& into) {
    auto values = read_query(query);
    if (!values) return;
    into.ref = !(*values)["ref"].empty() ? (*values)["ref"] : (*values)["version"];
    if (auto const timeout = read_timeout((*values)["timeout"])) into.timeout = *timeout;
    for (auto const* const no : {"0", "f", "F", "false", "False", "FALSE"}) {
        if ((*values)["submodules"] == no) into.submodules = false;
    }
}

/// "git@"; "" when there is none.
std::string take_user(std::string_view& text) {
    if (text.empty() || !is_letter(text[0])) return {};
    std::size_t at = 1;
    while (at < text.size() && (is_letter(text[at]) || is_digit(text[at]) || text[at] == '-')) ++at;
    if (at >= text.size() || text[at] != '@') return {};
    std::string user{text.substr(0, at + 1)};
    text.remove_prefix(at + 1);
    return user;
}

std::string take_scheme(std::string_view& text) {
    for (std::string_view const known : {"ssh://", "https://", "http://", "file://"}) {
        if (take_prefix(text, known)) return std::string{known};
    }
    return {};
}

/// Out  the host with scheme and user; `text` is left with what comes behind it
Result<std::string> take_host(std::string_view& text) {
    take_prefix(text, "git::");
    auto const scheme = take_scheme(text);
    if (scheme == kFileScheme) return scheme;
    auto const user = take_user(text);
    bool const github = starts_ignoring_case(text, "github.com/") || starts_ignoring_case(text, "github.com:");
    bool const scp = scheme.empty() && (!user.empty() || github);
    if (scheme.empty() && !scp) return fail(Errc::invalid_input, "failed to parse scheme");
    auto separator = text.find('/');
    if (auto const colon = text.find(':'); scp) {
        // It parts host and path only when no slash comes before it.
        bool const first = colon != std::string_view::npos && colon > 0 && colon < separator;
        if (separator == std::string_view::npos || first) separator = colon;
    }
    auto const host = separator == std::string_view::npos ? text : text.substr(0, separator + 1);
    text.remove_prefix(host.size());
    if (github) return scheme == "ssh://" || !user.empty() ? user + "github.com:" : std::string{"https://github.com/"};
    if (host.empty()) return fail(Errc::invalid_input, "failed to parse host segment");
    return scheme + user + std::string{host};
}

struct PathParts {
    std::string_view repo, inside;
};

/// By the marks that say where the repository ends.
std::optional<PathParts> split_at_mark(std::string_view path) {
    constexpr std::string_view kAzure = "_git/", kSuffix = ".git";
    if (auto const at = path.find(kAzure); at != std::string_view::npos) {
        auto const end = path.find('/', at + kAzure.size());
        return PathParts{path.substr(0, end), end == std::string_view::npos ? "" : path.substr(end + 1)};
    }
    if (auto const at = path.find("//"); at != std::string_view::npos)
        return PathParts{path.substr(0, at), path.substr(at + 2)};
    if (auto const at = path.find(kSuffix); at != std::string_view::npos) {
        return PathParts{path.substr(0, at + kSuffix.size()), path.substr(at + kSuffix.size())};
    }
    return std::nullopt;
}

/// Without a mark: "org/repo", and what follows is inside.
std::optional<PathParts> split_by_length(std::string_view path) {
    auto const first = path.find('/');
    if (first == std::string_view::npos) return std::nullopt;
    auto const second = path.find('/', first + 1);
    return PathParts{path.substr(0, second), second == std::string_view::npos ? "" : path.substr(second + 1)};
}

bool percents_are_good(std::string_view text) {
    for (auto at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
        if (at + 2 >= text.size() || !is_hex(text[at + 1]) || !is_hex(text[at + 2])) return false;
    }
    return true;
}

}  // namespace

std::string Remote::key() const {
    if (kind == Kind::file) return url;
    std::string text = "git::" + url;  // without "?": that was cut off
    text += submodules ? "" : "?submodules=false";
    if (!ref.empty()) text += (submodules ? "?ref=" : "&ref=") + ref;
    return text;
}

Result<Repository> parse_repository(std::string_view url) {
    if (url.starts_with('/')) return fail(Errc::invalid_input, "uri looks like abs path: " + std::string{url});
    Repository repository{.raw = std::string{url}};
    auto rest = url.substr(0, url.find('?'));
    read_parameters(url.substr(std::min(url.size(), rest.size() + 1)), repository);
    auto host = take_host(rest);
    if (!host) return fail(std::move(host));
    repository.host = std::move(*host);
    auto parts = split_at_mark(rest);
    if (!parts) parts = repository.host == kFileScheme ? PathParts{rest, ""} : split_by_length(rest);
    if (!parts || parts->repo.empty()) return fail(Errc::invalid_input, "failed to parse repo path segment");
    if (parts->inside.starts_with('/')) parts->inside.remove_prefix(1);
    if (auto const cleaned = clean_path(parts->inside); cleaned == ".." || cleaned.starts_with("../")) {
        return fail(Errc::invalid_input, "url path exits repo: " + std::string{rest});
    }
    repository.repo_path = parts->repo;
    repository.path = parts->inside;
    return repository;
}

bool is_remote_file(std::string_view path) {
    auto rest = path;
    if (!take_prefix(rest, "https:") && !take_prefix(rest, "http:")) return false;
    // What follows are the reasons of url.Parse to refuse such a text.
    for (char const c : path) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
    }
    auto const hash = rest.find('#');
    if (hash != std::string_view::npos && !percents_are_good(rest.substr(hash))) return false;
    rest = rest.substr(0, hash);
    rest = rest.substr(0, rest.find('?'));
    if (!percents_are_good(rest)) return false;
    if (!take_prefix(rest, "//")) return true;
    auto const authority = rest.substr(0, rest.find('/'));
    if (authority.find_first_of(" \\^`{}|") != std::string_view::npos) return false;
    auto const colon = authority.rfind(':');
    if (colon == std::string_view::npos || authority.ends_with(']')) return true;
    return std::all_of(authority.begin() + static_cast<std::ptrdiff_t>(colon) + 1, authority.end(), is_digit);
}

Fetched const* Remotes::need(Remote const& remote) {
    auto const key = remote.key();
    if (auto const found = known_.find(key); found != known_.end()) return &found->second;
    bool const noted =
        std::any_of(missing_.begin(), missing_.end(), [&](Remote const& one) { return one.key() == key; });
    if (!noted) missing_.push_back(remote);
    return nullptr;
}

}  // namespace holdfast::kustomize
