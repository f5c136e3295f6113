// modules/status/summary.cpp: one word for everything, and why.
#include "modules/status/snapshot.hpp"

#include <set>

namespace holdfast::status {

namespace {

using model::Compliance;

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
    return std::to_string(count) + " " + std::string{count == 1 ? one : many};
}

/// The word, and how many there are of it, in the words of the headline.
std::string wishes_text(Summary const& sum) {
    if (sum.wishes == 0) return "nothing is asked for yet";
    std::string const of = " of " + std::to_string(sum.wishes);
    if (sum.non_compliant > 0) {
        return std::to_string(sum.non_compliant) + of + (sum.non_compliant == 1 ? " is" : " are") + " Non-Compliant";
    }
    return std::to_string(sum.compliant) + of + (sum.compliant == 1 ? " is" : " are") + " Compliant";
}

/// "Deployment/apps/web" of "Deployment/apps/web: InProgress: 1 of 3 updated".
std::string name_of(std::string const& unhealthy) { return unhealthy.substr(0, unhealthy.find(": ")); }

}  // namespace

Summary summarize(Snapshot const& snapshot) {
    Summary sum;
    std::set<std::string> not_ready;
    std::set<std::string> drifted;
    Compliance worst = Compliance::compliant;
    for (Object const& one : snapshot.objects) {
        ++sum.wishes;
        sum.compliant += one.state == Compliance::compliant ? 1 : 0;
        sum.non_compliant += one.state == Compliance::non_compliant ? 1 : 0;
        worst = model::worst(worst, one.state);
        for (std::string const& object : one.unhealthy) not_ready.insert(name_of(object));
    }
    for (Drift const& one : snapshot.drifts) {
        if (!one.repaired) drifted.insert(one.object);
        sum.drift_repaired += one.repaired ? 1 : 0;
    }
    sum.not_ready = not_ready.size();
    sum.drifted = drifted.size();
    // A manifest that cannot be read wishes for something that nobody carries out.
    sum.state = !snapshot.problems.empty() ? Compliance::non_compliant : sum.wishes == 0 ? Compliance::pending : worst;
    if (!snapshot.problems.empty()) sum.why = counted(snapshot.problems.size(), "problem", "problems") + ", ";
    sum.why += wishes_text(sum);
    if (sum.not_ready > 0) sum.why += ", " + counted(sum.not_ready, "object is", "objects are") + " not ready";
    if (sum.drifted > 0) sum.why += ", " + counted(sum.drifted, "drift is", "drifts are") + " not repaired yet";
    return sum;
}

int exit_code_of(Compliance state) {
    return state == Compliance::compliant ? 0 : state == Compliance::non_compliant ? 2 : 1;
}

int rank_of(Compliance state, bool is_all_ready) {
    switch (state) {
        case Compliance::non_compliant: return 0;
        case Compliance::pending:
        case Compliance::unknown: return 1;
        case Compliance::compliant: return is_all_ready ? 4 : 2;
        case Compliance::suspended: return 3;
    }
    return 4;
}

Compliance Snapshot::state() const { return summarize(*this).state; }

}  // namespace holdfast::status
