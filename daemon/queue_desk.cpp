// daemon/queue_desk.cpp: requests about the queue, read and answered.
#include "daemon/queue_desk.hpp"

#include "modules/base/json_text.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace holdfast::daemon {

namespace json = boost::json;

namespace {

constexpr std::int64_t kShownMax = 500;
constexpr std::int64_t kShownBytesMax = 512 << 10;
constexpr std::size_t kMovedMax = 500;

json::object shown(cache::Outbox::Shown const& one) {
    auto const& record = one.record;
    auto fields = parse_json(record.fields);
    return {{"sequence", record.sequence},
            {"stream", record.stream == model::Stream::compliance ? "compliance" : "objectStatus"},
            {"recordId", record.record_id},
            {"observedAt", model::format_time_micro(record.observed_at)},
            {"lastObservedAt", model::format_time_micro(std::max(record.observed_at, record.last_at))},
            {"count", record.count},
            {"reason", one.reason},
            {"fields", fields ? std::move(*fields) : json::value{record.fields}}};
}

Result<json::object> show(cache::Outbox& outbox, json::object const& request) {
    auto const* shelf = request.if_contains("shelf");
    auto const* after = request.if_contains("after");
    if (shelf == nullptr || after == nullptr || !after->is_int64())
        return fail(Errc::invalid_input, "show needs a shelf and a sequence");
    using Shelf = cache::Outbox::Shelf;
    auto const wanted = *shelf == "waiting" ? Shelf::waiting : Shelf::aside;
    auto found = outbox.show(wanted, after->get_int64(), kShownMax, kShownBytesMax);
    if (!found) return fail(std::move(found));
    auto const state = outbox.state();
    if (!state) return std::unexpected{state.error()};
    json::array records;
    for (auto const& one : *found) records.push_back(shown(one));
    return json::object{{"waiting", state->waiting},
                        {"bytes", state->bytes},
                        {"dead", state->dead},
                        {"refused", state->refused},
                        {"records", std::move(records)}};
}

Result<json::object> retry(cache::Outbox& outbox, json::object const& request) {
    auto const* listed = request.if_contains("sequences");
    if (listed == nullptr || !listed->is_array() || listed->get_array().size() > kMovedMax)
        return fail(Errc::invalid_input, "retry needs at most " + std::to_string(kMovedMax) + " sequences");
    std::vector<std::int64_t> sequences;
    for (json::value const& one : listed->get_array()) {
        if (!one.is_int64()) return fail(Errc::invalid_input, "a sequence is a number");
        sequences.push_back(one.get_int64());
    }
    std::ranges::sort(sequences);
    sequences.erase(std::ranges::unique(sequences).begin(), sequences.end());
    auto const moved = outbox.put_back(sequences);
    if (!moved) return std::unexpected{moved.error()};
    return json::object{{"moved", *moved}, {"full", *moved < static_cast<std::int64_t>(sequences.size())}};
}

Result<json::object> check(cache::Outbox& outbox) {
    auto const found = outbox.check();
    if (!found) return std::unexpected{found.error()};
    return json::object{{"problems", json::array(found->begin(), found->end())}};
}

}  // namespace

Result<std::string> answer_queue(cache::Outbox& outbox, std::string_view request) {
    auto const parsed = parse_json(request);
    if (!parsed || !parsed->is_object()) return fail(Errc::invalid_input, "the request is no JSON object");
    auto const& asked = parsed->get_object();
    auto const* verb = asked.if_contains("verb");
    bool const has_verb = verb != nullptr && verb->is_string();
    std::string_view const word = has_verb ? std::string_view{verb->get_string()} : "";
    Result<json::object> answer = word == "show"    ? show(outbox, asked)
                                  : word == "retry" ? retry(outbox, asked)
                                  : word == "check" ? check(outbox)
                                                    : fail(Errc::invalid_input, "there is no such request");
    if (!answer) return fail(std::move(answer));
    return json::serialize(*answer);
}

}  // namespace holdfast::daemon
