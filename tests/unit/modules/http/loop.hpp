// tests/unit/modules/http/loop.hpp: runs one coroutine to its end on a loop of its own.
#pragma once

#include "modules/base/async.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <catch2/catch.hpp>

#include <exception>
#include <optional>

namespace holdfast::test {

struct Loop {
    asio::io_context context{1};

    asio::any_io_executor executor() { return context.get_executor(); }

    /// Runs until `task` ended; other coroutines of the loop stay where they are. Fails the test after 30 s.
    template <class T> T run(asio::awaitable<T> task) {
        std::optional<T> result;
        std::exception_ptr failure;
        asio::co_spawn(context, std::move(task), [&](std::exception_ptr thrown, T value) {
            failure = thrown;
            result.emplace(std::move(value));
            context.stop();
        });
        go();
        if (failure) std::rethrow_exception(failure);
        REQUIRE(result);
        return std::move(*result);
    }

    void run(asio::awaitable<void> task) {
        bool ended = false;
        asio::co_spawn(context, std::move(task), [&](std::exception_ptr thrown) {
            ended = true;
            context.stop();
            if (thrown) std::rethrow_exception(thrown);
        });
        go();
        REQUIRE(ended);
    }

private:
    void go() {
        context.restart();
        context.run_for(std::chrono::seconds{30});
    }
};

}  // namespace holdfast::test
