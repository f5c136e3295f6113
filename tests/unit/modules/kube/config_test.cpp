// tests/unit/modules/kube/config_test.cpp: kubeconfigs that work, and those that are refused with the way out.
#include "modules/kube/config.hpp"

#include "modules/base/base64.hpp"
#include "tests/support/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <fstream>

namespace holdfast::kube {

static std::string config_with(std::string const& cluster, std::string const& user) {
    return "apiVersion: v1\nkind: Config\ncurrent-context: main\ncontexts:\n- name: main\n  context: {cluster: c, user: u, namespace: apps}\n"
           "- name: other\n  context: {cluster: missing, user: u}\nclusters:\n- name: c\n  cluster: " +
           cluster + "\nusers:\n- name: u\n  user: " + user + "\n";
}

static void write(std::filesystem::path const& path, std::string const& text) { std::ofstream{path} << text; }

TEST_CASE("kubeconfig: server and proxy are reached by who wrote it", "[kube][reach]") {
    auto const text =
        config_with("{server: 'https://127.0.0.1:6443', proxy-url: 'http://127.0.0.1:3128'}", "{token: abc}");
    auto const loopback = http::asio::ip::make_address("127.0.0.1");

    auto const own = parse_kubeconfig(text, ".", "").value();
    auto const foreign =
        parse_kubeconfig(text, ".", "", {.files_allowed = false, .reach = http::Reach::of_source({})}).value();

    CHECK_FALSE(own.reach.refuses(loopback));
    CHECK_FALSE(own.proxy.reach.refuses(loopback));
    CHECK(foreign.reach.refuses(loopback) == "a loopback address");
    CHECK(foreign.proxy.reach.refuses(loopback) == "a loopback address");
}

TEST_CASE("kubeconfig: inline data, server name, proxy, token and impersonation are read", "[kube]") {
    auto const text = config_with(
        "{server: 'https://api.example:6443', certificate-authority-data: " + base64_encode("CA") +
            ", tls-server-name: kube, proxy-url: 'http://proxy:3128'}",
        "{client-certificate-data: " + base64_encode("CERT") + ", client-key-data: " + base64_encode("KEY") +
            ", token: abc, as: someone, as-groups: [g1, g2]}");

    auto const config = parse_kubeconfig(text, ".", "").value();

    CHECK(config.server.authority() == "api.example:6443");
    CHECK(config.tls.ca_pem == "CA");
    CHECK(config.tls.certificate_pem == "CERT");
    CHECK(config.tls.key_pem == "KEY");
    CHECK(config.tls.server_name == "kube");
    CHECK(config.proxy.https_proxy == "http://proxy:3128");
    CHECK(config.credentials.token == "abc");
    CHECK(config.credentials.impersonate_user == "someone");
    CHECK(config.credentials.impersonate_groups == std::vector<std::string>{"g1", "g2"});
    CHECK(config.ns == "apps");
    CHECK(config.context == "main");
}

TEST_CASE("kubeconfig: files are read relative to it, JSON is YAML too", "[kube]") {
    test::TempDir dir;
    write(dir.path() / "ca.crt", "CA");
    write(dir.path() / "config",
          R"({"current-context":"m","contexts":[{"name":"m","context":{"cluster":"c","user":"u"}}],
        "clusters":[{"name":"c","cluster":{"server":"https://h","certificate-authority":"ca.crt"}}],"users":[{"name":"u","user":{"tokenFile":"token"}}]})");

    auto const config = load_kubeconfig(dir.path() / "config", "").value();

    CHECK(config.tls.ca_pem == "CA");
    CHECK(config.credentials.token_file == dir.path() / "token");
    CHECK(config.ns == "default");
}

TEST_CASE("kubeconfig: exec and auth-provider are refused with what to do instead", "[kube]") {
    auto const exec = parse_kubeconfig(config_with("{server: 'https://h'}", "{exec: {command: kubelogin}}"), ".", "");
    REQUIRE_FALSE(exec);
    CHECK(exec.error().code == Errc::denied);
    CHECK(exec.error().message.contains("kubelogin"));
    CHECK(exec.error().message.contains("tokenFile"));
    auto const provider =
        parse_kubeconfig(config_with("{server: 'https://h'}", "{auth-provider: {name: gcp}}"), ".", "");
    REQUIRE_FALSE(provider);
    CHECK(provider.error().code == Errc::denied);
}

TEST_CASE("kubeconfig: what is wrong is named", "[kube]") {
    auto const error = [](std::string const& text, std::string_view context = "", KubeconfigRules const& rules = {}) {
        auto const config = parse_kubeconfig(text, ".", context, rules);
        REQUIRE_FALSE(config);
        return config.error();
    };
    auto const good = config_with("{server: 'https://h'}", "{}");
    CHECK(parse_kubeconfig(good, ".", ""));
    CHECK(error(good, "nowhere").message.contains("context \"nowhere\""));
    CHECK(error(good, "other").message.contains("cluster \"missing\""));
    CHECK(error("a: [").message.contains("line "));
    CHECK(error("").code == Errc::invalid_input);
    CHECK(error("- 1\n- 2").code == Errc::invalid_input);
    CHECK(error(config_with("{server: 'ftp://h'}", "{}")).message.contains("ftp"));
    CHECK(error(config_with("{}", "{}")).message.contains("server"));
    CHECK(
        error(config_with("{server: 'https://h', certificate-authority-data: '%%'}", "{}")).message.contains("base64"));
    CHECK(error(config_with("{server: 'https://h', certificate-authority: nowhere.crt}", "{}")).code ==
          Errc::not_found);
    CHECK(
        error(config_with("{server: 'https://h'}", "{client-certificate-data: YQ==}")).message.contains("go together"));
    CHECK(error(config_with("{server: 'https://h', insecure-skip-tls-verify: true, certificate-authority-data: YQ==}",
                            "{}"))
              .code == Errc::invalid_input);
    KubeconfigRules const no_files{.files_allowed = false};
    CHECK(error(config_with("{server: 'https://h', certificate-authority: /etc/passwd}", "{}"), "", no_files).code ==
          Errc::denied);
    CHECK(error(config_with("{server: 'https://h'}", "{tokenFile: /etc/passwd}"), "", no_files).code == Errc::denied);
    CHECK(error(std::string(2u << 20, '#')).code == Errc::limit);
}

TEST_CASE("in-cluster: token, CA and namespace come from the mounted folder", "[kube]") {
    test::TempDir dir;
    write(dir.path() / "ca.crt", "CA");
    write(dir.path() / "token", "t1\n");
    write(dir.path() / "namespace", "flux-system");

    auto const config = in_cluster_config("fd00::1", "443", dir.path()).value();

    CHECK(config.server.authority() == "[fd00::1]:443");
    CHECK(config.ns == "flux-system");
    TokenSource token{config.credentials};
    CHECK(token.current().value() == "t1");
    write(dir.path() / "token", "t2\n");
    CHECK(token.current().value() == "t1");  // looked at a moment ago
    token.expire();
    CHECK(token.current().value() == "t2");
    std::filesystem::remove(dir.path() / "token");
    token.expire();
    CHECK(token.current().value() == "t2");  // gone for a moment
    CHECK(in_cluster_config("", "").error().code == Errc::not_found);
}

}  // namespace holdfast::kube
