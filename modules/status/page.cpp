// modules/status/page.cpp: the snapshot as one small HTML page, for a phone in front of the box.
#include "modules/base/mask.hpp"
#include "modules/status/snapshot.hpp"
#include "modules/status/text.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace holdfast::status {

namespace {

using model::Compliance;

constexpr std::size_t kPageBytesMax = 42u << 10;  // of rows; up to 48 KiB for cards, headings and the end
constexpr std::size_t kMessageMax = 300;
constexpr std::size_t kNotReadyMax = 8;  // of one row
constexpr std::size_t kLongWord = 30;    // of a column on a phone
constexpr std::size_t kCommitDigits = 40;
constexpr std::size_t kShownDigits = 8;

// One grid for all tables, so that columns stand one below the other; on a phone each cell is a line of its own, with
// its heading before it. Green is for what is well and for nothing else; every colour comes with a sign and a word.
constexpr std::string_view kHead =
    "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta http-equiv=\"refresh\" content=\"15\">"
    "<title>Holdfast</title><style>"
    ":root{--b:#f4f5f7;--c:#fff;--t:#1b1f24;--m:#5b6470;--l:#dde1e6;--ok:#0a6b2d;--bad:#b00020;--wait:#8a5300;--off:#555d66;"
    "--okb:#e3f3e8;--badb:#fde7ea;--waitb:#fdf1dc;--offb:#eceef0}"
    "@media(prefers-color-scheme:dark){:root{--b:#101316;--c:#1a1e23;--t:#e8eaed;--m:#9aa4af;--l:#2f353c;--ok:#6fd08c;"
    "--bad:#ff8592;--wait:#ffc86b;--off:#aab2bb;--okb:#14301d;--badb:#3d161c;--waitb:#38290f;--offb:#262b31}}"
    "*{box-sizing:border-box}body{font:15px/1.45 system-ui,-apple-system,\"Segoe UI\",Roboto,sans-serif;margin:0 auto;"
    "max-width:76rem;padding:1.25rem;background:var(--b);color:var(--t)}"
    "h1{font-size:1rem;font-weight:600;margin:0 0 .75rem}h2{font-size:1rem;margin:1.75rem 0 .5rem}"
    "h2 small,h1 small,.m{color:var(--m);font-weight:400;font-size:.85rem}p{margin:0}a{color:inherit}"
    ".top,.card,table,.problems{background:var(--c);border:1px solid var(--l);border-radius:8px}"
    ".top{padding:1rem 1.1rem;border-left-width:6px;margin-bottom:1rem}.top b{font-size:1.6rem;line-height:1.2}"
    ".top.ok{border-left-color:var(--ok)}.top.bad{border-left-color:var(--bad)}.top.wait{border-left-color:var(--wait)}"
    ".top.off{border-left-color:var(--off)}"
    ".ok>b,.tag.ok{color:var(--ok)}.bad>b,.tag.bad{color:var(--bad)}.wait>b,.tag.wait{color:var(--wait)}.off>b,.tag.off{color:var(--off)}"
    ".tag{display:inline-block;padding:.05rem .5rem;border-radius:1rem;font-size:.85rem;font-weight:600;white-space:nowrap}"
    ".tag.ok{background:var(--okb)}.tag.bad{background:var(--badb)}.tag.wait{background:var(--waitb)}.tag.off{background:var(--offb)}"
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:.75rem}"
    ".card{padding:.7rem .9rem;overflow-wrap:anywhere}.card h3{font-size:.8rem;margin:0 0 .2rem;color:var(--m);font-weight:600}"
    ".problems{margin:0 0 1rem;padding:.6rem 1rem .6rem 2rem;border-color:var(--bad);color:var(--bad);overflow-wrap:anywhere}"
    "table{border-collapse:separate;border-spacing:0;width:100%;table-layout:fixed}"
    "th,td{text-align:left;padding:.5rem .75rem;vertical-align:top;overflow-wrap:break-word}"
    "th{font-size:.8rem;color:var(--m);font-weight:600}td{border-top:1px solid var(--l)}"
    ".n{width:19%}.s{width:11.5rem}.r{width:12.25rem}.a{width:6rem}td ul{margin:.3rem 0 0;padding:0;list-style:none;color:var(--wait)}"
    "abbr{text-decoration:none;white-space:nowrap}footer{margin:2rem 0 0;color:var(--m);font-size:.85rem}"
    "@media(max-width:600px){body{padding:.75rem}}@media(max-width:1060px){thead{display:none}table,tbody,tr,td{display:block;width:auto}"
    "tr{padding:.6rem .75rem}tr+tr{border-top:1px solid var(--l)}td{border:0;padding:.1rem 0}"
    "td[data-l]{padding-left:5.5rem;text-indent:-5.5rem}td[data-l]>*{text-indent:0}td[data-l]:before{content:attr(data-l);"
    "display:inline-block;width:5.5rem;text-indent:0;color:var(--m);font-size:.85rem}td:empty{display:none}}"
    "</style></head><body>";

struct Look {
    std::string_view style;
    std::string_view sign;
};

Look look_of(Compliance state) {
    switch (state) {
        case Compliance::compliant: return {"ok", "\u2713"};
        case Compliance::non_compliant: return {"bad", "\u2717"};
        case Compliance::suspended: return {"off", "\u2016"};
        case Compliance::pending: return {"wait", "\u2026"};
        case Compliance::unknown: break;
    }
    return {"wait", "?"};
}

/// What is compliant while something it put into the cluster is not ready is not shown as well.
constexpr Look kNotReady{"wait", "!"};

/// Escaped; a long word may be broken where its parts end, and nowhere else while it fits.
void escape_into(std::string& out, std::string_view text) {
    std::size_t word_end = 0;
    bool is_long = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char const c = text[i];
        if (i >= word_end) {
            word_end = std::min(text.find(' ', i), text.size() - 1) + 1;
            is_long = word_end - i > kLongWord;
        }
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            default: out += c;
        }
        bool const ends_part = c == '/' || c == '.' || c == ':' || c == '-' || c == '_';
        if (is_long && ends_part) out += "<wbr>";
    }
}

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

/// Text from outside as HTML: no login, no control character, no tag; a commit as eight digits that tell all forty when
/// pointed at.
std::string html(std::string_view raw) {
    std::string const text = without_controls(shortened(mask_logins(to_utf8(raw, raw.size() * 3)), kMessageMax));
    std::string out;
    std::size_t done = 0;
    for (std::size_t at = 0; at < text.size();) {
        std::string_view const rest = std::string_view{text}.substr(at);
        auto const digits = static_cast<std::size_t>(std::ranges::find_if_not(rest, is_hex) - rest.begin());
        if (digits == kCommitDigits) {
            escape_into(out, std::string_view{text}.substr(done, at - done));
            out += "<abbr title=\"" + std::string{rest.substr(0, digits)} + "\">" +
                   std::string{rest.substr(0, kShownDigits)} + "</abbr>";
            done = at + digits;
        }
        at += std::max(digits, std::size_t{1});
    }
    escape_into(out, std::string_view{text}.substr(done));
    return out;
}

std::string ago(Moment const& moment, model::WallTime now) {
    if (!moment) return "never";
    return age_text(std::chrono::duration_cast<std::chrono::seconds>(now - *moment).count()) + " ago";
}

std::string tag(Look const& look, std::string const& words) {
    return "<span class=\"tag " + std::string{look.style} + "\"><span aria-hidden=\"true\">" + std::string{look.sign} +
           "</span> " + words + "</span>";
}

std::string cell(std::string_view heading, std::string const& inner) {
    if (inner.empty()) return "<td></td>";
    return "<td data-l=\"" + std::string{heading} + "\">" + inner + "</td>";
}

std::string name_cell(std::string const& name, std::string const& below) {
    return "<td><b>" + html(name) + "</b><br><span class=\"m\">" + html(below) + "</span></td>";
}

std::string card(std::string_view heading, std::string const& inner) {
    return "<div class=\"card\"><h3>" + std::string{heading} + "</h3>" + inner + "</div>";
}

std::string size_text(std::int64_t bytes) {
    return bytes < (10 << 20) ? std::to_string(bytes >> 10) + " KiB" : std::to_string(bytes >> 20) + " MiB";
}

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
    void table(std::string_view first, std::string_view r, std::string_view a, std::string_view b) {
        out_ += "<table><thead><tr><th class=\"n\">" + std::string{first} +
                "</th><th class=\"s\">State</th><th class=\"r\">" + std::string{r} + "</th><th class=\"a\">" +
                std::string{a} + "</th><th class=\"a\">" + std::string{b} + "</th><th>Message</th></tr></thead><tbody>";
    }
    std::string end() {
        if (left_out_ > 0) out_ += "<p>" + std::to_string(left_out_) + " more rows: see /api/v1/status</p>";
        return out_ + "</body></html>\n";
    }

private:
    std::string out_;
    std::size_t left_out_ = 0;
};

std::string headline(Snapshot const& snapshot, Summary const& sum) {
    Look look = look_of(sum.state);
    bool const is_well = sum.not_ready == 0 && sum.drifted == 0;
    if (sum.state == Compliance::compliant && !is_well) look = kNotReady;
    return "<h1>Holdfast <small>" + html(snapshot.site) + "</small></h1><div class=\"top " + std::string{look.style} +
           "\"><b><span aria-hidden=\"true\">" + std::string{look.sign} + "</span> " +
           std::string{model::compliance_name(sum.state)} + "</b><p>" + html(sum.why) + "</p></div>";
}

std::string cluster_card(Snapshot const& snapshot) {
    Cluster const& cluster = snapshot.cluster;
    if (!cluster.configured)
        return "None configured: nothing is applied." + (cluster.error.empty() ? "" : " " + html(cluster.error));
    auto const heard = "heard " + ago(cluster.heard_at, snapshot.now);
    std::string out = cluster.reachable
                          ? html(cluster.server) + "<br><span class=\"m\">" + heard + "</span>"
                          : tag(look_of(Compliance::non_compliant), "not reachable") + "<br>" + html(cluster.error) +
                                "<br><span class=\"m\">" + html(cluster.server) + ", last " + heard + "</span>";
    auto const blind = std::ranges::count(cluster.watches, false, &Watch::synced);
    if (cluster.reachable && blind > 0) {
        out += "<br>" + tag(kNotReady, std::to_string(blind) + " of " + std::to_string(cluster.watches.size()) +
                                           " kinds not followed");
    }
    return out;
}

std::string azure_card(Snapshot const& snapshot) {
    Outbox const& outbox = snapshot.outbox;
    Uplink const& uplink = snapshot.uplink;
    std::string const count = std::to_string(outbox.waiting) + (outbox.waiting == 1 ? " record" : " records");
    std::string out;
    if (uplink.state == "disabled") {
        out = "Reports are switched off.";
        if (outbox.waiting > 0) out += "<br><span class=\"m\">kept for later: " + count + "</span>";
    } else {
        bool const is_away = uplink.state == "waiting" || uplink.state == "refused";
        out = (is_away ? tag(kNotReady, uplink.state == "waiting" ? "not reachable" : "refused") + "<br>"
                       : std::string{}) +
              (outbox.waiting == 0 ? "Nothing waits" : count + (outbox.waiting == 1 ? " waits" : " wait")) +
              (outbox.oldest_at ? ", the oldest from " + ago(outbox.oldest_at, snapshot.now) : "") +
              "<br><span class=\"m\">last accepted " + ago(uplink.success_at, snapshot.now) + "</span>";
    }
    for (std::string const& error : {uplink.error, outbox.error}) {
        if (!error.empty()) out += "<br>" + html(error);
    }
    if (outbox.dead_letters > 0)
        out += "<br>" + tag(look_of(Compliance::non_compliant), std::to_string(outbox.dead_letters) + " set aside");
    if (outbox.refused > 0)
        out += "<br>" + tag(look_of(Compliance::non_compliant), std::to_string(outbox.refused) + " refused");
    return out;
}

std::string drift_card(Snapshot const& snapshot, Summary const& sum) {
    std::string out;
    if (sum.drifted > 0) out = tag(kNotReady, std::to_string(sum.drifted) + " not repaired yet");
    auto const last = std::ranges::find(snapshot.drifts, true, &Drift::repaired);
    if (last == snapshot.drifts.end()) return out.empty() ? "None seen." : out;
    return out + (out.empty() ? "" : "<br>") + std::to_string(sum.drift_repaired) + " repaired, last " +
           ago(last->seen_at, snapshot.now) + "<br><span class=\"m\">" + html(last->object) + " " + html(last->what) +
           (last->manager.empty() ? "" : " by " + html(last->manager)) + "</span>";
}

/// The state in a word; with how many of its objects are not ready, never green then.
std::string state_cell(Object const& one) {
    std::string const word{model::compliance_name(one.state)};
    if (one.state != Compliance::compliant || one.unhealthy.empty())
        return cell("State", tag(look_of(one.state), word));
    return cell("State", tag(kNotReady, word) + "<br><span class=\"m\">" + std::to_string(one.unhealthy.size()) +
                             " not ready</span>");
}

std::string message_cell(Object const& one) {
    std::string out = html(one.message);
    if (!one.unhealthy.empty()) {
        out += "<ul>";
        for (std::size_t i = 0; i < one.unhealthy.size() && i < kNotReadyMax; ++i)
            out += "<li>" + html(one.unhealthy[i]) + "</li>";
        if (one.unhealthy.size() > kNotReadyMax)
            out += "<li>and " + std::to_string(one.unhealthy.size() - kNotReadyMax) + " more</li>";
        out += "</ul>";
    }
    return cell("Message", out);
}

struct Section {
    Role role;
    std::string_view title;
    std::string_view first;
};

void add_section(Page& page, Snapshot const& snapshot, Section const& section) {
    std::multimap<int, Object const*> rows;  // by rank; those of one rank in the order they came
    std::size_t compliant = 0;
    for (Object const& one : snapshot.objects) {
        if (one.role != section.role) continue;
        rows.emplace(rank_of(one.state, one.unhealthy.empty()), &one);
        compliant += one.state == Compliance::compliant ? 1 : 0;
    }
    if (rows.empty()) return;
    page.add("<h2>" + std::string{section.title} + " <small>" + std::to_string(compliant) + " of " +
             std::to_string(rows.size()) + " compliant</small></h2>");
    bool const is_source = section.role == Role::source;
    page.table(section.first, "Revision", is_source ? "Fetched" : "Since", is_source ? "Checked" : "Objects");
    auto const now = snapshot.now;
    for (auto const& [rank, one] : rows) {
        std::string const second = is_source ? ago(one->checked_at, now) : std::to_string(one->objects);
        page.row(name_cell(one->name, is_source ? one->ns + " \u00b7 " + one->kind : one->ns) + state_cell(*one) +
                 cell("Revision", html(one->revision)) +
                 cell(is_source ? "Fetched" : "Since", ago(is_source ? one->fetched_at : one->changed_at, now)) +
                 cell(is_source ? "Checked" : "Objects", second) + message_cell(*one));
    }
    page.add("</tbody></table>");
}

void add_drifts(Page& page, Snapshot const& snapshot) {
    std::set<std::string> seen;
    for (Drift const& one : snapshot.drifts) {
        if (one.repaired || !seen.insert(one.object).second) continue;
        if (seen.size() == 1) {
            page.add("<h2>Drift <small>not repaired yet</small></h2>");
            page.table("Object", "", "Seen", "");
        }
        page.row(name_cell(one.object, one.owner) + cell("State", tag(kNotReady, "differs")) + "<td></td>" +
                 cell("Seen", ago(one.seen_at, snapshot.now)) + "<td></td>" +
                 cell("Message", html(one.what + (one.manager.empty() ? "" : " by " + one.manager))));
    }
    if (!seen.empty()) page.add("</tbody></table>");
}

void add_watches(Page& page, Snapshot const& snapshot) {
    bool first = true;
    for (Watch const& one : snapshot.cluster.watches) {
        if (one.synced) continue;
        if (first) {
            page.add("<h2>Kinds that are not followed <small>their drift is not seen</small></h2>");
            page.table("Kind", "", "Heard", "Objects");
        }
        first = false;
        page.row("<td><b>" + html(one.kind) + "</b></td>" +
                 cell("State", tag(kNotReady, one.error.empty() ? "not listed yet" : "refused")) + "<td></td>" +
                 cell("Heard", ago(one.heard_at, snapshot.now)) + cell("Objects", std::to_string(one.objects)) +
                 cell("Message", html(one.error)));
    }
    if (!first) page.add("</tbody></table>");
}

/// What this kernel gives to keep a render in.
std::string walls_card(Snapshot const& snapshot) {
    std::string text = snapshot.seccomp ? "seccomp" : "no seccomp";
    text += snapshot.landlock_abi == 0 ? ", no landlock" : ", landlock " + std::to_string(snapshot.landlock_abi);
    if (snapshot.landlock_scopes) text += " with signals";
    return text + (snapshot.workers_die_first ? "<br>first to end without memory" : "<br>no oom_score_adj");
}

}  // namespace

std::string to_page(Snapshot const& snapshot) {
    Summary const sum = summarize(snapshot);
    Page page{kHead};
    page.add(headline(snapshot, sum));
    if (!snapshot.problems.empty()) {
        page.add("<ul class=\"problems\">");
        for (std::string const& problem : snapshot.problems) page.line("<li>" + html(problem) + "</li>");
        page.add("</ul>");
    }
    page.add("<div class=\"cards\">" + card("Cluster", cluster_card(snapshot)) + card("Azure", azure_card(snapshot)) +
             card("Drift", drift_card(snapshot, sum)) +
             card("Used", size_text(snapshot.memory_bytes_used) + " memory<br>" + size_text(snapshot.disk_bytes_used) +
                              " of " + size_text(snapshot.disk_bytes_max) + " disk") +
             card("Renders", walls_card(snapshot)) + "</div>");
    for (Section const& section :
         {Section{Role::configuration, "Configurations", "Configuration"},
          Section{Role::applier, "Kustomizations", "Kustomization"}, Section{Role::source, "Sources", "Source"}}) {
        add_section(page, snapshot, section);
    }
    add_drifts(page, snapshot);
    add_watches(page, snapshot);
    page.add(
        "<footer>Version " + html(snapshot.version) + ", started " + ago(snapshot.started_at, snapshot.now) +
        ". As of " + model::format_time(snapshot.now) +
        ", looked up again every 15 s.<br><a href=\"/api/v1/status\">/api/v1/status</a> \u00b7 <a href=\"/metrics\">/metrics</a></footer>");
    return page.end();
}

}  // namespace holdfast::status
