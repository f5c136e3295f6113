// modules/source/upstream/oci.hpp: what an OCIRepository fetches: one layer of an artifact.
#pragma once

#include "modules/source/image.hpp"
#include "modules/source/upstream.hpp"

#include <boost/asio/thread_pool.hpp>

#include <filesystem>
#include <stop_token>

namespace holdfast::source {

class OciUpstream final : public Upstream {
public:
    struct Settings {
        std::filesystem::path scratch;
        std::uint64_t wire_bytes_max = 256u << 20;
        http::Reach reach{};
    };

    /// `pool` runs `fetch` and outlives this object; `stop` ends what runs there.
    OciUpstream(asio::thread_pool& pool, Settings settings, std::stop_token stop, FetchImage fetch = fetch_image)
        : pool_(pool), settings_(std::move(settings)), stop_(std::move(stop)), fetch_(std::move(fetch)) {}

    Wish read(model::Spec const& spec) const override;
    /// The same manifest is, but a layer of it is chosen by the wish.
    bool is_universal() const override { return false; }
    std::optional<Refusal> refuses(model::Spec const& spec) const override;
    asio::awaitable<Answer> fetch(Request request) override;
    std::string_view unanswered() const override { return "OCIArtifactPullFailed"; }
    std::string_view step() const override { return "failed to determine artifact digest"; }

private:
    Answer fetch_now(Request const& request) const;

    asio::thread_pool& pool_;
    Settings settings_;
    std::stop_token stop_;
    FetchImage fetch_;
};

}  // namespace holdfast::source
