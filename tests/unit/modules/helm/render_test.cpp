// tests/unit/modules/helm/render_test.cpp: the engine as a library: ports, hooks, cache, values left alone.
#include "modules/helm/helm.hpp"
#include "modules/helm/output.hpp"
#include "modules/helm/system_ports.hpp"
#include "modules/helm/typed.hpp"
#include "tests/unit/modules/helm/tar_maker.hpp"

#include <catch2/catch.hpp>

#include <array>

using namespace holdfast;
using namespace holdfast::helm::testing;
using gotemplate::Value;

namespace {

class CountingRandom : public gotemplate::Random {
public:
    void fill(std::span<std::byte> out) override {
        for (auto& byte : out) byte = static_cast<std::byte>(next_++);
    }

private:
    unsigned next_ = 0;
};

class FixedClock : public gotemplate::Clock {
public:
    std::chrono::system_clock::time_point now() override {
        return std::chrono::system_clock::time_point{std::chrono::seconds{1'700'000'000}};
    }
};

class OneSecret : public helm::Lookup {
public:
    Result<Value> find(std::string_view api_version, std::string_view kind, std::string_view namespace_name,
                       std::string_view name) override {
        if (kind == "Broken") return fail(Errc::denied, "secrets is forbidden");
        if (name != "there") return Value::map();
        return *helm::read_yaml_map("{apiVersion: " + std::string{api_version} +
                                    ", data: {k: " + std::string{namespace_name} + "}}");
    }
};

struct Fixture {
    CountingRandom random;
    FixedClock clock;
    OneSecret secrets;
    helm::Engine engine;

    helm::Ports ports() { return {.random = &random, .clock = &clock, .zones = nullptr, .lookup = &secrets}; }

    Result<helm::Rendered> render(std::string_view text, std::string_view values = "{}") {
        auto const chart = helm::load_archive(make_tgz(small_chart(text)));
        REQUIRE(chart);
        return engine.render(**chart, *helm::read_yaml_map(values), {}, ports());
    }

    std::string first(std::string_view text, std::string_view values = "{}") {
        auto const rendered = render(text, values);
        return rendered ? rendered->manifests.at(0).content : rendered.error().message;
    }
};

}  // namespace

TEST_CASE("helm render: lookup asks the port", "[helm]") {
    Fixture fixture;
    CHECK(fixture.first(R"(a: {{ (lookup "v1" "Secret" "ns" "there").data.k }})") == "a: ns");
    CHECK(fixture.first(R"(a: {{ lookup "v1" "Secret" "ns" "gone" | empty }})") == "a: true");
    CHECK(fixture.first(R"(a: {{ lookup "v1" "Broken" "" "" }})").find("error calling lookup: secrets is forbidden") !=
          std::string::npos);
}

TEST_CASE("helm render: randomness and time come from the ports alone", "[helm]") {
    std::string const text = R"(a: {{ randAlphaNum 12 }} {{ uuidv4 }} {{ now | date "2006-01-02T15:04:05" }})";
    Fixture one, two;
    CHECK(one.first(text) == two.first(text));
    CHECK(one.first("a: {{ now | unixEpoch }}") == "a: 1700000000");
    CHECK(one.first("a: {{ randAlphaNum 8 }}") != one.first("a: {{ randAlphaNum 8 }}"));
}

TEST_CASE("helm render: hooks carry their events, weight and policies", "[helm]") {
    Fixture fixture;
    auto const rendered = fixture.render(R"(
kind: Job
metadata:
  name: j
  annotations:
    helm.sh/hook: pre-install, POST-upgrade
    helm.sh/hook-weight: "-3"
    helm.sh/hook-delete-policy: hook-succeeded,before-hook-creation
    helm.sh/hook-output-log-policy: hook-failed
---
kind: ConfigMap
metadata: {name: m}
)");

    REQUIRE(rendered);
    REQUIRE(rendered->hooks.size() == 1);
    auto const& hook = rendered->hooks[0];
    CHECK(hook.events == std::vector<std::string>{"pre-install", "post-upgrade"});
    CHECK(hook.weight == -3);
    CHECK(hook.delete_policies == std::vector<std::string>{"hook-succeeded", "before-hook-creation"});
    CHECK(hook.output_log_policies == std::vector<std::string>{"hook-failed"});
    CHECK(rendered->manifests.at(0).name == "m");
    CHECK(rendered->manifests.at(0).kind == "ConfigMap");
}

TEST_CASE("helm render: the caller's values and the chart are not changed", "[helm]") {
    // Goal    a template that sets values changes one render only.
    Fixture fixture;
    auto const chart = helm::load_archive(make_tgz(small_chart(
        R"({{ $_ := set .Values "b" 2 }}{{ $_ := set .Values.m "x" 1 }}v: {{ toJson .Values }})", "m: {d: 1}\n")));
    REQUIRE(chart);
    auto const values = *helm::read_yaml_map("a: 1\n");

    auto const first = fixture.engine.render(**chart, values, {}, fixture.ports());
    auto const second = fixture.engine.render(**chart, values, {}, fixture.ports());

    REQUIRE(first);
    REQUIRE(second);
    CHECK(first->manifests.at(0).content == R"(v: {"a":1,"b":2,"m":{"d":1,"x":1}})");
    CHECK(second->manifests.at(0).content == first->manifests.at(0).content);
    CHECK(values.size() == 1);
    CHECK(first->values.find("b") == nullptr);
    CHECK((*chart)->compiled.size() == 1);
}

TEST_CASE("helm render: notes, stages and names", "[helm]") {
    Fixture fixture;
    auto entries = small_chart("a: 1\n");
    entries.push_back({.name = "c/templates/NOTES.txt", .data = "hello {{ .Release.Name }}\n"});
    auto const chart = helm::load_archive(make_tgz(entries));
    helm::RenderOptions options;
    options.release.name = "me";
    CHECK(fixture.engine.render(**chart, Value::map(), options, fixture.ports())->notes == "hello me\n");

    helm::RenderFailure failure;
    auto const broken = helm::load_archive(make_tgz(small_chart("a: [")));
    CHECK_FALSE(fixture.engine.render(**broken, Value::map(), {}, fixture.ports(), &failure));
    CHECK(failure.stage == helm::RenderStage::manifests);
    CHECK(failure.manifests == "---\n# Source: c/templates/a.yaml\na: [\n");

    CHECK(helm::check_release_name("a.b-c"));
    CHECK_FALSE(helm::check_release_name("-a"));
    CHECK_FALSE(helm::check_release_name("a..b"));
    CHECK(helm::parse_kube_version("1.30+")->normalized == "v1.30");
}

TEST_CASE("helm ports: a seed repeats itself, a fixed clock stands, a zone is a plain name", "[helm]") {
    helm::SeededRandom one{7}, two{7}, other{8};
    std::array<std::byte, 32> a{}, b{}, c{};
    one.fill(a);
    two.fill(b);
    other.fill(c);
    CHECK(a == b);
    CHECK(a != c);

    helm::SystemRandom system;
    std::array<std::byte, 300> large{}, again{};
    system.fill(large);
    system.fill(again);
    CHECK(large != again);

    CHECK(helm::SystemClock{5}.now().time_since_epoch() == std::chrono::seconds{5});

    helm::ZoneFiles zones;
    for (auto const* name : {"", "/etc/passwd", "../../../etc/passwd", "Europe/../../../etc/passwd", "No/Such"}) {
        INFO(name);
        CHECK_FALSE(zones.find(name));
    }
}

TEST_CASE("helm cache: a chart's second render parses nothing, whichever engine does it", "[helm]") {
    auto const chart = *helm::load_archive(
        make_tgz(small_chart(R"({{ define "n" }}{{ .Release.Name }}{{ end }}a: {{ include "n" . | upper }})")));
    auto const render = [&] {
        Fixture fixture;
        helm::RenderOptions options;
        options.release.name = "web";
        return fixture.engine.render(*chart, Value::map(), options, fixture.ports())->manifests.at(0).content;
    };

    CHECK(chart->compiled.empty());
    CHECK(render() == "a: WEB");
    auto const parsed = chart->compiled;
    CHECK(parsed.size() == chart->templates.size());

    CHECK(render() == "a: WEB");
    CHECK(chart->compiled == parsed);  // the same objects
}

TEST_CASE("helm cache: the least recently used chart goes first", "[helm]") {
    helm::ChartCache cache{100};
    auto const chart = *helm::load_archive(make_tgz(small_chart("a: 1\n")));
    cache.keep("one", chart, 40);
    cache.keep("two", chart, 40);
    CHECK(cache.find("one") == chart);
    cache.keep("three", chart, 40);
    CHECK(cache.find("two") == nullptr);
    CHECK(cache.find("one") == chart);
    cache.keep("huge", chart, 101);
    CHECK(cache.find("huge") == nullptr);
    CHECK(cache.size() == 2);
}
