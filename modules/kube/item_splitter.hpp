// modules/kube/item_splitter.hpp: cuts a list answer into its items while it arrives, so that only one is in memory.
// Pure.
#pragma once

#include "modules/base/error.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace holdfast::kube {

class ItemSplitter {
public:
    using Sink = std::function<Result<void>(std::string_view item)>;

    /// `bytes_max` bounds one item, and the rest of the document.
    ItemSplitter(std::size_t bytes_max, Sink sink) : bytes_max_(bytes_max), sink_(std::move(sink)) {}

    /// Errors  limit, or what the sink said
    Result<void> feed(std::string_view piece);

    /// The document without its items: kind, apiVersion, metadata.
    std::string const& rest() const { return rest_; }
    bool complete() const { return began_ && depth_ == 0; }

private:
    Result<void> take(char c);
    Result<void> keep(std::string& where, char c);

    std::size_t bytes_max_;
    Sink sink_;
    std::string rest_;
    std::string item_;
    std::string last_string_;  // at depth 1: a member's name, once a colon follows
    std::string name_;
    std::size_t depth_ = 0;
    bool began_ = false;
    bool in_string_ = false;
    bool escaped_ = false;
    bool in_items_ = false;
};

}  // namespace holdfast::kube
