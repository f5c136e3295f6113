// modules/yaml/parse.hpp: YAML text in, nodes out, with go-yaml's rules and go-yaml's error texts.
#pragma once

#include "modules/base/error.hpp"
#include "modules/base/limits.hpp"
#include "modules/yaml/node.hpp"

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::yaml {

/// Whose rules. The text is scanned alike; comments, types and merge rules differ.
enum class Dialect : std::uint8_t {
    v3,  // go.yaml.in/yaml/v3: kustomize's and kyaml's trees; helm's toYamlPretty
    v2,  // go.yaml.in/yaml/v2: what sigs.k8s.io/yaml reads with; yes, no, on and off are bools
};

struct ParseOptions {
    Dialect dialect = Dialect::v3;
    bool comments = true;  // false: read past them, about 10 % faster; v2 never keeps them
    std::size_t depth_max = limits::kYamlDepthMax;
    std::size_t bytes_max = limits::kYamlStreamBytesMax;
    std::size_t nodes_max = limits::kYamlNodesMax;  // of the whole stream
    std::size_t documents_max = limits::kYamlDocumentsMax;
};

/// Where a reading error is, in the text; 0 when it has no place (a bound of the whole stream).
struct Place {
    std::uint32_t line = 0;    // 1-based
    std::uint32_t column = 0;  // 1-based, in characters
};

/// yaml.Decoder decoding into yaml.Node: one document after another.
///
/// In      arena  owns the nodes and a copy of the text; must outlive them
///         text   UTF-8, or UTF-16 with a byte order mark; CR, LF, CRLF
/// Errors  invalid_input  message as go-yaml's: "yaml: line 3: mapping values are not allowed in this context"
///         limit          a bound of ParseOptions was hit; the message names it
/// Never   recurses; expands an alias (an anchor cycle is a finite tree here: see follow() and to_json())
/// Cost    O(bytes); memory: the text once, 48 bytes a node, comments and multi-line scalars once more
class Parser {
public:
    Parser(Arena& arena, std::string_view text, ParseOptions options = {});
    /// Takes the text over, without copying it. Only for a std::string given away.
    template <std::same_as<std::string> Text>
    Parser(Arena& arena, Text&& text, ParseOptions options = {}) : Parser{arena, Owned{std::move(text)}, options} {}
    Parser(Parser&&) noexcept;
    ~Parser();

    /// The next document (kind document, one child), nullptr after the last. After an error: the same error again.
    Result<Node*> next();

    /// Place of the error that next() returned.
    Place error_place() const;

private:
    struct Owned {
        std::string text;
    };
    Parser(Arena& arena, Owned owned, ParseOptions options);

    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// yaml.Unmarshal(text, &node): the first document; the rest is not looked at. nullptr when there is none.
Result<Node*> parse(Arena& arena, std::string_view text, ParseOptions options = {}, Place* error_place = nullptr);

/// All documents, empty ones included (their root is a null scalar).
Result<std::vector<Node*>> parse_all(Arena& arena, std::string_view text, ParseOptions options = {},
                                     Place* error_place = nullptr);

}  // namespace holdfast::yaml
