// daemon/fetch_request.cpp: wishes and answers, field by field.
#include "daemon/fetch_request.hpp"

#include "daemon/worker_words.hpp"

#include "modules/base/json_text.hpp"
#include "modules/base/utf8.hpp"

#include <boost/json/serialize.hpp>

#include <array>
#include <utility>

namespace holdfast::daemon {

namespace {

namespace json = boost::json;
using source::Commit;
using source::CommitMiss;
using source::CommitWish;

constexpr std::size_t kHeadlineBytesMax = 1'024;

constexpr TextFields<git::Credentials, 6> kCredentials{{
    {"username", &git::Credentials::username},
    {"password", &git::Credentials::password},
    {"bearerToken", &git::Credentials::bearer_token},
    {"ca", &git::Credentials::ca_pem},
    {"certificate", &git::Credentials::certificate_pem},
    {"key", &git::Credentials::key_pem},
}};
constexpr TextFields<git::Reference, 6> kReference{{
    {"branch", &git::Reference::branch},
    {"tag", &git::Reference::tag},
    {"semver", &git::Reference::semver},
    {"name", &git::Reference::name},
    {"commit", &git::Reference::commit},
    {"any", &git::Reference::any},
}};

std::unexpected<CommitMiss> no_answer(std::string_view why) {
    return std::unexpected{CommitMiss{.error = {Errc::corrupt, "the fetch worker's answer: " + std::string{why}}}};
}

CommitMiss read_miss(json::object const& answer) {
    return {.error = read_failure(answer), .of_storage = answer.at("ofStorage").as_bool()};
}

}  // namespace

json::object describe(CommitWish const& wish) {
    json::object described{{"url", wish.remote.url},
                           {"credentials", describe_texts(wish.remote.credentials, kCredentials)},
                           {"reference", describe_texts(wish.reference, kReference)},
                           {"known", wish.known},
                           {"tree", wish.form == CommitWish::Form::tree},
                           {"submodules", wish.needs_submodules},
                           {"timeoutMs", wish.timeout.count()},
                           {"wireBytesMax", wish.wire_bytes_max},
                           {"bytesMax", wish.bytes_max}};
    if (wish.ignore) described["ignore"] = *wish.ignore;
    return described;
}

Result<CommitWish> read_wish(json::object const& described) try {
    CommitWish wish{.remote = {.url = std::string{described.at("url").as_string()}},
                    .known = std::string{described.at("known").as_string()},
                    .needs_submodules = described.at("submodules").as_bool(),
                    .timeout = std::chrono::milliseconds{described.at("timeoutMs").to_number<std::int64_t>()},
                    .wire_bytes_max = described.at("wireBytesMax").to_number<std::uint64_t>(),
                    .bytes_max = described.at("bytesMax").to_number<std::uint64_t>()};
    read_texts(described.at("credentials").as_object(), kCredentials, wish.remote.credentials);
    read_texts(described.at("reference").as_object(), kReference, wish.reference);
    if (described.at("tree").as_bool()) wish.form = CommitWish::Form::tree;
    if (auto const* ignore = described.if_contains("ignore")) wish.ignore = std::string{ignore->as_string()};
    return wish;
} catch (std::exception const&) {
    return fail(Errc::invalid_input, "the request for a fetch cannot be read");
}

std::string describe(std::expected<Commit, CommitMiss> const& answer) {
    if (!answer) {
        auto const& miss = answer.error();
        auto described = describe_failure(miss.error);
        described["ofStorage"] = miss.of_storage;
        return json::serialize(described);
    }
    return json::serialize(json::object{{"revision", answer->revision},
                                        {"commit", answer->id},
                                        {"headline", to_utf8(answer->headline, kHeadlineBytesMax)},
                                        {"digest", answer->digest},
                                        {"news", answer->is_news}});
}

std::expected<Commit, CommitMiss> read_answer(std::string const& text, CommitWish const& wish) try {
    auto const parsed = parse_json(text);
    auto const* const answer = parsed ? parsed->if_object() : nullptr;
    if (answer == nullptr) return no_answer("no object");
    if (answer->contains("failure")) return std::unexpected{read_miss(*answer)};
    Commit commit{.revision = std::string{answer->at("revision").as_string()},
                  .id = std::string{answer->at("commit").as_string()},
                  .headline = plain_words(answer->at("headline").as_string(), kHeadlineBytesMax),
                  .digest = std::string{answer->at("digest").as_string()},
                  .is_news = answer->at("news").as_bool()};
    if (!git::can_be(wish.reference, commit.revision, commit.id)) return no_answer("no revision that was asked for");
    bool const is_known = !wish.known.empty() && commit.revision == wish.known;
    if (!commit.is_news && !is_known) return no_answer("nothing new, of something that is not held");
    return commit;
} catch (std::exception const&) {
    return no_answer("it cannot be read");
}

}  // namespace holdfast::daemon
