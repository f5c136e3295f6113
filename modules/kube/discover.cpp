// modules/kube/discover.cpp: fetches discovery: two requests, or one per group version from servers before 1.27.
#include "modules/kube/item_splitter.hpp"
#include "modules/kube/session.hpp"

#include <algorithm>
#include <iterator>

namespace holdfast::kube {

static constexpr auto kAggregated =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// A server may be a stranger's: what it says about its kinds is kept, so it is bounded as a whole.
Result<void> Client::Shared::charge(Discovered& found, std::size_t bytes) const {
    found.bytes += bytes;
    if (found.bytes <= settings.discovery_bytes_max) return {};
    return fail(Errc::limit,
                "the server's kinds are more than " + std::to_string(settings.discovery_bytes_max) + " bytes");
}

Task<void> Client::Shared::discover_root(std::string path, Identity identity, Discovered& found) {
    ItemSplitter splitter{settings.object_bytes_max, [&found](std::string_view item) -> Result<void> {
                              auto const group = parse_object(item);
                              if (!group) return std::unexpected{group.error()};
                              auto read = read_group_discovery(*group);
                              std::ranges::move(read.resources, std::back_inserter(found.kinds));
                              std::ranges::move(read.stale, std::back_inserter(found.stale));
                              return {};
                          }};
    Call call{.verb = Verb::discovery, .target = path, .accept = kAggregated};
    call.sink = [this, &splitter, &found](std::string_view piece) -> Result<void> {
        auto charged = charge(found, piece.size());
        return charged ? splitter.feed(piece) : charged;
    };
    auto const answered = co_await this->call(std::move(call), identity, nullptr);
    if (!answered) co_return std::unexpected{answered.error()};
    if (!splitter.complete()) co_return fail(Errc::offline, "discovery " + path + ": cut off");
    auto const document = parse_object(splitter.rest());
    if (!document) co_return std::unexpected{document.error()};
    if (find_string(*document, {"kind"}) == "APIGroupDiscoveryList") co_return Result<void>{};
    auto legacy = co_await discover_legacy(path, splitter.rest(), identity, found);
    co_return std::move(legacy);
}

Task<void> Client::Shared::discover_legacy(std::string path, std::string document, Identity identity,
                                           Discovered& found) {
    auto const root = parse_object(document);
    if (!root) co_return std::unexpected{root.error()};
    auto versions = path == "/api" ? std::vector<std::string>{"v1"} : read_group_versions(*root);
    for (auto const& version : versions) {
        Call call{.verb = Verb::discovery, .target = path + "/" + version};
        auto const answered = co_await this->call(std::move(call), identity, nullptr);
        if (!answered && is_retryable(answered.error().code) && answered.error().code != Errc::busy)
            co_return std::unexpected{answered.error()};
        auto charged = charge(found, answered ? answered->body.size() : version.size());
        if (!charged) co_return charged;
        auto const list = answered ? parse_object(answered->body) : Result<Object>{std::unexpected{answered.error()}};
        if (!list) {
            found.stale.push_back(version);  // an aggregated API whose server is down must not hide the others
            continue;
        }
        auto resources = read_resource_list(*list);
        std::ranges::move(resources, std::back_inserter(found.kinds));
    }
    co_return Result<void>{};
}

Task<void> Client::Shared::discover(Identity identity) {
    Discovered found;
    auto core = co_await discover_root("/api", identity, found);
    if (!core) co_return fail(std::move(core), "discovery");
    auto groups = co_await discover_root("/apis", identity, found);
    if (!groups) co_return fail(std::move(groups), "discovery");
    kinds.replace(std::move(found.kinds), std::move(found.stale));
    discovered_at = std::chrono::steady_clock::now();
    co_return Result<void>{};
}

static Error no_match(std::string const& group, std::string const& kind) {
    return {Errc::not_found, "no matches for kind \"" + kind + "\" in group \"" + group + "\""};
}

/// The group's own documents, not the sum of all groups: while a server starts the sum lacks groups without saying so,
/// but the path of a group answers 503 until all paths are known. So 404 here means: not served.
Task<Resource> Client::Shared::ask_group(std::string group, std::string kind, std::string preferred,
                                         Identity identity) {
    std::vector<std::string> versions{"v1"};
    if (group.find_first_of("/%?#") != std::string::npos || group == "." || group == "..")
        co_return fail(Errc::invalid_input, "\"" + group + "\" is not the name of an API group");
    if (!group.empty()) {
        Call call{.verb = Verb::discovery, .target = "/apis/" + group};
        auto const document = co_await call_for_object(std::move(call), identity, nullptr);
        if (!document && document.error().code == Errc::not_found) co_return std::unexpected{no_match(group, kind)};
        if (!document) co_return std::unexpected{Error{document.error()}.in("discovery of " + group)};
        versions = read_versions(*document);
        auto const wanted = std::ranges::find(versions, group + "/" + preferred);
        if (wanted != versions.end()) std::rotate(versions.begin(), wanted, wanted + 1);
    }
    std::optional<Error> unknown;
    for (auto const& version : versions) {
        Call call{.verb = Verb::discovery, .target = (group.empty() ? "/api/" : "/apis/") + version};
        auto const list = co_await call_for_object(std::move(call), identity, nullptr);
        if (!list) {
            unknown = Error{list.error()}.in("discovery of " + version);
            continue;
        }
        for (auto& resource : read_resource_list(*list)) {
            if (resource.gvk.kind == kind && resource.gvk.group == group) co_return std::move(resource);
        }
    }
    if (!unknown) co_return std::unexpected{no_match(group, kind)};
    // The group names this version: that its list is not there is a change in the middle, not an answer.
    if (unknown->code == Errc::not_found) unknown->code = Errc::busy;
    co_return std::unexpected{std::move(*unknown)};
}

}  // namespace holdfast::kube
