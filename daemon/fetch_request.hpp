// daemon/fetch_request.hpp: what a fetch worker is told and what it answers, as JSON.
#pragma once

#include "modules/source/commit.hpp"

#include <boost/json/object.hpp>

#include <expected>
#include <string>

namespace holdfast::daemon {

/// All that a fetch worker gets to know: one URL, its credentials, and what of it is wished for.
boost::json::object describe(source::CommitWish const& wish);

/// The other end. Errors  invalid_input  not what describe() makes
Result<source::CommitWish> read_wish(boost::json::object const& described);

std::string describe(std::expected<source::Commit, source::CommitMiss> const& answer);

/// What a worker says, read as a stranger's: a revision that cannot be one of `wish`, a commit that is none, a text that is
/// no text, a reaction that there is not, are no answer.
/// Errors  the miss that it tells of; corrupt  no answer
std::expected<source::Commit, source::CommitMiss> read_answer(std::string const& text, source::CommitWish const& wish);

}  // namespace holdfast::daemon
