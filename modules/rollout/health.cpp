// modules/rollout/health.cpp: sorts what is known of objects into good, pending and failed.
#include "modules/rollout/health.hpp"

namespace holdfast::rollout {

void Health::add(std::string const& display, kube::Health health, std::string const& message) {
    if (health == kube::Health::current) return;
    if (health == kube::Health::unknown) certain = false;
    std::string text = display + " status: '" + std::string{kube::to_string(health)} + "'";
    if (health == kube::Health::failed) {
        failed.push_back(std::move(text));
        if (!message.empty()) details += (details.empty() ? "" : "; ") + display + ": " + message;
    } else {
        if (health == kube::Health::unknown && !message.empty()) text += ": " + message;
        pending.push_back(std::move(text));
    }
}

Health health_of_all(Owner const& owner, OwnedObjects const& owned) {
    Health health;
    for (std::string const& text : owned.unhealthy(owner)) {
        Known const* known = owned.find(owner, text);
        auto const id = kube::parse_object_id(text);
        if (known == nullptr || !id || known->skipped) continue;
        bool const itself =
            id->kind == model::kind_name(owner.key.kind) && id->name == owner.key.name && id->ns == owner.key.ns;
        if (!itself) health.add(id->display(), known->health, known->message);
    }
    return health;
}

Health health_of(Owner const& owner, std::vector<kube::ObjectId> const& ids, OwnedObjects const& owned) {
    Health health;
    for (kube::ObjectId const& id : ids) {
        Known const* known = owned.find(owner, id.text());
        bool const applied = known != nullptr && (known->skipped || (known->object.wished != 0 && !known->taken));
        if (!applied) health.unseen.push_back(id);
        else if (!known->skipped) health.add(id.display(), known->health, known->message);
    }
    return health;
}

std::string list_text(std::vector<std::string> const& items) {
    std::string text = "[";
    for (std::size_t i = 0; i < items.size(); ++i) text += (i == 0 ? "" : ", ") + items[i];
    return text + "]";
}

}  // namespace holdfast::rollout
