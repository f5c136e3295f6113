// modules/source/upstream/git.cpp: from a GitRepository's fields to modules/git, and from a commit to an artifact.
#include "modules/source/upstream/git.hpp"

#include "modules/base/mask.hpp"
#include "modules/base/on_pool.hpp"
#include "modules/http/url.hpp"
#include "modules/model/kinds/git_repository.hpp"
#include "modules/source/upstream/keep.hpp"

#include <utility>

namespace holdfast::source {

using model::GitRepositorySpec;

namespace {

constexpr std::string_view kEmptyRepository = "EmptyGitRepository";

git::Credentials credentials_of(json::object const* secret) {
    if (secret == nullptr) return {};
    return {.username = secret_text(*secret, {"username"}),
            .password = secret_text(*secret, {"password"}),
            .bearer_token = secret_text(*secret, {"bearerToken"}),
            .ca_pem = secret_text(*secret, {"ca.crt", "caFile"}),
            .certificate_pem = secret_text(*secret, {"tls.crt", "certFile"}),
            .key_pem = secret_text(*secret, {"tls.key", "keyFile"})};
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

}  // namespace

Wish GitUpstream::read(model::Spec const& spec) const {
    auto const& git = spec.as<GitRepositorySpec>();
    auto const url = http::parse_url(git.url);
    std::string question = git.url;
    for (auto const* part : {&git.branch, &git.tag, &git.semver, &git.ref_name, &git.commit}) question += "\n" + *part;
    if (git.ignore) question += "\nignore " + *git.ignore;
    std::vector<SecretWish> secrets;
    if (!git.secret_name.empty()) secrets.push_back({.name = git.secret_name});
    return {.host = url ? url->authority() : "",
            .interval = git.interval,
            .timeout = git.timeout,
            .secrets = std::move(secrets),
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
    CommitWish const wish{.remote = {.url = spec.url, .credentials = credentials_of(request.secret(spec.secret_name))},
                          .reference = {spec.branch, spec.tag, spec.semver, spec.ref_name, spec.commit},
                          .known = request.known,
                          .ignore = spec.ignore,
                          .timeout = request.timeout,
                          .wire_bytes_max = settings_.wire_bytes_max};
    Keep keep{request};
    auto const commit = fetch_(wish, {.scratch = settings_.scratch, .reach = settings_.reach, .stop = stop_},
                               [&](std::string_view piece) { return keep.write(piece); });
    if (!commit && commit.error().of_storage) return not_kept(commit.error().error);
    if (!commit) return std::unexpected{miss_of(commit.error().error, settings_.scratch)};

    Fetched fetched{.revision = commit->revision,
                    .stored = "stored artifact for revision '" + commit->revision + "'",
                    .news = "stored artifact for commit '" + commit->revision + "'",
                    .file = commit->id + ".tar.gz"};
    if (!commit->is_news) return fetched;
    auto kept = keep.finish(commit->digest, fetched);
    if (!kept) return std::unexpected{std::move(kept).error()};
    fetched.news = "stored artifact for commit '" + commit->headline + "'";
    return fetched;
}

}  // namespace holdfast::source
