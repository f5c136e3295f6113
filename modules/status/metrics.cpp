// modules/status/metrics.cpp: the snapshot in Prometheus' text format.
#include "modules/base/mask.hpp"
#include "modules/status/snapshot.hpp"
#include "modules/status/text.hpp"

namespace holdfast::status {

namespace {

std::string label(std::string_view value) {
    std::string out;
    for (char const c : mask_logins(value)) {
        if (c == '\\' || c == '"') out += '\\';
        out += c == '\n' ? ' ' : c;
    }
    return out;
}

class Text {
public:
    void family(std::string_view name, std::string_view type, std::string_view help) {
        out_ += "# HELP " + std::string{name} + " " + std::string{help} + "\n# TYPE " + std::string{name} + " " +
                std::string{type} + "\n";
    }
    void sample(std::string const& name_and_labels, std::int64_t value) {
        out_ += name_and_labels + " " + std::to_string(value) + "\n";
    }
    std::string take() { return std::move(out_); }

private:
    std::string out_;
};

std::int64_t seconds_since(Moment const& moment, model::WallTime now) {
    return moment ? std::chrono::duration_cast<std::chrono::seconds>(now - *moment).count() : -1;
}

std::int64_t seconds_until(Moment const& moment, model::WallTime now) {
    if (!moment) return -1;
    return std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(*moment - now).count());
}

}  // namespace

std::string to_metrics(Snapshot const& snapshot) {
    Text text;
    text.family("holdfast_build_info", "gauge", "1, labelled with the version.");
    text.sample("holdfast_build_info{version=\"" + label(snapshot.version) + "\"}", 1);
    text.family("gotk_resource_info", "gauge",
                "1 for each object, labelled with its readiness, as flux-operator exports it.");
    auto const resource = [&](std::string_view kind, std::string const& ns, std::string const& name,
                              model::Compliance state, bool suspended, std::string const& revision) {
        char const* const ready = state == model::Compliance::compliant       ? "True"
                                  : state == model::Compliance::non_compliant ? "False"
                                                                              : "Unknown";
        text.sample("gotk_resource_info{customresource_kind=\"" + std::string{kind} + "\",exported_namespace=\"" +
                        label(ns) + "\",name=\"" + label(name) + "\",ready=\"" + ready + "\",suspended=\"" +
                        (suspended ? "true" : "false") + "\",revision=\"" + label(revision) + "\"}",
                    1);
    };
    for (Object const& one : snapshot.objects) {
        if (one.role != Role::configuration)
            resource(one.kind, one.ns, one.name, one.state, one.suspended, one.revision);
    }
    Summary const sum = summarize(snapshot);
    text.family("holdfast_status_code", "gauge",
                "What `holdfast status` exits with: 0 compliant, 1 pending, 2 non-compliant.");
    text.sample("holdfast_status_code", exit_code_of(sum.state));
    text.family("holdfast_problems", "gauge", "Manifests that cannot be read, and problems of the daemon itself.");
    text.sample("holdfast_problems", static_cast<std::int64_t>(snapshot.problems.size()));
    text.family("holdfast_objects_not_ready", "gauge", "Applied objects that are not ready.");
    text.sample("holdfast_objects_not_ready", static_cast<std::int64_t>(sum.not_ready));
    text.family("holdfast_drift_unrepaired", "gauge", "Applied objects that differ and are not repaired yet.");
    text.sample("holdfast_drift_unrepaired", static_cast<std::int64_t>(sum.drifted));
    text.family("holdfast_source_age_seconds", "gauge",
                "Since upstream last said that this revision is the newest; -1: never.");
    for (Object const& one : snapshot.objects) {
        if (one.role != Role::source) continue;
        text.sample("holdfast_source_age_seconds{kind=\"" + one.kind + "\",namespace=\"" + label(one.ns) +
                        "\",name=\"" + label(one.name) + "\"}",
                    seconds_since(one.checked_at, snapshot.now));
    }
    text.family("holdfast_cluster_reachable", "gauge", "1 while the API server answers.");
    text.sample("holdfast_cluster_reachable", snapshot.cluster.reachable ? 1 : 0);
    text.family("holdfast_watch_synced", "gauge", "1 while a kind is followed; 0: not listed yet, or refused.");
    for (Watch const& one : snapshot.cluster.watches)
        text.sample("holdfast_watch_synced{kind=\"" + label(one.kind) + "\"}", one.synced ? 1 : 0);
    text.family("holdfast_kube_requests_total", "counter", "Requests sent to the API server, by verb.");
    for (auto const& one : snapshot.requests) {
        text.sample("holdfast_kube_requests_total{verb=\"" + one.verb + "\"}", static_cast<std::int64_t>(one.count));
    }
    text.family("holdfast_passes_total", "counter", "Stories run.");
    text.sample("holdfast_passes_total", static_cast<std::int64_t>(snapshot.passes));
    text.family("holdfast_pass_crashes_total", "counter", "Passes that a bug ended: please report the log line.");
    text.sample("holdfast_pass_crashes_total", static_cast<std::int64_t>(snapshot.crashes));
    text.family("holdfast_outbox_records", "gauge", "Records that wait for Azure.");
    text.sample("holdfast_outbox_records", snapshot.outbox.waiting);
    text.family("holdfast_outbox_oldest_seconds", "gauge", "Age of the oldest record that waits; -1: none.");
    text.sample("holdfast_outbox_oldest_seconds", seconds_since(snapshot.outbox.oldest_at, snapshot.now));
    text.family("holdfast_outbox_refused_total", "counter", "Records that did not fit the queue.");
    text.sample("holdfast_outbox_refused_total", snapshot.outbox.refused);
    text.family("holdfast_outbox_dead_letters", "gauge", "Records that Azure refuses for what they are.");
    text.sample("holdfast_outbox_dead_letters", snapshot.outbox.dead_letters);
    text.family("holdfast_outbox_bytes", "gauge", "Bytes of the records that wait for Azure.");
    text.sample("holdfast_outbox_bytes", snapshot.outbox.bytes);
    text.family("holdfast_outbox_full", "gauge", "1 while the queue has no room for the changes that come.");
    text.sample("holdfast_outbox_full", snapshot.outbox.refusing ? 1 : 0);
    text.family("holdfast_uplink_state", "gauge", "1 for the state the uplink is in.");
    for (std::string const state : {"disabled", "idle", "draining", "waiting", "refused"}) {
        text.sample("holdfast_uplink_state{state=\"" + state + "\"}", snapshot.uplink.state == state ? 1 : 0);
    }
    text.family("holdfast_uplink_last_success_seconds", "gauge",
                "Time since Azure last took records; -1: not since start.");
    text.sample("holdfast_uplink_last_success_seconds", seconds_since(snapshot.uplink.success_at, snapshot.now));
    text.family("holdfast_uplink_last_error_seconds", "gauge",
                "Time since the error that holds records up; -1: none does.");
    text.sample("holdfast_uplink_last_error_seconds", seconds_since(snapshot.uplink.error_at, snapshot.now));
    text.family("holdfast_uplink_next_try_seconds", "gauge", "Time to the next try; -1: nothing waits for one.");
    text.sample("holdfast_uplink_next_try_seconds", seconds_until(snapshot.uplink.next_try_at, snapshot.now));
    text.family("holdfast_uplink_requests_total", "counter", "Requests that Azure answered 204 since start.");
    text.sample("holdfast_uplink_requests_total", snapshot.uplink.requests);
    text.family("holdfast_uplink_set_aside_total", "counter", "Records set aside since start.");
    text.sample("holdfast_uplink_set_aside_total", snapshot.uplink.set_aside);
    text.family("holdfast_uplink_sent_total", "counter", "Records that Azure acknowledged since start.");
    text.sample("holdfast_uplink_sent_total", snapshot.uplink.sent);
    text.family("holdfast_memory_bytes", "gauge", "Resident memory of the daemon.");
    text.sample("holdfast_memory_bytes", snapshot.memory_bytes_used);
    text.family("holdfast_disk_bytes", "gauge", "Bytes of cached artifacts.");
    text.sample("holdfast_disk_bytes", snapshot.disk_bytes_used);
    return text.take();
}

}  // namespace holdfast::status
