// modules/git/reference.hpp: which commit a Reference means, and Flux's words when it means none; private to this folder.
#pragma once

#include "modules/git/git.hpp"

#include <array>

namespace holdfast::git {

/// One of a server's references; there may be a quarter of a million of them.
struct Ref {
    std::string name;            // "refs/heads/main", "HEAD"
    std::array<char, 40> hex{};  // of its commit; behind an annotated tag, what it points to

    std::string commit() const { return {hex.data(), hex.size()}; }
    /// In  commit  40 hex digits
    static Ref of(std::string_view name, std::string_view commit);
};

/// What a Reference means on this server at this moment.
struct Target {
    std::string commit;
    std::string revision;
    std::string ref;  // full name to fetch; empty: the commit itself
};

/// "main@sha1:<commit>", "sha1:<commit>" without a name.
std::string revision_of(std::string_view name, std::string const& commit);

/// Errors  not_found, invalid_input  in Flux's words
Result<Target> resolve(std::vector<Ref> const& refs, Reference const& reference, PickTag const& pick);

/// Whether `reference` could mean a reference of this full name that points to `commit`: the others of a server's list are
/// not kept.
bool may_mean(Reference const& reference, std::string_view name, std::string_view commit);

/// The full names that `reference` could mean; none when that takes a list: a range of versions, or a commit.
std::vector<std::string> names_of(Reference const& reference);

/// Flux lists before it clones when it could save the clone, and to learn what a reference's name means.
bool lists_first(Reference const& reference, Options const& options);

/// Flux's sentence around what the transport says. It never holds the user part of the URL.
std::unexpected<Error> cannot(std::string_view what, Remote const& remote, Error error);

}  // namespace holdfast::git
