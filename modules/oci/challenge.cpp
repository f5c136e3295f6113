// modules/oci/challenge.cpp: RFC 9110's list of challenges, and the token of Docker's specification.
#include "modules/oci/challenge.hpp"

#include "modules/base/json_text.hpp"
#include "modules/http/message.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace holdfast::oci {

namespace {

namespace json = boost::json;

constexpr std::size_t kHeaderBytesMax = 8u << 10;
constexpr std::size_t kTokenBytesMax = 16u << 10;
constexpr std::chrono::seconds kLifetimeMin{60};
constexpr std::chrono::seconds kLifetimeMax{3'600};

bool is_token_character(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view{"!#$%&'*+-.^_`|~"}.contains(c);
}

class Scanner {
public:
    explicit Scanner(std::string_view text) : text_{text} {}

    void skip_space() {
        while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\t')) text_.remove_prefix(1);
    }
    void skip_commas() {
        for (skip_space(); take(','); skip_space()) {}
    }
    bool take(char c) {
        if (!text_.starts_with(c)) return false;
        text_.remove_prefix(1);
        return true;
    }
    bool done() const { return text_.empty(); }
    std::string_view word() {
        auto const end = std::ranges::find_if_not(text_, is_token_character);
        auto const word = text_.substr(0, static_cast<std::size_t>(end - text_.begin()));
        text_.remove_prefix(word.size());
        return word;
    }
    /// A word, or anything between quotes. Out  nothing when the quote does not end
    std::optional<std::string> value() {
        if (!take('"')) return std::string{word()};
        std::string out;
        while (!text_.empty()) {
            char c = text_.front();
            text_.remove_prefix(1);
            if (c == '"') return out;
            if (c == '\\' && !text_.empty()) {
                c = text_.front();
                text_.remove_prefix(1);
            }
            out += c;
        }
        return std::nullopt;
    }
    /// Is this a parameter, "name=", and not the next challenge?
    bool at_parameter() const {
        Scanner ahead{*this};
        if (ahead.word().empty()) return false;
        ahead.skip_space();
        return ahead.take('=') && !ahead.text_.starts_with('=');
    }

private:
    std::string_view text_;
};

void keep(Challenge& challenge, std::string_view name, std::string value) {
    for (auto const& [known, member] : {std::pair{std::string_view{"realm"}, &Challenge::realm},
                                        std::pair{std::string_view{"service"}, &Challenge::service},
                                        std::pair{std::string_view{"scope"}, &Challenge::scope}}) {
        if (http::equal_ignoring_case(name, known)) challenge.*member = std::move(value);
    }
}

}  // namespace

Result<Challenge> parse_challenge(std::string_view header) {
    if (header.size() > kHeaderBytesMax) return fail(Errc::invalid_input, "malformed www-authenticate, too long");
    Scanner scan{header};
    for (scan.skip_commas(); !scan.done(); scan.skip_commas()) {
        auto const scheme = scan.word();
        if (scheme.empty()) break;
        Challenge challenge;
        bool const is_bearer = http::equal_ignoring_case(scheme, "bearer");
        if (is_bearer) challenge.scheme = Challenge::Scheme::bearer;
        for (scan.skip_commas(); scan.at_parameter(); scan.skip_commas()) {
            auto const name = scan.word();
            scan.skip_space();
            scan.take('=');
            scan.skip_space();
            auto value = scan.value();
            if (!value) return fail(Errc::invalid_input, "malformed www-authenticate, a quote does not end");
            keep(challenge, name, std::move(*value));
        }
        if (is_bearer && challenge.realm.empty())
            return fail(Errc::invalid_input, "malformed www-authenticate, missing realm");
        if (is_bearer || http::equal_ignoring_case(scheme, "basic")) return challenge;
    }
    return fail(Errc::invalid_input, "unrecognized challenge");
}

Result<Token> parse_token(std::string_view text) {
    auto const parsed = parse_json(text);
    auto const* const object = parsed ? parsed->if_object() : nullptr;
    if (object == nullptr) return fail(Errc::invalid_input, "the token server's answer is not JSON");
    Token token{.lifetime = kLifetimeMin};
    for (std::string_view const name : {"access_token", "token"}) {
        auto const* value = object->if_contains(name);
        bool const is_text = value != nullptr && value->is_string() && !value->get_string().empty();
        if (is_text && token.text.empty()) token.text = std::string{value->get_string()};
    }
    if (token.text.empty()) return fail(Errc::invalid_input, "no token in bearer response");
    bool const is_clean = std::ranges::all_of(token.text, [](unsigned char c) { return c > ' ' && c < 127; });
    if (!is_clean || token.text.size() > kTokenBytesMax)
        return fail(Errc::invalid_input, "the token server's answer is no token");
    if (auto const* expires = object->if_contains("expires_in"); expires != nullptr && expires->is_number()) {
        boost::system::error_code ec;
        auto const seconds = expires->to_number<std::int64_t>(ec);
        if (!ec) {
            token.lifetime =
                std::chrono::seconds{std::clamp<std::int64_t>(seconds, kLifetimeMin.count(), kLifetimeMax.count())};
        }
    }
    return token;
}

}  // namespace holdfast::oci
