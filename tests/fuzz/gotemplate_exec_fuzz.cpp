// Executes arbitrary bytes as a template over fixed data with all of sprig but its crypto: never a crash, always an end.
#include "modules/text/gotemplate/json.hpp"
#include "modules/text/gotemplate/sprig.hpp"
#include "modules/text/gotemplate/template.hpp"

#include <cstdint>

using namespace holdfast::gotemplate;

// A template may put a map into itself; such a map is never freed (value.hpp).
extern "C" char const* __asan_default_options() { return "detect_leaks=0"; }

namespace {

class Counter final : public Random {
public:
    void fill(std::span<std::byte> out) override {
        for (auto& byte : out) byte = static_cast<std::byte>(next_++);
    }

private:
    unsigned next_ = 0;
};

class Epoch final : public Clock {
public:
    std::chrono::system_clock::time_point now() override { return {}; }
};

constexpr char kData[] =
    R"({"s":"hello World","e":"","n":3,"f":1.5,"b":true,"nil":null,"l":["b","a","c"],"mix":[1,"two",null,{"k":"v"},[1,2]],)"
    R"("m":{"x":1,"y":"why","nest":{"deep":{"er":"yes"}}},"em":{},"el":[],"u":"h\u00e9llo \u2603"})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    static FuncMap const funcs = [] {
        FuncMap made;
        add_sprig(made);
        return made;
    }();
    static Counter random;
    static Epoch clock;
    TemplateSet set{funcs};
    if (!set.parse("t", {reinterpret_cast<char const*>(data), size})) return 0;
    Budget const budget{.steps_max = 20'000, .output_bytes_max = 1u << 20, .stack_bytes_max = 2u << 20};
    for (auto const missing : {MissingKey::zero, MissingKey::error}) {
        Executor executor{set, missing, Ports{&random, &clock, nullptr}, budget};
        std::string out;
        executor.execute("t", from_json(kData).value(), out);
    }
    return 0;
}
