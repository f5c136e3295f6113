// tests/unit/modules/text/gotemplate/support.hpp: one template, one render.
#pragma once

#include "modules/text/gotemplate/sprig.hpp"
#include "modules/text/gotemplate/template.hpp"

#include <string>

namespace holdfast::gotemplate::test {

class NoRandom final : public Random {
public:
    void fill(std::span<std::byte> out) override {
        for (auto& byte : out) byte = std::byte{7};
    }
};

class EpochClock final : public Clock {
public:
    std::chrono::system_clock::time_point now() override {
        return std::chrono::system_clock::from_time_t(1'700'000'000);
    }
};

struct Rendered {
    std::string out;
    ExecError error;  // empty message: it worked
    std::uint64_t steps = 0;
};

/// Sprig, include and tpl as Helm has them.
inline FuncMap const& functions() {
    static FuncMap const map = [] {
        FuncMap made;
        add_sprig(made);
        made.add("include", "string, any -> string", [](Call& call) -> Result<Value> {
            std::string out;
            if (!call.executor().execute(call.text(0), call[1], out)) return call.executor().fail_with_cause("");
            return Value::string(out);
        });
        made.add("tpl", "string, any -> string", [](Call& call) -> Result<Value> {
            auto const& parent = call.executor().set();
            TemplateSet child{parent.funcs(), &parent};
            auto const parsed = child.parse_only("gotpl", call.text(0));
            if (!parsed) return fail(Errc::invalid_input, "cannot parse: " + parsed.error().message);
            child.add(*parsed);
            call.executor().set_set(child);
            std::string out;
            auto const done = call.executor().execute("gotpl", call[1], out);
            call.executor().set_set(parent);
            if (!done) return call.executor().fail_with_cause("error during tpl function execution: ");
            return Value::string(out);
        });
        return made;
    }();
    return map;
}

inline Rendered render(std::string_view text, Value const& dot = Value::nil(), Budget const& budget = {}) {
    static NoRandom random;
    static EpochClock clock;
    TemplateSet set{functions()};
    Rendered rendered;
    if (auto parsed = set.parse("t", text); !parsed) {
        rendered.error = ExecError{parsed.error(), {}, {}};
        return rendered;
    }
    Executor executor{set, MissingKey::zero, Ports{&random, &clock, nullptr}, budget};
    if (!executor.execute("t", dot, rendered.out)) rendered.error = executor.error();
    rendered.steps = executor.steps_used();
    return rendered;
}

}  // namespace holdfast::gotemplate::test
