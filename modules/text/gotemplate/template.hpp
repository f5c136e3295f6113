// modules/text/gotemplate/template.hpp: Go's text/template: parse named templates once, execute them often.
#pragma once

#include "modules/base/error.hpp"
#include "modules/base/limits.hpp"
#include "modules/text/gotemplate/funcs.hpp"
#include "modules/text/gotemplate/ports.hpp"
#include "modules/text/gotemplate/value.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace holdfast::gotemplate {

struct Tree;  // node.hpp: one parsed template, immutable

/// Templates by name; a key is the tree's own name and dies with it.
using Trees = std::unordered_map<std::string_view, std::shared_ptr<Tree const>>;

/// Whether a text is copied, or outlives every template made of it.
enum class TextLife { copied, lent };

/// A set of templates that call each other by name. A child sees its parent's and may hide them: Go's Clone, without a copy.
class TemplateSet {
public:
    /// Both must outlive this set.
    explicit TemplateSet(FuncMap const& funcs, TemplateSet const* parent = nullptr);
    TemplateSet(TemplateSet const&) = delete;
    TemplateSet& operator=(TemplateSet const&) = delete;
    ~TemplateSet();

    /// Adds the template `name` and every template that `text` defines, as Go's New(name).Parse(text):
    /// a later definition replaces an earlier one unless it is empty.
    ///
    /// Errors  invalid_input, Go's text: "template: NAME:LINE: function \"x\" not defined"
    ///         limit          text or nesting too large
    Result<void> parse(std::string_view name, std::string_view text);

    /// The parsed templates of `text`, to be added many times (to sets with the same functions) by add().
    using Parsed = std::shared_ptr<Trees const>;
    Result<Parsed> parse_only(std::string_view name, std::string_view text, TextLife life = TextLife::copied) const;
    void add(Parsed const& parsed);

    Tree const* find(std::string_view name) const;  // here, then in the parents
    std::vector<std::string> names() const;         // of this set alone, sorted
    FuncMap const& funcs() const { return funcs_; }

private:
    FuncMap const& funcs_;
    TemplateSet const* parent_;
    Trees trees_;
};

/// What .missing gives: Go's missingkey option. Helm uses zero, and error under --strict.
enum class MissingKey { invalid, zero, error };

struct Budget {
    std::uint64_t steps_max = limits::kTemplateStepsMax;  // nodes evaluated, plus work charged by functions
    /// CPU time of functions whose cost no count foretells: keys, certificates, password hashes. Measured, so that a chart
    /// gets what its machine gives; the caller's limit on CPU time, less what else it needs.
    std::chrono::nanoseconds slow_time_max = limits::kTemplateSlowTimeMax;
    std::uint64_t output_bytes_max = limits::kTemplateOutputBytesMax;  // one output, and any single string
    std::size_t template_depth_max = limits::kTemplateDepthMax;        // {{template}} inside {{template}}, as Go
    std::size_t stack_bytes_max =
        limits::kTemplateStackBytesMax;  // machine stack used; the caller owns at least this much
};

/// Why an execution failed. `chain` is what Go's errors.Unwrap would walk: message of the outermost error first.
/// It is filled in for the caller of the outermost execute(); inside a function only `error` is.
struct ExecError {
    Error error;                              // error.message == chain.front()
    std::vector<std::string_view> chain;      // each the tail of the one before
    std::shared_ptr<std::string const> text;  // what they are views of
};

/// Runs templates of one set. Budgets are counted over the whole life of the executor; make one per render.
class Executor {
public:
    Executor(TemplateSet const& set, MissingKey missing_key, Ports const& ports, Budget const& budget = {});
    Executor(Executor const&) = delete;
    Executor& operator=(Executor const&) = delete;
    ~Executor();

    /// Appends the output of template `name` to `out` and returns true, or leaves the reason in error().
    /// May be called from inside a function (include, tpl); then `out` is a string of that function.
    ///
    /// Errors  invalid_input  Go's text, "template: no template \"x\" associated with template \"gotpl\"" included
    ///         limit          a Budget field is used up
    bool execute(std::string_view name, Value const& dot, std::string& out);
    /// The same with a tree in hand: tpl runs what it has just parsed, whatever the set calls by that name.
    bool execute(Tree const& tree, Value const& dot, std::string& out);
    ExecError const& error() const { return error_; }

    /// The set that {{template}} and execute() look into: tpl switches it for the time of its call.
    TemplateSet const& set() const { return *set_; }
    void set_set(TemplateSet const& set) { set_ = &set; }

    /// For a function: fail with `prefix + error().message`, keeping error()'s chain as the cause (Go's %w).
    std::unexpected<Error> fail_with_cause(std::string_view prefix);

    Ports const& ports() const { return ports_; }
    Budget const& budget() const { return budget_; }
    MissingKey missing_key() const { return missing_key_; }
    std::uint64_t steps_used() const { return steps_; }
    bool charge(std::uint64_t steps) {
        steps_ += std::min(steps, UINT64_MAX - steps_);
        return steps_ <= budget_.steps_max;
    }
    /// For work in units much smaller than a step: values compared, characters matched.
    bool charge_looks(std::uint64_t looks) {
        looks_ += std::min(looks, UINT64_MAX - looks_);
        return charge(std::exchange(looks_, looks_ % kLooksPerStep) / kLooksPerStep);
    }
    std::uint64_t looks_left() const {
        auto const steps = budget_.steps_max - std::min(budget_.steps_max, steps_);
        return std::min(steps, UINT64_MAX / kLooksPerStep) * kLooksPerStep;
    }
    std::chrono::nanoseconds slow_time_left() const { return budget_.slow_time_max - slow_time_; }
    void charge_slow_time(std::chrono::nanoseconds time) { slow_time_ += time; }
    std::string_view root_name = "gotpl";  // the name of the set in Go's "associated with template"

private:
    friend class Run;  // exec.cpp
    static constexpr std::uint64_t kLooksPerStep = 8;
    void publish_chain();
    TemplateSet const* set_;
    MissingKey missing_key_;
    Ports ports_;
    Budget budget_;
    std::uint64_t steps_ = 0;
    std::uint64_t looks_ = 0;  // less than a step
    std::chrono::nanoseconds slow_time_{0};
    ExecError error_;
    std::vector<std::size_t> chain_;  // of error_: lengths of messages, each the tail of the one before
    std::vector<std::size_t> cause_;  // the same for the failure a function is about to return
    char const* stack_top_ = nullptr;
};

}  // namespace holdfast::gotemplate
