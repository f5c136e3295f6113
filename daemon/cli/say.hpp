// daemon/cli/say.hpp: words for people on stderr, which may quote what a stranger wrote.
#pragma once

#include "modules/base/utf8.hpp"
#include "modules/base/write_all.hpp"

#include <unistd.h>

#include <string>
#include <utility>

namespace holdfast::daemon {

/// Asked before main(): later a wall may forbid to ask.
inline bool const kStderrIsTerminal = ::isatty(STDERR_FILENO) == 1;

/// Every byte of it, as kustomize and helm do, but a terminal is not commanded by what is quoted.
inline void write_stderr(std::string text) {
    write_all(STDERR_FILENO, kStderrIsTerminal ? without_controls(std::move(text), kLayout) : text);
}

inline void say(std::string line) { write_stderr(std::move(line) + '\n'); }

}  // namespace holdfast::daemon
