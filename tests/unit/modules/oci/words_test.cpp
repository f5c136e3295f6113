// tests/unit/modules/oci/words_test.cpp: names, logins, challenges, tokens and manifests as texts.
// Goal: what go-containerregistry reads is read alike, and what is none is refused with its words.
// Method: tables; the expected texts were printed by go-containerregistry 0.21.6.
#include "modules/base/base64.hpp"
#include "modules/oci/challenge.hpp"
#include "modules/oci/login.hpp"
#include "modules/oci/manifest.hpp"
#include "modules/oci/name.hpp"
#include "modules/oci/refusal.hpp"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

#include <array>

namespace holdfast::oci {

namespace {

std::string const kHex(64, 'a');
std::string const kDigest = "sha256:" + kHex;

std::string name_of(std::string const& url) {
    auto const name = parse_name(url);
    return name ? name->registry + " " + name->repository : name.error().message;
}

std::string challenge_of(std::string const& header) {
    auto const challenge = parse_challenge(header);
    if (!challenge) return challenge.error().message;
    bool const is_bearer = challenge->scheme == Challenge::Scheme::bearer;
    return std::string{is_bearer ? "bearer" : "basic"} + "|" + challenge->realm + "|" + challenge->service + "|" +
           challenge->scope;
}

std::string entry(std::string const& auth) { return R"({"auth":")" + base64_encode(auth) + R"("})"; }

std::string descriptor(std::string const& platform = "") {
    return R"({"mediaType":"application/a","digest":")" + kDigest + R"(","size":7)" + platform + "}";
}

}  // namespace

TEST_CASE("oci name: registry and repository, as go-containerregistry splits them", "[oci][name]") {
    CHECK(name_of("oci://ghcr.io/org/app") == "ghcr.io org/app");
    CHECK(name_of("oci://127.0.0.1:5000/app") == "127.0.0.1:5000 app");
    CHECK(name_of("oci://REGISTRY.example.com/a/b/c") == "registry.example.com a/b/c");
    CHECK(name_of("oci://alpine") == "index.docker.io library/alpine");
    CHECK(name_of("oci://docker.io/org/app") == "index.docker.io org/app");
    CHECK(name_of("oci://org/app") == "index.docker.io org/app");
    CHECK(name_of("oci://[::1]:5000/app") == "[::1]:5000 app");
    CHECK(name_of("oci://ghcr.io/org/app/") == "ghcr.io org/app");
}

TEST_CASE("oci name: what is none is refused in Flux's words", "[oci][name]") {
    CHECK(name_of("https://ghcr.io/a") == "URL must be in format 'oci://<domain>/<org>/<repo>'");
    CHECK(name_of("oci://") == "a repository name must be specified");
    CHECK(
        name_of("oci://ghcr.io/org/app:1.0") ==
        "repository can only contain the characters `abcdefghijklmnopqrstuvwxyz0123456789_-./`: org/app:1.0; a URL has no "
        "tag, remove ':1.0'");
    CHECK(name_of("oci://ghcr.io/a") == "repository must be between 2 and 255 characters in length: a");
    CHECK(name_of("oci://ghcr.io/Org/app") ==
          "repository can only contain the characters `abcdefghijklmnopqrstuvwxyz0123456789_-./`: Org/app");
    CHECK(name_of("oci://user:pw@ghcr.io/org/app").starts_with("registries must be valid RFC 3986"));
    CHECK(name_of("oci://ghcr.io/../app") == "repository has a part that is empty or dots: ../app");
    CHECK(name_of("oci://ghcr.io/a//b") == "repository has a part that is empty or dots: a//b");
}

TEST_CASE("oci name: tags and digests", "[oci][name]") {
    CHECK(is_tag("6.5.3"));
    CHECK(is_tag("_a"));
    for (auto const* none : {"", ".a", "-a", "a/b", "a b", "a\n", "a@b"}) CHECK_FALSE(is_tag(none));
    CHECK_FALSE(is_tag(std::string(129, 'a')));
    CHECK(check_digest(kDigest));
    auto const words = [](std::string const& text) { return check_digest(text).error().message; };
    CHECK(words("latest") == "cannot parse hash: \"latest\"");
    CHECK(words("sha256:") == "cannot parse hash: \"sha256:\"");
    CHECK(words("sha256:abxa") == "found non-hex character in hash: x");
    CHECK(words("sha256:abc") == "wrong number of hex digits for sha256: abc");
    CHECK(words("md5:" + kHex) == "unsupported hash: \"md5\"");
}

TEST_CASE("oci login: the longest place that fits is taken", "[oci][login]") {
    Keyring ring;
    REQUIRE(ring.add_config(R"({"auths":{"https://ghcr.io":)" + entry("wide:1") + R"(,"ghcr.io/org":)" +
                            entry("narrow:2") + R"(,"*.example.com":)" + entry("glob:3") +
                            R"(,"https://index.docker.io/v1/":)" + entry("hub:4") + R"(,"127.0.0.1:5000":)" +
                            entry("port:5") + "}}"));

    CHECK(ring.find("ghcr.io/org/app").username == "narrow");
    CHECK(ring.find("ghcr.io/organisation/app").username == "wide");
    CHECK(ring.find("ghcr.io/other").password == "1");
    CHECK(ring.find("eu.example.com/a").username == "glob");
    CHECK(ring.find("a.eu.example.com/a").empty());
    CHECK(ring.find("example.com/a").empty());
    CHECK(ring.find("index.docker.io/library/alpine").username == "hub");
    CHECK(ring.find("127.0.0.1:5000/app").username == "port");
    CHECK(ring.find("127.0.0.1:5001/app").empty());
    CHECK(ring.find("evil-ghcr.io/org/app").empty());
}

TEST_CASE("oci login: every way to write a login down", "[oci][login]") {
    Keyring ring;
    REQUIRE(ring.add_auths(
        R"({"a.io":{"username":"u","password":"p"},"b.io":{"auth":"dXNlcjpwYXNz"},)"
        R"("c.io":{"auth":"dXNlcjpwYXNzd29yZA","username":"x"},"d.io":{"identitytoken":"i"},)"
        R"("e.io":{"registrytoken":"r"},"f.io":{"auth":"dTphOmI="},"g.io":{"auth":"dXNl\ncjpw\r\nYXNzd29yZA==\n"}})"));

    CHECK(ring.find("g.io/x").password == "password");
    CHECK(ring.find("a.io/x").password == "p");
    CHECK(ring.find("b.io/x").username == "user");
    CHECK(ring.find("c.io/x").password == "password");
    CHECK(ring.find("d.io/x").identity_token == "i");
    CHECK(ring.find("e.io/x").registry_token == "r");
    CHECK(ring.find("f.io/x").password == "a:b");
}

TEST_CASE("oci login: what is no configuration is refused", "[oci][login]") {
    for (auto const* text :
         {"", "[]", "{", R"({"auths":[]})", R"({"auths":{"a.io":"x"}})",
          R"({"auths":{"a.io":{"auth":"bad-auth-bad"}}})", R"({"auths":{"a.io":{"auth":"Zm9vYmFy"}}})"}) {
        INFO(text);
        Keyring ring;
        auto const added = ring.add_config(text);
        REQUIRE_FALSE(added);
        CHECK(added.error().code == Errc::invalid_input);
    }
    Keyring ring;
    CHECK(ring.add_config("{}"));
    for (std::size_t i = 0; i < kLoginsMax; ++i) REQUIRE(ring.add("a.io", {}));
    CHECK(ring.add("a.io", {}).error().code == Errc::limit);
}

TEST_CASE("oci challenge: the first that is understood counts", "[oci][challenge]") {
    CHECK(challenge_of(R"(Bearer realm="https://a.io/token",service="r",scope="repository:x:pull,push")") ==
          "bearer|https://a.io/token|r|repository:x:pull,push");
    CHECK(challenge_of(R"(Basic realm="a \"b\"")") == "basic|a \"b\"||");
    CHECK(challenge_of(R"(Negotiate, Bearer realm="u")") == "bearer|u||");
    CHECK(challenge_of(R"(Negotiate abc==, BEARER Realm = "u" , service=s)") == "unrecognized challenge");
    CHECK(challenge_of(R"(NTLM, basic)") == "basic|||");
    CHECK(challenge_of("") == "unrecognized challenge");
    CHECK(challenge_of("Bearer service=\"s\"") == "malformed www-authenticate, missing realm");
    CHECK(challenge_of("Bearer realm=\"s") == "malformed www-authenticate, a quote does not end");
    CHECK(challenge_of("Bearer realm=\"" + std::string(9'000, 'x') + "\"") == "malformed www-authenticate, too long");
}

TEST_CASE("oci challenge: a token is a header's value and lives as long as it says, within bounds",
          "[oci][challenge]") {
    auto const seconds = [](std::string const& text) { return parse_token(text).value().lifetime.count(); };
    CHECK(parse_token(R"({"token":"t","access_token":"a"})").value().text == "a");
    CHECK(parse_token(R"({"token":"t","access_token":""})").value().text == "t");
    CHECK(seconds(R"({"token":"t","expires_in":300})") == 300);
    CHECK(seconds(R"({"token":"t"})") == 60);
    CHECK(seconds(R"({"token":"t","expires_in":-1})") == 60);
    CHECK(seconds(R"({"token":"t","expires_in":1e30})") == 60);
    CHECK(seconds(R"({"token":"t","expires_in":999999999})") == 3'600);
    for (std::string const& text :
         {std::string{"[]"}, std::string{"{}"}, std::string{R"({"token":""})"}, std::string{R"({"token":"a b"})"},
          std::string{R"({"token":"a\r\nX: y"})"}, R"({"token":")" + std::string(17'000, 'x') + "\"}"}) {
        INFO(text.substr(0, 40));
        CHECK(parse_token(text).error().code == Errc::invalid_input);
    }
}

TEST_CASE("oci manifest: layers, annotations, and what kind of thing it is", "[oci][manifest]") {
    auto const text = R"({"schemaVersion":2,"layers":[)" + descriptor() + R"(],"annotations":{"a":"b"}})";
    auto const manifest = read_manifest(text, "application/vnd.oci.image.manifest.v1+json; charset=utf-8");
    REQUIRE(manifest);
    CHECK_FALSE(manifest->is_index);
    REQUIRE(manifest->parts.size() == 1);
    CHECK(manifest->parts[0].digest == kDigest);
    CHECK(manifest->parts[0].size == 7);
    CHECK(boost::json::serialize(manifest->annotations) == R"({"a":"b"})");

    auto const list = R"({"manifests":[)" + descriptor() + "]}";
    CHECK(read_manifest(list, "application/vnd.oci.image.index.v1+json").value().is_index);
    CHECK(read_manifest(list, "application/vnd.docker.distribution.manifest.list.v2+json").value().is_index);
    CHECK(read_manifest(list, "text/plain").value().is_index);
    CHECK_FALSE(read_manifest(list, "application/vnd.docker.distribution.manifest.v2+json").value().is_index);
    CHECK(read_manifest(R"({"mediaType":"application/vnd.oci.image.index.v1+json"})", "").value().is_index);
    CHECK_FALSE(read_manifest("{}", "").value().is_index);
    CHECK(read_manifest(R"({"layers":null,"annotations":null})", "").value().parts.empty());
}

TEST_CASE("oci manifest: what is none is refused", "[oci][manifest]") {
    std::string const type = "application/vnd.oci.image.manifest.v1+json";
    for (std::string const& text :
         {std::string{""}, std::string{"[]"}, std::string{"{"}, std::string{R"({"layers":{}})"},
          std::string{R"({"layers":[1]})"}, std::string{R"({"layers":[{}]})"},
          std::string{R"({"layers":[{"digest":"sha256:../../x","size":1}]})"},
          R"({"layers":[{"digest":")" + kDigest + R"(","size":-1}]})",
          R"({"layers":[{"digest":")" + kDigest + R"(","size":"1"}]})",
          R"({"layers":[{"digest":")" + kDigest + R"("}]})", std::string{R"({"annotations":{"a":1}})"},
          std::string{R"({"annotations":[]})"}}) {
        INFO(text);
        auto const read = read_manifest(text, type);
        REQUIRE_FALSE(read);
        CHECK(read.error().code == Errc::invalid_input);
    }
    CHECK(read_manifest("{}", "application/vnd.docker.distribution.manifest.v1+prettyjws").error().message ==
          "unsupported MediaType: \"application/vnd.docker.distribution.manifest.v1+prettyjws\", see "
          "https://github.com/google/go-containerregistry/issues/377");
    std::string many = descriptor();
    for (std::size_t i = 0; i < kDescriptorsMax; ++i) many += "," + descriptor();
    CHECK(read_manifest(R"({"layers":[)" + many + "]}", type).error().code == Errc::limit);
    auto const long_text = R"({"annotations":{"a":")" + std::string(kAnnotationsBytesMax, 'x') + "\"}}";
    CHECK(read_manifest(long_text, type).error().code == Errc::limit);
}

TEST_CASE("oci manifest: of an index the first platform that is wished for", "[oci][manifest]") {
    auto const platform = [](std::string const& architecture) {
        return R"(,"platform":{"os":"linux","architecture":")" + architecture + "\"}";
    };
    auto const text = R"({"manifests":[)" + descriptor(platform("s390x")) + "," + descriptor(platform("arm64")) + "," +
                      descriptor() + "]}";
    auto const index = read_manifest(text, "application/vnd.oci.image.index.v1+json").value();
    std::array const wished{Platform{"linux", "arm64"}, Platform{"linux", "amd64"}};
    std::array const rare{Platform{"linux", "riscv64"}, Platform{"linux", "amd64"}};
    std::array const none{Platform{"windows", "amd64"}};

    CHECK(pick_manifest(index, wished).value().platform.architecture == "arm64");
    CHECK(pick_manifest(index, rare).value().platform.architecture == "amd64");  // who does not say is this
    CHECK(pick_manifest(index, none).error().message == "no child with platform windows/amd64 in index");
}

TEST_CASE("oci refusal: a registry's errors as Go prints them", "[oci][refusal]") {
    auto const url = http::parse_url("https://a.io/v2/x/manifests/1?n=5&X-Amz-Signature=secret").value();
    auto const words = [&](unsigned status, std::string body, bool quotes = true) {
        return refused("GET", url, {.status = status, .body = std::move(body)}, quotes);
    };
    std::string const prefix = "GET https://a.io/v2/x/manifests/1?n=5&X-Amz-Signature=REDACTED: ";

    CHECK(words(404, R"({"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"1"}}]})")
              .message == prefix + "MANIFEST_UNKNOWN: manifest unknown; map[Tag:1]");
    CHECK(
        words(
            401,
            R"({"errors":[{"code":"UNAUTHORIZED","message":"m","detail":[{"Type":"repository","Class":"","Name":"x","Action":"pull"}]}]})")
            .message == prefix + "UNAUTHORIZED: m; [map[Action:pull Class: Name:x Type:repository]]");
    CHECK(words(429, R"({"errors":[{"code":"A","message":"b"},{"code":"C","message":"d"}]})").message ==
          prefix + "multiple errors returned: A: b; C: d");
    CHECK(words(500, "").message == prefix + "unexpected status code 500 Internal Server Error");
    CHECK(words(403, "no\x1b[31m\nmore").message == prefix + "unexpected status code 403 Forbidden: no [31m more");
    CHECK(words(403, "from inside", false).message == prefix + "unexpected status code 403 Forbidden");
    CHECK(words(404, "").code == Errc::not_found);
    CHECK(words(401, "").code == Errc::denied);
    CHECK(words(503, "").code == Errc::busy);
    CHECK(words(500, std::string(100'000, 'x')).message.size() < 1'300);
}

}  // namespace holdfast::oci
