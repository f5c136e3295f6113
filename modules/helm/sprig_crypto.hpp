// modules/helm/sprig_crypto.hpp: sprig's hashes, passwords, keys and certificates.
#pragma once

#include "modules/text/gotemplate/funcs.hpp"

namespace holdfast::helm {

/// sha1sum, sha256sum, sha512sum, bcrypt, htpasswd, derivePassword, genPrivateKey, genCA..., encryptAES, decryptAES.
/// Each call costs steps of the budget in proportion to its time: about twenty RSA keys fit a render.
void add_sprig_crypto(gotemplate::FuncMap& funcs);

}  // namespace holdfast::helm
