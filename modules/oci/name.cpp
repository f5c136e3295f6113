// modules/oci/name.cpp: takes a URL of an OCI repository apart.
#include "modules/oci/name.hpp"

#include "modules/http/url.hpp"

#include <algorithm>

namespace holdfast::oci {

namespace {

constexpr std::string_view kScheme = "oci://";
constexpr std::string_view kDocker = "index.docker.io";
constexpr std::string_view kRepositoryCharacters = "abcdefghijklmnopqrstuvwxyz0123456789_-./";
constexpr std::string_view kTagCharacters = "abcdefghijklmnopqrstuvwxyz0123456789_-.ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::size_t kRepositoryBytesMin = 2;
constexpr std::size_t kRepositoryBytesMax = 255;
constexpr std::size_t kTagBytesMax = 128;
constexpr std::size_t kHexDigits = 64;

Result<void> check_repository(std::string const& name) {
    if (name.size() < kRepositoryBytesMin || name.size() > kRepositoryBytesMax)
        return fail(Errc::invalid_input, "repository must be between 2 and 255 characters in length: " + name);
    if (name.find_first_not_of(kRepositoryCharacters) != std::string::npos) {
        return fail(Errc::invalid_input,
                    "repository can only contain the characters `" + std::string{kRepositoryCharacters} + "`: " + name);
    }
    // Such a path is another one behind a proxy that tidies paths up.
    for (std::string_view rest = name;;) {
        auto const part = rest.substr(0, rest.find('/'));
        if (part.empty() || part == "." || part == "..")
            return fail(Errc::invalid_input, "repository has a part that is empty or dots: " + name);
        if (part.size() == rest.size()) return {};
        rest.remove_prefix(part.size() + 1);
    }
}

}  // namespace

Result<Name> parse_name(std::string_view url) {
    if (!url.starts_with(kScheme))
        return fail(Errc::invalid_input, "URL must be in format 'oci://<domain>/<org>/<repo>'");
    url.remove_prefix(kScheme.size());
    while (url.ends_with('/')) url.remove_suffix(1);
    if (url.empty()) return fail(Errc::invalid_input, "a repository name must be specified");
    auto const first = url.substr(0, url.find('/'));
    bool const has_host = first.size() < url.size() && first.find_first_of(".:") != std::string_view::npos;
    std::string registry{has_host ? first : kDocker};
    std::string repository{has_host ? url.substr(first.size() + 1) : url};
    if (registry == "docker.io") registry = kDocker;
    auto const colon = repository.find(':');
    auto checked = check_repository(repository);
    if (!checked && colon != std::string::npos && check_repository(repository.substr(0, colon))) {
        return fail(Errc::invalid_input,
                    checked.error().message + "; a URL has no tag, remove '" + repository.substr(colon) + "'");
    }
    if (!checked) return fail(std::move(checked));
    auto const spoken_to = http::parse_url("https://" + registry + "/");
    if (!spoken_to || !spoken_to->user.empty() || registry.contains('@'))
        return fail(Errc::invalid_input, "registries must be valid RFC 3986 URI authorities: " + registry);
    std::ranges::transform(registry, registry.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
    if (registry == kDocker && !repository.contains('/')) repository = "library/" + repository;
    return Name{std::move(registry), std::move(repository)};
}

bool is_tag(std::string_view text) {
    return !text.empty() && text.size() <= kTagBytesMax && text.front() != '.' && text.front() != '-' &&
           text.find_first_not_of(kTagCharacters) == std::string_view::npos;
}

Result<void> check_digest(std::string_view text) {
    auto const colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size())
        return fail(Errc::invalid_input, "cannot parse hash: \"" + std::string{text} + "\"");
    auto const hex = text.substr(colon + 1);
    auto const odd = hex.find_first_not_of("0123456789abcdef");
    if (odd != std::string_view::npos)
        return fail(Errc::invalid_input, "found non-hex character in hash: " + std::string{hex.substr(odd, 1)});
    if (text.substr(0, colon) != "sha256")
        return fail(Errc::invalid_input, "unsupported hash: \"" + std::string{text.substr(0, colon)} + "\"");
    if (hex.size() != kHexDigits)
        return fail(Errc::invalid_input, "wrong number of hex digits for sha256: " + std::string{hex});
    return {};
}

}  // namespace holdfast::oci
