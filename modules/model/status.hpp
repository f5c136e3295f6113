// modules/model/status.hpp: what is known about an object, in the shape Flux writes it to .status.
#pragma once

#include "modules/base/error.hpp"
#include "modules/model/duration.hpp"
#include "modules/model/key.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <any>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::model {

namespace json = boost::json;

enum class Truth { yes, no, unknown };

/// metav1.Condition.
struct Condition {
    std::string type;
    Truth status = Truth::unknown;
    std::string reason;
    std::string message;
    std::int64_t observed_generation = 0;
    WallTime last_transition;
};

/// What a condition can hold of a text that may be any bytes, and any number of them: UTF-8, without the
/// logins of URLs and without what a terminal obeys, at most 20,000 bytes as Flux.
std::string condition_text(std::string_view text);

/// An ordered set of conditions; a transition time moves only when the status does.
class Conditions {
public:
    void set(std::string_view type, Truth status, std::string_view reason, std::string_view message,
             std::int64_t generation, WallTime now);
    void remove(std::string_view type);
    Condition const* find(std::string_view type) const;
    bool is(std::string_view type, Truth status) const;
    std::vector<Condition> const& all() const { return all_; }
    void add(Condition condition) { all_.push_back(std::move(condition)); }

private:
    std::vector<Condition> all_;
};

/// One field of .status, by name: how it is written, how it is read back, and that it is nulled when it is absent. Without
/// functions: a field that only Flux's own controllers fill, taken away when we take an object over.
struct StatusField {
    std::string_view name;
    void (*write)(struct Status const& status, json::object& out) = nullptr;
    void (*read)(json::object const& from, struct Status& status) = nullptr;
    void (*strip)(json::value& written) =
        nullptr;  // takes counters and times away, which are no reason to tell anybody
};

/// What is known about an object: what every kind says, and the kind's own part (kinds/<kind>.hpp).
struct Status {
    std::int64_t observed_generation = -1;
    Conditions conditions;
    std::string last_handled_reconcile_at;

    template <class T> T& part() {
        if (auto* present = std::any_cast<T>(&part_)) return *present;
        return part_.emplace<T>();
    }
    template <class T> T const& part() const {
        static T const kNone{};
        auto const* present = std::any_cast<T>(&part_);
        return present == nullptr ? kNone : *present;
    }

private:
    std::any part_;
};

/// The five words of Azure's complianceState.
enum class Compliance { compliant, non_compliant, pending, suspended, unknown };

/// "Compliant", "Non-Compliant", "Pending", "Suspended", "Unknown".
std::string_view compliance_name(Compliance state);

/// Ready=True -> compliant, Ready=False -> non_compliant, else pending; suspend wins. A failure that only
/// waits for something else (a dependency, a first artifact) is pending.
Compliance compliance_of(Conditions const& conditions, bool suspend);

/// The worst of both: non_compliant > pending > unknown > suspended > compliant.
Compliance worst(Compliance a, Compliance b);

/// .status as Flux writes it for this kind. Reading what was written gives the same Status.
json::object to_json(Kind kind, Status const& status);
Status read_status(Kind kind, json::object const& status);

/// The same as a merge patch: fields that are absent are named with null, since a merge keeps what it does not name.
json::object status_patch(Kind kind, Status const& status);

/// Do both say the same, but for counters and times of passes?
bool says_the_same(Kind kind, Status const& a, Status const& b);

/// Would merging `patch` into `live` change anything?
bool is_merged(json::object const& live, json::object const& patch);

/// What a merge of `patch` left in `live` that it should not have: a merge keeps the members of an object inside that the patch
/// does not name. Out  another patch, which takes them away; empty: there is nothing left
json::object left_over(json::object const& live, json::object const& patch);

/// metav1.Condition list.
json::array to_json(Conditions const& conditions);

}  // namespace holdfast::model
