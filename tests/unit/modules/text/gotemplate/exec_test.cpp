#include "modules/text/gotemplate/node.hpp"
#include "tests/unit/modules/text/gotemplate/support.hpp"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::gotemplate;
using test::render;

// Goal: Helm cuts its messages out of the chain that errors.Unwrap walks in Go.
TEST_CASE("gotemplate: a failure inside two includes keeps every level of its chain", "[text][gotemplate]") {
    auto const rendered =
        render(R"({{define "a"}}{{include "b" .}}{{end}}{{define "b"}}{{fail "boom"}}{{end}}{{include "a" .}})");

    auto const& chain = rendered.error.chain;
    REQUIRE(chain.size() == 4);
    CHECK(chain[0] == rendered.error.error.message);
    CHECK(chain[0] ==
          R"(template: t:1:76: executing "t" at <include "a" .>: error calling include: )" + std::string{chain[1]});
    CHECK(chain[1] ==
          R"(template: t:1:16: executing "a" at <include "b" .>: error calling include: )" + std::string{chain[2]});
    CHECK(chain[2] == R"(template: t:1:54: executing "b" at <fail "boom">: error calling fail: boom)");
    CHECK(chain[3] == "boom");
}

TEST_CASE("gotemplate: a failure of the engine itself is a chain of one", "[text][gotemplate]") {
    auto const rendered = render("{{.a.b}}", Value::nil());
    CHECK(rendered.error.error.message.empty());

    auto data = Value::map();
    data.set("a", Value::nil());
    auto const failed = render("{{.a.b}}", data);
    CHECK(failed.error.chain ==
          std::vector<std::string_view>{
              R"(template: t:1:4: executing "t" at <.a.b>: nil pointer evaluating interface {}.b)"});
}

TEST_CASE("gotemplate: what tpl defines is seen inside it and gone after it", "[text][gotemplate]") {
    CHECK(
        render(
            R"({{define "x"}}outer{{end}}{{tpl "{{define \"x\"}}inner{{end}}{{include \"x\" .}}" .}} {{include "x" .}})")
            .out == "inner outer");
    CHECK(
        render(
            R"({{define "y"}}{{include "x" .}}{{end}}{{define "x"}}outer{{end}}{{tpl "{{define \"x\"}}inner{{end}}{{include \"y\" .}}" .}})")
            .out == "inner");
}

TEST_CASE("gotemplate: a later definition replaces an earlier one unless it is blank", "[text][gotemplate]") {
    FuncMap const none;
    TemplateSet set{none};
    REQUIRE(set.parse("one", R"({{define "x"}}1{{end}})"));
    REQUIRE(set.parse("two", R"({{define "x"}}2{{end}})"));
    REQUIRE(set.parse("three", R"({{define "x"}} {{/* nothing */}} {{end}})"));
    Executor executor{set, MissingKey::zero, {}};

    std::string out;
    CHECK(executor.execute("x", Value::nil(), out));
    CHECK(out == "2");
    CHECK_FALSE(executor.execute("nope", Value::nil(), out));
    CHECK(executor.error().error.message == R"(template: no template "nope" associated with template "gotpl")");
}

namespace {

Function const* answer_method(std::string_view name) {
    static Function const answer = make_function(
        "Answer", "int -> int", [](Call& call) -> Result<Value> { return Value::integer(call.integer(0) + 40); });
    return name == "Answer" ? &answer : nullptr;
}
Type const kThing{
    .kind = Kind::pointer, .name = "*host.Thing", .kind_name = "ptr", .named = true, .method = answer_method};

class Thing final : public Object {
public:
    Thing() : Object(kThing) {}
    std::optional<Value> field(std::string_view name) const override {
        if (name == "Name") return Value::string("thing");
        return std::nullopt;
    }
    std::vector<std::pair<std::string_view, Value>> fields() const override {
        return {{"Name", Value::string("thing")}, {"Size", Value::integer(3)}};
    }
};

}  // namespace

TEST_CASE("gotemplate: a host object has fields, methods and Go's errors", "[text][gotemplate]") {
    auto data = Value::map();
    data.set("t", Value::object(new Thing));

    CHECK(render("{{.t.Name}}", data).out == "thing");
    CHECK(render("{{.t.Answer 2}}", data).out == "42");
    CHECK(render("{{2 | .t.Answer}}", data).out == "42");
    CHECK(render("{{.t}} {{printf \"%v %+v\" .t .t}}", data).out == "{thing 3} &{thing 3} &{Name:thing Size:3}");
    CHECK(render("{{.t.Answer}}", data).error.error.message ==
          R"(template: t:1:4: executing "t" at <.t.Answer>: wrong number of args for Answer: want 1 got 0)");
    CHECK(render("{{.t.Nope}}", data).error.error.message ==
          R"(template: t:1:4: executing "t" at <.t.Nope>: can't evaluate field Nope in type interface {})");
    CHECK(render("{{.t.Name 1}}", data).error.error.message ==
          R"(template: t:1:4: executing "t" at <.t.Name>: Name has arguments but cannot be invoked as function)");
    CHECK(render("{{typeOf .t}} {{kindOf .t}}", data).out == "*host.Thing ptr");
}

TEST_CASE("gotemplate: a map of a named type passes for a plain one, but dig insists", "[text][gotemplate]") {
    static Type const values{
        .kind = Kind::map, .name = "common.Values", .kind_name = "map", .elem = &types::any, .named = true};
    auto data = Value::map();
    auto inner = Value::map(values);
    inner.set("a", Value::integer(1));
    data.set("v", inner);

    CHECK(render("{{get .v \"a\"}} {{typeOf .v}}", data).out == "1 common.Values");
    CHECK(render("{{dig \"a\" 0 .v}}", data)
              .error.error.message.ends_with(
                  "interface conversion: interface {} is common.Values, not map[string]interface {}"));
}
