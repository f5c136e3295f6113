// tests/fuzz/patch_merge_fuzz.cpp: strategic merge of whatever two YAML documents say.
#include "modules/patch/json_node.hpp"
#include "modules/patch/merge.hpp"
#include "modules/yaml/emit.hpp"
#include "modules/yaml/parse.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace {

using namespace holdfast;

bool has_alias(yaml::Node const& node) {
    if (node.is_alias()) return true;
    for (auto const* const child : node.items()) {
        if (has_alias(*child)) return true;
    }
    return false;
}

}  // namespace

/// Input: the object, a line "---", the patch. The first byte picks the options.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size < 1 || size > 65'536) return 0;
    std::string_view const text{reinterpret_cast<char const*>(data) + 1, size - 1};
    yaml::Arena arena;
    auto documents = yaml::parse_all(arena, text);
    if (!documents || documents->size() < 2) return 0;
    auto* const target = yaml::root_of((*documents)[0]);
    auto* const change = yaml::root_of((*documents)[1]);
    if (!target || !change || has_alias(*target) || has_alias(*change)) return 0;

    auto const merged = patch::merge(arena, {}, *change, *target,
                                     {.growth = data[0] & 1 ? patch::ListGrowth::append : patch::ListGrowth::prepend,
                                      .infer_keys = (data[0] & 2) != 0});
    if (!merged || !*merged) return 0;
    (void)yaml::emit(**merged);
    (void)patch::to_json_as_written(**merged);
    return 0;
}
