// modules/kustomize/plugins.hpp: builtin generators and transformers that are configured by an object of their own.
#pragma once

#include "modules/base/error.hpp"
#include "modules/kustomize/loader.hpp"
#include "modules/kustomize/resource.hpp"
#include "modules/kustomize/transformers.hpp"

namespace holdfast::kustomize {

/// Errors  denied  an exec or container function: they are never run
Result<Generate> make_generator(Context& context, Loader const& loader, Resource const& config);
Result<Transform> make_transformer(Context& context, Loader const& loader, Resource const& config);

/// One helmCharts entry.
Result<Generate> make_chart(Context& context, Loader const& loader, HelmGlobals const& globals, HelmChart chart);

/// The GKE workload identity service account.
Result<Generate> make_iam_policy(Context& context, boost::json::value const& config);

}  // namespace holdfast::kustomize
