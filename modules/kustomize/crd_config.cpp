// modules/kustomize/crd_config.cpp: transformer configuration from the x-kubernetes-* hints of `crds:` files.
#include "modules/kustomize/config.hpp"

#include "modules/yaml/json.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <optional>
#include <vector>

namespace holdfast::kustomize {
namespace {

namespace json = boost::json;

constexpr std::size_t kDepthMax = 64;            // references that lead from type to type
constexpr std::size_t kPropertiesMax = 100'000;  // of all types, each counted as often as it is reached

json::object const* object_in(json::object const& object, std::string_view name) {
    auto const* const found = object.if_contains(name);
    return found ? found->if_object() : nullptr;
}

std::optional<std::string> text_in(json::object const& object, std::string_view name) {
    auto const* const found = object.if_contains(name);
    auto const* const text = found ? found->if_string() : nullptr;
    return text ? std::optional{std::string{*text}} : std::nullopt;
}

/// spec.Schema of a type: encoding/json finds "Schema" in any case.
json::object const* schema_of(json::object const& types, std::string_view name) {
    auto const* const type = object_in(types, name);
    if (!type) return nullptr;
    if (auto const* const exact = object_in(*type, "Schema")) return exact;
    return object_in(*type, "schema");
}

/// Go walks maps in no order; this one goes by name, so that two builds agree.
std::vector<std::string_view> sorted_names(json::object const& object) {
    std::vector<std::string_view> names;
    for (auto const& [name, value] : object) names.emplace_back(name);
    std::ranges::sort(names);
    return names;
}

class Reader {
public:
    explicit Reader(json::object const& types) : types_{types} {}

    Result<void> read(std::string_view type, std::string_view kind, std::string const& path, TransformerConfig& into,
                      std::size_t depth = 0) {
        auto const* const schema = schema_of(types_, type);
        auto const* const properties = schema ? object_in(*schema, "properties") : nullptr;
        if (!properties) return {};
        if (depth > kDepthMax) return fail(Errc::limit, "types refer to each other too deeply");
        for (auto const name : sorted_names(*properties)) {
            if (++seen_ > kPropertiesMax) return fail(Errc::limit, "types have too many properties");
            auto const* const property = properties->at(name).if_object();
            if (!property) continue;
            auto const own = path.empty() ? std::string{name} : path + "/" + std::string{name};
            if (auto done = property_hints(*property, kind, own, into); !done) return done;
            auto const reference = text_in(*property, "$ref");
            if (!reference) continue;
            if (auto done = read(*reference, kind, own, into, depth + 1); !done) return done;
        }
        return {};
    }

private:
    static Result<void> property_hints(json::object const& property, std::string_view kind, std::string const& path,
                                       TransformerConfig& into) {
        FieldSpec const spec{.kind = std::string{kind}, .path = path};
        if (text_in(property, "x-kubernetes-annotation")) {
            if (auto done = merge_spec(into.common_annotations, spec); !done) return done;
        }
        if (text_in(property, "x-kubernetes-label-selector")) {
            if (auto done = merge_spec(into.common_labels, spec); !done) return done;
        }
        if (text_in(property, "x-kubernetes-identity")) {
            if (auto done = merge_spec(into.name_prefix, spec); !done) return done;
        }
        auto const version = text_in(property, "x-kubernetes-object-ref-api-version");
        auto const target = text_in(property, "x-kubernetes-object-ref-kind");
        if (!version || !target) return {};
        auto const key = text_in(property, "x-kubernetes-object-ref-name-key").value_or("name");
        NameBackReferences const references{.gvk = {.version = *version, .kind = *target},
                                            .referrers = {{.kind = std::string{kind}, .path = path + "/" + key}}};
        return merge_references(into.name_reference, references);
    }

    json::object const& types_;
    std::size_t seen_ = 0;
};

}  // namespace

Result<TransformerConfig> config_from_crd(std::string_view text) {
    json::value document;
    if (text.starts_with('{')) {
        json::error_code ec;
        document = json::parse(text, ec);
        if (ec) return fail(Errc::invalid_input, ec.message());
    } else {
        auto read = yaml::read_sigs(text);
        if (!read) return fail(std::move(read));
        document = std::move(*read);
    }
    TransformerConfig config;
    if (document.is_null()) return config;
    auto const* const types = document.if_object();
    if (!types) return fail(Errc::invalid_input, "error unmarshaling JSON: not an object");
    for (auto const name : sorted_names(*types)) {
        auto const& type = types->at(name);
        if (type.is_object() || type.is_null()) continue;
        char const* const kind = type.is_string()  ? "string"
                                 : type.is_array() ? "array"
                                 : type.is_bool()  ? "bool"
                                                   : "number";
        return fail(Errc::invalid_input,
                    std::string{text.starts_with('{') ? "" : "error unmarshaling JSON: while decoding JSON: "} +
                        "json: cannot unmarshal " + kind + " into Go value of type accumulator.OpenAPIDefinition");
    }
    Reader reader{*types};
    for (auto const name : sorted_names(*types)) {
        auto const* const schema = schema_of(*types, name);
        auto const* const properties = schema ? object_in(*schema, "properties") : nullptr;
        if (!properties || !properties->contains("kind") || !properties->contains("apiVersion") ||
            !properties->contains("metadata")) {
            continue;
        }
        TransformerConfig own;
        if (auto done = reader.read(name, name.substr(name.rfind('.') + 1), "", own); !done)
            return fail(std::move(done));
        if (auto done = merge_config(config, own); !done) return fail(std::move(done));
    }
    return config;
}

}  // namespace holdfast::kustomize
