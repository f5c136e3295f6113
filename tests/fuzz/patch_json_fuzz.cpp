// tests/fuzz/patch_json_fuzz.cpp: JSON patches, paths and selectors out of arbitrary bytes.
#include "modules/patch/fieldspec.hpp"
#include "modules/patch/json_patch.hpp"
#include "modules/patch/path.hpp"
#include "modules/patch/selector.hpp"
#include "modules/yaml/parse.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

/// Input: first byte picks what the second part is; a zero byte separates the object from it.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace holdfast;
    if (size < 1 || size > 65'536) return 0;
    std::string_view const text{reinterpret_cast<char const*>(data) + 1, size - 1};
    auto const zero = text.find('\0');
    if (zero == std::string_view::npos) return 0;
    auto const change = text.substr(zero + 1);
    yaml::Arena arena;
    auto document = yaml::parse(arena, text.substr(0, zero));
    if (!document || !*document) return 0;
    auto& object = **document;

    switch (data[0] % 4) {
        case 0:
            if (auto const patch = patch::JsonPatch::parse(change)) (void)patch->apply(arena, object);
            break;
        case 1: {
            auto const path = patch::split_field_path(change);
            (void)patch::match(arena, object, patch::Path{path}, data[0] & 4 ? yaml::Kind::scalar : yaml::Kind::none);
            (void)patch::lookup_create(arena, object, yaml::Kind::mapping, patch::Path{path});
            break;
        }
        case 2: {
            patch::FieldSpec const spec{.path = std::string{change}, .create = (data[0] & 4) != 0};
            (void)patch::apply(arena, spec, object, patch::set_scalar(arena, "yes"), {.kind = yaml::Kind::scalar});
            break;
        }
        default: (void)patch::matches_labels(object, change);
    }
    return 0;
}
