// modules/http/trust.hpp: whom a source trusts beside what its machine does, and who it is, as one TLS context.
#pragma once

#include "modules/http/tls.hpp"

#include <functional>
#include <memory>
#include <string>

namespace holdfast::http {

/// What a source brings of its own. `ca_pem` is trusted beside the machine's bundle.
struct Certificates {
    std::string ca_pem;
    std::string certificate_pem;
    std::string key_pem;
};

/// The certificates the machine trusts, for who may not read them; null: reads them.
using Bundle = std::function<std::string()>;

/// Errors  invalid_input, not_found  as TlsContext::client(): a CA that does not parse is noticed although the bundle is good
/// Cost    without certificates and bundle the same context for five minutes: the bundle takes some 10 ms to parse
Result<std::shared_ptr<TlsContext const>> trusting(Certificates const& own, Bundle const& bundle);

}  // namespace holdfast::http
