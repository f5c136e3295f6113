// modules/sandbox/outside.hpp: what a job of Role::fetch can ask of the process that started it. Called inside the job.
#pragma once

#include "modules/base/error.hpp"

#include <cstdint>
#include <string_view>

namespace holdfast::sandbox::outside {

/// Asks for a connected socket, and blocks until it is there: who may be talked to is decided where it is connected.
/// Out     a non-blocking descriptor, the caller's to close
/// Errors  what connecting came to, in the words of Attendant::connect()
Result<int> connect(std::string_view host, std::uint16_t port);

/// Asks for a file by the name that both sides know it by. Out and errors as those of connect().
Result<int> open(std::string_view what);

/// Gives a piece of the result away, in order; however long it is.
/// Errors  limit  nobody takes it any more
Result<void> give(std::string_view piece);

}  // namespace holdfast::sandbox::outside
