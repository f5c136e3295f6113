// modules/story/tell.cpp: a line of the log and an Event.
#include "modules/story/tell.hpp"

#include "modules/base/mask.hpp"
#include "modules/base/utf8.hpp"
#include "modules/kube/events.hpp"

namespace holdfast::story {

namespace json = boost::json;
using model::Entry;
using model::Key;

bool in_cluster(Ports const& ports, Entry const& entry) {
    return ports.cluster != nullptr && entry.meta.origin == model::Origin::cluster;
}

asio::awaitable<void> tell(Ports& ports, Key key, News news) {
    // The cluster shows it to everybody who may read Events, on a terminal mostly.
    news.message = without_controls(mask_logins(news.message), kLayout);
    ports.log.write(news.level, "story", news.message,
                    {HOLDFAST_LOG_KEY(key), {"reason", news.reason}, {"revision", news.revision}});
    if (!news.event) co_return;
    Entry const* entry = ports.registry.find(key);
    if (entry == nullptr || !in_cluster(ports, *entry)) co_return;
    kube::Object about{{"apiVersion", model::api_version_of(key.kind)},
                       {"kind", model::kind_name(key.kind)},
                       {"metadata", json::object{{"name", key.name},
                                                 {"namespace", key.ns},
                                                 {"uid", entry->meta.uid},
                                                 {"resourceVersion", entry->meta.resource_version}}}};
    kube::Object annotations;
    if (!news.revision.empty()) {
        annotations[std::string{model::info(key.kind).group} + "/revision"] = news.revision;
    }
    for (auto const& [name, value] : news.annotations) {
        annotations[std::string{model::info(key.kind).group} + "/" + name] = value;
    }
    kube::EventDraft const draft{.about = &about,
                                 .type = news.level >= LogLevel::warning ? "Warning" : "Normal",
                                 .reason = news.reason,
                                 .message = news.message,
                                 .component = std::string{model::info(key.kind).controller},
                                 .annotations = std::move(annotations)};
    auto const now = ports.clock.wall();
    auto const suffix = std::to_string(now.time_since_epoch().count());
    auto event = kube::make_event(draft, now, suffix);
    auto recorded = co_await kube::record_event(*ports.cluster, std::move(event));
    if (!recorded)
        ports.log.debug("story", "event not written", {{"name", key.name}, {"error", recorded.error().message}});
}

}  // namespace holdfast::story
