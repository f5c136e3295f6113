// daemon/remote_bases.hpp: the remote resources of one render, on their way from who fetches them to who renders with them.
// A render says what is missing, its starter fetches that and renders again, until nothing is missing or a bound is met.
#pragma once

#include "daemon/memory_file.hpp"
#include "modules/base/error.hpp"
#include "modules/kustomize/remote.hpp"
#include "modules/source/remote.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::daemon {

boost::json::array describe(std::vector<kustomize::Remote> const& remotes);
/// Errors  invalid_input  not what describe() makes
Result<std::vector<kustomize::Remote>> read_remotes(boost::json::value const& described);

/// After kRemoteRoundsMax rounds of fetching, `remote` is still missing.
std::unexpected<Error> too_many_rounds(kustomize::Remote const& remote);

/// What was fetched so far: described in JSON, the bytes in one memory file, in the same order.
class Supplies {
public:
    static Result<Supplies> create();

    /// A fetch that failed is kept too: the render says so in kustomize's words.
    /// Errors  limit  more than kRemotesMax or kRemoteBytesMax; the message names the URL
    Result<void> add(kustomize::Remote const& remote, Result<source::RemoteContent> const& content);

    std::size_t bytes_left() const;
    /// Remote::key() of each, also of those that failed.
    std::vector<std::string> const& keys() const { return keys_; }
    boost::json::array const& description() const { return description_; }
    MemoryFile const& file() const { return file_; }

private:
    explicit Supplies(MemoryFile file) : file_{std::move(file)} {}

    MemoryFile file_;
    boost::json::array description_;
    std::vector<std::string> keys_;
};

/// The other end: `bytes` outlive the Remotes.
/// Errors  corrupt, invalid_input  not what Supplies made
Result<kustomize::Remotes> read_supplies(boost::json::array const& description, std::string_view bytes);

}  // namespace holdfast::daemon
