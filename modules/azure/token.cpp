// modules/azure/token.cpp: the token cache, and the exchange with the token endpoint.
#include "modules/azure/token.hpp"

#include "modules/azure/error_body.hpp"
#include "modules/crypto/jwt.hpp"
#include "modules/http/retry.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <utility>

namespace holdfast::azure {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kSecretBytesMax = 4u << 10;
constexpr std::size_t kPemBytesMax = 64u << 10;
constexpr std::size_t kAnswerBytesMax = 256u << 10;
constexpr auto kAssertionLife = 10min;            // Azure takes 5 to 10 minutes after nbf
constexpr std::int64_t kDateMax = 7'258'118'400;  // the year 2200: a clock of nanoseconds ends in 2262
constexpr auto kAssertionLead = 5s;               // the Date header has whole seconds
constexpr auto kAnswerMax = 120s;  // a slow link needs its time for the certificates alone; silence ends it before
constexpr auto kMarginMax = 5min;
constexpr auto kLifeMax = 48h;        // a longer expires_in is not believed
constexpr auto kLifeUnsaid = 3'599s;  // what Entra gives; a token that ended earlier costs one 401

constexpr std::string_view kAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// AADSTS700024, and what older endpoints say for the same.
bool is_clock_complaint(std::string_view description) {
    constexpr std::array<std::string_view, 3> kCodes{"AADSTS700024", "AADSTS500133", "AADSTS50012"};
    return std::ranges::any_of(kCodes, [&](std::string_view code) { return description.contains(code); });
}

/// RFC 6749 has a number; endpoints send strings and fractions, too (IMDS). Nothing: it is not said.
std::optional<double> seconds_in(json::value const* value) {
    if (value == nullptr) return std::nullopt;
    if (value->is_number()) return value->to_number<double>();
    if (!value->is_string()) return std::nullopt;
    std::string const text{value->get_string()};
    char* end = nullptr;
    double const seconds = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0' || !std::isfinite(seconds)) return std::nullopt;
    return seconds;
}

std::chrono::seconds life_of(json::object const& answer) {
    auto const said = seconds_in(answer.if_contains("expires_in"));
    if (!said) return kLifeUnsaid;
    constexpr double kLongest = std::chrono::seconds{kLifeMax}.count();
    return std::chrono::seconds{static_cast<std::int64_t>(std::clamp(*said, 0.0, kLongest))};
}

/// As RFC 6750 writes a token, but kinder: whatever a header can hold.
bool can_be_sent(std::string_view token) {
    return std::ranges::all_of(token, [](unsigned char c) { return c > ' ' && c < 0x7f; });
}

/// Of RFC 6749 section 4.1.2.1: the endpoint speaks, but not about us.
bool is_passing(std::string_view code) { return code == "temporarily_unavailable" || code == "server_error"; }

std::string token_target(http::Url const& authority, std::string const& tenant) {
    std::string base = authority.target;
    while (base.ends_with('/')) base.pop_back();
    return base + "/" + http::percent_encode(tenant) + "/oauth2/v2.0/token";
}

}  // namespace

Result<void> PrincipalSettings::check() const {
    if (login_authority.empty()) return fail(Errc::invalid_input, "login authority is not set");
    if (tenant.empty()) return fail(Errc::invalid_input, "tenant is not set");
    if (client_id.empty()) return fail(Errc::invalid_input, "client id is not set");
    if (scope.empty()) return fail(Errc::invalid_input, "scope is not set");
    bool const with_certificate = !certificate_file.empty() || !key_file.empty();
    if (with_certificate && !secret_file.empty())
        return fail(Errc::invalid_input, "client secret and certificate are both set");
    if (!with_certificate && secret_file.empty())
        return fail(Errc::invalid_input, "neither client secret nor certificate is set");
    if (with_certificate && (certificate_file.empty() || key_file.empty())) {
        return fail(Errc::invalid_input, "certificate and key belong together; one is not set");
    }
    return {};
}

Tokens::Tokens(http::Client& client, Transport& transport, Clock const& clock, PrincipalSettings settings)
    : client_(client), transport_(transport), clock_(clock), settings_(std::move(settings)), known_stamps_(stamps()) {}

void Tokens::discard() {
    if (held_) crypto::wipe(held_->token);
    held_.reset();
}

std::optional<std::chrono::system_clock::time_point> Tokens::identity_expires() const {
    if (!key_) return std::nullopt;
    return key_->not_after();
}

std::chrono::system_clock::time_point Tokens::azure_time() const {
    if (!azure_time_) return clock_.wall();
    return *azure_time_ +
           std::chrono::duration_cast<std::chrono::system_clock::duration>(clock_.boot() - azure_time_at_);
}

std::optional<std::chrono::seconds> Tokens::clock_skew() const {
    if (!azure_time_) return std::nullopt;
    return std::chrono::round<std::chrono::seconds>(azure_time() - clock_.wall());
}

void Tokens::learn_time(http::Headers const& headers) {
    std::tm parts{};
    std::string const date{headers.get("Date")};
    if (::strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts) == nullptr) return;
    auto const seconds = ::timegm(&parts);
    if (seconds < 0 || seconds > kDateMax) return;
    azure_time_ = std::chrono::system_clock::from_time_t(seconds);
    azure_time_at_ = clock_.boot();
}

Tokens::Stamps Tokens::stamps() const {
    return {.secret = stamp_of(settings_.secret_file),
            .certificate = stamp_of(settings_.certificate_file),
            .key = stamp_of(settings_.key_file)};
}

bool Tokens::credential_changed() {
    Stamps const now = stamps();
    return std::exchange(known_stamps_, now) != now;
}

Result<void> Tokens::load_identity() {
    if (settings_.certificate_file.empty()) return {};
    Stamps const now = stamps();
    if (key_ && now == key_stamps_) return {};
    auto certificate = read_small_file(settings_.certificate_file, kPemBytesMax);
    if (!certificate) return fail(std::move(certificate), "certificate file");
    auto pem = read_small_file(settings_.key_file, kPemBytesMax);
    if (!pem) return fail(std::move(pem), "key file");
    auto key = crypto::SigningKey::read(*pem, *certificate);
    crypto::wipe(*pem);
    if (!key) return fail(std::move(key), settings_.certificate_file.string());
    key_ = std::move(*key);
    key_stamps_ = now;
    return {};
}

Result<std::string> Tokens::assertion() {
    auto loaded = load_identity();
    if (!loaded) return fail(std::move(loaded));
    auto http_base = http::parse_url(settings_.login_authority);
    if (!http_base) return fail(std::move(http_base), "login authority");
    http::Url audience = *http_base;
    audience.target = token_target(audience, settings_.tenant);

    bool const pss = settings_.signature == crypto::Signature::ps256;
    json::object header{
        {"alg", pss ? "PS256" : "RS256"}, {"typ", "JWT"}, {"x5t#S256", crypto::base64url(key_->thumbprint_sha256())}};
    if (!pss) header["x5t"] = crypto::base64url(key_->thumbprint_sha1());
    auto const from = std::chrono::floor<std::chrono::seconds>(azure_time() - kAssertionLead).time_since_epoch();
    std::chrono::seconds const until = from + kAssertionLife;
    json::object const claims{{"aud", audience.text()},     {"iss", settings_.client_id},
                              {"sub", settings_.client_id}, {"jti", crypto::random_uuid()},
                              {"nbf", from.count()},        {"iat", from.count()},
                              {"exp", until.count()}};
    return crypto::sign_jwt(*key_, settings_.signature, json::serialize(header), json::serialize(claims));
}

Result<std::string> Tokens::form() {
    std::vector<std::pair<std::string, std::string>> fields{
        {"client_id", settings_.client_id}, {"scope", settings_.scope}, {"grant_type", "client_credentials"}};
    if (settings_.secret_file.empty()) {
        auto signed_claims = assertion();
        if (!signed_claims) return fail(std::move(signed_claims));
        fields.emplace_back("client_assertion_type", kAssertionType);
        fields.emplace_back("client_assertion", std::move(*signed_claims));
    } else {
        auto secret = read_small_file(settings_.secret_file, kSecretBytesMax);
        if (!secret) return fail(std::move(secret), "secret file");
        while (!secret->empty() && std::string_view{" \t\r\n"}.contains(secret->back())) secret->pop_back();
        if (secret->empty())
            return fail(Errc::invalid_input, "secret file: " + settings_.secret_file.string() + ": empty");
        fields.emplace_back("client_secret", std::move(*secret));
    }
    std::string text = http::query_string(fields);
    crypto::wipe(fields.back().second);
    return text;
}

Result<Tokens::Fetched> Tokens::read_answer(http::Response const& response, std::chrono::nanoseconds sent,
                                            Refusal& refusal) {
    refusal = refusal_of(response, clock_.wall());
    json::error_code ec;
    json::value const body = json::parse(response.body, ec);
    json::object const* const object = ec ? nullptr : body.if_object();
    auto const text = [&](char const* name) -> std::string_view {
        auto const* value = object == nullptr ? nullptr : object->if_contains(name);
        return value != nullptr && value->is_string() ? std::string_view{value->get_string()} : std::string_view{};
    };
    if (response.status == 200 && !text("access_token").empty()) {
        if (!can_be_sent(text("access_token")))
            return fail(Errc::offline, "answered 200 OK, but with a token that no request can carry");
        refusal.from_service = true;
        learn_time(response.headers);
        auto const life = life_of(*object);
        return Fetched{
            .token = std::string{text("access_token")}, .ends = sent + life, .life = life, .stamps = used_stamps_};
    }
    if (!text("error").empty()) {
        refusal.from_service = true;
        refusal.code = one_line(text("error"), 60);
        learn_time(response.headers);
        bool const passing = response.status == 429 || response.status >= 500 || is_passing(refusal.code);
        std::string const words = one_line(text("error_description"));
        return fail(passing ? Errc::busy : Errc::denied,
                    words.empty() ? "answered " + http::status_text(response.status) + " " + refusal.code : words);
    }
    if (response.status == 429 || response.status >= 500)
        return fail(Errc::busy, "answered " + http::status_text(response.status));
    // A portal or a proxy speaks here: that is the network's state, not Azure's word about us.
    return fail(Errc::offline,
                "answered " + http::status_text(response.status) + ", but not as the token endpoint does");
}

Task<Tokens::Fetched> Tokens::fetch(Refusal& refusal) {
    for (bool first = true;; first = false) {
        used_stamps_ = stamps();
        auto endpoint = transport_.endpoint(settings_.login_authority);
        refusal.is_ours = true;
        if (!endpoint) co_return fail(std::move(endpoint), "token");
        auto body = form();
        if (!body) co_return fail(std::move(body), "token");
        refusal.is_ours = false;
        http::Request request{
            .method = "POST",
            .target = token_target(endpoint->url, settings_.tenant),
            .headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}},
            .body = std::move(*body)};
        std::string const secret_part = request.body.substr(request.body.rfind('=') + 1);
        std::string const where = "token from " + endpoint->url.authority();
        auto const sent = clock_.boot();
        http::Bounds const bounds{.whole_max = kAnswerMax, .body_bytes_max = kAnswerBytesMax};
        auto response = co_await client_.send(std::move(*endpoint), std::move(request), bounds);
        if (!response) co_return fail(std::move(response), where);
        auto fetched = read_answer(*response, sent, refusal);
        crypto::wipe(response->body);
        if (fetched) co_return std::move(fetched);
        bool const complaint = refusal.from_service && is_clock_complaint(fetched.error().message);
        if (complaint && first && settings_.secret_file.empty()) continue;
        // No service should echo a secret; if one does, it ends here.
        std::string& message = fetched.error().message;
        if (message.contains(secret_part) || message.contains(http::percent_decode(secret_part))) {
            message = "answered " + http::status_text(refusal.status);
        }
        co_return fail(std::move(fetched), where);
    }
}

Task<std::string> Tokens::get(Refusal* refusal) {
    auto const left = held_ ? held_->ends - clock_.boot() : std::chrono::nanoseconds{0};
    auto const margin =
        held_ ? std::min<std::chrono::nanoseconds>(kMarginMax, held_->life / 4) : std::chrono::nanoseconds{0};
    bool const is_current = held_ && held_->stamps == stamps();
    if (is_current && left > margin) co_return held_->token;
    Refusal why;
    auto fetched = co_await fetch(why);
    if (fetched) {
        held_ = std::move(*fetched);
        co_return held_->token;
    }
    if (refusal != nullptr) *refusal = why;
    bool const still_valid = held_ && held_->ends - clock_.boot() > 30s;
    if (still_valid && is_retryable(fetched.error().code)) co_return held_->token;
    co_return fail(std::move(fetched));
}

}  // namespace holdfast::azure
