// modules/uplink/batch.cpp: rows and their sizes.
#include "modules/uplink/batch.hpp"

#include "modules/base/json_text.hpp"
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace holdfast::uplink {

namespace json = boost::json;

namespace {

/// Length of the UTF-8 sequence at the front, 0 when it is none (RFC 3629: no surrogates, no overlong forms).
std::size_t sequence_length(std::string_view text) {
    auto const at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    auto const follows = [&](std::size_t i) { return (at(i) & 0xc0) == 0x80; };
    unsigned const first = at(0);
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        bool const good =
            follows(1) && follows(2) && !(first == 0xe0 && at(1) < 0xa0) && !(first == 0xed && at(1) > 0x9f);
        return good ? 3 : 0;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        bool const good = follows(1) && follows(2) && follows(3) && !(first == 0xf0 && at(1) < 0x90) &&
                          !(first == 0xf4 && at(1) > 0x8f);
        return good ? 4 : 0;
    }
    return 0;
}

std::string repaired(std::string_view text) {
    std::string good;
    good.reserve(text.size() + 16);
    while (!text.empty()) {
        std::size_t const length = sequence_length(text);
        if (length == 0) {
            good += "\xef\xbf\xbd";
        } else {
            good += text.substr(0, length);
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return good;
}

}  // namespace

Result<std::string> make_row(QueuedRecord const& record, Envelope const& envelope) {
    auto parsed = parse_json(record.fields);
    if (!parsed) parsed = parse_json(repaired(record.fields));
    if (!parsed || !parsed->is_object()) return fail(Errc::corrupt, "the stored fields are not a JSON object");
    json::value& fields = *parsed;
    std::string const observed = model::format_time_micro(record.observed_at);
    json::object row{{"TimeGenerated", observed},
                     {"SiteId", envelope.site},
                     {"Site", envelope.site_name},
                     {"Sequence", record.sequence},
                     {"RecordId", record.record_id},
                     {"ObservedAt", observed},
                     {"LastObservedAt", model::format_time_micro(std::max(record.observed_at, record.last_at))},
                     {"Count", record.count},
                     {"QueuedAt", model::format_time_micro(record.queued_at)},
                     {"UploadedAt", model::format_time_micro(envelope.uploaded_at)}};
    if (auto* const missing = fields.get_object().if_contains("NotRecorded")) *missing = record.count;
    for (auto& [name, value] : fields.get_object()) row.emplace(name, std::move(value));  // an own column stays
    return json::serialize(row);
}

Result<Batch> make_batch(std::span<QueuedRecord const> records, Envelope const& envelope, std::size_t bytes_max) {
    Batch batch{.records = 0, .rows = "["};
    for (QueuedRecord const& record : records) {
        auto row = make_row(record, envelope);
        if (!row && batch.records > 0) break;
        if (!row) return fail(std::move(row));
        if (batch.records > 0 && batch.rows.size() + row->size() + 2 > bytes_max) break;  // its comma and the bracket
        if (batch.records > 0) batch.rows += ',';
        batch.rows += *row;
        ++batch.records;
    }
    batch.rows += ']';
    return batch;
}

}  // namespace holdfast::uplink
