// modules/kustomize/memo.cpp: counting references first, so that only shared directories cost a copy.
#include "modules/kustomize/memo.hpp"

#include "modules/base/limits.hpp"
#include "modules/kustomize/context.hpp"
#include "modules/kustomize/decode.hpp"
#include "modules/yaml/parse.hpp"

#include <algorithm>

namespace holdfast::kustomize {

namespace {

/// Asks for every URL that a kustomization reads as a file, so that one round of fetching brings them all.
void ask_for_files(Loader const& loader, Kustomization const& kustomization) {
    auto const ask = [&](std::string const& path) {
        if (is_remote_file(path)) (void)loader.load(path).has_value();
    };
    auto const ask_all = [&](std::vector<std::string> const& paths) { std::ranges::for_each(paths, ask); };
    if (auto const path = kustomization.openapi.find("path"); path != kustomization.openapi.end()) ask(path->second);
    ask_all(kustomization.crds);
    ask_all(kustomization.configurations);
    ask_all(kustomization.patches_strategic_merge);
    for (auto const& patch : kustomization.patches) ask(patch.path);
    for (auto const& patch : kustomization.patches_json6902) ask(patch.path);
    for (auto const& field : kustomization.replacements) ask(field.path);
    for (auto const* const list : {&kustomization.config_maps, &kustomization.secrets}) {
        for (auto const& args : *list) {
            ask_all(args.envs);
            ask(args.env);
            for (auto const& source : args.files) ask(source.substr(source.find('=') + 1));
        }
    }
    for (auto const& chart : kustomization.helm_charts) {
        ask(chart.values_file);
        ask_all(chart.additional_values_files);
    }
}

/// What answers a GET may be the page of a repository: then the build goes on to the repository.
bool is_file(Loader const& loader, std::string const& path) {
    auto const text = loader.load(path);
    if (!text) return text.error().message.ends_with(kNotFetched);
    yaml::Arena arena;
    auto const document = yaml::parse(arena, *text);
    auto const* const root = document && *document ? yaml::root_of(*document) : nullptr;
    return root && (root->is_map() || root->is_seq());
}

}  // namespace

void Memo::survey(Loader const& top, Kustomization const& kustomization) {
    references_[top.root()] = 1;
    visit(top, kustomization, 0, 1);
}

void Memo::visit(Loader const& loader, Kustomization const& kustomization, std::size_t depth, std::size_t weight) {
    ask_for_files(loader, kustomization);
    for (auto const* const list : {&kustomization.resources, &kustomization.generators, &kustomization.transformers,
                                   &kustomization.validators}) {
        for (auto const& path : *list) {
            bool const is_remote = is_remote_file(path);
            if (path.find('\n') != std::string::npos || (is_remote && is_file(loader, path))) continue;
            if (is_remote || (!path.ends_with(".yaml") && !path.ends_with(".yml")))
                follow(loader, path, depth, weight, 1);
        }
    }
    // A component is built anew each time it is named, so what it refers to counts as shared.
    for (auto const& path : kustomization.components) follow(loader, path, depth, weight, 2);
}

void Memo::follow(Loader const& loader, std::string const& path, std::size_t depth, std::size_t weight,
                  std::size_t inner_weight) {
    if (depth >= limits::kKustomizeDepthMax || references_.size() > limits::kKustomizeDirectoriesMax) return;
    auto const inner = loader.enter(path);
    if (!inner) return;
    auto& count = references_[inner->root()];
    bool const is_new = count == 0;
    count += weight;
    if (!is_new) return;
    auto const file = find_kustomization(*inner);
    if (!file) return;
    auto const kustomization = decode_kustomization(file->text, inner->root());
    if (kustomization) visit(*inner, *kustomization, depth + 1, inner_weight);
}

bool Memo::is_shared(std::string const& root) const {
    auto const found = references_.find(root);
    return found != references_.end() && found->second > 1;
}

Memo::Entry const* Memo::find(std::string const& key) const {
    auto const found = entries_.find(key);
    return found == entries_.end() ? nullptr : &found->second;
}

Result<Accumulator> Memo::copy(Context& context, Accumulator const& from) {
    Accumulator out;
    out.config = from.config;
    out.vars = from.vars;
    std::vector<Resource*> objects;
    yaml::SharedScalars shared;  // a label is one node in all the fields it was added to, as in kustomize
    for (auto const* object : from.objects.all()) {
        auto made = context.copy(*object, &shared);
        if (!made) return fail(std::move(made));
        objects.push_back(*made);
    }
    out.objects.assign(std::move(objects));
    return out;
}

Result<void> Memo::keep(Context& context, std::string const& key, Accumulator const& result,
                        std::vector<std::string> roots) {
    auto kept = copy(context, result);
    if (!kept) return fail(std::move(kept));
    entries_.emplace(key, Entry{std::move(*kept), std::move(roots)});
    return {};
}

}  // namespace holdfast::kustomize
