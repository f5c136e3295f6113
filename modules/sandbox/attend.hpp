// modules/sandbox/attend.hpp: runs a job of Role::fetch and serves it: connects for it, and takes what it makes piece by piece.
#pragma once

#include "modules/sandbox/sandbox.hpp"

#include <chrono>
#include <cstdint>
#include <stop_token>

namespace holdfast::sandbox {

/// Serves one job. The job may be what a server made of it: nothing it says is believed.
class Attendant {
public:
    virtual ~Attendant() = default;

    /// Decides whether the job may talk to `host`, and connects.
    /// Out     a connected, non-blocking socket, which is closed once it is handed over
    /// Errors  are told to the job
    virtual Result<int> connect(std::string const& host, std::uint16_t port) = 0;

    /// Opens what the job calls `what`, to be read.
    /// Out     a descriptor, which is closed once it is handed over
    /// Errors  are told to the job
    virtual Result<int> open(std::string const& what) = 0;

    /// A piece of the result. Errors end the job, and are what attend() returns.
    virtual Result<void> take(std::string_view piece) = 0;
};

struct Patience {
    std::chrono::steady_clock::time_point until;
    std::stop_token stop;  // requested: the job ends within 0.2 s
};

/// As run(), in a folder of the job's own. Blocks.
///
/// In      folder_fd  an open directory, all that the job may open files in
/// Errors  timeout  `patience` is over;  limit  more than 32 descriptors asked for;  else those of run() and Attendant::take()
/// Never   leaves the job running
Result<std::string> attend(Zygote& zygote, Order order, int folder_fd, std::string_view request, Attendant& attendant,
                           Patience const& patience);

}  // namespace holdfast::sandbox
