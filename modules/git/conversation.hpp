// modules/git/conversation.hpp: the requests of one fetch, sent through modules/http and read piece by piece by a blocking
// caller. Private to this folder. Problem: libgit2 pulls bytes, modules/http pushes them from a coroutine. Solution: an
// event loop of its own that runs only while the caller waits for bytes, so the server can never be faster than libgit2.
#pragma once

#include "modules/base/private_loop.hpp"
#include "modules/git/git.hpp"
#include "modules/http/client.hpp"

namespace holdfast::git {

enum class Protocol { v0, v2 };

class Conversation {
public:
    /// Errors  invalid_input  the URL, the proxy's URL or the certificates
    static Result<std::unique_ptr<Conversation>> open(Remote const& remote, Options const& options,
                                                      Protocol protocol = Protocol::v0);
    ~Conversation();

    /// Starts GET info/refs or POST git-upload-pack; the one before must have been read or is given up.
    void start_refs();
    void start_pack(std::string body);
    /// Of protocol v2, when its answer is a list of references.
    void start_command(std::string body);

    /// Blocks until there are bytes. Out  bytes read; 0 at the end of a good answer
    /// Errors  as checkout(); remembered, so that every later call gives the same
    Result<std::size_t> read(char* into, std::size_t size);

    /// Checks stop and deadline between steps that do not read. Remembered like those of read().
    Result<void> check();
    void remember(Error error);
    std::optional<Error> const& failure() const { return failure_; }
    bool was_redirected() const { return redirects_ > 0; }

private:
    Conversation(Options const& options, Protocol protocol);
    Result<void> configure(Remote const& remote);
    void post(std::string body, std::uint64_t bytes_max);
    void start(http::Request request, std::uint64_t bytes_max);
    Result<void> take(std::string_view piece);
    Result<void> check_start(std::string_view piece) const;
    Result<void> finish();
    Result<void> follow(http::Response const& response);
    Error refused(http::Response const& response) const;
    std::chrono::milliseconds left() const;

    PrivateLoop loop_;
    http::Client client_;
    http::Endpoint endpoint_;
    std::string path_;           // of the repository, without "/" at the end
    Credentials credentials_;    // those for the host where we are
    std::string authorization_;  // the whole header value, or empty
    bool is_elsewhere_ = false;  // a redirect led to another host: its words are not ours to pass on
    Protocol protocol_;
    Bounds bounds_;
    std::stop_token stop_;
    std::function<std::string()> bundle_;
    std::chrono::steady_clock::time_point deadline_;
    std::optional<Error> failure_;

    // The exchange under way.
    bool asks_for_refs_ = false;
    int redirects_ = 0;
    std::uint64_t bytes_max_ = 0;
    std::uint64_t bytes_ = 0;
    std::string ready_;     // bytes that came and were not read yet
    std::size_t read_ = 0;  // how many of them were
    std::optional<Result<http::Response>> answer_;
};

}  // namespace holdfast::git
