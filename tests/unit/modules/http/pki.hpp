// tests/unit/modules/http/pki.hpp: certificates made for one test.
#pragma once

#include <string>

namespace holdfast::test {

struct Identity {
    std::string certificate_pem;
    std::string key_pem;
};

/// A CA, and certificates it signs. `subject_names` as in subjectAltName: "DNS:localhost,IP:127.0.0.1".
class TestCa {
public:
    TestCa();
    std::string const& certificate_pem() const { return ca_.certificate_pem; }
    Identity issue(std::string const& common_name, std::string const& subject_names, int days = 1) const;

private:
    Identity ca_;
};

}  // namespace holdfast::test
