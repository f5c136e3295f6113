// modules/access/access.cpp: an account of the object's own namespace, or nobody but ourselves.
#include "modules/access/access.hpp"

namespace holdfast::access {

namespace {

kube::Resource service_accounts() {
    return {.gvk = {"", "v1", "ServiceAccount"}, .plural = "serviceaccounts", .namespaced = true, .verbs = {"get"}};
}

}  // namespace

std::string Access::account_of(model::Entry const& entry, std::string const& service_account) const {
    return service_account.empty() ? locks_.of(entry).default_service_account : service_account;
}

Reach Access::reach(model::Entry const& entry, std::string const& service_account) const {
    if (own_ == nullptr) return {};
    std::string const account = account_of(entry, service_account);
    if (account.empty()) return {.cluster = {std::shared_ptr<void>{}, own_}};  // not ours to delete
    std::string user = "system:serviceaccount:" + entry.key.ns + ":" + account;
    return {.cluster = as_(user), .user = std::move(user)};
}

Task<bool> Access::has_account(model::Entry entry, std::string service_account) const {
    std::string const account = account_of(entry, service_account);
    if (own_ == nullptr || account.empty()) co_return true;
    kube::ReadOptions const metadata{.metadata_only = true};
    auto found = co_await own_->get({service_accounts(), entry.key.ns, account}, metadata);
    if (!found && found.error().code == Errc::not_found) co_return false;
    if (!found) co_return fail(std::move(found), "service account " + entry.key.ns + "/" + account);
    co_return true;
}

}  // namespace holdfast::access
