// modules/base/private_loop.hpp: an event loop of its own for a caller that blocks, one coroutine at a time.
#pragma once

#include "modules/base/async.hpp"
#include "modules/base/cancellation.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <stop_token>

namespace holdfast {

/// Runs only while its owner waits, on the owner's thread. What works on its executor (an http::Client, say) is declared
/// behind it and dies before it.
class PrivateLoop {
public:
    PrivateLoop() = default;
    /// As cancel().
    ~PrivateLoop();
    PrivateLoop(PrivateLoop const&) = delete;
    PrivateLoop& operator=(PrivateLoop const&) = delete;

    asio::any_io_executor executor() { return loop_.get_executor(); }

    /// Runs `work` to its end, or cancels it within 0.1 s of `stop`.
    /// Errors  timeout "context canceled" after `stop`, else what work returned
    template <class T> Result<T> run(Task<T> work, std::stop_token const& stop = {}) {
        std::optional<Result<T>> result;
        start(std::move(work), result);
        while (running_) {
            if (stop.stop_requested()) cancel();
            run_some();
        }
        return std::move(*result);
    }

    /// Starts `work`; what was started before is cancelled. Once running() is false, `into` holds what it returned,
    /// or the error that ended it; `into` must live until then.
    template <class T> void start(Task<T> work, std::optional<Result<T>>& into) {
        cancel();
        into.reset();
        auto kept = keep_result(std::move(work), into);
        begin(std::move(kept), [&into](Error error) { into.emplace(std::unexpected{std::move(error)}); });
    }
    bool running() const { return running_; }

    /// Lets the work go on until something has happened, for 0.1 s at most: how late a caller may notice that it is to stop.
    void run_some();
    /// Lets the work go on as far as it gets without waiting.
    void run_ready();

    /// Cancels the work and returns when nothing of it is left.
    void cancel();

private:
    void begin(asio::awaitable<void> work, std::function<void(Error)> failed);

    asio::io_context loop_{1};
    std::optional<Cancellation> cancellation_;
    bool running_ = false;
};

}  // namespace holdfast
