/* git2_features.h: what libgit2's CMake would write on Debian 12.
 * No GIT_HTTPS: modules/git brings its own http and https transport, so libgit2's, with its one process-wide
 * certificate store and its loading of openssl.cnf, is not even compiled. No NTLM, no GSSAPI, no iconv. */
#ifndef INCLUDE_features_h__
#define INCLUDE_features_h__

#define GIT_THREADS 1
#define GIT_ARCH_64 1
#define GIT_USE_NSEC 1
#define GIT_USE_STAT_MTIM 1
#define GIT_USE_FUTIMENS 1
#define GIT_REGEX_REGCOMP
#define GIT_QSORT_GNU
#define GIT_SSH 1
#define GIT_SSH_LIBSSH2 1
#define GIT_SSH_LIBSSH2_MEMORY_CREDENTIALS 1
#define GIT_HTTPPARSER_BUILTIN 1
#define GIT_SHA1_COLLISIONDETECT 1
#define GIT_SHA256_OPENSSL 1
#define GIT_COMPRESSION_ZLIB 1
#define GIT_RAND_GETENTROPY 1
#define GIT_IO_POLL 1

#endif
