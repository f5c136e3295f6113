// modules/story/passes.hpp: one pass around any story: a copy of the object in, an outcome out, and no bug of a story ends more
// than its pass.
#pragma once

#include "modules/base/backoff.hpp"
#include "modules/story/story.hpp"

#include <array>
#include <map>
#include <optional>
#include <string>

namespace holdfast::story {

class Passes {
public:
    /// One story a kind, by its number; all outlive this object.
    using Stories = std::array<Story*, model::kKinds.size()>;

    Passes(Ports ports, Stories stories) : ports_(ports), stories_(stories) {}

    /// One pass. Never two at once for the same key. Whatever happens inside, exactly one outcome is concluded.
    asio::awaitable<Next> run(model::Key key);

    Story& of(model::Kind kind) const { return *stories_[static_cast<std::size_t>(kind)]; }

    /// Passes that ended in an exception: bugs.
    std::uint64_t crashes() const { return crashes_; }

private:
    asio::awaitable<Outcome> pass(Story& story, model::Entry entry);
    model::Duration retry_of(model::Key const& key);

    /// A deletion that failed, or a pass that could not begin or crashed, is not tried before its time, whoever wakes it,
    /// unless somebody wishes something else.
    struct Hold {
        std::chrono::nanoseconds until{};
        std::uint64_t spec_digest = 0;
        std::string requested_at;
        bool leaving = false;
    };
    std::optional<model::Duration> held(model::Entry const& entry) const;
    void hold(model::Entry const& entry, Next const& next);

    Ports ports_;
    Stories stories_;
    std::map<model::Key, Backoff> backoffs_;  // of objects whose pass could not even begin, or crashed
    std::map<model::Key, Hold> holds_;
    std::uint64_t crashes_ = 0;
};

}  // namespace holdfast::story
