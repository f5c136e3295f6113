// modules/kustomize/memo.cpp: counting references first, so that only shared directories cost a copy.
#include "modules/kustomize/memo.hpp"

#include "modules/base/limits.hpp"
#include "modules/kustomize/context.hpp"
#include "modules/kustomize/decode.hpp"

namespace holdfast::kustomize {

void Memo::survey(Loader const& top) {
    references_[top.root()] = 1;
    visit(top, 0, 1);
}

void Memo::visit(Loader const& loader, std::size_t depth, std::size_t weight) {
    if (depth > limits::kKustomizeDepthMax || references_.size() > limits::kKustomizeDirectoriesMax) return;
    auto const file = find_kustomization(loader);
    if (!file) return;
    auto const kustomization = decode_kustomization(file->text, loader.root());
    if (!kustomization) return;
    auto const follow = [&](std::string const& path, std::size_t inner_weight) {
        auto const inner = loader.enter(path);
        if (!inner) return;
        auto& count = references_[inner->root()];
        bool const is_new = count == 0;
        count += weight;
        if (is_new) visit(*inner, depth + 1, inner_weight);
    };
    for (auto const& path : kustomization->resources) {
        if (path.find('\n') == std::string::npos && !path.ends_with(".yaml") && !path.ends_with(".yml")) follow(path, 1);
    }
    // A component is built anew each time it is named, so what it refers to counts as shared.
    for (auto const& path : kustomization->components) follow(path, 2);
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
    for (auto const* object : from.objects.all()) {
        auto made = context.copy(*object);
        if (!made) return fail(std::move(made));
        objects.push_back(*made);
    }
    out.objects.assign(std::move(objects));
    return out;
}

Result<void> Memo::keep(Context& context, std::string const& key, Accumulator const& result, std::vector<std::string> roots) {
    auto kept = copy(context, result);
    if (!kept) return fail(std::move(kept));
    entries_.emplace(key, Entry{std::move(*kept), std::move(roots)});
    return {};
}

}  // namespace holdfast::kustomize
