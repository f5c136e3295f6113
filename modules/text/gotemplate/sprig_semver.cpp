// modules/text/gotemplate/sprig_semver.cpp: semver and semverCompare on modules/text/semver.
#include "modules/text/gotemplate/sprig.hpp"
#include "modules/text/gotemplate/sprig_common.hpp"
#include "modules/text/semver/semver.hpp"

namespace holdfast::gotemplate {

namespace {

using namespace sprig;

Function const* version_method(std::string_view name);

Type const kVersionType{
    .kind = Kind::pointer, .name = "*semver.Version", .kind_name = "ptr", .named = true, .method = version_method};

class VersionObject final : public Object {
public:
    explicit VersionObject(semver::Version v) : Object(kVersionType), version(std::move(v)) {}
    std::optional<std::string> text() const override { return version.string(); }
    bool equals(Object const& other) const override {
        auto const* right = dynamic_cast<VersionObject const*>(&other);
        return right != nullptr && right->version.original == version.original &&
               semver::compare(right->version, version) == 0;
    }
    semver::Version const version;
};

Value make_version(semver::Version version) { return Value::object(new VersionObject(std::move(version))); }

semver::Version const* version_in(Value const& value) {
    if (value.kind() != Kind::pointer) return nullptr;
    auto const* object = dynamic_cast<VersionObject const*>(value.as_object());
    return object == nullptr ? nullptr : &object->version;
}
semver::Version const& self(Call& call) { return *version_in(call.receiver()); }

FuncMap make_methods() {
    FuncMap methods;
    auto const number = [&](std::string_view name, std::uint64_t semver::Version::* field) {
        methods.add(name, "-> any",
                    [field](Call& call) -> Result<Value> { return Value::unsigned_integer(self(call).*field); });
    };
    number("Major", &semver::Version::major);
    number("Minor", &semver::Version::minor);
    number("Patch", &semver::Version::patch);
    auto const word = [&](std::string_view name, std::string semver::Version::* field) {
        methods.add(name, "-> string",
                    [field](Call& call) -> Result<Value> { return Value::string(self(call).*field); });
    };
    word("Prerelease", &semver::Version::prerelease);
    word("Metadata", &semver::Version::metadata);
    word("Original", &semver::Version::original);
    methods.add("String", "-> string", [](Call& call) -> Result<Value> { return Value::string(self(call).string()); });
    auto const next = [&](std::string_view name, Result<semver::Version> (semver::Version::*step)() const) {
        methods.add(name, "-> any", [step](Call& call) -> Result<Value> {
            auto version = (self(call).*step)();
            if (!version) return fail(std::move(version));
            return make_version(*std::move(version));
        });
    };
    next("IncMajor", &semver::Version::next_major);
    next("IncMinor", &semver::Version::next_minor);
    next("IncPatch", &semver::Version::next_patch);
    auto const with = [&](std::string_view name,
                          Result<semver::Version> (semver::Version::*change)(std::string_view) const) {
        methods.add(name, "string -> any", [change](Call& call) -> Result<Value> {
            auto version = (self(call).*change)(call.text(0));
            if (!version) return fail(std::move(version));
            return make_version(*std::move(version));
        });
    };
    with("SetPrerelease", &semver::Version::with_prerelease);
    with("SetMetadata", &semver::Version::with_metadata);
    auto const compared = [&](std::string_view name, std::string_view signature, auto answer) {
        methods.add(name, signature, [answer](Call& call) -> Result<Value> {
            auto const* other = version_in(call[0]);
            if (other == nullptr)
                return bad("wrong type for value; expected *semver.Version; got " +
                           std::string{call[0].kind() == Kind::invalid ? "interface {}" : call[0].type().name});
            return answer(semver::compare(self(call), *other));
        });
    };
    compared("Compare", "any -> int", [](int c) { return Value::integer(c); });
    compared("Equal", "any -> bool", [](int c) { return Value::boolean(c == 0); });
    compared("LessThan", "any -> bool", [](int c) { return Value::boolean(c < 0); });
    compared("LessThanEqual", "any -> bool", [](int c) { return Value::boolean(c <= 0); });
    compared("GreaterThan", "any -> bool", [](int c) { return Value::boolean(c > 0); });
    compared("GreaterThanEqual", "any -> bool", [](int c) { return Value::boolean(c >= 0); });
    return methods;
}

Function const* version_method(std::string_view name) {
    static FuncMap const methods = make_methods();
    return methods.find(name);
}

}  // namespace

void add_sprig_semver(FuncMap& funcs) {
    funcs.add("semver", "string -> any", [](Call& call) -> Result<Value> {
        auto version = semver::parse(call.text(0));
        if (!version) return fail(std::move(version));
        return make_version(*std::move(version));
    });
    funcs.add("semverCompare", "string, string -> bool", [](Call& call) -> Result<Value> {
        auto const constraint = semver::parse_constraint(call.text(0));
        if (!constraint) return std::unexpected{constraint.error()};
        auto const version = semver::parse(call.text(1));
        if (!version) return std::unexpected{version.error()};
        return Value::boolean(constraint->check(*version));
    });
}

}  // namespace holdfast::gotemplate
