// modules/base/error.hpp: what went wrong, in the words of the code that must react to it.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast {

/// One value per *reaction*, not per cause. Callers switch on this and on nothing else.
enum class Errc {
    offline,        // no DNS, no route, refused        -> keep last good state, retry
    timeout,        // a deadline passed                -> retry with backoff
    busy,           // 409, 429, 503, SQLITE_BUSY       -> retry with backoff
    not_found,      // ref, path, object or row missing -> report, wait for the next commit
    invalid_input,  // YAML, chart, manifest or config  -> report, wait for the next commit
    denied,         // 401, 403, bad signature          -> report, never retry blindly
    limit,          // a bound in limits.hpp was hit    -> report, wait for the operator
    corrupt,        // bytes we stored fail their check -> quarantine, fetch again
};

constexpr bool is_retryable(Errc code) { return code <= Errc::busy; }

/// The name as it stands above, for logs and JSON.
std::string_view to_string(Errc code);

/// An operating error. Programmer errors are not values: they stop the process (assert.hpp).
struct Error {
    Errc code;
    std::string message;  // outermost step first: "app pay: source: connect 10.0.0.4: refused"

    Error in(std::string_view step) && { return {code, std::string{step} + ": " + std::move(message)}; }
};

/// std::expected that warns when dropped (libstdc++ 12's own does not).
template <class T> class [[nodiscard]] Result : public std::expected<T, Error> {
public:
    using std::expected<T, Error>::expected;
};

inline std::unexpected<Error> fail(Errc code, std::string message) {
    return std::unexpected{Error{code, std::move(message)}};
}

/// Passes a failure up and adds the step that was being done. Each layer adds exactly one step.
template <class T> std::unexpected<Error> fail(Result<T>&& failed, std::string_view step) {
    return std::unexpected{std::move(failed).error().in(step)};
}

/// Passes a failure up unchanged: for a helper inside the same step.
template <class T> std::unexpected<Error> fail(Result<T>&& failed) {
    return std::unexpected{std::move(failed).error()};
}

}  // namespace holdfast
