// modules/base/mask.hpp: takes what lets somebody in out of a text that others will see.
#pragma once

#include <boost/json/fwd.hpp>

#include <string>
#include <string_view>

namespace holdfast {

/// For the log, a condition, an Event, a record, the database: of each URL in the text the login is "xxxxx", and so is the
/// value of what its query calls a token, a key, a password or a signature. A user that stands alone may be a token; only
/// that of ssh is none. Rather a word too many than one too few: "http://u:p/w@host" is no URL, and its password goes too.
/// Out  the same when applied again
std::string mask_logins(std::string_view text);

/// The same for a text that is meant to be one URL, whatever it is: "u:p@host/a.git" has no scheme, but a login.
std::string mask_url(std::string_view url);

/// Every text in `value` but the names of its members.
void mask_logins(boost::json::value& value);

}  // namespace holdfast
