// modules/reconcile/health.cpp: sorts what is known of objects into good, pending and failed.
#include "modules/reconcile/health.hpp"

namespace holdfast::reconcile {

namespace {

void judge(Health& health, std::string const& display, Known const& known) {
    if (known.health == kube::Health::current) return;
    std::string text = display + " status: '" + std::string{kube::to_string(known.health)} + "'";
    if (known.health == kube::Health::failed) {
        if (!known.message.empty()) text += ": " + known.message;
        health.failed.push_back(std::move(text));
    } else {
        health.pending.push_back(std::move(text));
    }
}

}  // namespace

bool checks_health(model::KustomizationSpec const& spec) { return spec.wait || !spec.health_checks.empty(); }

Health health_of(model::Key const& owner, model::KustomizationSpec const& spec, OwnedObjects const& owned) {
    Health health;
    if (spec.wait) {
        for (Known const* known : owned.of(owner)) {
            auto const id = kube::parse_object_id(known->object.entry.id);
            bool const itself = id && id->kind == "Kustomization" && id->name == owner.name && id->ns == owner.ns;
            if (!id || itself || known->skipped) continue;
            judge(health, id->display(), *known);
        }
        return health;
    }
    for (model::HealthCheckRef const& ref : spec.health_checks) {
        auto const gvk = kube::parse_api_version(ref.api_version, ref.kind);
        kube::ObjectId const id{ref.ns, ref.name, gvk.group, ref.kind};
        Known const* known = owned.find_any(id.text());
        if (known == nullptr) {
            health.unseen.push_back(ref);
        } else if (!known->skipped) {
            judge(health, id.display(), *known);
        }
    }
    return health;
}

std::string list_text(std::vector<std::string> const& items) {
    std::string text = "[";
    for (std::size_t i = 0; i < items.size(); ++i) text += (i == 0 ? "" : ", ") + items[i];
    return text + "]";
}

}  // namespace holdfast::reconcile
