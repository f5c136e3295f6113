// modules/yaml/emit.hpp: nodes in, YAML text out, byte for byte what go-yaml v3 writes.
#pragma once

#include "modules/base/error.hpp"
#include "modules/yaml/node.hpp"

#include <span>
#include <string>

namespace holdfast::yaml {

enum class SequenceIndent : std::uint8_t { compact, wide };  // "- " under its key, or two spaces further

struct EmitOptions {
    int indent = 2;  // yaml.Encoder.SetIndent; go-yaml's own default is 4
    SequenceIndent sequences = SequenceIndent::compact;
};

/// kyaml's yaml.Marshal / NewEncoder(...).Encode(node): one document, no "---", ends with a line break.
/// helm's toYamlPretty: EmitOptions{.indent = 2, .sequences = SequenceIndent::wide} (and trim the last break).
///
/// In      any tree; a document node writes its own head and foot comments
/// Out     never folds a long line (go-yaml v3 sets no width)
/// Errors  invalid_input  a node of unknown kind, an anchor that cannot be written, invalid UTF-8 with a tag;
///                        text as go-yaml's ("yaml: cannot encode node with unknown kind 0")
///         limit          deeper than limits::kYamlDepthMax
/// Never   follows an alias: "*name" is written
Result<std::string> emit(Node const& node, EmitOptions options = {});

/// Several Encode calls on one Encoder: documents separated by "---" lines.
Result<std::string> emit_all(std::span<Node* const> documents, EmitOptions options = {});

/// Like emit, appended to `out`. `first` false writes "---" before it.
Result<void> emit_to(std::string& out, Node const& node, EmitOptions options = {}, bool first = true);

/// kyaml DeriveSeqIndentStyle: how the first sequence of this text is indented.
SequenceIndent derive_sequence_indent(std::string_view text);

}  // namespace holdfast::yaml
