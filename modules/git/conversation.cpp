// modules/git/conversation.cpp: requests, redirects, and refusals in Flux's words.
#include "modules/git/conversation.hpp"

#include "modules/base/base64.hpp"
#include "modules/base/utf8.hpp"
#include "modules/http/retry.hpp"
#include "modules/http/trust.hpp"

#include <algorithm>
#include <cstring>

namespace holdfast::git {

namespace {

constexpr std::string_view kRefsSuffix = "/info/refs";
constexpr std::string_view kRefsQuery = "?service=git-upload-pack";
constexpr std::chrono::hours kWholeMax{24};  // a timeout of centuries could not be added to a clock

Result<std::shared_ptr<http::TlsContext const>> tls_of(Credentials const& own, http::Bundle const& bundle) {
    return http::trusting({own.ca_pem, own.certificate_pem, own.key_pem}, bundle);
}

/// A server's own words, short and printable.
std::string first_line(std::string_view text) {
    constexpr std::size_t kShownMax = 200;
    text = text.substr(0, text.find_first_of("\r\n"));
    std::string line = to_utf8(text, kShownMax);
    for (char& c : line) c = (static_cast<unsigned char>(c) < ' ' || c == '\x7f') ? ' ' : c;
    return line;
}

bool is_hex(std::string_view text) {
    return std::ranges::all_of(
        text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); });
}

/// A list of references as files lie on a disk: "<40 hex>\trefs/heads/main".
bool is_dumb_list(std::string_view text) {
    constexpr std::size_t kId = 40;
    return text.size() > kId && text[kId] == '\t' && is_hex(text.substr(0, kId));
}

bool is_gzip(std::string_view text) { return text.starts_with("\x1f\x8b"); }

}  // namespace

Conversation::Conversation(Options const& options, Protocol protocol)
    : client_{loop_.executor(), http::ClientSettings{.connections_max = 1, .connector = options.connector}},
      protocol_{protocol}, bounds_{options.bounds}, stop_{options.stop}, bundle_{options.bundle},
      deadline_{std::chrono::steady_clock::now() +
                std::min<std::chrono::milliseconds>(options.bounds.whole_max, kWholeMax)} {
    endpoint_.reach = options.reach;
}

Result<std::unique_ptr<Conversation>> Conversation::open(Remote const& remote, Options const& options,
                                                         Protocol protocol) {
    std::unique_ptr<Conversation> conversation{new Conversation{options, protocol}};
    auto configured = conversation->configure(remote);
    if (!configured) return fail(std::move(configured));
    return conversation;
}

Conversation::~Conversation() { loop_.cancel(); }

Result<void> Conversation::configure(Remote const& remote) {
    auto url = http::parse_url(remote.url);
    if (!url) return fail(std::move(url), "cannot parse url");
    path_ = url->target.substr(0, url->target.find('?'));
    while (path_.ends_with('/')) path_.pop_back();
    credentials_ = remote.credentials;
    auto const& own = credentials_;
    auto const username = own.username.empty() ? url->user : own.username;
    auto const password = own.password.empty() ? url->password : own.password;
    if (!own.bearer_token.empty()) {
        authorization_ = "Bearer " + own.bearer_token;
    } else if (!username.empty()) {
        authorization_ = "Basic " + base64_encode(username + ":" + password);
    }
    if (url->scheme == "https") {
        auto tls = tls_of(own, bundle_);
        if (!tls) return fail(std::move(tls), "TLS");
        endpoint_.tls = std::move(*tls);
    }
    if (!remote.proxy_url.empty()) {
        auto proxy = http::parse_url(remote.proxy_url);
        if (!proxy) return fail(std::move(proxy), "proxy");
        auto login = remote.proxy_username.empty() ? ""
                                                   : http::percent_encode(remote.proxy_username) + ":" +
                                                         http::percent_encode(remote.proxy_password) + "@";
        auto const address = proxy->scheme + "://" + login + proxy->authority();
        endpoint_.proxy = {.http_proxy = address, .https_proxy = address, .no_proxy = {}, .reach = endpoint_.reach};
    }
    endpoint_.url = std::move(*url);
    return {};
}

std::chrono::milliseconds Conversation::left() const {
    auto const left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
    return std::max(left, std::chrono::milliseconds{0});
}

void Conversation::remember(Error error) {
    if (!failure_) failure_ = std::move(error);
}

Result<void> Conversation::check() {
    if (!failure_ && stop_.stop_requested()) remember({Errc::timeout, "context canceled"});
    if (!failure_ && left().count() == 0) {
        remember({Errc::timeout, "no complete answer within " + std::to_string(bounds_.whole_max.count()) +
                                     " ms: context deadline exceeded"});
    }
    if (failure_) return std::unexpected{*failure_};
    return {};
}

void Conversation::start_refs() {
    http::Request request{.method = "GET", .target = path_ + std::string{kRefsSuffix} + std::string{kRefsQuery}};
    request.headers.set("Accept", "*/*");
    asks_for_refs_ = true;
    start(std::move(request), bounds_.refs_bytes_max);
}

void Conversation::start_pack(std::string body) { post(std::move(body), bounds_.wire_bytes_max); }

void Conversation::start_command(std::string body) { post(std::move(body), bounds_.refs_bytes_max); }

void Conversation::post(std::string body, std::uint64_t bytes_max) {
    http::Request request{.method = "POST",
                          .target = path_ + "/git-upload-pack",
                          .headers = {},
                          .body = std::move(body),
                          .repeatable = true};
    request.headers.set("Content-Type", "application/x-git-upload-pack-request");
    request.headers.set("Accept", "application/x-git-upload-pack-result");
    asks_for_refs_ = false;
    start(std::move(request), bytes_max);
}

void Conversation::start(http::Request request, std::uint64_t bytes_max) {
    // libgit2 stops at the last packet; the end of the answer is often there too, and then the connection can be kept.
    loop_.run_ready();
    loop_.cancel();
    request.headers.set("Accept-Encoding", "identity");
    // Servers of dumb HTTP and some proxies look for "git/" at the front.
    request.headers.set("User-Agent", "git/2.0 (holdfast " HOLDFAST_VERSION ")");
    if (protocol_ == Protocol::v2) request.headers.set("Git-Protocol", "version=2");
    if (!authorization_.empty()) request.headers.set("Authorization", authorization_);
    bytes_max_ = bytes_max;
    bytes_ = 0;
    ready_.clear();
    read_ = 0;
    constexpr std::size_t kOnePiece = 64u << 10;  // so that take() sees the bound first and says which one it is
    http::Bounds const bounds{.whole_max = std::max(left(), std::chrono::milliseconds{1}),
                              .idle_max = bounds_.idle_max,
                              .pace_span = bounds_.pace_span,
                              .pace_bytes_min = bounds_.pace_bytes_min,
                              .body_bytes_max = bytes_max + kOnePiece};
    auto exchange =
        client_.stream(endpoint_, std::move(request), bounds, [this](std::string_view piece) { return take(piece); });
    loop_.start(std::move(exchange), answer_);
}

Result<void> Conversation::take(std::string_view piece) {
    if (bytes_ == 0) {
        auto known = check_start(piece);
        if (!known) return known;
    }
    bytes_ += piece.size();
    if (bytes_ > bytes_max_)
        return fail(Errc::limit, "the answer is longer than " + std::to_string(bytes_max_) + " bytes");
    ready_ += piece;
    return {};
}

/// What an answer begins with says whether a Git server speaks.
Result<void> Conversation::check_start(std::string_view piece) const {
    constexpr std::size_t kPacketLength = 4;
    if (asks_for_refs_ && is_dumb_list(piece)) {
        return fail(Errc::invalid_input, "the server speaks the dumb HTTP protocol only, which is not supported: "
                                         "it needs git http-backend or the like");
    }
    if (is_gzip(piece)) return fail(Errc::invalid_input, "the answer is compressed, which was not asked for");
    if (is_hex(piece.substr(0, kPacketLength))) return {};
    std::string const problem = "the server does not answer as a Git server";
    return fail(Errc::invalid_input, is_elsewhere_ ? problem : problem + "; it says: " + first_line(piece));
}

Result<std::size_t> Conversation::read(char* into, std::size_t size) {
    for (;;) {
        auto checked = check();
        if (!checked) return fail(std::move(checked));
        if (read_ < ready_.size()) break;
        ready_.clear();
        read_ = 0;
        if (!loop_.running()) {
            auto finished = finish();
            if (!finished) {
                remember(finished.error());
                continue;
            }
            if (loop_.running()) continue;  // a redirect was followed
            return std::size_t{0};
        }
        loop_.run_some();
    }
    auto const count = std::min(size, ready_.size() - read_);
    std::memcpy(into, ready_.data() + read_, count);
    read_ += count;
    return count;
}

/// The exchange has ended and its bytes were read.
Result<void> Conversation::finish() {
    if (!*answer_) return std::unexpected{answer_->error()};
    auto const& response = **answer_;
    if (response.ok()) return {};
    if (asks_for_refs_ && response.is_redirect()) return follow(response);
    return std::unexpected{refused(response)};
}

/// To another host too, as git and go-git do, but whatever says who we are stays behind. Never from https to http.
Result<void> Conversation::follow(http::Response const& response) {
    constexpr int kRedirectsMax = 5;
    if (++redirects_ > kRedirectsMax)
        return fail(Errc::limit, "more than " + std::to_string(kRedirectsMax) + " redirects");
    auto here = endpoint_.url;
    here.target = path_ + std::string{kRefsSuffix};
    auto next = http::resolve_reference(here, response.headers.get("Location"));
    if (!next) return fail(std::move(next), "redirect");
    bool const same = next->scheme == here.scheme && next->host == here.host && next->port == here.port;
    bool const upgrade = here.scheme == "http" && next->scheme == "https" && next->host == here.host &&
                         here.port == 80 && next->port == 443;
    if (here.scheme == "https" && next->scheme != "https")
        return fail(Errc::denied, "redirect from https to " + next->scheme + "://" + next->authority() + " refused");
    auto const target = next->target.substr(0, next->target.find('?'));
    if (!target.ends_with(kRefsSuffix))
        return fail(Errc::invalid_input, "http redirect: target \"" + target + "\" does not end with /info/refs");
    if (!same && !upgrade) {
        is_elsewhere_ = true;
        authorization_.clear();
        credentials_ = {.ca_pem = credentials_.ca_pem};
        endpoint_.tls.reset();
    }
    if (next->scheme == "https" && !endpoint_.tls) {
        auto tls = tls_of(credentials_, bundle_);
        if (!tls) return fail(std::move(tls), "TLS");
        endpoint_.tls = std::move(*tls);
    }
    if (next->host != here.host) endpoint_.reach = endpoint_.reach.beyond();
    path_ = target.substr(0, target.size() - kRefsSuffix.size());
    endpoint_.url.scheme = next->scheme;
    endpoint_.url.host = next->host;
    endpoint_.url.port = next->port;
    start_refs();
    return {};
}

Error Conversation::refused(http::Response const& response) const {
    auto const type = response.headers.get("Content-Type");
    auto const words = type.starts_with("text/plain") && !is_elsewhere_ ? first_line(response.body) : "";
    auto const with_words = [&](std::string text) { return words.empty() ? text : text + ": " + words; };
    if (response.status == 401) return {Errc::denied, with_words("authentication required")};
    if (response.status == 403) return {Errc::denied, with_words("authorization failed")};
    if (response.status == 404) return {Errc::not_found, with_words("repository not found")};
    auto here = endpoint_.url;
    here.target = path_ + std::string{asks_for_refs_ ? kRefsSuffix : "/git-upload-pack"};
    return {http::errc_of_status(response.status), with_words("unexpected requesting \"" + here.text() +
                                                              "\" status code: " + std::to_string(response.status))};
}

}  // namespace holdfast::git
