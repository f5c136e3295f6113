// modules/status/table.cpp: the status document as columns for a terminal, and as an exit code for a script.
#include "modules/status/table.hpp"

#include "modules/status/snapshot.hpp"
#include "modules/status/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace holdfast::status {

namespace {

constexpr std::size_t kLastColumnMin = 40;      // of a narrow terminal: it wraps rather than hides
constexpr std::size_t kTerminalRowsMax = 20;    // of what explains a row that is shown itself
constexpr std::size_t kDocumentDepthMax = 100;  // conditions of objects are nested, but not so deep

std::string text(json::object const& object, std::string_view name) {
    auto const* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? without_controls(std::string{value->get_string()}) : "";
}

std::int64_t number(json::object const& object, std::string_view name) {
    auto const* value = object.if_contains(name);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

bool is_true(json::object const& object, std::string_view name) {
    auto const* value = object.if_contains(name);
    return value != nullptr && value->is_bool() && value->get_bool();
}

/// "3m ago", "never".
std::string age(json::object const& object, std::string_view name) {
    auto const* value = object.if_contains(name);
    return value != nullptr && value->is_int64() ? age_text(value->get_int64()) : "never";
}

std::string ago(json::object const& object, std::string_view name) {
    std::string const text = age(object, name);
    return text == "never" ? text : text + " ago";
}

json::array const& list(json::object const& object, std::string_view name) {
    static json::array const kNone;
    auto const* value = object.if_contains(name);
    return value != nullptr && value->is_array() ? value->get_array() : kNone;
}

json::object const& child(json::object const& object, std::string_view name) {
    static json::object const kNone;
    auto const* value = object.if_contains(name);
    return value != nullptr && value->is_object() ? value->get_object() : kNone;
}

std::vector<std::string> texts(json::array const& values) {
    std::vector<std::string> out;
    for (json::value const& value : values) {
        if (value.is_string()) out.push_back(without_controls(std::string{value.get_string()}));
    }
    return out;
}

/// The word of a document; what another version's document says instead is unknown.
model::Compliance state_of(json::object const& object) {
    using enum model::Compliance;
    for (model::Compliance const state : {compliant, non_compliant, pending, suspended}) {
        if (text(object, "complianceState") == model::compliance_name(state)) return state;
    }
    return unknown;
}

using Row = std::vector<std::string>;

/// Aligned columns. On a terminal the last one is shortened to what is left of the line.
std::string columns(std::vector<Row> const& rows, std::size_t width) {
    std::vector<std::size_t> widths;
    for (Row const& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns_of(row[i]));
    }
    std::size_t before_last = 0;
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) before_last += widths[i] + 2;
    std::size_t const last_max =
        width == 0 ? std::string::npos : std::max(kLastColumnMin, width > before_last ? width - before_last : 0);
    std::string out;
    for (Row const& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            bool const is_last = i + 1 == widths.size();
            line +=
                is_last ? shortened(row[i], last_max) : row[i] + std::string(widths[i] - columns_of(row[i]) + 2, ' ');
        }
        out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return out;
}

Result<json::object> parse_document(std::string_view status_json) {
    boost::system::error_code ec;
    json::parse_options options;
    options.max_depth = kDocumentDepthMax;
    auto value = json::parse(json::string_view{status_json.data(), status_json.size()}, ec, {}, options);
    if (ec || !value.is_object()) return fail(Errc::invalid_input, "the daemon's answer is no status document");
    return value.as_object();
}

class Table {
public:
    Table(json::object const& status, TableOptions const& options) : status_(status), options_(options) {}

    std::string print() {
        headline();
        cluster();
        uplink();
        std::size_t const head = out_.size();
        objects("configurations", {"CONFIGURATION", "STATE", "COMMIT", "SINCE", "MESSAGE"},
                [](json::object const& one) {
                    return Row{text(one, "namespace") + "/" + text(one, "name"), text(one, "complianceState"),
                               short_revision(text(one, "sourceSyncedCommitId")), age(one, "changedAgeSeconds"),
                               text(one, "message")};
                });
        objects("sources", {"SOURCE", "STATE", "REVISION", "CHECKED", "MESSAGE"}, [](json::object const& one) {
            return Row{text(one, "kind") + "/" + text(one, "namespace") + "/" + text(one, "name"),
                       text(one, "complianceState"), short_revision(text(one, "revision")),
                       age(one, "checkedAgeSeconds"), text(one, "message")};
        });
        objects("kustomizations", {"KUSTOMIZATION", "STATE", "REVISION", "OBJECTS", "SINCE", "MESSAGE"},
                [](json::object const& one) {
                    return Row{text(one, "namespace") + "/" + text(one, "name"),
                               text(one, "complianceState"),
                               short_revision(text(one, "revision")),
                               std::to_string(number(one, "objects")),
                               age(one, "changedAgeSeconds"),
                               text(one, "message")};
                });
        not_ready();
        drifts();
        bool const is_filtered = options_.failed || !options_.ns.empty();
        if (is_filtered && out_.size() == head) {
            out_ += std::string{"\nnothing "} + (options_.failed ? "that failed" : "is there") +
                    (options_.ns.empty() ? "" : " in namespace " + without_controls(options_.ns)) + "\n";
        }
        return std::move(out_);
    }

private:
    /// The word that decides the exit code, why it is that word, and what is wrong with the daemon's own input.
    void headline() {
        std::string const why = text(child(status_, "summary"), "why");
        out_ += "holdfast " + text(status_, "version") + "  site " + text(status_, "site") + "  " +
                text(status_, "complianceState") + (why.empty() ? "" : ": " + why) + "\n";
        for (std::string const& problem : texts(list(child(status_, "intake"), "problems")))
            out_ += "problem: " + problem + "\n";
    }

    void cluster() {
        json::object const& cluster = child(status_, "cluster");
        std::string line = "cluster   ";
        if (!is_true(cluster, "configured")) {
            line += "none configured: nothing is applied (--kubeconfig, the setting kubeconfig, or $KUBECONFIG)";
        } else if (is_true(cluster, "reachable")) {
            line += text(cluster, "server") + "  heard " + ago(cluster, "heardAgeSeconds");
        } else {
            line += text(cluster, "server") + "  NOT REACHABLE: " + text(cluster, "error") + "  last heard " +
                    ago(cluster, "heardAgeSeconds");
        }
        out_ += line + "\n";
        std::size_t shown = 0;
        for (json::value const& value : list(cluster, "watches")) {
            auto const* watch = value.if_object();
            if (watch == nullptr || is_true(*watch, "synced")) continue;
            if (++shown > kTerminalRowsMax && options_.width > 0) continue;
            std::string const error = text(*watch, "error");
            out_ += "watch     " + text(*watch, "kind") +
                    "  NOT FOLLOWED: " + (error.empty() ? "not listed yet" : error) + "  last heard " +
                    ago(*watch, "heardAgeSeconds") + "\n";
        }
        more(shown, "watches that are not followed");
    }

    void uplink() {
        json::object const& outbox = child(status_, "outbox");
        json::object const& uplink = child(status_, "uplink");
        auto const waiting = number(outbox, "waiting");
        std::string line = "uplink    " + text(uplink, "state");
        if (text(uplink, "state") == "disabled") {
            line += waiting > 0 ? "  kept for later: " + records(waiting) : std::string{};
        } else {
            line += "  " + records(waiting) + (waiting == 1 ? " waits" : " wait") +
                    (waiting > 0 ? ", oldest " + age(outbox, "oldestAgeSeconds") : std::string{});
        }
        if (number(outbox, "refused") > 0) line += ", " + std::to_string(number(outbox, "refused")) + " REFUSED";
        if (number(outbox, "deadLetters") > 0)
            line += ", " + std::to_string(number(outbox, "deadLetters")) + " set aside";
        for (auto const& error : {text(uplink, "error"), text(outbox, "error")})
            line += error.empty() ? "" : "  " + error;
        out_ += line + "\n";
    }

    static std::string records(std::int64_t count) {
        return std::to_string(count) + (count == 1 ? " record" : " records");
    }

    bool is_in_namespace(std::string const& ns) const { return options_.ns.empty() || ns == options_.ns; }

    /// One line each, what failed first.
    void objects(std::string_view name, Row head, auto const& row_of) {
        std::multimap<int, json::object const*> shown;  // by rank; those of one rank in the order they came
        for (json::value const& value : list(status_, name)) {
            auto const* one = value.if_object();
            if (one == nullptr || !is_in_namespace(text(*one, "namespace"))) continue;
            int const rank = rank_of(state_of(*one), list(*one, "unhealthy").empty());
            bool const failed =
                rank == rank_of(model::Compliance::non_compliant, true) || !list(*one, "unhealthy").empty();
            if (!options_.failed || failed) shown.emplace(rank, one);
        }
        if (shown.empty()) return;
        std::vector<Row> rows{std::move(head)};
        for (auto const& [rank, one] : shown) rows.push_back(row_of(*one));
        out_ += "\n" + columns(rows, options_.width);
    }

    /// Objects whose health is no part of their Kustomization's word are still worth a line; each once.
    void not_ready() {
        std::vector<Row> rows{{"NOT READY", "HEALTH", "MESSAGE"}};
        std::set<std::string> seen;
        for (json::value const& value : list(status_, "kustomizations")) {
            auto const* one = value.if_object();
            if (one == nullptr || !is_in_namespace(text(*one, "namespace"))) continue;
            for (std::string const& object : texts(list(*one, "unhealthy"))) {
                auto const name_end = std::min(object.find(": "), object.size());
                auto const health_end = std::min(object.find(": ", name_end + 1), object.size());
                std::string const name = object.substr(0, name_end);
                if (!seen.insert(name).second) continue;
                if (options_.width > 0 && seen.size() > kTerminalRowsMax) continue;
                auto const after = [&](std::size_t at) { return std::min(at + 2, object.size()); };
                rows.push_back({name,
                                object.substr(after(name_end), health_end - std::min(after(name_end), health_end)),
                                object.substr(after(health_end))});
            }
        }
        if (rows.size() == 1) return;
        out_ += "\n" + columns(rows, options_.width);
        more(seen.size(), "objects that are not ready");
    }

    /// What is not repaired yet, each object once; what is repaired, in one line.
    void drifts() {
        std::vector<Row> rows{{"DRIFT", "WHAT", "BY", "SEEN", "OWNER"}};
        std::set<std::string> seen;
        std::size_t repaired = 0;
        std::string last;
        for (json::value const& value : list(status_, "drifts")) {
            auto const* one = value.if_object();
            if (one == nullptr) continue;
            std::string const owner = text(*one, "owner");  // "Kustomization/apps/web"
            auto const slash = std::min(owner.find('/'), owner.size());
            auto const ns = owner.substr(std::min(slash + 1, owner.size()));
            if (!is_in_namespace(ns.substr(0, ns.find('/')))) continue;
            std::string const by = text(*one, "manager");
            if (is_true(*one, "repaired")) {
                if (++repaired == 1) {
                    last = ago(*one, "seenAgeSeconds") + ": " + text(*one, "object") + " " + text(*one, "what") +
                           (by.empty() ? "" : " by " + by);
                }
                continue;
            }
            if (!seen.insert(text(*one, "object")).second) continue;
            if (options_.width > 0 && seen.size() > kTerminalRowsMax) continue;
            rows.push_back({text(*one, "object"), text(*one, "what"), by, ago(*one, "seenAgeSeconds"), owner});
        }
        if (rows.size() > 1) out_ += "\n" + columns(rows, options_.width);
        more(seen.size(), "objects that drifted");
        if (repaired > 0 && !options_.failed) {
            out_ += (rows.size() > 1 ? "" : "\n") + std::string{"drift     "} + std::to_string(repaired) +
                    " repaired, last " + last + "\n";
        }
    }

    void more(std::size_t all, std::string_view what) {
        if (options_.width == 0 || all <= kTerminalRowsMax) return;
        out_ += std::to_string(all - kTerminalRowsMax) + " more " + std::string{what} + ": holdfast status | less\n";
    }

    json::object const& status_;
    TableOptions const& options_;
    std::string out_;
};

}  // namespace

Result<std::string> to_table(std::string_view status_json, TableOptions const& options) {
    auto const parsed = parse_document(status_json);
    if (!parsed) return std::unexpected{parsed.error()};
    return Table{*parsed, options}.print();
}

Result<int> exit_code(std::string_view status_json) {
    auto const parsed = parse_document(status_json);
    if (!parsed) return std::unexpected{parsed.error()};
    return exit_code_of(state_of(*parsed));
}

}  // namespace holdfast::status
