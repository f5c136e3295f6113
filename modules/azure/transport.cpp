// modules/azure/transport.cpp: endpoints with their TLS context, and small files.
#include "modules/azure/transport.hpp"

#include <boost/asio/ip/address.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace holdfast::azure {

namespace {

constexpr std::size_t kCaBytesMax = 4u << 20;

struct Descriptor {
    int fd;
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
};

Error file_error(std::filesystem::path const& file, int code) {
    Errc const reaction = code == ENOENT || code == ENOTDIR ? Errc::not_found : Errc::denied;
    return {reaction, file.string() + ": " + std::generic_category().message(code)};
}

bool is_loopback(std::string const& host) {
    boost::system::error_code ec;
    auto const address = asio::ip::make_address(host, ec);
    return host == "localhost" || (!ec && address.is_loopback());
}

}  // namespace

FileStamp stamp_of(std::filesystem::path const& file) {
    struct stat found{};
    if (::stat(file.c_str(), &found) != 0) return {};
    return {.device = found.st_dev,
            .inode = found.st_ino,
            .size = found.st_size,
            .modified_ns = std::int64_t{found.st_mtim.tv_sec} * 1'000'000'000 + found.st_mtim.tv_nsec};
}

Result<std::string> read_small_file(std::filesystem::path const& file, std::size_t bytes_max) {
    // O_NONBLOCK: a FIFO must not stop the loop.
    Descriptor const opened{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (opened.fd < 0) return std::unexpected{file_error(file, errno)};
    std::string text(bytes_max + 1, '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        ssize_t const got = ::read(opened.fd, text.data() + size, text.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return std::unexpected{file_error(file, errno)};
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    if (size > bytes_max)
        return fail(Errc::limit, file.string() + ": longer than " + std::to_string(bytes_max) + " bytes");
    if (size == 0) return fail(Errc::invalid_input, file.string() + ": empty");
    text.resize(size);
    return text;
}

Result<std::shared_ptr<http::TlsContext const>> Transport::trust() {
    if (settings_.ca_file.empty()) {
        if (!tls_) {
            auto made = http::TlsContext::client({});
            if (!made) return fail(std::move(made));
            tls_ = std::move(*made);
        }
        return tls_;
    }
    FileStamp const now = stamp_of(settings_.ca_file);
    if (tls_ && now == ca_stamp_) return tls_;
    auto pem = read_small_file(settings_.ca_file, kCaBytesMax);
    if (!pem) return fail(std::move(pem), "CA file");
    auto made = http::TlsContext::client({.ca_pem = std::move(*pem)});
    if (!made) return fail(std::move(made), settings_.ca_file.string());
    tls_ = std::move(*made);
    ca_stamp_ = now;
    return tls_;
}

Result<http::Endpoint> Transport::endpoint(std::string const& base) {
    auto url = http::parse_url(base);
    if (!url) return fail(std::move(url), base);
    if (!url->user.empty() || !url->password.empty())
        return fail(Errc::invalid_input, url->text() + ": a login in the URL");
    // Both are the operator's own, and a managed identity lives on a link-local address.
    http::Endpoint endpoint{.url = std::move(*url),
                            .tls = nullptr,
                            .unix_path = {},
                            .proxy = settings_.proxy,
                            .reach = http::Reach::of_operator()};
    endpoint.proxy.reach = http::Reach::of_operator();
    if (endpoint.url.scheme == "http") {
        if (!is_loopback(endpoint.url.host)) return fail(Errc::invalid_input, endpoint.url.text() + ": must be https");
        return endpoint;
    }
    auto tls = trust();
    if (!tls) return fail(std::move(tls), "TLS");
    endpoint.tls = std::move(*tls);
    return endpoint;
}

std::string one_line(std::string_view text, std::size_t bytes_max) {
    std::string line{text.substr(0, text.find_first_of("\r\n"))};
    if (line.size() > bytes_max) {
        std::size_t cut = bytes_max;
        while (cut > 0 && (static_cast<unsigned char>(line[cut]) & 0xc0) == 0x80) --cut;  // not inside a character
        line.resize(cut);
    }
    for (char& c : line) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    }
    return line;
}

}  // namespace holdfast::azure
