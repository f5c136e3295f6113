// modules/source/remote.cpp: Git through modules/git, files through modules/http, neither with credentials of ours.
#include "modules/source/remote.hpp"

#include "modules/base/base64.hpp"
#include "modules/base/private_loop.hpp"
#include "modules/http/client.hpp"

#include <algorithm>

namespace holdfast::source {

namespace {

using kustomize::Remote;

constexpr int kRedirectsMax = 10;  // as Go's client

std::chrono::milliseconds timeout_of(Remote const& remote) {
    constexpr std::chrono::nanoseconds kShortest = std::chrono::milliseconds{1}, kLongest = std::chrono::minutes{10};
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::clamp(remote.timeout, kShortest, kLongest));
}

bool is_commit_id(std::string_view text) {
    return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<RemoteContent> fetch_repository(Remote const& remote, RemoteOptions const& options) {
    bool const is_http = remote.url.starts_with("http://") || remote.url.starts_with("https://");
    bool const is_file = remote.url.starts_with("file://");
    if (is_file && !options.local_repositories)
        return fail(Errc::denied, "a repository of this machine's disk is not read here");
    if (!is_http && !is_file) return fail(Errc::denied, "ssh is not supported; use the repository's https URL");
    CommitWish wish{.remote = {.url = remote.url, .local = options.local_repositories},
                    .known = options.known,
                    .form = CommitWish::Form::tree,
                    .needs_submodules = remote.submodules,
                    .timeout = timeout_of(remote),
                    .wire_bytes_max = options.bytes_max,
                    .bytes_max = options.bytes_max};
    (is_commit_id(remote.ref) ? wish.reference.commit : wish.reference.any) = remote.ref.empty() ? "HEAD" : remote.ref;
    auto content = MemoryFile::create();
    if (!content) return fail(std::move(content));
    auto commit = options.fetch_commit(wish, {.scratch = options.scratch, .reach = options.reach, .stop = options.stop},
                                       [&](std::string_view piece) { return content->append(piece); });
    if (!commit) return std::unexpected{std::move(commit).error().error};
    if (!commit->is_news) return RemoteContent{.version = std::move(commit->revision), .unchanged = true};
    return RemoteContent{.version = std::move(commit->revision),
                         .bytes = std::make_shared<MemoryFile const>(std::move(*content))};
}

/// Runs one exchange to its end, or to `stop`; what a good answer holds goes to `body`.
Result<http::Response> get(http::Url const& url, http::Reach const& reach, std::string const& etag,
                           http::Bounds const& bounds, MemoryFile& body, std::stop_token const& stop) {
    PrivateLoop loop;
    http::Client client{loop.executor(), http::ClientSettings{.connections_max = 1}};
    http::Request request{.target = url.target};
    request.headers.set("Accept", "*/*");
    if (!etag.empty()) request.headers.set("If-None-Match", etag);
    if (!url.user.empty())
        request.headers.set("Authorization", "Basic " + base64_encode(url.user + ":" + url.password));
    auto sink = [&body](std::string_view piece) { return body.append(piece); };
    return loop.run(client.stream({.url = url, .reach = reach}, std::move(request), bounds, std::move(sink)), stop);
}

Result<RemoteContent> fetch_file(Remote const& remote, RemoteOptions const& options) {
    auto url = http::parse_url(remote.url);
    if (!url) return fail(std::move(url));
    auto reach = options.reach;
    auto const deadline = std::chrono::steady_clock::now() + timeout_of(remote);
    for (int redirects = 0;; ++redirects) {
        auto const left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        http::Bounds const bounds{.whole_max = std::max(left, std::chrono::milliseconds{1}),
                                  .pace_bytes_min = git::Bounds{}.pace_bytes_min,
                                  .body_bytes_max = options.bytes_max};
        auto body = MemoryFile::create();
        if (!body) return fail(std::move(body));
        auto answer = get(*url, reach, options.known, bounds, *body, options.stop);
        if (!answer && answer.error().code == Errc::limit)
            return fail(Errc::limit,
                        answer.error().message + ": more than " + std::to_string(options.bytes_max) + " bytes");
        if (!answer) return fail(std::move(answer));
        if (answer->status == 304) return RemoteContent{.version = options.known, .unchanged = true};
        auto const location = answer->headers.get("Location");
        if (!answer->is_redirect() || location.empty()) {
            return RemoteContent{.version = answer->ok() ? std::string{answer->headers.get("ETag")} : "",
                                 .status = static_cast<int>(answer->status),
                                 .bytes = std::make_shared<MemoryFile const>(std::move(*body)),
                                 .is_page = answer->headers.get("Content-Type").starts_with("text/html")};
        }
        if (redirects == kRedirectsMax)
            return fail(Errc::limit, "stopped after " + std::to_string(kRedirectsMax) + " redirects");
        auto next = http::resolve_reference(*url, location);
        if (!next) return fail(std::move(next), "redirect");
        if (url->scheme == "https" && next->scheme != "https")
            return fail(Errc::denied, "redirect from https to " + next->text() + " refused");
        if (next->host != url->host) reach = reach.beyond();
        *url = std::move(*next);
    }
}

}  // namespace

Result<RemoteContent> fetch_remote(Remote const& remote, RemoteOptions const& options) {
    if (remote.kind == Remote::Kind::repository) {
        auto content = fetch_repository(remote, options);
        if (!content)
            return fail(std::move(content),
                        "git fetch " + remote.url + " " + (remote.ref.empty() ? "HEAD" : remote.ref));
        return content;
    }
    auto content = fetch_file(remote, options);
    if (!content) return fail(std::move(content), "Get \"" + remote.url + "\"");
    return content;
}

}  // namespace holdfast::source
