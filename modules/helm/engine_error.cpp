// modules/helm/engine_error.cpp: Go's template errors as Helm rewrites them.
#include "modules/helm/engine.hpp"
#include "modules/helm/text.hpp"

#include <optional>

namespace holdfast::helm {
namespace {

struct Traceable {
    std::string location;
    std::string message;
    std::string executed;
    bool operator==(Traceable const&) const = default;

    std::string string() const {
        std::string out;
        if (!location.empty()) out += location + "\n  ";
        if (!executed.empty()) out += executed + "\n    ";
        if (!message.empty()) out += message + '\n';
        return out;
    }
};

std::string cut_next(std::string_view message) { return std::string{message.substr(0, message.find(" template:"))}; }

/// NAME:LINE:COL: executing "X" at <Y>: MESSAGE
std::optional<Traceable> executing(std::string_view text) {
    constexpr std::string_view kMark = ": executing ";
    auto const mark = text.find(kMark);
    if (mark == text.npos) return std::nullopt;
    auto after = text.substr(mark + kMark.size());
    if (!after.starts_with('"')) return std::nullopt;
    auto const close = after.find('"', 1);
    if (close == after.npos) return std::nullopt;
    auto const function = after.substr(1, close - 1);
    after.remove_prefix(close + 1);
    if (!after.starts_with(" at <")) return std::nullopt;
    after.remove_prefix(5);
    auto const end = after.find(">: ");
    if (end == after.npos) return std::nullopt;
    return Traceable{std::string{text.substr(0, mark)}, cut_next(after.substr(end + 3)),
                     "executing \"" + std::string{function} + "\" at <" + std::string{after.substr(0, end)} + ">:"};
}

std::optional<Traceable> parse(std::string_view text) {
    constexpr std::string_view kPrefix = "template: ";
    if (!text.starts_with(kPrefix)) return std::nullopt;
    auto const rest = text.substr(kPrefix.size());
    if (rest.starts_with("no template ")) return Traceable{"", std::string{text}, ""};
    if (auto found = executing(rest)) return found;
    auto const colon = rest.rfind(": ");
    if (colon == rest.npos) return std::nullopt;
    return Traceable{std::string{rest.substr(0, colon)}, cut_next(rest.substr(colon + 2)), ""};
}

}  // namespace

std::string parse_error_text(std::string const& name, std::string const& message) {
    auto const first = message.find(": ");
    if (first == message.npos) return "parse error in (" + name + "): " + message;
    auto const second = message.find(": ", first + 2);
    auto const location = message.substr(first + 2, second == message.npos ? message.npos : second - first - 2);
    return "parse error at (" + location + "): " + message.substr(message.rfind(": ") + 2);
}

std::string exec_error_text(std::string const& name, std::vector<std::string_view> const& chain) {
    std::string const message{chain.front()};
    auto const first = message.find(": ");
    auto const second = first == message.npos ? message.npos : message.find(": ", first + 2);
    if (second == message.npos) return "execution error in (" + name + "): " + message;
    auto const start = message.find("HELM_ERR_START", second);
    auto const end = message.rfind("HELM_ERR_END");
    if (start != message.npos && end != message.npos && end > start) {
        auto const location = message.substr(first + 2, second - first - 2);
        return "execution error at (" + location + "): " + message.substr(start + 14, end - start - 14);
    }
    std::vector<Traceable> trace;
    for (auto const text : chain) {
        auto found = parse(text);
        if (!found) return message;
        if (trace.empty() || !(trace.back() == *found)) trace.push_back(std::move(*found));
    }
    std::string out;
    for (auto const& step : trace) out += step.string();
    return std::string{trimmed(out)};
}

}  // namespace holdfast::helm
