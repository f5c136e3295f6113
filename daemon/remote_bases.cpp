// daemon/remote_bases.cpp: remotes and their contents as JSON and bytes.
#include "daemon/remote_bases.hpp"

#include "modules/base/limits.hpp"
#include "modules/kustomize/tree_text.hpp"
#include "modules/source/remote_cache.hpp"

#include <boost/json/object.hpp>

#include <algorithm>

namespace holdfast::daemon {

namespace {

namespace json = boost::json;
using kustomize::Remote;

json::object describe(Remote const& remote) {
    return {{"repository", remote.kind == Remote::Kind::repository},
            {"url", remote.url},
            {"ref", remote.ref},
            {"submodules", remote.submodules},
            {"timeout", remote.timeout.count()}};
}

Result<Remote> read_remote(json::value const& value) try {
    auto const& object = value.as_object();
    return Remote{.kind = object.at("repository").as_bool() ? Remote::Kind::repository : Remote::Kind::file,
                  .url = std::string{object.at("url").as_string()},
                  .ref = std::string{object.at("ref").as_string()},
                  .submodules = object.at("submodules").as_bool(),
                  .timeout = std::chrono::nanoseconds{object.at("timeout").to_number<std::int64_t>()}};
} catch (std::exception const&) {
    return fail(Errc::invalid_input, "the description of a remote resource cannot be read");
}

/// Cuts what belongs to one entry off the front of `bytes`.
Result<kustomize::Fetched> take_supply(json::object const& entry, std::string_view& bytes, bool repository) try {
    kustomize::Fetched fetched{.status = entry.at("status").to_number<int>()};
    if (auto const* error = entry.if_contains("error")) {
        fetched.outcome = fail(static_cast<Errc>(entry.at("code").to_number<int>()), std::string{error->as_string()});
        return fetched;
    }
    auto const size = entry.at("bytes").to_number<std::size_t>();
    if (size > bytes.size()) return fail(Errc::corrupt, "the content of a remote resource is cut short");
    fetched.content = bytes.substr(0, size);
    bytes.remove_prefix(size);
    if (!repository) return fetched;
    auto tree = kustomize::read_tree(fetched.content);
    if (!tree) return fail(std::move(tree));
    fetched.tree = std::move(*tree);
    return fetched;
} catch (std::exception const&) {
    return fail(Errc::invalid_input, "the description of a remote resource cannot be read");
}

}  // namespace

json::array describe(std::vector<Remote> const& remotes) {
    json::array described;
    for (Remote const& remote : remotes) described.push_back(describe(remote));
    return described;
}

Result<std::vector<Remote>> read_remotes(json::value const& described) {
    if (!described.is_array()) return fail(Errc::invalid_input, "the list of remote resources cannot be read");
    std::vector<Remote> remotes;
    for (json::value const& one : described.get_array()) {
        auto remote = read_remote(one);
        if (!remote) return fail(std::move(remote));
        remotes.push_back(std::move(*remote));
    }
    return remotes;
}

std::unexpected<Error> too_many_rounds(Remote const& remote) {
    return fail(Errc::limit, "remote '" + remote.url + "': more than " + std::to_string(limits::kRemoteRoundsMax) +
                                 " rounds of remote resources in one build");
}

Result<void> Supplies::append_to(MemoryFile& input) const {
    for (auto const& content : contents_) {
        if (auto ok = input.append(*content); !ok) return ok;
    }
    return {};
}

Result<void> Supplies::add(Remote const& remote, Result<source::RemoteContent> const& content) {
    if (description_.size() == limits::kRemotesMax) {
        return fail(Errc::limit, "remote '" + remote.url + "': more than " + std::to_string(limits::kRemotesMax) +
                                     " remote resources in one build");
    }
    json::object entry{{"remote", describe(remote)}, {"status", content ? content->status : 0}};
    if (!content) {
        entry["code"] = static_cast<int>(content.error().code);
        entry["error"] = content.error().message;
    } else {
        std::size_t const size = content->bytes ? content->bytes->size() : 0;
        if (size > bytes_left()) {
            return fail(Errc::limit, "remote '" + remote.url + "': more than " + std::to_string(bytes_max_) +
                                         " bytes of remote resources in one build");
        }
        if (size > 0) contents_.push_back(content->bytes);
        size_ += size;
        entry["bytes"] = size;
    }
    description_.push_back(std::move(entry));
    names_.push_back(source::kept_name(remote));
    return {};
}

Result<kustomize::Remotes> read_supplies(json::array const& description, std::string_view bytes) {
    kustomize::Remotes remotes;
    for (json::value const& one : description) {
        auto const* const entry = one.if_object();
        auto const* const described = entry ? entry->if_contains("remote") : nullptr;
        if (!described) return fail(Errc::invalid_input, "the description of a remote resource cannot be read");
        auto const remote = read_remote(*described);
        if (!remote) return std::unexpected{remote.error()};
        auto fetched = take_supply(*entry, bytes, remote->kind == Remote::Kind::repository);
        if (!fetched) return fail(std::move(fetched));
        remotes.add(*remote, std::move(*fetched));
    }
    return remotes;
}

}  // namespace holdfast::daemon
