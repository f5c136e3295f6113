// modules/source/commit.cpp: asks modules/git for a commit and writes its files in the form that is wished for.
#include "modules/source/commit.hpp"

#include "modules/kustomize/tree_text.hpp"
#include "modules/text/semver/semver.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace holdfast::source {

namespace {

using kustomize::TreeEntry;

constexpr std::chrono::milliseconds kLongest = std::chrono::hours{24};  // what is longer could not be added to a clock

/// The commit's files as the artifact writer wants them.
class CommitTree final : public Tree {
public:
    explicit CommitTree(git::Snapshot& snapshot) : snapshot_(snapshot) {
        for (git::File const& file : snapshot.files()) entries_.push_back({file.path, kind_of(file.kind), file.size});
    }
    std::vector<source::TreeEntry> const& entries() const override { return entries_; }
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
    std::vector<source::TreeEntry> entries_;
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

std::string first_line(std::string const& text) { return text.substr(0, text.find('\n')); }

std::unexpected<Error> too_large(std::size_t bytes_max) {
    return fail(Errc::limit, "more than " + std::to_string(bytes_max) + " bytes");
}

/// The files of `snapshot` as kustomize reads them, piece by piece: none is longer than its largest file.
Result<void> write_tree(git::Snapshot& snapshot, CommitWish const& wish, ArtifactSink const& sink, GoOn const& go_on) {
    std::uint64_t written = 0;
    auto const& files = snapshot.files();
    for (std::size_t i = 0; i < files.size(); ++i) {
        auto const& file = files[i];
        if (file.kind == git::FileKind::directory) continue;
        auto may = go_on();
        if (!may) return may;
        std::string text;
        if (file.kind == git::FileKind::submodule) {
            if (wish.needs_submodules) {
                return fail(Errc::invalid_input,
                            "'" + file.path +
                                "' is a submodule, and those are not fetched: add submodules=false to the URL's query");
            }
            kustomize::append_entry(text, TreeEntry::directory, file.path, "");
        } else {
            if (written + file.path.size() + file.size > wish.bytes_max) return too_large(wish.bytes_max);
            auto content = snapshot.read(i);
            if (!content) return fail(std::move(content), file.path);
            kustomize::append_entry(text, file.kind == git::FileKind::link ? TreeEntry::link : TreeEntry::file,
                                    file.path, *content);
        }
        written += text.size();
        if (written > wish.bytes_max) return too_large(wish.bytes_max);
        auto sunk = sink(text);
        if (!sunk) return sunk;
    }
    return {};
}

std::expected<Commit, CommitMiss> fetch_with(Checkout const& checkout, CommitWish const& wish, CommitPlace const& place,
                                             ArtifactSink const& sink) {
    auto const deadline = std::chrono::steady_clock::now() + std::min(wish.timeout, kLongest);
    git::Options options{.scratch = place.scratch,
                         .known_revision = wish.known,
                         .pick_tag = highest_tag,
                         .reach = place.reach,
                         .stop = place.stop,
                         .connector = place.connector,
                         .bundle = place.bundle};
    options.bounds.whole_max = wish.timeout;
    options.bounds.wire_bytes_max = wish.wire_bytes_max;
    auto done = checkout(wish.remote, wish.reference, options);
    if (!done) return std::unexpected{CommitMiss{.error = std::move(done).error()}};
    Commit commit{.revision = done->revision, .id = done->commit};
    if (!done->snapshot) return commit;

    commit.is_news = true;
    commit.headline = first_line(done->snapshot->message());
    auto const go_on = [&]() -> Result<void> {
        if (place.stop.stop_requested()) return fail(Errc::timeout, "context canceled");
        if (std::chrono::steady_clock::now() > deadline) return fail(Errc::timeout, "context deadline exceeded");
        return {};
    };
    if (wish.form == CommitWish::Form::tree) {
        auto written = write_tree(*done->snapshot, wish, sink, go_on);
        if (!written) return std::unexpected{CommitMiss{.error = std::move(written).error(), .of_storage = true}};
        return commit;
    }
    CommitTree tree{*done->snapshot};
    auto info = write_artifact(tree, wish.ignore, sink, go_on);
    if (!info) return std::unexpected{CommitMiss{.error = std::move(info).error(), .of_storage = true}};
    commit.digest = std::move(info->digest);
    return commit;
}

}  // namespace

std::expected<Commit, CommitMiss> fetch_commit(CommitWish const& wish, CommitPlace const& place,
                                               ArtifactSink const& sink) {
    return fetch_with(git::checkout, wish, place, sink);
}

FetchCommit commits_of(Checkout checkout) {
    return
        [checkout = std::move(checkout)](CommitWish const& wish, CommitPlace const& place, ArtifactSink const& sink) {
            return fetch_with(checkout, wish, place, sink);
        };
}

}  // namespace holdfast::source
