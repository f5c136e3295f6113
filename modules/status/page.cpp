// modules/status/page.cpp: the snapshot as one small HTML page, for a phone in front of the box.
#include "modules/status/snapshot.hpp"
#include "modules/status/text.hpp"

namespace holdfast::status {

namespace {

constexpr std::size_t kPageBytesMax = 48u << 10;
constexpr std::size_t kMessageMax = 300;

constexpr std::string_view kHead =
    "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta http-equiv=\"refresh\" content=\"15\">"
    "<title>Holdfast</title><style>body{font:16px/1.4 system-ui,sans-serif;margin:1rem;max-width:70rem}"
    "table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}th,td{text-align:left;padding:.3rem .6rem .3rem 0;"
    "border-bottom:1px solid #ccc;vertical-align:top;overflow-wrap:anywhere}th{font-weight:600}"
    ".Compliant{color:#0a6b2d}.Non-Compliant{color:#b00020;font-weight:600}.Pending,.Unknown{color:#7a4d00}"
    ".Suspended{color:#555}@media(prefers-color-scheme:dark){body{background:#111;color:#eee}.Compliant{color:#6fd08c}"
    ".Non-Compliant{color:#ff7a8a}.Pending,.Unknown{color:#ffc86b}.Suspended{color:#aaa}}</style></head><body>";

std::string escape(std::string_view text) {
    std::string out;
    for (char const c : cut(text, kMessageMax)) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            default: out += c;
        }
    }
    return out;
}

std::string ago(Moment const& moment, model::WallTime now) {
    if (!moment) return "never";
    return age_text(std::chrono::duration_cast<std::chrono::seconds>(now - *moment).count()) + " ago";
}

std::string state_cell(model::Compliance state) {
    std::string const word{model::compliance_name(state)};
    return "<td class=\"" + word + "\">" + word + "</td>";
}

std::string cell(std::string_view text) { return "<td>" + escape(text) + "</td>"; }

/// Rows until the page is full; then a line that says how many are not shown.
class Page {
public:
    explicit Page(std::string_view head) : out_{head} {}
    void add(std::string const& html) { out_ += html; }
    void row(std::string const& cells) { line("<tr>" + cells + "</tr>"); }
    void line(std::string const& html) {
        if (out_.size() + html.size() > kPageBytesMax) {
            ++left_out_;
            return;
        }
        out_ += html;
    }
    std::string end() {
        if (left_out_ > 0) out_ += "<p>" + std::to_string(left_out_) + " more rows: see /api/v1/status</p>";
        return out_ + "</body></html>\n";
    }

private:
    std::string out_;
    std::size_t left_out_ = 0;
};

}  // namespace

std::string to_page(Snapshot const& snapshot) {
    auto const now = snapshot.now;
    std::string const word{model::compliance_name(snapshot.state())};
    Page page{kHead};
    page.add("<h1>Holdfast: <span class=\"" + word + "\">" + word + "</span></h1><p>Site " + escape(snapshot.site) +
             ", version " + escape(snapshot.version) + ", " + model::format_time(now) + ", started " +
             ago(snapshot.started_at, now) + ".</p>");
    Cluster const& cluster = snapshot.cluster;
    page.add("<p>Cluster: " +
             (!cluster.configured ? std::string{"none configured"}
              : cluster.reachable
                  ? escape(cluster.server) + ", heard " + ago(cluster.heard_at, now)
                  : "<b>not reachable</b>, last heard " + ago(cluster.heard_at, now) + ": " + escape(cluster.error)) +
             ".<br>Azure: " + escape(snapshot.uplink.state) + ", " + std::to_string(snapshot.outbox.waiting) +
             " records wait" +
             (snapshot.outbox.oldest_at ? ", the oldest from " + ago(snapshot.outbox.oldest_at, now) : "") +
             ", last accepted " + ago(snapshot.uplink.success_at, now) +
             (snapshot.uplink.error.empty() ? "" : ": " + escape(snapshot.uplink.error)) + ".</p>");
    for (std::string const& problem : snapshot.problems)
        page.line("<p class=\"Non-Compliant\">" + escape(problem) + "</p>");
    if (!snapshot.configurations.empty()) {
        page.add("<table><tr><th>Configuration</th><th>State</th><th>Commit</th><th>Since</th><th>Message</th></tr>");
        for (auto const& one : snapshot.configurations) {
            page.row(cell(one.ns + "/" + one.name) + state_cell(one.state) + cell(one.commit) +
                     cell(ago(one.changed_at, now)) + cell(one.message));
        }
        page.add("</table>");
    }
    page.add(
        "<table><tr><th>Source</th><th>State</th><th>Revision</th><th>Fetched</th><th>Checked</th><th>Message</th></tr>");
    for (auto const& one : snapshot.sources) {
        page.row(cell(one.ns + "/" + one.name) + state_cell(one.state) + cell(one.revision) +
                 cell(ago(one.fetched_at, now)) + cell(ago(one.checked_at, now)) + cell(one.message));
    }
    page.add(
        "</table><table><tr><th>Kustomization</th><th>State</th><th>Objects</th><th>Since</th><th>Message</th></tr>");
    for (auto const& one : snapshot.kustomizations) {
        std::string message = one.message;
        for (std::string const& object : one.unhealthy) message += "; " + object;
        page.row(cell(one.ns + "/" + one.name) + state_cell(one.state) + cell(std::to_string(one.objects)) +
                 cell(ago(one.changed_at, now)) + cell(message));
    }
    page.add("</table>");
    if (!snapshot.drifts.empty()) {
        page.add("<table><tr><th>Drift</th><th>What</th><th>By</th><th>Seen</th><th>Repaired</th></tr>");
        for (auto const& one : snapshot.drifts) {
            page.row(cell(one.object) + cell(one.what) + cell(one.manager) + cell(ago(one.seen_at, now)) +
                     cell(one.repaired ? "yes" : "no"));
        }
        page.add("</table>");
    }
    return page.end();
}

}  // namespace holdfast::status
