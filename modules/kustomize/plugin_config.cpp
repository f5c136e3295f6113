// modules/kustomize/plugin_config.cpp: texts written as YAML and read again.
#include "modules/kustomize/plugin_config.hpp"

#include "modules/yaml/json.hpp"

#include <algorithm>

namespace holdfast::kustomize {
namespace {

/// ASCII, but for U+007F, arrives as it is: JSON escapes the rest of the control characters.
bool is_plain(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x7F; });
}

Result<void> pass(std::string_view plugin, std::string& text) {
    if (is_plain(text)) return {};
    auto written = yaml::write_sigs(boost::json::object{{"text", text}});
    auto read = written ? yaml::read_sigs(*written) : Result<boost::json::value>{std::unexpected{written.error()}};
    if (!read) return fail(std::move(read), "builtin " + std::string{plugin} + " marshal");
    text = read->at("text").as_string();
    return {};
}

Result<void> pass(std::string_view plugin, std::optional<StringMap>& map) {
    if (!map) return {};
    for (auto& [key, value] : *map) {
        if (auto ok = check_config(plugin, {key}); !ok) return ok;
        if (auto ok = pass(plugin, value); !ok) return ok;
    }
    return {};
}

}  // namespace

Result<void> pass_through_config(std::string_view plugin, GeneratorArgs& args) {
    for (auto* text : {&args.name, &args.ns, &args.type}) {
        if (auto ok = pass(plugin, *text); !ok) return ok;
    }
    for (auto* list : {&args.literals, &args.files, &args.envs}) {
        for (auto& text : *list) {
            if (auto ok = pass(plugin, text); !ok) return ok;
        }
    }
    if (!args.options) return {};
    if (auto ok = pass(plugin, args.options->labels); !ok) return ok;
    return pass(plugin, args.options->annotations);
}

Result<void> check_config(std::string_view plugin, std::initializer_list<std::string_view> texts) {
    for (auto const text : texts) {
        std::string copy{text};
        if (auto ok = pass(plugin, copy); !ok) return ok;
    }
    return {};
}

Result<void> check_config(std::string_view plugin, StringMap const& texts) {
    for (auto const& [key, value] : texts) {
        if (auto ok = check_config(plugin, {key, value}); !ok) return ok;
    }
    return {};
}

}  // namespace holdfast::kustomize
