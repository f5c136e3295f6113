// modules/yaml/reader.hpp: bytes to checked UTF-8; go-yaml's readerc.go.
// Private to modules/yaml.
#pragma once

#include "modules/yaml/arena.hpp"

#include <string>
#include <string_view>

namespace holdfast::yaml {

struct ReadText {
    std::string_view text;     // valid UTF-8 without byte order mark; two zero bytes follow it
    std::string_view error;    // what is wrong behind `text`; go-yaml's words
    std::size_t error_at = 0;  // byte of `text` (before it was cut) where that is
};

/// Decodes UTF-16, drops a byte order mark, checks every character.
/// go-yaml reads 512 bytes at a time and complains when it gets to the bad ones: the text is cut where it would
/// stop, so that an error that it finds before is found before.
ReadText read_text(Arena& arena, std::string bytes);

}  // namespace holdfast::yaml
