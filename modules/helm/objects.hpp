// modules/helm/objects.hpp: the values a chart's templates start from: .Chart, .Files, .Release, .Capabilities, .Values.
#pragma once

#include "modules/helm/capabilities.hpp"
#include "modules/helm/instance.hpp"
#include "modules/text/gotemplate/value.hpp"

#include <string>

namespace holdfast::helm {

struct ReleaseOptions {
    std::string name = "release-name";
    std::string namespace_name = "default";
    std::int64_t revision = 1;
    bool is_upgrade = false;
};

extern gotemplate::Type const kValuesType;  // common.Values

gotemplate::Value release_value(ReleaseOptions const& options);
gotemplate::Value capabilities_value(Capabilities const& capabilities);
/// The chart's metadata under Go's field names, IsRoot not included.
gotemplate::Value metadata_value(Metadata const& metadata);
/// engine.files: a map of names to bytes with the methods Get, GetBytes, Glob, Lines, AsConfig and AsSecrets.
gotemplate::Value files_value(std::vector<File> const& files);

}  // namespace holdfast::helm
