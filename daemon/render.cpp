// daemon/render.cpp: the daemon's side of a render: verified bytes in a sealed memory file, one job, JSON back.
#include "daemon/render.hpp"

#include "modules/base/on_pool.hpp"
#include "modules/kube/object.hpp"
#include "modules/sandbox/job.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace holdfast::daemon {

namespace {

namespace json = boost::json;

class Descriptor {
public:
    explicit Descriptor(int fd = -1) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }

private:
    int fd_;
};

/// What was verified is what the worker reads: a copy in memory that nobody can change any more.
Result<Descriptor> sealed_copy(std::string const& bytes) {
    Descriptor file{::memfd_create("holdfast-artifact", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
    if (file.get() < 0) return fail(Errc::limit, "render: no memory file");
    for (std::size_t done = 0; done < bytes.size();) {
        ssize_t const written = ::write(file.get(), bytes.data() + done, bytes.size() - done);
        if (written <= 0) return fail(Errc::limit, "render: no memory for the artifact");
        done += static_cast<std::size_t>(written);
    }
    ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
    ::lseek(file.get(), 0, SEEK_SET);
    return file;
}

Result<reconcile::Rendered> read_reply(std::string const& reply) {
    boost::system::error_code ec;
    json::value value = json::parse(reply, ec);
    if (ec || !value.is_object()) return fail(Errc::invalid_input, "the render worker's answer cannot be read");
    reconcile::Rendered rendered;
    rendered.digest = kube::find_string(value.get_object(), {"digest"});
    auto* objects = value.get_object().if_contains("objects");
    if (objects == nullptr || !objects->is_array()) return fail(Errc::invalid_input, "the render worker's answer cannot be read");
    for (json::value& object : objects->get_array()) {
        if (object.is_object()) rendered.objects.push_back(std::move(object.get_object()));
    }
    return rendered;
}

}  // namespace

WorkerRenderer::WorkerRenderer(asio::any_io_executor executor, asio::thread_pool& pool, source::ArtifactStore& store,
                               sandbox::Zygote& zygote, std::size_t jobs_max, std::uint64_t artifact_bytes_max)
    : pool_(pool), store_(store), zygote_(zygote), slots_(executor, jobs_max), artifact_bytes_max_(artifact_bytes_max) {}

Task<reconcile::Rendered> WorkerRenderer::render(model::Artifact artifact, model::KustomizationSpec spec) {
    auto lease = co_await slots_.take(std::chrono::minutes{10});
    if (!lease) co_return fail(std::move(lease), "render");
    auto read = [this, digest = artifact.digest]() -> Result<Descriptor> {
        auto bytes = store_.read(digest, artifact_bytes_max_);
        if (!bytes) return fail(std::move(bytes), "artifact");
        return sealed_copy(*bytes);
    };
    auto input = co_await on_pool(pool_, std::move(read));
    if (!input) co_return fail(std::move(input));
    json::object fields = std::move(spec.kustomize);
    if (!spec.target_namespace.empty()) fields["targetNamespace"] = spec.target_namespace;
    json::object request{{"path", spec.path}, {"fields", std::move(fields)}};
    std::string text = json::serialize(request);
    auto reply = co_await sandbox::run_job(zygote_, input->get(), std::move(text));
    if (!reply) co_return fail(std::move(reply));
    co_return read_reply(*reply);
}

}  // namespace holdfast::daemon
