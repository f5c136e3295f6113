// Goal: no template runs away, whatever it asks for (reliability.md R-15, R-16).
// Method: each bomb ends with `limit`; one that were not charged would run into the timeout of the test.
#include "tests/unit/modules/text/gotemplate/support.hpp"

#include <catch2/catch.hpp>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/lsan_interface.h>
#define HOLDFAST_HAS_LSAN
#endif
#endif

using namespace holdfast::gotemplate;
using holdfast::Errc;
using test::render;

namespace {

/// A map that contains itself is never freed (value.hpp): the process ends with the render.
struct MayLeak {
#ifdef HOLDFAST_HAS_LSAN
    MayLeak() { __lsan_disable(); }
    ~MayLeak() { __lsan_enable(); }
#endif
};

}  // namespace

TEST_CASE("gotemplate: every bomb ends in a limit", "[text][gotemplate]") {
    auto const bomb = GENERATE(
        as<std::string>{}, R"({{range 1000000000}}{{end}})", R"({{range until 1000000000}}{{end}})",
        R"({{range untilStep 0 9223372036854775807 1}}{{end}})", R"({{seq 1 1000000000}})",
        R"({{repeat 1000000000 "x"}})", R"({{repeat 9223372036854775807 "xy"}})", R"({{indent 1000000000 "x"}})",
        R"({{repeat 60000000 "x" | indent 1 | repeat 100}})",
        R"({{$s := "x"}}{{range 100}}{{$s = printf "%s%s" $s $s}}{{end}})",
        R"({{$s := "x"}}{{range 100}}{{$s = replace "x" "xxxxxxxxxx" $s}}{{end}})",
        R"({{$s := "x"}}{{range 100}}{{$s = regexReplaceAll "x" $s "xxxxxxxxxx"}}{{end}})",
        R"({{$l := list 1}}{{range 100}}{{$l = concat $l $l}}{{end}})",
        R"({{$l := list 1}}{{range 100}}{{$l = list $l $l}}{{end}}{{$l}})",
        R"({{$l := list 1}}{{range 100}}{{$l = list $l $l}}{{end}}{{toJson $l}})",
        R"({{$l := list 1}}{{range 100}}{{$l = list $l $l}}{{end}}{{deepCopy $l}})",
        R"({{$d := dict}}{{range $i := until 100}}{{$_ := set $d "a" (dict "l" $d "r" $d)}}{{end}}{{deepCopy $d}})",
        R"({{$d := dict}}{{$_ := set $d "self" $d}}{{$d}})", R"({{$d := dict}}{{$_ := set $d "self" $d}}{{toJson $d}})",
        R"({{define "r"}}{{template "r" .}}{{end}}{{template "r" .}})",
        R"({{define "r"}}{{include "r" .}}{{end}}{{include "r" .}})",
        R"({{define "r"}}x{{include "r" .}}{{include "r" .}}{{end}}{{include "r" .}})",
        R"({{$t := "{{ tpl . . }}"}}{{tpl $t $t}})",
        R"({{range 100000}}{{range 100000}}{{"xxxxxxxxxx"}}{{end}}{{end}})",
        R"({{printf "%1000000d%1000000d" 1 2 | repeat 50}})", R"({{range 200}}{{printf "%1000000d" 1}}{{end}})",
        R"({{regexReplaceAll (printf "(%s){1000}" (repeat 6 "\\pL\\pN")) "a" ""}})",
        R"({{$l := until 100000}}{{uniq $l}})", R"({{wrapWith 1 (repeat 100000 "x") (repeat 100000 "y")}})",
        R"({{join (repeat 100000 "x") (until 100000)}})", R"({{randAlphaNum 1000000000}})",
        R"({{range 1000}}{{shuffle (repeat 10000000 "x")}}{{end}})",
        R"({{$d := dict}}{{range $i := until 1000000}}{{$_ := set $d (toString $i) $i}}{{end}}{{range 100000}}{{keys $d}}{{end}})",
        R"({{$x := 1}}{{range 100000}}{{$x = list $x}}{{end}}{{$x}})",
        R"({{mulf 1e300 1e300 1e300 | print}}{{$s := repeat 5000 "9" }}{{range 1000000}}{{divf 1e300 1e-300}}{{end}})");
    INFO(bomb);
    [[maybe_unused]] MayLeak const may_leak;

    auto const rendered = render(bomb);

    CHECK_FALSE(rendered.error.error.message.empty());
    CHECK(rendered.error.error.code == Errc::limit);
}

TEST_CASE("gotemplate: work on long texts is charged by their length", "[text][gotemplate]") {
    auto const bomb =
        GENERATE(as<std::string>{}, R"({{$s := repeat 300000 "a b"}}{{range 1000000}}{{title $s | trunc 1}}{{end}})",
                 R"({{$s := repeat 300000 "a b"}}{{range 1000000}}{{snakecase $s | trunc 1}}{{end}})",
                 R"({{$s := repeat 300000 "a b"}}{{range 1000000}}{{quote $s | len}}{{end}})",
                 R"({{$s := repeat 300000 "a b"}}{{range 1000000}}{{splitList " " $s | len}}{{end}})",
                 R"({{$s := repeat 300000 "a b"}}{{range 1000000}}{{contains "b b" $s}}{{end}})",
                 R"({{$s := repeat 300000 "a b"}}{{range 1000000}}{{eq $s $s}}{{end}})",
                 R"({{$s := repeat 300000 "a b"}}{{range 1000000}}{{lower $s | len}}{{end}})",
                 R"({{$s := repeat 300000 "a b"}}{{range 1000000}}{{b64enc $s | len}}{{end}})",
                 R"({{$s := repeat 300000 "a b"}}{{range 1000000}}{{adler32sum $s | len}}{{end}})",
                 R"({{$s := repeat 100000 "9"}}{{range 1000000}}{{int $s}}{{float64 $s}}{{end}})",
                 R"({{range 1000000}}{{urlParse (repeat 10000 "a") | len}}{{end}})",
                 R"({{$l := until 10000}}{{range 1000000}}{{sortAlpha $l | len}}{{end}})",
                 R"({{range 1000000}}{{randAlphaNum 100000 | trunc 1}}{{end}})",
                 R"({{range 1000000}}{{regexMatch (printf "((a{1,100}){1,10}){1,%d}" .) "a"}}{{end}})",
                 R"({{range 1000000}}{{regexMatch (printf "(x{1,500}){1,2}a%d" .) "a"}}{{end}})",
                 R"({{$s := repeat 300000 "aaa"}}{{range 1000000}}{{regexMatch "(a|a)*(a|aa)*b$" $s}}{{end}})");
    INFO(bomb);

    auto const rendered = render(bomb, Value::nil(), {.steps_max = 1'000'000});

    CHECK(rendered.error.error.code == Errc::limit);
    CHECK_FALSE(rendered.error.error.message.empty());
}

TEST_CASE("gotemplate: what Go answers at once costs a small part of the budget", "[text][gotemplate]") {
    std::string wide;
    for (int i = 0; i < 60'000; ++i) wide += " \"k" + std::to_string(i) + "\"";
    auto const [text, wanted] = GENERATE_COPY(table<std::string, std::string>({
        {R"({{$a := list 1}}{{$b := list 1}}{{range 60}}{{$a = list $a $a}}{{$b = list $b $b}}{{end}}{{deepEqual $a $b}} )"
         R"({{has $a (list $b)}} {{without (list $a 2) $b}} {{uniq (list $a $b) | len}})",
         "true true [2] 1"},
        {R"({{$a := dict}}{{$b := dict}}{{range 60}}{{$a = dict "x" $a "y" $a}}{{$b = dict "x" $b "y" $b}}{{end}})"
         R"({{deepEqual $a $b}})",
         "true"},
        {R"({{trimAll (print (repeat 1000000 "b") "a") (repeat 1000000 "a")}})", ""},
        {R"({{trimAll (print (repeat 100000 "ä") "ö") (repeat 100000 "ö")}})", ""},
        {R"({{contains (print (repeat 1000000 "a") "b") (repeat 4000000 "a")}})", "false"},
        {R"({{replace (print (repeat 1000000 "a") "b") "" (repeat 4000000 "a") | len}})", "4000000"},
        {R"({{splitList (print (repeat 1000000 "a") "b") (repeat 4000000 "a") | len}})", "1"},
        {R"({{split (print (repeat 1000000 "a") "b") (repeat 4000000 "a") | len}})", "1"},
        {R"({{splitn (print (repeat 1000000 "a") "b") 3 (repeat 4000000 "a") | len}})", "1"},
        {R"({{regexFindAll "[a-z]+" (repeat 300000 "ab ") -1 | len}})", "300000"},
        {R"({{regexReplaceAll "(a)b" (repeat 300000 "ab ") "${1}c" | len}})", "900000"},
        {R"({{$m := dict}}{{range $i := until 60000}}{{$_ := set $m (print "k" $i) $i}}{{end}}{{omit $m)" + wide +
             "| len}}",
         "0"},
    }));
    INFO(text.substr(0, 200));

    auto const rendered = render(text);

    CHECK(rendered.error.error.message == "");
    CHECK(rendered.out == wanted);
    CHECK(rendered.steps < 5'000'000);
}

TEST_CASE("gotemplate: comparing, searching and copying are charged by what they look at", "[text][gotemplate]") {
    std::string variables;
    for (int i = 0; i < 60'000; ++i) variables += "{{$v" + std::to_string(i) + ":=1}}";
    auto const text = GENERATE_COPY(
        as<std::string>{},
        R"({{$l := until 100000}}{{without $l )" +
            [] {
                std::string words;
                for (int i = 0; i < 20'000; ++i) words += "-1 ";
                return words;
            }() +
            "| len}}",
        R"({{$l := until 100000}}{{range 10000}}{{$_ := has -1 $l}}{{end}})",
        R"({{define "x"}})" + std::string(1'000'000, 'x') + R"({{end}}{{range 100000}}{{$_ := include "x" .}}{{end}})",
        R"({{$l := until 100000}}{{define "l"}}{{.}}{{end}}{{range 100000}}{{$_ := include "l" $l}}{{end}})",
        R"({{$l := until 100000}}{{range 100000}}{{$_ := slice $l 0}}{{end}})",
        R"({{$d := dict}}{{range $i := until 100000}}{{$_ := set $d (toString $i) $i}}{{end}})"
        R"({{range 100000}}{{range $d}}{{break}}{{end}}{{end}})",
        R"({{define "f"}}{{if .}}{{include "f" (sub . 1)}}{{else}}{{fail (repeat 6000000 "a")}}{{end}}{{end}})"
        R"({{include "f" 900}})",
        R"({{regexFindAll "a(.*b)?" (repeat 3000000 "a") -1 | len}})",
        R"({{regexReplaceAll "a(.*b)?" (repeat 3000000 "a") "x" | len}})",
        R"({{regexMatch "(?s:.){0,900}(?s:.){0,900}(?s:.){0,900}x" (repeat 3000000 "a")}})",
        variables + "{{range 100000}}{{$v0 = 2}}{{end}}", variables + "{{range 100000}}{{$_ := $v0}}{{end}}");
    INFO(text.substr(0, 200));

    CHECK(render(text).error.error.code == Errc::limit);
}

TEST_CASE("gotemplate: many pieces of one text, or one text many times, are charged before they are made",
          "[text][gotemplate]") {
    auto const text = GENERATE(
        as<std::string>{}, R"({{splitList "" (repeat 60000000 "a") | len}})",
        R"({{splitList "a" (repeat 60000000 "a") | len}})", R"({{split "a" (repeat 60000000 "a") | len}})",
        R"({{$s := repeat 60000000 "a"}}{{join "" (list $s $s $s $s $s $s $s $s)}})",
        R"({{$s := repeat 60000000 "a"}}{{toStrings (list $s $s $s $s $s $s $s $s)}})",
        R"({{$s := repeat 60000000 "a"}}{{sortAlpha (list $s $s $s $s $s $s $s $s)}})",
        R"({{$s := repeat 60000000 "a"}}{{cat $s $s $s $s $s $s $s $s}})",
        R"({{$s := repeat 60000000 "a"}}{{quote $s $s $s $s $s $s $s $s}})",
        R"({{indent 1099511627776 (repeat 16777215 "\n")}})", R"({{nindent 1099511627776 (repeat 16777215 "\n")}})");
    INFO(text);

    CHECK(render(text).error.error.code == Errc::limit);
}

TEST_CASE("gotemplate: a padded byte of a file is the last one that is made", "[text][gotemplate]") {
    auto const bytes = Value::bytes(std::string(4'000'000, 'x'));
    auto const text = GENERATE(as<std::string>{}, R"({{printf "%.100000d" .}})", R"({{printf "%100000d" .}})",
                               R"({{printf "%#+100000v" .}})", R"({{printf "%100000o" .}})");
    INFO(text);

    CHECK(render(text, bytes).error.error.code == Errc::limit);
}

TEST_CASE("gotemplate: a step budget is counted over all includes of one executor", "[text][gotemplate]") {
    auto const text = R"({{define "a"}}{{range 10}}{{.}}{{end}}{{end}}{{range 10}}{{include "a" .}}{{end}})";
    auto const used = render(text).steps;

    CHECK(used > 200);
    CHECK(render(text, Value::nil(), {.steps_max = used}).error.error.message.empty());
    CHECK(render(text, Value::nil(), {.steps_max = used - 1}).error.error.code == Errc::limit);
}

TEST_CASE("gotemplate: an output one byte over the limit is refused", "[text][gotemplate]") {
    CHECK(render("{{repeat 100 \"x\"}}", Value::nil(), {.output_bytes_max = 100}).error.error.message.empty());
    CHECK(render("{{repeat 100 \"x\"}}y", Value::nil(), {.output_bytes_max = 100}).error.error.code == Errc::limit);
    CHECK(render("{{repeat 101 \"x\"}}", Value::nil(), {.output_bytes_max = 100}).error.error.code == Errc::limit);
}

TEST_CASE("gotemplate: templates nest as deep as the limit and no deeper", "[text][gotemplate]") {
    auto const text = R"({{define "r"}}{{if gt . 0}}{{template "r" (sub . 1)}}{{end}}{{end}}{{template "r" 90}})";

    CHECK(render(text, Value::nil(), {.template_depth_max = 100}).error.error.message.empty());
    auto const refused = render(text, Value::nil(), {.template_depth_max = 50}).error;
    CHECK(refused.error.code == Errc::limit);
    CHECK(refused.error.message.find("exceeded maximum template depth (50)") != std::string::npos);
}

TEST_CASE("gotemplate: parentheses and control structures nested too deep are refused while parsing",
          "[text][gotemplate]") {
    std::string parens = "{{", blocks;
    for (int i = 0; i < 20'000; ++i) parens += "(";
    for (int i = 0; i < 20'000; ++i) blocks += "{{if 1}}";

    CHECK(render(parens).error.error.message == "template: t:1: max expression depth exceeded");
    CHECK(render(blocks).error.error.code == Errc::limit);
}
