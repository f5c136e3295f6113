// modules/helm/go_struct.cpp: declarations of Helm's own structs; of others the fields are what they show.
#include "modules/helm/go_struct.hpp"

#include <array>

namespace holdfast::helm {

using gotemplate::Kind;
using gotemplate::Value;

namespace {

struct Declaration {
    std::string_view type;
    std::array<std::string_view, 5> fields;  // "": not exported
};

constexpr Declaration kDeclarations[] = {
    {"common.KubeVersion", {"Version", "", "Major", "Minor"}},
    {"version.BuildInfo", {"Version", "GitCommit", "GitTreeState", "GoVersion", "KubeClientVersion"}},
};

}  // namespace

std::vector<GoField> go_fields(gotemplate::Object const& object) {
    std::vector<GoField> out;
    for (auto const& declaration : kDeclarations) {
        if (declaration.type != object.type().name) continue;
        for (std::size_t place = 0; place < declaration.fields.size(); ++place) {
            auto const name = declaration.fields[place];
            if (name.empty()) continue;
            if (auto value = object.field(name)) out.push_back({name, place, *std::move(value)});
        }
        return out;
    }
    for (auto& [name, value] : object.fields()) out.push_back({name, out.size(), std::move(value)});
    return out;
}

bool is_text_marshaler(Value const& value) {
    if ((value.kind() != Kind::structure && value.kind() != Kind::pointer) || value.is_nil()) return false;
    auto const* object = value.as_object();
    return object->fields().empty() && object->text().has_value();
}

}  // namespace holdfast::helm
