// modules/kube/client.cpp: the operations of kube::Cluster as HTTP requests.
#include "modules/kube/client.hpp"

#include "modules/kube/item_splitter.hpp"
#include "modules/kube/session.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace holdfast::kube {

static constexpr unsigned kListRestartsMax = 3;
static constexpr auto kWatchSlack = std::chrono::seconds{60};  // beyond the time after which the server ends a watch

std::string_view to_string(Verb verb) {
    switch (verb) {
        case Verb::get: return "get";
        case Verb::list: return "list";
        case Verb::watch: return "watch";
        case Verb::create: return "create";
        case Verb::apply: return "apply";
        case Verb::patch: return "patch";
        case Verb::remove: return "delete";
        case Verb::discovery: return "discovery";
    }
    return "unknown";
}

namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

constexpr auto kOneMetadata = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
constexpr auto kListMetadata = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

std::string qualified(Resource const& resource) {
    return resource.gvk.group.empty() ? resource.plural : resource.plural + "." + resource.gvk.group;
}

Result<void> check_path(Target const& target) {
    auto ns = check_segment("namespace", target.resource.namespaced ? target.ns : "");
    if (!ns) return ns;
    auto name = check_segment("resource name", target.name);
    if (!name) return name;
    auto subresource = check_segment("subresource", target.subresource);
    if (!subresource) return subresource;
    for (auto const& part : {target.resource.gvk.group, target.resource.gvk.version, target.resource.plural}) {
        auto checked = check_segment("resource", part);
        if (!checked) return checked;
    }
    return {};
}

std::string path_of(Target const& target) {
    auto const& gvk = target.resource.gvk;
    auto path = gvk.group.empty() ? "/api/" + gvk.version : "/apis/" + gvk.group + "/" + gvk.version;
    if (target.resource.namespaced && !target.ns.empty()) path += "/namespaces/" + http::percent_encode(target.ns);
    path += "/" + target.resource.plural;
    if (!target.name.empty()) path += "/" + http::percent_encode(target.name);
    if (!target.subresource.empty()) path += "/" + target.subresource;
    return path;
}

std::string with_query(std::string path, Parameters const& parameters) {
    auto const query = http::query_string(parameters);
    return query.empty() ? path : path + "?" + query;
}

Call call_on(Verb verb, std::string method, Target const& target, Parameters const& parameters, bool metadata_only) {
    Call call{.verb = verb, .method = std::move(method), .target = with_query(path_of(target), parameters)};
    if (metadata_only) call.accept = kOneMetadata;
    call.resource = qualified(target.resource);
    call.name = target.name;
    if (target.subresource.empty()) call.gvk = target.resource.gvk;
    auto checked = check_path(target);
    if (!checked) call.unsendable = std::move(checked.error());
    return call;
}

Parameters write_parameters(WriteOptions const& options) {
    Parameters parameters;
    if (!options.field_manager.empty()) parameters.emplace_back("fieldManager", options.field_manager);
    if (options.force) parameters.emplace_back("force", "true");
    if (options.dry_run) parameters.emplace_back("dryRun", "All");
    return parameters;
}

void add_selectors(Parameters& parameters, std::string const& labels, std::string const& fields) {
    if (!labels.empty()) parameters.emplace_back("labelSelector", labels);
    if (!fields.empty()) parameters.emplace_back("fieldSelector", fields);
}

/// Items of a list carry no kind, and metadata-only ones carry another.
void name_kind(Object& object, Resource const& resource) {
    object["apiVersion"] = resource.gvk.api_version();
    object["kind"] = resource.gvk.kind;
}

std::optional<Event> event_of(std::string_view type) {
    if (type == "ADDED") return Event::added;
    if (type == "MODIFIED") return Event::modified;
    if (type == "DELETED") return Event::deleted;
    if (type == "BOOKMARK") return Event::bookmark;
    return std::nullopt;
}

/// Cuts the answer to a watch into lines and hands their events on.
struct EventLines {
    Resource const& resource;
    std::size_t bytes_max;
    EventSink const& sink;
    Refusal* refusal;
    std::string line = {};

    Result<void> feed(std::string_view piece) {
        while (!piece.empty()) {
            auto const end = piece.find('\n');
            auto const part = piece.substr(0, end);
            if (line.size() + part.size() > bytes_max)
                return fail(Errc::limit, "a watch event of more than " + std::to_string(bytes_max) + " bytes");
            line += part;
            if (end == std::string_view::npos) return {};
            piece.remove_prefix(end + 1);
            auto taken = take();
            line.clear();
            if (line.capacity() > (64u << 10)) line.shrink_to_fit();
            if (!taken) return fail(std::move(taken));
        }
        return {};
    }

    Result<void> take() {
        if (line.find_first_not_of(" \r\t") == std::string::npos) return {};
        auto event = parse_object(line);
        if (!event) return fail(std::move(event), "watch");
        auto* const value = event->if_contains("object");
        if (value == nullptr || !value->is_object()) return fail(Errc::invalid_input, "watch: event without object");
        auto& object = value->get_object();
        auto const type = find_string(*event, {"type"});
        if (type == "ERROR") {
            auto refused = refusal_of(object);
            auto error = to_error(refused);
            if (refusal != nullptr) *refusal = std::move(refused);
            return std::unexpected{std::move(error)};
        }
        auto const known = event_of(type);
        if (!known) return {};  // a type of a newer server
        name_kind(object, resource);
        return sink(*known, std::move(object));
    }
};

}  // namespace

Client::Client(std::shared_ptr<Shared> shared, std::unique_ptr<Identity> identity)
    : shared_(std::move(shared)), identity_(std::move(identity)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::make(asio::any_io_executor executor, http::Client& http, Config config,
                                             ClientSettings settings) {
    auto shared = std::make_shared<Shared>(executor, http, std::move(config), std::move(settings));
    auto const& from = shared->config;
    shared->endpoint.url = from.server;
    shared->endpoint.proxy = from.proxy;
    shared->endpoint.reach = from.reach;
    if (from.server.scheme == "https") {
        auto tls = http::TlsContext::client(from.tls);
        if (!tls) return fail(std::move(tls), "API server");
        shared->endpoint.tls = std::move(*tls);
    }
    shared->base_path = from.server.target.substr(0, from.server.target.find('?'));
    while (shared->base_path.ends_with('/')) shared->base_path.pop_back();
    auto identity = std::make_unique<Identity>(from.credentials.impersonate_user, from.credentials.impersonate_groups);
    return std::unique_ptr<Client>{new Client{std::move(shared), std::move(identity)}};
}

std::unique_ptr<Client> Client::as(std::string user, std::vector<std::string> groups) const {
    auto identity = std::make_unique<Identity>(std::move(user), std::move(groups));
    return std::unique_ptr<Client>{new Client{shared_, std::move(identity)}};
}

RequestCounts const& Client::counts() const { return shared_->counts; }
Contact const& Client::contact() const { return shared_->contact; }
Config const& Client::config() const { return shared_->config; }
void Client::forget_discovery() { shared_->discovered_at.reset(); }

Task<Resource> Client::resource_for(GroupVersionKind gvk) {
    auto const shared = shared_;
    auto known = shared->kinds.find(gvk);
    if (known) co_return std::move(*known);
    auto const turn = co_await shared->discovering.take(shared->settings.queue_max);
    if (!turn) co_return std::unexpected{Error{turn.error()}.in("discovery")};
    known = shared->kinds.find(gvk);  // another may have asked meanwhile
    if (known) co_return std::move(*known);
    bool const fresh = shared->discovered_at &&
                       std::chrono::steady_clock::now() - *shared->discovered_at < shared->settings.discovery_pause;
    if (!fresh) {
        // Not as the impersonated user: what exists does not depend on who asks.
        auto discovered = co_await shared->discover(
            {shared->config.credentials.impersonate_user, shared->config.credentials.impersonate_groups});
        if (!discovered) co_return fail(std::move(discovered));
        known = shared->kinds.find(gvk);
        if (known) co_return std::move(*known);
    }
    if (shared->kinds.is_stale(gvk))
        co_return fail(Errc::busy, "discovery of " + gvk.api_version() + ": the server behind it does not answer");
    co_return fail(Errc::not_found,
                   "no matches for kind \"" + gvk.kind + "\" in version \"" + gvk.api_version() + "\"");
}

Task<Resource> Client::any_version_of(std::string group, std::string kind, std::string preferred_version) {
    auto const shared = shared_;
    auto known = shared->kinds.find_any(group, kind, preferred_version);
    if (known) co_return std::move(*known);
    auto const turn = co_await shared->discovering.take(shared->settings.queue_max);
    if (!turn) co_return std::unexpected{Error{turn.error()}.in("discovery")};
    auto const& credentials = shared->config.credentials;
    Identity const identity{credentials.impersonate_user, credentials.impersonate_groups};
    if (!shared->discovered_at) {
        auto discovered = co_await shared->discover(identity);
        if (!discovered) co_return fail(std::move(discovered));
    }
    known = shared->kinds.find_any(group, kind, preferred_version);
    if (known) co_return std::move(*known);
    auto found = co_await shared->ask_group(std::move(group), std::move(kind), std::move(preferred_version), identity);
    if (found) shared->kinds.add(*found);
    co_return std::move(found);
}

Task<std::vector<Resource>> Client::resources() {
    auto const shared = shared_;
    auto const turn = co_await shared->discovering.take(shared->settings.queue_max);
    if (!turn) co_return std::unexpected{Error{turn.error()}.in("discovery")};
    if (shared->kinds.empty() || !shared->discovered_at) {
        auto discovered = co_await shared->discover(
            {shared->config.credentials.impersonate_user, shared->config.credentials.impersonate_groups});
        if (!discovered) co_return fail(std::move(discovered));
    }
    co_return shared->kinds.all();
}

Task<Object> Client::get(Target target, ReadOptions options, Refusal* refusal) {
    auto call = call_on(Verb::get, "GET", target, {}, options.metadata_only);
    auto object = co_await shared_->call_for_object(std::move(call), *identity_, refusal);
    if (object && options.metadata_only) name_kind(*object, target.resource);
    co_return std::move(object);
}

namespace {

Result<void> too_long(Resource const& resource, ListOptions const& options) {
    return fail(Errc::limit,
                "list " + qualified(resource) + ": more than " + std::to_string(options.items_max) + " objects");
}

}  // namespace

Task<std::string> Client::list(Resource resource, ListOptions options, std::function<void()> begin, ObjectSink sink,
                               Refusal* refusal) {
    Refusal own;
    auto* const told = refusal != nullptr ? refusal : &own;
    std::string continuation;
    unsigned restarts = 0;
    std::size_t items = 0;
    if (begin) begin();
    for (;;) {
        std::size_t const items_before = items;
        Parameters parameters;
        add_selectors(parameters, options.label_selector, options.field_selector);
        if (options.page_size > 0) parameters.emplace_back("limit", std::to_string(options.page_size));
        if (!continuation.empty()) parameters.emplace_back("continue", continuation);
        if (continuation.empty() && !options.resource_version.empty())
            parameters.emplace_back("resourceVersion", options.resource_version);
        auto call = call_on(Verb::list, "GET", {resource, options.ns, ""}, parameters, false);
        if (options.metadata_only) call.accept = std::string{kListMetadata} + ",application/json";

        ItemSplitter splitter{shared_->settings.object_bytes_max, [&](std::string_view item) -> Result<void> {
                                  bool const too_many = options.items_max > 0 && ++items > options.items_max;
                                  if (too_many) return too_long(resource, options);
                                  auto object = parse_object(item);
                                  if (!object) return fail(std::move(object), "list");
                                  name_kind(*object, resource);
                                  return sink(std::move(*object));
                              }};
        call.sink = [&splitter](std::string_view piece) { return splitter.feed(piece); };
        auto const answered = co_await shared_->call(std::move(call), *identity_, told);
        if (!answered) {
            bool const lost_its_place = told->code == 410 && !continuation.empty() && restarts < kListRestartsMax;
            if (!lost_its_place) co_return std::unexpected{answered.error()};
            ++restarts;
            continuation.clear();
            *told = {};
            if (begin) begin();
            continue;
        }
        if (!splitter.complete()) co_return fail(Errc::offline, "list " + qualified(resource) + ": cut off");
        auto const rest = parse_object(splitter.rest());
        if (!rest) co_return std::unexpected{rest.error()};
        // An answer that is no list names nobody, and everybody would count as gone.
        bool const is_list = find_string(*rest, {"kind"}).ends_with("List") && rest->contains("items") &&
                             !resource_version_of(*rest).empty();
        if (!is_list) co_return fail(Errc::busy, "list " + qualified(resource) + ": the answer is not a list");
        continuation = find_string(*rest, {"metadata", "continue"});
        if (continuation.empty()) co_return std::string{resource_version_of(*rest)};
        // Pages without items, one after the other, have an end, too.
        items = std::max(items, items_before + options.page_size / 10);
        if (options.items_max > 0 && items > options.items_max)
            co_return std::unexpected{too_long(resource, options).error()};
    }
}

Task<void> Client::watch(Resource resource, WatchOptions options, EventSink sink, Refusal* refusal) {
    Parameters parameters{{"watch", "true"}, {"allowWatchBookmarks", "true"}};
    add_selectors(parameters, options.label_selector, options.field_selector);
    if (!options.resource_version.empty()) parameters.emplace_back("resourceVersion", options.resource_version);
    parameters.emplace_back("timeoutSeconds", std::to_string(options.server_timeout.count()));
    auto call = call_on(Verb::watch, "GET", {resource, options.ns, ""}, parameters, options.metadata_only);
    call.is_watch = true;
    call.watch_max = options.server_timeout + kWatchSlack;
    call.silence_max = options.silence_max > std::chrono::seconds{0} ? options.silence_max : call.watch_max;
    EventLines lines{resource, shared_->settings.object_bytes_max, sink, refusal};
    call.sink = [&lines](std::string_view piece) { return lines.feed(piece); };
    auto const answered = co_await shared_->call(std::move(call), *identity_, refusal);
    if (!answered) co_return std::unexpected{answered.error()};
    auto last = lines.take();  // an error event may end the answer without a line break
    co_return std::move(last);
}

Task<Object> Client::apply(Object object, WriteOptions options, Refusal* refusal) {
    auto gvk = kind_of(object);
    if (!gvk) co_return fail(std::move(gvk));
    auto resource = co_await resource_for(std::move(*gvk));
    if (!resource) co_return fail(std::move(resource));
    Target target{std::move(*resource), std::string{namespace_of(object)}, std::string{name_of(object)}};
    if (target.ns.empty()) target.ns = shared_->config.ns;
    auto applied = co_await apply_to(std::move(target), std::move(object), std::move(options), refusal);
    co_return std::move(applied);
}

Task<Object> Client::apply_to(Target target, Object object, WriteOptions options, Refusal* refusal) {
    if (target.name.empty()) co_return fail(Errc::invalid_input, "apply: object has no metadata.name");
    auto call = call_on(Verb::apply, "PATCH", target, write_parameters(options), options.metadata_only);
    call.content_type = "application/apply-patch+yaml";
    call.body = json::serialize(object);
    auto applied = co_await shared_->call_for_object(std::move(call), *identity_, refusal);
    if (applied && options.metadata_only) name_kind(*applied, target.resource);
    co_return std::move(applied);
}

Task<Object> Client::patch(Target target, Patch type, json::value patch, WriteOptions options, Refusal* refusal) {
    auto call = call_on(Verb::patch, "PATCH", target, write_parameters(options), options.metadata_only);
    switch (type) {
        case Patch::merge: call.content_type = "application/merge-patch+json"; break;
        case Patch::json: call.content_type = "application/json-patch+json"; break;
        case Patch::strategic: call.content_type = "application/strategic-merge-patch+json"; break;
    }
    call.body = json::serialize(patch);
    auto patched = co_await shared_->call_for_object(std::move(call), *identity_, refusal);
    if (patched && options.metadata_only) name_kind(*patched, target.resource);
    co_return std::move(patched);
}

Task<Object> Client::create(Object object, WriteOptions options, Refusal* refusal) {
    auto gvk = kind_of(object);
    if (!gvk) co_return fail(std::move(gvk));
    auto resource = co_await resource_for(std::move(*gvk));
    if (!resource) co_return fail(std::move(resource));
    Target target{std::move(*resource), std::string{namespace_of(object)}, ""};
    if (target.ns.empty()) target.ns = shared_->config.ns;
    auto call = call_on(Verb::create, "POST", target, write_parameters(options), options.metadata_only);
    call.content_type = "application/json";
    call.body = json::serialize(object);
    auto created = co_await shared_->call_for_object(std::move(call), *identity_, refusal);
    if (created && options.metadata_only) name_kind(*created, target.resource);
    co_return std::move(created);
}

Task<Object> Client::request_token(std::string ns, std::string account, std::vector<std::string> audiences) {
    Resource const accounts{
        .gvk = {"", "v1", "ServiceAccount"}, .plural = "serviceaccounts", .namespaced = true, .verbs = {"create"}};
    json::object spec;
    if (!audiences.empty()) spec["audiences"] = json::array(audiences.begin(), audiences.end());
    Object const body{{"apiVersion", "authentication.k8s.io/v1"}, {"kind", "TokenRequest"}, {"spec", std::move(spec)}};
    Target const target{accounts, std::move(ns), std::move(account), "token"};
    auto call = call_on(Verb::create, "POST", target, {}, false);
    call.content_type = "application/json";
    call.body = json::serialize(body);
    auto created = co_await shared_->call_for_object(std::move(call), *identity_, nullptr);
    co_return std::move(created);
}

Result<void> Client::renew(Config fresh) {
    auto taken = shared_->take_over(std::move(fresh));
    if (!taken) return fail(std::move(taken));
    return {};
}

Task<void> Client::remove(Target target, DeleteOptions options, Refusal* refusal) {
    Object body{{"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"propagationPolicy", options.propagation}};
    Object preconditions;
    if (!options.uid.empty()) preconditions["uid"] = options.uid;
    if (!options.resource_version.empty()) preconditions["resourceVersion"] = options.resource_version;
    if (!preconditions.empty()) body["preconditions"] = std::move(preconditions);
    if (options.grace_seconds) body["gracePeriodSeconds"] = *options.grace_seconds;
    if (options.dry_run) body["dryRun"] = json::array{"All"};
    auto call = call_on(Verb::remove, "DELETE", target, {}, true);
    call.content_type = "application/json";
    call.body = json::serialize(body);
    auto const removed = co_await shared_->call(std::move(call), *identity_, refusal);
    if (!removed) co_return std::unexpected{removed.error()};
    co_return Result<void>{};
}

Task<std::string> identity_of(Cluster& cluster) {
    Resource const namespaces{
        .gvk = {"", "v1", "Namespace"}, .plural = "namespaces", .namespaced = false, .verbs = {"get"}};
    auto const found = co_await cluster.get({namespaces, "", "kube-system"}, {.metadata_only = true});
    if (!found) co_return std::unexpected{Error{found.error()}.in("identity of the cluster")};
    auto const uid = uid_of(*found);
    if (uid.empty()) co_return fail(Errc::invalid_input, "identity of the cluster: namespace kube-system has no uid");
    co_return std::string{uid};
}

}  // namespace holdfast::kube
