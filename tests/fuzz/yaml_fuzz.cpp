// tests/fuzz/yaml_fuzz.cpp: any bytes through reader, decoders, copies and writers.
// Looks for: crashes, undefined behaviour, hangs, copies that differ, values that cannot be written.
// (Reading back what was written is no invariant: go-yaml writes some texts that it cannot read, and so do we.)
#include "modules/yaml/emit.hpp"
#include "modules/yaml/json.hpp"
#include "modules/yaml/parse.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <cstdlib>

using namespace holdfast::yaml;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void write(boost::json::value const& value) {
    if (auto const text = write_sigs(value)) (void)read_sigs(*text).has_value();
    auto const json = marshal_json(value);
    require(json.has_value());
    (void)json_to_yaml(*json).has_value();
    require(write_v3(value, {.sequences = SequenceIndent::wide}).has_value());
    Arena arena;
    require(emit(*from_json(arena, value)).has_value());
}

void all_documents(std::string_view text, ParseOptions options) {
    Arena arena;
    Parser parser{arena, text, options};
    std::vector<Node*> documents;
    for (;;) {
        auto document = parser.next();
        if (!document || !*document) break;
        documents.push_back(*document);
        (void)check_unique_keys(**document).has_value();
        (void)to_json(**document, {.dialect = options.dialect}).has_value();
        Arena other;
        require(equal(**document, *copy_to(other, **document)));
    }
    for (auto const sequences : {SequenceIndent::compact, SequenceIndent::wide}) {
        (void)emit_all(documents, {.sequences = sequences}).has_value();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const text{reinterpret_cast<char const*>(data), size};
    all_documents(text, {});
    all_documents(text, {.dialect = Dialect::v2});
    all_documents(text, {.comments = false});
    (void)derive_sequence_indent(text);
    (void)is_yaml11_non_string(text);
    if (auto const value = read_sigs(text)) write(*value);
    return 0;
}
