// daemon/worker_jobs.cpp: the table of jobs.
#include "daemon/worker_jobs.hpp"

#include "modules/base/json_text.hpp"

#include <array>

namespace holdfast::daemon {

namespace {

struct Job {
    std::string_view tag;
    Result<std::string> (*run)(int input_fd, boost::json::object const& request);
};
constexpr std::array kJobs{Job{"kustomize", render_job}, Job{"fetch", fetch_job}, Job{"image", image_job}};

}  // namespace

Result<std::string> run_worker_job(int input_fd, std::string_view request) {
    auto const parsed = parse_json(request);
    auto const* object = parsed ? parsed->if_object() : nullptr;
    auto const* tag = object == nullptr ? nullptr : object->if_contains(kJobTag);
    if (tag == nullptr || !tag->is_string()) return fail(Errc::invalid_input, "the request cannot be read");
    for (Job const& job : kJobs) {
        if (job.tag == std::string_view{tag->get_string()}) return job.run(input_fd, *object);
    }
    return fail(Errc::invalid_input, "no job is called \"" + std::string{tag->get_string()} + "\"");
}

}  // namespace holdfast::daemon
