// tests/integration/control_plane.hpp: a real etcd, kube-apiserver and kube-controller-manager for one test program.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace holdfast::test {

/// Runs `controlplane up` (tests/controlplane) in a folder of its own; stops it at the end of its life.
class ControlPlane {
public:
    /// `binary` as in HOLDFAST_CONTROLPLANE. Throws std::runtime_error when it does not come up.
    explicit ControlPlane(std::filesystem::path const& binary, std::vector<std::string> options = {});
    ~ControlPlane();
    ControlPlane(ControlPlane const&) = delete;
    ControlPlane& operator=(ControlPlane const&) = delete;

    std::filesystem::path const& kubeconfig() const { return kubeconfig_; }

    /// "stop apiserver", "start apiserver", "kill etcd", ... Out  its answer, "ok" when it went well
    std::string command(std::string const& words);

private:
    std::string read_line();

    std::filesystem::path folder_;
    std::filesystem::path kubeconfig_;
    pid_t pid_ = -1;
    int to_child_ = -1;
    int from_child_ = -1;
};

/// HOLDFAST_CONTROLPLANE, or nothing: then the test is skipped. A folder means the binary `controlplane` in it.
std::filesystem::path control_plane_binary();

}  // namespace holdfast::test
