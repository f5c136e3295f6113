// tests/unit/modules/kustomize/build_test.cpp: what build() promises beside the bytes, which the goldens hold.
#include "tests/unit/modules/kustomize/memory_tree.hpp"

#include <catch2/catch.hpp>

namespace holdfast::kustomize {

TEST_CASE("kustomize: objects come one by one and as one stream", "[kustomize][build]") {
    MemoryTree const tree{{{"kustomization.yaml", "resources: [a.yaml]\nnamespace: ns\nnamePrefix: p-\n"},
                           {"a.yaml", config_map("a") + "---\n" + config_map("b")}}};

    auto const built = tree.build();

    INFO((built ? "" : built.error().message));
    REQUIRE(built);
    REQUIRE(built->objects.size() == 2);
    CHECK(built->objects[0].name == "p-a");
    CHECK(built->objects[0].ns == "ns");
    CHECK(built->objects[0].kind == "ConfigMap");
    auto const first = built->text_of(built->objects[0]), second = built->text_of(built->objects[1]);
    REQUIRE((first && second));
    CHECK(*built->text() == *first + "---\n" + *second);
    CHECK(*first == "apiVersion: v1\ndata:\n  a: b\nkind: ConfigMap\nmetadata:\n  name: p-a\n  namespace: ns\n");
}

TEST_CASE("kustomize: an object that cannot be written is not shown", "[kustomize][build]") {
    auto const text = [](std::string const& body) {
        return MemoryTree{{{"kustomization.yaml", "resources: [a.yaml]\n"},
                           {"a.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\n" + body}}}
            .text();
    };
    CHECK(text("stringData: {8080: hunter2}\n") == "Error: json: unsupported type: map[interface {}]interface {}");
    CHECK(text("stringData: {a: hunter2}\nspec: .nan\n") == "Error: json: unsupported value: NaN");
}

TEST_CASE("kustomize: deprecated fields are named in warnings", "[kustomize][build]") {
    MemoryTree const tree{{{"kustomization.yaml", "bases: [b]\ncommonLabels: {x: z}\n"},
                           {"b/kustomization.yaml", "resources: [a.yaml]\n"},
                           {"b/a.yaml", config_map("a")}}};

    auto const built = tree.build();

    INFO((built ? "" : built.error().message));
    REQUIRE(built);
    REQUIRE(built->warnings.size() == 2);
    CHECK(built->warnings[0].starts_with("# Warning: 'bases' is deprecated."));
    CHECK(built->warnings[1].starts_with("# Warning: 'commonLabels' is deprecated."));
}

TEST_CASE("kustomize: the top kustomization can be edited, and made when there is none", "[kustomize][build]") {
    MemoryTree const tree{{{"a.yaml", config_map("a")}}};
    Options options;
    options.edit_top = [](std::string_view directory, std::string_view file, std::string text) -> Result<std::string> {
        CHECK(directory == "/t");
        CHECK(file.empty());
        return text + "resources: [a.yaml]\nnameSuffix: -z\n";
    };

    CHECK(tree.text("", options).find("name: a-z") != std::string::npos);
}

TEST_CASE("kustomize: charts are rendered through the port, with merged values", "[kustomize][build]") {
    MemoryTree const tree{
        {{"kustomization.yaml",
          "namespace: shop\nhelmCharts:\n- name: web\n  releaseName: r\n  valuesInline: {b: {c: 3}}\n  additionalValuesFiles: [more.yaml]\n"},
         {"charts/web/values.yaml", "a: 1\nb: {c: 2, d: 4}\n"},
         {"more.yaml", "e: 5\n"}}};
    HelmRequest seen;
    Options options;
    options.helm = true;
    options.render_chart = [&](HelmRequest const& request) -> Result<std::string> {
        seen = request;
        return config_map("made");
    };

    auto const text = tree.text("", options);

    CHECK(seen.chart_directory == "/t/charts/web");
    CHECK(seen.release_name == "r");
    CHECK(seen.ns == "shop");
    REQUIRE(seen.values.size() == 2);
    CHECK(seen.values[0] == "a: 1\nb:\n  c: 3\n  d: 4\n");
    CHECK(seen.values[1] == "e: 5\n");
    // Helm knows the namespace; kustomize leaves what it rendered alone.
    CHECK(text == "apiVersion: v1\ndata:\n  a: b\nkind: ConfigMap\nmetadata:\n  name: made\n");
}

TEST_CASE("kustomize: charts without --enable-helm, or without an engine, fail with a clear line",
          "[kustomize][build]") {
    MemoryTree const tree{{{"kustomization.yaml", "helmCharts: [{name: web}]\n"}}};
    Options options;

    auto const off = tree.build("", options);
    options.helm = true;
    auto const without = tree.build("", options);

    CHECK(off.error().message.find("must specify --enable-helm\n  at /t/kustomization.yaml:1:14") != std::string::npos);
    CHECK(without.error().message.find("chart 'web': no helm engine in this program\n  at ") != std::string::npos);
}

TEST_CASE("kustomize: programs and the network are refused by name", "[kustomize][build]") {
    Options options;
    options.alpha_plugins = true;
    MemoryTree const plugin{{{"kustomization.yaml", "transformers: [f.yaml]\nresources: [a.yaml]\n"},
                             {"a.yaml", config_map("a")},
                             {"f.yaml", "apiVersion: example.com/v1\nkind: Fetcher\nmetadata: {name: f}\n"}}};
    MemoryTree const remote{{{"kustomization.yaml", "resources: [\"github.com/a/b?ref=v1\"]\n"}}};

    auto const refused = plugin.build("", options);
    auto const not_fetched = remote.build();

    CHECK(refused.error().code == Errc::denied);
    CHECK(refused.error().message == "plugin 'Fetcher' is an exec or container function: programs are never run\n"
                                     "  at /t/kustomization.yaml:1:1");
    CHECK(not_fetched.error().code == Errc::denied);
    CHECK(not_fetched.error().message.find("remote 'github.com/a/b?ref=v1' is not fetched: no network in a render") !=
          std::string::npos);
}

TEST_CASE("kustomize: an image name that is no expression is an error, not a crash", "[kustomize][build]") {
    MemoryTree const tree{{{"kustomization.yaml", "resources: [a.yaml]\nimages: [{name: \"[invalid\", newTag: x}]\n"},
                           {"a.yaml", config_map("a")}}};

    auto const built = tree.build();

    REQUIRE_FALSE(built);
    CHECK(built.error().code == Errc::invalid_input);
    CHECK(built.error().message.find("image name '[invalid' is no regular expression") != std::string::npos);
}

TEST_CASE("kustomize: an error ends in the places it comes from", "[kustomize][build]") {
    // Method: one broken tree a row; what follows the first line is compared.
    struct Row {
        char const* name;
        std::map<std::string, std::string> files;
        char const* places;
    };
    for (auto const& [name, files, places] : {
             Row{"a resource",
                 {{"kustomization.yaml", "resources:\n- a.yaml\n"}, {"a.yaml", config_map("a") + "---\nb: c: d\n"}},
                 "  at /t/a.yaml:6:5\n  at /t/kustomization.yaml:2:3"},
             Row{"a missing resource of a base",
                 {{"kustomization.yaml", "resources: [b]\n"},
                  {"b/kustomization.yaml", "namePrefix: x\nresources: [c, d]\n"},
                  {"b/c/kustomization.yaml", "nameSuffix: -z\n"}},
                 "  at /t/b/kustomization.yaml:2:16"},
             Row{"an unknown field",
                 {{"kustomization.yaml", "namePrefix: a\nresource: []\n"}},
                 "  at /t/kustomization.yaml:2:1"},
             Row{"a wrong type",
                 {{"kustomization.yaml", "replicas:\n- name: a\n  count: many\n"}},
                 "  at /t/kustomization.yaml:3:3"},
             Row{"a broken kustomization",
                 {{"kustomization.yaml", "resources: [a\n"}},
                 "  at /t/kustomization.yaml:2:1"},
             Row{"a broken kustomization of a base",
                 {{"kustomization.yaml", "resources: [b]\n"}, {"b/kustomization.yaml", "a: b: c\n"}},
                 "  at /t/b/kustomization.yaml:1:5"},
             Row{"a patch that matches nothing",
                 {{"kustomization.yaml", "resources: [a.yaml]\npatches:\n- path: one.yaml\n- path: two.yaml\n"},
                  {"a.yaml", config_map("a")},
                  {"one.yaml", config_map("a")},
                  {"two.yaml", config_map("b")}},
                 "  at /t/kustomization.yaml:4:3"},
             Row{"a broken patch",
                 {{"kustomization.yaml", "patches:\n- path: p.yaml\n"}, {"p.yaml", "a:\n\t- b\n"}},
                 "  at /t/p.yaml:2:1\n  at /t/kustomization.yaml:2:3"},
             Row{"broken operations",
                 {{"kustomization.yaml", "patchesJson6902:\n- target: {kind: A, name: b}\n  path: p.yaml\n"},
                  {"p.yaml", "- op: [\n"}},
                 "  at /t/p.yaml:2:1\n  at /t/kustomization.yaml:2:3"},
             Row{"a broken configuration",
                 {{"kustomization.yaml", "configurations: [c.yaml]\n"}, {"c.yaml", "images: {\n"}},
                 "  at /t/c.yaml:2:1\n  at /t/kustomization.yaml:1:18"},
             Row{"a broken plugin",
                 {{"kustomization.yaml", "transformers:\n- p.yaml\n"}, {"p.yaml", "a: [\n"}},
                 "  at /t/p.yaml:2:1\n  at /t/kustomization.yaml:2:3"},
             Row{"a generator",
                 {{"kustomization.yaml", "secretGenerator:\n- name: a\n- name: b\n  files: [gone]\n"}},
                 "  at /t/kustomization.yaml:3:3"},
             Row{"an image",
                 {{"kustomization.yaml", "resources: [a.yaml]\nimages: [{name: a}, {name: '('}]\n"},
                  {"a.yaml", config_map("a")}},
                 "  at /t/kustomization.yaml:2:21"},
             Row{"a component",
                 {{"kustomization.yaml", "components:\n- c\n"},
                  {"c/kustomization.yaml", "kind: Component\nnamePrefix: 1\n"}},
                 "  at /t/c/kustomization.yaml:2:1"},
         }) {
        INFO(name);
        auto const built = MemoryTree{files}.build();
        CHECK_FALSE(built);
        if (built) continue;
        auto const& message = built.error().message;
        auto const at = message.find("\n  at ");
        CHECK((at == std::string::npos ? "" : message.substr(at + 1)) == places);
    }
}

TEST_CASE("kustomize: a build that fails hands over its warnings", "[kustomize][build]") {
    MemoryTree const tree{{{"kustomization.yaml", "bases: [b]\n"}}};
    std::vector<std::string> warnings;
    Options options;
    options.failed_warnings = &warnings;

    CHECK_FALSE(tree.build("", options));

    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].starts_with("# Warning: 'bases' is deprecated."));
}

}  // namespace holdfast::kustomize
