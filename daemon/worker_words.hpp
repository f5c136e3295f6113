// daemon/worker_words.hpp: what the requests and answers of all fetch workers are made of. Private to this folder.
#pragma once

#include "modules/base/error.hpp"

#include <boost/json/object.hpp>

#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast::daemon {

/// The texts of a struct, by the names they have in JSON.
template <class T, std::size_t N> using TextFields = std::array<std::pair<char const*, std::string T::*>, N>;

template <class T, std::size_t N> boost::json::object describe_texts(T const& from, TextFields<T, N> const& fields) {
    boost::json::object described;
    for (auto const& [name, field] : fields) {
        if (!(from.*field).empty()) described[name] = from.*field;
    }
    return described;
}

/// What is no text throws, as all reading of a request does.
template <class T, std::size_t N>
void read_texts(boost::json::object const& described, TextFields<T, N> const& fields, T& into) {
    for (auto const& [name, field] : fields) {
        if (auto const* value = described.if_contains(name)) into.*field = std::string{value->as_string()};
    }
}

/// A stranger's words, fit to be shown.
std::string plain_words(std::string_view text, std::size_t bytes_max);

/// "failure" and "code".
boost::json::object describe_failure(Error const& error);
/// The other end: a reaction that there is not becomes invalid_input. Throws when it is none.
Error read_failure(boost::json::object const& answer);

}  // namespace holdfast::daemon
