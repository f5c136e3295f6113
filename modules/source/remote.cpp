// modules/source/remote.cpp: Git through modules/git, files through modules/http, neither with credentials of ours.
#include "modules/source/remote.hpp"

#include "modules/base/base64.hpp"
#include "modules/base/private_loop.hpp"
#include "modules/git/git.hpp"
#include "modules/http/client.hpp"
#include "modules/kustomize/tree_text.hpp"

#include <algorithm>
#include <optional>

namespace holdfast::source {

namespace {

using kustomize::Remote;
using kustomize::TreeEntry;

constexpr int kRedirectsMax = 10;  // as Go's client

std::chrono::milliseconds timeout_of(Remote const& remote) {
    constexpr std::chrono::nanoseconds kShortest = std::chrono::milliseconds{1}, kLongest = std::chrono::minutes{10};
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::clamp(remote.timeout, kShortest, kLongest));
}

std::unexpected<Error> too_large(std::size_t bytes_max) {
    return fail(Errc::limit, "more than " + std::to_string(bytes_max) + " bytes");
}

bool is_commit_id(std::string_view text) {
    return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// The files one after the other: no more than one of them is in memory twice.
Result<MemoryFile> tree_text(git::Snapshot& snapshot, Remote const& remote, std::size_t bytes_max) {
    auto text = MemoryFile::create();
    if (!text) return text;
    auto const& files = snapshot.files();
    for (std::size_t i = 0; i < files.size(); ++i) {
        auto const& file = files[i];
        if (file.kind == git::FileKind::directory) continue;
        bool const is_submodule = file.kind == git::FileKind::submodule;
        if (is_submodule && remote.submodules) {
            return fail(Errc::invalid_input,
                        "'" + file.path +
                            "' is a submodule, and those are not fetched: add submodules=false to the URL's query");
        }
        if (text->size() + file.path.size() + (is_submodule ? 0 : file.size) > bytes_max) return too_large(bytes_max);
        std::string entry;
        if (is_submodule) {
            kustomize::append_entry(entry, TreeEntry::directory, file.path, "");
        } else {
            auto content = snapshot.read(i);
            if (!content) return fail(std::move(content), file.path);
            auto const kind = file.kind == git::FileKind::link ? TreeEntry::link : TreeEntry::file;
            kustomize::append_entry(entry, kind, file.path, *content);
        }
        if (auto ok = text->append(entry); !ok) return fail(std::move(ok));
    }
    return text;
}

Result<RemoteContent> fetch_repository(Remote const& remote, RemoteOptions const& options) {
    git::Remote const from{.url = remote.url, .local = options.local_repositories};
    bool const is_http = remote.url.starts_with("http://") || remote.url.starts_with("https://");
    bool const is_file = remote.url.starts_with("file://");
    if (is_file && !from.local) return fail(Errc::denied, "a repository of this machine's disk is not read here");
    if (!is_http && !is_file) return fail(Errc::denied, "ssh is not supported; use the repository's https URL");
    git::Reference reference;
    (is_commit_id(remote.ref) ? reference.commit : reference.any) = remote.ref.empty() ? "HEAD" : remote.ref;
    git::Options how{
        .scratch = options.scratch, .known_revision = options.known, .reach = options.reach, .stop = options.stop};
    how.bounds.whole_max = timeout_of(remote);
    how.bounds.wire_bytes_max = options.bytes_max;
    auto checkout = git::checkout(from, reference, how);
    if (!checkout) return fail(std::move(checkout));
    if (!checkout->snapshot) return RemoteContent{.version = checkout->revision, .unchanged = true};
    auto text = tree_text(*checkout->snapshot, remote, options.bytes_max);
    if (!text) return fail(std::move(text));
    return RemoteContent{.version = checkout->revision, .bytes = std::make_shared<MemoryFile const>(std::move(*text))};
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
