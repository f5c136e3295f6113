// daemon/image_request.cpp: wishes for images and answers to them, field by field.
#include "daemon/image_request.hpp"

#include "daemon/worker_words.hpp"

#include "modules/base/json_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace holdfast::daemon {

namespace {

namespace json = boost::json;
using source::Image;
using source::ImageMiss;
using source::ImageStep;
using source::ImageWish;

constexpr std::size_t kPassBytesMax = 32u << 10;
constexpr std::chrono::hours kPassLifetimeMax{24};

constexpr TextFields<ImageWish, 7> kWish{{
    {"url", &ImageWish::url},
    {"digest", &ImageWish::digest},
    {"semver", &ImageWish::semver},
    {"semverFilter", &ImageWish::semver_filter},
    {"tag", &ImageWish::tag},
    {"mediaType", &ImageWish::media_type},
    {"known", &ImageWish::known},
}};
constexpr TextFields<oci::Name, 2> kName{{
    {"registry", &oci::Name::registry},
    {"repository", &oci::Name::repository},
}};
constexpr TextFields<oci::Login, 4> kLogin{{
    {"username", &oci::Login::username},
    {"password", &oci::Login::password},
    {"identityToken", &oci::Login::identity_token},
    {"registryToken", &oci::Login::registry_token},
}};
constexpr TextFields<http::Certificates, 3> kCertificates{{
    {"ca", &http::Certificates::ca_pem},
    {"certificate", &http::Certificates::certificate_pem},
    {"key", &http::Certificates::key_pem},
}};

std::unexpected<ImageMiss> no_answer(ImageWish const& wish, std::string_view why) {
    Error error{Errc::corrupt, "the fetch worker's answer: " + std::string{why}};
    return std::unexpected{ImageMiss{.error = std::move(error).in(source::image_words(ImageStep::pull, wish))}};
}

bool is_metadata(std::string const& text) {
    auto const parsed = parse_json(text);
    auto const* object = parsed ? parsed->if_object() : nullptr;
    return object != nullptr && text.size() <= 2 * oci::kAnnotationsBytesMax &&
           std::ranges::all_of(*object, [](auto const& member) { return member.value().is_string(); });
}

bool is_pass(oci::Pass const& pass) {
    return pass.authorization.size() <= kPassBytesMax && pass.lifetime >= std::chrono::seconds{0} &&
           pass.lifetime <= kPassLifetimeMax &&
           std::ranges::all_of(pass.authorization, [](unsigned char c) { return c >= ' ' && c < 127; });
}

ImageMiss read_miss(json::object const& answer) {
    auto const step = static_cast<ImageStep>(answer.at("step").to_number<int>());
    bool const known = step >= ImageStep::tag && step <= ImageStep::storage;
    return {.error = read_failure(answer), .step = known ? step : ImageStep::pull};
}

}  // namespace

json::object describe(ImageWish const& wish) {
    auto described = describe_texts(wish, kWish);
    described["name"] = describe_texts(wish.remote.name, kName);
    described["insecure"] = wish.remote.insecure;
    json::array logins;
    for (auto const& [place, login] : wish.remote.logins.entries()) {
        auto one = describe_texts(login, kLogin);
        one["place"] = place;
        logins.push_back(std::move(one));
    }
    described["logins"] = std::move(logins);
    described["certificates"] = describe_texts(wish.remote.certificates, kCertificates);
    described["copy"] = wish.copy;
    if (wish.ignore) described["ignore"] = *wish.ignore;
    described["timeoutMs"] = wish.timeout.count();
    described["wireBytesMax"] = wish.wire_bytes_max;
    described["bytesMax"] = wish.bytes_max;
    return described;
}

Result<ImageWish> read_image_wish(json::object const& described) try {
    ImageWish wish{.remote = {.insecure = described.at("insecure").as_bool()},
                   .copy = described.at("copy").as_bool(),
                   .timeout = std::chrono::milliseconds{described.at("timeoutMs").to_number<std::int64_t>()},
                   .wire_bytes_max = described.at("wireBytesMax").to_number<std::uint64_t>(),
                   .bytes_max = described.at("bytesMax").to_number<std::uint64_t>()};
    read_texts(described, kWish, wish);
    read_texts(described.at("name").as_object(), kName, wish.remote.name);
    read_texts(described.at("certificates").as_object(), kCertificates, wish.remote.certificates);
    for (json::value const& one : described.at("logins").as_array()) {
        oci::Login login;
        read_texts(one.as_object(), kLogin, login);
        auto added = wish.remote.logins.add(std::string{one.at("place").as_string()}, std::move(login));
        if (!added) return fail(std::move(added));
    }
    if (auto const* ignore = described.if_contains("ignore")) wish.ignore = std::string{ignore->as_string()};
    return wish;
} catch (std::exception const&) {
    return fail(Errc::invalid_input, "the request for an image cannot be read");
}

std::string describe(std::expected<Image, ImageMiss> const& answer) {
    if (!answer) {
        auto described = describe_failure(answer.error().error);
        described["step"] = static_cast<int>(answer.error().step);
        return json::serialize(described);
    }
    return json::serialize(json::object{{"revision", answer->revision},
                                        {"digest", answer->digest},
                                        {"metadata", answer->metadata},
                                        {"news", answer->is_news},
                                        {"authorization", answer->pass.authorization},
                                        {"lifetimeS", answer->pass.lifetime.count()}});
}

std::expected<Image, ImageMiss> read_answer(std::string const& text, ImageWish const& wish) try {
    auto const parsed = parse_json(text);
    auto const* const answer = parsed ? parsed->if_object() : nullptr;
    if (answer == nullptr) return no_answer(wish, "no object");
    if (answer->contains("failure")) return std::unexpected{read_miss(*answer)};
    Image image{.revision = std::string{answer->at("revision").as_string()},
                .digest = std::string{answer->at("digest").as_string()},
                .metadata = std::string{answer->at("metadata").as_string()},
                .is_news = answer->at("news").as_bool(),
                .pass = {.authorization = std::string{answer->at("authorization").as_string()},
                         .lifetime = std::chrono::seconds{answer->at("lifetimeS").to_number<std::int64_t>()}}};
    if (!can_be(wish, image.revision)) return no_answer(wish, "no revision that was asked for");
    if (!is_metadata(image.metadata)) return no_answer(wish, "annotations that are none");
    if (!is_pass(image.pass)) return no_answer(wish, "a pass that is none");
    bool const is_known = !wish.known.empty() && image.revision == wish.known;
    if (!image.is_news && !is_known) return no_answer(wish, "nothing new, of something that is not held");
    return image;
} catch (std::exception const&) {
    return no_answer(wish, "it cannot be read");
}

}  // namespace holdfast::daemon
