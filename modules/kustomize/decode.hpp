// modules/kustomize/decode.hpp: JSON-like values into the types, with encoding/json's rules and error texts.
#pragma once

#include "modules/base/error.hpp"
#include "modules/kustomize/config.hpp"
#include "modules/kustomize/types.hpp"
#include "modules/yaml/parse.hpp"

#include <boost/json/value.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::kustomize {

/// One decoding. Keys match without regard to case and are visited sorted; null leaves a field as it is; the
/// first error is kept and decoding goes on, as encoding/json does.
class Decoder {
public:
    struct Mode {
        bool unknown_fields = true;      // false: json.DisallowUnknownFields
        bool text_from_scalars = false;  // sigs.k8s.io/yaml Unmarshal: a number where text is wanted is text
        bool embedded_too = false;       // even in embedded structs, whose types sigs.k8s.io/yaml does not know
    };
    using Value = boost::json::value;
    /// Reads one known key, false when the key is not known.
    using Field = std::function<bool(std::string_view key, Value const& value)>;

    explicit Decoder(Mode mode) : mode_{mode} {}

    /// `name` is the Go type; `path` its form in messages when the value is no object ("types.Patch").
    void object(Value const& value, char const* name, char const* path, Field const& field);
    void text(Value const& value, std::string& out);
    void boolean(Value const& value, bool& out);
    void integer(Value const& value, std::int64_t& out, char const* type = "int64");
    void text_map(Value const& value, StringMap& out);
    void text_list(Value const& value, std::vector<std::string>& out, char const* type = "[]string");
    template <class T, class Read> void list(Value const& value, std::vector<T>& out, char const* type, Read read) {
        if (value.is_null()) return;
        if (!value.is_array()) return mismatch(value, type);
        out.clear();
        for (auto const& item : value.get_array()) read(item, out.emplace_back());
    }
    template <class T, class Read> void optional(Value const& value, std::optional<T>& out, Read read) {
        if (value.is_null()) {
            out.reset();
            return;
        }
        if (!out) out.emplace();
        read(value, *out);
    }

    void mismatch(Value const& value, char const* type);
    void say(std::string message, Value const& culprit) {
        if (!error_.empty()) return;
        error_ = std::move(message);
        culprit_ = &culprit;
    }
    Result<void> result() const;
    /// What the first error is about, or nullptr.
    Value const* culprit() const { return culprit_; }

    /// Puts a field's name on the path of messages while its value is read; the embedded structs it is in come first.
    template <class Read> void at(std::initializer_list<char const*> names, Read read) {
        auto const depth = path_.size();
        auto const outer = embedded_;
        path_.insert(path_.end(), names);
        embedded_ = embedded_ || is_embedded(names);
        read();
        path_.resize(depth);
        embedded_ = outer;
    }

    void read(Value const& value, Selector& out);
    void read(Value const& value, PatchOptions& out);
    void read(Value const& value, Patch& out);
    void read(Value const& value, FieldSpec& out);
    void read(Value const& value, FieldSpecs& out, char const* type = "[]types.FieldSpec");
    void read(Value const& value, Label& out);
    void read(Value const& value, Image& out);
    void read(Value const& value, Replica& out);
    void read(Value const& value, FieldOptions& out);
    void read(Value const& value, SourceSelector& out);
    void read(Value const& value, TargetSelector& out);
    void read(Value const& value, Replacement& out);
    void read(Value const& value, ReplacementField& out);
    void read(Value const& value, Var& out);
    void read(Value const& value, GeneratorOptions& out);
    void read(Value const& value, HelmGlobals& out);
    void read(Value const& value, SortOptions& out);
    void read(Value const& value, NameBackReferences& out);
    void read(Value const& value, TransformerConfig& out);
    void read(Value const& value, Kustomization& out);
    void read_generator(Value const& value, GeneratorArgs& out, bool secret);
    void read_chart(Value const& value, HelmChart& out);

    bool generator_field(std::string_view key, Value const& value, GeneratorArgs& out, bool secret,
                         std::initializer_list<char const*> embedded);
    bool chart_field(std::string_view key, Value const& value, HelmChart& out);

private:
    static bool is_embedded(std::initializer_list<char const*> names) {
        return names.size() != 0 && **names.begin() >= 'A' && **names.begin() <= 'Z';
    }
    bool replacement_field(std::string_view key, Value const& value, Replacement& out, bool embedded);

    Mode mode_;
    std::string error_;
    Value const* culprit_ = nullptr;
    char const* struct_ = "";
    std::vector<char const*> path_;
    bool embedded_ = false;  // the value is in an embedded struct
};

/// Same letters, whatever their case.
bool same_key(std::string_view key, std::string_view name);

/// types.Kustomization.Unmarshal, CheckDeprecatedFields, FixKustomization, CheckEmpty, EnforceFields.
/// In      edited  by Flux, which reads leniently: unknown fields are dropped, and a number may stand for text
/// Errors  invalid_input with kustomize's text (Flux's when edited), which may have several lines
struct Reading {
    bool edited = false;
    std::string_view written;      // what the file holds, for the place
    yaml::Place* place = nullptr;  // of the error in `written`
};
Result<Kustomization> decode_kustomization(std::string_view text, std::string_view directory,
                                           Reading const& reading = {});

}  // namespace holdfast::kustomize
