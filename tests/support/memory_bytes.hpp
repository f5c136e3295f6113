// tests/support/memory_bytes.hpp: texts in and out of what holds bytes apart from the heap.
#pragma once

#include "modules/base/memory_file.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace holdfast::test {

inline std::shared_ptr<MemoryFile const> memory_bytes(std::string_view text) {
    auto file = std::move(*MemoryFile::create());
    static_cast<void>(file.append(text));
    return std::make_shared<MemoryFile const>(std::move(file));
}

inline std::string text_of(MemoryFile const& file) {
    std::string text;
    static_cast<void>(file.each([&](std::string_view piece) -> Result<void> {
        text += piece;
        return {};
    }));
    return text;
}

}  // namespace holdfast::test
