// modules/kube/item_splitter.cpp: counts braces outside strings.
#include "modules/kube/item_splitter.hpp"

namespace holdfast::kube {

static constexpr std::size_t kItemsDepth = 2;  // inside {"items":[

Result<void> ItemSplitter::feed(std::string_view piece) {
    for (char const c : piece) {
        auto taken = take(c);
        if (!taken) return fail(std::move(taken));
    }
    return {};
}

Result<void> ItemSplitter::keep(std::string& where, char c) {
    if (where.size() >= bytes_max_)
        return fail(Errc::limit, "an object of more than " + std::to_string(bytes_max_) + " bytes");
    where += c;
    return {};
}

Result<void> ItemSplitter::take(char c) {
    bool const inside_item = in_items_ && depth_ > kItemsDepth;
    if (in_string_) {
        if (escaped_) {
            escaped_ = false;
        } else if (c == '\\') {
            escaped_ = true;
        } else if (c == '"') {
            in_string_ = false;
        }
        if (depth_ == 1 && in_string_ && last_string_.size() < 64) last_string_ += c;
        return keep(inside_item ? item_ : rest_, c);
    }
    switch (c) {
        case '"':
            in_string_ = true;
            if (depth_ == 1) last_string_.clear();
            break;
        case ':':
            if (depth_ == 1) name_ = last_string_;
            break;
        case '{':
        case '[':
            began_ = true;
            ++depth_;
            if (in_items_ && depth_ == kItemsDepth + 1) {
                item_.assign(1, c);
                return {};
            }
            if (c == '[' && depth_ == kItemsDepth && name_ == "items") {
                in_items_ = true;
                return keep(rest_, c);
            }
            break;
        case '}':
        case ']':
            if (depth_ == 0) return fail(Errc::invalid_input, "list answer is not JSON");
            --depth_;
            if (in_items_ && depth_ == kItemsDepth) {
                auto kept = keep(item_, c);
                if (!kept) return fail(std::move(kept));
                auto passed = sink_(item_);
                item_.clear();
                if (item_.capacity() > (64u << 10)) item_.shrink_to_fit();
                return passed;
            }
            if (in_items_ && depth_ < kItemsDepth) {
                in_items_ = false;
                name_.clear();
            }
            break;
        default: break;
    }
    if (in_items_ && depth_ == kItemsDepth) return {};  // commas and space between items
    return keep(inside_item ? item_ : rest_, c);
}

}  // namespace holdfast::kube
