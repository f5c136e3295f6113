// modules/http/gzip.hpp: request bodies packed, answers unpacked within a bound.
#pragma once

#include "modules/base/error.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace holdfast::http {

/// Errors  limit  no memory for the compressor
Result<std::string> gzip(std::string_view plain, int level = 6);

/// Errors  corrupt  not gzip or cut short;  limit  longer than plain_bytes_max
Result<std::string> gunzip(std::string_view packed, std::size_t plain_bytes_max);

/// gunzip() for what comes in pieces: `sink` gets what they hold, in pieces too.
class Gunzip {
public:
    using Sink = std::function<Result<void>(std::string_view piece)>;
    Gunzip(std::size_t plain_bytes_max, Sink sink);
    ~Gunzip();
    Gunzip(Gunzip const&) = delete;
    Gunzip& operator=(Gunzip const&) = delete;

    /// Errors  corrupt, limit; those of the sink
    Result<void> write(std::string_view packed);
    /// Errors  corrupt  cut short
    Result<void> finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace holdfast::http
