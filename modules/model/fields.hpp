// modules/model/fields.hpp: reads the fields of one JSON object; what nobody asked for is refused by its name.
// Pure.
#pragma once

#include "modules/model/duration.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::model {

namespace json = boost::json;

/// The first thing that is wrong with an object, and what of it nobody acts on. One for all Fields of the object.
class Reading {
public:
    void wrong(std::string what) {
        if (problem_.empty()) problem_ = std::move(what);
    }
    std::string const& problem() const { return problem_; }

    /// Paths that are there and that nobody acts on.
    void accepted(std::string path) { accepted_.push_back(std::move(path)); }
    std::vector<std::string> const& accepted() const { return accepted_; }

private:
    std::string problem_;
    std::vector<std::string> accepted_;
};

/// One object below `path`. Every field is asked for by name: read, passed on as it is, or refused. A field that is there
/// and that nobody asked for makes the whole object wrong when these Fields go out of scope, so none is ever ignored.
class Fields {
public:
    /// `object` may be null: all fields are absent then. Both outlive these Fields.
    Fields(json::object const* object, std::string path, Reading& reading);
    ~Fields();
    Fields(Fields const&) = delete;
    Fields& operator=(Fields const&) = delete;

    /// Is it there, and not null?
    bool has(std::string_view name);

    std::string text(std::string_view name, std::string fallback = {});
    bool flag(std::string_view name, bool fallback);
    Duration duration(std::string_view name, Duration fallback);
    std::map<std::string, std::string> texts(std::string_view name);
    std::vector<std::string> list_of_texts(std::string_view name);
    Duration required_duration(std::string_view name);
    std::string required_text(std::string_view name);

    /// The object below `name`; all its fields read as absent when there is none.
    Fields child(std::string_view name);

    /// The elements of the list below `name`, or null.
    json::array const* list(std::string_view name);
    Fields element(std::string_view name, json::array const& list, std::size_t index);

    /// As it stands, for who reads it elsewhere; null when it is absent.
    json::value const* as_is(std::string_view name);

    /// Nobody acts on this field and nobody is misled by that: says why in the code that calls it.
    void accept(std::string_view name);

    /// Not supported yet. Absent, null, false, and an empty text, list or object are no wish and pass.
    void refuse(std::string_view name, std::string_view why = "is not supported by this version of Holdfast");

    void wrong(std::string_view name, std::string_view what);

private:
    json::value const* ask(std::string_view name);
    std::string at(std::string_view name) const { return path_ + "." + std::string{name}; }

    json::object const* object_;
    std::string path_;
    Reading& reading_;
    std::vector<std::string> asked_;
};

}  // namespace holdfast::model
