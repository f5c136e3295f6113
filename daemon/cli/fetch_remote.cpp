// daemon/cli/fetch_remote.cpp: what a process that is no daemon needs before it may use the network.
#include "daemon/cli/fetch_remote.hpp"

#include "modules/base/static_glibc.hpp"

#include <csignal>
#include <system_error>

namespace holdfast::daemon {

Result<source::RemoteContent> fetch_remote(kustomize::Remote const& remote, std::size_t bytes_max, bool local) {
    close_static_traps();
    std::signal(SIGPIPE, SIG_IGN);
    std::error_code ec;
    // Who types a command reaches what he may reach anyway.
    source::RemoteOptions options{.scratch = std::filesystem::temp_directory_path(ec),
                                  .bytes_max = bytes_max,
                                  .local_repositories = local,
                                  .reach = http::Reach::of_operator()};
    if (ec) return fail(Errc::denied, "no directory for temporary files: " + ec.message());
    return source::fetch_remote(remote, options);
}

}  // namespace holdfast::daemon
