// modules/http/reach.hpp: to which addresses a request may be carried, by who named them.
#pragma once

#include "modules/base/error.hpp"

#include <boost/asio/ip/address.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::http {

namespace asio = boost::asio;

/// A range of addresses: "10.0.0.0/8", "fd00::/8". An address alone is a range of one.
class Network {
public:
    /// Errors  invalid_input  no address, or no such prefix
    static Result<Network> parse(std::string_view text);

    bool contains(asio::ip::address const& address) const;
    /// With its prefix, and without what lies behind it: "10.0.0.0/8".
    std::string text() const;

    bool operator==(Network const&) const = default;

private:
    std::array<std::uint8_t, 16> bytes_{};
    unsigned bits_ = 0;
    bool is_v4_ = false;
};

/// The daemon stands on the host's own network, with the host's services on loopback and a cloud's metadata on link-local
/// addresses, and asks for what others name. How far an address may lie depends on who named it. Judged is what a socket is
/// about to be connected to, address by address: a name that resolves to something else a moment later gains nothing.
class Reach {
public:
    using Networks = std::vector<Network>;

    /// What content and foreign servers name (remote bases, redirects, token hosts): no loopback, link-local, unspecified,
    /// multicast or unique-local address, no metadata service, no IPv4 address in the clothes of IPv6. The default, since
    /// it is the strictest.
    Reach() = default;
    /// Each with what the operator opened by `network.allow`.
    static Reach of_content(Networks allowed) { return {Level::content, std::move(allowed)}; }
    /// What an object's spec names: as content, and unique-local addresses, for a site has its servers beside it.
    static Reach of_source(Networks allowed) { return {Level::source, std::move(allowed)}; }
    /// What the operator named, in the configuration or on the command line: everything.
    static Reach of_operator() { return {Level::operator_, {}}; }

    /// For what the one who was asked names in turn: where a redirect to another host leads.
    Reach beyond() const;

    /// Out  what the address is, "a loopback address", when nothing may be carried there
    std::optional<std::string_view> refuses(asio::ip::address const& address) const;

    /// For a host that somebody else resolves, a proxy: refuses(), when `host` is a literal however it is written
    /// ("127.1", "0x7f000001") or a name that means this machine.
    std::optional<std::string_view> refuses_literal(std::string_view host) const;

    /// Equal for two that judge alike; connections are shared between those only.
    std::string key() const;

private:
    enum class Level : std::uint8_t { content, source, operator_ };
    Reach(Level level, Networks allowed);

    Level level_ = Level::content;
    std::shared_ptr<Networks const> allowed_;  // null: none
};

}  // namespace holdfast::http
