// daemon/image_request.hpp: what a fetch worker is told of an image and what it answers, as JSON.
#pragma once

#include "modules/source/image.hpp"

#include <boost/json/object.hpp>

#include <expected>
#include <string>

namespace holdfast::daemon {

/// All that a fetch worker gets to know: one repository, the logins of its Secrets, and what of it is wished for.
boost::json::object describe(source::ImageWish const& wish);

/// The other end. Errors  invalid_input  not what describe() makes
Result<source::ImageWish> read_image_wish(boost::json::object const& described);

std::string describe(std::expected<source::Image, source::ImageMiss> const& answer);

/// What a worker says, read as a stranger's: a revision that cannot be one of `wish`, annotations that are no texts, a pass
/// that is no header's value, a step or a reaction that there is not, are no answer.
/// Errors  the miss that it tells of; corrupt  no answer
std::expected<source::Image, source::ImageMiss> read_answer(std::string const& text, source::ImageWish const& wish);

}  // namespace holdfast::daemon
