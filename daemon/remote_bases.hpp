// daemon/remote_bases.hpp: the remote resources of one render, on their way from who fetches them to who renders with them.
// A render says what is missing, its starter fetches that and renders again, until nothing is missing or a bound is met.
#pragma once

#include "modules/base/error.hpp"
#include "modules/base/limits.hpp"
#include "modules/base/memory_file.hpp"
#include "modules/kustomize/remote.hpp"
#include "modules/source/remote.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
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

/// What was fetched so far: described in JSON, the contents in the same order.
class Supplies {
public:
    /// `bytes_max`: of all contents together, kRemoteBytesMax at most.
    explicit Supplies(std::size_t bytes_max = limits::kRemoteBytesMax)
        : bytes_max_{std::min(bytes_max, limits::kRemoteBytesMax)} {}

    /// A fetch that failed is kept too: the render says so in kustomize's words.
    /// Errors  limit  more than kRemotesMax, or than the bytes there may be; the message names the URL
    Result<void> add(kustomize::Remote const& remote, Result<source::RemoteContent> const& content);

    std::size_t size() const { return size_; }
    std::size_t bytes_left() const { return bytes_max_ - size_; }
    /// source::kept_name() of each, also of those that failed.
    std::vector<std::string> const& names() const { return names_; }
    boost::json::array const& description() const { return description_; }
    /// Adds copies of all contents to what a render reads.
    Result<void> append_to(MemoryFile& input) const;

private:
    std::vector<std::shared_ptr<MemoryFile const>> contents_;
    std::size_t size_ = 0;
    std::size_t bytes_max_;
    boost::json::array description_;
    std::vector<std::string> names_;
};

/// The other end: `bytes` outlive the Remotes.
/// Errors  corrupt, invalid_input  not what Supplies made
Result<kustomize::Remotes> read_supplies(boost::json::array const& description, std::string_view bytes);

}  // namespace holdfast::daemon
