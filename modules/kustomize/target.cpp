// modules/kustomize/target.cpp: AccumulateTarget: resources, generators, components, transformers, validators, vars.
#include "modules/kustomize/target.hpp"

#include "modules/base/limits.hpp"
#include "modules/kustomize/context.hpp"
#include "modules/kustomize/decode.hpp"
#include "modules/kustomize/factory.hpp"
#include "modules/kustomize/memo.hpp"
#include "modules/kustomize/nameref.hpp"
#include "modules/kustomize/text.hpp"
#include "modules/kustomize/vars.hpp"

#include <algorithm>

namespace holdfast::kustomize {

Result<KustomizationFile> find_kustomization(Loader const& loader) {
    std::optional<KustomizationFile> found;
    for (auto const* name : {"kustomization.yaml", "kustomization.yml", "Kustomization"}) {
        auto text = loader.load(name);
        if (!text) {
            if (text.error().code == Errc::limit) return fail(std::move(text));
            continue;
        }
        if (found) {
            return fail(Errc::invalid_input, "Found multiple kustomization files under: " + loader.root() + "\n");
        }
        found = KustomizationFile{name, std::move(*text)};
    }
    if (found) return std::move(*found);
    return fail(Errc::not_found,
                "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in "
                "directory '" +
                    loader.root() + "'");
}

Result<void> Target::load(bool top) {
    auto file = find_kustomization(loader_);
    if (!file && !(top && context_.options.edit_top && file.error().code == Errc::not_found))
        return fail(std::move(file));
    text_ = file ? std::move(file->text) : std::string{};
    file_name_ = file ? file->name : "kustomization.yaml";
    std::string edited_text;
    std::string_view text = text_;
    if (top && context_.options.edit_top) {
        auto edited = context_.options.edit_top(loader_.root(), file ? file_name_ : "", text_);
        if (!edited) {
            context_.blame.note_kustomization(join_path(loader_.root(), file_name_), place_of_error(text_));
            return fail(std::move(edited));
        }
        text = edited_text = std::move(*edited);
    }
    yaml::Place place;
    auto kustomization = decode_kustomization(
        text, loader_.root(),
        {.edited = top && context_.options.edit_top != nullptr, .written = text_, .place = &place});
    if (!kustomization) {
        context_.blame.note_kustomization(join_path(loader_.root(), file_name_), place);
        return fail(std::move(kustomization));
    }
    kustomization_ = std::move(*kustomization);
    for (auto& warning : kustomization_.warnings) context_.warn(std::move(warning));
    auto ok = top ? choose_schema(true) : Result<void>{};
    if (!ok) take_blame();
    return ok;
}

/// openapi.SetSchema: the first kustomization that names one decides; the top one always does.
Result<void> Target::choose_schema(bool reset) {
    entry_ = {"openapi"};
    std::optional<std::string> text;
    if (auto const path = kustomization_.openapi.find("path"); path != kustomization_.openapi.end()) {
        auto content = loader_.load(path->second);
        if (!content) return fail(std::move(content));
        text = std::move(*content);
    }
    if (context_.schema_is_chosen && !reset) return {};
    auto const version = kustomization_.openapi.find("version");
    if (text) {
        if (version != kustomization_.openapi.end()) {
            return fail(Errc::invalid_input, "builtin version and custom schema provided, cannot use both");
        }
        using Builtin = patch::Schema::Builtin;
        auto schema = patch::Schema::parse(*text, context_.builtin_merged     ? Builtin::below
                                                  : context_.unknown_type_met ? Builtin::above
                                                                              : Builtin::none);
        if (!schema) {
            context_.blame.note_file(join_path(loader_.root(), kustomization_.openapi.at("path")), *text);
            return fail(std::move(schema), "invalid schema file");
        }
        context_.schema = std::move(*schema);
        context_.schema_is_chosen = true;
        return {};
    }
    if (version == kustomization_.openapi.end() || version->second.empty()) return {};
    auto schema = patch::Schema::of_version(version->second);
    if (!schema) return fail(std::move(schema));
    context_.schema = std::move(*schema);
    context_.schema_is_chosen = true;
    return {};
}

Result<ResMap> Target::build() {
    auto made = build_all();
    if (!made) take_blame();
    return made;
}

Result<ResMap> Target::build_all() {
    if (!kustomization_.build_metadata.empty()) origin_.emplace();
    Accumulator all;
    if (auto ok = accumulate(all); !ok) return fail(std::move(ok));
    entry_ = {};
    if (auto ok = add_hashes()(all.objects); !ok) return fail(std::move(ok));
    if (auto ok = fix_references(all.config.get().name_reference, all.objects); !ok) return fail(std::move(ok));
    std::vector<Var> vars;
    for (auto const& [name, var] : all.vars) vars.push_back(var);
    if (!vars.empty()) {
        auto ok = resolve_vars(context_, vars, all.config.get().var_reference, all.objects);
        if (!ok) return fail(std::move(ok));
    }
    if (auto ok = drop_local(all.objects); !ok) return fail(std::move(ok));
    return std::move(all.objects);
}

Result<void> Target::drop_local(ResMap& objects) const {
    std::vector<Resource*> kept;
    for (auto* const object : objects.all()) {
        if (object->gone()) continue;
        if (auto ok = check_metadata(object->root()); !ok) return ok;
        auto const local = object->annotation_of(annotation::kLocalConfig);
        if (!local || *local == "false") kept.push_back(object);
    }
    ResMap distinct;
    if (auto ok = distinct.append_all(kept); !ok) return ok;
    objects.assign(std::move(kept));
    return {};
}

void Target::take_blame() const {
    context_.blame.note_kustomization(join_path(loader_.root(), file_name_), text_, entry_);
}

Result<void> Target::accumulate(Accumulator& into) {
    auto ok = accumulate_all(into);
    if (!ok) take_blame();
    return ok;
}

Result<void> Target::accumulate_all(Accumulator& into) {
    for (entry_ = {"resources", 0}; entry_.index < kustomization_.resources.size(); ++entry_.index) {
        auto ok = add_resource(into, kustomization_.resources[entry_.index]);
        if (!ok) return fail(std::move(ok), "accumulating resources");
    }
    if (auto ok = add_config(into); !ok) return ok;
    if (auto ok = run_generators(into); !ok) return ok;
    if (auto ok = add_components(into); !ok) return fail(std::move(ok), "accumulating components");
    if (auto ok = run_transformers(into); !ok) return ok;
    if (auto ok = run_validators(into); !ok) return ok;
    entry_ = {"vars"};
    if (auto ok = into.add_vars(kustomization_.vars); !ok)
        return fail(std::move(ok), "merging vars " + describe(kustomization_.vars));
    return context_.check_memory();
}

Result<void> Target::add_config(Accumulator& into) {
    if (kustomization_.configurations.empty()) {
        if (auto ok = into.config.merge_default(); !ok) return ok;
    } else {
        TransformerConfig files;
        for (entry_ = {"configurations", 0}; entry_.index < kustomization_.configurations.size(); ++entry_.index) {
            auto const& path = kustomization_.configurations[entry_.index];
            auto text = loader_.load(path);
            if (!text) return fail(std::move(text));
            auto more = parse_config(*text);
            if (!more) {
                context_.blame.note_file(join_path(loader_.root(), path), *text);
                return fail(std::move(more));
            }
            if (auto ok = merge_config(files, *more); !ok) return ok;
        }
        if (auto ok = into.config.merge_with_default(files); !ok) return ok;
    }
    auto const list = go_list(kustomization_.crds);
    TransformerConfig found;
    for (entry_ = {"crds", 0}; entry_.index < kustomization_.crds.size(); ++entry_.index) {
        auto const& path = kustomization_.crds[entry_.index];
        auto text = loader_.load(path);
        if (!text) return fail(std::move(text), "loading CRDs " + list);
        auto more = config_from_crd(*text);
        if (!more) {
            context_.blame.note_file(join_path(loader_.root(), path), *text);
            return fail(more.error().code, "loading CRDs " + list + ": unable to parse open API definition from '" +
                                               path + "': " + more.error().message);
        }
        if (auto ok = merge_config(found, *more); !ok) return fail(std::move(ok), "loading CRDs " + list);
    }
    if (kustomization_.crds.empty()) return {};
    if (auto ok = into.config.merge(found); !ok) return fail(std::move(ok), "merging CRDs " + describe(found));
    return {};
}

Result<void> Target::add_resource(Accumulator& into, std::string const& path) {
    auto as_file = add_file(into, path);
    if (as_file) return {};
    if (as_file.error().code == Errc::limit || context_.needs_fetching()) return as_file;
    // The server answered: there is no repository to look for.
    if (is_remote_file(path) && as_file.error().message.contains(kHttpError)) return as_file;
    auto const step = "accumulation err='" + as_file.error().message + "'";
    auto directory = loader_.enter(path);
    if (!directory) {
        if (as_file.error().message.find("MalformedYAMLError") != std::string::npos) return as_file;
        return fail(std::move(directory), step);
    }
    if (auto ok = add_directory(into, std::move(*directory), path, false); !ok) return fail(std::move(ok), step);
    return {};
}

Result<void> Target::add_components(Accumulator& into) {
    for (entry_ = {"components", 0}; entry_.index < kustomization_.components.size(); ++entry_.index) {
        auto const& path = kustomization_.components[entry_.index];
        auto directory = loader_.enter(path);
        if (!directory) {
            return fail(directory.error().code, "loader.New " + go_quote(directory.error().message));
        }
        auto ok = add_directory(into, std::move(*directory), path, true);
        if (!ok) return fail(ok.error().code, "accumulateDirectory: " + go_quote(ok.error().message));
    }
    return {};
}

Result<void> Target::add_file(Accumulator& into, std::string const& path) {
    auto const step = "accumulating resources from '" + path + "'";
    auto text = loader_.load(path);
    if (!text) return fail(std::move(text), step);
    auto objects = parse_objects(context_, *text);
    ResMap own;
    auto ok = objects ? own.append_all(*objects) : Result<void>{fail(std::move(objects))};
    if (!ok) {
        context_.blame.note_file(join_path(loader_.root(), path), *text);
        return fail(ok.error().code, step + ": " + name_file(ok.error().message, path));
    }
    if (origin_) {
        auto const note = origin_->append(path).text();
        for (auto* const object : own.all()) {
            auto const set = patch::set_entry(context_.arena, annotation::kOrigin, note, yaml::Tag::string);
            static FieldSpec const kAnnotations{.path = "metadata/annotations", .create = true};
            auto done = patch::apply(context_.arena, kAnnotations, *object->edit(), set,
                                     {yaml::Kind::mapping, yaml::Tag::mapping});
            if (!done) return fail(std::move(done), "cannot add path annotation for '" + path + "'");
        }
    }
    if (auto added = into.objects.append_all(own.all()); !added) {
        return fail(std::move(added), "merging resources from '" + path + "'");
    }
    return {};
}

Result<void> Target::add_directory(Accumulator& into, Loader loader, std::string const& path, bool component) {
    auto const outer = origin_;
    if (origin_) origin_ = origin_->append(path);
    auto ok = build_directory(into, loader, path, component);
    origin_ = outer;
    return ok;
}

Result<void> Target::build_directory(Accumulator& into, Loader& loader, std::string const&, bool component) {
    auto const root = loader.root();
    memo_.visited.push_back(root);
    if (memo_.visited.size() > limits::kKustomizeDirectoriesMax) {
        return fail(Errc::limit, "more than " + std::to_string(memo_.visited.size() - 1) + " directories built");
    }
    auto const first = memo_.visited.size() - 1;
    bool const is_clone = loader.is_clone();
    auto const clones = memo_.clones += is_clone ? 1 : 0;
    Target inner{context_, std::move(loader), memo_};
    if (auto ok = inner.load(); !ok) return fail(std::move(ok), "couldn't make target for path '" + root + "'");
    inner.kustomization_.build_metadata = kustomization_.build_metadata;
    inner.origin_ = origin_;
    inner.helm_namespace_ = kustomization_.ns.empty() ? helm_namespace_ : kustomization_.ns;
    if (auto ok = inner.choose_schema(false); !ok) {
        inner.take_blame();
        return ok;
    }
    bool const is_component = inner.kustomization_.kind == "Component";
    if (component && !is_component) {
        return fail(Errc::invalid_input,
                    "expected kind 'Component' for path '" + root + "' but got '" + inner.kustomization_.kind + "'");
    }
    if (!component && is_component) {
        return fail(Errc::invalid_input, "expected kind != 'Component' for path '" + root + "'");
    }
    auto const step = "recursed accumulation of path '" + root + "'";
    if (component) {
        // It works on what the referrer has so far.
        if (auto ok = inner.accumulate(into); !ok) return fail(std::move(ok), step);
        return into.config.merge_again();
    }
    Accumulator own;
    auto const key = root + '\n' + (origin_ ? origin_->text() : "") + '\n' + inner.helm_namespace_;
    auto const* const known = memo_.is_shared(root) ? memo_.find(key) : nullptr;
    if (known) {
        for (auto const& visited : known->roots) {
            if (is_clone) break;  // a fresh one, which nobody above was in
            if (auto ok = loader_.check_cycle(visited, root); !ok) return fail(std::move(ok), step);
        }
        auto copy = Memo::copy(context_, known->result);
        if (!copy) return fail(std::move(copy), step);
        own = std::move(*copy);
    } else {
        if (auto ok = inner.accumulate(own); !ok) return fail(std::move(ok), step);
        // Cycles over URLs are found by walking them, so what holds a URL is walked each time.
        if (memo_.is_shared(root) && memo_.clones == clones) {
            std::vector<std::string> roots{memo_.visited.begin() + static_cast<std::ptrdiff_t>(first),
                                           memo_.visited.end()};
            if (auto ok = memo_.keep(context_, key, own, std::move(roots)); !ok) return ok;
        }
    }
    if (auto ok = into.merge(own); !ok) return fail(std::move(ok), "recursed merging from path '" + root + "'");
    return {};
}

}  // namespace holdfast::kustomize
