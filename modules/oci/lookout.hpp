// modules/oci/lookout.hpp: the cheap question, whether a tag means something else by now.
#pragma once

#include "modules/oci/registry.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace holdfast::oci {

enum class Look {
    unchanged,
    changed,
    unknown,  // it takes a fetch to find out
};

/// Asks with one HEAD and reads one header of the answer. Who has to log in first is not asked here: challenges and tokens are
/// read where nothing can be lost, and what came of that is remembered for as long as it is good.
class Lookout {
public:
    /// Blocking, from any thread.
    /// In      held  the digest that the tag had
    /// Errors  offline, timeout, denied  as Registry; of the line, never of the answer
    Result<Look> look(Remote const& remote, std::string const& tag, std::string const& held, Options options);

    /// A fetch has shown that this lets us in.
    void remember(Remote const& remote, Pass pass);

private:
    struct Known {
        Pass pass;
        std::chrono::steady_clock::time_point until;
    };
    std::optional<Known> known(std::string const& key) const;

    mutable std::mutex mutex_;
    std::map<std::string, Known> passes_;
};

}  // namespace holdfast::oci
