// tests/golden/gotemplate/tool.cpp: a fixed clock, a seeded random source and both function maps.
#include "tests/golden/gotemplate/tool.hpp"

#include "modules/helm/sprig_crypto.hpp"
#include "modules/text/gotemplate/sprig.hpp"
#include "modules/text/gotemplate/template.hpp"

#include <cmath>

namespace holdfast::gotemplate::golden {

namespace {

class SeededRandom final : public Random {
public:
    void fill(std::span<std::byte> out) override {
        for (auto& byte : out) {
            state_ = state_ * 6'364'136'223'846'793'005u + 1'442'695'040'888'963'407u;
            byte = static_cast<std::byte>(state_ >> 56);
        }
    }

private:
    std::uint64_t state_ = 42;
};

class FixedClock final : public Clock {
public:
    std::chrono::system_clock::time_point now() override {
        return std::chrono::system_clock::from_time_t(1'700'000'000);
    }
};

Value with_ints(Value const& value) {
    if (value.kind() == Kind::floating && value.as_float() == std::trunc(value.as_float()) &&
        std::fabs(value.as_float()) < 9e15)
        return Value::integer(static_cast<std::int64_t>(value.as_float()), types::int64);
    if (value.is_map()) {
        auto made = Value::map();
        for (auto const& [key, item] : value.entries()) made.set(key, with_ints(item));
        return made;
    }
    if (!value.is_list()) return value;
    std::vector<Value> items;
    for (auto const& item : value.items()) items.push_back(with_ints(item));
    return Value::list(std::move(items));
}

FuncMap const& all_functions() {
    static FuncMap const map = [] {
        FuncMap made;
        add_sprig(made);
        helm::add_sprig_crypto(made);
        return made;
    }();
    return map;
}

}  // namespace

Answer evaluate(std::string_view text, Value const& data, std::string_view flags) {
    static FuncMap const none;
    static SeededRandom random;
    static FixedClock clock;
    auto const has = [&](char flag) { return flags.find(flag) != std::string_view::npos; };
    TemplateSet set{has('f') ? all_functions() : none};
    Answer answer;
    if (auto parsed = set.parse("t", text); !parsed) {
        answer.err = parsed.error().message;
        return answer;
    }
    auto const missing = has('s') ? MissingKey::error : has('f') ? MissingKey::zero : MissingKey::invalid;
    Executor executor{set, missing, Ports{&random, &clock, nullptr}};
    if (!executor.execute("t", has('i') ? with_ints(data) : data, answer.out))
        answer.err = executor.error().error.message;
    return answer;
}

}  // namespace holdfast::gotemplate::golden
