// modules/base/static_glibc.cpp: keeps a static binary from loading code of the machine it runs on.
#include "modules/base/static_glibc.hpp"

#ifdef HOLDFAST_STATIC

#include "modules/base/assert.hpp"

#include <iconv.h>
#include <nss.h>

#include <cerrno>
#include <cstdint>
#include <initializer_list>

// Weak: a binary without OpenSSL has nothing to close, and base does not depend on it.
extern "C" [[gnu::weak]] int OPENSSL_init_crypto(std::uint64_t options, void const* settings);

namespace holdfast {

void close_static_traps() {
    for (char const* database : {"passwd", "group", "services", "protocols", "networks"}) {
        HOLDFAST_ASSERT(__nss_configure_lookup(database, "files") == 0);
    }
    HOLDFAST_ASSERT(__nss_configure_lookup("hosts", "files dns") == 0);

    constexpr std::uint64_t kNoLoadConfig = 0x80;  // OPENSSL_INIT_NO_LOAD_CONFIG
    if (OPENSSL_init_crypto != nullptr) HOLDFAST_ASSERT(OPENSSL_init_crypto(kNoLoadConfig, nullptr) == 1);
}

}  // namespace holdfast

extern "C" {

iconv_t iconv_open(char const*, char const*) {
    errno = EINVAL;
    return reinterpret_cast<iconv_t>(-1);
}

std::size_t iconv(iconv_t, char**, std::size_t*, char**, std::size_t*) {
    errno = EBADF;
    return static_cast<std::size_t>(-1);
}

int iconv_close(iconv_t) {
    errno = EBADF;
    return -1;
}

}  // extern "C"

#else

namespace holdfast {

void close_static_traps() {}

}  // namespace holdfast

#endif
