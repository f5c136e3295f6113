// modules/git/git.hpp: a remote repository in, the files of one commit out; nothing is checked out.
// Reading order: git.hpp, checkout.cpp, reference.hpp, remote.hpp, conversation.hpp, snapshot.hpp, library.hpp; lookout.hpp.
//
// Everything here blocks and is called on a pool (base/on_pool.hpp). No libgit2 type crosses this header.
#pragma once

#include "modules/base/error.hpp"
#include "modules/http/client.hpp"
#include "modules/http/reach.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::git {

/// The keys of a Flux Git secret. `ca_pem` is trusted beside the system's bundle.
struct Credentials {
    std::string username;
    std::string password;
    std::string bearer_token;
    std::string ca_pem;
    std::string certificate_pem;
    std::string key_pem;
};

struct Remote {
    std::string url;     // http:// or https://, file:// when `local`; credentials in it count when there are no others
    bool local = false;  // the caller may read what this process may read
    Credentials credentials{};
    std::string proxy_url;  // "http://proxy:3128"; empty: direct. Loopback is always direct
    std::string proxy_username;
    std::string proxy_password;
};

/// spec.ref: commit > any > name > tag > semver > branch; all empty: branch "master".
struct Reference {
    std::string branch;
    std::string tag;
    std::string semver;
    std::string name;    // "refs/pull/420/head"
    std::string commit;  // 40 hex digits; with a branch, it is looked for there only
    std::string any;     // what `git fetch` would find by this name: "HEAD", a tag, a branch, a full name
};

/// Chooses among the tags of a repository. Out  the tag; nothing when none fits
using PickTag = std::function<Result<std::optional<std::string>>(std::string const& constraint,
                                                                 std::vector<std::string_view> const& tags)>;

/// The bounds of one call; those of a single object and of memory are in base/limits.hpp.
struct Bounds {
    std::chrono::milliseconds whole_max{60'000};  // spec.timeout
    std::chrono::milliseconds idle_max{30'000};   // between two pieces of an answer
    std::chrono::milliseconds pace_span{60'000};  // in each of which an answer has to bring pace_bytes_min
    std::size_t pace_bytes_min = 4'096;           // four fetches share a line of 1,000 bytes a second and are in time
    std::uint64_t refs_bytes_max = 16u << 20;     // the list of references
    std::uint64_t wire_bytes_max = 256u << 20;    // the pack
    std::size_t objects_max = 500'000;            // in the pack
    std::size_t files_max = 50'000;               // files and directories of the commit
};

struct Options {
    std::filesystem::path scratch;  // an existing directory; a repository lives in it while a Snapshot does
    std::string known_revision;     // the revision held: when it is still the newest, nothing is fetched
    PickTag pick_tag;               // needed for Reference::semver
    Bounds bounds{};
    http::Reach reach{};  // of the remote and its proxy; a redirect to another host goes no further than a stranger may
    std::stop_token stop;         // requested: ends within 0.2 s
    http::Connector connector{};  // null: connects by itself
    std::function<std::string()>
        bundle{};  // the certificates the machine trusts, for who may not read them; null: reads them
};

enum class FileKind { directory, file, executable, link, submodule };

struct File {
    std::string path;
    FileKind kind = FileKind::file;
    std::uint64_t size = 0;  // of a file, or of a link's text
};

/// The files of one commit, in the order of its trees. Removes its scratch repository at the end of its scope.
class Snapshot {
public:
    virtual ~Snapshot() = default;
    virtual std::vector<File> const& files() const = 0;
    /// The bytes of files()[index], a file, or where a link points to. Errors  corrupt, limit
    virtual Result<std::string> read(std::size_t index) = 0;
    virtual std::string message() const = 0;  // of the commit
};

struct Checkout {
    std::string revision;                // "main@sha1:<40 hex>"
    std::string commit;                  // 40 hex digits
    std::unique_ptr<Snapshot> snapshot;  // null: `revision` is Options::known_revision
};

/// Asks for the references, and when the wished one has moved, for its newest commit without history.
/// A Reference::commit that is held already costs no request.
///
/// Errors  offline        no such host, refused, cut off;  timeout  Bounds::whole_max or idle_max passed, fewer than pace_bytes_min came, or `stop` was requested
///         denied         401, 403, untrusted certificate, a redirect from https to http, an address that Options::reach refuses
///         not_found      404; no such reference or commit; an empty repository
///         busy           429, 5xx
///         invalid_input  not a Git server (a web page, say) or one of dumb HTTP, a broken pack or tree, a URL or Reference of no use
///         limit          a field of Bounds, kGitObjectBytesMax, kGitMemoryBytesMax, or the disk
///         The message is what Flux says behind "failed to checkout and determine revision: ".
/// Never   sends credentials to another host, follows submodules or links, runs hooks or filters, reads a git config
/// Wire    GET <url>/info/refs?service=git-upload-pack, POST <url>/git-upload-pack twice (protocol v0, depth 1)
/// Source  fluxcd/pkg git/gogit clone.go; revision forms flux.md 2.3
Result<Checkout> checkout(Remote const& remote, Reference const& reference, Options const& options);

/// What can be said of a remote without talking to it.
/// Errors  invalid_input  the text Flux writes behind "failed to configure authentication options: " (AuthenticationFailed)
Result<void> check_credentials(Remote const& remote);

/// Sets up what libgit2 and TLS set up once, for processes that are forked from this one and may open nothing any more.
void prepare();

/// Whether a checkout of `reference` can have come to this: what a stranger says is believed no further.
bool can_be(Reference const& reference, std::string_view revision, std::string_view commit);

/// The condition reason Flux gives an error of checkout(): "EmptyGitRepository" or "GitOperationFailed".
std::string_view reason_of(Error const& error);

/// Removes what a crash left of earlier scratch repositories; call once at start.
void clean_scratch(std::filesystem::path const& scratch);

}  // namespace holdfast::git
