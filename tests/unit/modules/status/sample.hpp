// tests/unit/modules/status/sample.hpp: a snapshot with something in every place, hostile text included.
#pragma once

#include "modules/status/snapshot.hpp"

namespace holdfast::status {

inline model::WallTime at(std::int64_t seconds) {
    return model::WallTime{std::chrono::seconds{1'750'000'000 + seconds}};
}

inline Snapshot sample() {
    Snapshot out;
    out.version = "1.2.3";
    out.site = "shop-17";
    out.now = at(0);
    out.started_at = at(-90);
    out.cluster = {.configured = true,
                   .reachable = false,
                   .server = "https://10.0.0.4:6443",
                   .heard_at = at(-30),
                   .error = "connection refused"};
    out.cluster.watches.push_back({.kind = "apps/v1 Deployment", .synced = true, .objects = 3, .heard_at = at(-1)});
    out.cluster.watches.push_back({.kind = "GitRepository", .error = "forbidden"});
    out.seccomp = true;
    out.landlock_abi = 6;
    out.landlock_scopes = true;
    out.workers_die_first = true;
    out.memory_bytes_max = 128 << 20;
    out.memory_bytes_used = 12 << 20;
    out.disk_bytes_max = std::int64_t{2} << 30;
    out.disk_bytes_used = 4096;
    model::Conditions conditions;
    conditions.set("Ready", model::Truth::no, "BuildFailed", "no such file", 3, at(-20));
    json::object row{{"name", "infra"},         {"namespace", "cluster-config"},
                     {"kind", "Kustomization"}, {"complianceState", "Non-Compliant"},
                     {"appliedBy", nullptr},    {"statusConditions", model::to_json(conditions)}};
    json::object child = row;
    child["appliedBy"] = json::object{{"name", "infra"}, {"namespace", "cluster-config"}};
    out.objects.push_back({.role = Role::configuration,
                           .kind = "FluxConfig",
                           .ns = "cluster-config",
                           .name = "cluster-config",
                           .state = model::Compliance::non_compliant,
                           .reason = "BuildFailed",
                           .message = "Kustomization/cluster-config/infra: no such file",
                           .url = "https://example.com/a.git",
                           .revision = "main@sha1:0123456789abcdef0123456789abcdef01234567",
                           .changed_at = at(-20),
                           .extra = {{"statuses", json::array{row, child}}}});
    out.objects.push_back({.role = Role::source,
                           .kind = "GitRepository",
                           .ns = "apps",
                           .name = "shop",
                           .state = model::Compliance::compliant,
                           .reason = "Succeeded",
                           .message = "<script>alert(1)</script>",
                           .url = "https://user:s3cr3t@example.com/<script>\"&'.git",
                           .revision = "main@sha1:0123456789abcdef0123456789abcdef01234567",
                           .fetched_at = at(-7200),
                           .checked_at = at(-5),
                           .extra = {{"digest", "sha256:00"}}});
    out.objects.push_back({.role = Role::source,
                           .kind = "GitRepository",
                           .ns = "apps",
                           .name = "new",
                           .state = model::Compliance::pending,
                           .suspended = true,
                           .extra = {{"digest", ""}}});
    out.objects.push_back({.role = Role::applier,
                           .kind = "Kustomization",
                           .ns = "apps",
                           .name = "web",
                           .state = model::Compliance::pending,
                           .reason = "Progressing",
                           .message = "two\nlines",
                           .revision = "main@sha1:00",
                           .changed_at = at(-3),
                           .objects = 3,
                           .unhealthy = {"Deployment/apps/web: InProgress: 1 of 3 updated"},
                           .extra = {{"path", "./"}, {"attemptedRevision", "main@sha1:01"}}});
    out.drifts.push_back(
        {"Deployment/apps/web", "Kustomization/apps/web", "changed", "kubectl-edit (Update)", at(-60), true});
    out.outbox = {.waiting = 5,
                  .bytes = 900,
                  .first_sequence = 8,
                  .last_sequence = 12,
                  .refused = 1,
                  .folded = 2,
                  .dead_letters = 1,
                  .oldest_at = at(-300)};
    out.uplink = {.state = "waiting",
                  .success_at = at(-400),
                  .error = "503",
                  .next_try_at = at(20),
                  .sent = 7,
                  .identity_expires_at = at(86'400)};
    out.requests = {{"get", 4}, {"apply", 9}};
    out.passes = 11;
    out.manifests = "/etc/holdfast/manifests.d";
    out.problems = {"apps.yaml:12: broken <b>"};
    return out;
}

}  // namespace holdfast::status
