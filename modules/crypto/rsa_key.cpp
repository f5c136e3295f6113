// modules/crypto/rsa_key.cpp: RSA keys of two random primes, found by a sieve and proved by Miller and Rabin.
// OpenSSL's own generator tests every prime 64 times, which is most of its time; FIPS 186-5, table B.1, asks for 4 or 5, as Go does.
#include "modules/crypto/rsa_key.hpp"

#include "modules/base/owned.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <vector>

namespace holdfast::crypto {

namespace {

using Number = Owned<BIGNUM, BN_clear_free>;

constexpr unsigned kExponent = 65'537;
constexpr std::size_t kSmallPrimesEnd = 20'000;
constexpr std::size_t kWindow = 8'192;  // odd numbers looked at behind one random start

Number number() { return Number{BN_secure_new()}; }

std::vector<unsigned> odd_primes() {
    std::vector<bool> composite(kSmallPrimesEnd);
    std::vector<unsigned> primes;
    for (unsigned i = 3; i < kSmallPrimesEnd; i += 2) {
        if (composite[i]) continue;
        primes.push_back(i);
        for (std::size_t k = std::size_t{i} * i; k < kSmallPrimesEnd; k += i) composite[k] = true;
    }
    return primes;
}

/// Of random candidates; the bound on the error is 2^-100 and less.
int rounds_for(int bits) { return bits >= 1345 ? 4 : 5; }

class PrimeFinder {
public:
    explicit PrimeFinder(int bits) : bits_(bits) {}

    /// A prime p of `bits` bits, the upper two set, with p - 1 prime to the exponent; false when OpenSSL fails.
    bool find(BIGNUM* prime) {
        for (;;) {
            if (BN_priv_rand(start_.get(), bits_, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD) != 1) return false;
            sieve();
            for (std::size_t i = 0; i < kWindow; ++i) {
                if (composite_[i]) continue;
                if (BN_copy(prime, start_.get()) == nullptr || BN_add_word(prime, 2 * i) != 1) return false;
                if (BN_num_bits(prime) != bits_) break;
                if (BN_mod_word(prime, kExponent) == 1) continue;
                auto const answer = test(prime);
                if (answer != 0) return answer > 0;
            }
        }
    }

private:
    /// Marks what a small prime divides: entry i stands for start + 2 i.
    void sieve() {
        composite_.assign(kWindow, false);
        for (auto const small : small_primes_) {
            auto const rest = BN_mod_word(start_.get(), small);
            auto const half = (small + 1) / 2;  // 1/2 modulo small
            for (auto i = static_cast<std::size_t>((small - rest) % small * half % small); i < kWindow; i += small)
                composite_[i] = true;
        }
    }

    /// 1: a prime, 0: composite, -1: OpenSSL failed.
    int test(BIGNUM const* candidate) {
        if (BN_copy(less_one_.get(), candidate) == nullptr || BN_sub_word(less_one_.get(), 1) != 1) return -1;
        int twos = 0;
        while (BN_is_bit_set(less_one_.get(), twos) == 0) ++twos;
        if (BN_rshift(odd_.get(), less_one_.get(), twos) != 1 ||
            BN_MONT_CTX_set(montgomery_.get(), candidate, context_.get()) != 1)
            return -1;
        for (int round = 0; round < rounds_for(bits_); ++round) {
            // 1 < base < candidate - 1
            if (BN_copy(base_.get(), candidate) == nullptr || BN_sub_word(base_.get(), 3) != 1) return -1;
            if (BN_priv_rand_range(power_.get(), base_.get()) != 1 || BN_add_word(power_.get(), 2) != 1) return -1;
            std::swap(base_, power_);
            if (BN_mod_exp_mont_consttime(power_.get(), base_.get(), odd_.get(), candidate, context_.get(),
                                          montgomery_.get()) != 1)
                return -1;
            if (!is_witness_silent(candidate, twos)) return 0;
        }
        return 1;
    }

    /// Whether power, squared up to twos - 1 times, passes through candidate - 1.
    bool is_witness_silent(BIGNUM const* candidate, int twos) {
        if (BN_is_one(power_.get()) || BN_cmp(power_.get(), less_one_.get()) == 0) return true;
        for (int i = 1; i < twos; ++i) {
            if (BN_mod_sqr(power_.get(), power_.get(), candidate, context_.get()) != 1) return false;
            if (BN_cmp(power_.get(), less_one_.get()) == 0) return true;
        }
        return false;
    }

    int bits_;
    std::vector<unsigned> small_primes_ = odd_primes();
    std::vector<bool> composite_;
    Owned<BN_CTX, BN_CTX_free> context_{BN_CTX_secure_new()};
    Owned<BN_MONT_CTX, BN_MONT_CTX_free> montgomery_{BN_MONT_CTX_new()};
    Number start_ = number(), less_one_ = number(), odd_ = number(), base_ = number(), power_ = number();
};

struct Parts {
    Number n = number(), e = number(), d = number(), p = number(), q = number(), dp = number(), dq = number(),
           inverse = number();
};

/// Everything that follows from p and q.
bool complete(Parts& key, BN_CTX* context) {
    auto const p1 = number(), q1 = number(), product = number(), divisor = number(), order = number();
    if (BN_sub(p1.get(), key.p.get(), BN_value_one()) != 1 || BN_sub(q1.get(), key.q.get(), BN_value_one()) != 1)
        return false;
    if (BN_mul(product.get(), p1.get(), q1.get(), context) != 1 ||
        BN_gcd(divisor.get(), p1.get(), q1.get(), context) != 1)
        return false;
    if (BN_div(order.get(), nullptr, product.get(), divisor.get(), context) != 1 ||
        BN_set_word(key.e.get(), kExponent) != 1)
        return false;
    for (auto* secret : {order.get(), p1.get(), q1.get(), key.p.get(), key.q.get(), key.d.get()})
        BN_set_flags(secret, BN_FLG_CONSTTIME);
    return BN_mod_inverse(key.d.get(), key.e.get(), order.get(), context) != nullptr &&
           BN_mul(key.n.get(), key.p.get(), key.q.get(), context) == 1 &&
           BN_mod(key.dp.get(), key.d.get(), p1.get(), context) == 1 &&
           BN_mod(key.dq.get(), key.d.get(), q1.get(), context) == 1 &&
           BN_mod_inverse(key.inverse.get(), key.q.get(), key.p.get(), context) != nullptr;
}

EVP_PKEY* to_key(Parts const& key) {
    Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> const builder{OSSL_PARAM_BLD_new()};
    std::pair<char const*, BIGNUM const*> const parts[] = {
        {OSSL_PKEY_PARAM_RSA_N, key.n.get()},          {OSSL_PKEY_PARAM_RSA_E, key.e.get()},
        {OSSL_PKEY_PARAM_RSA_D, key.d.get()},          {OSSL_PKEY_PARAM_RSA_FACTOR1, key.p.get()},
        {OSSL_PKEY_PARAM_RSA_FACTOR2, key.q.get()},    {OSSL_PKEY_PARAM_RSA_EXPONENT1, key.dp.get()},
        {OSSL_PKEY_PARAM_RSA_EXPONENT2, key.dq.get()}, {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, key.inverse.get()}};
    for (auto const& [name, value] : parts)
        if (OSSL_PARAM_BLD_push_BN(builder.get(), name, value) != 1) return nullptr;
    Owned<OSSL_PARAM, OSSL_PARAM_free> const params{OSSL_PARAM_BLD_to_param(builder.get())};
    Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> const context{EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr)};
    EVP_PKEY* made = nullptr;
    if (params == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1) return nullptr;
    return EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEYPAIR, params.get()) == 1 ? made : nullptr;
}

}  // namespace

EVP_PKEY* generate_rsa(int bits) {
    PrimeFinder finder{bits / 2};
    Parts key;
    auto const difference = number();
    do {
        if (!finder.find(key.p.get()) || !finder.find(key.q.get())) return nullptr;
        if (BN_sub(difference.get(), key.p.get(), key.q.get()) != 1) return nullptr;
    } while (BN_num_bits(difference.get()) <= bits / 2 - 100);  // FIPS 186-5: |p - q| > 2^(bits/2 - 100)
    if (BN_is_negative(difference.get())) std::swap(key.p, key.q);
    Owned<BN_CTX, BN_CTX_free> const context{BN_CTX_secure_new()};
    return complete(key, context.get()) ? to_key(key) : nullptr;
}

}  // namespace holdfast::crypto
