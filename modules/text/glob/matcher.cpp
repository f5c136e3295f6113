// modules/text/glob/matcher.cpp: how each kind of compiled pattern matches.
#include "modules/text/glob/matcher.hpp"

#include <algorithm>

namespace holdfast::glob {
namespace {

std::size_t count_runes(std::string_view text) {
    std::size_t count = 0;
    for (std::size_t at = 0; at < text.size(); at += rune_at(text, at).bytes) ++count;
    return count;
}

/// First byte of any of the characters; gobwas takes the first one of the set that occurs at all.
std::ptrdiff_t index_any(std::string_view text, std::u32string_view set) {
    for (char32_t const rune : set) {
        if (auto const at = text.find(to_utf8({&rune, 1})); at != text.npos) return static_cast<std::ptrdiff_t>(at);
    }
    return -1;
}

std::ptrdiff_t last_index_any(std::string_view text, std::u32string_view set) {
    for (char32_t const rune : set) {
        if (auto const at = text.rfind(to_utf8({&rune, 1})); at != text.npos) return static_cast<std::ptrdiff_t>(at);
    }
    return -1;
}

/// offset, then offset after each character.
void add_ends(std::vector<std::size_t>& out, std::string_view text, std::size_t offset) {
    out.push_back(offset);
    for (std::size_t at = 0; at < text.size();) {
        at += rune_at(text, at).bytes;
        out.push_back(offset + at);
    }
}

Found at_byte(std::size_t index, std::vector<std::size_t> lengths) {
    return {static_cast<std::ptrdiff_t>(index), std::move(lengths)};
}

}  // namespace

bool Matcher::accepts(char32_t rune) const {
    switch (kind) {
        case Kind::single: return set.find(rune) == set.npos;
        case Kind::list: return (set.find(rune) != set.npos) != negated;
        default: return (rune >= low && rune <= high) != negated;
    }
}

std::ptrdiff_t Matcher::count() const {
    switch (kind) {
        case Kind::text: return static_cast<std::ptrdiff_t>(count_runes(first));
        case Kind::single:
        case Kind::list:
        case Kind::range: return 1;
        case Kind::nothing: return 0;
        case Kind::row: return static_cast<std::ptrdiff_t>(limit);
        case Kind::any_of: {
            std::ptrdiff_t length = -1;
            for (auto const& part : parts) {
                auto const own = part->runes();
                if (length == -1) {
                    length = own;
                } else if (own == -1 || own != length) {
                    return -1;
                }
            }
            return length;
        }
        case Kind::every_of: return parts.empty() ? 0 : -1;
        case Kind::tree: {
            auto const own = value->runes();
            auto const before = left ? left->runes() : 0;
            auto const after = right ? right->runes() : 0;
            return own == -1 || before == -1 || after == -1 ? -1 : own + before + after;
        }
        default: return -1;
    }
}

bool Matcher::match(std::string_view text, Looks& looks) const {
    looks.add(1 + text.size() * (1 + set.size() / 8));
    if (looks.spent()) return false;
    switch (kind) {
        case Kind::any: return index_any(text, set) == -1;
        case Kind::any_of:
            return std::ranges::any_of(parts, [&](auto const& part) { return part->match(text, looks); });
        case Kind::every_of:
            return std::ranges::all_of(parts, [&](auto const& part) { return part->match(text, looks); });
        case Kind::tree: return match_tree(text, looks);
        case Kind::contains: return (text.find(first) != text.npos) != negated;
        case Kind::max: return count_runes(text) <= limit;
        case Kind::min: return count_runes(text) >= limit && !text.empty();
        case Kind::nothing: return text.empty();
        case Kind::prefix: return text.starts_with(first);
        case Kind::prefix_any: return text.starts_with(first) && index_any(text.substr(first.size()), set) == -1;
        case Kind::prefix_suffix: return text.starts_with(first) && text.ends_with(second);
        case Kind::suffix: return text.ends_with(first);
        case Kind::suffix_any:
            return text.ends_with(first) && index_any(text.substr(0, text.size() - first.size()), set) == -1;
        case Kind::super: return true;
        case Kind::text: return text == first;
        case Kind::row: return count_runes(text) == limit && row_matches(text, looks);
        case Kind::single:
        case Kind::list:
        case Kind::range: {
            auto const rune = rune_at(text, 0);
            return text.size() <= rune.bytes && accepts(rune.bytes == 0 ? char32_t{0xFFFD} : rune.value);
        }
    }
    return false;
}

bool Matcher::row_matches(std::string_view text, Looks& looks) const {
    std::size_t at = 0;
    for (auto const& part : parts) {
        auto const want = part->runes();
        std::size_t end = at;
        std::ptrdiff_t seen = 0;
        for (std::size_t next = at; seen < want && next < text.size(); ++seen) {
            end = next + 1;  // gobwas' slip: one byte of the last character, so characters of more bytes never match
            next += rune_at(text, next).bytes;
        }
        if (seen < want || !part->match(text.substr(at, end - at), looks)) return false;
        at = end;
    }
    return true;
}

bool Matcher::match_tree(std::string_view text, Looks& looks) const {
    auto const whole = runes();
    if (whole != -1 && static_cast<std::size_t>(whole) > text.size()) return false;
    auto const before = left ? left->runes() : 0;
    auto const after = right ? right->runes() : 0;
    auto offset = static_cast<std::size_t>(std::max<std::ptrdiff_t>(before, 0));
    auto const limit_at = static_cast<std::ptrdiff_t>(text.size()) - std::max<std::ptrdiff_t>(after, 0);
    while (static_cast<std::ptrdiff_t>(offset) < limit_at && !looks.spent()) {
        auto const found = value->find(text.substr(offset, static_cast<std::size_t>(limit_at) - offset), looks);
        if (found.index == -1) return false;
        auto const start = offset + static_cast<std::size_t>(found.index);
        auto const head = text.substr(0, start);
        if (left ? left->match(head, looks) : head.empty()) {
            for (auto length = found.lengths.rbegin(); length != found.lengths.rend(); ++length) {
                auto const end = start + *length;
                auto const tail = end >= text.size() ? std::string_view{} : text.substr(end);
                if (right ? right->match(tail, looks) : tail.empty()) return true;
            }
        }
        offset = start + std::max<std::size_t>(rune_at(text, start).bytes, 1);
    }
    return false;
}

Found Matcher::find_any_of(std::string_view text, Looks& looks) const {
    Found best;
    for (auto const& part : parts) {
        auto found = part->find(text, looks);
        if (found.index == -1 || (best.index != -1 && found.index > best.index)) continue;
        if (best.index == -1 || found.index < best.index) {
            best = std::move(found);
            continue;
        }
        std::vector<std::size_t> merged;
        std::ranges::set_union(best.lengths, found.lengths, std::back_inserter(merged));
        best.lengths = std::move(merged);
    }
    return best;
}

Found Matcher::find_every_of(std::string_view text, Looks& looks) const {
    std::ptrdiff_t index = 0;
    std::ptrdiff_t offset = 0;
    std::vector<std::size_t> current;
    auto rest = text;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        auto const found = parts[i]->find(rest, looks);
        if (found.index == -1) return {};
        if (i == 0) {
            current = found.lengths;
        } else {
            auto const delta = index - (found.index + offset);
            std::vector<std::size_t> next;
            looks.add(current.size() * found.lengths.size());
            if (looks.spent()) return {};
            for (auto const have : current) {
                for (auto const length : found.lengths) {
                    if (static_cast<std::ptrdiff_t>(have) + delta == static_cast<std::ptrdiff_t>(length))
                        next.push_back(length);
                }
            }
            if (next.empty()) return {};
            current = std::move(next);
        }
        index = found.index + offset;
        if (index > static_cast<std::ptrdiff_t>(text.size())) return {};
        rest = text.substr(static_cast<std::size_t>(index));
        offset += found.index;
    }
    return {index, std::move(current)};
}

/// Prefix, suffix and their combinations, and contains.
Found Matcher::find_affix(std::string_view text) const {
    auto const at = text.find(first);
    if (kind == Kind::contains && negated) {
        Found found{0, {}};
        add_ends(found.lengths, text.substr(0, at), 0);
        return found;
    }
    if (at == text.npos) return {};
    auto const end = at + first.size();
    Found found{static_cast<std::ptrdiff_t>(at), {}};
    switch (kind) {
        case Kind::contains:
            found.index = 0;
            add_ends(found.lengths, text.substr(end), end);
            break;
        case Kind::prefix: add_ends(found.lengths, text.substr(end), first.size()); break;
        case Kind::prefix_any: {
            auto rest = text.substr(end);
            if (auto const stop = index_any(rest, set); stop > -1)
                rest = rest.substr(0, static_cast<std::size_t>(stop));
            add_ends(found.lengths, rest, first.size());
            break;
        }
        case Kind::suffix: return at_byte(0, {end});
        case Kind::suffix_any: {
            auto const start = static_cast<std::size_t>(last_index_any(text.substr(0, at), set) + 1);
            return at_byte(start, {end - start});
        }
        default: {  // prefix_suffix
            auto rest = text.substr(at);
            if (second.empty()) return at_byte(at, {rest.size()});
            for (auto last = rest.rfind(second); last != rest.npos; last = rest.rfind(second)) {
                found.lengths.insert(found.lengths.begin(), last + second.size());
                rest = rest.substr(0, last);
            }
            if (found.lengths.empty()) return {};
        }
    }
    return found;
}

Found Matcher::find(std::string_view text, Looks& looks) const {
    looks.add(1 + text.size() * (1 + set.size() / 8));
    if (looks.spent()) return {};
    switch (kind) {
        case Kind::any: {
            auto const stop = index_any(text, set);
            Found found{0, {}};
            add_ends(found.lengths, stop == -1 ? text : text.substr(0, static_cast<std::size_t>(stop)), 0);
            return found;
        }
        case Kind::super: {
            Found found{0, {}};
            add_ends(found.lengths, text, 0);
            return found;
        }
        case Kind::any_of: return find_any_of(text, looks);
        case Kind::every_of: return find_every_of(text, looks);
        case Kind::tree: return {};
        case Kind::nothing: return at_byte(0, {0});
        case Kind::text: {
            auto const at = text.find(first);
            return at == text.npos ? Found{} : at_byte(at, {first.size()});
        }
        case Kind::single:
        case Kind::list:
        case Kind::range:
            for (std::size_t at = 0; at < text.size();) {
                auto const rune = rune_at(text, at);
                if (accepts(rune.value)) return at_byte(at, {rune.bytes});
                at += rune.bytes;
            }
            return {};
        case Kind::row:
            for (std::size_t at = 0; at < text.size(); at += rune_at(text, at).bytes) {
                if (text.size() - at < limit || looks.spent()) break;
                if (row_matches(text.substr(at), looks)) return at_byte(at, {limit});
            }
            return {};
        case Kind::max: {
            Found found{0, {0}};
            std::size_t count = 0;
            for (std::size_t at = 0; at < text.size() && ++count <= limit;) {
                at += rune_at(text, at).bytes;
                found.lengths.push_back(at);
            }
            return found;
        }
        case Kind::min: {
            if (text.size() + 1 <= limit) return {};
            Found found{0, {}};
            std::size_t count = 0;
            for (std::size_t at = 0; at < text.size();) {
                at += rune_at(text, at).bytes;
                if (++count >= limit) found.lengths.push_back(at);
            }
            return found.lengths.empty() ? Found{} : found;
        }
        default: return find_affix(text);
    }
}

}  // namespace holdfast::glob
