// daemon/cli/chart_bridge.hpp: kustomize's helmCharts, rendered by our Helm engine.
#pragma once

#include "modules/kustomize/kustomize.hpp"

namespace holdfast::daemon {

/// Fills kustomize::Options::render_chart: what `helm template` prints for the chart.
/// Errors  not_found  the chart is not in the tree; nothing is fetched
///         invalid_input  Helm's message
Result<std::string> render_chart(kustomize::HelmRequest const& request);

}  // namespace holdfast::daemon
