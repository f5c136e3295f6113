// tests/unit/modules/oci/registry_test.cpp: a registry that asks for logins, sends us elsewhere, and lies.
// Goal: a login is told to nobody but whom it is for, and nothing is taken that is not what it should be.
// Method: servers on two loopback addresses that remember what they were told; the second stands for another host.
#include "modules/base/base64.hpp"
#include "modules/crypto/digest.hpp"
#include "modules/oci/lookout.hpp"
#include "modules/oci/registry.hpp"
#include "tests/support/recording_server.hpp"

#include <catch2/catch.hpp>

namespace holdfast::oci {

namespace {

using test::RecordingServer;

constexpr std::string_view kManifestType = "application/vnd.oci.image.manifest.v1+json";

std::string digest_of(std::string_view text) { return "sha256:" + crypto::sha256_hex(text); }

http::Answer found(std::string text, std::string_view type = kManifestType) {
    auto const digest = digest_of(text);
    auto answer = http::text_answer(200, std::move(text), type);
    answer.headers.set("Docker-Content-Digest", digest);
    return answer;
}

http::Answer challenge(std::string const& words) {
    auto answer = http::json_answer(401, R"({"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]})");
    answer.headers.set("WWW-Authenticate", words);
    return answer;
}

http::Answer redirect(std::string const& to) {
    auto answer = http::text_answer(307, "");
    answer.headers.set("Location", to);
    return answer;
}

struct Town {
    RecordingServer registry;
    RecordingServer elsewhere{"127.0.0.2"};
    Remote remote{.name = {registry.authority, "org/app"}, .insecure = true};
    Options options{.reach = http::Reach::of_operator()};

    void log_in_as(std::string const& place, std::string const& name) {
        REQUIRE(remote.logins.add(place, {.username = name, .password = "pw"}));
    }
    std::unique_ptr<Registry> open() { return Registry::open(remote, options).value(); }
    Result<std::string> blob(Descriptor const& wanted) {
        std::string bytes;
        auto const done = open()->blob(wanted, [&](std::string_view piece) -> Result<void> {
            bytes += piece;
            return {};
        });
        if (!done) return std::unexpected{done.error()};
        return bytes;
    }
};

std::string basic(std::string const& name) { return "Basic " + base64_encode(name + ":pw"); }

}  // namespace

TEST_CASE("oci registry: an answer in plain HTTP names the field that allows it", "[oci][registry]") {
    Town town;
    town.remote.insecure = false;

    auto const refused = town.open()->manifest("1.0");

    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.ends_with("is this plain HTTP? Then set `insecure`"));
}

TEST_CASE("oci registry: without a challenge one request is made and nothing is said", "[oci][registry]") {
    Town town;
    town.log_in_as(town.registry.authority, "robot");
    town.registry.answer([](auto const&) { return found("{}"); });

    auto const document = town.open()->manifest("1.0");

    REQUIRE(document);
    CHECK(document->digest == digest_of("{}"));
    CHECK(document->media_type == kManifestType);
    CHECK(town.registry.asked() == std::vector<std::string>{"GET /v2/org/app/manifests/1.0"});
}

TEST_CASE("oci registry: a password is shown when it is asked for", "[oci][registry]") {
    Town town;
    town.log_in_as(town.registry.authority, "robot");
    town.registry.answer([](http::ServerRequest const& request) {
        return request.headers.get("Authorization") == basic("robot") ? found("{}") : challenge("Basic realm=\"r\"");
    });

    auto const registry = town.open();
    REQUIRE(registry->manifest("1.0"));
    CHECK(registry->pass().authorization == basic("robot"));
    town.remote.logins = {};
    auto const refused = town.open()->manifest("1.0");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::denied);
    CHECK(refused.error().message ==
          "GET http://" + town.registry.authority + "/v2/org/app/manifests/1.0: UNAUTHORIZED: authentication required");
}

TEST_CASE("oci registry: a token of the registry's own host is asked for with the login", "[oci][registry]") {
    Town town;
    auto const realm = "http://" + town.registry.authority + "/token?account=x";
    town.registry.answer([&](http::ServerRequest const& request) {
        if (request.path == "/token") {
            bool const good = request.headers.get("Authorization") == basic("robot");
            return good ? http::json_answer(200, R"({"token":"t1","expires_in":300})") : http::json_answer(401, "{}");
        }
        return request.headers.get("Authorization") == "Bearer t1"
                   ? found("{}")
                   : challenge("Bearer realm=\"" + realm + "\",service=\"reg\",scope=\"repository:org/app:pull\"");
    });
    town.log_in_as(town.registry.authority, "robot");

    auto const registry = town.open();
    REQUIRE(registry->manifest("1.0"));
    REQUIRE(registry->manifest("1.0"));  // the token is used again

    CHECK(town.registry.asked() == std::vector<std::string>{"GET /v2/org/app/manifests/1.0",
                                                            "GET /token " + basic("robot"),
                                                            "GET /v2/org/app/manifests/1.0 Bearer t1",
                                                            "GET /v2/org/app/manifests/1.0 Bearer t1"});
    CHECK(town.registry.told().starts_with("account=x\nscope=repository:org/app:pull\nservice=reg\n"));
    CHECK(registry->pass().lifetime == std::chrono::seconds{300});
}

TEST_CASE("oci registry: a token server at another host is told only what is for that host", "[oci][registry]") {
    Town town;
    auto const realm = "http://" + town.elsewhere.authority + "/token";
    town.registry.answer([&](http::ServerRequest const& request) {
        return request.headers.get("Authorization") == "Bearer t1" ? found("{}")
                                                                   : challenge("Bearer realm=\"" + realm + "\"");
    });
    town.elsewhere.answer([](auto const&) { return http::json_answer(200, R"({"token":"t1"})"); });
    town.log_in_as(town.registry.authority, "robot");

    REQUIRE(town.open()->manifest("1.0"));
    CHECK(town.elsewhere.asked() == std::vector<std::string>{"GET /token"});

    town.elsewhere.forget();
    town.log_in_as(town.elsewhere.authority, "other");
    REQUIRE(town.open()->manifest("1.0"));
    CHECK(town.elsewhere.asked() == std::vector<std::string>{"GET /token " + basic("other")});
    CHECK_FALSE(town.elsewhere.told().contains(base64_encode("robot:pw")));
}

TEST_CASE("oci registry: a stranger's realm reaches no further than a stranger may", "[oci][registry][reach]") {
    Town town;
    town.options.reach = http::Reach::of_source({http::Network::parse("127.0.0.1/32").value()});
    std::string realm;
    town.registry.answer([&](auto const&) { return challenge("Bearer realm=\"" + realm + "\""); });
    for (auto const& [url, words] : std::initializer_list<std::pair<std::string, std::string>>{
             {"http://" + town.elsewhere.authority + "/token", "127.0.0.2 is a loopback address"},
             {"http://169.254.169.254/metadata", "169.254.169.254 is a link-local address"},
             {"file:///etc/passwd", "invalid realm in www-authenticate"},
             {"", "missing realm"}}) {
        realm = url;
        auto const refused = town.open()->manifest("1.0");
        INFO(url);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().message.contains(words));
    }
    CHECK(town.elsewhere.asked().empty());
}

TEST_CASE("oci registry: where a blob is redirected to nobody says who we are", "[oci][registry]") {
    Town town;
    std::string const bytes(300'000, 'x');
    town.log_in_as(town.registry.authority, "robot");
    town.registry.answer([&](http::ServerRequest const& request) {
        return request.headers.get("Authorization").empty()
                   ? challenge("Basic realm=\"r\"")
                   : redirect("http://u:p@" + town.elsewhere.authority + "/blob?sig=1");
    });
    town.elsewhere.answer([&](auto const&) { return http::text_answer(200, bytes); });

    auto const came = town.blob({.digest = digest_of(bytes), .size = bytes.size()});

    REQUIRE(came);
    CHECK(*came == bytes);
    CHECK(town.elsewhere.asked() == std::vector<std::string>{"GET /blob"});
}

TEST_CASE("oci registry: redirects end, and lead to nothing that is refused", "[oci][registry][reach]") {
    Town town;
    Descriptor const wanted{.digest = digest_of("x"), .size = 1};
    town.registry.answer([&](auto const&) { return redirect("/again"); });
    auto const endless = town.blob(wanted);
    REQUIRE_FALSE(endless);
    CHECK(endless.error().message == "more than 5 redirects");
    CHECK(town.registry.asked().size() == 6);

    town.options.reach = http::Reach::of_source({http::Network::parse("127.0.0.1/32").value()});
    town.registry.answer([&](auto const&) { return redirect("http://" + town.elsewhere.authority + "/x"); });
    auto const inside = town.blob(wanted);
    REQUIRE_FALSE(inside);
    CHECK(inside.error().code == Errc::denied);
    CHECK(town.elsewhere.asked().empty());

    town.options.reach = http::Reach::of_operator();
    town.elsewhere.answer([](auto const&) { return http::text_answer(403, "what an inner host says"); });
    auto const refused = town.blob(wanted);
    REQUIRE_FALSE(refused);
    CHECK_FALSE(refused.error().message.contains("inner host"));
}

TEST_CASE("oci registry: a blob is taken only when it is that of its digest", "[oci][registry]") {
    Town town;
    town.registry.answer([](auto const&) { return http::text_answer(200, "damaged"); });
    auto const damaged = town.blob({.digest = digest_of("perfect"), .size = 7});
    auto const longer = town.blob({.digest = digest_of("damage"), .size = 6});
    auto const shorter = town.blob({.digest = digest_of("damaged"), .size = 8});
    town.options.bounds.blob_bytes_max = 6;
    auto const large = town.blob({.digest = digest_of("damaged"), .size = 7});

    REQUIRE_FALSE(damaged);
    CHECK(damaged.error().message == "error verifying sha256 checksum after reading 7 bytes; got \"" +
                                         crypto::sha256_hex("damaged") + "\", want \"" + crypto::sha256_hex("perfect") +
                                         "\"");
    REQUIRE_FALSE(longer);
    CHECK(longer.error().message.contains("the layer is longer than its manifest says"));
    REQUIRE_FALSE(shorter);
    CHECK(shorter.error().message == "error verifying size; got 7 bytes, want 8");
    REQUIRE_FALSE(large);
    CHECK(large.error().code == Errc::limit);
    CHECK(town.registry.asked().size() == 3);  // what is too large is not begun
}

TEST_CASE("oci registry: a manifest by digest is that one or none", "[oci][registry]") {
    Town town;
    town.registry.answer([](auto const&) { return found("{ }"); });

    auto const other = town.open()->manifest(digest_of("{}"));

    REQUIRE_FALSE(other);
    CHECK(other.error().code == Errc::invalid_input);
    CHECK(other.error().message.starts_with("manifest digest: \"" + digest_of("{ }") + "\" does not match requested"));
    town.registry.answer([](auto const&) { return found(std::string(kManifestBytesMax + 1, ' ')); });
    CHECK(town.open()->manifest("1").error().code == Errc::limit);
}

TEST_CASE("oci registry: a web page is no registry's answer, but that of a network one has to log in to",
          "[oci][registry]") {
    Town town;
    town.registry.answer(
        [](auto const&) { return http::text_answer(200, "<!DOCTYPE html><html>", "text/html; charset=utf-8"); });

    auto const registry = town.open();
    CHECK(registry->manifest("1").error().code == Errc::offline);
    CHECK(registry->tags().error().code == Errc::offline);
    CHECK(registry->digest_of("1").error().code == Errc::offline);
    CHECK(town.blob({.digest = digest_of("x"), .size = 1}).error().code == Errc::offline);
}

TEST_CASE("oci registry: tags come page by page, to an end", "[oci][registry]") {
    Town town;
    town.registry.answer([](http::ServerRequest const& request) {
        bool const first = request.parameter("last").empty();
        auto answer = http::json_answer(200, first ? R"({"name":"a","tags":["1","2"]})" : R"({"tags":["3"]})");
        if (first) answer.headers.set("Link", "</v2/org/app/tags/list?last=2&n=2>; rel=\"next\"");
        return answer;
    });
    CHECK(town.open()->tags().value() == std::vector<std::string>{"1", "2", "3"});

    town.options.bounds.tags_max = 2;
    CHECK(town.open()->tags().error().code == Errc::limit);
    town.options.bounds.tags_max = 100;

    std::string link = "</v2/org/app/tags/list?n=1000>";
    std::string body = R"({"tags":["1"]})";
    town.registry.answer([&](auto const&) {
        auto answer = http::json_answer(200, body);
        answer.headers.set("Link", link);
        return answer;
    });
    CHECK(town.open()->tags().error().message == "the list of tags does not end");
    link = "<http://" + town.elsewhere.authority + "/v2/>";
    CHECK(town.open()->tags().error().message == "the next page of tags is at another host");
    CHECK(town.elsewhere.asked().empty());
    body = R"({"tags":[1]})";
    CHECK(town.open()->tags().error().code == Errc::invalid_input);
    body = "no JSON";
    CHECK(town.open()->tags().error().code == Errc::invalid_input);
}

TEST_CASE("oci lookout: an unchanged tag costs one HEAD", "[oci][lookout]") {
    Town town;
    town.registry.answer([](auto const&) { return found("{}"); });
    Lookout lookout;

    CHECK(lookout.look(town.remote, "1", digest_of("{}"), town.options).value() == Look::unchanged);
    CHECK(lookout.look(town.remote, "1", digest_of("[]"), town.options).value() == Look::changed);
    CHECK(town.registry.asked() ==
          std::vector<std::string>{"HEAD /v2/org/app/manifests/1", "HEAD /v2/org/app/manifests/1"});
}

TEST_CASE("oci lookout: who has to log in is let in with the pass of the last fetch, for as long as it is good",
          "[oci][lookout]") {
    Town town;
    town.registry.answer([](http::ServerRequest const& request) {
        return request.headers.get("Authorization") == "Bearer t1" ? found("{}")
                                                                   : challenge("Bearer realm=\"http://x/\"");
    });
    Lookout lookout;
    auto const look = [&] { return lookout.look(town.remote, "1", digest_of("{}"), town.options).value(); };

    CHECK(look() == Look::unknown);
    lookout.remember(town.remote, {.authorization = "Bearer t1", .lifetime = std::chrono::seconds{300}});
    CHECK(look() == Look::unchanged);
    auto const asked = town.registry.asked().size();
    lookout.remember(town.remote, {.authorization = "Bearer t1", .lifetime = std::chrono::seconds{0}});
    CHECK(look() == Look::unknown);
    CHECK(town.registry.asked().size() == asked);  // a pass that is over is not shown
    lookout.remember(town.remote, {.authorization = "Bearer t1", .lifetime = std::chrono::seconds{300}});
    town.log_in_as(town.registry.authority, "another");
    CHECK(look() == Look::unknown);  // and nobody else's is
}

TEST_CASE("oci lookout: no digest, no answer, no line", "[oci][lookout]") {
    Town town;
    Lookout lookout;
    auto const look = [&] { return lookout.look(town.remote, "1", digest_of("{}"), town.options); };
    for (unsigned const status : {301U, 404U, 429U, 500U}) {
        town.registry.answer([&](auto const&) { return http::text_answer(status, ""); });
        CHECK(look().value() == Look::unknown);
    }
    town.registry.answer([](auto const&) { return http::text_answer(200, "{}"); });
    CHECK(look().value() == Look::unknown);
    town.registry.answer([](auto const&) {
        auto answer = http::text_answer(200, "{}");
        answer.headers.set("Docker-Content-Digest", "sha256:x");
        return answer;
    });
    CHECK(look().value() == Look::unknown);
    town.remote.name.registry = "127.0.0.1:1";
    CHECK(look().error().code == Errc::offline);
    town.options.reach = http::Reach{};
    CHECK(look().error().code == Errc::denied);
}

}  // namespace holdfast::oci
