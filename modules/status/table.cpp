// modules/status/table.cpp: the status document as columns for a terminal, and as an exit code for a script.
#include "modules/status/snapshot.hpp"
#include "modules/status/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>

namespace holdfast::status {

namespace {

constexpr std::size_t kMessageMax = 100;

std::string text(json::object const& object, std::string_view name) {
    auto const* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? without_controls(std::string{value->get_string()}) : "";
}

std::int64_t number(json::object const& object, std::string_view name) {
    auto const* value = object.if_contains(name);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

std::string age(json::object const& object, std::string_view name) {
    auto const* value = object.if_contains(name);
    return value != nullptr && value->is_int64() ? age_text(value->get_int64()) : "never";
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

std::string one_line(std::string const& message) {
    return message.size() <= kMessageMax ? message : std::string{cut(message, kMessageMax - 3)} + "...";
}

/// The objects of a list, each handed to `row`; what is no object is left out.
void each(json::array const& rows, auto const& row) {
    for (json::value const& value : rows) {
        if (auto const* object = value.if_object()) row(*object);
    }
}

/// "main@sha1:67e2c98a…": eight digits are enough for a person.
std::string short_revision(std::string const& revision) {
    auto const at = revision.find("sha1:");
    return at == std::string::npos ? revision : revision.substr(0, at + 5 + 8);
}

using Row = std::vector<std::string>;

std::string columns(std::vector<Row> const& rows) {
    std::vector<std::size_t> widths;
    for (Row const& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string out;
    for (Row const& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            out += row[i];
            if (i + 1 < row.size()) out += std::string(widths[i] - row[i].size() + 2, ' ');
        }
        out += "\n";
    }
    return out;
}

Result<json::object> parse_document(std::string_view status_json) {
    boost::system::error_code ec;
    auto value = json::parse(json::string_view{status_json.data(), status_json.size()}, ec);
    if (ec || !value.is_object()) return fail(Errc::invalid_input, "the daemon's answer is no status document");
    return value.as_object();
}

}  // namespace

std::string age_text(std::int64_t seconds) {
    if (seconds < 0) seconds = 0;
    if (seconds < 120) return std::to_string(seconds) + "s";
    if (seconds < 2 * 3600) return std::to_string(seconds / 60) + "m";
    if (seconds < 2 * 86400) return std::to_string(seconds / 3600) + "h";
    return std::to_string(seconds / 86400) + "d";
}

Result<std::string> to_table(std::string_view status_json) {
    auto const parsed = parse_document(status_json);
    if (!parsed) return std::unexpected{parsed.error()};
    json::object const& status = *parsed;
    json::object const& cluster = child(status, "cluster");
    bool const configured = cluster.contains("configured") && cluster.at("configured") == true;
    bool const reachable = cluster.contains("reachable") && cluster.at("reachable") == true;
    std::string out = "holdfast " + text(status, "version") + "  site " + text(status, "site") + "  " +
                      text(status, "complianceState") + "\n";
    out += "cluster   " +
           (!configured ? std::string{"none configured"}
            : reachable ? text(cluster, "server") + "  heard " + age(cluster, "heardAgeSeconds") + " ago"
                        : text(cluster, "server") + "  NOT REACHABLE: " + one_line(text(cluster, "error"))) +
           "\n";
    json::object const& outbox = child(status, "outbox");
    json::object const& uplink = child(status, "uplink");
    out += "uplink    " + text(uplink, "state") + "  " + std::to_string(number(outbox, "waiting")) + " records wait" +
           (number(outbox, "waiting") > 0 ? ", oldest " + age(outbox, "oldestAgeSeconds") : std::string{}) +
           (number(outbox, "refused") > 0 ? ", " + std::to_string(number(outbox, "refused")) + " REFUSED"
                                          : std::string{}) +
           (text(uplink, "error").empty() ? "" : "  " + one_line(text(uplink, "error"))) + "\n";
    if (!list(status, "configurations").empty()) {
        std::vector<Row> rows{{"CONFIGURATION", "STATE", "COMMIT", "SINCE", "MESSAGE"}};
        each(list(status, "configurations"), [&](json::object const& one) {
            rows.push_back({text(one, "namespace") + "/" + text(one, "name"), text(one, "complianceState"),
                            short_revision(text(one, "sourceSyncedCommitId")), age(one, "changedAgeSeconds"),
                            one_line(text(one, "message"))});
        });
        out += "\n" + columns(rows);
    }
    std::vector<Row> sources{{"SOURCE", "STATE", "REVISION", "CHECKED", "MESSAGE"}};
    each(list(status, "sources"), [&](json::object const& one) {
        sources.push_back({text(one, "kind") + "/" + text(one, "namespace") + "/" + text(one, "name"),
                           text(one, "complianceState"), short_revision(text(one, "revision")),
                           age(one, "checkedAgeSeconds"), one_line(text(one, "message"))});
    });
    if (sources.size() > 1) out += "\n" + columns(sources);
    std::vector<Row> kustomizations{{"KUSTOMIZATION", "STATE", "REVISION", "OBJECTS", "SINCE", "MESSAGE"}};
    each(list(status, "kustomizations"), [&](json::object const& one) {
        kustomizations.push_back({text(one, "namespace") + "/" + text(one, "name"), text(one, "complianceState"),
                                  short_revision(text(one, "revision")), std::to_string(number(one, "objects")),
                                  age(one, "changedAgeSeconds"), one_line(text(one, "message"))});
    });
    if (kustomizations.size() > 1) out += "\n" + columns(kustomizations);
    std::vector<Row> drifts{{"DRIFT", "WHAT", "BY", "AGE", "REPAIRED"}};
    each(list(status, "drifts"), [&](json::object const& one) {
        if (drifts.size() > 5) return;
        bool const repaired = one.contains("repaired") && one.at("repaired") == true;
        drifts.push_back({text(one, "object"), text(one, "what"), text(one, "manager"), age(one, "seenAgeSeconds"),
                          repaired ? "yes" : "no"});
    });
    if (drifts.size() > 1) out += "\n" + columns(drifts);
    for (auto const& problem : list(child(status, "intake"), "problems")) {
        if (problem.is_string()) out += "\nproblem: " + without_controls(std::string{problem.get_string()}) + "\n";
    }
    return out;
}

Result<int> exit_code(std::string_view status_json) {
    auto const parsed = parse_document(status_json);
    if (!parsed) return std::unexpected{parsed.error()};
    std::string const state = text(*parsed, "complianceState");
    bool const nothing = list(*parsed, "sources").empty() && list(*parsed, "kustomizations").empty() &&
                         list(*parsed, "configurations").empty();
    // A manifest that could not be read wishes for something that nobody carries out.
    if (!list(child(*parsed, "intake"), "problems").empty()) return 2;
    if (state == "Compliant" || nothing) return 0;
    return state == "Non-Compliant" ? 2 : 1;
}

}  // namespace holdfast::status
