// modules/source/artifact.cpp: reads the ignore rules of a tree, then writes what they leave.
#include "modules/source/artifact.hpp"

#include "modules/base/limits.hpp"
#include "modules/source/source_ignore.hpp"
#include "modules/source/tar_writer.hpp"

#include <algorithm>
#include <numeric>

namespace holdfast::source {

namespace {

constexpr std::string_view kIgnoreFile = ".sourceignore";

/// Order of a walk: by name within each directory, a directory right before what it holds.
bool walks_before(std::string_view left, std::string_view right) {
    auto const key = [](char c) { return c == '/' ? 0 : static_cast<int>(static_cast<unsigned char>(c)) + 1; };
    return std::ranges::lexicographical_compare(left, right, {}, key, key);
}

bool is_safe(std::string_view path) {
    for (;;) {
        auto const component = path.substr(0, path.find('/'));
        if (component.empty() || component == "." || component == ".." || component.contains('\0')) return false;
        if (component.size() == path.size()) return true;
        path.remove_prefix(component.size() + 1);
    }
}

bool is_file(TreeEntry const& entry) { return entry.kind == EntryKind::file || entry.kind == EntryKind::executable; }

Result<std::vector<std::size_t>> in_order(std::vector<TreeEntry> const& entries) {
    if (entries.size() > limits::kArtifactEntriesMax) {
        return fail(Errc::limit, std::to_string(entries.size()) + " entries, more than " +
                                     std::to_string(limits::kArtifactEntriesMax));
    }
    for (auto const& entry : entries) {
        if (entry.path.size() > limits::kArtifactPathBytesMax)
            return fail(Errc::limit,
                        "a path is longer than " + std::to_string(limits::kArtifactPathBytesMax) + " bytes");
        if (!is_safe(entry.path)) return fail(Errc::invalid_input, "path '" + entry.path + "' is not allowed");
    }
    std::vector<std::size_t> order(entries.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::sort(order, [&](std::size_t left, std::size_t right) {
        return walks_before(entries[left].path, entries[right].path);
    });
    auto const twice = std::ranges::adjacent_find(
        order, [&](std::size_t left, std::size_t right) { return entries[left].path == entries[right].path; });
    if (twice != order.end()) return fail(Errc::invalid_input, "path '" + entries[*twice].path + "' is there twice");
    return order;
}

Result<SourceIgnore> read_rules(Tree& tree, std::vector<std::size_t> const& order,
                                std::optional<std::string> const& ignore, GoOn const& go_on) {
    SourceIgnore rules;
    // A directory's own file comes before those of the directories in it, whatever their names.
    std::vector<std::pair<std::string, std::size_t>> files;
    for (auto index : order) {
        auto const& entry = tree.entries()[index];
        auto const slash = entry.path.rfind('/');
        auto const name =
            slash == std::string::npos ? std::string_view{entry.path} : std::string_view{entry.path}.substr(slash + 1);
        if (!is_file(entry) || name != kIgnoreFile) continue;
        if (entry.size > limits::kIgnoreFileBytesMax)
            return fail(Errc::limit,
                        entry.path + ": larger than " + std::to_string(limits::kIgnoreFileBytesMax) + " bytes");
        files.emplace_back(slash == std::string::npos ? "" : entry.path.substr(0, slash), index);
    }
    std::ranges::sort(files, [](auto const& left, auto const& right) { return walks_before(left.first, right.first); });
    for (auto const& [directory, index] : files) {
        auto may = go_on();
        if (!may) return fail(std::move(may));
        auto text = tree.read(index);
        if (!text) return fail(std::move(text), tree.entries()[index].path);
        auto added = rules.add(*text, directory);
        if (!added) return fail(std::move(added), tree.entries()[index].path);
    }
    if (ignore) {
        auto added = rules.add(*ignore);
        if (!added) return fail(std::move(added), "spec.ignore");
    }
    return rules;
}

}  // namespace

Result<ArtifactInfo> write_artifact(Tree& tree, std::optional<std::string> const& ignore, ArtifactSink const& sink,
                                    GoOn const& go_on) {
    auto const order = in_order(tree.entries());
    if (!order) return std::unexpected{order.error()};
    auto const rules = read_rules(tree, *order, ignore, go_on);
    if (!rules) return std::unexpected{rules.error()};

    ArtifactInfo info;
    GzipSink gzip{sink};
    TarWriter tar{gzip};
    auto written = tar.directory(".");
    if (!written) return fail(std::move(written));
    for (auto index : *order) {
        auto const& entry = tree.entries()[index];
        bool const is_directory = entry.kind == EntryKind::directory;
        if (entry.kind == EntryKind::other) continue;
        auto may = go_on();
        if (!may) return fail(std::move(may));
        bool const ignored = rules->ignores(entry.path, is_directory);
        auto compared = rules->within_limits();
        if (!compared) return fail(std::move(compared));
        if (ignored) continue;
        if (is_directory) {
            written = tar.directory(entry.path);
        } else {
            if (info.unpacked + entry.size > limits::kArtifactBytesMax)
                return fail(Errc::limit, "more than " + std::to_string(limits::kArtifactBytesMax) + " bytes of files");
            auto content = tree.read(index);
            if (!content) return fail(std::move(content), entry.path);
            info.unpacked += content->size();
            ++info.files;
            written = tar.file(entry.path, entry.kind == EntryKind::executable, *content);
        }
        if (!written) return fail(std::move(written));
    }
    written = tar.finish();
    if (!written) return fail(std::move(written));
    info.size = gzip.size();
    info.digest = gzip.digest();
    return info;
}

}  // namespace holdfast::source
