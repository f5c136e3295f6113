// modules/kustomize/text.cpp: quoting and lists as Go writes them.
#include "modules/kustomize/text.hpp"

#include "modules/kustomize/ids.hpp"

#include <cstdio>

namespace holdfast::kustomize {

std::string go_quote(std::string_view text) {
    std::string out = "\"";
    for (char const c : text) {
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\a': out += "\\a"; break;
            case '\b': out += "\\b"; break;
            case '\f': out += "\\f"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            case '\v': out += "\\v"; break;
            default:
                if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
                    char hex[8];
                    std::snprintf(hex, sizeof hex, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
                    out += hex;
                } else {
                    out += c;
                }
        }
    }
    return out + "\"";
}

std::string go_list(std::vector<std::string> const& list) {
    std::string out = "[";
    for (auto const& item : list) {
        if (out.size() > 1) out += ' ';
        out += item;
    }
    return out + "]";
}

std::string_view trim_space(std::string_view text) {
    auto const blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    return text;
}

std::string describe(Selector const& selector) {
    ResId const id{{selector.group, selector.version, selector.kind}, selector.name, selector.ns};
    return id.str() + ":a=" + selector.annotation_selector + ":l=" + selector.label_selector;
}

std::string describe(std::vector<Var> const& vars) {
    std::string out = "[";
    for (auto const& var : vars) {
        if (out.size() > 1) out += ' ';
        out += "{" + var.name + " " + Gvk{var.group, var.version, var.kind}.str() + " {" + var.field_path + "}}";
    }
    return out + "]";
}

}  // namespace holdfast::kustomize
