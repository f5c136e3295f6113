// Parses arbitrary bytes as a template: never a crash, and what parses prints and parses again.
#include "modules/text/gotemplate/node.hpp"
#include "modules/text/gotemplate/sprig.hpp"
#include "modules/text/gotemplate/template.hpp"

#include <cstdint>

using namespace holdfast::gotemplate;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    static FuncMap const funcs = [] {
        FuncMap made;
        add_sprig(made);
        return made;
    }();
    TemplateSet set{funcs};
    if (!set.parse("t", {reinterpret_cast<char const*>(data), size})) return 0;
    for (auto const& name : set.names()) {
        TemplateSet again{funcs};
        (void)again.parse("t", to_string(*set.find(name)->root)).has_value();
    }
    return 0;
}
