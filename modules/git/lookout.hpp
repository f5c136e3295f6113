// modules/git/lookout.hpp: the cheap question, whether a remote has anything new.
#pragma once

#include "modules/git/git.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>

namespace holdfast::git {

enum class Look {
    unchanged,  // the Reference still means Options::known_revision
    changed,
    unknown,  // it takes checkout() to find out
};

/// Asks with one request of some hundred bytes, however many references the server has: Git protocol v2, ls-refs with
/// ref-prefix. What a server of v0 says, lists of tags for a range of versions, and whatever is not exactly the expected
/// answer, is left to checkout(), which may run where nothing can be lost.
class Lookout {
public:
    /// Blocking, from any thread.
    /// Errors  offline, timeout, denied, not_found, busy, invalid_input, as checkout() and in its words: of the connection and
    ///         of HTTP. What the server says of its references is no error here but `unknown`
    /// Never   writes to the disk
    /// Wire    GET <url>/info/refs?service=git-upload-pack the first time, then POST <url>/git-upload-pack alone
    Result<Look> look(Remote const& remote, Reference const& reference, Options const& options);

private:
    /// What is known of a server. It is never trusted: what turns out wrong is asked anew.
    enum class Server { unknown, answers, redirects, needs_list };
    struct Known {
        Server server = Server::unknown;
        std::chrono::steady_clock::time_point since;
    };
    Server server_of(std::uint64_t url) const;
    void remember(std::uint64_t url, Server server);

    mutable std::mutex mutex_;
    std::map<std::uint64_t, Known> servers_;
};

}  // namespace holdfast::git
