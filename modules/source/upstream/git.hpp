// modules/source/upstream/git.hpp: what a GitRepository fetches: the files of one commit.
#pragma once

#include "modules/source/commit.hpp"
#include "modules/source/upstream.hpp"

#include <boost/asio/thread_pool.hpp>

#include <filesystem>
#include <functional>
#include <stop_token>

namespace holdfast::source {

class GitUpstream final : public Upstream {
public:
    struct Settings {
        std::filesystem::path scratch;
        std::uint64_t wire_bytes_max = 256u << 20;
        http::Reach reach{};
    };

    /// `pool` runs `fetch` and outlives this object; `stop` ends what runs there.
    GitUpstream(asio::thread_pool& pool, Settings settings, std::stop_token stop, FetchCommit fetch = fetch_commit)
        : pool_(pool), settings_(std::move(settings)), stop_(std::move(stop)), fetch_(std::move(fetch)) {}

    Wish read(model::Spec const& spec) const override;
    bool is_universal() const override { return true; }
    std::optional<Refusal> refuses(model::Spec const& spec) const override;
    asio::awaitable<Answer> fetch(Request request) override;
    std::string_view unanswered() const override { return "GitOperationFailed"; }
    std::string_view step() const override { return "failed to checkout and determine revision"; }

private:
    Answer fetch_now(Request const& request) const;

    asio::thread_pool& pool_;
    Settings settings_;
    std::stop_token stop_;
    FetchCommit fetch_;
};

}  // namespace holdfast::source
