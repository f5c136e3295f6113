// modules/azure/transport.hpp: how Azure's services are reached: whom we trust, which proxy, and small files read again on change.
#pragma once

#include "modules/http/client.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace holdfast::azure {

/// Tells one state of a file from the next without reading it.
struct FileStamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = -1;  // -1: there is no such file
    std::int64_t modified_ns = 0;

    bool operator==(FileStamp const&) const = default;
};

FileStamp stamp_of(std::filesystem::path const& file);

/// Errors  not_found, denied  the file;  limit  longer than bytes_max;  invalid_input  empty
Result<std::string> read_small_file(std::filesystem::path const& file, std::size_t bytes_max);

struct TransportSettings {
    std::filesystem::path ca_file;  // empty: the system's bundle
    http::ProxySettings proxy;
};

/// Used from one event loop.
class Transport {
public:
    explicit Transport(TransportSettings settings) : settings_(std::move(settings)) {}

    /// The connection for `base`, an absolute URL without query: "https://login.microsoftonline.com".
    ///
    /// Errors  invalid_input  not a URL; plain http to anything but a loopback literal or "localhost"
    ///         not_found, denied, invalid_input  the CA file
    /// Never   trusts more because the CA file cannot be read
    Result<http::Endpoint> endpoint(std::string const& base);

private:
    Result<std::shared_ptr<http::TlsContext const>> trust();

    TransportSettings settings_;
    FileStamp ca_stamp_;
    std::shared_ptr<http::TlsContext const> tls_;
};

/// Why a service did not do what was asked.
struct Refusal {
    unsigned status = 0;  // 0: no answer came
    std::string code;     // the service's word: "InvalidStream", "invalid_client"
    std::optional<std::chrono::seconds> retry_after;
    bool from_service = false;  // the body has the service's own error shape: no proxy, no portal
    bool is_ours = false;       // nothing was sent: a setting or a file of ours is wrong
};

/// The service's text made fit for one log line: control characters out, at most `bytes_max` bytes.
std::string one_line(std::string_view text, std::size_t bytes_max = 300);

}  // namespace holdfast::azure
