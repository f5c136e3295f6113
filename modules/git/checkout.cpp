// modules/git/checkout.cpp: which commit a Reference means now, and its files when that is news.
#include "modules/git/git.hpp"

#include "modules/git/remote.hpp"
#include "modules/git/snapshot.hpp"

#include <algorithm>
#include <array>

namespace holdfast::git {

namespace {

constexpr std::string_view kHeads = "refs/heads/";
constexpr std::string_view kTags = "refs/tags/";
constexpr std::string_view kDefaultBranch = "master";
constexpr std::string_view kEmpty = "git repository is empty";

/// What a Reference means on this server at this moment.
struct Target {
    std::string commit;
    std::string revision;
    std::string ref;  // full name to fetch; empty: the commit itself
};

bool is_commit_id(std::string_view text) {
    return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string revision_of(std::string_view name, std::string const& commit) {
    return name.empty() ? "sha1:" + commit : std::string{name} + "@sha1:" + commit;
}

/// git's rules for a name that may be short, in the order in which they are tried.
constexpr std::array<std::string_view, 5> kFolders{"", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"};

Ref const* find(std::vector<Ref> const& refs, std::string_view name) {
    auto const found = std::ranges::find(refs, name, &Ref::name);
    return found == refs.end() ? nullptr : &*found;
}

std::unexpected<Error> no_such_ref(std::string const& name) {
    return fail(Errc::not_found, "couldn't find remote ref \"" + name + "\"");
}

Result<Target> by_commit(std::vector<Ref> const& refs, Reference const& reference) {
    if (!is_commit_id(reference.commit))
        return fail(Errc::invalid_input,
                    "unable to resolve commit object for '" + reference.commit + "': 40 hex digits are needed");
    Target target{.commit = reference.commit, .revision = revision_of(reference.branch, reference.commit), .ref = ""};
    auto const branch = std::string{kHeads} + reference.branch;
    if (!reference.branch.empty() && find(refs, branch) == nullptr) return no_such_ref(branch);
    // A reference whose tip it is can be fetched from every server.
    for (auto const& ref : refs) {
        if (ref.commit == reference.commit && ref.name.starts_with(kHeads)) target.ref = ref.name;
    }
    return target;
}

Result<Target> by_name(std::vector<Ref> const& refs, Reference const& reference) {
    std::string name = reference.name;
    if (name.starts_with('/') || name.ends_with('/'))
        return fail(Errc::invalid_input, "ref " + name + " is invalid; Git refs cannot begin or end with a slash '/'");
    if (name.ends_with("^{}")) name.resize(name.size() - 3);
    auto const* ref = find(refs, name);
    if (ref == nullptr)
        return fail(Errc::not_found, "unable to resolve ref '" + reference.name + "' to a specific commit");
    return Target{.commit = ref->commit, .revision = revision_of(reference.name, ref->commit), .ref = name};
}

Result<Target> by_any_name(std::vector<Ref> const& refs, std::string const& name) {
    for (auto const folder : kFolders) {
        auto const* ref = find(refs, std::string{folder} + name);
        if (ref != nullptr)
            return Target{.commit = ref->commit, .revision = revision_of(name, ref->commit), .ref = ref->name};
    }
    return fail(Errc::not_found, "couldn't find remote ref " + name);
}

Result<Target> by_short_name(std::vector<Ref> const& refs, std::string_view folder, std::string const& name) {
    auto const full = std::string{folder} + name;
    auto const* ref = find(refs, full);
    if (ref == nullptr) return no_such_ref(full);
    return Target{.commit = ref->commit, .revision = revision_of(name, ref->commit), .ref = full};
}

Result<Target> by_semver(std::vector<Ref> const& refs, Reference const& reference, PickTag const& pick) {
    if (!pick) return fail(Errc::invalid_input, "semver: not supported here");
    std::vector<std::string> tags;
    for (auto const& ref : refs) {
        if (ref.name.starts_with(kTags)) tags.push_back(ref.name.substr(kTags.size()));
    }
    auto tag = pick(reference.semver, tags);
    if (!tag) return fail(std::move(tag));
    if (!*tag) return fail(Errc::not_found, "no match found for semver: " + reference.semver);
    return by_short_name(refs, kTags, **tag);
}

Result<Target> resolve(std::vector<Ref> const& refs, Reference const& reference, PickTag const& pick) {
    if (!reference.commit.empty()) return by_commit(refs, reference);
    if (!reference.any.empty()) return by_any_name(refs, reference.any);
    if (!reference.name.empty()) return by_name(refs, reference);
    if (!reference.tag.empty()) return by_short_name(refs, kTags, reference.tag);
    if (!reference.semver.empty()) return by_semver(refs, reference, pick);
    return by_short_name(refs, kHeads, reference.branch.empty() ? std::string{kDefaultBranch} : reference.branch);
}

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

/// Flux's sentence around what the transport says. It never holds the user part of the URL.
std::unexpected<Error> cannot(std::string_view what, Remote const& remote, Error error) {
    auto shown = remote.url;
    auto const at = shown.find('@');
    auto const host = shown.find("://");
    if (at != std::string::npos && host != std::string::npos && at < shown.find('/', host + 3))
        shown.erase(host + 3, at - host - 2);
    return std::unexpected{std::move(error).in("unable to " + std::string{what} + " '" + shown + "'")};
}

/// What Flux finds out by itself, behind the transport, stands alone.
std::unexpected<Error> not_cloned(Remote const& remote, Error error) {
    for (std::string_view const own :
         {"unable to resolve ", "no match found for semver", "semver parse error", "ref "}) {
        if (error.message.starts_with(own)) return std::unexpected{std::move(error)};
    }
    return cannot("clone", remote, std::move(error));
}

/// Flux lists before it clones when it could save the clone, and to learn what a reference's name means.
bool lists_first(Reference const& reference, Options const& options) {
    if (!reference.commit.empty()) return false;
    return !reference.name.empty() || (!options.known_revision.empty() && reference.semver.empty());
}

}  // namespace

bool may_mean(Reference const& reference, std::string_view name) {
    auto const is = [name](std::string_view folder, std::string_view short_name) {
        return name.starts_with(folder) && name.substr(folder.size()) == short_name;
    };
    if (!reference.commit.empty()) return name.starts_with(kHeads);
    if (!reference.any.empty())
        return std::ranges::any_of(kFolders, [&](auto folder) { return is(folder, reference.any); });
    if (!reference.name.empty()) return reference.name.starts_with(name);
    if (!reference.tag.empty()) return is(kTags, reference.tag);
    if (!reference.semver.empty()) return name.starts_with(kTags);
    return is(kHeads, reference.branch.empty() ? kDefaultBranch : std::string_view{reference.branch});
}

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
