// tests/unit/modules/model/fields_test.cpp: no field of a wish is ever ignored.
#include "modules/model/fields.hpp"
#include "modules/model/kinds.hpp"
#include "modules/model/kinds/git_repository.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

#include <functional>

namespace holdfast::model {

namespace {

/// What is wrong with an object that is read this way.
std::string problem_of(std::string_view text, std::function<void(Fields&)> const& read) {
    json::object const object = json::parse(text).as_object();
    Reading reading;
    {
        Fields fields{&object, "spec", reading};
        read(fields);
    }
    return reading.problem();
}

std::string problem_of(Kind kind, std::string const& spec) {
    auto const read = read_spec(kind, json::parse(R"({"metadata":{"namespace":"a"},"spec":)" + spec + "}").as_object());
    return read ? "" : read.error().message;
}

constexpr std::string_view kUnknown = ": is not known to this version of Holdfast";
constexpr std::string_view kRefused = ": is not supported by this version of Holdfast";

std::string unknown(std::string_view path) { return std::string{path} + std::string{kUnknown}; }
std::string refused(std::string_view path) { return std::string{path} + std::string{kRefused}; }

}  // namespace

TEST_CASE("fields: what nobody asked for is named, at every depth, whatever its value", "[model]") {
    auto const read = [](Fields& fields) {
        fields.text("known");
        {
            Fields child = fields.child("child");
            child.flag("inner", false);
        }
        if (auto const* list = fields.list("list")) {
            for (std::size_t i = 0; i < list->size(); ++i) fields.element("list", *list, i).text("name");
        }
    };

    CHECK(problem_of(R"({"known":"a","child":{"inner":true},"list":[{"name":"a"}]})", read).empty());
    CHECK(problem_of(R"({"other":"a"})", read) == unknown("spec.other"));
    CHECK(problem_of(R"({"other":null})", read) == unknown("spec.other"));
    CHECK(problem_of(R"({"child":{"x":1}})", read) == unknown("spec.child.x"));
    CHECK(problem_of(R"({"list":[{"name":"a"},{"name":"b","x":[]}]})", read) == unknown("spec.list[1].x"));
}

TEST_CASE("spec: serviceAccountName is a name and nothing more", "[model]") {
    auto const problem = [](std::string const& name) {
        return problem_of(Kind::kustomization, R"({"sourceRef":{"kind":"GitRepository","name":"a"},"interval":"1m",
            "prune":true,"serviceAccountName":")" + name +
                                                   "\"}");
    };

    for (std::string const name : {"", "a", "deployer-2.eu", "system.masters"}) CHECK(problem(name).empty());
    for (std::string const name : {"kube-system:admin", "a b", "../admin", "Admin",
                                   "a\\r\\nImpersonate-Group: system:masters", "\\u0000", "ä"}) {
        CHECK(problem(name) == "spec.serviceAccountName: must be the name of a ServiceAccount of the same namespace");
    }
    CHECK(problem(std::string(253, 'a')).empty());
    CHECK_FALSE(problem(std::string(254, 'a')).empty());
}

TEST_CASE("fields: a value of another type is named, null is absent", "[model]") {
    auto const read = [](Fields& fields) {
        fields.text("text");
        fields.flag("flag", false);
        fields.duration("duration", Duration{});
        fields.texts("texts");
        fields.list_of_texts("names");
        { Fields child = fields.child("child"); }
        if (auto const* list = fields.list("list")) fields.element("list", *list, 0);
    };

    CHECK(problem_of(R"({"text":null,"flag":null,"duration":null,"texts":null,"names":null,"child":null,"list":null})",
                     read)
              .empty());
    CHECK(problem_of(R"({"text":7})", read) == "spec.text: must be a string");
    CHECK(problem_of(R"({"flag":"true"})", read) == "spec.flag: must be true or false");
    CHECK(problem_of(R"({"duration":60})", read) == "spec.duration: must be a string");
    CHECK(problem_of(R"({"duration":"soon"})", read) == "spec.duration: time: invalid duration \"soon\"");
    CHECK(problem_of(R"({"texts":["a"]})", read) == "spec.texts: must be an object");
    CHECK(problem_of(R"({"texts":{"a":1}})", read) == "spec.texts.a: must be a string");
    CHECK(problem_of(R"({"names":"a"})", read) == "spec.names: must be a list");
    CHECK(problem_of(R"({"names":["a",1]})", read) == "spec.names: must be a list of names");
    CHECK(problem_of(R"({"child":[]})", read) == "spec.child: must be an object");
    CHECK(problem_of(R"({"list":{}})", read) == "spec.list: must be a list");
    CHECK(problem_of(R"({"list":["a"]})", read) == "spec.list[0]: must be an object");
}

TEST_CASE("fields: a refused field passes only without a wish", "[model]") {
    auto const read = [](Fields& fields) { fields.refuse("later"); };

    for (auto const* value : {"null", "false", "\"\"", "[]", "{}"}) {
        CHECK(problem_of(std::string{R"({"later":)"} + value + "}", read).empty());
    }
    for (auto const* value : {"true", "\"a\"", "[null]", R"({"a":null})", "0", "1"}) {
        CHECK(problem_of(std::string{R"({"later":)"} + value + "}", read) == refused("spec.later"));
    }
}

TEST_CASE("fields: the first thing that is wrong is told", "[model]") {
    CHECK(problem_of(R"({"a":1,"b":1})", [](Fields& fields) {
              fields.text("b");
              fields.text("a");
          }) == "spec.b: must be a string");
}

TEST_CASE("spec: a commit is the same in capital letters, and a word stays as it is", "[model]") {
    auto const commit = [](std::string const& text) {
        auto const object = json::parse(
            R"({"metadata":{"namespace":"a"},"spec":{"url":"u","interval":"1m","ref":{"commit":")" + text + "\"}}}");
        return read_spec(Kind::git_repository, object.as_object())->as<GitRepositorySpec>().commit;
    };
    CHECK(commit("FC71ab") == "fc71ab");
    CHECK(commit("HEAD") == "HEAD");
}

TEST_CASE("spec: unknown, nested unknown and refused fields of each kind are named", "[model]") {
    CHECK(problem_of(Kind::git_repository, R"({"url":"u","interval":"1m","depth":1})") == unknown("spec.depth"));
    CHECK(problem_of(Kind::git_repository, R"({"url":"u","interval":"1m","ref":{"branch":"b","head":"x"}})") ==
          unknown("spec.ref.head"));
    CHECK(problem_of(Kind::git_repository, R"({"url":"u","interval":"1m","recurseSubmodules":true})") ==
          refused("spec.recurseSubmodules"));
    CHECK(problem_of(Kind::git_repository, R"({"url":"u","interval":"1m","recurseSubmodules":false})").empty());
    CHECK(problem_of(Kind::git_repository, R"({"url":"u"})") == "spec.interval: is required");
    CHECK(problem_of(Kind::git_repository, R"({"interval":"1m"})") == "spec.url: is required");
    CHECK(
        problem_of(Kind::kustomization, R"({"interval":"1m","sourceRef":{"kind":"GitRepository","name":"r","x":1}})") ==
        unknown("spec.sourceRef.x"));
    CHECK(
        problem_of(
            Kind::kustomization,
            R"({"interval":"1m","sourceRef":{"kind":"GitRepository","name":"r"},"postBuild":{"substitute":{"a":"b"}}})") ==
        refused("spec.postBuild"));
    CHECK(
        problem_of(
            Kind::kustomization,
            R"({"interval":"1m","sourceRef":{"kind":"GitRepository","name":"r"},"dependsOn":[{"name":"a","readyExpr":"true"}]})") ==
        refused("spec.dependsOn[0].readyExpr"));
    for (std::string const wrong : {R"({})", R"({"secretRef":{"name":"a"},"configMapRef":{"name":"a"}})"}) {
        CHECK(problem_of(Kind::kustomization,
                         R"({"interval":"1m","sourceRef":{"kind":"GitRepository","name":"r"},"kubeConfig":)" + wrong +
                             "}") ==
              "spec.kubeConfig.secretRef: exactly one of secretRef and configMapRef must be given");
    }
    CHECK(
        problem_of(
            Kind::kustomization,
            R"({"interval":"1m","sourceRef":{"kind":"GitRepository","name":"r"},"kubeConfig":{"secretRef":{"key":"a"}}})") ==
        "spec.kubeConfig.secretRef.name: is required");
    CHECK(
        problem_of(Kind::flux_config, R"({"gitRepository":{"url":"u"},"kustomizations":[{"name":"a","paths":"b"}]})") ==
        unknown("spec.kustomizations[0].paths"));
    CHECK(problem_of(Kind::flux_config, R"({"gitRepository":{"url":"u"},"softDelete":true})") ==
          refused("spec.softDelete"));
    CHECK(problem_of(Kind::flux_config, R"({"bucket":{}})") != "");
}

TEST_CASE("spec: two entries of a FluxConfig are never the same object", "[model]") {
    CHECK(problem_of(Kind::flux_config,
                     R"({"gitRepository":{"url":"u"},"kustomizations":[{"name":"a"},{"name":"a"}]})") ==
          "spec.kustomizations[1].name: \"a\" is the name of another entry");
}

TEST_CASE("spec: a FluxConfig's reference may stand under either name, but not say two things", "[model]") {
    auto const with = [](std::string const& refs) { return R"({"gitRepository":{"url":"u",)" + refs + "}}"; };

    CHECK(problem_of(Kind::flux_config, with(R"("ref":{"branch":"b"})")).empty());
    CHECK(problem_of(Kind::flux_config, with(R"("repositoryRef":{"branch":"b"})")).empty());
    CHECK(problem_of(Kind::flux_config, with(R"("ref":{"branch":"b"},"repositoryRef":{"branch":"b"})")).empty());
    CHECK(problem_of(Kind::flux_config, with(R"("ref":{"branch":"b"},"repositoryRef":{"branch":"c"})")) ==
          "spec.gitRepository.repositoryRef: says something else than ref");
    CHECK(problem_of(Kind::flux_config, with(R"("repositoryRef":{"bransch":"c"})")) ==
          unknown("spec.gitRepository.repositoryRef.bransch"));
}

TEST_CASE("kinds: a kind is found by its name, and an object by its kind and version", "[model]") {
    for (KindInfo const& row : kKinds) {
        CHECK(kind_named(row.name) == row.kind);
        CHECK(kind_of({{"apiVersion", row.api_version}, {"kind", row.name}}) == row.kind);
        CHECK_FALSE(kind_of({{"apiVersion", std::string{row.group} + "/v0"}, {"kind", row.name}}));
    }
    CHECK_FALSE(kind_named("Secret"));
    CHECK_FALSE(kind_of({{"apiVersion", 7}, {"kind", json::array{}}}));
}

}  // namespace holdfast::model
