// tests/unit/modules/uplink/batch_test.cpp: rows hold what the format promises, and a request never outgrows its bound.
#include "modules/uplink/batch.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

namespace holdfast::uplink {

namespace {

model::WallTime at(char const* text) { return model::parse_time(text).value(); }

QueuedRecord a_record(std::int64_t sequence, std::string fields) {
    return {.sequence = sequence,
            .record_id = "id" + std::to_string(sequence),
            .observed_at = at("2026-08-22T10:00:00.5Z"),
            .queued_at = at("2026-08-22T10:00:01Z"),
            .fields = std::move(fields)};
}

Envelope an_envelope() { return {.site = "site-1", .site_name = "plant 7", .uploaded_at = at("2026-08-29T00:00:00Z")}; }

}  // namespace

TEST_CASE("batch: a row has our columns first and the record's fields after them", "[uplink][batch]") {
    auto record = a_record(7, R"({"ComplianceState":"Compliant","ObservedGeneration":3})");
    record.last_at = at("2026-08-22T10:05:00Z");
    record.count = 3;

    auto const row = make_row(record, an_envelope());

    REQUIRE(row);
    CHECK(*row ==
          R"({"TimeGenerated":"2026-08-22T10:00:00.500000Z","SiteId":"site-1","Site":"plant 7","Sequence":7,)"
          R"("RecordId":"id7","ObservedAt":"2026-08-22T10:00:00.500000Z",)"
          R"("LastObservedAt":"2026-08-22T10:05:00.000000Z","Count":3,"QueuedAt":"2026-08-22T10:00:01.000000Z",)"
          R"("UploadedAt":"2026-08-29T00:00:00.000000Z","ComplianceState":"Compliant","ObservedGeneration":3})");
}

TEST_CASE("batch: a field cannot take the place of an own column", "[uplink][batch]") {
    auto const row = make_row(a_record(7, R"({"Sequence":1,"RecordId":"forged","A":"b"})"), an_envelope());

    REQUIRE(row);
    auto const object = boost::json::parse(*row).as_object();
    CHECK(object.at("Sequence").as_int64() == 7);
    CHECK(object.at("RecordId").as_string() == "id7");
    CHECK(object.at("A").as_string() == "b");
}

TEST_CASE("batch: text that is not UTF-8 is repaired, other damage is corrupt", "[uplink][batch]") {
    auto const row = make_row(a_record(1, "{\"Message\":\"a\xff\xc3\xa9\xed\xa0\x80z\"}"), an_envelope());
    REQUIRE(row);
    CHECK(boost::json::parse(*row).as_object().at("Message").as_string() ==
          "a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz");

    CHECK(make_row(a_record(1, "[1]"), an_envelope()).error().code == Errc::corrupt);
    CHECK(make_row(a_record(1, "{\"cut"), an_envelope()).error().code == Errc::corrupt);
    CHECK(make_row(a_record(1, ""), an_envelope()).error().code == Errc::corrupt);
}

TEST_CASE("batch: the bound is exact to the byte, and one record always goes", "[uplink][batch]") {
    std::vector<QueuedRecord> records;
    for (int i = 1; i <= 9; ++i) records.push_back(a_record(i, R"({"A":"b"})"));
    std::size_t const one = make_row(records.at(0), an_envelope())->size();

    auto const exact = make_batch(records, an_envelope(), 2 + 3 * one + 2);  // brackets, three rows, two commas
    auto const short_by_one = make_batch(records, an_envelope(), 2 + 3 * one + 1);
    auto const tiny = make_batch(records, an_envelope(), 1);
    auto const all = make_batch(records, an_envelope(), 1'000'000);

    CHECK(exact->records == 3);
    CHECK(exact->rows.size() == 2 + 3 * one + 2);
    CHECK(short_by_one->records == 2);
    CHECK(tiny->records == 1);
    CHECK(all->records == 9);
    CHECK(boost::json::parse(all->rows).as_array().size() == 9);
    CHECK(make_batch({}, an_envelope(), 10)->rows == "[]");
}

TEST_CASE("batch: a damaged record ends the batch before it, and is named when it is first", "[uplink][batch]") {
    std::vector<QueuedRecord> const records{a_record(1, "{}"), a_record(2, "nonsense"), a_record(3, "{}")};

    CHECK(make_batch(records, an_envelope(), 1'000'000)->records == 1);
    auto const damaged = make_batch(std::span{records}.subspan(1), an_envelope(), 1'000'000);
    REQUIRE_FALSE(damaged);
    CHECK(damaged.error().code == Errc::corrupt);
}

}  // namespace holdfast::uplink
