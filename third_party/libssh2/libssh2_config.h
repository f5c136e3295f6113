/* libssh2_config.h: what libssh2's CMake would find on Debian 12 with glibc. */
#define HAVE_UNISTD_H
#define HAVE_INTTYPES_H
#define HAVE_SYS_SELECT_H
#define HAVE_SYS_UIO_H
#define HAVE_SYS_IOCTL_H
#define HAVE_SYS_TIME_H
#define HAVE_SYS_UN_H
#define HAVE_ARPA_INET_H
#define HAVE_NETINET_IN_H
#define HAVE_EXPLICIT_BZERO
#define HAVE_POLL
#define HAVE_O_NONBLOCK
