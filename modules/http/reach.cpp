// modules/http/reach.cpp: the table of addresses that are not for everyone, and how an address is looked up in it.
#include "modules/http/reach.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace holdfast::http {

namespace {

using asio::ip::address;
using asio::ip::address_v4;
using asio::ip::address_v6;

struct Range {
    std::string_view network;
    std::string_view what;
    bool for_sources = false;
};

/// The first that fits counts. Private IPv4 (RFC 1918) is not in it: it is where a site's own servers are.
/// Source  IANA's registries of special-purpose addresses; the metadata services as their clouds document them
constexpr Range kRanges[] = {
    {"0.0.0.0/8", "an unspecified address"},  // Linux takes it for this machine
    {"127.0.0.0/8", "a loopback address"},
    {"169.254.0.0/16", "a link-local address"},
    {"168.63.129.16/32", "a cloud's metadata service"},    // Azure's, beside the link-local one
    {"100.100.100.200/32", "a cloud's metadata service"},  // Alibaba Cloud's
    {"224.0.0.0/4", "a multicast address"},
    {"255.255.255.255/32", "the broadcast address"},
    {"::/128", "an unspecified address"},
    {"::1/128", "a loopback address"},
    {"::/96", "an IPv4 address written as IPv6"},
    {"::ffff:0:0/96", "an IPv4 address written as IPv6"},
    {"::ffff:0:0:0/96", "an IPv4 address written as IPv6"},
    {"fe80::/10", "a link-local address"},
    {"fec0::/10", "a site-local address", true},
    {"fd00:ec2::254/128", "a cloud's metadata service"},  // AWS
    {"fd20:ce::254/128", "a cloud's metadata service"},   // Google Cloud
    {"fc00::/7", "a unique-local address", true},
    {"ff00::/8", "a multicast address"},
};

/// Where an IPv6 address carries an IPv4 address to which somebody translates it.
struct Carrier {
    std::string_view network;
    std::size_t offset;
};
constexpr Carrier kCarriers[] = {
    {"::/96", 12},        {"::ffff:0:0/96", 12},  {"::ffff:0:0:0/96", 12},
    {"64:ff9b::/96", 12}, {"64:ff9b:1::/48", 12},  // NAT64: with DNS64, the whole of IPv4 is there
    {"2002::/16", 2},                              // 6to4
};

Network network_of(std::string_view known) {
    auto parsed = Network::parse(known);
    return parsed ? *parsed : Network{};
}

std::optional<address> carried_by(address const& outer) {
    if (!outer.is_v6()) return std::nullopt;
    auto const bytes = outer.to_v6().to_bytes();
    for (auto const& carrier : kCarriers) {
        if (!network_of(carrier.network).contains(outer)) continue;
        address_v4::bytes_type inner{};
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(carrier.offset), inner.size(), inner.begin());
        return address{address_v4{inner}};
    }
    return std::nullopt;
}

Range const* range_of(address const& wanted) {
    auto const found =
        std::ranges::find_if(kRanges, [&](Range const& range) { return network_of(range.network).contains(wanted); });
    return found == std::end(kRanges) ? nullptr : found;
}

}  // namespace

Result<Network> Network::parse(std::string_view text) {
    auto const refuse = [&] {
        return fail(Errc::invalid_input, "\"" + std::string{text} + "\" is no network such as 10.0.0.0/8 or fd00::/8");
    };
    auto const slash = text.find('/');
    boost::system::error_code ec;
    auto const address = asio::ip::make_address(text.substr(0, slash), ec);
    if (ec || text.substr(0, slash).contains('%')) return refuse();
    Network network;
    network.is_v4_ = address.is_v4();
    auto const take = [&](auto const& bytes) { std::ranges::copy(bytes, network.bytes_.begin()); };
    if (network.is_v4_) take(address.to_v4().to_bytes());
    else take(address.to_v6().to_bytes());
    unsigned const bits_max = network.is_v4_ ? 32 : 128;
    network.bits_ = bits_max;
    if (slash != std::string_view::npos) {
        auto const digits = text.substr(slash + 1);
        auto const [end, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), network.bits_);
        if (bad != std::errc{} || end != digits.data() + digits.size() || network.bits_ > bits_max) return refuse();
    }
    for (unsigned bit = network.bits_; bit < bits_max; ++bit)
        network.bytes_[bit / 8] &= static_cast<std::uint8_t>(~(0x80u >> bit % 8));
    return network;
}

bool Network::contains(asio::ip::address const& address) const {
    if (address.is_v4() != is_v4_) return false;
    std::array<std::uint8_t, 16> other{};
    auto const take = [&](auto const& bytes) { std::ranges::copy(bytes, other.begin()); };
    if (is_v4_) take(address.to_v4().to_bytes());
    else take(address.to_v6().to_bytes());
    auto const whole = bits_ / 8;
    if (!std::equal(bytes_.begin(), bytes_.begin() + whole, other.begin())) return false;
    auto const mask = static_cast<std::uint8_t>(0xff00u >> bits_ % 8);
    return bits_ % 8 == 0 || bytes_[whole] == (other[whole] & mask);
}

std::string Network::text() const {
    address_v4::bytes_type v4{};
    std::copy_n(bytes_.begin(), v4.size(), v4.begin());
    auto const shown = is_v4_ ? address_v4{v4}.to_string() : address_v6{bytes_}.to_string();
    return shown + "/" + std::to_string(bits_);
}

Reach::Reach(Level level, Networks allowed) : level_(level) {
    if (!allowed.empty()) allowed_ = std::make_shared<Networks const>(std::move(allowed));
}

Reach Reach::beyond() const {
    Reach other = *this;
    if (level_ == Level::source) other.level_ = Level::content;
    return other;
}

std::optional<std::string_view> Reach::refuses(asio::ip::address const& address) const {
    if (level_ == Level::operator_) return std::nullopt;
    auto const inner = carried_by(address);
    auto const is_allowed = [&](Network const& network) {
        return network.contains(address) || (inner && network.contains(*inner));
    };
    if (allowed_ && std::ranges::any_of(*allowed_, is_allowed)) return std::nullopt;
    for (auto const* one : {&address, inner ? &*inner : nullptr}) {
        auto const* const range = one == nullptr ? nullptr : range_of(*one);
        if (range != nullptr && !(range->for_sources && level_ == Level::source)) return range->what;
    }
    return std::nullopt;
}

std::optional<std::string_view> Reach::refuses_literal(std::string_view host) const {
    std::string name{host.substr(0, host.find('%'))};
    while (name.ends_with('.')) name.pop_back();
    boost::system::error_code ec;
    auto const address = asio::ip::make_address(name, ec);
    if (!ec) return refuses(address);
    in_addr loose{};  // the forms that resolvers take for addresses too
    if (::inet_aton(name.c_str(), &loose) == 1) return refuses(address_v4{ntohl(loose.s_addr)});
    if (name == "localhost" || name.ends_with(".localhost")) return refuses(address_v4::loopback());
    return std::nullopt;
}

std::string Reach::key() const {
    std::string key = std::to_string(static_cast<int>(level_));
    if (allowed_) {
        for (auto const& network : *allowed_) key += "," + network.text();
    }
    return key;
}

}  // namespace holdfast::http
