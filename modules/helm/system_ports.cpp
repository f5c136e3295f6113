// modules/helm/system_ports.cpp: getrandom, the wall clock, /usr/share/zoneinfo.
#include "modules/helm/system_ports.hpp"

#include "modules/base/read_file.hpp"

#include <sys/random.h>

#include <cstring>

namespace holdfast::helm {

namespace {

constexpr std::size_t kZoneBytesMax = 64u << 10;  // the longest of the tz database has 3.5 KiB

void ask_kernel(std::span<std::byte> out) {
    while (!out.empty()) {
        auto const got = ::getrandom(out.data(), out.size(), 0);
        if (got > 0) out = out.subspan(static_cast<std::size_t>(got));
    }
}

}  // namespace

void SystemRandom::fill(std::span<std::byte> out) {
    if (out.size() >= sizeof pool_) return ask_kernel(out);
    if (out.size() > left_) ask_kernel(pool_), left_ = sizeof pool_;
    left_ -= out.size();
    std::memcpy(out.data(), pool_ + left_, out.size());
    ::explicit_bzero(pool_ + left_, out.size());
}

void SeededRandom::fill(std::span<std::byte> out) {
    for (auto& byte : out) byte = static_cast<std::byte>(engine_());
}

std::chrono::system_clock::time_point SystemClock::now() {
    if (fixed_) return std::chrono::system_clock::time_point{std::chrono::seconds{*fixed_}};
    return std::chrono::system_clock::now();
}

std::optional<std::string_view> ZoneFiles::find(std::string_view name) {
    if (auto const known = cache_.find(name); known != cache_.end()) return known->second;
    if (name.empty() || name.find("..") != name.npos || name.starts_with('/')) return std::nullopt;
    auto data = read_file("/usr/share/zoneinfo/" + std::string{name}, kZoneBytesMax);
    if (!data) return std::nullopt;
    return cache_.emplace(name, std::move(*data)).first->second;
}

}  // namespace holdfast::helm
