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

class SomeClock final : public gotemplate::Clock {
public:
    std::chrono::system_clock::time_point now() override {
        return std::chrono::system_clock::from_time_t(1'700'000'000);
    }
};

Error failure_of(std::vector<Entry> const& entries, std::string_view values = "{}",
                 helm::RenderOptions const& options = {}) {
    helm::Engine engine;
    SomeRandom random;
    SomeClock clock;
    auto const chart = helm::load_archive(make_tgz(entries));
    if (!chart) return chart.error();
    auto const rendered =
        engine.render(**chart, *helm::read_yaml_map(values), options, {.random = &random, .clock = &clock});
    REQUIRE_FALSE(rendered);
    return rendered.error();
}

helm::RenderOptions with_little_time() {
    helm::RenderOptions options;
    options.budget.slow_time_max = std::chrono::milliseconds{50};
    return options;
}

Error failure_of(std::string_view text) { return failure_of(small_chart(text), "{}", with_little_time()); }

Result<helm::Rendered> render(std::string_view text, helm::RenderOptions const& options = {}) {
    helm::Engine engine;
    SomeRandom random;
    SomeClock clock;
    auto const chart = helm::load_archive(make_tgz(small_chart(text)));
    REQUIRE(chart);
    return engine.render(**chart, *helm::read_yaml_map("{}"), options, {.random = &random, .clock = &clock});
}

}  // namespace

TEST_CASE("helm hostile: include of itself stops at 1,000 as in Helm", "[helm][hostile]") {
    auto const error = failure_of(R"({{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }})");
    CHECK(error.message.find("rendering template has a nested reference name: a: unable to execute template") !=
          std::string::npos);
}

TEST_CASE("helm hostile: loops, texts and functions hit the budget", "[helm][hostile]") {
    CHECK(failure_of("{{ range 100000 }}{{ range 100000 }}{{ end }}{{ end }}").code == Errc::limit);
    CHECK(failure_of("{{ range until 5000 }}{{ range until 5000 }}{{ . }}{{ end }}{{ end }}").code == Errc::limit);
    CHECK(failure_of("{{ $x := \"xxxxxxxxxxxxxxxx\" }}{{ range 60 }}{{ $x = print $x $x }}{{ end }}{{ $x }}").code ==
          Errc::limit);
    CHECK(failure_of("{{ repeat 1000000000 \"x\" }}").code == Errc::limit);
    CHECK(failure_of("{{ until 1000000000 | len }}").code == Errc::limit);
    CHECK(failure_of("{{ range 10000 }}{{ genPrivateKey \"rsa\" | trunc 1 }}{{ end }}").code == Errc::limit);
    CHECK(failure_of("{{ range 100000 }}{{ bcrypt \"x\" | trunc 1 }}{{ end }}").code == Errc::limit);
    CHECK(failure_of("{{ printf \"%1000000000d\" 1 }}").code != Errc::offline);
}

TEST_CASE("helm hostile: keys, ciphers and conversions are charged by what they cost", "[helm][hostile]") {
    auto const bomb = GENERATE(
        as<std::string>{}, R"({{ range 100000 }}{{ genPrivateKey "ecdsa" | trunc 1 }}{{ end }})",
        R"({{ range 100000 }}{{ (genCA "a" 10).Cert | trunc 1 }}{{ end }})",
        R"({{ range 100000 }}{{ (genSelfSignedCert "a" nil nil 10).Cert | trunc 1 }}{{ end }})",
        R"({{ $k := genPrivateKey "ecdsa" }}{{ range 100000 }}{{ (genCAWithKey "a" 10 $k).Cert | trunc 1 }}{{ end }})",
        R"({{ $c := genCA "x" 1 }}{{ range 100000 }}{{ (buildCustomCert ($c.Cert | b64enc) ($c.Key | b64enc)).Cert | trunc 1 }}{{ end }})",
        R"({{ range 100000 }}{{ htpasswd "x" "y" | trunc 1 }}{{ end }})",
        R"({{ range 100000 }}{{ derivePassword 1 "long" "a" "b" "c" | trunc 1 }}{{ end }})",
        R"({{ $s := repeat 1000000 "x" }}{{ range 100000 }}{{ encryptAES "k" $s | trunc 1 }}{{ end }})",
        R"({{ $s := repeat 1000000 "x" }}{{ range 100000 }}{{ sha512sum $s | trunc 1 }}{{ end }})",
        R"({{ $l := until 10000 }}{{ range 100000 }}{{ toYaml $l | trunc 1 }}{{ end }})",
        R"({{ $l := until 10000 }}{{ range 100000 }}{{ toToml (dict "a" $l) | trunc 1 }}{{ end }})",
        R"({{ range 100000 }}{{ toToml ($.Files.GetBytes "f") | trunc 1 }}{{ end }})",
        R"({{ range 100000 }}{{ toYamlPretty $.Files | trunc 1 }}{{ end }})",
        R"({{ $l := list 1 }}{{ range 100 }}{{ $l = list $l $l }}{{ end }}{{ toYaml $l }})",
        R"({{ $l := list 1 }}{{ range 100 }}{{ $l = list $l $l }}{{ end }}{{ toYamlPretty $l }})",
        R"({{ $l := list 1 }}{{ range 100 }}{{ $l = list $l $l }}{{ end }}{{ toToml (dict "a" $l) }})",
        R"({{ $s := toYaml (until 10000) }}{{ range 100000 }}{{ fromYamlArray $s | len }}{{ end }})",
        R"({{ range $i, $_ := until 100000 }}{{ tpl (printf "%s%d" (repeat 1000 "{{ 1 }}") $i) $ | trunc 1 }}{{ end }})");
    INFO(bomb);
    auto options = with_little_time();
    options.budget.steps_max = 1'000'000;

    auto entries = small_chart(bomb);
    entries.push_back({.name = "c/f", .data = std::string(200'000, 'x')});

    CHECK(failure_of(entries, "{}", options).code == Errc::limit);
}

TEST_CASE("helm hostile: keys cost time and no steps", "[helm][hostile]") {
    helm::RenderOptions options;
    options.budget.steps_max = 1'000;
    auto const rendered = render(R"(a: {{ genPrivateKey "rsa" | quote }}{{ range 6 }}
b{{ . }}: {{ (genSelfSignedCert "a" nil nil 10).Cert | quote }}{{ end }}
c: {{ htpasswd "a" "b" }}
d: {{ derivePassword 1 "long" "a" "b" "c" | quote }})",
                                 options);

    if (!rendered) FAIL(rendered.error().message);
}

TEST_CASE("helm hostile: five certificates of an authority, made again for the checksum of each deployment", "[helm]") {
    auto const rendered = render(R"({{ define "tls" }}{{ $ca := genCA "harbor-internal-ca" 365 }}
{{- range list "core" "jobservice" "registry" "portal" "trivy" }}
{{ . }}: {{ (genSignedCert . nil (list .) 365 $ca).Cert | b64enc }}{{ end }}{{ end -}}
tls: {{ include "tls" . | quote }}{{ range 7 }}
sum{{ . }}: {{ include "tls" $ | sha256sum }}{{ end }})");

    if (!rendered) FAIL(rendered.error().message);
}

TEST_CASE("helm hostile: a second key needs some of the time left", "[helm][hostile]") {
    auto options = with_little_time();
    options.budget.slow_time_max = std::chrono::nanoseconds{1};

    CHECK(render(R"(a: {{ genPrivateKey "ecdsa" | quote }})", options));
    auto const failed = render(R"(a: {{ range 2 }}{{ genPrivateKey "ecdsa" | quote }}{{ end }})", options);

    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == Errc::limit);
    CHECK(failed.error().message.find("keys and password hashes took more than 1e-09 s of CPU time") !=
          std::string::npos);
}

TEST_CASE("helm hostile: tpl inside of tpl, and templates that call each other", "[helm][hostile]") {
    CHECK(
        failure_of(
            R"({{ define "a" }}{{ template "b" . }}{{ end }}{{ define "b" }}{{ template "a" . }}{{ end }}{{ template "a" . }})")
            .code == Errc::limit);
    CHECK(failure_of(small_chart(R"({{ tpl .Values.t . }})"), R"({t: '{{ tpl .Values.t . }}'})").code == Errc::limit);
}

TEST_CASE("helm hostile: nothing but bytes gets into .Files", "[helm][hostile]") {
    auto const assign = [](std::string const& type) {
        return "reflect.Value.SetMapIndex: value of type " + type + " is not assignable to type []uint8";
    };
    auto const [text, wanted] = GENERATE_COPY(table<std::string, std::string>({
        {R"({{ merge (dict "f" .Files) (dict "f" (dict "zz" 12345)) }})", assign("interface {}")},
        {R"({{ mustMerge (dict "f" .Files) (dict "f" (dict "zz" now)) }})", assign("interface {}")},
        {R"({{ merge (dict "f" .Files) (dict "f" (dict "zz" (list 1 2))) }})", assign("[]interface {}")},
        {R"({{ mergeOverwrite (dict "f" .Files) (dict "f" (dict "f.txt" true)) }})", assign("interface {}")},
        {R"({{ mergeOverwrite (dict "f" .Files) (dict "f" (dict "f.txt" "text")) }})", assign("interface {}")},
        {R"({{ mergeOverwrite (dict "f" .Files) (dict "f" (dict "f.txt" nil)) }})", assign("interface {}")},
        {R"({{ mergeOverwrite (dict "f" .Files) (dict "f" (split "," "a,b")) }})", assign("string")},
        {R"({{ mergeOverwrite (dict "f" .Files) (dict "f" (dict "f.txt" (dict "a" 1))) }})", assign("interface {}")},
        {R"({{ mergeOverwrite (dict "f" (split "," "a")) (dict "f" (dict "_0" 1)) }})",
         "reflect.Value.SetMapIndex: value of type interface {} is not assignable to type string"},
        {R"({{ set .Files "a" 1 }})", "wrong type for value; expected map[string]interface {}; got engine.files"},
    }));
    INFO(text);
    auto entries = small_chart(text);
    entries.push_back({.name = "c/f.txt", .data = "bytes"});

    CHECK(failure_of(entries).message.ends_with(wanted));
}

TEST_CASE("helm hostile: copies of files and texts are charged", "[helm][hostile]") {
    auto const text = GENERATE(
        as<std::string>{}, R"({{ range 1000000 }}{{ $_ := $.Files.Get "f.txt" }}{{ end }})",
        R"({{ range 1000000 }}{{ $_ := $.Files.GetBytes "f.txt" }}{{ end }})",
        R"({{ range 1000000 }}{{ $_ := $.Files.Lines "f.txt" }}{{ end }})",
        R"({{ range 1000000 }}{{ $_ := $.Files.AsConfig }}{{ end }})",
        R"({{ range 1000000 }}{{ $_ := $.Values.YAML }}{{ end }})",
        R"({{ $s := .Files.Get "f.txt" }}{{ range 10 }}{{ $s = print $s }}{{ end }}{{ $l := list $s $s $s $s $s $s $s $s }}{{ $l = list $l $l $l $l $l $l $l $l }}{{ $l = list $l $l $l $l $l $l $l $l }}{{ toYaml (list $l $l $l $l $l $l $l $l) | len }})");
    INFO(text);
    auto entries = small_chart(text, "big: " + std::string(1'000'000, 'v') + "\n");
    entries.push_back({.name = "c/f.txt", .data = std::string(1'000'000, 'x')});

    CHECK(failure_of(entries).code == Errc::limit);
}

TEST_CASE("helm hostile: bytes that are merged into .Files are files", "[helm][hostile]") {
    CHECK(render(R"({{ $_ := mergeOverwrite (dict "f" .Files) (dict "f" .Files) }}a: {{ len .Files }})"));
    auto entries = small_chart(
        R"(a: {{ $_ := mergeOverwrite (dict "f" .Files) (dict "f" (dict "f.txt" (.Files.GetBytes "g.txt"))) }}{{ .Files.Get "f.txt" }}{{ fail (.Files.Get "f.txt") }})");
    entries.push_back({.name = "c/f.txt", .data = "first"});
    entries.push_back({.name = "c/g.txt", .data = "second"});
    CHECK(failure_of(entries).message.find("second") != std::string::npos);
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
    CHECK(helm::set_values(std::string(100'000, '['), helm::SetKind::typed,
                           values));  // an index without end is dropped, as in Helm
    std::string nested = "a";
    for (int i = 0; i < 5'000; ++i) nested += "[0]";
    CHECK(helm::set_values(nested + "=1", helm::SetKind::typed, values).error().code == Errc::limit);
}
