// modules/yaml/emit_comment.cpp: head, line, foot and tail comments.
#include "modules/yaml/emitter.hpp"

#include <algorithm>

namespace holdfast::yaml {

void Emitter::process_head_comment() {
    if (!tail_.empty()) {
        write_indent();
        write_comment(tail_);
        tail_ = {};
        foot_indent_ = std::max(indent_, 0);
    }
    if (head_.empty()) return;
    write_indent();
    write_comment(head_);
    head_ = {};
}

void Emitter::process_line_comment(bool line_break) {
    if (line_.empty()) {
        if (line_break) put_break();
        return;
    }
    if (!whitespace_) put(' ');
    write_comment(line_);
    line_ = {};
}

void Emitter::process_foot_comment() {
    if (foot_.empty()) return;
    write_indent();
    write_comment(foot_);
    foot_ = {};
    foot_indent_ = std::max(indent_, 0);
}

void Emitter::write_comment(std::string_view comment) {
    bool breaks = false;
    bool pound = false;
    for (std::size_t i = 0; i < comment.size();) {
        auto const rest = comment.substr(i);
        bool const high =
            rest.starts_with("\xC2\x85") || rest.starts_with("\xE2\x80\xA8") || rest.starts_with("\xE2\x80\xA9");
        if (comment[i] == '\n' || comment[i] == '\r' || high) {
            write_break(comment, i);
            breaks = true;
            pound = false;
            continue;
        }
        if (breaks) write_indent();
        if (!pound) {
            if (comment[i] != '#') {
                put('#');
                put(' ');
            }
            pound = true;
        }
        write(comment, i);
        indention_ = false;
        breaks = false;
    }
    if (!breaks) put_break();
    whitespace_ = true;
}

}  // namespace holdfast::yaml
