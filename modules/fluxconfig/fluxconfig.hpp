// modules/fluxconfig/fluxconfig.hpp: the story of a FluxConfig: generate, keep true, sum up, and take away again.
#pragma once

#include "modules/base/backoff.hpp"
#include "modules/story/story.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace holdfast::fluxconfig {

/// A Flux object that a Kustomization applied, such as a HelmRelease; it counts for the configuration's state.
struct Child {
    std::string kind;
    std::string ns;
    std::string name;
    model::Truth ready = model::Truth::unknown;
};

class FluxConfigs final : public story::Story {
public:
    struct Settings {
        bool multi_tenancy = true;                     // multiTenancy.enforce
        std::vector<std::string> carried_labels = {};  // by which objects are watched: what is made has them, too
    };

    /// `children`: the Flux objects that a Kustomization has applied.
    FluxConfigs(story::Ports ports, std::function<std::vector<Child>(model::Key const&)> children, Settings settings);

    void load(model::JournalEntry const& row) override;
    /// Also called when anything generated changes.
    asio::awaitable<story::Outcome> reconcile(model::Entry entry) override;
    asio::awaitable<story::Outcome> finalize(model::Entry entry) override;
    void forget(model::Key const& key) override;
    model::ComplianceRecord record(model::Entry const& entry) const override;

private:
    /// Generation of each generated object after our last apply: another one means that somebody changed it.
    struct Made {
        std::uint64_t wished = 0;
        std::int64_t generation = 0;
    };
    struct State {
        std::map<model::Key, Made> made = {};
        std::uint64_t account = 0;  // digest of the account and the bindings that we made last; 0: none
        Backoff retry{BackoffPolicy{.delay_min = std::chrono::milliseconds{10'000},
                                    .delay_max = std::chrono::milliseconds{300'000}}};
    };

    Task<void> generate_all(model::Entry const& config);
    Task<void> see_to_account(model::Entry const& config);
    Task<void> let_go_of_account(model::Entry const& config);
    bool has_failing_part(model::Key const& config) const;
    Task<void> make(model::Entry const& config, boost::json::object object);
    Task<void> unmake(model::Entry const& config, model::Key object);
    struct Summary {
        model::Compliance state;
        std::string blame = {};  // the first of what it made that failed, and its words
    };
    Summary sum_up(model::Entry const& entry, model::FluxConfigStatus& said) const;
    story::Outcome say(model::Entry const& entry, story::Outcome outcome, Summary const& summary) const;
    story::Outcome fail_with(model::Entry const& entry, story::Outcome outcome, story::Stop why) const;
    std::string facts_text(model::Key const& config) const;

    story::Ports ports_;
    std::function<std::vector<Child>(model::Key const&)> children_;
    Settings settings_;
    std::map<model::Key, State> states_;
};

}  // namespace holdfast::fluxconfig
