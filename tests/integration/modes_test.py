#!/usr/bin/env python3
"""What a writer of Flux objects may do, on a real API server: the mode that install chooses, the lock-down flags, the label selector.

Usage: modes_test.py HOLDFAST
"""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
from git_http import GitHttpServer  # noqa: E402
from harness import eventually, git_repository, kustomization  # noqa: E402

HOLDFAST = pathlib.Path(sys.argv[1]).resolve()
DEFINITION = "fluxconfigs.clusterconfig.azure.com"
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: {ns}\ndata:\n  key: {value}\n"
BLOCKED = "can't access 'GitRepository/platform/shared', cross-namespace references have been blocked"


class World:
    """One control plane and one Git server; the daemon is started anew with what a test is about."""

    def __init__(self, work):
        self.plane = harness.ControlPlane(work / "plane")
        self.git_root = work / "git"
        self.git_root.mkdir()
        self.git = GitHttpServer(str(self.git_root))
        self.git.start()
        self.daemon = harness.Daemon(HOLDFAST, work / "daemon", self.plane.kubeconfig)
        self.plane.apply(*({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in ("platform", "tenant")))

    def url(self, name):
        return f"{self.git.url.rstrip('/')}/{name}.git"

    def install(self, *flags):
        done = subprocess.run([str(HOLDFAST), "install", "--kubeconfig", self.plane.kubeconfig, *flags], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()[-1]

    def restart(self, config):
        self.daemon.stop()
        self.daemon.config.write_text(config + "network: {allow: [127.0.0.0/8]}\n", encoding="utf-8")
        self.daemon.start()

    def stop(self):
        self.daemon.stop()
        self.git.stop()
        self.plane.stop()

    def ready(self, name, namespace, wanted):
        """`wanted` is the reason of Ready."""
        return eventually(lambda: (found := self.plane.condition("kustomization", name, namespace)) and found[1] == wanted and found, 60,
                          what=f"{namespace}/{name} {wanted}: {self.plane.condition('kustomization', name, namespace)}")

    def value(self, name, namespace):
        found = self.plane.get("configmap", name, namespace)
        return found and found["data"]["key"]


def install_chooses(world):
    """azure where nothing of Flux is; what was chosen stays; flux where Flux's definitions were first."""
    plane = world.plane

    def kept():
        return plane.get("crd", DEFINITION)["metadata"].get("annotations", {}).get("holdfast/mode")
    assert world.install() == "mode azure, for nothing of Flux is there"
    assert kept() == "azure"
    assert world.install() == "mode azure, for it was chosen before"
    assert world.install("--mode", "flux") == "mode flux, for it was asked for"
    assert kept() == "flux"
    plane.kubectl("delete", "crd", DEFINITION)
    assert world.install() == "mode flux, for definitions of Flux are there"
    assert world.install("--mode", "azure") == "mode azure, for it was asked for"
    # A daemon that installs the definitions itself changes nothing about it.
    world.restart("install_crds: true\n")
    eventually(lambda: world.daemon.status()["cluster"]["reachable"], 30, what="cluster reachable")
    assert kept() == "azure"


def azure_by_choice(world):
    """The daemon holds to what was chosen: no source of another namespace."""
    repository = harness.Repository(world.git_root, "shared")
    repository.write("cm.yaml", CONFIG_MAP.format(name="of-web", ns="tenant", value="one"))
    repository.commit("one")
    world.plane.apply(git_repository("shared", world.url("shared"), "platform", interval="5s"),
                      kustomization("web", "shared", namespace="tenant",
                                    sourceRef={"kind": "GitRepository", "name": "shared", "namespace": "platform"}))
    found = world.ready("web", "tenant", "AccessDenied")
    assert found == ("False", "AccessDenied", BLOCKED), found
    assert world.plane.condition("kustomization", "web", "tenant", "Stalled") == ("True", "AccessDenied", BLOCKED)
    assert world.value("of-web", "tenant") is None


def flux_by_choice(world):
    """Chosen anew, the other mode holds from the next start on."""
    world.install("--mode", "flux")
    world.restart("")
    world.ready("web", "tenant", "ReconciliationSucceeded")
    assert world.value("of-web", "tenant") == "one"


def no_cross_namespace_refs(world):
    """Under the flag nothing comes from another namespace any more; what came stays, and no change of the source shows."""
    world.restart("no_cross_namespace_refs: true\n")
    found = world.ready("web", "tenant", "AccessDenied")
    assert found[2] == BLOCKED, found
    assert world.value("of-web", "tenant") == "one"
    before = world.plane.get("kustomization", "web", "tenant")["status"]
    repository = world.git_root / "shared.tree"
    (repository / "cm.yaml").write_text(CONFIG_MAP.format(name="of-web", ns="tenant", value="two"), encoding="utf-8")
    git = harness.Repository.GIT
    subprocess.run(git + ["commit", "-qam", "two"], cwd=repository, check=True)
    subprocess.run(git + ["push", "-q", "origin", "HEAD:main"], cwd=repository, check=True)
    head = subprocess.run(git + ["rev-parse", "HEAD"], cwd=repository, check=True, capture_output=True, text=True).stdout.strip()
    eventually(lambda: head in world.plane.get("gitrepository", "shared", "platform")["status"]["artifact"]["revision"], 30, what="fetched")
    # One of the source's own namespace is served: all that the commit wakes has been woken.
    world.plane.apply(kustomization("near", "shared", namespace="platform"))
    world.ready("near", "platform", "ReconciliationSucceeded")
    assert world.value("of-web", "tenant") == "two"  # by `near`
    assert world.plane.get("kustomization", "web", "tenant")["status"] == before
    world.plane.kubectl("delete", "kustomization", "near", "-n", "platform", "--timeout=30s")
    world.plane.kubectl("delete", "kustomization", "web", "-n", "tenant", "--timeout=30s")


def label_selector(world):
    """What has not the label is as if it were not there; what loses it leaves as it is, and comes back with its inventory."""
    plane = world.plane
    repository = harness.Repository(world.git_root, "labels")
    for name in ("one", "two"):
        repository.write(f"{name}.yaml", CONFIG_MAP.format(name=name, ns="tenant", value="git"))
    repository.commit("both")
    world.restart("watch_label_selector: shard in (a, b)\n")
    mine, other = git_repository("labels", world.url("labels"), "tenant"), git_repository("unseen", world.url("labels"), "tenant")
    mine["metadata"]["labels"] = {"shard": "a"}
    seen, unseen = kustomization("seen", "labels", namespace="tenant"), kustomization("unseen", "labels", namespace="tenant")
    seen["metadata"]["labels"] = {"shard": "b"}
    unseen["metadata"]["labels"] = {"shard": "c"}
    plane.apply(mine, other, unseen, seen)
    world.ready("seen", "tenant", "ReconciliationSucceeded")
    assert world.value("one", "tenant") == "git"
    for kind in ("kustomization", "gitrepository"):
        there = plane.get(kind, "unseen", "tenant")
        assert "finalizers" not in there["metadata"] and not there.get("status", {}).get("conditions"), there
    assert world.daemon.kustomization("unseen") is None

    plane.kubectl("label", "kustomization", "seen", "-n", "tenant", "shard-")
    eventually(lambda: world.daemon.kustomization("seen") is None, 20, what="it left")
    assert plane.get("kustomization", "seen", "tenant")["metadata"]["finalizers"] == ["finalizers.fluxcd.io"]
    assert world.value("one", "tenant") == "git" and world.value("two", "tenant") == "git"

    repository.remove("two.yaml")
    repository.commit("one is left")
    plane.kubectl("label", "kustomization", "seen", "-n", "tenant", "shard=a")
    eventually(lambda: world.value("two", "tenant") is None, 40, what="pruned, for the inventory came back")
    assert world.value("one", "tenant") == "git"


if __name__ == "__main__":
    sys.exit(harness.run_in(World, [install_chooses, azure_by_choice, flux_by_choice, no_cross_namespace_refs, label_selector]))
