// modules/text/gotemplate/funcs.hpp: how a host gives functions to templates.
#pragma once

#include "modules/base/error.hpp"
#include "modules/text/gotemplate/value.hpp"

#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace holdfast::gotemplate {

class Executor;

/// Charges its executor the CPU time of its own life: a long calculation that no count of steps describes.
class SlowTime {
public:
    explicit SlowTime(Executor& executor);
    SlowTime(SlowTime&& other) noexcept : executor_(std::exchange(other.executor_, nullptr)), start_(other.start_) {}
    SlowTime& operator=(SlowTime&&) = delete;
    ~SlowTime();

private:
    Executor* executor_;
    std::chrono::nanoseconds start_;
};

/// One call: arguments already counted and converted to the parameter types, as Go does before it calls.
class Call {
public:
    Call(Executor& executor, Function const& function, std::span<Value> args, Value const& receiver)
        : executor_(executor), function_(function), args_(args), receiver_(receiver) {}

    std::size_t size() const { return args_.size(); }
    Value& operator[](std::size_t index) { return args_[index]; }
    std::span<Value> args() const { return args_; }
    std::string_view text(std::size_t index) const { return args_[index].as_string(); }
    std::int64_t integer(std::size_t index) const { return args_[index].as_int(); }
    Value const& receiver() const { return receiver_; }  // of a method
    Function const& function() const { return function_; }
    Executor& executor() const { return executor_; }

    /// Counts work done by the function; fails with Errc::limit when the budget is gone.
    Result<void> charge_steps(std::uint64_t steps);
    /// The same for a string of that size about to be made (also bounds the single string).
    Result<void> charge_bytes(std::uint64_t bytes);
    /// Counts work in units of some twenty nanoseconds: a value compared, a few bytes searched.
    Result<void> charge_looks(std::uint64_t looks);
    /// reflect.DeepEqual, charged by what it looks at.
    Result<bool> equal(Value const& left, Value const& right);
    /// Fails with Errc::limit when Budget::slow_time_max is gone; else what follows is measured until the SlowTime ends.
    Result<SlowTime> charge_time();

private:
    Executor& executor_;
    Function const& function_;
    std::span<Value> args_;
    Value const& receiver_;
};

using Implementation = std::function<Result<Value>(Call&)>;

/// A Go function: static types decide argument conversion and the texts of type errors.
struct Function {
    std::string name;
    std::vector<Type const*> params;
    bool variadic = false;             // the last parameter's type is the element's
    Type const* result = &types::any;  // any: the result is boxed
    Implementation implementation;
    std::string_view refusal{};  // why text/template does not call it, whatever the arguments
};

/// Makes a Function from Go-like text: "string, ...any -> string".
/// Names: any value bool int int64 float64 string []byte []any []string []int map map[string]string time duration.
/// Stops the program (assert) on a name it does not know: signatures are constants.
Function make_function(std::string_view name, std::string_view signature, Implementation implementation);

/// Name -> function. Must outlive every template parsed with it; addresses of functions stay stable.
class FuncMap {
public:
    /// Adds or replaces.
    void add(std::string_view name, std::string_view signature, Implementation implementation);
    /// The same for a signature with types of the host's own.
    void add(Function function);
    void erase(std::string_view name);
    Function const* find(std::string_view name) const;
    std::vector<std::string> names() const;

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };
    std::unordered_map<std::string, Function, Hash, std::equal_to<>> functions_;
};

}  // namespace holdfast::gotemplate
