// tests/unit/modules/patch/question.cpp: the operations of modules/patch, asked for by name.
#include "tests/unit/modules/patch/question.hpp"

#include "modules/patch/field.hpp"
#include "modules/patch/fieldspec.hpp"
#include "modules/patch/json_node.hpp"
#include "modules/patch/json_patch.hpp"
#include "modules/patch/merge.hpp"
#include "modules/patch/path.hpp"
#include "modules/patch/selector.hpp"
#include "modules/yaml/emit.hpp"
#include "modules/yaml/json.hpp"
#include "modules/yaml/parse.hpp"

#include <string>

namespace holdfast::patch {
namespace {

namespace json = boost::json;
using yaml::Kind;

Answer failed(Error const& error) { return {.tree = {}, .out = {}, .err = error.message}; }

Answer written(yaml::Node const* node) {
    if (!node) return {.tree = "deleted", .out = {}, .err = {}};
    auto tree = yaml::emit(*node);
    if (!tree) return failed(tree.error());
    auto const value = patch::to_json_as_written(*node);
    if (!value) return {.tree = *tree, .out = "error", .err = {}};
    auto const out = yaml::write_sigs(*value);
    return {.tree = *tree, .out = out ? *out : "error", .err = {}};
}

class Question {
public:
    explicit Question(json::object const& fields) : fields_{fields} {}

    std::string text(std::string_view name) const {
        auto const* const found = fields_.if_contains(name);
        return found && found->is_string() ? std::string{found->get_string()} : std::string{};
    }

    Kind create() const {
        auto const name = text("create");
        if (name == "scalar") return Kind::scalar;
        if (name == "map") return Kind::mapping;
        return name == "list" ? Kind::sequence : Kind::none;
    }

    Answer respond() {
        auto base = yaml::parse(arena_, text("base"));
        if (!base) return failed(base.error());
        if (!*base) return {.tree = {}, .out = {}, .err = "EOF"};
        auto& object = **base;
        auto const op = text("op");
        if (op == "merge") return merge(object, {});
        if (op == "append") return merge(object, {.growth = patch::ListGrowth::append});
        if (op == "infer") return merge(object, {.growth = patch::ListGrowth::append, .infer_keys = true});
        if (op == "json6902") return json6902(object);
        if (op == "match") return match(object);
        if (op == "lookup") return lookup(object);
        if (op == "fieldspec") return fieldspec(object);
        if (op == "selector") return selector(object);
        return {.tree = {}, .out = {}, .err = "unknown operation " + op};
    }

private:
    Answer merge(yaml::Node& object, patch::MergeOptions options) {
        patch::Schema schema;
        if (auto const custom = text("schema"); !custom.empty()) {
            auto read = patch::Schema::parse(custom);
            if (!read) return failed(read.error());
            schema = *read;
        }
        auto change = yaml::parse(arena_, text("patch"));
        if (!change) return failed(change.error());
        if (!*change) return {.tree = {}, .out = {}, .err = "EOF"};
        auto const merged = patch::merge(arena_, schema, **change, object, options);
        if (!merged) return failed(merged.error());
        return written(*merged);
    }

    Answer json6902(yaml::Node& object) {
        auto const change = patch::JsonPatch::parse(text("patch"));
        if (!change) return failed(change.error());
        if (auto const done = change->apply(arena_, object); !done) return failed(done.error());
        return written(yaml::root_of(&object));
    }

    Answer match(yaml::Node& object) {
        auto const path = patch::split_field_path(text("path"));
        auto const found = patch::match(arena_, object, patch::Path{path}, create());
        if (!found) return failed(found.error());
        auto answer = written(&object);
        for (auto const* const node : found->nodes) answer.out += "found: " + patch::text_of(*node);
        return answer;
    }

    Answer lookup(yaml::Node& object) {
        auto const path = patch::split_field_path(text("path"));
        auto const found = patch::lookup_create(arena_, object, create(), patch::Path{path});
        if (!found) return failed(found.error());
        auto answer = written(&object);
        answer.out = *found ? patch::text_of(**found) : "";
        return answer;
    }

    Answer fieldspec(yaml::Node& object) {
        auto const& given = fields_.at("spec").as_object();
        auto const part = [&](char const* name) {
            auto const* const found = given.if_contains(name);
            return found ? std::string{found->as_string()} : std::string{};
        };
        patch::FieldSpec const spec{part("group"), part("version"), part("kind"), part("path"),
                                    given.if_contains("create") && given.at("create").as_bool()};
        auto visit = patch::set_scalar(arena_, text("value"));
        if (auto const tag = text("tag"); !tag.empty()) {
            auto const space = tag.find(' ');
            visit = patch::set_entry(arena_, tag.substr(0, space), text("value"), yaml::tag_of(tag.substr(space + 1)));
        }
        auto const done = patch::apply(arena_, spec, *yaml::root_of(&object), visit, {.kind = create()});
        if (!done) return failed(done.error());
        return written(&object);
    }

    Answer selector(yaml::Node const& object) {
        auto const matches = patch::matches_labels(object, text("selector"));
        if (!matches) return failed(matches.error());
        return {.tree = {}, .out = *matches ? "true" : "false", .err = {}};
    }

    json::object const& fields_;
    yaml::Arena arena_;
};

}  // namespace

Answer respond(boost::json::object const& question) { return Question{question}.respond(); }

}  // namespace holdfast::patch
