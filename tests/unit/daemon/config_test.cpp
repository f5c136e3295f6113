// tests/unit/daemon/config_test.cpp: every default is a legal value, and a wrong file is refused by line.
#include "daemon/config.hpp"
#include "tests/support/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <fstream>

namespace holdfast::daemon {

namespace {

Result<Config> load(std::string const& text) {
    test::TempDir directory;
    auto const file = directory / "holdfast.yaml";
    std::ofstream{file} << text;
    return load_config(file);
}

std::string refusal(std::string const& text) {
    auto const config = load(text);
    REQUIRE_FALSE(config);
    CHECK(config.error().code == Errc::invalid_input);
    return config.error().message;
}

}  // namespace

TEST_CASE("config: the printed defaults read back as the defaults", "[daemon][config]") {
    std::string const defaults = print_config(default_config());

    auto const commented = load(commented_defaults());
    auto const bare = load(defaults);
    auto const nothing = load("");

    REQUIRE(commented);
    REQUIRE(bare);
    REQUIRE(nothing);
    CHECK(print_config(*commented) == defaults);
    CHECK(print_config(*bare) == defaults);
    CHECK(print_config(*nothing) == defaults);
}

TEST_CASE("config: the defaults are what the table says", "[daemon][config]") {
    Config const config = default_config();

    CHECK(config.state_dir == "/var/lib/holdfast");
    CHECK(config.memory_bytes_max == 128 << 20);
    CHECK(config.disk_bytes_max == std::int64_t{2} << 30);
    CHECK(config.render_cpu_max == std::chrono::seconds{20});
    CHECK(config.render_jobs_max == 2);
    CHECK(config.log_format == "json");
    REQUIRE(config.status_listen);
    CHECK(config.status_listen->text() == "127.0.0.1:9750");
    CHECK_FALSE(config.uplink_enabled);
}

TEST_CASE("config: every key of the reference is one that can be set", "[daemon][config]") {
    std::string const reference = config_reference();
    std::size_t rows = 0;
    for (std::size_t at = reference.find("\n| `"); at != std::string::npos; at = reference.find("\n| `", at + 1)) {
        std::string const key = reference.substr(at + 4, reference.find('`', at + 4) - at - 4);
        auto const dot = key.find('.');
        std::string const group = key.substr(0, dot);
        // A value of no possible type: the refusal must be about the value, not about the key.
        std::string const text =
            dot == std::string::npos ? key + ": [[]]\n" : group + ":\n  " + key.substr(dot + 1) + ": [[]]\n";
        auto const message = refusal(text);
        INFO(message);
        CHECK(message.starts_with("holdfast.yaml:" + std::string{dot == std::string::npos ? "1" : "2"} + ": " + key +
                                  ": must be"));
        ++rows;
    }
    CHECK(rows >= 36);
}

TEST_CASE("config: what is set is read, the rest keeps its default", "[daemon][config]") {
    auto const config = load(
        "site: shop-17\nlimits:\n  memory: 64MiB\n  render_time: 1m30s\n  passes: 3\nlog:\n  areas: {uplink: debug}\nuplink:\n  enabled: true\n");

    REQUIRE(config);
    CHECK(config->site_name == "shop-17");
    CHECK(config->memory_bytes_max == 64 << 20);
    CHECK(config->render_wall_max == std::chrono::seconds{90});
    CHECK(config->passes_max == 3);
    CHECK(config->log_areas.at("uplink") == "debug");
    CHECK(config->uplink_enabled);
    CHECK(config->fetches_max == 4);
}

TEST_CASE("config: a wrong file is refused naming file, line and key", "[daemon][config]") {
    CHECK(refusal("site: a\nmemory: 64MiB\n") ==
          "holdfast.yaml:2: memory: unknown key, did you mean limits.memory? (see `holdfast config print`)");
    CHECK(refusal("limits:\n  memroy: 64MiB\n") ==
          "holdfast.yaml:2: limits.memroy: unknown key, did you mean limits.memory? (see `holdfast config print`)");
    CHECK(refusal("qwertyuiop: 1\n") == "holdfast.yaml:1: qwertyuiop: unknown key (see `holdfast config print`)");
    CHECK(refusal("logs:\n  level: debug\n") ==
          "holdfast.yaml:1: logs: unknown key, did you mean log? (see `holdfast config print`)");
    CHECK(refusal("limits: 3\n") == "holdfast.yaml:1: limits: must be a map");
    CHECK(refusal("\ninstall_crds: yes\n") == "holdfast.yaml:2: install_crds: must be true or false");
    CHECK(refusal("limits:\n  passes: many\n") == "holdfast.yaml:2: limits.passes: must be a whole number");
    CHECK(refusal("limits:\n  passes: 2.5\n") == "holdfast.yaml:2: limits.passes: must be a whole number");
    CHECK(refusal("limits:\n  passes: 0\n") == "holdfast.yaml:2: limits.passes: must be between 1 and 256");
    CHECK(refusal("limits:\n  passes: 257\n") == "holdfast.yaml:2: limits.passes: must be between 1 and 256");
    CHECK(refusal("limits:\n  memory: 63MiB\n") == "holdfast.yaml:2: limits.memory: must be between 64MiB and 64GiB");
    CHECK(refusal("limits:\n  memory: 64MB\n") ==
          "holdfast.yaml:2: limits.memory: is no size such as 64MiB (units: KiB, MiB, GiB)");
    CHECK(refusal("limits:\n  render_cpu: 2h\n") ==
          "holdfast.yaml:2: limits.render_cpu: must be between 1s and 1h0m0s");
    CHECK(refusal("limits:\n  render_cpu: 20\n") ==
          "holdfast.yaml:2: limits.render_cpu: must be a duration such as 30s");
    CHECK(refusal("log:\n  level: loud\n") == "holdfast.yaml:2: log.level: must be one of debug, info, warning, error");
    CHECK(refusal("log:\n  areas: {uplink: loud}\n") ==
          "holdfast.yaml:2: log.areas: level must be one of debug, info, warning, error");
    CHECK(refusal("site: [a]\n") == "holdfast.yaml:1: site: must be text");
    CHECK(refusal("- a\n") == "holdfast.yaml:1: must be a map of settings");
    CHECK(refusal("site: a\nsite: b\n") == "holdfast.yaml:2: site: is set twice");
    CHECK(refusal("site: [a\n").starts_with("holdfast.yaml:"));
}

TEST_CASE("config: everything that is wrong is said at once, in the order of the file", "[daemon][config]") {
    CHECK(
        refusal("state_dir: 3\nlimits:\n  memory: 1MiB\n  passes: 2\n  memroy: 1\nmemory: 3\nlog:\n  level: loud\n") ==
        "holdfast.yaml:1: state_dir: must be text: write \"3\" with its quotes if that is meant\n"
        "holdfast.yaml:3: limits.memory: must be between 64MiB and 64GiB\n"
        "holdfast.yaml:5: limits.memroy: unknown key, did you mean limits.memory? (see `holdfast config print`)\n"
        "holdfast.yaml:6: memory: unknown key, did you mean limits.memory? (see `holdfast config print`)\n"
        "holdfast.yaml:8: log.level: must be one of debug, info, warning, error");
}

TEST_CASE("config: a value is of its type as it is written, not as it could be read", "[daemon][config]") {
    for (std::string const bare : {"3", "-1", "+1.5", "1e3", "true", "False", "yes", "off"}) {
        INFO(bare);
        CHECK(
            refusal("site: " + bare + "\n").starts_with("holdfast.yaml:1: site: must be text: write \"" + bare + "\""));
        auto const quoted = load("site: \"" + bare + "\"\n");
        REQUIRE(quoted);
        CHECK(quoted->site_name == bare);
    }
    for (std::string const text : {"shop-17", "17-shop", "1.2.3", "10.0.0.1", "trueish", "+", "0x1F", "''"}) {
        INFO(text);
        CHECK(load("site: " + text + "\n"));
    }
    CHECK(refusal("limits:\n  passes: \"3\"\n") == "holdfast.yaml:2: limits.passes: must be a whole number");
    CHECK(refusal("limits:\n  passes: 0x3\n") == "holdfast.yaml:2: limits.passes: must be a whole number");
    CHECK(refusal("limits:\n  passes: 99999999999999999999\n") ==
          "holdfast.yaml:2: limits.passes: must be between 1 and 256");
    CHECK(refusal("install_crds: \"true\"\n") == "holdfast.yaml:1: install_crds: must be true or false");
    CHECK(refusal("state_dir: \"\"\n") == "holdfast.yaml:1: state_dir: must not be empty");
}

TEST_CASE("config: the status endpoint listens on loopback and nowhere else", "[daemon][config]") {
    for (std::string const good : {"127.0.0.1:9750", "127.0.0.1:0", "127.9.9.9:65535", "[::1]:1"}) {
        auto const config = load("status:\n  listen: \"" + good + "\"\n");
        INFO(good);
        REQUIRE(config);
        REQUIRE(config->status_listen);
        CHECK(config->status_listen->text() == good);
    }
    auto const none = load("status:\n  listen: \"\"\n");
    REQUIRE(none);
    CHECK_FALSE(none->status_listen);
    for (std::string const bad :
         {"0.0.0.0:9750", ":abc", ":9750", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:-1", "127.0.0.1:1x",
          "localhost:9750", "10.0.0.1:9750", "[::]:1", "::1:9750", "[::1", "[fe80::1]:1", "[::ffff:127.0.0.1]:1",
          "128.0.0.1:1", "127.0.0.1:99999", "127.0.0.1:65536"}) {
        INFO(bad);
        CHECK(refusal("status:\n  listen: \"" + bad + "\"\n").starts_with("holdfast.yaml:2: status.listen: "));
    }
    CHECK(refusal("status:\n  listen: \"127.0.0.1:65536\"\n") ==
          "holdfast.yaml:2: status.listen: the port must be 65535 at most");
}

TEST_CASE("config: networks are a list of ranges, printed as they are read", "[daemon][config]") {
    auto const config = load("network: {allow: [10.1.2.3/8, \"::1\", 'fd00::/8']}\n");

    REQUIRE(config);
    CHECK(print_config(*config).contains("network:\n  allow: [\"10.0.0.0/8\", \"::1/128\", \"fd00::/8\"]\n"));
    CHECK(default_config().networks_allowed.empty());
    CHECK(refusal("network:\n  allow: 10.0.0.0/8\n") ==
          "holdfast.yaml:2: network.allow: must be a list of networks such as [10.0.0.0/8]");
    CHECK(
        refusal("network: {allow: [localhost]}\n") ==
        "holdfast.yaml:1: network.allow: must be a list of networks: \"localhost\" is no network such as 10.0.0.0/8 or fd00::/8");
    CHECK(refusal("network: {allow: [[10.0.0.0/8]]}\n").contains("is no network"));
    CHECK(refusal("network: {allow: [10.0.0.0/99]}\n").contains("is no network"));
}

TEST_CASE("config: a size that is no size is refused, however large", "[daemon][config]") {
    for (std::string const text : {"inf", "nan", "-1MiB", "1e300", "1e15GiB", "MiB", "''"}) {
        auto const message = refusal("limits:\n  memory: " + text + "\n");
        INFO(message);
        CHECK(message.starts_with("holdfast.yaml:2: limits.memory: "));
    }
}

TEST_CASE("config: a file that is not there is not found", "[daemon][config]") {
    auto const config = load_config("/nonexistent/holdfast.yaml");

    REQUIRE_FALSE(config);
    CHECK(config.error().code == Errc::not_found);
}

TEST_CASE("config: what a tenant is held to is set by Flux's names and Microsoft's", "[daemon][config]") {
    auto const config = load("mode: azure\nno_cross_namespace_refs: true\nno_remote_bases: true\n"
                             "default_service_account: a\ndefault_decryption_service_account: b\n"
                             "default_kubeconfig_service_account: c\n"
                             "watch_label_selector: sharding.fluxcd.io/key in (one, two), !canary\n"
                             "multiTenancy:\n  enforce: false\n");

    REQUIRE(config);
    CHECK(config->mode == "azure");
    CHECK(config->no_cross_namespace_refs);
    CHECK(config->no_remote_bases);
    CHECK(config->default_service_account == "a");
    CHECK(config->default_decryption_service_account == "b");
    CHECK(config->default_kubeconfig_service_account == "c");
    CHECK(config->watch_label_selector == "sharding.fluxcd.io/key in (one, two), !canary");
    CHECK_FALSE(config->multi_tenancy);
    auto const again = load(print_config(*config));
    REQUIRE(again);
    CHECK(print_config(*again) == print_config(*config));
}

TEST_CASE("config: a mode or a selector that says nothing is refused", "[daemon][config]") {
    CHECK(refusal("mode: open\n") == "holdfast.yaml:1: mode: must be one of auto, flux, azure");
    CHECK(refusal("watch_label_selector: a=b=c\n")
              .starts_with("holdfast.yaml:1: watch_label_selector: must be a label selector: "));
    CHECK(refusal("multiTenancy: false\n") == "holdfast.yaml:1: multiTenancy: must be a map");
    CHECK(default_config().mode == "auto");
    CHECK(default_config().multi_tenancy);
}

}  // namespace holdfast::daemon
