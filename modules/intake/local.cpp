// modules/intake/local.cpp: a directory of manifests, into the registry.
#include "modules/intake/intake.hpp"

#include "modules/model/kinds.hpp"
#include "modules/yaml/json.hpp"
#include "modules/yaml/parse.hpp"

#include <algorithm>
#include <fstream>
#include <sys/stat.h>

namespace holdfast::intake {

namespace json = boost::json;
using model::Entry;
using model::Key;

namespace {

constexpr std::chrono::seconds kLookEvery{2};
constexpr std::size_t kFilesMax = 1'000;
constexpr std::size_t kFileBytesMax = 4u << 20;

/// "GitRepository, OCIRepository, Kustomization or FluxConfig"
std::string kind_names() {
    std::string names;
    for (std::size_t i = 0; i < model::kKinds.size(); ++i) {
        names += i == 0 ? "" : i + 1 < model::kKinds.size() ? ", " : " or ";
        names += model::kKinds[i].name;
    }
    return names;
}

/// Regular *.yaml and *.yml files, by name. Errors  not_found, denied: the directory cannot be read
Result<std::vector<std::filesystem::path>> manifest_files(std::filesystem::path const& directory) {
    std::error_code ec;
    std::vector<std::filesystem::path> files;
    std::filesystem::directory_iterator entries{directory, ec};
    if (ec) return fail(Errc::not_found, directory.string() + ": " + ec.message());
    for (std::filesystem::directory_iterator const end; entries != end; entries.increment(ec)) {
        auto const extension = entries->path().extension();
        std::error_code unreadable;
        if ((extension == ".yaml" || extension == ".yml") && entries->is_regular_file(unreadable))
            files.push_back(entries->path());
        if (files.size() > kFilesMax) return fail(Errc::limit, directory.string() + ": more than 1000 manifests");
    }
    if (ec) return fail(Errc::not_found, directory.string() + ": " + ec.message());
    std::ranges::sort(files);
    return files;
}

Result<std::string> read_whole(std::filesystem::path const& file) {
    std::ifstream stream{file, std::ios::binary};
    if (!stream) return fail(Errc::denied, "cannot be read");
    std::string text;
    char block[8192];
    while (stream.read(block, sizeof block) || stream.gcount() > 0) {
        text.append(block, static_cast<std::size_t>(stream.gcount()));
        if (text.size() > kFileBytesMax) return fail(Errc::limit, "is larger than 4 MiB");
    }
    return text;
}

}  // namespace

LocalIntake::LocalIntake(std::filesystem::path directory, model::Registry& registry, Log const& log)
    : directory_(std::move(directory)), registry_(registry), log_(log) {
    for (auto const& [key, entry] : registry_.all()) {
        // What the journal restored and nothing generated is a file's: its absence is noticed like any other's.
        bool const generated = model::maker_of(entry->meta, key.ns).has_value();
        if (entry->meta.origin == model::Origin::local && !generated) ours_.insert(key);
    }
}

std::string LocalIntake::stamps() const {
    auto const files = manifest_files(directory_);
    if (!files) return "!" + files.error().message;
    std::string text;
    for (auto const& file : *files) {
        struct stat info{};
        ::stat(file.c_str(), &info);
        text += file.string() + "\n" + std::to_string(info.st_mtim.tv_sec) + "." +
                std::to_string(info.st_mtim.tv_nsec) + " " + std::to_string(info.st_size) + " " +
                std::to_string(info.st_ino) + "\n";
    }
    return text;
}

/// Is there one that was turned away and would not be now?
bool LocalIntake::finds_room() const {
    return std::ranges::any_of(ours_, [this](Key const& key) {
        Entry const* entry = registry_.find(key);
        return entry != nullptr && registry_.has_room_for(*entry);
    });
}

bool LocalIntake::look() {
    std::string now = stamps();
    if (now == stamps_ && !finds_room()) return false;
    stamps_ = std::move(now);
    problems_.clear();
    auto const files = manifest_files(directory_);
    std::error_code ec;
    // No such directory: no manifests wanted here, or a disk that is not mounted. Neither takes anything back.
    if (!files && !std::filesystem::exists(directory_, ec)) return true;
    if (!files) {
        problems_.push_back(files.error().message);
        log_.error("intake", "manifests not read: everything stays as it is", {{"error", files.error().message}});
        return true;
    }
    std::set<Key> seen;
    for (auto const& file : *files) read_file(file, seen);
    for (std::string const& problem : problems_) log_.error("intake", problem);
    // One broken file may hide any wish: nothing is taken back until all of them can be read.
    if (!problems_.empty()) {
        ours_.insert(seen.begin(), seen.end());
        return true;
    }
    for (Key const& key : ours_) {
        Entry* entry = seen.contains(key) ? nullptr : registry_.find(key);
        if (entry != nullptr && entry->meta.origin == model::Origin::local) registry_.leave(*entry);
    }
    ours_ = std::move(seen);
    return true;
}

void LocalIntake::read_file(std::filesystem::path const& file, std::set<Key>& seen) {
    std::string const name = file.filename().string();
    auto text = read_whole(file);
    if (!text) {
        problems_.push_back(name + " " + text.error().message);
        return;
    }
    yaml::Arena arena;
    yaml::Place place;
    auto documents = yaml::parse_all(arena, *text, {.comments = false}, &place);
    if (!documents) {
        problems_.push_back(name + ":" + std::to_string(place.line) + ":" + std::to_string(place.column) + ": " +
                            documents.error().message);
        return;
    }
    for (yaml::Node const* document : *documents) {
        auto const* root = document->empty() ? nullptr : document->item(0);
        std::string const where = name + ":" + std::to_string(root == nullptr ? 1 : root->line) + ": ";
        auto value = yaml::to_json(*document);
        if (!value) {
            problems_.push_back(where + value.error().message);
            continue;
        }
        if (value->is_null()) continue;
        auto const* object = value->if_object();
        auto const kind = object == nullptr ? std::nullopt : model::kind_of(*object);
        if (!kind) {
            problems_.push_back(where + "not a " + kind_names() + " of a version that is read here");
            continue;
        }
        Key key{*kind, std::string{kube::namespace_of(*object)}, std::string{kube::name_of(*object)}};
        if (key.name.empty() || key.ns.empty()) {
            problems_.push_back(where + "metadata.name and metadata.namespace are required");
            continue;
        }
        if (!seen.insert(key).second) {
            problems_.push_back(where + key.text() + " is defined twice: the first one counts");
            continue;
        }
        if (!registry_.may_name(key)) {
            problems_.push_back(where + "namespace '" + key.ns +
                                "' has more objects than can be named (limits.memory)");
            continue;
        }
        auto spec = model::read_spec(*kind, *object);
        if (!spec) problems_.push_back(where + spec.error().message);
        std::string wish = wish_text(*object, model::Origin::local);
        registry_.put(std::move(key), model::read_meta(*object, model::Origin::local), std::move(spec), std::move(wish),
                      std::nullopt);
    }
}

asio::awaitable<void> LocalIntake::run() {
    for (;;) {
        look();
        co_await sleep_for(kLookEvery);
    }
}

}  // namespace holdfast::intake
