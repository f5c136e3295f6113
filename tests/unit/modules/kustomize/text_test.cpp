// tests/unit/modules/kustomize/text_test.cpp: ids and messages as Go prints them; encoding/json's errors.
#include "modules/kustomize/blame.hpp"
#include "modules/kustomize/decode.hpp"
#include "modules/kustomize/text.hpp"

#include <catch2/catch.hpp>

namespace holdfast::kustomize {

TEST_CASE("kustomize: text is quoted and listed as fmt does", "[kustomize][text]") {
    CHECK(go_quote("a\"b\\c\nd\te\x01") == "\"a\\\"b\\\\c\\nd\\te\\x01\"");
    CHECK(go_list({"a", "b"}) == "[a b]");
    CHECK(go_list({}) == "[]");
    CHECK(trim_space(" \t a b\n") == "a b");
}

TEST_CASE("kustomize: ids compare by effective namespace and print with placeholders", "[kustomize][text]") {
    ResId const none{{"apps", "v1", "Deployment"}, "web", ""}, named{{"apps", "v1", "Deployment"}, "web", "default"};
    ResId const cluster{{"", "v1", "Node", true}, "n", "ignored"};

    CHECK(none.same(named));
    CHECK_FALSE(none.identical(named));
    CHECK(none.hash() == named.hash());
    CHECK(cluster.effective_namespace() == "_non_namespaceable_");
    CHECK(none.str() == "Deployment.v1.apps/web.[noNs]");
    CHECK(ResId{}.str() == "[noKind].[noVer].[noGrp]/[noName].[noNs]");
    CHECK(Gvk{"apps", "v1", "Deployment"}.without_empty() == "apps_v1_Deployment");
}

TEST_CASE("kustomize: the first mistake of a kustomization is named as encoding/json does", "[kustomize][text]") {
    struct Row {
        char const *text, *message;
    };
    for (auto const& [text, message] :
         {Row{"namePrefix: 1",
              "json: cannot unmarshal number into Go struct field Kustomization.namePrefix of type string"},
          Row{"foo: 1\nbar: 2", "json: unknown field \"bar\""},
          Row{"resources: a",
              "json: cannot unmarshal string into Go struct field Kustomization.resources of type []string"},
          Row{"patches: [{target: {name: 1}}]",
              "json: cannot unmarshal number into Go struct field Selector.patches.target.ResId.name of type string"},
          Row{"replicas: [{count: 1.5}]",
              "json: cannot unmarshal number 1.5 into Go struct field Replica.replicas.count of type int64"}}) {
        INFO(text);
        CHECK(decode_kustomization(text, "/t").error().message == std::string{"invalid Kustomization: "} + message);
    }
}

TEST_CASE("kustomize: keys match whatever their case, and null is nothing", "[kustomize][text]") {
    auto const read = decode_kustomization("NAMEPREFIX: a\nresources: ~\nKind: Kustomization\n", "/t");
    REQUIRE(read);
    CHECK(read->name_prefix == "a");
    CHECK(read->resources.empty());
}

TEST_CASE("kustomize: places are named from where the user stands", "[kustomize][text]") {
    Blame blame;
    blame.note_kustomization("/repo/base/kustomization.yaml", {3, 5});
    CHECK(blame.told("/repo/clusters/pay", "clusters/pay") == "\n  at base/kustomization.yaml:3:5");
    CHECK(blame.told("/repo/base", ".") == "\n  at kustomization.yaml:3:5");
    CHECK(blame.told("/elsewhere", "/elsewhere") == "\n  at /repo/base/kustomization.yaml:3:5");
}

}  // namespace holdfast::kustomize
