// daemon/wiring.cpp: the table of stories, and the rules of who wakes whom.
#include "daemon/wiring.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::daemon {

using model::Key;
using model::Kind;

namespace {

/// Flux objects that a Kustomization applied count for the configuration they belong to.
std::vector<fluxconfig::Child> flux_children(rollout::OwnedObjects const& owned, Key const& key) {
    std::vector<fluxconfig::Child> children;
    for (rollout::Known const* known : owned.of({key})) {
        auto const id = kube::parse_object_id(known->object.entry.id);
        if (!id || !id->group.ends_with(".toolkit.fluxcd.io")) continue;
        children.push_back({id->kind, id->ns, id->name, known->ready});
    }
    return children;
}

source::Sources::Upstreams upstreams(source::GitUpstream& git, source::OciUpstream& oci) {
    source::Sources::Upstreams table{};
    table[static_cast<std::size_t>(Kind::git_repository)] = &git;
    table[static_cast<std::size_t>(Kind::oci_repository)] = &oci;
    return table;
}

}  // namespace

Stories::Stories(Parts parts)
    : parts_(std::move(parts)), git_(parts_.pool, parts_.git, parts_.stop, parts_.fetch_commit),
      oci_(parts_.pool, parts_.oci, parts_.stop, parts_.fetch_image),
      sources_(parts_.ports, parts_.artifacts, parts_.hosts, upstreams(git_, oci_), parts_.want),
      kustomizations_(parts_.ports, parts_.access, parts_.renderer, parts_.owned, {},
                      [this](Key const& source) {
                          if (sources_.distrust(source)) parts_.want(source);
                      }),
      passes_(parts_.ports, table()) {}

story::Passes::Stories Stories::table() {
    story::Passes::Stories stories{};
    auto const tell = [&](Kind kind, story::Story& story) { stories[static_cast<std::size_t>(kind)] = &story; };
    auto const own = [&](Kind kind, std::unique_ptr<story::Story> story) {
        others_.push_back(std::move(story));
        tell(kind, *others_.back());
    };
    auto const children = [this](Key const& key) { return flux_children(parts_.owned, key); };
    tell(Kind::git_repository, sources_);
    tell(Kind::oci_repository, sources_);
    tell(Kind::kustomization, kustomizations_);
    own(Kind::flux_config, std::make_unique<fluxconfig::FluxConfigs>(parts_.ports, children, parts_.configs));
    for (story::Story* one : stories) HOLDFAST_ASSERT(one != nullptr);
    return stories;
}

void Wakes::heard(model::Entry const& entry, model::Change change) {
    drain_.poke();
    if (change == model::Change::wish) want(entry.key);
    if (change != model::Change::status) {
        for (Key const& follower : registry_.followers(entry.key)) {
            if (may_follow(follower, entry.key)) want(follower);
        }
    }
    if (auto const maker = model::maker_of(entry.meta, entry.key.ns)) want(*maker);
    bool const fetched = change != model::Change::wish && model::info(entry.key.kind).what == model::Class::source &&
                         entry.status.conditions.is("Ready", model::Truth::yes) &&
                         entry.status.conditions.find("FetchFailed") == nullptr;
    if (fetched) drain_.network_is_back();
}

/// Who may not use a source is not told either when it changes.
bool Wakes::may_follow(Key const& follower, Key const& key) const {
    model::Entry const* entry = registry_.find(follower);
    bool const is_source = model::info(key.kind).what == model::Class::source;
    return entry == nullptr || !is_source || locks_.of(*entry).reaches(follower.ns, key.ns);
}

void Wakes::heard(rollout::Owner const& owner, rollout::OwnedObjects::Change change, rollout::Boot in) {
    if (change != rollout::OwnedObjects::Change::ready) {
        want(owner.key, in);
        return;
    }
    model::Entry const* entry = registry_.find(owner.key);
    if (entry == nullptr) return;
    if (auto const maker = model::maker_of(entry->meta, entry->key.ns)) want(*maker);
}

bool Wakes::is_confirmed(Key const& key) const {
    model::Entry const* entry = registry_.find(key);
    if (entry != nullptr && entry->abridged && !entry->leaving()) return false;
    if (!has_cluster_ || entry == nullptr || entry->meta.origin != model::Origin::cluster) return true;
    model::Class const what = model::info(key.kind).what;
    auto const is_known = [this](Kind kind) { return confirmed_.contains(kind) || unseen_.contains(kind); };
    auto const kind_is_known = [&](auto const& one) { return is_known(one.kind); };
    if (!confirmed_.contains(key.kind)) return false;
    if (what == model::Class::config) return std::ranges::all_of(model::kKinds, kind_is_known);
    if (what != model::Class::source && !is_known(Kind::flux_config)) return false;
    return !entry->spec || std::ranges::all_of(entry->spec->refs(), kind_is_known);
}

void Wakes::without(Kind kind) {
    if (unseen_.insert(kind).second) want_confirmed();
}

void Wakes::confirm(Kind kind) {
    confirmed_.insert(kind);
    want_confirmed();
}

void Wakes::want_confirmed() {
    for (auto const& [key, entry] : registry_.all()) {
        if (entry->meta.origin == model::Origin::cluster && is_confirmed(key)) want(key);
    }
}

}  // namespace holdfast::daemon
