#!/usr/bin/env python3
"""What a writer of Flux objects may do, on a real API server: the mode that install chooses, the lock-down flags, the label selector.

Usage: modes_test.py HOLDFAST
"""
import json
import pathlib
import shutil
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


def flux_config(name, namespace, url, scope, *entries):
    return {"apiVersion": "clusterconfig.azure.com/v1alpha1", "kind": "FluxConfig", "metadata": {"name": name, "namespace": namespace},
            "spec": {"scope": scope, "sourceKind": "GitRepository", "gitRepository": {"url": url, "ref": {"branch": "main"}, "syncInterval": "5s"},
                     "kustomizations": [{"name": entry, "path": entry, "prune": True, "wait": False, "retryInterval": "5s"} for entry in entries]}}


def grant(name):
    """What a tenant would like to have."""
    return (f"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata:\n  name: {name}\nroleRef:\n"
            "  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: cluster-admin\nsubjects:\n"
            "- kind: ServiceAccount\n  name: default\n  namespace: team\n")


def scope_namespace(world):
    """A FluxConfig of scope namespace applies to its namespace and to nothing else, whatever its repository says, in mode flux, too."""
    plane = world.plane
    world.restart("mode: flux\n")
    repository = harness.Repository(world.git_root, "team")
    repository.write("own/cm.yaml", CONFIG_MAP.format(name="own", ns="team", value="one"))
    repository.write("own/deployment.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: own\n  namespace: team\nspec:\n  replicas: 0\n"
                     "  selector: {matchLabels: {app: own}}\n  template:\n    metadata: {labels: {app: own}}\n    spec:\n      containers:\n"
                     "      - {name: own, image: registry.example/own}\n")
    repository.write("foreign/cm.yaml", CONFIG_MAP.format(name="foreign", ns="platform", value="one"))
    repository.write("rights/grant.yaml", grant("tenant-is-admin"))
    repository.write("deep/grant.yaml", grant("tenant-is-admin-too"))
    # Flux objects that the repository brings along and that name no account.
    repository.write("nested/flux.yaml", json.dumps(kustomization("deep", "cfg", "./deep", namespace="team")))
    repository.write("configs/flux.yaml", json.dumps(flux_config("escape", "team", world.url("team"), "cluster", "deep")))
    repository.commit("all")
    plane.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}},
                flux_config("cfg", "team", world.url("team"), "namespace", "own", "foreign", "rights", "nested", "configs"))
    world.ready("cfg-own", "team", "ReconciliationSucceeded")
    assert plane.get("kustomization", "cfg-own", "team")["spec"]["serviceAccountName"] == "flux-applier"
    assert world.value("own", "team") == "one" and plane.get("deployment", "own", "team")
    world.ready("cfg-nested", "team", "ReconciliationSucceeded")
    for name in ("cfg-foreign", "cfg-rights", "deep", "cfg-configs"):
        found = world.ready(name, "team", "ReconciliationFailed")
        assert "system:serviceaccount:team:flux-applier" in found[2] and "forbidden" in found[2], found
    assert world.value("foreign", "platform") is None
    assert plane.get("fluxconfig", "escape", "team") is None
    for name in ("tenant-is-admin", "tenant-is-admin-too", "flux-applier-team"):
        assert plane.get("clusterrolebinding", name) is None, name
    # Neither are there rights by which these could be had.
    for answer, verb, what in (("yes", "create", "deployments.apps"), ("yes", "patch", "kustomizations.kustomize.toolkit.fluxcd.io"),
                               ("no", "create", "fluxconfigs.clusterconfig.azure.com"), ("no", "patch", "namespaces"),
                               ("no", "create", "clusterrolebindings"), ("no", "bind", "roles"), ("no", "escalate", "roles"),
                               ("no", "patch", "kustomizations.kustomize.toolkit.fluxcd.io --subresource=status")):
        said = plane.kubectl("auth", "can-i", verb, *what.split(), "-n", "team", "--as=system:serviceaccount:team:flux-applier", check=False)
        assert said.strip() == answer, (verb, what, said)
    # A daemon that knows nothing yet learns of the FluxConfigs before it applies anything.
    world.daemon.stop()
    shutil.rmtree(world.daemon.state)
    world.daemon.start()
    eventually(lambda: "flux-applier" in (world.daemon.kustomization("deep") or {"message": ""})["message"], 60, what="`deep` is held to the lock again")
    assert plane.get("clusterrolebinding", "tenant-is-admin-too") is None
    # A source of another namespace is nothing to it either, though this is mode flux.
    plane.apply(kustomization("peek", "shared", namespace="team", sourceRef={"kind": "GitRepository", "name": "shared", "namespace": "platform"}))
    world.ready("peek", "team", "AccessDenied")
    # Taken away by hand, the account is made again, and what it applied is repaired with it.
    plane.kubectl("delete", "serviceaccount", "flux-applier", "-n", "team")
    plane.kubectl("delete", "rolebinding", "flux-applier", "-n", "team")
    repository.write("own/cm.yaml", CONFIG_MAP.format(name="own", ns="team", value="two"))
    repository.commit("two")
    eventually(lambda: world.value("own", "team") == "two", 60, what="applied again")
    plane.kubectl("delete", "kustomization", "peek", "-n", "team", "--timeout=30s")
    plane.kubectl("delete", "fluxconfig", "cfg", "-n", "team", "--timeout=60s")
    assert world.value("own", "team") is None and plane.get("deployment", "own", "team") is None
    eventually(lambda: plane.get("serviceaccount", "flux-applier", "team") is None, 30, what="the account is gone")
    assert plane.names("rolebinding", "team") == []


def scope_cluster(world):
    """One of scope cluster acts as its account, too, which may do anything; with the configuration that goes. What was applied
    before there was an account stays as it is."""
    plane = world.plane
    world.restart("mode: flux\nmultiTenancy: {enforce: false}\n")
    plane.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "wide"}},
                flux_config("all", "wide", world.url("team"), "cluster", "foreign", "rights"))
    for entry in ("foreign", "rights"):
        world.ready(f"all-{entry}", "wide", "ReconciliationSucceeded")
    assert "serviceAccountName" not in plane.get("kustomization", "all-rights", "wide")["spec"]
    assert plane.get("serviceaccount", "flux-applier", "wide") is None
    before = plane.get("configmap", "foreign", "platform")
    world.restart("mode: flux\n")
    eventually(lambda: plane.get("kustomization", "all-rights", "wide")["spec"].get("serviceAccountName") == "flux-applier", 30, what="the account is named")
    for entry in ("foreign", "rights"):
        eventually(lambda entry=entry: (found := plane.get("kustomization", f"all-{entry}", "wide"))["status"]["observedGeneration"]
                   == found["metadata"]["generation"] and world.ready(f"all-{entry}", "wide", "ReconciliationSucceeded"), 30, what="as the account")
    after = plane.get("configmap", "foreign", "platform")
    assert (after["metadata"]["uid"], after["data"]) == (before["metadata"]["uid"], before["data"])
    assert world.value("foreign", "platform") == "one" and plane.get("clusterrolebinding", "tenant-is-admin")
    assert plane.get("clusterrolebinding", "flux-applier-wide")["roleRef"]["name"] == "cluster-admin"
    plane.kubectl("delete", "fluxconfig", "all", "-n", "wide", "--timeout=60s")
    assert world.value("foreign", "platform") is None and plane.get("clusterrolebinding", "tenant-is-admin") is None
    eventually(lambda: plane.get("clusterrolebinding", "flux-applier-wide") is None, 30, what="the binding is gone")


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


def one_kind_is_missing(world):
    """Definitions of an older release: what needs no OCIRepository goes on without it, what needs one says so; it comes with the definition."""
    plane = world.plane
    repository = harness.Repository(world.git_root, "older")
    repository.write("app/cm.yaml", CONFIG_MAP.format(name="older", ns="tenant", value="git"))
    repository.commit("one")
    world.daemon.stop()
    world.install()
    plane.kubectl("delete", "crd", "ocirepositories.source.toolkit.fluxcd.io")
    plane.apply(flux_config("older", "tenant", world.url("older"), "namespace", "app"),
                kustomization("image", "image", namespace="tenant", sourceRef={"kind": "OCIRepository", "name": "image"}))
    world.restart("")

    eventually(lambda: world.value("older", "tenant") == "git", 40, what="the FluxConfig is applied")
    found = eventually(lambda: plane.condition("kustomization", "image", "tenant"), 30, what="a status")
    assert found == ("False", "ArtifactFailed", 'OCIRepository.source.toolkit.fluxcd.io "image" not found: in namespace tenant'), found

    world.install()
    plane.apply({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "OCIRepository", "metadata": {"name": "image", "namespace": "tenant"},
                 "spec": {"url": "oci://127.0.0.1:1/image", "interval": "5s", "insecure": True}})
    eventually(lambda: plane.condition("ocirepository", "image", "tenant"), 60, what="it is acted upon")


if __name__ == "__main__":
    sys.exit(harness.run_in(World, [install_chooses, azure_by_choice, flux_by_choice, no_cross_namespace_refs, scope_namespace, scope_cluster,
                                    label_selector, one_kind_is_missing]))
