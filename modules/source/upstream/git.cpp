// modules/source/upstream/git.cpp: from a GitRepository's fields to modules/git, and from a commit to an artifact.
#include "modules/source/upstream/git.hpp"

#include "modules/base/base64.hpp"
#include "modules/base/mask.hpp"
#include "modules/base/on_pool.hpp"
#include "modules/http/url.hpp"
#include "modules/kube/object.hpp"
#include "modules/model/kinds/git_repository.hpp"

#include <utility>

namespace holdfast::source {

using model::GitRepositorySpec;

namespace {

constexpr std::string_view kEmptyRepository = "EmptyGitRepository";

std::string secret_value(json::object const& secret, std::initializer_list<std::string_view> names) {
    for (std::string_view const name : names) {
        auto const encoded = kube::find_string(secret, {"data", name});
        if (encoded.empty()) continue;
        auto decoded = base64_decode(encoded);
        if (decoded) return std::move(*decoded);
    }
    return "";
}

git::Credentials credentials_of(std::optional<json::object> const& secret) {
    if (!secret) return {};
    return {.username = secret_value(*secret, {"username"}),
            .password = secret_value(*secret, {"password"}),
            .bearer_token = secret_value(*secret, {"bearerToken"}),
            .ca_pem = secret_value(*secret, {"ca.crt", "caFile"}),
            .certificate_pem = secret_value(*secret, {"tls.crt", "certFile"}),
            .key_pem = secret_value(*secret, {"tls.key", "keyFile"})};
}

/// A scratch repository has another name each time: two failures would never be the same.
std::string without_scratch(std::string message, std::filesystem::path const& scratch) {
    std::string const folder = scratch.string();
    if (folder.empty()) return message;
    for (auto at = message.find(folder); at != std::string::npos; at = message.find(folder, at)) {
        auto const end = message.find_first_of("'\": \n", at + folder.size());
        message.replace(at, (end == std::string::npos ? message.size() : end) - at, "the scratch directory");
    }
    return message;
}

Miss miss_of(Error error, std::filesystem::path const& scratch) {
    std::string reason{git::reason_of(error)};
    if (reason == kEmptyRepository) return {.error = {error.code, "git repository is empty"}, .reason = reason};
    error.message = without_scratch(std::move(error.message), scratch);
    return {.error = std::move(error).in("failed to checkout and determine revision"), .reason = std::move(reason)};
}

std::unexpected<Miss> not_kept(Error error) {
    return std::unexpected{Miss{.error = std::move(error).in("unable to archive artifact to storage"),
                                .reason = "ArchiveOperationFailed",
                                .of_storage = true}};
}

/// Keeps what comes, from its first piece on: nothing is begun when there is nothing new.
struct Store {
    Request const& request;
    std::unique_ptr<ArtifactWriter> writer;
    std::uint64_t size = 0;

    Result<void> write(std::string_view piece) {
        if (!writer) {
            auto begun = request.begin();
            if (!begun) return fail(std::move(begun));
            writer = std::move(*begun);
        }
        size += piece.size();
        return writer->write(piece);
    }
};

}  // namespace

Wish GitUpstream::read(model::Spec const& spec) const {
    auto const& git = spec.as<GitRepositorySpec>();
    auto const url = http::parse_url(git.url);
    std::string question = git.url;
    for (auto const* part : {&git.branch, &git.tag, &git.semver, &git.ref_name, &git.commit}) question += "\n" + *part;
    if (git.ignore) question += "\nignore " + *git.ignore;
    return {.host = url ? url->authority() : "",
            .interval = git.interval,
            .timeout = git.timeout,
            .secret_name = git.secret_name,
            .question = std::move(question),
            .ignore = git.ignore};
}

std::optional<Refusal> GitUpstream::refuses(model::Spec const& spec) const {
    auto const& git = spec.as<GitRepositorySpec>();
    auto const url = http::parse_url(git.url);
    if (url) return std::nullopt;
    return Refusal{"URLInvalid", "failed to parse url '" + mask_url(git.url) + "': " + url.error().message};
}

asio::awaitable<Answer> GitUpstream::fetch(Request request) {
    auto work = [this, request = std::move(request)] { return fetch_now(request); };
    co_return co_await on_pool(pool_, std::move(work));
}

Answer GitUpstream::fetch_now(Request const& request) const {
    auto const& spec = request.spec.as<GitRepositorySpec>();
    CommitWish const wish{.remote = {.url = spec.url, .credentials = credentials_of(request.secret)},
                          .reference = {spec.branch, spec.tag, spec.semver, spec.ref_name, spec.commit},
                          .known = request.known,
                          .ignore = spec.ignore,
                          .timeout = request.timeout,
                          .wire_bytes_max = settings_.wire_bytes_max};
    Store store{.request = request};
    auto const commit = fetch_(wish, {.scratch = settings_.scratch, .reach = settings_.reach, .stop = stop_},
                               [&](std::string_view piece) { return store.write(piece); });
    if (!commit && commit.error().of_storage) return not_kept(commit.error().error);
    if (!commit) return std::unexpected{miss_of(commit.error().error, settings_.scratch)};

    Fetched fetched{.revision = commit->revision,
                    .stored = "stored artifact for revision '" + commit->revision + "'",
                    .news = "stored artifact for commit '" + commit->revision + "'",
                    .file = commit->id + ".tar.gz"};
    if (!commit->is_news) return fetched;
    if (!store.writer) return not_kept({Errc::corrupt, "no byte of it came"});
    auto digest = store.writer->finish();
    if (!digest) return not_kept(std::move(digest).error());
    if (*digest != commit->digest)
        return not_kept({Errc::corrupt, "what came is " + *digest + ", not " + commit->digest});
    fetched.news = "stored artifact for commit '" + commit->headline + "'";
    fetched.digest = std::move(*digest);
    fetched.size = store.size;
    fetched.bytes = std::move(store.writer);
    return fetched;
}

}  // namespace holdfast::source
