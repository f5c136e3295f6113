// modules/git/reference.cpp: which commit a Reference means among the references of a server.
#include "modules/git/reference.hpp"

#include "modules/base/assert.hpp"

#include <algorithm>
#include <cstring>

namespace holdfast::git {

namespace {

constexpr std::string_view kHeads = "refs/heads/";
constexpr std::string_view kTags = "refs/tags/";
constexpr std::string_view kDefaultBranch = "master";

bool is_commit_id(std::string_view text) {
    return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
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
        if (ref.commit() == reference.commit && ref.name.starts_with(kHeads)) target.ref = ref.name;
    }
    return target;
}

/// "refs/tags/v1^{}" is what the tag points to, which is what a tag means here anyway.
std::string without_peeled(std::string name) {
    if (name.ends_with("^{}")) name.resize(name.size() - 3);
    return name;
}

Result<Target> by_name(std::vector<Ref> const& refs, Reference const& reference) {
    if (reference.name.starts_with('/') || reference.name.ends_with('/'))
        return fail(Errc::invalid_input,
                    "ref " + reference.name + " is invalid; Git refs cannot begin or end with a slash '/'");
    auto const name = without_peeled(reference.name);
    auto const* ref = find(refs, name);
    if (ref == nullptr)
        return fail(Errc::not_found, "unable to resolve ref '" + reference.name + "' to a specific commit");
    return Target{.commit = ref->commit(), .revision = revision_of(reference.name, ref->commit()), .ref = name};
}

Result<Target> by_any_name(std::vector<Ref> const& refs, std::string const& name) {
    for (auto const folder : kFolders) {
        auto const* ref = find(refs, std::string{folder} + name);
        if (ref != nullptr)
            return Target{.commit = ref->commit(), .revision = revision_of(name, ref->commit()), .ref = ref->name};
    }
    return fail(Errc::not_found, "couldn't find remote ref " + name);
}

Result<Target> by_short_name(std::vector<Ref> const& refs, std::string_view folder, std::string const& name) {
    auto const full = std::string{folder} + name;
    auto const* ref = find(refs, full);
    if (ref == nullptr) return no_such_ref(full);
    return Target{.commit = ref->commit(), .revision = revision_of(name, ref->commit()), .ref = full};
}

Result<Target> by_semver(std::vector<Ref> const& refs, Reference const& reference, PickTag const& pick) {
    if (!pick) return fail(Errc::invalid_input, "semver: not supported here");
    std::vector<std::string_view> tags;
    for (auto const& ref : refs) {
        if (ref.name.starts_with(kTags)) tags.push_back(std::string_view{ref.name}.substr(kTags.size()));
    }
    auto tag = pick(reference.semver, tags);
    if (!tag) return fail(std::move(tag));
    if (!*tag) return fail(Errc::not_found, "no match found for semver: " + reference.semver);
    return by_short_name(refs, kTags, **tag);
}

}  // namespace

Ref Ref::of(std::string_view name, std::string_view commit) {
    Ref ref{.name = std::string{name}};
    HOLDFAST_ASSERT(commit.size() == ref.hex.size());
    std::memcpy(ref.hex.data(), commit.data(), commit.size());
    return ref;
}

std::string revision_of(std::string_view name, std::string const& commit) {
    return name.empty() ? "sha1:" + commit : std::string{name} + "@sha1:" + commit;
}

Result<Target> resolve(std::vector<Ref> const& refs, Reference const& reference, PickTag const& pick) {
    if (!reference.commit.empty()) return by_commit(refs, reference);
    if (!reference.any.empty()) return by_any_name(refs, reference.any);
    if (!reference.name.empty()) return by_name(refs, reference);
    if (!reference.tag.empty()) return by_short_name(refs, kTags, reference.tag);
    if (!reference.semver.empty()) return by_semver(refs, reference, pick);
    return by_short_name(refs, kHeads, reference.branch.empty() ? std::string{kDefaultBranch} : reference.branch);
}

bool may_mean(Reference const& reference, std::string_view name, std::string_view commit) {
    auto const is = [name](std::string_view folder, std::string_view short_name) {
        return name.starts_with(folder) && name.substr(folder.size()) == short_name;
    };
    if (!reference.commit.empty())
        return name.starts_with(kHeads) && (commit == reference.commit || is(kHeads, reference.branch));
    if (!reference.any.empty())
        return std::ranges::any_of(kFolders, [&](auto folder) { return is(folder, reference.any); });
    if (!reference.name.empty()) return reference.name.starts_with(name);
    if (!reference.tag.empty()) return is(kTags, reference.tag);
    if (!reference.semver.empty()) return name.starts_with(kTags);
    return is(kHeads, reference.branch.empty() ? kDefaultBranch : std::string_view{reference.branch});
}

std::vector<std::string> names_of(Reference const& reference) {
    if (!reference.commit.empty()) return {};
    std::vector<std::string> names;
    if (!reference.any.empty()) {
        for (auto const folder : kFolders) names.push_back(std::string{folder} + reference.any);
    } else if (!reference.name.empty()) {
        names.push_back(without_peeled(reference.name));
    } else if (!reference.tag.empty()) {
        names.push_back(std::string{kTags} + reference.tag);
    } else if (reference.semver.empty()) {
        names.push_back(std::string{kHeads} +
                        (reference.branch.empty() ? std::string{kDefaultBranch} : reference.branch));
    }
    return names;
}

bool can_be(Reference const& reference, std::string_view revision, std::string_view commit) {
    constexpr std::size_t kNameBytesMax = 1'024;
    if (!is_commit_id(commit)) return false;
    auto const with = [&](std::string_view name) { return revision == revision_of(name, std::string{commit}); };
    if (!reference.commit.empty()) return commit == reference.commit && with(reference.branch);
    if (!reference.any.empty()) return with(reference.any);
    if (!reference.name.empty()) return with(reference.name);
    if (!reference.tag.empty()) return with(reference.tag);
    if (reference.semver.empty()) return with(reference.branch.empty() ? kDefaultBranch : reference.branch);
    auto const tag = revision.substr(0, revision.rfind("@sha1:"));
    bool const is_plain = std::ranges::all_of(tag, [](unsigned char c) { return c > ' ' && c != '\x7f'; });
    return !tag.empty() && tag.size() <= kNameBytesMax && is_plain && with(tag);
}

bool lists_first(Reference const& reference, Options const& options) {
    if (!reference.commit.empty()) return false;
    return !reference.name.empty() || (!options.known_revision.empty() && reference.semver.empty());
}

std::unexpected<Error> cannot(std::string_view what, Remote const& remote, Error error) {
    auto shown = remote.url;
    if (auto const scheme = shown.find("://"); scheme != std::string::npos) {
        auto const host = scheme + 3;
        auto const at = shown.substr(0, shown.find_first_of("/?#", host)).rfind('@');  // a password may hold one, too
        if (at != std::string::npos && at >= host) shown.erase(host, at + 1 - host);
    }
    return std::unexpected{std::move(error).in("unable to " + std::string{what} + " '" + shown + "'")};
}

}  // namespace holdfast::git
