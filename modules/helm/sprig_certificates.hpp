// modules/helm/sprig_certificates.hpp: genPrivateKey, genCA and their kin; part of sprig_crypto.hpp.
#pragma once

#include "modules/text/gotemplate/funcs.hpp"

namespace holdfast::helm {

void add_sprig_certificates(gotemplate::FuncMap& funcs);

}  // namespace holdfast::helm
