// daemon/worker_jobs.hpp: what a worker can be asked for, by tag.
#pragma once

#include "modules/base/error.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace holdfast::daemon {

/// The member of a request that names its job.
inline constexpr std::string_view kJobTag = "job";

/// The whole work of one job: reads the request, finds the job by its tag, answers. Runs inside the worker.
/// Errors  invalid_input  no request, or a tag nobody knows; else what the job says
Result<std::string> run_worker_job(int input_fd, std::string_view request);

/// "kustomize": the artifact and what was fetched on `input_fd`, the spec in `request`; the reply holds kustomize's
/// objects, or the list of what has to be fetched first.
Result<std::string> render_job(int input_fd, boost::json::object const& request);

/// "fetch": one commit of a Git repository, given away piece by piece (sandbox/outside.hpp); the reply says what it is.
Result<std::string> fetch_job(int folder_fd, boost::json::object const& request);

/// "image": one layer of an OCI artifact, in the same way.
Result<std::string> image_job(int folder_fd, boost::json::object const& request);

}  // namespace holdfast::daemon
