// modules/source/upstream/keep.hpp: from the pieces of a fetch to a kept artifact; private to this folder.
#pragma once

#include "modules/source/upstream.hpp"

namespace holdfast::source {

std::unexpected<Miss> not_kept(Error error);

/// Keeps what comes, from its first piece on: nothing is begun when there is nothing new.
class Keep {
public:
    /// `request` outlives this object.
    explicit Keep(Request const& request) : request_{request} {}

    Result<void> write(std::string_view piece);

    /// Everything has come. Fills in what `fetched` says of the bytes.
    /// Errors  of storage  none came, they are not those of `digest`, or they cannot be kept
    std::expected<void, Miss> finish(std::string const& digest, Fetched& fetched);

private:
    Request const& request_;
    std::unique_ptr<ArtifactWriter> writer_;
    std::uint64_t size_ = 0;
};

/// The text below the first of these names in .data of a Secret that holds one; empty when none does.
std::string secret_text(json::object const& secret, std::initializer_list<std::string_view> names);

}  // namespace holdfast::source
