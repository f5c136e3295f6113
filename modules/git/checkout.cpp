// modules/git/checkout.cpp: the files of the commit that a Reference means now, when that is news.
#include "modules/git/git.hpp"

#include "modules/git/reference.hpp"
#include "modules/git/remote.hpp"
#include "modules/git/snapshot.hpp"

namespace holdfast::git {

namespace {

constexpr std::string_view kEmpty = "git repository is empty";

/// The commit without its history. A server that gives no single commit must give the history that leads to it.
Result<void> fetch(ConnectedRemote& connected, Target const& target, Reference const& reference) {
    if (!target.ref.empty()) return connected.download({"+" + target.ref + ":refs/holdfast/wanted"}, 1);
    auto single = connected.download({target.commit}, 1);
    if (single && connected.has(target.commit)) return {};
    if (!single && single.error().code != Errc::invalid_input) return single;
    auto const branches = reference.branch.empty() ? "*" : reference.branch;
    auto whole = connected.download({"+refs/heads/" + branches + ":refs/holdfast/" + branches}, 0);
    if (!whole) return whole;
    if (!connected.has(target.commit))
        return fail(Errc::not_found, "unable to resolve commit object for '" + target.commit + "': object not found");
    return {};
}

/// What Flux finds out by itself, behind the transport, stands alone.
std::unexpected<Error> not_cloned(Remote const& remote, Error error) {
    for (std::string_view const own :
         {"unable to resolve ", "no match found for semver", "semver parse error", "ref "}) {
        if (error.message.starts_with(own)) return std::unexpected{std::move(error)};
    }
    return cannot("clone", remote, std::move(error));
}

}  // namespace

Result<void> check_credentials(Remote const& remote) {
    auto const url = http::parse_url(remote.url);
    if (!url) return fail(Errc::invalid_input, url.error().message);
    auto const& own = remote.credentials;
    bool const has_user = !own.username.empty() || !url->user.empty();
    if (!has_user && !own.password.empty()) {
        return fail(Errc::invalid_input,
                    "invalid '" + url->scheme + "' auth option: 'password' requires 'username' to be set");
    }
    if (!own.bearer_token.empty() && has_user)
        return fail(Errc::invalid_input, "basic auth and bearer token cannot be set at the same time");
    if (own.certificate_pem.empty() != own.key_pem.empty())
        return fail(Errc::invalid_input, "tls.crt and tls.key belong together; only one is set");
    if (url->scheme != "https") return {};
    auto conversation = Conversation::open(remote, {});
    if (!conversation) return fail(std::move(conversation));
    return {};
}

void prepare() {
    use_library();
    // The first context reads OpenSSL's configuration; whom it trusts does not matter.
    [[maybe_unused]] auto const context = http::TlsContext::client({.insecure_skip_verify = true});
}

std::string_view reason_of(Error const& error) {
    return error.message.ends_with(kEmpty) ? "EmptyGitRepository" : "GitOperationFailed";
}

Result<Checkout> checkout(Remote const& remote, Reference const& reference, Options const& options) {
    // A commit never changes: when it is held there is nothing to ask.
    if (!reference.commit.empty() && options.known_revision == revision_of(reference.branch, reference.commit)) {
        return Checkout{.revision = options.known_revision, .commit = reference.commit, .snapshot = nullptr};
    }
    // Mostly the answer is that nothing is new: that shall cost the disk nothing, and a new commit one more list.
    using Purpose = ConnectedRemote::Purpose;
    std::unique_ptr<ConnectedRemote> connected;
    Result<Target> target = fail(Errc::not_found, std::string{kEmpty});
    Checkout done;
    for (Purpose const purpose : {Purpose::look, Purpose::fetch}) {
        if (purpose == Purpose::look && options.known_revision.empty()) continue;
        connected.reset();
        auto opened = ConnectedRemote::open(remote, options, reference, purpose);
        if (!opened)
            return cannot(lists_first(reference, options) ? "list remote for" : "clone", remote, opened.error());
        connected = std::move(*opened);
        if (connected->is_empty()) return fail(Errc::not_found, std::string{kEmpty});
        target = resolve(connected->refs(), reference, options.pick_tag);
        if (!target) return not_cloned(remote, target.error());
        done.revision = target->revision;
        done.commit = target->commit;
        if (done.revision == options.known_revision) return done;
    }

    auto fetched = fetch(*connected, *target, reference);
    if (!fetched) return not_cloned(remote, fetched.error());
    auto const directory = connected->directory();
    auto snapshot = read_commit(connected->take_repository(), directory, target->commit, options.bounds.files_max);
    if (!snapshot) return not_cloned(remote, snapshot.error());
    done.snapshot = std::move(*snapshot);
    return done;
}

}  // namespace holdfast::git
