// tests/unit/modules/model/crd_test.cpp: every property that our CRDs let in is read or refused by its name, docs/kinds.md lists
// what is refused and what nobody acts on, and every field that is written to .status is one that the CRD keeps.
#include "modules/model/kinds.hpp"
#include "modules/yaml/json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

namespace holdfast::model {

namespace {

using Names = std::vector<std::string>;

std::string read_file(std::string const& path) {
    std::ifstream file{HOLDFAST_SOURCE_ROOT "/" + path};
    INFO(path);
    REQUIRE(file);
    return {std::istreambuf_iterator<char>{file}, {}};
}

/// The openAPIV3Schema that the API server checks objects of this kind with.
json::object schema_of(KindInfo const& row) {
    auto const text = read_file("config/crds/" + std::string{row.group} + "_" + std::string{row.plural} + ".yaml");
    auto const crd = yaml::read_sigs(text);
    REQUIRE(crd);
    std::string const version{row.api_version.substr(row.api_version.find('/') + 1)};
    for (json::value const& one : crd->at("spec").at("versions").as_array()) {
        if (one.at("name") == json::string_view{version}) return one.at("schema").at("openAPIV3Schema").as_object();
    }
    FAIL("the CRD has no version " << version);
    return {};
}

json::object const& properties_of(json::object const& schema) {
    static json::object const kNone;
    auto const* properties = schema.if_contains("properties");
    return properties == nullptr ? kNone : properties->as_object();
}

/// Every value of interest that the schema lets in: each word of an enum, else one that is not empty.
json::array samples(json::object const& schema);

json::value sample(json::object const& schema) { return samples(schema).at(0); }

json::array only(json::value value) {
    json::array list;
    list.push_back(std::move(value));
    return list;
}

json::array samples(json::object const& schema) {
    if (auto const* words = schema.if_contains("enum")) return words->as_array();
    auto const* type = schema.if_contains("type");
    if (type == nullptr) return only(json::object{{"a", "x"}});  // anything goes
    if (*type == "string") return only(schema.contains("pattern") ? "1m" : "x");
    if (*type == "boolean") return only(true);
    if (*type == "integer") return only(1);
    if (*type == "array") return only(only(sample(schema.at("items").as_object())));
    json::object object;
    if (auto const* required = schema.if_contains("required")) {
        for (json::value const& name : required->as_array()) {
            object[name.as_string()] = sample(properties_of(schema).at(name.as_string()).as_object());
        }
    }
    if (object.empty() && !properties_of(schema).empty()) {
        auto const& first = *properties_of(schema).begin();
        object[first.key()] = sample(first.value().as_object());
    }
    if (object.empty()) object["a"] = "x";
    return only(std::move(object));
}

struct Outcome {
    std::string problem;
    Names accepted;
};

Outcome read(KindInfo const& row, json::object const& spec) {
    Reading reading;
    {
        Fields fields{&spec, "spec", reading};
        row.read_spec(fields, "a");
    }
    return {reading.problem(), reading.accepted()};
}

/// "kustomizations[].name" of "spec.kustomizations[0].name"
std::string as_documented(std::string path) {
    if (path.starts_with("spec.")) path.erase(0, 5);
    for (auto at = path.find("[0]"); at != std::string::npos; at = path.find("[0]")) path.erase(at + 1, 1);
    return path;
}

/// Sets each property, one at a time, in an object that is valid but for it.
class Walk {
public:
    explicit Walk(KindInfo const& row) : row_(row) {
        json::object const schema = schema_of(row);
        json::object const& spec = properties_of(schema).at("spec").as_object();
        minimal_ = sample(spec).as_object();
        if (row.kind == Kind::flux_config)
            minimal_ = {{"gitRepository", json::object{{"url", "https://example.com/a"}}}};
        INFO(row.name << " " << json::serialize(minimal_));
        REQUIRE(read(row, minimal_).problem.empty());
        visit(spec, "", "/");
    }

    std::set<std::string> refused, accepted;
    std::size_t seen = 0;

private:
    void visit(json::object const& schema, std::string const& path, std::string const& pointer) {
        for (auto const& [key, value] : properties_of(schema)) {
            json::object const& property = value.as_object();
            std::string const name = path + std::string{key};
            bool whole = false;  // refused with whatever is in it
            json::array values = samples(property);
            if (name == "sourceRef.apiVersion") values = only("source.toolkit.fluxcd.io/v1");
            bool const is_enum = property.contains("enum");
            for (json::value const& one : values) {
                bool const refuses = try_one(name, pointer + std::string{key}, one, is_enum);
                whole = whole || (refuses && !is_enum);
            }
            if (auto const* fallback = property.if_contains("default")) {
                INFO(row_.name << " " << name << " has a default that is not read");
                CHECK_FALSE(try_one(name, pointer + std::string{key}, *fallback, false));
            }
            if (whole) continue;
            visit(property, name + ".", pointer + std::string{key} + "/");
            if (auto const* items = property.if_contains("items"))
                visit(items->as_object(), name + "[].", pointer + std::string{key} + "/0/");
        }
    }

    /// Is it refused? Anything but read, refused by its name, or passed on as it is, fails the test.
    bool try_one(std::string const& name, std::string const& pointer, json::value const& value, bool is_enum) {
        ++seen;
        Outcome const outcome = read(row_, with(pointer, value));
        for (std::string const& one : outcome.accepted) accepted.insert(as_documented(one));
        if (outcome.problem.empty()) return false;
        INFO(row_.name << " " << name << ": " << outcome.problem);
        CHECK(as_documented(outcome.problem).starts_with(name + ": "));
        CHECK(outcome.problem.find("is not known") == std::string::npos);
        CHECK(outcome.problem.find("not supported") != std::string::npos);
        refused.insert(is_enum ? name + ": " + std::string{value.as_string()} : name);
        return true;
    }

    /// The minimal object with a value at "/kustomizations/0/name"; what is around it is there with what it requires.
    json::object with(std::string const& pointer, json::value const& value) const {
        json::object object = minimal_;
        json::object const schema = schema_of(row_);
        json::object const* known = &properties_of(schema).at("spec").as_object();
        json::object* at = &object;
        json::array* list = nullptr;
        std::istringstream steps{pointer.substr(1)};
        std::string step;
        for (bool last = false; !last && std::getline(steps, step, '/');) {
            last = steps.eof();
            if (step == "0") {
                known = &known->at("items").as_object();
                at = &list->at(0).as_object();
                continue;
            }
            // The rules of the CRD let one of these two in.
            bool const one_of = step == "secretRef" && properties_of(*known).contains("configMapRef");
            if (one_of) at->erase("configMapRef");
            known = &properties_of(*known).at(step).as_object();
            json::value& there = (*at)[step];
            if (last) there = value;
            else if (there.is_null()) there = sample(*known);
            if (there.is_object()) at = &there.get_object();
            if (there.is_array()) list = &there.get_array();
        }
        return object;
    }

    KindInfo const& row_;
    json::object minimal_;
};

/// The paths in backquotes in the first cells of the table below this heading of the kind's section.
std::set<std::string> documented(KindInfo const& row, std::string const& heading) {
    std::istringstream text{read_file("docs/kinds.md")};
    std::set<std::string> found;
    bool in_kind = false;
    bool in_table = false;
    std::string line;
    while (std::getline(text, line)) {
        if (line.starts_with("## ")) in_kind = line.starts_with("## " + std::string{row.name} + " (");
        if (!line.starts_with("|")) in_table = false;
        if (in_kind && line.starts_with("| " + heading + " |")) in_table = true;
        if (!in_table) continue;
        std::string const cell = line.substr(1, line.find('|', 1) - 1);
        for (auto from = cell.find('`'); from != std::string::npos;) {
            auto const to = cell.find('`', from + 1);
            REQUIRE(to != std::string::npos);
            found.insert(cell.substr(from + 1, to - from - 1));
            from = cell.find('`', to + 1);
        }
    }
    return found;
}

}  // namespace

TEST_CASE("crds: every property of every kind is read or refused by its name, and the refused ones are documented",
          "[model]") {
    for (KindInfo const& row : kKinds) {
        Walk const walk{row};
        INFO(row.name);
        CHECK(walk.seen > 15);
        CHECK(walk.refused == documented(row, "refused"));
        CHECK(walk.accepted == documented(row, "not acted on"));
    }
}

TEST_CASE("crds: every default that the API server fills in is read", "[model]") {
    for (KindInfo const& row : kKinds) {
        json::object const schema = schema_of(row);
        json::object const& status = properties_of(schema).at("status").as_object();
        INFO(row.name);
        REQUIRE(status.contains("default"));
        CHECK(read_status(row.kind, status.at("default").as_object()).observed_generation == -1);
        CHECK(read_status(row.kind, status.at("default").as_object()).conditions.all().empty());
    }
}

TEST_CASE("crds: the fields of .status are those of the CRD, no more and no less", "[model]") {
    for (KindInfo const& row : kKinds) {
        json::object const schema = schema_of(row);
        std::set<std::string> in_crd, known{"conditions", "observedGeneration", "lastHandledReconcileAt"};
        for (auto const& member : properties_of(properties_of(schema).at("status").as_object()))
            in_crd.emplace(member.key());
        for (StatusField const& field : row.status_fields()) known.emplace(field.name);
        INFO(row.name);
        CHECK(in_crd == known);
    }
}

}  // namespace holdfast::model
