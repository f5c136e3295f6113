// modules/base/static_glibc.hpp: keeps a static binary from loading code of the machine it runs on.
//
// Problem: static glibc still opens shared objects of the host: NSS modules that /etc/nsswitch.conf names, gconv modules
// for iconv, and OpenSSL opens what openssl.cnf names. With another glibc on that host each ends in SIGFPE or SIGSEGV.
// Solution: hosts come from files and DNS only, the rest from files; openssl.cnf is not read; iconv always fails
// (libarchive, its only user here, then keeps the bytes of a name as they are).
#pragma once

namespace holdfast {

/// Call first in main, before any thread and any other library. Does nothing in a dynamic build.
void close_static_traps();

}  // namespace holdfast
