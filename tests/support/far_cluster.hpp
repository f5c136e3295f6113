// tests/support/far_cluster.hpp: another cluster in memory, the Secrets that lead to it, and what was done with them.
#pragma once

#include "modules/access/remotes.hpp"
#include "modules/base/base64.hpp"
#include "tests/support/acting_cluster.hpp"

namespace holdfast::test {

/// How it stands with the far side.
struct Far {
    FakeCluster cluster;
    Asked asked;
    std::vector<kube::Config> configs;  // connections that were made
    std::vector<std::string> renewed;   // tokens
    std::uint64_t breaks = 0;
    unsigned last_code = 0;
};

class FakeConnection final : public access::Connection {
public:
    explicit FakeConnection(Far& far) : far_(far) {}
    std::shared_ptr<kube::Cluster> as(std::string user) override {
        if (user.empty()) return {std::shared_ptr<void>{}, &far_.cluster};
        return std::make_shared<ActingCluster>(far_.cluster, far_.asked, std::move(user));
    }
    void forget_kinds() override {}
    Result<void> renew(kube::Config fresh) override {
        far_.renewed.push_back(fresh.credentials.token);
        far_.last_code = 0;
        return {};
    }
    std::uint64_t breaks() const override { return far_.breaks; }
    unsigned last_code() const override { return far_.last_code; }

private:
    Far& far_;
};

/// `cluster` and `user` are members of flow maps.
inline std::string kubeconfig(std::string const& cluster, std::string const& user) {
    return "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n"
           "clusters: [{name: c, cluster: {" +
           cluster + "}}]\nusers: [{name: u, user: {" + user + "}}]\n";
}

/// A key of a Secret or ConfigMap gets a value; the object gets another version.
inline void write_data(FakeCluster& cluster, std::string const& kind, std::string const& ns, std::string const& name,
                       std::string const& key, std::string const& value) {
    kube::Object& object = cluster.objects[ns + "_" + name + "__" + kind];
    auto const version = object.contains("metadata") ? kube::resource_version_of(object).size() + 1 : 1;
    kube::Object data;
    if (auto const* before = kube::find_object(object, {"data"})) data = *before;
    data[key] = kind == "Secret" ? base64_encode(value) : value;
    object = {{"metadata", kube::Object{{"uid", "u1"}, {"resourceVersion", std::string(version, '1')}}},
              {"data", std::move(data)}};
}

}  // namespace holdfast::test
