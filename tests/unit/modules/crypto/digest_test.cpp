// tests/unit/modules/crypto/digest_test.cpp: the published SHA-256 vectors.
#include "modules/crypto/digest.hpp"

#include <catch2/catch.hpp>

namespace holdfast::crypto {

TEST_CASE("sha256: NIST's vectors, in one piece and in parts", "[crypto]") {
    CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");

    Sha256 hash;
    hash.update("a");
    hash.update("bc");
    auto const first = hash.finish();
    hash.update("abc");
    auto const again = hash.finish();
    CHECK(first == again);
    CHECK(hex(first.data(), 4) == "ba7816bf");
}

}  // namespace holdfast::crypto
