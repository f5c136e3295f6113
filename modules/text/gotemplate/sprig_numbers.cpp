// modules/text/gotemplate/sprig_numbers.cpp: sprig's arithmetic, conversions and ranges.
#include "modules/text/gotemplate/decimal.hpp"
#include "modules/text/gotemplate/fmt.hpp"
#include "modules/text/gotemplate/sprig.hpp"
#include "modules/text/gotemplate/sprig_common.hpp"
#include "modules/text/gotemplate/strconv.hpp"

#include <cmath>
#include <cstdlib>
#include <limits>

namespace holdfast::gotemplate {

namespace {

using namespace sprig;

Value int64(std::int64_t value) { return Value::integer(value, types::int64); }
std::int64_t wrapping(std::uint64_t value) { return static_cast<std::int64_t>(value); }
std::uint64_t unsigned_of(Value const& value) { return static_cast<std::uint64_t>(to_int64(value)); }

// start, start+step, ... before stop; empty when the step leads away. In Go this loop may also never end.
Result<std::vector<std::int64_t>> range_of(Call& call, std::int64_t start, std::int64_t stop, std::int64_t step) {
    std::vector<std::int64_t> out;
    auto const down = stop < start;
    if (down ? step >= 0 : step <= 0) return out;
    auto const distance = down ? static_cast<std::uint64_t>(start) - static_cast<std::uint64_t>(stop)
                               : static_cast<std::uint64_t>(stop) - static_cast<std::uint64_t>(start);
    auto const stride = down ? 0 - static_cast<std::uint64_t>(step) : static_cast<std::uint64_t>(step);
    auto const count = distance / stride + (distance % stride != 0);
    if (count > std::numeric_limits<std::uint64_t>::max() / sizeof(Value))
        return fail(Errc::limit, "a list of too many numbers");
    if (auto charged = call.charge_bytes(count * sizeof(Value)); !charged) return fail(std::move(charged));
    out.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i)
        out.push_back(wrapping(static_cast<std::uint64_t>(start) + i * static_cast<std::uint64_t>(step)));
    return out;
}

Result<Value> int_list(Result<std::vector<std::int64_t>> numbers) {
    if (!numbers) return fail(std::move(numbers));
    std::vector<Value> values;
    values.reserve(numbers->size());
    for (auto const number : *numbers) values.push_back(Value::integer(number));
    return Value::list(std::move(values), types::list_int);
}

Result<Value> seq(Call& call) {
    auto const arg = [&](std::size_t i) { return call.integer(i); };
    std::int64_t start = 1, end = 0, step = 1, increment = 1;
    switch (call.size()) {
        case 1:
            end = arg(0);
            if (end < start) increment = -1;
            step = increment;
            break;
        case 2:
            start = arg(0);
            end = arg(1);
            if (end < start) increment = -1;
            step = increment;
            break;
        case 3:
            start = arg(0);
            step = arg(1);
            end = arg(2);
            if (end < start) {
                increment = -1;
                if (step > 0) return Value::string("");
            }
            break;
        default: return Value::string("");
    }
    auto const numbers =
        range_of(call, start, wrapping(static_cast<std::uint64_t>(end) + static_cast<std::uint64_t>(increment)), step);
    if (!numbers) return std::unexpected{numbers.error()};
    std::string out;
    for (auto const number : *numbers) {
        if (!out.empty()) out.push_back(' ');
        out += std::to_string(number);
    }
    return text(call, out);
}

using Operation = Result<Decimal> (*)(Decimal const&, Decimal const&);

Result<Value> fold(Call& call, double first, std::size_t from, Operation operation) {
    auto result = Decimal::from(first);
    if (!result) return fail(std::move(result));
    for (auto i = from; i < call.size(); ++i) {
        auto const next = Decimal::from(to_float64(call[i]));
        if (!next) return std::unexpected{next.error()};
        auto const span = result->digits.size() + next->digits.size() +
                          static_cast<std::size_t>(std::llabs(result->exponent - next->exponent));
        if (auto charged = call.charge_steps(span * span / 8 + 1); !charged) return fail(std::move(charged));
        result = operation(*result, *next);
        if (!result) return fail(std::move(result));
    }
    return Value::floating(result->to_double());
}

Result<Value> round(Call& call) {
    auto const on = call.size() > 2 ? call[2].as_float() : 0.5;
    auto const power = std::pow(10.0, static_cast<double>(call.integer(1)));
    auto const digit = power * to_float64(call[0]);
    double whole = 0;
    auto const fraction = std::modf(digit, &whole);
    return Value::floating((fraction >= on ? std::ceil(digit) : std::floor(digit)) / power);
}

template <class Pick> Result<Value> extreme(Call& call, Pick better) {
    auto best = to_int64(call[0]);
    for (auto const& arg : call.args().subspan(1))
        if (auto const next = to_int64(arg); better(next, best)) best = next;
    return int64(best);
}

// math.Max and math.Min: NaN wins, and -0 is less than 0.
double go_max(double a, double b) {
    if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<double>::quiet_NaN();
    if (a == 0 && b == 0) return std::signbit(a) ? b : a;
    return a > b ? a : b;
}
double go_min(double a, double b) {
    if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<double>::quiet_NaN();
    if (a == 0 && b == 0) return std::signbit(a) ? a : b;
    return a < b ? a : b;
}

Result<Value> float_extreme(Call& call, double (*pick)(double, double)) {
    auto best = to_float64(call[0]);
    for (auto const& arg : call.args().subspan(1)) best = pick(best, to_float64(arg));
    return Value::floating(best);
}

Result<Value> quotient(Call& call, bool remainder) {
    auto const a = to_int64(call[0]), b = to_int64(call[1]);
    if (b == 0) return bad("runtime error: integer divide by zero");
    if (b == -1) return int64(remainder ? 0 : wrapping(0 - static_cast<std::uint64_t>(a)));
    return int64(remainder ? a % b : a / b);
}

}  // namespace

void add_sprig_numbers(FuncMap& funcs) {
    funcs.add("atoi", "string -> int", [](Call& call) -> Result<Value> {
        auto const source = call.text(0);
        auto const value = parse_int(source, 10);
        if (value) return Value::integer(*value);
        // Atoi keeps the nearest value when it is out of range.
        if (!value.error().message.ends_with("value out of range")) return Value::integer(0);
        return Value::integer(source.starts_with('-') ? std::numeric_limits<std::int64_t>::min()
                                                      : std::numeric_limits<std::int64_t>::max());
    });
    funcs.add("int64", "any -> int64", [](Call& call) -> Result<Value> { return int64(to_int64(call[0])); });
    funcs.add("int", "any -> int", [](Call& call) -> Result<Value> { return Value::integer(to_int64(call[0])); });
    funcs.add("float64", "any -> float64",
              [](Call& call) -> Result<Value> { return Value::floating(to_float64(call[0])); });
    funcs.add("toDecimal", "any -> int64",
              [](Call& call) -> Result<Value> { return int64(parse_int(to_text(call[0]), 8).value_or(0)); });
    funcs.add("seq", "...int -> string", seq);
    funcs.add("until", "int -> []int", [](Call& call) {
        auto const count = call.integer(0);
        return int_list(range_of(call, 0, count, count < 0 ? -1 : 1));
    });
    funcs.add("untilStep", "int, int, int -> []int",
              [](Call& call) { return int_list(range_of(call, call.integer(0), call.integer(1), call.integer(2))); });

    funcs.add("add1", "any -> int64",
              [](Call& call) -> Result<Value> { return int64(wrapping(unsigned_of(call[0]) + 1)); });
    funcs.add("add", "...any -> int64", [](Call& call) -> Result<Value> {
        std::uint64_t sum = 0;
        for (auto const& arg : call.args()) sum += unsigned_of(arg);
        return int64(wrapping(sum));
    });
    funcs.add("sub", "any, any -> int64",
              [](Call& call) -> Result<Value> { return int64(wrapping(unsigned_of(call[0]) - unsigned_of(call[1]))); });
    funcs.add("div", "any, any -> int64", [](Call& call) { return quotient(call, false); });
    funcs.add("mod", "any, any -> int64", [](Call& call) { return quotient(call, true); });
    funcs.add("mul", "any, ...any -> int64", [](Call& call) -> Result<Value> {
        auto product = unsigned_of(call[0]);
        for (auto const& arg : call.args().subspan(1)) product *= unsigned_of(arg);
        return int64(wrapping(product));
    });
    funcs.add("add1f", "any -> float64", [](Call& call) -> Result<Value> {
        auto const value = Decimal::from(to_float64(call[0]));
        if (!value) return std::unexpected{value.error()};
        auto sum = gotemplate::add(*value, Decimal{.digits = "1"});
        if (!sum) return fail(std::move(sum));
        return Value::floating(sum->to_double());
    });
    funcs.add("addf", "...any -> float64", [](Call& call) { return fold(call, 0, 0, gotemplate::add); });
    funcs.add("subf", "any, ...any -> float64",
              [](Call& call) { return fold(call, to_float64(call[0]), 1, subtract); });
    funcs.add("mulf", "any, ...any -> float64",
              [](Call& call) { return fold(call, to_float64(call[0]), 1, multiply); });
    funcs.add("divf", "any, ...any -> float64", [](Call& call) { return fold(call, to_float64(call[0]), 1, divide); });

    auto const max = [](Call& call) { return extreme(call, [](auto a, auto b) { return a > b; }); };
    funcs.add("max", "any, ...any -> int64", max);
    funcs.add("biggest", "any, ...any -> int64", max);
    funcs.add("min", "any, ...any -> int64",
              [](Call& call) { return extreme(call, [](auto a, auto b) { return a < b; }); });
    funcs.add("maxf", "any, ...any -> float64", [](Call& call) { return float_extreme(call, go_max); });
    funcs.add("minf", "any, ...any -> float64", [](Call& call) { return float_extreme(call, go_min); });
    funcs.add("floor", "any -> float64",
              [](Call& call) -> Result<Value> { return Value::floating(std::floor(to_float64(call[0]))); });
    funcs.add("ceil", "any -> float64",
              [](Call& call) -> Result<Value> { return Value::floating(std::ceil(to_float64(call[0]))); });
    funcs.add("round", "any, int, ...float64 -> float64", round);
}

}  // namespace holdfast::gotemplate
