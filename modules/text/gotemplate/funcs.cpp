// modules/text/gotemplate/funcs.cpp: signatures in Go's words to Function.
#include "modules/text/gotemplate/funcs.hpp"

#include "modules/base/assert.hpp"
#include "modules/text/gotemplate/gotime.hpp"
#include "modules/text/gotemplate/strconv.hpp"
#include "modules/text/gotemplate/template.hpp"

#include <array>
#include <ctime>
#include <utility>

namespace holdfast::gotemplate {

namespace {

constexpr std::array<std::pair<std::string_view, Type const*>, 20> kNames{
    {{"any", &types::any},           {"value", &types::reflect_value},
     {"bool", &types::boolean},      {"int", &types::integer},
     {"int64", &types::int64},       {"float64", &types::float64},
     {"string", &types::string},     {"[]byte", &types::bytes},
     {"[]any", &types::list_any},    {"[]string", &types::list_string},
     {"[]int", &types::list_int},    {"[][]any", &types::list_list},
     {"map", &types::map_any},       {"map[string]string", &types::map_string},
     {"time", &types::time},         {"duration", &types::duration},
     {"location", &types::location}, {"month", &types::month},
     {"weekday", &types::weekday},   {"uint32", &types::uint32}}};

Type const* type_named(std::string_view name) {
    for (auto const& [known, type] : kNames)
        if (known == name) return type;
    HOLDFAST_ASSERT(!"the type of a signature is known");
    return nullptr;
}

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

}  // namespace

Function make_function(std::string_view name, std::string_view signature, Implementation implementation) {
    Function made{.name = std::string{name}, .implementation = std::move(implementation)};
    auto const arrow = signature.find("->");
    HOLDFAST_ASSERT(arrow != std::string_view::npos);
    made.result = type_named(trimmed(signature.substr(arrow + 2)));
    auto params = trimmed(signature.substr(0, arrow));
    while (!params.empty()) {
        auto const comma = params.find(',');
        auto param = trimmed(params.substr(0, comma));
        if (param.starts_with("...")) {
            made.variadic = true;
            param.remove_prefix(3);
        }
        made.params.push_back(type_named(param));
        params = comma == std::string_view::npos ? std::string_view{} : trimmed(params.substr(comma + 1));
    }
    return made;
}

void FuncMap::add(std::string_view name, std::string_view signature, Implementation implementation) {
    functions_.insert_or_assign(std::string{name}, make_function(name, signature, std::move(implementation)));
}

void FuncMap::add(Function function) {
    auto name = function.name;
    functions_.insert_or_assign(std::move(name), std::move(function));
}

void FuncMap::erase(std::string_view name) {
    if (auto const found = functions_.find(name); found != functions_.end()) functions_.erase(found);
}

Function const* FuncMap::find(std::string_view name) const {
    auto const found = functions_.find(name);
    return found == functions_.end() ? nullptr : &found->second;
}

std::vector<std::string> FuncMap::names() const {
    std::vector<std::string> names;
    for (auto const& [name, function] : functions_) names.push_back(name);
    return names;
}

Result<void> Call::charge_steps(std::uint64_t steps) {
    if (executor_.charge(steps)) return {};
    return fail(Errc::limit, "step budget of " + std::to_string(executor_.budget().steps_max) + " used up");
}

namespace {

/// Of the thread: a render has one, and what others do meanwhile is not its fault.
std::chrono::nanoseconds cpu_time() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
}

}  // namespace

SlowTime::SlowTime(Executor& executor) : executor_(&executor), start_(cpu_time()) {}

SlowTime::~SlowTime() {
    if (executor_ != nullptr) executor_->charge_slow_time(cpu_time() - start_);
}

Result<SlowTime> Call::charge_time() {
    if (executor_.slow_time_left() > std::chrono::nanoseconds{0}) return SlowTime{executor_};
    auto const most = std::chrono::duration<double>{executor_.budget().slow_time_max}.count();
    return fail(Errc::limit, "keys and password hashes took more than " + format_float(most, 'g', -1) +
                                 " s of CPU time, the limit of one render");
}

Result<void> Call::charge_looks(std::uint64_t looks) {
    if (executor_.charge_looks(looks)) return {};
    return charge_steps(0);
}

Result<bool> Call::equal(Value const& left, Value const& right) {
    Looked looked{.max = executor_.looks_left()};
    auto const same = deep_equal(left, right, looked);
    if (auto charged = charge_looks(same ? looked.count : UINT64_MAX); !charged) return fail(std::move(charged));
    return same.value_or(false);
}

Result<void> Call::charge_bytes(std::uint64_t bytes) {
    if (bytes > executor_.budget().output_bytes_max)
        return fail(Errc::limit,
                    "a text of more than " + std::to_string(executor_.budget().output_bytes_max) + " bytes");
    return charge_steps(1 + bytes / 128);
}

}  // namespace holdfast::gotemplate
