// modules/access/access.cpp: an account of the object's own namespace, or whoever the connection is of.
#include "modules/access/access.hpp"

namespace holdfast::access {

namespace {

kube::Resource service_accounts() {
    return {.gvk = {"", "v1", "ServiceAccount"}, .plural = "serviceaccounts", .namespaced = true, .verbs = {"get"}};
}

}  // namespace

Task<Reach> Access::reach(model::Entry entry, Wanted wanted) const {
    Lock const lock = locks_.of(entry);
    std::string const account =
        wanted.service_account.empty() ? lock.default_service_account : std::move(wanted.service_account);
    Reach reach{.account = account};
    if (!account.empty()) reach.user = "system:serviceaccount:" + entry.key.ns + ":" + account;
    if (!wanted.kube_config) {
        forget(entry.key);
        reach.rights = reach.user;
        if (own_.cluster == nullptr) co_return reach;
        reach.plain = {std::shared_ptr<void>{}, own_.cluster};  // not ours to delete
        reach.cluster = account.empty() ? reach.plain : own_.as(reach.user);
        reach.forget_kinds = own_.forget_kinds;
        co_return reach;
    }
    if (remotes_ == nullptr) co_return reach;
    auto remote =
        co_await remotes_->of(entry.key, std::move(*wanted.kube_config), lock.default_kubeconfig_service_account);
    if (!remote) co_return fail(std::move(remote));
    reach.plain = remote->connection->as("");
    reach.cluster = account.empty() ? reach.plain : remote->connection->as(reach.user);
    reach.where = std::move(remote->where);
    reach.server = std::move(remote->server);
    reach.connection = remote->id + " " + reach.user;
    reach.rights = remote->version + " " + reach.user;
    reach.forget_kinds = [connection = remote->connection] { connection->forget_kinds(); };
    co_return reach;
}

Task<bool> Access::has_account(model::Entry entry, Reach reach) const {
    if (reach.plain == nullptr || reach.account.empty()) co_return true;
    kube::ReadOptions const metadata{.metadata_only = true};
    auto found = co_await reach.plain->get({service_accounts(), entry.key.ns, reach.account}, metadata);
    if (!found && found.error().code == Errc::not_found) co_return false;
    // Who may only act as the account on that cluster may not look for it.
    if (!found && found.error().code == Errc::denied && !reach.where.empty()) co_return true;
    if (!found) co_return fail(std::move(found), "service account " + entry.key.ns + "/" + reach.account);
    co_return true;
}

}  // namespace holdfast::access
