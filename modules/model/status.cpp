// modules/model/status.cpp: conditions, history, and the JSON form of a status.
#include "modules/model/status.hpp"

#include "modules/base/mask.hpp"
#include "modules/base/utf8.hpp"
#include "modules/model/kinds.hpp"
#include "modules/model/members.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>

namespace holdfast::model {

namespace {

constexpr std::size_t kMessageBytesMax = 20'000;  // as Flux; the CRDs refuse more than 32,768

std::string_view truth_word(Truth status) {
    switch (status) {
        case Truth::yes: return "True";
        case Truth::no: return "False";
        case Truth::unknown: return "Unknown";
    }
    return "Unknown";
}

Truth read_truth(std::string_view word) {
    return word == "True" ? Truth::yes : word == "False" ? Truth::no : Truth::unknown;
}

}  // namespace

std::string condition_text(std::string_view text) {
    return without_controls(to_utf8(mask_logins(text), kMessageBytesMax), kLayout);
}

void Conditions::set(std::string_view type, Truth status, std::string_view reason, std::string_view message,
                     std::int64_t generation, WallTime now) {
    auto found = std::ranges::find(all_, type, &Condition::type);
    if (found == all_.end()) {
        // Ready leads, as in Flux: people read the first line.
        found = all_.insert(type == "Ready" ? all_.begin() : all_.end(), Condition{.type = std::string{type}});
        found->last_transition = now;
    } else if (found->status != status) {
        found->last_transition = now;
    }
    found->status = status;
    found->reason = reason;
    found->message = condition_text(message);
    found->observed_generation = generation;
}

void Conditions::remove(std::string_view type) {
    std::erase_if(all_, [&](Condition const& one) { return one.type == type; });
}

Condition const* Conditions::find(std::string_view type) const {
    auto const found = std::ranges::find(all_, type, &Condition::type);
    return found == all_.end() ? nullptr : &*found;
}

bool Conditions::is(std::string_view type, Truth status) const {
    auto const* found = find(type);
    return found != nullptr && found->status == status;
}

std::string_view compliance_name(Compliance state) {
    switch (state) {
        case Compliance::compliant: return "Compliant";
        case Compliance::non_compliant: return "Non-Compliant";
        case Compliance::pending: return "Pending";
        case Compliance::suspended: return "Suspended";
        case Compliance::unknown: return "Unknown";
    }
    return "Unknown";
}

Compliance compliance_of(Conditions const& conditions, bool suspend) {
    if (suspend) return Compliance::suspended;
    auto const* ready = conditions.find("Ready");
    if (ready == nullptr || ready->status == Truth::unknown) return Compliance::pending;
    if (ready->status == Truth::yes) return Compliance::compliant;
    bool const waits = ready->reason == "DependencyNotReady" || ready->reason == "Progressing";
    return waits ? Compliance::pending : Compliance::non_compliant;
}

Compliance worst(Compliance a, Compliance b) {
    constexpr auto rank = [](Compliance state) {
        constexpr std::array<Compliance, 5> kBestFirst{Compliance::compliant, Compliance::suspended,
                                                       Compliance::unknown, Compliance::pending,
                                                       Compliance::non_compliant};
        return std::ranges::find(kBestFirst, state) - kBestFirst.begin();
    };
    return rank(a) >= rank(b) ? a : b;
}

json::array to_json(Conditions const& conditions) {
    json::array rows;
    for (Condition const& one : conditions.all()) {
        rows.push_back(json::object{{"lastTransitionTime", format_time(one.last_transition)},
                                    {"message", one.message},
                                    {"observedGeneration", one.observed_generation},
                                    {"reason", one.reason},
                                    {"status", truth_word(one.status)},
                                    {"type", one.type}});
    }
    return rows;
}

json::object to_json(Kind kind, Status const& status) {
    json::object out{{"observedGeneration", status.observed_generation}};
    if (!status.conditions.all().empty()) out["conditions"] = to_json(status.conditions);
    if (!status.last_handled_reconcile_at.empty()) out["lastHandledReconcileAt"] = status.last_handled_reconcile_at;
    for (StatusField const& field : info(kind).status_fields()) {
        if (field.write != nullptr) field.write(status, out);
    }
    return out;
}

json::object status_patch(Kind kind, Status const& status) {
    json::object patch = to_json(kind, status);
    for (StatusField const& field : info(kind).status_fields()) {
        if (!patch.contains(field.name)) patch[field.name] = nullptr;
    }
    return patch;
}

bool says_the_same(Kind kind, Status const& a, Status const& b) {
    json::object left = to_json(kind, a);
    json::object right = to_json(kind, b);
    for (StatusField const& field : info(kind).status_fields()) {
        if (field.strip == nullptr) continue;
        for (json::object* side : {&left, &right}) {
            if (auto* written = side->if_contains(field.name)) field.strip(*written);
        }
    }
    return left == right;
}

bool is_merged(json::object const& live, json::object const& patch) {
    return std::ranges::all_of(patch, [&](auto const& member) {
        auto const* present = live.if_contains(member.key());
        if (member.value().is_null()) return present == nullptr || present->is_null();
        return present != nullptr && *present == member.value();
    });
}

json::object left_over(json::object const& live, json::object const& patch) {
    json::object rest;
    for (auto const& [name, wanted] : patch) {
        auto const* present = live.if_contains(name);
        if (present == nullptr || !present->is_object() || !wanted.is_object()) continue;
        json::object inner = left_over(present->get_object(), wanted.get_object());
        for (auto const& member : present->get_object()) {
            if (!wanted.get_object().contains(member.key())) inner[member.key()] = nullptr;
        }
        if (!inner.empty()) rest[name] = std::move(inner);
    }
    return rest;
}

Status read_status(Kind kind, json::object const& from) {
    Status status;
    status.observed_generation = number_at(from, "observedGeneration", -1);
    status.last_handled_reconcile_at = text_at(from, "lastHandledReconcileAt");
    if (auto const* rows = list_at(from, "conditions")) {
        for (json::value const& value : *rows) {
            auto const* row = value.if_object();
            if (row == nullptr) continue;
            status.conditions.add({.type = text_at(*row, "type"),
                                   .status = read_truth(text_at(*row, "status")),
                                   .reason = text_at(*row, "reason"),
                                   .message = text_at(*row, "message"),
                                   .observed_generation = number_at(*row, "observedGeneration", 0),
                                   .last_transition = time_at(*row, "lastTransitionTime")});
        }
    }
    for (StatusField const& field : info(kind).status_fields()) {
        if (field.read != nullptr) field.read(from, status);
    }
    return status;
}

}  // namespace holdfast::model
