// modules/helm/output.cpp: "# Source:" blocks in order, and picking some of them.
#include "modules/helm/output.hpp"

#include "modules/helm/text.hpp"
#include "modules/text/glob/glob.hpp"

#include <algorithm>

namespace holdfast::helm {
namespace {

std::string block(std::string const& path, std::string const& text) {
    return "---\n# Source: " + path + '\n' + text + '\n';
}

bool is_test(Hook const& hook) { return std::ranges::find(hook.events, "test") != hook.events.end(); }

/// First match of "# Source: [^/]+/(.+)": the path below the chart, or nothing.
std::string_view source_path(std::string_view document) {
    constexpr std::string_view kMark = "# Source: ";
    for (auto at = document.find(kMark); at != document.npos; at = document.find(kMark, at + 1)) {
        auto rest = document.substr(at + kMark.size());
        auto const slash = rest.find('/');
        if (slash == rest.npos || slash == 0) continue;
        rest.remove_prefix(slash + 1);
        rest = rest.substr(0, rest.find('\n'));
        if (!rest.empty()) return rest;
    }
    return {};
}

Result<std::string> pick(std::string_view everything, std::span<std::string const> patterns) {
    auto const documents = split_manifests(everything);
    std::string out;
    for (auto const& pattern : patterns) {
        bool missing = true;
        for (auto const& document : documents) {
            auto const path = source_path(document);
            if (path.empty()) continue;
            auto const matched = glob::match_path(pattern, path);
            if (!matched || !*matched) continue;
            out += "---\n" + document + '\n';
            missing = false;
        }
        if (missing) return fail(Errc::not_found, "could not find template " + pattern + " in chart");
    }
    return out;
}

}  // namespace

Result<std::string> print(Rendered const& rendered, OutputOptions const& options) {
    std::string manifests;
    if (options.include_crds) {
        for (auto const& crd : rendered.crds) manifests += block(crd.filename, crd.data);
    }
    for (auto const& manifest : rendered.manifests) manifests += block(manifest.path, manifest.content);
    std::string out{trimmed(manifests)};
    out += '\n';
    if (!options.no_hooks) {
        for (auto const& hook : rendered.hooks) {
            if (!options.skip_tests || !is_test(hook)) out += block(hook.path, hook.manifest);
        }
    }
    if (options.show_only.empty()) return out;
    return pick(out, options.show_only);
}

Result<std::string> print(RenderFailure const& failure, OutputOptions const& options) {
    auto const out = std::string{trimmed(failure.manifests)} + '\n';
    if (options.show_only.empty()) return out;
    return pick(out, options.show_only);
}

std::vector<OutputFile> print_files(Rendered const& rendered, OutputOptions const& options) {
    std::vector<OutputFile> files;
    if (options.include_crds) {
        for (auto const& crd : rendered.crds)
            files.push_back({crd.filename, block(crd.filename, crd.data), false, true});
    }
    for (auto const& manifest : rendered.manifests)
        files.push_back({manifest.path, block(manifest.path, manifest.content)});
    if (options.no_hooks) return files;
    for (auto const& hook : rendered.hooks) {
        if (!options.skip_tests || !is_test(hook)) files.push_back({hook.path, block(hook.path, hook.manifest), true});
    }
    return files;
}

}  // namespace holdfast::helm
