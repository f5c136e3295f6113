// modules/text/gotemplate/sprig.hpp: Masterminds/sprig v3.3.0, one file per family.
// Crypto is not here (modules/helm/sprig_crypto.hpp); env and expandenv exist nowhere.
#pragma once

#include "modules/text/gotemplate/funcs.hpp"

namespace holdfast::gotemplate {

void add_sprig_strings(FuncMap& funcs);
void add_sprig_numbers(FuncMap& funcs);
void add_sprig_lists(FuncMap& funcs);
void add_sprig_dicts(FuncMap& funcs);
void add_sprig_defaults(FuncMap& funcs);  // default, empty, coalesce, ternary, json, reflection, deepCopy
void add_sprig_dates(FuncMap& funcs);
void add_sprig_encoding(FuncMap& funcs);  // b64, b32, paths, url, uuid, random, adler
void add_sprig_regex(FuncMap& funcs);
void add_sprig_semver(FuncMap& funcs);

/// All of the above.
void add_sprig(FuncMap& funcs);

}  // namespace holdfast::gotemplate
