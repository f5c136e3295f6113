// modules/kustomize/loader.cpp: kustomize's rules for what a kustomization may read.
#include "modules/kustomize/loader.hpp"

#include "modules/base/limits.hpp"

namespace holdfast::kustomize {
namespace {

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

bool same_ignoring_case(std::string_view text, std::string_view prefix) {
    if (text.size() < prefix.size()) return false;
    for (std::size_t i = 0; i < prefix.size(); ++i) {
        auto const c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
        if (c != prefix[i]) return false;
    }
    return true;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
    if (!same_ignoring_case(text, prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

std::string_view take_user(std::string_view& text) {
    auto const is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    if (text.empty() || !is_letter(text[0])) return {};
    std::size_t at = 1;
    while (at < text.size() && (is_letter(text[at]) || (text[at] >= '0' && text[at] <= '9') || text[at] == '-')) ++at;
    if (at >= text.size() || text[at] != '@') return {};
    auto const user = text.substr(0, at + 1);
    text.remove_prefix(at + 1);
    return user;
}

}  // namespace

bool is_remote_file(std::string_view path) {
    return same_ignoring_case(path, "http:") || same_ignoring_case(path, "https:");
}

Result<Repository> parse_repository(std::string_view url) {
    if (url.starts_with('/')) return fail(Errc::invalid_input, "uri looks like abs path: " + std::string{url});
    Repository repository;
    auto rest = url;
    if (auto const question = rest.find('?'); question != std::string_view::npos) {
        auto const query = rest.substr(question + 1);
        rest = rest.substr(0, question);
        for (std::string_view const name : {"version=", "ref="}) {
            for (std::size_t at = 0; at < query.size();) {
                auto end = query.find('&', at);
                if (end == std::string_view::npos) end = query.size();
                auto const pair = query.substr(at, end - at);
                if (pair.starts_with(name) && pair.size() > name.size()) {
                    repository.ref = pair.substr(name.size());
                    break;
                }
                at = end + 1;
            }
        }
    }
    take_prefix(rest, "git::");
    std::string scheme;
    for (std::string_view const known : {"ssh://", "https://", "http://", "file://"}) {
        if (take_prefix(rest, known)) {
            scheme = known;
            break;
        }
    }
    auto user = std::string{take_user(rest)};
    bool const github = same_ignoring_case(rest, "github.com/") || same_ignoring_case(rest, "github.com:");
    bool const scp = scheme.empty() && (!user.empty() || github);
    if (scheme.empty() && !scp) return fail(Errc::invalid_input, "failed to parse scheme");
    std::string host;
    if (scheme == "file://") {
        host = scheme;
        rest = url.substr(url.find("//") + 2);
        rest = rest.substr(0, rest.find('?'));
    } else {
        auto separator = rest.find('/');
        if (scp) {
            auto const colon = rest.find(':');
            if (separator == std::string_view::npos || (colon != std::string_view::npos && colon > 0 && colon < separator)) {
                separator = colon;
            }
        }
        std::string_view host_part = rest, path_part;
        if (separator != std::string_view::npos) {
            host_part = rest.substr(0, separator + 1);
            path_part = rest.substr(separator + 1);
        }
        if (github) {
            bool const ssh = scheme == "ssh://" || !user.empty();
            host = ssh ? user + "github.com:" : "https://github.com/";
        } else {
            if (host_part.empty()) return fail(Errc::invalid_input, "failed to parse host segment");
            host = scheme + user + std::string{host_part};
        }
        rest = path_part;
    }
    std::string_view repo, inside;
    if (auto const at = rest.find("_git/"); at != std::string_view::npos) {
        auto const end = rest.find('/', at + 5);
        repo = rest.substr(0, end);
        if (end != std::string_view::npos) inside = rest.substr(end + 1);
    } else if (auto const at = rest.find("//"); at != std::string_view::npos) {
        repo = rest.substr(0, at);
        inside = rest.substr(at + 2);
    } else if (auto const at = rest.find(".git"); at != std::string_view::npos) {
        repo = rest.substr(0, at + 4);
        inside = rest.substr(at + 4);
    } else if (scheme == "file://") {
        repo = rest;
    } else {
        auto const first = rest.find('/');
        if (first == std::string_view::npos) return fail(Errc::invalid_input, "failed to parse repo path segment");
        auto const second = rest.find('/', first + 1);
        repo = rest.substr(0, second);
        if (second != std::string_view::npos) inside = rest.substr(second + 1);
    }
    if (repo.empty()) return fail(Errc::invalid_input, "failed to parse repo path segment");
    if (inside.starts_with('/')) inside.remove_prefix(1);
    auto const cleaned = clean_path(inside);
    if (cleaned == ".." || cleaned.starts_with("../")) {
        return fail(Errc::invalid_input, "url path exits repo: " + std::string{rest});
    }
    repository.clone_spec = host + std::string{repo};
    repository.path = inside;
    return repository;
}

bool looks_like_repository(std::string_view path) { return parse_repository(path).has_value(); }

Result<Loader> Loader::open(Files& files, std::string const& path, LoadRestrictor restrictor) {
    if (looks_like_repository(path)) {
        return fail(Errc::denied, "remote target '" + path + "' is not fetched here; clone it and build the directory");
    }
    auto root = confirm_directory(files, path);
    if (!root) return fail(std::move(root).error().code, std::string{kNotADirectory} + root.error().message);
    return Loader{files, std::move(*root), nullptr, restrictor};
}

Result<Loader> Loader::enter(std::string const& path) const {
    if (path.empty()) return fail(Errc::invalid_input, "new root cannot be empty");
    if (looks_like_repository(path)) {
        return fail(Errc::denied, "remote base '" + path + "' is not fetched: no network in a render");
    }
    if (path.starts_with('/')) return fail(Errc::invalid_input, "new root '" + path + "' cannot be absolute");
    auto root = confirm_directory(*files_, join_path(root_, path));
    if (!root) return fail(root.error().code, std::string{kNotADirectory} + root.error().message);
    if (auto ok = check_cycle(*root, {}); !ok) return fail(std::move(ok));
    return Loader{*files_, std::move(*root), this, restrictor_};
}

Result<void> Loader::check_cycle(std::string const& root, std::string_view until) const {
    std::size_t depth = 0;
    for (auto const* loader = this; loader && loader->root_ != until; loader = loader->referrer_) {
        if (is_below(loader->root_, root)) {
            return fail(Errc::invalid_input, "cycle detected: candidate root '" + root + "' contains visited root '" +
                                                 loader->root_ + "'");
        }
        if (++depth > limits::kKustomizeDepthMax) {
            return fail(Errc::limit, "more than " + std::to_string(depth - 1) + " directories refer to each other");
        }
    }
    return {};
}

Result<std::string> Loader::load(std::string const& path) const {
    if (is_remote_file(path)) {
        return fail(Errc::denied, "remote file '" + path + "' is not fetched: no network in a render");
    }
    auto const absolute = path.starts_with('/') ? path : join_path(root_, path);
    if (restrictor_ == LoadRestrictor::none) return files_->read(absolute);
    auto resolved = files_->resolve(absolute);
    if (!resolved) return fail(std::move(resolved));
    if (resolved->file.empty()) return fail(Errc::invalid_input, "'" + absolute + "' must resolve to a file");
    if (!is_below(resolved->directory, root_)) {
        return fail(Errc::denied, "security; file '" + absolute + "' is not in or below '" + root_ + "'");
    }
    return files_->read(resolved->path());
}

}  // namespace holdfast::kustomize
