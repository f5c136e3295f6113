// modules/kustomize/flux_generate.hpp: what Flux does to a directory before kustomize builds it.
// Pure. Source  fluxcd/pkg kustomize Generator.
#pragma once

#include "modules/kustomize/kustomize.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace holdfast::kustomize {

/// Builds `directory` as kustomize-controller does: without a kustomization file one is made of every .yaml and .yml
/// below (a directory that has its own is referenced as a directory), and the fields of a Flux Kustomization are
/// merged in. Load restrictions are off inside options.root, plugins are off.
///
/// In      fields   targetNamespace, namePrefix, nameSuffix, patches, components, ignoreMissingComponents, images,
///                  buildMetadata, as they stand in Kustomization.spec
///         options  `files` and `root` set
/// Out     no objects at all is a legal result
/// Errors  those of build(); invalid_input: a component that is no local path, a field of the wrong type
Result<Built> build_flux(std::string const& directory, boost::json::object const& fields, Options options);

}  // namespace holdfast::kustomize
