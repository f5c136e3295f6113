// modules/kustomize/files.cpp: path arithmetic as Go does it, links resolved by hand, bounded reads.
#include "modules/kustomize/files.hpp"

#include "modules/base/errno_text.hpp"
#include "modules/base/limits.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::kustomize {
namespace {

struct Fd {
    int value;
    ~Fd() {
        if (value >= 0) ::close(value);
    }
};

std::string say(std::string_view call, std::string_view path, int error) {
    return std::string{call} + " " + std::string{path} + ": " + errno_text(error);
}

Errc reaction_to(int error) {
    if (error == ENOENT || error == ENOTDIR) return Errc::not_found;
    if (error == EACCES || error == EPERM || error == ELOOP) return Errc::denied;
    return Errc::invalid_input;
}

/// "a/b" -> b, a: a walk takes them from the back.
std::vector<std::string> components_last_first(std::string_view path) {
    std::vector<std::string> parts;
    for (std::size_t at = 0; at < path.size();) {
        auto end = path.find('/', at);
        if (end == std::string_view::npos) end = path.size();
        if (end > at) parts.emplace_back(path.substr(at, end - at));
        at = end + 1;
    }
    std::reverse(parts.begin(), parts.end());
    return parts;
}

bool is_directory(MemoryFiles const& files, std::string const& path) {
    if (path == "/") return true;
    auto const below = files.lower_bound(path + "/");
    return below != files.end() && below->first.starts_with(path + "/");
}

}  // namespace

std::string clean_path(std::string_view path) {
    if (path.empty()) return ".";
    bool const rooted = path.front() == '/';
    std::vector<std::string_view> parts;
    for (std::size_t at = 0; at <= path.size();) {
        auto end = path.find('/', at);
        if (end == std::string_view::npos) end = path.size();
        auto const part = path.substr(at, end - at);
        at = end + 1;
        if (part.empty() || part == ".") continue;
        if (part == "..") {
            if (!parts.empty() && parts.back() != "..") {
                parts.pop_back();
            } else if (!rooted) {
                parts.push_back(part);
            }
            continue;
        }
        parts.push_back(part);
    }
    std::string out = rooted ? "/" : "";
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) out += '/';
        out += parts[i];
    }
    return out.empty() ? "." : out;
}

std::string join_path(std::string_view directory, std::string_view path) {
    if (directory.empty()) return path.empty() ? "" : clean_path(path);
    if (path.empty()) return clean_path(directory);
    return clean_path(std::string{directory} + "/" + std::string{path});
}

std::string base_name(std::string_view path) {
    if (path.empty()) return ".";
    while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
    if (path == "/") return "/";
    auto const slash = path.rfind('/');
    return std::string{slash == std::string_view::npos ? path : path.substr(slash + 1)};
}

bool is_below(std::string_view path, std::string_view directory) {
    if (directory == "/" || path == directory) return true;
    return path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

Result<std::string> absolute_path(std::string_view path) {
    if (path.starts_with('/')) return clean_path(path);
    char buffer[PATH_MAX];
    auto const* const here = ::getcwd(buffer, sizeof buffer);
    if (here == nullptr || here[0] != '/') {  // deleted, or out of reach
        int const error = here == nullptr ? errno : ENOENT;
        return fail(reaction_to(error), "abs path error on '" + std::string{path} + "' : getwd: " + errno_text(error));
    }
    return join_path(here, path.empty() ? "." : path);
}

Result<void> Files::check_confined(std::string_view real, std::string_view asked) const {
    // On the way down to the root its own parents are passed.
    if (root_.empty() || is_below(real, root_) || is_below(root_, real)) return {};
    return fail(Errc::denied, "'" + std::string{asked} + "' leads outside of '" + root_ + "'");
}

Result<std::string> Files::real_path(std::string const& absolute) {
    std::string real = "/";
    std::vector<std::string> todo;  // components still to walk, last first
    auto const push = [&](std::string_view path) {
        auto parts = components_last_first(path);
        todo.insert(todo.end(), std::make_move_iterator(parts.begin()), std::make_move_iterator(parts.end()));
    };
    auto const slash = absolute.rfind('/');
    if (auto const known = real_directories_.find(absolute.substr(0, slash)); known != real_directories_.end()) {
        real = known->second;
        push(absolute.substr(slash + 1));
    } else {
        push(absolute);
    }
    std::size_t links = 0;
    while (!todo.empty()) {
        auto const part = std::move(todo.back());
        todo.pop_back();
        if (part == ".") continue;
        if (part == "..") {
            real = join_path(real, "..");
            continue;
        }
        auto const next = real == "/" ? "/" + part : real + "/" + part;
        if (auto ok = check_confined(next, absolute); !ok) return fail(std::move(ok));
        if (part.find('\0') != part.npos) return fail(Errc::invalid_input, say("lstat", next, EINVAL));
        struct stat info{};
        if (::lstat(next.c_str(), &info) != 0) return fail(reaction_to(errno), say("lstat", next, errno));
        if (!S_ISLNK(info.st_mode)) {
            if (!todo.empty() && !S_ISDIR(info.st_mode)) {
                return fail(Errc::not_found, say("lstat", next + "/" + todo.back(), ENOTDIR));
            }
            real = next;
            continue;
        }
        if (++links > limits::kKustomizeLinksMax) return fail(Errc::invalid_input, "EvalSymlinks: too many links");
        char target[PATH_MAX];
        auto const size = ::readlink(next.c_str(), target, sizeof target);
        if (size < 0) return fail(reaction_to(errno), say("readlink", next, errno));
        std::string_view const text{target, static_cast<std::size_t>(size)};
        if (text.starts_with('/')) real = "/";
        push(text);
    }
    if (!root_.empty() && !is_below(real, root_)) {
        return fail(Errc::denied, "'" + absolute + "' leads outside of '" + root_ + "'");
    }
    return real;
}

std::optional<Files::Place> Files::mounted(std::string_view asked) const {
    if (mounts_.empty()) return std::nullopt;
    auto const absolute = clean_path(asked);
    for (auto slash = absolute.find('/', 1);; slash = absolute.find('/', slash + 1)) {
        auto const found = mounts_.find(std::string_view{absolute}.substr(0, slash));
        if (found == mounts_.end()) {
            if (slash == std::string::npos) return std::nullopt;
            continue;
        }
        return Place{found->first, found->second, slash == std::string::npos ? "/" : absolute.substr(slash)};
    }
}

/// Walks down the tree as the kernel would, but never out of it.
Result<Resolved> Files::resolve_mounted(Place place, std::string const& asked) const {
    auto const& [mount, tree, path] = place;
    std::string real = "/";
    std::vector<std::string> todo = components_last_first(path);
    auto const missing = [&](std::string const& at, int error) {
        return fail(reaction_to(error),
                    "evalsymlink failure on '" + asked + "' : " + say("lstat", join_path(mount, at), error));
    };
    for (std::size_t links = 0; !todo.empty();) {
        auto const part = std::move(todo.back());
        todo.pop_back();
        if (part == ".") continue;
        if (part == "..") {
            if (real == "/") return Resolved{"/", "", true};
            real = join_path(real, "..");
            continue;
        }
        auto const next = join_path(real, part);
        auto const link = tree->links.find(next);
        if (link == tree->links.end()) {
            bool const is_file = tree->files.contains(next);
            if (!is_file && !is_directory(tree->files, next)) return missing(next, ENOENT);
            if (is_file && !todo.empty()) return missing(next + "/" + todo.back(), ENOTDIR);
            real = next;
            continue;
        }
        if (++links > limits::kKustomizeLinksMax) return fail(Errc::invalid_input, "EvalSymlinks: too many links");
        if (link->second.starts_with('/')) return Resolved{"/", "", true};
        auto target = components_last_first(link->second);
        todo.insert(todo.end(), std::make_move_iterator(target.begin()), std::make_move_iterator(target.end()));
    }
    if (!tree->files.contains(real)) return Resolved{join_path(mount, real), ""};
    return Resolved{join_path(mount, join_path(real, "..")), base_name(real)};
}

Result<Resolved> Files::resolve(std::string const& path) {
    if (auto place = mounted(path)) return resolve_mounted(std::move(*place), path);
    if (memory_ != nullptr) {
        auto const absolute = join_path("/", path);
        if (auto ok = check_confined(absolute, path); !ok) return fail(std::move(ok));
        if (is_directory(*memory_, absolute)) return Resolved{absolute, ""};
        if (!memory_->contains(absolute)) {
            return fail(Errc::not_found, "evalsymlink failure on '" + path + "' : " + say("lstat", absolute, ENOENT));
        }
        auto const slash = absolute.rfind('/');
        return Resolved{slash == 0 ? "/" : absolute.substr(0, slash), absolute.substr(slash + 1)};
    }
    auto const absolute = absolute_path(path);
    if (!absolute) return std::unexpected{absolute.error()};
    auto real = real_path(*absolute);
    if (!real) {
        if (real.error().code == Errc::denied && real.error().message.starts_with('\'')) return fail(std::move(real));
        return fail(std::move(real), "evalsymlink failure on '" + path + "' ");
    }
    struct stat info{};
    if (::lstat(real->c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
        if (real_directories_.size() < limits::kKustomizeDirectoriesMax) real_directories_.emplace(*absolute, *real);
        return Resolved{*real, ""};
    }
    auto const slash = real->rfind('/');
    return Resolved{slash == 0 ? "/" : real->substr(0, slash), real->substr(slash + 1)};
}

Result<std::string> Files::count(std::string content, std::string const& path) {
    total_bytes_ += content.size();
    if (total_bytes_ > limits_.total_bytes_max) {
        return fail(Errc::limit,
                    "read " + path + ": more than " + std::to_string(limits_.total_bytes_max) + " bytes in all files");
    }
    return content;
}

Result<std::string> Files::read_memory(MemoryFiles const& files, std::string const& absolute, std::string const& path) {
    auto const found = files.find(absolute);
    if (found == files.end() && is_directory(files, absolute)) {
        return fail(Errc::invalid_input, "read " + path + ": is a directory");
    }
    if (found == files.end()) return fail(Errc::not_found, say("open", path, ENOENT));
    if (found->second.size() > limits_.file_bytes_max) {
        return fail(Errc::limit, "read " + path + ": larger than " + std::to_string(limits_.file_bytes_max) + " bytes");
    }
    return count(std::string{found->second}, path);
}

Result<std::string> Files::read(std::string const& path) {
    if (auto place = mounted(path)) {
        auto const* const tree = place->tree;
        auto const mount = place->mount;
        auto const real = resolve_mounted(std::move(*place), path);
        if (!real) return fail(real.error().code, say("open", path, ENOENT));
        if (real->outside) return fail(Errc::denied, "open " + path + ": leads outside of its repository");
        auto const absolute = real->path().substr(mount.size());
        return read_memory(tree->files, absolute.empty() ? "/" : absolute, path);
    }
    if (memory_ != nullptr) {
        auto const absolute = join_path("/", path);
        if (auto ok = check_confined(absolute, path); !ok) return fail(std::move(ok));
        return read_memory(*memory_, absolute, path);
    }
    auto opened = path;
    if (!root_.empty()) {
        auto const absolute = absolute_path(path);
        if (!absolute) return std::unexpected{absolute.error()};
        auto real = real_path(*absolute);
        if (!real) return fail(std::move(real));
        opened = *real;
    }
    if (opened.find('\0') != opened.npos) return fail(Errc::invalid_input, say("open", path, EINVAL));
    // Not blocking, so that a FIFO does not hang the open.
    Fd const fd{
        ::open(opened.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (root_.empty() ? 0 : O_NOFOLLOW))};
    if (fd.value < 0) return fail(reaction_to(errno), say("open", path, errno));
    struct stat info{};
    if (::fstat(fd.value, &info) != 0) return fail(reaction_to(errno), say("stat", path, errno));
    if (S_ISDIR(info.st_mode)) return fail(Errc::invalid_input, "read " + path + ": is a directory");
    if (!S_ISREG(info.st_mode)) return fail(Errc::denied, "read " + path + ": not a regular file");
    auto const too_big = [&] {
        return fail(Errc::limit, "read " + path + ": larger than " + std::to_string(limits_.file_bytes_max) + " bytes");
    };
    if (static_cast<std::size_t>(info.st_size) > limits_.file_bytes_max) return too_big();
    std::string content;
    content.resize(static_cast<std::size_t>(info.st_size) + 1);
    std::size_t size = 0;
    for (;;) {
        auto const got = ::read(fd.value, content.data() + size, content.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(reaction_to(errno), say("read", path, errno));
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
        if (size > limits_.file_bytes_max) return too_big();  // /proc files have no size
        if (size == content.size()) content.resize(std::min(content.size() * 2, limits_.file_bytes_max + 1));
    }
    content.resize(size);
    return count(std::move(content), path);
}

Result<std::vector<std::string>> Files::list(std::string const& directory) {
    auto resolved = resolve(directory);
    if (!resolved) return fail(std::move(resolved));
    if (memory_ != nullptr) {
        std::vector<std::string> names;
        std::string const prefix = resolved->path() == "/" ? "/" : resolved->path() + "/";
        for (auto at = memory_->lower_bound(prefix); at != memory_->end() && at->first.starts_with(prefix); ++at) {
            auto const rest = std::string_view{at->first}.substr(prefix.size());
            auto const name = rest.substr(0, rest.find('/'));
            if (!name.empty() && (names.empty() || names.back() != name)) names.emplace_back(name);
        }
        std::sort(names.begin(), names.end());  // paths are sorted, but "a.yaml" comes before "a/b"
        return names;
    }
    auto* const stream = ::opendir(resolved->path().c_str());
    if (!stream) return fail(reaction_to(errno), say("open", directory, errno));
    std::vector<std::string> names;
    while (auto const* entry = ::readdir(stream)) {
        std::string_view const name = entry->d_name;
        if (name == "." || name == "..") continue;
        if (names.size() == limits::kKustomizeEntriesMax) {
            ::closedir(stream);
            return fail(Errc::limit, "more than " + std::to_string(names.size()) + " entries in " + directory);
        }
        names.emplace_back(name);
    }
    ::closedir(stream);
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace holdfast::kustomize
