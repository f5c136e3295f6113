// modules/oci/registry.cpp: one request after the other, with the login when it is asked for, and where redirects lead.
#include "modules/oci/registry.hpp"

#include "modules/base/base64.hpp"
#include "modules/base/json_text.hpp"
#include "modules/crypto/digest.hpp"
#include "modules/oci/refusal.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace holdfast::oci {

namespace {

namespace json = boost::json;

constexpr int kRedirectsMax = 5;
constexpr std::size_t kTokenAnswerBytesMax = 64u << 10;
constexpr std::size_t kTagsPageBytesMax = 4u << 20;
constexpr std::chrono::hours kWholeMax{24};
constexpr std::string_view kAnything = "*/*";
constexpr std::string_view kNoTls = "wrong version number";  // OpenSSL, of an answer that is no TLS

/// Registries whose token server is at another host of the same owner.
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kOwnTokenHosts{{
    {"index.docker.io", "auth.docker.io"},
    {"registry.gitlab.com", "gitlab.com"},
}};

std::string basic(Login const& login) { return "Basic " + base64_encode(login.username + ":" + login.password); }

bool same_place(http::Url const& a, http::Url const& b) {
    return a.scheme == b.scheme && a.host == b.host && a.port == b.port;
}

std::string digest_text(std::string_view hex) { return "sha256:" + std::string{hex}; }

/// What stands between "<" and ">" of a Link header; empty when there is none.
std::string_view next_page(http::Headers const& headers) {
    auto const link = headers.get("Link");
    auto const end = link.find('>');
    return link.starts_with('<') && end != std::string_view::npos ? link.substr(1, end - 1) : std::string_view{};
}

/// What a browser would show.
bool begins_as_page(std::string_view text) {
    auto const start = text.substr(0, text.find_first_of(" >\n"));
    return http::equal_ignoring_case(start, "<!doctype") || http::equal_ignoring_case(start, "<html");
}

bool is_web_page(http::Response const& answer) {
    return answer.ok() && answer.headers.get("Content-Type").starts_with("text/html");
}

}  // namespace

/// Where a question goes: the registry, or where it sent us.
struct Registry::Place {
    http::Url url;
    http::Reach reach;
    std::shared_ptr<http::TlsContext const> tls;
    bool is_registry = true;
};

Registry::Registry(Remote remote, Options options)
    : remote_{std::move(remote)}, options_{std::move(options)},
      client_{loop_.executor(), http::ClientSettings{.connections_max = 1, .connector = options_.connector}},
      deadline_{std::chrono::steady_clock::now() +
                std::min<std::chrono::milliseconds>(options_.bounds.whole_max, kWholeMax)} {}

Registry::~Registry() { loop_.cancel(); }

Result<std::unique_ptr<Registry>> Registry::open(Remote remote, Options options) {
    std::unique_ptr<Registry> registry{new Registry{std::move(remote), std::move(options)}};
    auto configured = registry->configure();
    if (!configured) return fail(std::move(configured));
    return registry;
}

Result<void> Registry::configure() {
    auto url = http::parse_url((remote_.insecure ? "http://" : "https://") + remote_.name.registry + "/");
    if (!url) return fail(std::move(url));
    url_ = std::move(*url);
    if (remote_.insecure) return {};
    auto tls = http::trusting(remote_.certificates, options_.bundle);
    if (!tls) return fail(std::move(tls), "TLS");
    tls_ = std::move(*tls);
    return {};
}

std::chrono::milliseconds Registry::left() const {
    auto const left = deadline_ - std::chrono::steady_clock::now();
    return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(left), std::chrono::milliseconds{1});
}

std::string Registry::blob_target(std::string_view kind, std::string_view reference) const {
    return "/v2/" + remote_.name.repository + "/" + std::string{kind} + "/" + std::string{reference};
}

Result<http::Response> Registry::ask_at(Place const& place, Question const& question) {
    auto const& bounds = options_.bounds;
    http::Endpoint endpoint{.url = place.url, .tls = place.tls, .reach = place.reach};
    http::Request request{.method = question.method, .target = place.url.target};
    request.headers.set("Accept", question.accept);
    request.headers.set("Accept-Encoding", "identity");
    if (place.is_registry && !pass_.authorization.empty()) request.headers.set("Authorization", pass_.authorization);
    http::Bounds const limits{.whole_max = left(),
                              .idle_max = bounds.idle_max,
                              .pace_span = bounds.pace_span,
                              .pace_bytes_min = bounds.pace_bytes_min,
                              .body_bytes_max = question.bytes_max};
    auto sent =
        question.sink != nullptr
            ? loop_.run(client_.stream(std::move(endpoint), std::move(request), limits, *question.sink), options_.stop)
            : loop_.run(client_.send(std::move(endpoint), std::move(request), limits), options_.stop);
    if (!sent) {
        if (sent.error().message.ends_with(kNoTls)) sent.error().message += ": is this plain HTTP? Then set `insecure`";
        return fail(std::move(sent), question.method + " \"" + shown_url(place.url) + "\"");
    }
    // A portal that wants somebody to log in answers everything: what was asked for is as far away as without a network.
    if (is_web_page(*sent)) {
        return fail(Errc::offline,
                    question.method + " \"" + shown_url(place.url) + "\": a web page answers, no registry");
    }
    return sent;
}

Result<http::Response> Registry::ask(Question const& question) {
    Place place{.url = url_, .reach = options_.reach, .tls = tls_};
    place.url.target = question.target;
    for (bool has_logged_in = false;;) {
        auto answer = ask_at(place, question);
        if (!answer) return answer;
        if (answer->status == 401 && !std::exchange(has_logged_in, true)) {
            auto const logged_in = log_in(*answer);
            if (!logged_in) return std::unexpected{logged_in.error()};
            if (*logged_in) continue;
        }
        if (answer->is_redirect()) return follow(std::move(place), question, std::move(*answer));
        if (!answer->ok()) return std::unexpected{refused(question.method, place.url, *answer)};
        return answer;
    }
}

/// Blobs of many registries lie elsewhere, behind a URL that is a key in itself: whatever says who we are stays behind.
Result<http::Response> Registry::follow(Place place, Question const& question, http::Response answer) {
    for (int redirects = 0; answer.is_redirect(); ++redirects) {
        if (redirects == kRedirectsMax)
            return fail(Errc::limit, "more than " + std::to_string(kRedirectsMax) + " redirects");
        auto next = http::resolve_reference(place.url, answer.headers.get("Location"));
        if (!next) return fail(std::move(next), "redirect");
        if (place.url.scheme == "https" && next->scheme != "https") {
            return fail(Errc::denied,
                        "redirect from https to " + next->scheme + "://" + next->authority() + " refused");
        }
        place.is_registry = same_place(*next, url_) && place.is_registry;
        if (next->host != place.url.host) place.reach = place.reach.beyond();
        if (!place.is_registry) {
            place.tls.reset();
            if (next->scheme == "https") {
                auto tls = http::trusting({.ca_pem = remote_.certificates.ca_pem}, options_.bundle);
                if (!tls) return fail(std::move(tls), "TLS");
                place.tls = std::move(*tls);
            }
        }
        next->user.clear();
        next->password.clear();
        place.url = std::move(*next);
        auto sent = ask_at(place, question);
        if (!sent) return sent;
        answer = std::move(*sent);
    }
    if (!answer.ok()) return std::unexpected{refused(question.method, place.url, answer, place.is_registry)};
    return answer;
}

/// Out  whether there is anything more to say than was said
Result<bool> Registry::log_in(http::Response const& refusal) {
    auto const challenge = parse_challenge(refusal.headers.get("WWW-Authenticate"));
    if (!challenge) return std::unexpected{challenge.error()};
    auto login = remote_.logins.find(remote_.name.text());
    bool const has_said = !pass_.authorization.empty();
    pass_ = {};
    if (challenge->scheme == Challenge::Scheme::basic) {
        if (login.username.empty()) return false;
        pass_ = {.authorization = basic(login), .lifetime = kWholeMax};
        return true;
    }
    if (!login.registry_token.empty() && !has_said) {
        pass_ = {.authorization = "Bearer " + login.registry_token, .lifetime = kWholeMax};
        return true;
    }
    auto fetched = fetch_token(*challenge);
    if (!fetched) return std::unexpected{fetched.error()};
    return true;
}

/// The login for a token server: ours for the registry at its own host, on whatever port that has a certificate; else that
/// which is for this host by name.
Login Registry::login_at(http::Url const& realm) const {
    bool const is_own = realm.host == url_.host && (realm.scheme == "https" || same_place(realm, url_));
    bool const is_known =
        realm.scheme == "https" && realm.port == 443 &&
        std::ranges::find(kOwnTokenHosts, std::pair{std::string_view{url_.host}, std::string_view{realm.host}}) !=
            kOwnTokenHosts.end();
    if (is_own || is_known) return remote_.logins.find(remote_.name.text());
    bool const is_plain_port = realm.port == (realm.scheme == "https" ? 443 : 80);
    return remote_.logins.find((is_plain_port ? realm.host : realm.authority()) + "/");
}

Result<void> Registry::fetch_token(Challenge const& challenge) {
    auto realm = http::parse_url(challenge.realm);
    if (!realm) return fail(std::move(realm), "invalid realm in www-authenticate");
    if (realm->scheme != "https" && !remote_.insecure) {
        return fail(Errc::denied, "invalid realm in www-authenticate: realm scheme \"" + realm->scheme +
                                      "\" not allowed for a secure registry; use https");
    }
    realm->user.clear();
    realm->password.clear();
    auto const login = login_at(*realm);
    auto const mark = realm->target.find('?');
    auto parameters = http::parse_query(mark == std::string::npos ? "" : realm->target.substr(mark + 1));
    realm->target.resize(std::min(mark, realm->target.size()));
    std::erase_if(parameters, [](auto const& one) { return one.first == "scope" || one.first == "service"; });
    parameters.emplace_back("scope", "repository:" + remote_.name.repository + ":pull");
    parameters.emplace_back("service", challenge.service);

    http::Endpoint endpoint{.url = *realm,
                            .reach = realm->host == url_.host ? options_.reach : options_.reach.beyond()};
    if (realm->scheme == "https") {
        auto tls = same_place(*realm, url_) ? Result<std::shared_ptr<http::TlsContext const>>{tls_}
                                            : http::trusting({.ca_pem = remote_.certificates.ca_pem}, options_.bundle);
        if (!tls) return fail(std::move(tls), "TLS");
        endpoint.tls = std::move(*tls);
    }
    http::Request request{.method = "GET", .target = realm->target + "?" + http::query_string(parameters)};
    if (!login.identity_token.empty()) {
        parameters.emplace_back("grant_type", "refresh_token");
        parameters.emplace_back("client_id", "holdfast");
        parameters.emplace_back("refresh_token", login.identity_token);
        request = {.method = "POST",
                   .target = realm->target,
                   .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                   .body = http::query_string(parameters),
                   .repeatable = true};
    } else if (!login.username.empty()) {
        request.headers.set("Authorization", basic(login));
    }
    request.headers.set("Accept", "application/json");
    auto shown = *realm;
    shown.target = request.target;
    auto const method = request.method;
    http::Bounds const limits{
        .whole_max = left(), .idle_max = options_.bounds.idle_max, .body_bytes_max = kTokenAnswerBytesMax};
    auto answer = loop_.run(client_.send(std::move(endpoint), std::move(request), limits), options_.stop);
    if (!answer) return fail(std::move(answer), method + " \"" + shown_url(shown) + "\"");
    bool const is_own = realm->host == url_.host;
    if (!answer->ok()) return std::unexpected{refused(method, shown, *answer, is_own)};
    if (is_web_page(*answer)) return fail(Errc::offline, method + " \"" + shown_url(shown) + "\": a web page answers");
    auto token = parse_token(answer->body);
    if (!token) return fail(std::move(token));
    pass_ = {.authorization = "Bearer " + token->text, .lifetime = token->lifetime};
    return {};
}

Result<std::optional<std::string>> Registry::digest_of(std::string const& tag) {
    Place place{.url = url_, .reach = options_.reach, .tls = tls_};
    place.url.target = blob_target("manifests", tag);
    auto answer = ask_at(place, {.method = "HEAD", .accept = kManifestTypes});
    if (!answer) {
        // A server that cannot answer a HEAD may answer a GET.
        bool const is_line = answer.error().code == Errc::offline || answer.error().code == Errc::timeout ||
                             answer.error().code == Errc::denied;
        if (is_line) return std::unexpected{answer.error()};
        return std::nullopt;
    }
    std::string digest{answer->headers.get("Docker-Content-Digest")};
    if (!answer->ok() || !check_digest(digest)) return std::nullopt;
    return digest;
}

Result<Registry::Document> Registry::manifest(std::string const& reference) {
    auto answer =
        ask({.target = blob_target("manifests", reference), .accept = kManifestTypes, .bytes_max = kManifestBytesMax});
    if (!answer) return fail(std::move(answer));
    Document document{.media_type = std::string{answer->headers.get("Content-Type")},
                      .digest = digest_text(crypto::sha256_hex(answer->body))};
    document.text = std::move(answer->body);
    if (reference.contains(':') && document.digest != reference) {
        return fail(Errc::invalid_input, "manifest digest: \"" + document.digest +
                                             "\" does not match requested digest: \"" + reference + "\" for \"" +
                                             remote_.name.text() + "@" + reference + "\"");
    }
    return document;
}

Result<std::vector<std::string>> Registry::tags() {
    std::vector<std::string> all;
    std::size_t bytes = 0;
    Question question{.target = "/v2/" + remote_.name.repository + "/tags/list?n=1000",
                      .accept = kAnything,
                      .bytes_max = kTagsPageBytesMax};
    for (;;) {
        auto answer = ask(question);
        if (!answer) return fail(std::move(answer));
        bytes += answer->body.size() + 1;
        if (bytes > options_.bounds.tags_bytes_max)
            return fail(Errc::limit, "more than " + std::to_string(options_.bounds.tags_bytes_max) + " bytes of tags");
        auto const parsed = parse_json(answer->body);
        auto const* object = parsed ? parsed->if_object() : nullptr;
        if (object == nullptr) return fail(Errc::invalid_input, "the list of tags is not JSON");
        auto const* names = object->if_contains("tags");
        auto const* list = names == nullptr ? nullptr : names->if_array();
        for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
            if (!(*list)[i].is_string()) return fail(Errc::invalid_input, "the list of tags holds something else");
            if (all.size() >= options_.bounds.tags_max)
                return fail(Errc::limit, "more than " + std::to_string(options_.bounds.tags_max) + " tags");
            all.emplace_back((*list)[i].get_string());
        }
        auto const link = next_page(answer->headers);
        if (link.empty()) return all;
        auto here = url_;
        here.target = question.target;
        auto next = http::resolve_reference(here, link);
        if (!next) return fail(std::move(next), "the next page of tags");
        if (!same_place(*next, url_)) return fail(Errc::denied, "the next page of tags is at another host");
        if (list == nullptr || list->empty() || next->target == question.target)
            return fail(Errc::invalid_input, "the list of tags does not end");
        question.target = std::move(next->target);
    }
}

Result<void> Registry::blob(Descriptor const& wanted, Sink const& sink) {
    auto const bytes_max = options_.bounds.blob_bytes_max;
    if (wanted.size > bytes_max) {
        return fail(Errc::limit,
                    "a layer of " + std::to_string(wanted.size) + " bytes, more than " + std::to_string(bytes_max));
    }
    crypto::Sha256 hash;
    std::string start;
    std::uint64_t bytes = 0;
    Sink const take = [&](std::string_view piece) -> Result<void> {
        if (bytes == 0) start = piece.substr(0, 16);
        bytes += piece.size();
        if (bytes > wanted.size) return fail(Errc::invalid_input, "the layer is longer than its manifest says");
        hash.update(piece);
        return sink(piece);
    };
    auto answer = ask({.target = blob_target("blobs", wanted.digest),
                       .accept = kAnything,
                       .bytes_max = static_cast<std::size_t>(bytes_max),
                       .sink = &take});
    auto const sum = hash.finish();
    auto const hex = crypto::hex(sum.data(), sum.size());
    bool const is_whole = bytes == wanted.size;
    if (answer && digest_text(hex) == wanted.digest && is_whole) return {};
    if (begins_as_page(start)) return fail(Errc::offline, "a web page answers, no registry");
    if (!answer) return fail(std::move(answer));
    if (!is_whole) {
        return fail(Errc::invalid_input, "error verifying size; got " + std::to_string(bytes) + " bytes, want " +
                                             std::to_string(wanted.size));
    }
    return fail(Errc::invalid_input, "error verifying sha256 checksum after reading " + std::to_string(bytes) +
                                         " bytes; got \"" + hex + "\", want \"" +
                                         wanted.digest.substr(wanted.digest.find(':') + 1) + "\"");
}

}  // namespace holdfast::oci
