// tests/unit/modules/helm/yaml_pretty_test.cpp: the bounds of toYamlPretty; its texts are held to Helm in tests/golden/helm.
#include "modules/base/limits.hpp"
#include "modules/helm/yaml_pretty.hpp"

#include <catch2/catch.hpp>

using namespace holdfast;
using gotemplate::Value;

namespace {

Value nested_lists(std::size_t depth) {
    auto list = Value::integer(1);
    for (std::size_t i = 0; i < depth; ++i) {
        std::vector<Value> items;
        items.push_back(std::move(list));
        list = Value::list(std::move(items));
    }
    return list;
}

}  // namespace

TEST_CASE("helm toYamlPretty: values nest to the limit and no deeper", "[helm][hostile]") {
    CHECK(helm::to_yaml_pretty(nested_lists(limits::kYamlDepthMax)));
    CHECK(helm::to_yaml_pretty(nested_lists(limits::kYamlDepthMax + 1)).error().code == Errc::limit);
    CHECK(helm::to_yaml_pretty(nested_lists(300'000)).error().code == Errc::limit);

    auto itself = Value::map();
    itself.set("a", itself);
    CHECK(helm::to_yaml_pretty(itself).error().code == Errc::limit);
    itself.erase("a");
}

TEST_CASE("helm toYamlPretty: bytes become many lines, and that is bounded", "[helm][hostile]") {
    CHECK(helm::to_yaml_pretty(Value::bytes("ab")).value() == "- 97\n- 98");
    CHECK(helm::to_yaml_pretty(Value::bytes(std::string(64u << 20, 'x'))).error().code == Errc::limit);
}
