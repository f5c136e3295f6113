// modules/source/upstream/git.cpp: from a GitRepository's fields to modules/git, and from a commit to an artifact.
#include "modules/source/upstream/git.hpp"

#include "modules/base/base64.hpp"
#include "modules/base/mask.hpp"
#include "modules/base/on_pool.hpp"
#include "modules/http/url.hpp"
#include "modules/kube/object.hpp"
#include "modules/model/kinds/git_repository.hpp"
#include "modules/source/artifact.hpp"
#include "modules/text/semver/semver.hpp"

#include <utility>
#include <vector>

namespace holdfast::source {

using model::GitRepositorySpec;

namespace {

constexpr std::chrono::milliseconds kLongest = std::chrono::hours{24};  // what is longer could not be added to a clock
constexpr std::string_view kEmptyRepository = "EmptyGitRepository";

/// The commit's files as the artifact writer wants them.
class CommitTree final : public Tree {
public:
    explicit CommitTree(git::Snapshot& snapshot) : snapshot_(snapshot) {
        for (git::File const& file : snapshot.files()) entries_.push_back({file.path, kind_of(file.kind), file.size});
    }
    std::vector<TreeEntry> const& entries() const override { return entries_; }
    Result<std::string> read(std::size_t index) override { return snapshot_.read(index); }

private:
    static EntryKind kind_of(git::FileKind kind) {
        switch (kind) {
            case git::FileKind::directory: return EntryKind::directory;
            case git::FileKind::file: return EntryKind::file;
            case git::FileKind::executable: return EntryKind::executable;
            case git::FileKind::link:
            case git::FileKind::submodule: return EntryKind::other;
        }
        return EntryKind::other;
    }

    git::Snapshot& snapshot_;
    std::vector<TreeEntry> entries_;
};

/// The highest version among the tags that the range accepts; of equal versions the tag that sorts last.
Result<std::optional<std::string>> highest_tag(std::string const& range, std::vector<std::string_view> const& tags) {
    auto constraint = semver::parse_constraint(range);
    if (!constraint) return fail(std::move(constraint), "semver parse error");
    std::optional<std::string_view> best;
    std::optional<semver::Version> best_version;
    for (std::string_view const tag : tags) {
        auto version = semver::parse(tag);
        if (!version || !constraint->check(*version)) continue;
        int const order = best_version ? semver::compare(*version, *best_version) : 1;
        if (order < 0 || (order == 0 && tag < *best)) continue;
        best = tag;
        best_version = std::move(*version);
    }
    if (!best) return std::nullopt;
    return std::string{*best};
}

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

std::string first_line(std::string const& text) { return text.substr(0, text.find('\n')); }

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
    auto const deadline = std::chrono::steady_clock::now() + std::min(request.timeout, kLongest);
    auto const& spec = request.spec.as<GitRepositorySpec>();
    git::Remote const remote{.url = spec.url, .credentials = credentials_of(request.secret)};
    git::Reference const reference{spec.branch, spec.tag, spec.semver, spec.ref_name, spec.commit};
    git::Options options{.scratch = settings_.scratch,
                         .known_revision = request.known,
                         .pick_tag = highest_tag,
                         .reach = settings_.reach,
                         .stop = stop_};
    options.bounds.whole_max = request.timeout;
    options.bounds.wire_bytes_max = settings_.wire_bytes_max;
    auto checkout = checkout_(remote, reference, options);
    if (!checkout) return std::unexpected{miss_of(std::move(checkout).error(), settings_.scratch)};

    Fetched fetched{.revision = checkout->revision,
                    .stored = "stored artifact for revision '" + checkout->revision + "'",
                    .news = "stored artifact for commit '" + checkout->revision + "'",
                    .file = checkout->commit + ".tar.gz"};
    if (!checkout->snapshot) return fetched;
    auto writer = request.begin();
    if (!writer) return not_kept(std::move(writer).error());
    CommitTree tree{*checkout->snapshot};
    auto const sink = [&](std::string_view piece) { return (*writer)->write(piece); };
    auto const go_on = [&]() -> Result<void> {
        if (stop_.stop_requested()) return fail(Errc::timeout, "context canceled");
        if (std::chrono::steady_clock::now() > deadline) return fail(Errc::timeout, "context deadline exceeded");
        return {};
    };
    auto info = write_artifact(tree, spec.ignore, sink, go_on);
    if (!info) return not_kept(std::move(info).error());
    auto digest = (*writer)->finish();
    if (!digest) return not_kept(std::move(digest).error());
    fetched.news = "stored artifact for commit '" + first_line(checkout->snapshot->message()) + "'";
    fetched.digest = std::move(*digest);
    fetched.size = info->size;
    fetched.bytes = std::move(*writer);
    return fetched;
}

}  // namespace holdfast::source
