// modules/fluxconfig/fluxconfig.hpp: the story of a FluxConfig: generate, keep true, sum up, and take away again.
#pragma once

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

class FluxConfigs {
public:
    /// `children`: the Flux objects that a Kustomization has applied.
    FluxConfigs(story::Ports ports, std::function<std::vector<Child>(model::Key const&)> children);

    /// What the journal keeps for this story; call for each FluxConfig before the first pass.
    void load(model::JournalEntry const& entry);

    /// One pass: also called when anything generated changes. Never two at once for the same key.
    asio::awaitable<story::Next> reconcile(model::Key key);

private:
    /// Generation of each generated object after our last apply: another one means that somebody changed it.
    struct Made {
        std::uint64_t wished = 0;
        std::int64_t generation = 0;
    };
    using Facts = std::map<model::Key, Made>;

    Task<void> make(model::Key config, boost::json::object object);
    Task<void> unmake(model::Key config, model::Key object);
    Task<void> generate_all(model::Key config, model::FluxConfigSpec const& spec);
    asio::awaitable<story::Next> finalize(model::Key config);
    void sum_up(model::Entry& entry, std::string const& problem);
    model::ComplianceRecord configuration_record(model::Entry const& entry) const;
    std::vector<model::Key> generated(model::Key const& config) const;
    std::string facts_text(model::Key const& config) const;

    story::Ports ports_;
    std::function<std::vector<Child>(model::Key const&)> children_;
    std::map<model::Key, Facts> facts_;
};

}  // namespace holdfast::fluxconfig
