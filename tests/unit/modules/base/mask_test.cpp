// tests/unit/modules/base/mask_test.cpp: what lets somebody in is in no text for others.
#include "modules/base/mask.hpp"

#include <catch2/catch.hpp>

namespace holdfast {

TEST_CASE("mask: the login of each URL goes, the rest of the text stays", "[base][mask]") {
    std::pair<std::string_view, std::string_view> const cases[] = {
        {"unable to clone 'https://bot:s3cr3t@h:8443/a.git': no", "unable to clone 'https://xxxxx@h:8443/a.git': no"},
        {"https://ghp_token@h/a", "https://xxxxx@h/a"},
        {"https://ghp_token:x-oauth-basic@h/a", "https://xxxxx@h/a"},
        {"Get \"http://a:b@c@h/x@y\": http://u:p@h2", "Get \"http://xxxxx@h/x@y\": http://xxxxx@h2"},
        {"https://a:b/c@h/x", "https://xxxxx@h/x"},
        {"https://a:b c@h/x", "https://xxxxx@h/x"},
        {"ssh://git@h/a.git and ssh://git:p@h/a.git", "ssh://git@h/a.git and ssh://xxxxx@h/a.git"},
        {"git::https://u:p@h//x?ref=v1", "git::https://xxxxx@h//x?ref=v1"},
        {"open ./a/git::http:/bot:p@h/x?sshkey=k: no such file",
         "open ./a/git::http:/xxxxx@h/x?sshkey=xxxxx no such file"},
        {"C:/u:p@h and a:/b@c", "C:/u:p@h and a:/b@c"},
        {"postgres://u:p@h/db", "postgres://xxxxx@h/db"},
        {"https://h:8443/a@v1 https://h/@x http://[::1]:80/a@b",
         "https://h:8443/a@v1 https://h/@x http://[::1]:80/a@b"},
        {"see https://h/a?mail=a@b and mail c@d", "see https://h/a?mail=a@b and mail c@d"},
        {"http://h:bad\nhttp://u@h", "http://h:bad\nhttp://xxxxx@h"},
        {"://", "://"},
        {"nothing of a URL: a@b, main@sha1:67e2, nginx:1@sha256:ab",
         "nothing of a URL: a@b, main@sha1:67e2, nginx:1@sha256:ab"},
    };
    for (auto const& [text, shown] : cases) {
        CHECK(mask_logins(text) == shown);
        CHECK(mask_logins(shown) == shown);
    }
}

TEST_CASE("mask: what a query calls a secret goes, its other parameters stay", "[base][mask]") {
    std::pair<std::string_view, std::string_view> const cases[] = {
        {"https://h/a?ref=v1&sshkey=QUJD&timeout=9", "https://h/a?ref=v1&sshkey=xxxxx&timeout=9"},
        {"https://h/a?access_token=t", "https://h/a?access_token=xxxxx"},
        {"https://h/a?PRIVATE_TOKEN=t#top", "https://h/a?PRIVATE_TOKEN=xxxxx#top"},
        {"Get \"https://h/c?sv=1&sig=a%2Bb%3D&se=2\": 403", "Get \"https://h/c?sv=1&sig=xxxxx&se=2\": 403"},
        {"s3://b?X-Amz-Credential=c&X-Amz-Signature=s", "s3://b?X-Amz-Credential=xxxxx&X-Amz-Signature=xxxxx"},
        {"https://u:p@h?token=a=b;key=c", "https://xxxxx@h?token=xxxxx;key=xxxxx"},
        {"https://h/a?tokens&keyboard=1&design=2&monkey=3", "https://h/a?tokens&keyboard=1&design=2&monkey=3"},
        {"https://h/a?a=1?token=t https://h/?", "https://h/a?a=1?token=t https://h/?"},
    };
    for (auto const& [text, shown] : cases) CHECK(mask_logins(text) == shown);
}

TEST_CASE("mask: a text that is to be a URL may lack its scheme and hold a login", "[base][mask]") {
    CHECK(mask_url("u:s3cr3t@host/a.git") == "xxxxx@host/a.git");
    CHECK(mask_url("https://u:p@host/a.git") == "https://xxxxx@host/a.git");
    CHECK(mask_url("git@host:path") == "git@host:path");
    CHECK(mask_url("https://host:8443/a@v1.git?ref=b@c") == "https://host:8443/a@v1.git?ref=b@c");
}

}  // namespace holdfast
