// tests/unit/modules/helm/hostile_test.cpp: charts that want too much: a clear error within a bounded time.
#include "modules/helm/helm.hpp"
#include "modules/helm/strvals.hpp"
#include "modules/helm/typed.hpp"
#include "tests/unit/modules/helm/tar_maker.hpp"

#include <catch2/catch.hpp>

#include <chrono>

using namespace holdfast;
using namespace holdfast::helm::testing;
using gotemplate::Value;

namespace {

class SomeRandom : public gotemplate::Random {
public:
    void fill(std::span<std::byte> out) override {
        for (auto& byte : out) byte = static_cast<std::byte>((state_ = state_ * 6364136223846793005u + 1) >> 33);
    }

private:
    std::uint64_t state_ = 1;
};

Error failure_of(std::vector<Entry> const& entries, std::string_view values = "{}") {
    helm::Engine engine;
    SomeRandom random;
    auto const chart = helm::load_archive(make_tgz(entries));
    if (!chart) return chart.error();
    auto const start = std::chrono::steady_clock::now();
    auto const rendered = engine.render(**chart, *helm::read_yaml_map(values), {}, {.random = &random});
    auto const spent = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
    WARN(spent.count() << " ms");
    REQUIRE_FALSE(rendered);
    return rendered.error();
}

Error failure_of(std::string_view text) { return failure_of(small_chart(text)); }

}  // namespace

TEST_CASE("helm hostile: include of itself stops at 1,000 as in Helm", "[helm][hostile]") {
    auto const error = failure_of(R"({{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }})");
    CHECK(error.message.find("rendering template has a nested reference name: a: unable to execute template") != std::string::npos);
}

TEST_CASE("helm hostile: loops, texts and functions hit the budget", "[helm][hostile]") {
    CHECK(failure_of("{{ range 100000 }}{{ range 100000 }}{{ end }}{{ end }}").code == Errc::limit);
    CHECK(failure_of("{{ range until 5000 }}{{ range until 5000 }}{{ . }}{{ end }}{{ end }}").code == Errc::limit);
    CHECK(failure_of("{{ $x := \"xxxxxxxxxxxxxxxx\" }}{{ range 60 }}{{ $x = print $x $x }}{{ end }}{{ $x }}").code == Errc::limit);
    CHECK(failure_of("{{ repeat 1000000000 \"x\" }}").code == Errc::limit);
    CHECK(failure_of("{{ until 1000000000 | len }}").code == Errc::limit);
    CHECK(failure_of("{{ range 10000 }}{{ genPrivateKey \"rsa\" | trunc 1 }}{{ end }}").code == Errc::limit);
    CHECK(failure_of("{{ range 100000 }}{{ bcrypt \"x\" | trunc 1 }}{{ end }}").code == Errc::limit);
    CHECK(failure_of("{{ printf \"%1000000000d\" 1 }}").code != Errc::offline);
}

TEST_CASE("helm hostile: tpl inside of tpl, and templates that call each other", "[helm][hostile]") {
    CHECK(failure_of(R"({{ define "a" }}{{ template "b" . }}{{ end }}{{ define "b" }}{{ template "a" . }}{{ end }}{{ template "a" . }})").code == Errc::limit);
    CHECK(failure_of(small_chart(R"({{ tpl .Values.t . }})"), R"({t: '{{ tpl .Values.t . }}'})").code == Errc::limit);
}

TEST_CASE("helm hostile: schemas of cycles", "[helm][hostile]") {
    auto entries = small_chart("a: 1\n");
    entries.push_back({.name = "c/values.schema.json", .data = R"({"allOf":[{"$ref":"#"}]})"});
    CHECK(failure_of(entries).message.find("causing reference cycle") != std::string::npos);
}

TEST_CASE("helm hostile: YAML that expands", "[helm][hostile]") {
    std::string values = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 12; ++i) {
        values += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
        for (int k = 0; k < 9; ++k) values += (k == 0 ? "*a" : ", *a") + std::to_string(i - 1);
        values += "]\n";
    }
    CHECK_FALSE(helm::load_archive(make_tgz(small_chart("a: 1\n", values))));
    CHECK_FALSE(helm::load_archive(make_tgz(small_chart("a: 1\n", std::string(20'000, '[')))));
}

TEST_CASE("helm hostile: --set cannot make lists without end", "[helm][hostile]") {
    Value values = Value::map();
    CHECK(helm::set_values("a[99999999]=1", helm::SetKind::typed, values).error().message ==
          "index of 99999999 is greater than maximum supported index of 65536");
    std::string line;
    for (int i = 0; i < 40; ++i) line += "a" + std::to_string(i) + "[65536]=1,";
    CHECK(helm::set_values(line, helm::SetKind::typed, values).error().code == Errc::limit);
    CHECK(helm::set_values(std::string(100'000, '['), helm::SetKind::typed, values));  // an index without end is dropped, as in Helm
    std::string nested = "a";
    for (int i = 0; i < 5'000; ++i) nested += "[0]";
    CHECK(helm::set_values(nested + "=1", helm::SetKind::typed, values).error().code == Errc::limit);
}
