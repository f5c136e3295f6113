// modules/text/jsonschema/draft.cpp: the drafts and their built-in metaschemas.
#include "modules/text/jsonschema/schema.hpp"

#include "modules/base/assert.hpp"

#include <array>
#include <mutex>

namespace holdfast::jsonschema {
namespace {

struct Metaschema {
    std::string_view path;
    std::string_view text;
};
constexpr Metaschema kMetaschemas[] = {
#include "modules/text/jsonschema/metaschemas.inc"
};

constexpr std::array<Draft, 5> kDrafts{{{4, "http://json-schema.org/draft-04/schema", "id"},
                                        {6, "http://json-schema.org/draft-06/schema", "$id"},
                                        {7, "http://json-schema.org/draft-07/schema", "$id"},
                                        {2019, "https://json-schema.org/draft/2019-09/schema", "$id"},
                                        {2020, "https://json-schema.org/draft/2020-12/schema", "$id"}}};

std::string_view without_scheme(std::string_view url) {
    for (std::string_view const scheme : {"http://", "https://"}) {
        if (url.starts_with(scheme)) return url.substr(scheme.size());
    }
    return url;
}

/// One compiled metaschema, made when first asked for: most programs see one draft.
struct CompiledDraft {
    std::once_flag once;
    Compiled compiled;
    Subschema const* schema = nullptr;
};

}  // namespace

Draft const& latest_draft() { return kDrafts.back(); }

Draft const* draft_of_url(std::string_view url) {
    auto const [base, fragment] = split_url(url);
    if (!fragment.empty()) return nullptr;
    auto const name = without_scheme(base);
    if (name == "json-schema.org/schema") return &latest_draft();
    for (auto const& draft : kDrafts) {
        if (without_scheme(draft.url) == name) return &draft;
    }
    return nullptr;
}

std::string_view metaschema_text(std::string_view url) {
    auto name = without_scheme(url);
    if (name.size() == url.size() || !name.starts_with("json-schema.org/")) return {};
    name.remove_prefix(16);
    if (name == "schema") name = "draft/2020-12/schema";
    for (auto const& known : kMetaschemas) {
        if (known.path == name) return known.text;
    }
    return {};
}

Subschema const* metaschema(Draft const& draft) {
    static std::array<CompiledDraft, kDrafts.size()> drafts;
    auto& own = drafts[static_cast<std::size_t>(&draft - kDrafts.data())];
    std::call_once(own.once, [&] {
        auto made = compile_into(own.compiled, std::string{draft.url}, true);
        HOLDFAST_ASSERT(made);
        own.schema = *made;
    });
    return own.schema;
}

}  // namespace holdfast::jsonschema
