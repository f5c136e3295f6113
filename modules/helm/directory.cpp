// modules/helm/directory.cpp: charts from disk: a folder or an archive file, with helm's messages.
#include "modules/helm/chart.hpp"
#include "modules/helm/ignore.hpp"
#include "modules/helm/text.hpp"
#include "modules/helm/typed.hpp"
#include "modules/text/gotemplate/strconv.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace holdfast::helm {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kFoldersDeepMax = 64;

std::string go_errno(int code) {
    if (code == ENOENT) return "no such file or directory";
    std::string text = std::strerror(code);
    if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] | 32);
    return text;
}

/// `bytes_hint`: what the file was seen to hold.
Result<std::string> read_file(std::string const& path, std::size_t bytes_max, std::size_t bytes_hint = 4096) {
    int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(errno == ENOENT ? Errc::not_found : Errc::invalid_input, "open " + path + ": " + go_errno(errno));
    std::string data;
    std::size_t used = 0;
    ssize_t got = 0;
    do {
        if (used == data.size()) data.resize(std::max(std::min(bytes_hint, bytes_max) + 1, used * 2));
        got = ::read(fd, data.data() + used, data.size() - used);
        if (got > 0) used += static_cast<std::size_t>(got);
    } while (got > 0 && used <= bytes_max);
    int const failed = got < 0 ? errno : 0;
    data.resize(used);
    ::close(fd);
    if (failed != 0) return fail(Errc::invalid_input, "read " + path + ": " + go_errno(failed));
    if (data.size() > bytes_max)
        return fail(Errc::limit, path + " is larger than " + std::to_string(bytes_max) + " bytes");
    return data;
}

/// The first part of a link's target that is not there, as Go's EvalSymlinks names it.
std::string missing_part(std::string path) {
    std::error_code ec;
    for (int links = 0; links < 40 && fs::is_symlink(fs::symlink_status(path, ec)); ++links) {
        auto const target = fs::read_symlink(path, ec);
        path = (target.is_absolute() ? target : fs::path{path}.parent_path() / target).lexically_normal().string();
    }
    for (auto slash = path.find('/', 1); slash != path.npos; slash = path.find('/', slash + 1)) {
        if (!fs::exists(fs::symlink_status(path.substr(0, slash), ec))) return path.substr(0, slash);
    }
    return path;
}

class Walker {
public:
    Walker(std::string top, std::string root, IgnoreRules const& rules, Log* log)
        : top_(std::move(top)), root_(std::move(root)), rules_(rules), log_(log) {}

    Result<void> walk(std::string const& folder, std::string const& relative, std::size_t depth) {
        if (depth > kFoldersDeepMax) return fail(Errc::limit, "folders nested too deep in " + top_);
        auto* const stream = ::opendir(folder.c_str());
        if (stream == nullptr) return fail(Errc::invalid_input, "open " + folder + ": " + go_errno(errno));
        std::vector<std::string> names;
        while (auto const* entry = ::readdir(stream)) {
            std::string_view const name = entry->d_name;
            if (name != "." && name != "..") names.emplace_back(name);
        }
        ::closedir(stream);
        std::ranges::sort(names);
        for (auto const& name : names) {
            auto done = visit(folder + '/' + name, relative.empty() ? name : relative + '/' + name, name, depth);
            if (!done) return done;
        }
        return {};
    }

    std::vector<File> files;

private:
    Result<void> visit(std::string const& path, std::string const& relative, std::string const& name,
                       std::size_t depth) {
        struct stat info{};
        if (::lstat(path.c_str(), &info) != 0)
            return fail(Errc::invalid_input, "lstat " + path + ": " + go_errno(errno));
        if (S_ISLNK(info.st_mode)) {
            std::error_code ec;
            auto const real = fs::canonical(path, ec);
            if (ec)
                return fail(Errc::invalid_input, "error evaluating symlink " + path + ": lstat " + missing_part(path) +
                                                     ": " + go_errno(ec.value()));
            auto const text = real.string();
            if (log_ != nullptr)
                log_->push_back(log_line("INFO",
                                         "found symbolic link in path. Contents of linked file included and used",
                                         {{"path", path}, {"resolved", text}}));
            bool const inside = root_ == "/" || text == root_ || text.starts_with(root_ + '/');
            if (!inside) return fail(Errc::denied, "symlink " + relative + " leads out of " + root_);
            if (::lstat(text.c_str(), &info) != 0)
                return fail(Errc::invalid_input, "lstat " + text + ": " + go_errno(errno));
        }
        if (S_ISDIR(info.st_mode)) {
            if (rules_.ignores(relative, true)) return {};
            return walk(path, relative, depth + 1);
        }
        if (rules_.ignores(relative, false)) return {};
        if (!S_ISREG(info.st_mode))
            return fail(Errc::invalid_input,
                        "cannot load irregular file " + path + " as it has file mode type bits set");
        if (static_cast<std::uint64_t>(info.st_size) > kChartFileBytesMax) {
            return fail(Errc::limit, "chart file " + gotemplate::quote(name) +
                                         " is larger than the maximum file size " + std::to_string(kChartFileBytesMax));
        }
        auto data = read_file(path, kChartFileBytesMax, static_cast<std::size_t>(info.st_size));
        if (!data) return fail(std::move(data), "error reading " + relative);
        bytes_ += data->size();
        if (bytes_ > kChartBytesMax || files.size() >= kChartFilesMax)
            return fail(Errc::limit, "chart folder is larger than the maximum size " + std::to_string(kChartBytesMax));
        if (data->starts_with("\xEF\xBB\xBF")) data->erase(0, 3);
        files.push_back({relative, std::move(*data)});
        return {};
    }

    std::string top_;
    std::string root_;
    IgnoreRules const& rules_;
    Log* log_;
    std::size_t bytes_ = 0;
};

constexpr TypedField kBase[] = {{"apiVersion"}};

/// Helm 4 picks the loader by apiVersion before anything else.
Result<void> check_api_version(std::string_view chart_yaml) {
    auto base = decode_yaml(chart_yaml, {"chartBase", "loader.chartBase", kBase});
    if (!base) return fail(std::move(base), "cannot load Chart.yaml");
    auto const version = base->text("apiVersion");
    if (version == "v3") return fail(Errc::invalid_input, "invalid chart apiVersion");
    if (!version.empty() && version != "v1" && version != "v2")
        return fail(Errc::invalid_input, "unsupported chart version");
    return {};
}

/// As much of Go's http.DetectContentType as a wrong chart argument needs.
std::string content_type(std::string_view bytes) {
    bytes = bytes.substr(0, 512);
    if (bytes.starts_with("PK\x03\x04")) return "application/zip";
    if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return "image/png";
    if (bytes.starts_with("%PDF-")) return "application/pdf";
    bool const binary = std::ranges::any_of(bytes, [](char c) {
        auto const u = static_cast<unsigned char>(c);
        return u <= 0x08 || u == 0x0B || (u >= 0x0E && u <= 0x1A) || (u >= 0x1C && u <= 0x1F);
    });
    // The buffer helm looks at is 512 bytes long, zeros after the end of a short file.
    return binary || bytes.size() < 512 ? "application/octet-stream" : "text/plain; charset=utf-8";
}

}  // namespace

Result<ChartPtr> load_directory(std::string const& path, std::string const& root, Log* log) {
    std::error_code ec;
    auto top = fs::absolute(path, ec).lexically_normal().string();
    if (top.size() > 1 && top.ends_with('/')) top.pop_back();
    auto const chart_yaml = read_file(top + "/Chart.yaml", kChartFileBytesMax);
    if (!chart_yaml) return fail(Result<std::string>{chart_yaml}, "unable to detect chart at " + top + "/Chart.yaml");
    if (auto known = check_api_version(*chart_yaml); !known) return fail(std::move(known));
    auto ignore_text = read_file(top + "/.helmignore", kChartFileBytesMax);
    if (!ignore_text && ignore_text.error().code != Errc::not_found) return fail(std::move(ignore_text));
    auto rules = IgnoreRules::parse(ignore_text ? *ignore_text : std::string{});
    if (!rules) return fail(std::move(rules));
    auto const allowed = fs::canonical(root.empty() ? top : root, ec).string();
    if (ec) return fail(Errc::not_found, "lstat " + root + ": " + go_errno(ec.value()));
    Walker walker{top, allowed, *rules, log};
    if (auto done = walker.walk(top, "", 0); !done) return fail(std::move(done));
    return load_files(std::move(walker.files), log);
}

Result<ChartPtr> load_archive(std::string_view bytes, std::string_view name, Log* log) {
    auto files = unpack_archive(bytes);
    if (!files) return fail(std::move(files), "unable to load chart archive");
    for (auto const& file : *files) {
        if (file.name != "Chart.yaml") continue;
        if (auto known = check_api_version(file.data); !known) return fail(std::move(known));
        return load_files(std::move(*files), log);
    }
    return fail(Errc::invalid_input, "unable to detect chart version, no Chart.yaml found");
}

Result<ChartPtr> load_path(std::string const& path, Log* log) {
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) return fail(Errc::not_found, "stat " + path + ": " + go_errno(errno));
    if (S_ISDIR(info.st_mode)) return load_directory(path, "/", log);
    auto bytes = read_file(path, kChartBytesMax, static_cast<std::size_t>(info.st_size));
    if (!bytes) return fail(std::move(bytes));
    if (!bytes->starts_with("\x1F\x8B\x08")) {
        if (path.ends_with(".yml") || path.ends_with(".yaml"))
            return fail(Errc::invalid_input,
                        "file '" + path + "' seems to be a YAML file, but expected a gzipped archive");
        return fail(Errc::invalid_input,
                    "file '" + path + "' does not appear to be a gzipped archive; got '" + content_type(*bytes) + "'");
    }
    return load_archive(*bytes, path, log);
}

}  // namespace holdfast::helm
