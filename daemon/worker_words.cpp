// daemon/worker_words.cpp: errors on their way out of a worker and into the daemon.
#include "daemon/worker_words.hpp"

#include "modules/base/utf8.hpp"

namespace holdfast::daemon {

constexpr std::size_t kMessageBytesMax = 4'096;

std::string plain_words(std::string_view text, std::size_t bytes_max) {
    auto plain = to_utf8(text, bytes_max);
    for (char& c : plain) c = (static_cast<unsigned char>(c) < ' ' || c == '\x7f') ? ' ' : c;
    return plain;
}

boost::json::object describe_failure(Error const& error) {
    return {{"failure", to_utf8(error.message, kMessageBytesMax)}, {"code", static_cast<int>(error.code)}};
}

Error read_failure(boost::json::object const& answer) {
    auto const code = static_cast<Errc>(answer.at("code").to_number<int>());
    bool const known = code >= Errc::offline && code <= Errc::corrupt;
    return {known ? code : Errc::invalid_input, plain_words(answer.at("failure").as_string(), kMessageBytesMax)};
}

}  // namespace holdfast::daemon
