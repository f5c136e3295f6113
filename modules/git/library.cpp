// modules/git/library.cpp: libgit2's one-time setup, its memory budget and its errors.
#include "modules/git/library.hpp"

#include "modules/base/assert.hpp"
#include "modules/base/limits.hpp"

#include <git2/sys/alloc.h>

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <mutex>

namespace holdfast::git {

namespace {

// A pack may announce objects of gigabytes, and libgit2 believes it: the budget is what ends that.
std::atomic<std::size_t> memory_used = 0;

bool take(std::size_t bytes) {
    auto const before = memory_used.fetch_add(bytes);
    if (before + bytes <= limits::kGitMemoryBytesMax) return true;
    memory_used -= bytes;
    return false;
}

/// The budget counts what malloc really gave, so that release() can ask malloc.
void* counted(void* memory, std::size_t asked) {
    if (memory == nullptr) {
        memory_used -= asked;
        return nullptr;
    }
    memory_used += ::malloc_usable_size(memory) - asked;
    return memory;
}

void release(void* memory) {
    if (memory == nullptr) return;
    memory_used -= ::malloc_usable_size(memory);
    std::free(memory);
}

void* allocate(std::size_t bytes, char const*, int) {
    if (!take(bytes)) return nullptr;
    return counted(std::malloc(bytes == 0 ? 1 : bytes), bytes);
}

void* reallocate(void* memory, std::size_t bytes, char const*, int) {
    std::size_t const held = memory != nullptr ? ::malloc_usable_size(memory) : 0;
    if (!take(bytes)) return nullptr;
    void* const moved = counted(std::realloc(memory, bytes == 0 ? 1 : bytes), bytes);
    if (moved != nullptr) memory_used -= held;
    return moved;
}

void set_up() {
    static git_allocator allocator{.gmalloc = allocate, .grealloc = reallocate, .gfree = release};
    HOLDFAST_ASSERT(git_libgit2_opts(GIT_OPT_SET_ALLOCATOR, &allocator) == 0);
    HOLDFAST_ASSERT(git_libgit2_init() > 0);
    // The machine's git configuration is somebody else's: it could rewrite URLs, name helpers, switch checks off.
    for (int level :
         {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_PROGRAMDATA}) {
        git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
    }
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECT_SIZE, limits::kGitObjectBytesMax);
    git_libgit2_opts(GIT_OPT_ENABLE_CACHING, 0);  // every object is read once
    constexpr std::size_t kWindowBytes = 1u << 20;
    git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, kWindowBytes);
    git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, 16 * kWindowBytes);
}

bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Out  `text` without the path of a scratch repository and without the random end of a temporary file's name: the same
/// trouble is told in the same words, so that it is news only once
std::string without_random_names(std::string text) {
    constexpr std::string_view kScratch = "/git-", kTemporary = "_git2_";
    constexpr std::size_t kRandom = 6;  // the letters mkdtemp() chooses
    auto const ends_name = [&](std::size_t at) { return at >= text.size() || !is_alphanumeric(text[at]); };
    for (std::size_t at = 0; (at = text.find(kScratch, at)) != std::string::npos; ++at) {
        auto end = at + kScratch.size();
        while (!ends_name(end)) ++end;
        if (end != at + kScratch.size() + kRandom) continue;
        auto const before = text.find_last_of("'\" ", at);
        auto const begin = before == std::string::npos ? 0 : before + 1;
        if (end < text.size() && text[end] == '/') ++end;
        text.replace(begin, end - begin, "");
        at = begin;
    }
    for (std::size_t at = 0; (at = text.find(kTemporary, at)) != std::string::npos; ++at) {
        auto end = at + kTemporary.size();
        while (!ends_name(end)) ++end;
        text.erase(at, end - at);
    }
    return text;
}

/// The library's doubts about itself, raised by what a server sent: its variables' names say nothing to anybody.
bool is_assertion(git_error const& error) {
    std::string_view const message = error.message;
    return error.klass == GIT_ERROR_INTERNAL || message.starts_with("invalid argument") ||
           message.starts_with("unrecoverable internal error") || message.contains("GIT_ASSERT");
}

}  // namespace

void use_library() {
    static std::once_flag once;
    std::call_once(once, set_up);
}

Error library_error(Errc otherwise) {
    auto const* last = git_error_last();
    std::string message =
        last != nullptr && last->message != nullptr ? without_random_names(last->message) : "unknown error";
    if (last == nullptr) return {otherwise, std::move(message)};
    if (is_assertion(*last)) return {otherwise, "what the server sent is not what a Git server sends"};
    if (last->klass == GIT_ERROR_NOMEMORY)
        return {Errc::limit, "more than " + std::to_string(limits::kGitMemoryBytesMax) + " bytes of memory needed"};
    if (message.contains("No space left on device") || message.contains("quota exceeded"))
        return {Errc::limit, std::move(message)};
    if (message.contains("too large") || message.contains("maximum")) return {Errc::limit, std::move(message)};
    return {otherwise, std::move(message)};
}

std::string hex(git_oid const& id) {
    char text[GIT_OID_MAX_HEXSIZE + 1] = {};
    git_oid_tostr(text, sizeof text, &id);
    return text;
}

}  // namespace holdfast::git
