#!/usr/bin/env python3
"""The main job on a real API server: commits become objects, drift is repaired, what is gone from Git is pruned.

Issue 3, proofs 1 to 4. Usage: main_job_test.py HOLDFAST
"""
import json
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
from git_http import GitHttpServer  # noqa: E402
from harness import eventually, git_repository, kustomization  # noqa: E402

HOLDFAST = pathlib.Path(sys.argv[1]).resolve()
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: {ns}\ndata:\n  key: {value}\n"


class World:
    """One control plane, one Git server and one daemon for all tests of this file."""

    def __init__(self, work):
        self.work = work
        self.plane = harness.ControlPlane(work / "plane", nodes=1)
        self.git_root = work / "git"
        self.git_root.mkdir()
        self.serve_git(0)
        self.daemon = harness.Daemon(HOLDFAST, work / "daemon", self.plane.kubeconfig, "install_crds: true\n")
        self.daemon.start()
        eventually(lambda: self.plane.get("crd", "fluxconfigs.clusterconfig.azure.com"), 30, what="CRDs")

    def serve_git(self, port):
        self.git = GitHttpServer(str(self.git_root), port=port)
        self.git.start()

    def url(self, name):
        return f"{self.git.url.rstrip('/')}/{name}.git"

    def stop(self):
        self.daemon.stop()
        self.git.stop()
        self.plane.stop()

    def ready(self, kind, name, namespace, within_s=60):
        return eventually(lambda: (self.plane.condition(kind, name, namespace) or [""])[0] == "True", within_s,
                          what=f"{kind}/{namespace}/{name} Ready: {self.plane.condition(kind, name, namespace)}")


def tutorial(world):
    """Proof 1: the tutorial's repository through a FluxConfig."""
    data = harness.SHARED_DATA / "tutorial" / "gitops"
    if not data.exists():
        print("skipped: tutorial: no shared data on this machine")
        return
    plane = world.plane
    repository = harness.Repository(world.git_root, "tutorial")
    repository.copy(data)
    repository.commit("the tutorial")
    plane.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "cluster-config"}},
                {"apiVersion": "clusterconfig.azure.com/v1alpha1", "kind": "FluxConfig",
                 "metadata": {"name": "cluster-config", "namespace": "cluster-config"},
                 "spec": {"scope": "cluster", "sourceKind": "GitRepository",
                          "gitRepository": {"url": world.url("tutorial"), "ref": {"branch": "main"}, "syncInterval": "5s"},
                          "kustomizations": [
                              {"name": "infra", "path": "./infrastructure", "prune": True, "wait": False, "syncInterval": "1m"},
                              {"name": "apps", "path": "./apps/staging", "prune": True, "wait": False, "syncInterval": "1m",
                               "dependsOn": ["infra"]}]}})
    world.ready("kustomization", "cluster-config-infra", "cluster-config")
    world.ready("kustomization", "cluster-config-apps", "cluster-config")
    infra = plane.get("kustomization", "cluster-config-infra", "cluster-config")
    apps = plane.get("kustomization", "cluster-config-apps", "cluster-config")
    entries = [entry["id"] for entry in infra["status"]["inventory"]["entries"]]
    assert len(entries) == 8, entries
    assert len(apps["status"]["inventory"]["entries"]) == 2
    assert infra["metadata"]["labels"]["clusterconfig.azure.com/is-managed"] == "true"
    assert apps["spec"]["dependsOn"] == [{"name": "cluster-config-infra"}]
    # apps strictly after infra
    when = lambda k: plane.get(*k)["metadata"]["creationTimestamp"]
    assert when(("ns", "podinfo")) >= when(("ns", "redis"))
    # the generated name inside the HelmRelease
    values = [name for name in plane.names("configmap", "cluster-config") if name.startswith("redis-values-")]
    release = plane.get("helmrelease", "redis", "cluster-config")
    assert len(values) == 1 and release["spec"]["valuesFrom"][0]["name"] == values[0], (values, release["spec"])
    assert sorted(plane.names("helmrepository", "cluster-config")) == ["bitnami", "ingress-nginx", "podinfo"]
    table = plane.kubectl("get", "gitrepositories,kustomizations", "-A")
    assert "URL" in table and "READY" in table and "STATUS" in table and "Applied revision: main@sha1:" in table, table
    assert "stored artifact for revision 'main@sha1:" in table, table
    # a commit that removes a file prunes its objects
    repository.write("infrastructure/kustomization.yaml", "resources:\n  - sources\n  - redis\n")
    repository.commit("no nginx")
    eventually(lambda: plane.get("helmrelease", "nginx", "cluster-config") is None, 40, what="nginx pruned")
    assert plane.get("helmrelease", "redis", "cluster-config")
    # deleting the FluxConfig prunes everything it made
    plane.kubectl("delete", "fluxconfig", "cluster-config", "-n", "cluster-config", "--timeout=60s")
    for kind in ("gitrepository", "kustomization", "helmrelease", "helmrepository"):
        assert plane.names(kind, "cluster-config") == [], kind
    eventually(lambda: plane.get("ns", "redis") is None, 40, what="namespace gone")


def workloads(world):
    """Proof 2: real workloads become Ready through real health."""
    plane = world.plane
    repository = harness.Repository(world.git_root, "examples")
    repository.copy(harness.ROOT / "config" / "examples")
    if (harness.SHARED_DATA / "podinfo-kustomize").exists():
        repository.copy(harness.SHARED_DATA / "podinfo-kustomize", "podinfo")
    repository.write("podinfo/kustomization.yaml", "resources: [deployment.yaml, service.yaml]\n")
    if not (repository.tree / "podinfo" / "deployment.yaml").exists():
        repository.write("podinfo/kustomization.yaml", "resources: []\n")
    repository.commit("examples")
    plane.apply(git_repository("examples", world.url("examples")),
                kustomization("infra", "examples", "./infrastructure", wait=True),
                kustomization("apps", "examples", "./apps/production", wait=True, timeout="1m",
                              dependsOn=[{"name": "infra"}]),
                kustomization("podinfo", "examples", "./podinfo", wait=True, timeout="1m", targetNamespace="default"))
    for name in ("infra", "apps", "podinfo"):
        world.ready("kustomization", name, "default", 90)
    till = plane.get("deployment", "till", "shop")
    assert till["status"]["readyReplicas"] == 3, till["status"]
    assert till["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/name"] == "apps"
    healthy = plane.condition("kustomization", "apps", "default", "Healthy")
    assert healthy and healthy[0] == "True" and healthy[2].startswith("Health check passed in "), healthy


def drift(world):
    """Proof 3: a changed field and a deleted object are back in seconds, and it is known who did it."""
    plane = world.plane
    plane.kubectl("scale", "deployment", "till", "-n", "shop", "--replicas=1")
    started = time.monotonic()
    eventually(lambda: plane.get("deployment", "till", "shop")["spec"]["replicas"] == 3, 10, what="replicas restored")
    plane.kubectl("delete", "service", "till", "-n", "shop")
    eventually(lambda: plane.get("service", "till", "shop"), 10, what="service restored")
    plane.kubectl("label", "serviceaccount", "till", "-n", "shop", "kustomize.toolkit.fluxcd.io/name-")
    eventually(lambda: "kustomize.toolkit.fluxcd.io/name" in plane.get("serviceaccount", "till", "shop")["metadata"]["labels"],
               10, what="owner label restored")
    took = time.monotonic() - started
    assert took < 20, took
    drifts = world.daemon.status()["drifts"]
    changed = [one for one in drifts if one["object"] == "Deployment/shop/till"]
    assert changed and changed[0]["manager"].startswith("kubectl"), drifts
    assert any(one["object"] == "Service/shop/till" and one["what"] == "deleted" for one in drifts), drifts
    lines = [line for line in world.daemon.log_lines() if line["msg"] == "drift seen"]
    assert any(line.get("object") == "Deployment/shop/till" and "kubectl" in line.get("manager", "") for line in lines), lines


def no_op(world):
    """An unchanged interval and a restart write nothing and read nothing but the watches' lists."""
    eventually(lambda: world.daemon.status()["complianceState"] == "Compliant", 30, what="compliant")
    time.sleep(2)
    before = world.daemon.status()["requests"]
    time.sleep(12)  # two intervals of each source
    after = world.daemon.status()["requests"]
    grown = {verb: after[verb] - before[verb] for verb in after if after[verb] != before[verb] and verb != "watch"}
    assert grown == {}, grown


def requested_at(world):
    """`flux reconcile` writes requestedAt and waits for it in the status."""
    plane = world.plane
    stamp = "2026-11-25T00:00:00.000000001Z"
    plane.kubectl("annotate", "kustomization", "infra", f"reconcile.fluxcd.io/requestedAt={stamp}", "--overwrite")
    eventually(lambda: plane.get("kustomization", "infra", "default")["status"].get("lastHandledReconcileAt") == stamp, 15,
               what="requestedAt handled")


def suspend(world):
    """A suspended Kustomization repairs nothing; resumed, it does."""
    plane = world.plane
    plane.kubectl("patch", "kustomization", "apps", "--type=merge", "-p", '{"spec":{"suspend":true}}')
    eventually(lambda: world.daemon.kustomization("apps")["suspended"], 10, what="suspended")
    plane.kubectl("delete", "service", "till", "-n", "shop")
    time.sleep(3)
    assert plane.get("service", "till", "shop") is None
    plane.kubectl("patch", "kustomization", "apps", "--type=merge", "-p", '{"spec":{"suspend":false}}')
    eventually(lambda: plane.get("service", "till", "shop"), 15, what="service back")


def offline(world):
    """Proof 4: without Git, through kill -9, from the cache; and without the API server."""
    plane, daemon = world.plane, world.daemon
    port = world.git.httpd.server_port
    world.git.stop()
    eventually(lambda: any("FetchFailed" in json.dumps(plane.get("gitrepository", "examples", "default")["status"]) for _ in [0]),
               40, what="the source says that it could not look")
    daemon.kill()
    daemon.start()
    eventually(lambda: daemon.status()["cluster"]["reachable"], 20, what="cluster reachable")
    source = [one for one in daemon.status()["sources"] if one["name"] == "examples"][0]
    assert source["complianceState"] == "Compliant" and source["checkedAgeSeconds"] is not None, source
    plane.kubectl("delete", "service", "till", "-n", "shop")
    eventually(lambda: plane.get("service", "till", "shop"), 15, what="repaired offline")
    waiting = daemon.status()["outbox"]["waiting"]
    assert waiting > 0
    objects = sum(one["objects"] for one in daemon.status()["kustomizations"])
    plane.command("stop apiserver")
    eventually(lambda: not daemon.status()["cluster"]["reachable"], 60, what="API server seen down")
    text, code = daemon.table()
    assert "NOT REACHABLE" in text and code in (0, 1, 2), text
    plane.command("start apiserver")
    eventually(lambda: daemon.status()["cluster"]["reachable"], 60, what="API server seen up")
    assert sum(one["objects"] for one in daemon.status()["kustomizations"]) == objects
    assert plane.get("deployment", "till", "shop") and plane.get("ns", "shop")
    world.serve_git(port)


def endpoint(world):
    """The pages answer, and SIGTERM ends the daemon in two seconds."""
    assert world.daemon.fetch("/healthz") == "ok\n"
    assert world.daemon.fetch("/readyz") == "ok\n"
    assert "holdfast_outbox_records" in world.daemon.fetch("/metrics")
    page = world.daemon.fetch("/")
    assert "<script" not in page and len(page) < 50_000
    assert "default" in page and ">apps<" in page.replace("\n", ""), page[:2000]
    took = world.daemon.stop()
    assert took <= 2.2, took
    world.daemon.start()


def former_manager(world):
    """What an earlier version of Holdfast called itself in the managed fields is taken off; what it wrote stays."""
    plane = world.plane
    plane.kubectl("annotate", "kustomization", "apps", "reconcile.fluxcd.io/requestedAt=former", "--overwrite", "--field-manager=kustomize-controller")

    def updaters():
        live = plane.kubectl("get", "kustomization", "apps", "--show-managed-fields", "-o", "json")
        return {one["manager"] for one in json.loads(live)["metadata"]["managedFields"] if one["operation"] == "Update"}
    eventually(lambda: plane.get("kustomization", "apps", "default")["status"].get("lastHandledReconcileAt") == "former", 20, what="handled")
    eventually(lambda: "kustomize-controller" not in updaters(), 10, what="the former manager is gone")
    assert plane.get("kustomization", "apps", "default")["metadata"]["annotations"]["reconcile.fluxcd.io/requestedAt"] == "former"


def delete_orphan(world):
    """deletionPolicy: Orphan leaves what was applied; the default with prune takes it away."""
    plane = world.plane
    plane.kubectl("patch", "kustomization", "podinfo", "--type=merge", "-p", '{"spec":{"deletionPolicy":"Orphan"}}')
    eventually(lambda: plane.condition("kustomization", "podinfo", "default")[0] == "True", 20, what="still ready")
    time.sleep(1)
    plane.kubectl("delete", "kustomization", "podinfo", "--timeout=30s")
    plane.kubectl("delete", "kustomization", "apps", "--timeout=30s")
    eventually(lambda: plane.get("deployment", "till", "shop") is None, 20, what="till pruned")
    if (harness.SHARED_DATA / "podinfo-kustomize").exists():
        assert plane.get("deployment", "podinfo", "default"), "orphaned object was deleted"


if __name__ == "__main__":
    sys.exit(harness.run_in(World, [tutorial, workloads, drift, no_op, requested_at, suspend, offline, endpoint, former_manager, delete_orphan]))
