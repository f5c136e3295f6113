// modules/kustomize/loader.cpp: kustomize's rules for what a kustomization may read.
#include "modules/kustomize/loader.hpp"

#include "modules/base/limits.hpp"
#include "modules/kustomize/text.hpp"

#include <algorithm>

namespace holdfast::kustomize {
namespace {

constexpr std::string_view kMounts = "/kustomize-remote/";  // where fetched repositories stand
constexpr std::string_view kNotADirectory = "must build at directory: ";

/// filesys.ConfirmDir
Result<std::string> confirm_directory(Files& files, std::string const& path) {
    if (path.empty()) return fail(Errc::invalid_input, "directory path cannot be empty");
    auto resolved = files.resolve(path);
    if (!resolved) return fail(std::move(resolved), "not a valid directory");
    if (!resolved->file.empty()) {
        return fail(Errc::invalid_input, "'" + path + "': file is not directory");
    }
    return resolved->directory;
}

/// One path component for each key: "git::https:++host+org+repo?ref=v1".
std::string mount_of(Remote const& remote) {
    std::string name;
    for (char const c : remote.key()) {
        if (c == '/') {
            name += '+';
        } else if (c == '+' || c == '%') {
            name += c == '+' ? "%2B" : "%25";
        } else {
            name += c;
        }
    }
    return std::string{kMounts} + name;
}

/// net/http's StatusText, for the answers that servers give to a GET.
std::string_view status_text(int status) {
    switch (status) {
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 406: return "Not Acceptable";
        case 408: return "Request Timeout";
        case 410: return "Gone";
        case 429: return "Too Many Requests";
        case 451: return "Unavailable For Legal Reasons";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        default: return "";
    }
}

}  // namespace

Result<Fetched const*> Loader::fetched(Remote const& remote, std::string_view named) const {
    if (remotes_ == nullptr)
        return fail(Errc::denied, "remote '" + std::string{named} + "' is not fetched: " + std::string{refusal_});
    auto const* const found = remotes_->need(remote);
    if (found == nullptr) return fail(Errc::offline, "'" + std::string{named} + "'" + std::string{kNotFetched});
    if (!found->outcome) return std::unexpected{found->outcome.error()};
    return found;
}

Result<Loader> Loader::open(Files& files, std::string const& path, LoadRestrictor restrictor, Remotes* remotes,
                            std::string_view refusal) {
    Loader loader{files, "", nullptr, restrictor, remotes, refusal};
    if (auto repository = parse_repository(path)) return loader.clone(std::move(*repository), nullptr);
    auto root = confirm_directory(files, path);
    if (!root) return fail(std::move(root).error().code, std::string{kNotADirectory} + root.error().message);
    loader.root_ = std::move(*root);
    return loader;
}

/// newLoaderAtGitClone
Result<Loader> Loader::clone(Repository repository, Loader const* referrer) const {
    auto const remote = repository.remote();
    auto const found = fetched(remote, repository.raw);
    if (!found) return std::unexpected{found.error()};
    auto const mount = mount_of(remote);
    files_->mount(mount, (*found)->tree);
    auto const path = join_path(mount, repository.path);
    auto root = files_->resolve(path);
    if (!root) return fail(std::move(root));
    if (root->outside) {
        return fail(Errc::denied, go_quote(path) + " refers to directory outside of repo " + go_quote(mount));
    }
    if (!root->file.empty()) {
        return fail(Errc::invalid_input, "'" + path + "' refers to file '" + root->file + "'; expecting directory");
    }
    Loader loader{*files_, std::move(root->directory), referrer, LoadRestrictor::root_only, remotes_, refusal_};
    loader.clone_ = Clone{std::move(repository.raw), mount};
    return loader;
}

Result<Loader> Loader::enter(std::string const& path) const {
    if (path.empty()) return fail(Errc::invalid_input, "new root cannot be empty");
    if (auto repository = parse_repository(path)) {
        if (auto ok = check_repository_cycle(repository->raw); !ok) return fail(std::move(ok));
        return clone(std::move(*repository), this);
    }
    if (path.starts_with('/')) return fail(Errc::invalid_input, "new root '" + path + "' cannot be absolute");
    auto const candidate = join_path(root_, path);
    auto const* const repository = containing_clone();
    // What stands outside of a fetched repository is none of its business, not even whether it exists.
    auto root = repository && !is_below(candidate, repository->root) ? Result<std::string>{candidate}
                                                                     : confirm_directory(*files_, candidate);
    if (!root) return fail(root.error().code, std::string{kNotADirectory} + root.error().message);
    if (repository && !is_below(*root, repository->root)) {
        return fail(Errc::denied,
                    "security; bases in kustomizations found in cloned git repos must be within the repo, but base '" +
                        *root + "' is outside '" + repository->root + "'");
    }
    if (auto ok = check_cycle(*root, {}); !ok) return fail(std::move(ok));
    return Loader{*files_, std::move(*root), this, restrictor_, remotes_, refusal_};
}

Loader::Clone const* Loader::containing_clone() const {
    auto const* loader = this;
    while (loader && !loader->clone_) loader = loader->referrer_;
    return loader ? &*loader->clone_ : nullptr;
}

Result<void> Loader::check_cycle(std::string const& root, std::string_view until) const {
    std::size_t depth = 0;
    for (auto const* loader = this; loader && loader->root_ != until; loader = loader->referrer_) {
        if (is_below(loader->root_, root)) {
            return fail(Errc::invalid_input,
                        "cycle detected: candidate root '" + root + "' contains visited root '" + loader->root_ + "'");
        }
        if (++depth > limits::kKustomizeDepthMax) {
            return fail(Errc::limit, "more than " + std::to_string(depth - 1) + " directories refer to each other");
        }
        if (loader->clone_) break;  // the same repository, referred to again, is another clone of it for kustomize
    }
    return {};
}

/// errIfRepoCycle
Result<void> Loader::check_repository_cycle(std::string_view raw) const {
    std::size_t depth = 0;
    for (auto const* loader = this; loader; loader = loader->referrer_) {
        if (loader->clone_ && loader->clone_->raw.starts_with(raw)) {
            return fail(Errc::invalid_input, "cycle detected: URI '" + std::string{raw} +
                                                 "' referenced by previous URI '" + loader->clone_->raw + "'");
        }
        if (++depth > limits::kKustomizeDepthMax) {
            return fail(Errc::limit, "more than " + std::to_string(depth - 1) + " directories refer to each other");
        }
    }
    return {};
}

/// httpClientGetContent
Result<std::string> Loader::load_remote(std::string const& url) const {
    auto const found = fetched({.kind = Remote::Kind::file, .url = url}, url);
    if (!found) return std::unexpected{found.error()};
    auto const status = (*found)->status;
    if (status >= 200 && status <= 299) return std::string{(*found)->content};
    if (looks_like_repository(url)) return fail(Errc::invalid_input, "URL is a git repository");
    return fail(Errc::not_found, std::string{kHttpError} + ": status code " + std::to_string(status) + " (" +
                                     std::string{status_text(status)} + ")");
}

Result<std::string> Loader::load(std::string const& path) const {
    if (is_remote_file(path)) return load_remote(path);
    auto const absolute = path.starts_with('/') ? path : join_path(root_, path);
    auto const outside = [&] {
        return fail(Errc::denied, "security; file '" + absolute + "' is not in or below '" + root_ + "'");
    };
    auto const* const repository = containing_clone();
    if (repository && !is_below(clean_path(absolute), repository->root)) return outside();
    if (restrictor_ == LoadRestrictor::none) return files_->read(absolute);
    auto resolved = files_->resolve(absolute);
    if (!resolved) return fail(std::move(resolved));
    if (resolved->outside) return outside();
    if (resolved->file.empty()) return fail(Errc::invalid_input, "'" + absolute + "' must resolve to a file");
    if (!is_below(resolved->directory, root_)) return outside();
    return files_->read(resolved->path());
}

}  // namespace holdfast::kustomize
