// modules/sandbox/walls.cpp: limits and landlock.
#include "modules/sandbox/walls.hpp"

#include "modules/base/sanitized.hpp"
#include "modules/base/write_all.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

namespace holdfast::sandbox::walls {

namespace {

// Landlock's numbers, so that an old <linux/landlock.h> does not matter.
constexpr long kCreateRuleset = 444;
constexpr long kAddRule = 445;
constexpr long kRestrictSelf = 446;
constexpr unsigned kVersionFlag = 1;
constexpr int kPathBeneath = 1;
constexpr std::uint64_t kWriteFile = 2, kReadFile = 4, kReadDir = 8, kRemoveDir = 16, kRemoveFile = 32, kMakeDir = 128,
                        kMakeFile = 256;
constexpr std::uint64_t kFilesOfFirst = (1u << 13) - 1;  // every right of ABI 1
constexpr std::uint64_t kRefer = 1u << 13;               // ABI 2: from one folder into another
constexpr std::uint64_t kTruncate = 1u << 14;            // ABI 3
constexpr std::uint64_t kDevices = 1u << 15;             // ABI 5
constexpr std::uint64_t kConnectAndBind = 3;             // ABI 4
constexpr std::uint64_t kAbstractSocketsAndSignals = 3;  // ABI 6
constexpr std::uint64_t kReading = kReadFile | kReadDir;
constexpr std::uint64_t kMaking = kWriteFile | kMakeDir | kMakeFile | kTruncate;
constexpr std::uint64_t kRemoving = kRemoveDir | kRemoveFile | kRefer;

// What is read only is no data: the program, its input, pages of zeros. Their page tables are a thousandth of this.
constexpr std::size_t kUncountedBytes = 1u << 30;

int landlock_abi() {
    long const abi = ::syscall(kCreateRuleset, nullptr, 0, kVersionFlag);
    return abi > 0 ? static_cast<int>(abi) : 0;
}

Result<void> grant(int ruleset, int folder, std::string const& name, std::uint64_t rights) {
    struct [[gnu::packed]] {
        std::uint64_t allowed;
        std::int32_t parent;
    } const rule{rights, folder};
    if (::syscall(kAddRule, ruleset, kPathBeneath, &rule, 0) == 0) return {};
    return fail(Errc::denied, "landlock: " + name + ": " + std::strerror(errno));
}

Result<void> grant(int ruleset, std::string const& folder, std::uint64_t rights) {
    int const fd = ::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return fail(Errc::not_found, "open " + folder + ": " + std::strerror(errno));
    auto granted = grant(ruleset, fd, folder, rights);
    ::close(fd);
    return granted;
}

/// `folder`, or the nearest of its parents that is there.
std::string existing(std::string const& folder) {
    std::error_code ec;
    auto path = std::filesystem::absolute(folder, ec).lexically_normal();
    while (!std::filesystem::is_directory(path, ec) && path.has_relative_path()) path = path.parent_path();
    return path.string();
}

/// `known`: the rights that this kernel tells apart; it takes no others.
Result<void> grant_all(int ruleset, Reach const& reach, std::uint64_t known) {
    if (!reach.read_beneath.empty()) {
        auto granted = grant(ruleset, reach.read_beneath, kReading & known);
        if (!granted) return granted;
    }
    for (auto const& folder : reach.write_beneath) {
        auto granted = grant(ruleset, existing(folder), kMaking & known);
        if (!granted) return granted;
    }
    if (reach.folder < 0) return {};
    return grant(ruleset, reach.folder, "the folder of the job", (kReading | kMaking | kRemoving) & known);
}

}  // namespace

bool limit(int resource, unsigned long soft, unsigned long hard) {
    auto const which = static_cast<__rlimit_resource>(resource);
    rlimit before{};
    if (::getrlimit(which, &before) != 0) return false;
    rlimit const after{std::min<rlim_t>(soft, before.rlim_max), std::min<rlim_t>(hard, before.rlim_max)};
    return ::setrlimit(which, &after) == 0;
}

bool limit(int resource, unsigned long value) { return limit(resource, value, value); }

bool limit_wall(std::chrono::seconds wall_max) {
    itimerval wall{};
    wall.it_value.tv_sec = wall_max.count();
    return ::setitimer(ITIMER_REAL, &wall, nullptr) == 0;
}

std::string over(std::chrono::seconds limit, std::string_view what) {
    return "stopped: more than " + std::to_string(limit.count()) + " s of " + std::string{what};
}

bool limit_memory(std::size_t bytes) {
    return kSanitized || (limit(RLIMIT_DATA, bytes) && limit(RLIMIT_AS, bytes + kUncountedBytes));
}

Result<int> close_files(Reach const& reach) {
    int const abi = landlock_abi();
    if (abi == 0) return 0;
    struct {
        std::uint64_t files;
        std::uint64_t network;
        std::uint64_t scopes;
    } rights{kFilesOfFirst, 0, 0};
    if (abi >= 2) rights.files |= kRefer;
    if (abi >= 3) rights.files |= kTruncate;
    if (abi >= 4) rights.network = kConnectAndBind;
    if (abi >= 5) rights.files |= kDevices;
    if (abi >= kScopesSince) rights.scopes = kAbstractSocketsAndSignals;
    if (reach.reads_anywhere) rights.files &= ~kReading;  // a right that is not handled is not taken
    std::size_t const size = abi >= kScopesSince ? 24 : abi >= 4 ? 16 : 8;
    int const ruleset = static_cast<int>(::syscall(kCreateRuleset, &rights, size, 0));
    if (ruleset < 0) return 0;
    auto granted = grant_all(ruleset, reach, rights.files);
    bool const done = granted && ::syscall(kRestrictSelf, ruleset, 0) == 0;
    ::close(ruleset);
    if (!granted) return fail(std::move(granted));
    return done ? abi : 0;
}

bool die_first() {
    int const fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    bool const done = fd >= 0 && write_all(fd, "1000");
    if (fd >= 0) ::close(fd);
    return done;
}

bool no_new_privileges() { return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_DUMPABLE, 0) == 0; }

}  // namespace holdfast::sandbox::walls
