// tests/unit/static_root/probe.cpp: does once what makes static glibc and OpenSSL look for the host's code.
// Run by empty_root_test.py; the argument "open" leaves the traps open.
#include "modules/base/static_glibc.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <openssl/ssl.h>
#include <sqlite3.h>

#include <iconv.h>
#include <netdb.h>
#include <pwd.h>

#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace {

bool resolves(char const* name) {
    addrinfo hints{.ai_flags = 0, .ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    addrinfo* found = nullptr;
    int const code = ::getaddrinfo(name, "443", &hints, &found);
    if (code != 0) return false;
    ::freeaddrinfo(found);
    return true;
}

bool tls_works() {
    SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
    if (context == nullptr) return false;
    SSL_CTX_free(context);
    return true;
}

bool database_works() {
    sqlite3* db = nullptr;
    sqlite3_initialize();
    bool const works =
        sqlite3_open("/probe.db", &db) == SQLITE_OK &&
        sqlite3_exec(
            db, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; CREATE TABLE t(a); INSERT INTO t VALUES(1)",
            nullptr, nullptr, nullptr) == SQLITE_OK;
    sqlite3_close(db);
    return works;
}

bool throws_in_a_thread() {
    bool caught = false;
    std::thread{[&] {
        try {
            throw std::runtime_error{"x"};
        } catch (std::runtime_error const&) {
            caught = true;
        }
    }}.join();
    return caught;
}

bool archive_reads() {
    archive* const reader = archive_read_new();
    archive_read_support_filter_gzip(reader);
    archive_read_support_format_tar(reader);
    bool const refused = archive_read_open_memory(reader, "x", 1) != ARCHIVE_OK || archive_errno(reader) == 0;
    archive_read_free(reader);
    return refused;
}

}  // namespace

int main(int argc, char** argv) {
    bool const open = argc > 1 && std::string_view{argv[1]} == "open";
    if (!open) holdfast::close_static_traps();
    int failures = 0;
    auto const expect = [&](char const* what, bool good) {
        std::printf("%s: %s\n", what, good ? "ok" : "FAILED");
        failures += good ? 0 : 1;
    };
    expect("hosts entry", resolves("edge-host"));
    expect("user without entry", ::getpwuid(12'345) == nullptr);
    expect("TLS context", tls_works());
    expect("iconv refused", open || ::iconv_open("UTF-8", "ISO-8859-1") == reinterpret_cast<iconv_t>(-1));
    expect("SQLite", database_works());
    expect("exception in a thread", throws_in_a_thread());
    expect("libarchive", archive_reads());
    return failures;
}
