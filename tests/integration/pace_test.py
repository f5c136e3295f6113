#!/usr/bin/env python3
"""What a fight costs: somebody changes what is applied, refuses what is wished, or takes it away, for as long as it likes.

Usage: pace_test.py HOLDFAST [TEST...]
Without names: six tests; all seventeen with HOLDFAST_TEST_ALL=1.
Each test lets one kind of trouble go on for a window and counts, by the API server's own counters, what was asked of it; by /proc, what
it cost here; and by the objects, that the end is right. A repair is due at 0, 1, 3, 7, 15 … seconds of a fight, so no test needs a fast
machine: bounds are counts, and a slow machine makes them smaller. What only ever grows with time is measured against the time it took.
"""
import contextlib
import json
import os
import pathlib
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import journal_file  # noqa: E402
from api_client import ApiClient, Fighter  # noqa: E402
from git_http import GitHttpServer  # noqa: E402
from harness import eventually, git_repository, kustomization  # noqa: E402

HOLDFAST = pathlib.Path(sys.argv[1]).resolve()
TICKS = os.sysconf("SC_CLK_TCK")
CPU_SHARE_MAX = 0.05          # of a core, of the daemon and its workers
DISK_BYTES_A_SECOND_MAX = 1024  # once the first seconds are over
COMMIT_BYTES_MAX = 32 * 1024  # one transaction: some pages, and the journal of the file system
WINDOW_S = 20
CORE, APPS, RBAC, BATCH = "/api/v1/namespaces/default", "/apis/apps/v1/namespaces/default", "/apis/rbac.authorization.k8s.io/v1", \
    "/apis/batch/v1/namespaces/default"


def steps(seconds, interval):
    """How many repairs a fight of so many seconds is worth."""
    count, at, delay = 0, 0, 1
    while at <= seconds:
        count, at, delay = count + 1, at + delay, min(delay * 2, interval)
    return count


def config_map(name, value="git", namespace="default", **metadata):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace, **metadata}, "data": {"key": value}}


def service(name, port=80, namespace="default"):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace},
            "spec": {"clusterIP": "None", "selector": {"app": name}, "ports": [{"port": port}]}}


def workload(kind, name, replicas=0, annotations=None):
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}}}
    if kind == "StatefulSet":
        spec["serviceName"] = name
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": "default", "annotations": annotations or {}}, "spec": spec}


def job(name, ttl):
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "namespace": "default"},
            "spec": {"ttlSecondsAfterFinished": ttl, "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "once", "image": "once:1"}]}}}}


def role(name, rules, labels=None, collects=None):
    more = {"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"pace.test/part-of": collects}}]}} if collects else {}
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name, "labels": labels or {}}, "rules": rules, **more}


def refusal(name, operations, groups, resources, expression, message):
    """A policy of admission, and its binding: what `expression` is false of is refused."""
    api = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": name}}
    rule = {"apiGroups": groups, "apiVersions": ["*"], "operations": operations, "resources": resources}
    return [{**api, "kind": "ValidatingAdmissionPolicy",
             "spec": {"matchConstraints": {"resourceRules": [rule]}, "validations": [{"expression": expression, "message": message}]}},
            {**api, "kind": "ValidatingAdmissionPolicyBinding", "spec": {"policyName": name, "validationActions": ["Deny"]}}]


def family(pid):
    pids, queue = [pid], [pid]
    while queue:
        for file in pathlib.Path(f"/proc/{queue.pop()}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                children = [int(child) for child in file.read_text().split()]
                pids += children
                queue += children
    return pids


def cpu_seconds(pids):
    """Children that ended count with their parent."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += sum(int(fields[i]) for i in (11, 12, 13, 14))
    return total / TICKS


def disk_bytes(pid):
    """What this process has given to the disk, in whole pages; its log is kept in memory here, as journald takes it."""
    for line in pathlib.Path(f"/proc/{pid}/io").read_text().splitlines():
        if line.startswith("write_bytes"):
            return int(line.split()[1])
    raise AssertionError("no write_bytes")


class Figures:
    """What has grown between two moments."""

    def __init__(self, world):
        self.world, self.began = world, time.monotonic()
        self.first, self.late = self.sample(), None

    def sample(self):
        daemon = self.world.daemon
        pid = daemon.process.pid
        numbers = {}
        for line in daemon.fetch("/metrics").splitlines():
            if line.startswith(("holdfast_passes_total", "holdfast_kube_requests_total", "holdfast_outbox_records")):
                name, value = line.rsplit(" ", 1)
                numbers[name] = int(value)
        return {"time": time.monotonic(), "server": self.world.api.counters(), "cpu": cpu_seconds(family(pid)), "disk": disk_bytes(pid),
                "own": numbers}

    def settle(self, seconds=6):
        """The first seconds are over: what is written to the disk is counted from here on."""
        time.sleep(max(0.0, self.began + seconds - time.monotonic()))
        self.late = self.sample()

    def end(self):
        self.last = self.sample()
        self.seconds = self.last["time"] - self.first["time"]
        return self

    def run(self, seconds=WINDOW_S):
        self.settle()
        time.sleep(max(0.0, self.began + seconds - time.monotonic()))
        return self.end()

    def requests(self, verb, resource, subresource="", dry=False):
        key = verb, resource, subresource, dry
        return self.last["server"].get(key, 0) - self.first["server"].get(key, 0)

    def applies(self, resource):
        return self.requests("APPLY", resource)

    def dry_runs(self, resource):
        return self.requests("APPLY", resource, dry=True)

    def status_patches(self):
        return sum(self.requests("PATCH", kind, "status") for kind in ("kustomizations", "gitrepositories", "fluxconfigs"))

    def own(self, name):
        return self.last["own"].get(name, 0) - self.first["own"].get(name, 0)

    def passes(self):
        return self.own("holdfast_passes_total")

    def records(self):
        return self.own("holdfast_outbox_records")

    def asked(self):
        """Requests of the daemon, watches aside."""
        return sum(self.own(name) for name in self.last["own"] if "kube_requests" in name and '"watch"' not in name)

    def cpu(self):
        return (self.last["cpu"] - self.first["cpu"]) / self.seconds

    def disk(self):
        since = self.late or self.first
        return (self.last["disk"] - since["disk"]) / (self.last["time"] - since["time"])

    def is_cheap(self, commits=1):
        """commits: transactions that belong to the window: the new uid of what was made anew, artifacts of earlier tests that are collected."""
        assert self.cpu() <= CPU_SHARE_MAX, f"{self.cpu() * 100:.1f} % of a core"
        since = self.last["time"] - (self.late or self.first)["time"]
        assert self.disk() <= DISK_BYTES_A_SECOND_MAX + commits * COMMIT_BYTES_MAX / since, f"{self.disk():.0f} bytes a second"

    def tell(self, **more):
        said = {"seconds": f"{self.seconds:.0f}", "passes": self.passes(), "status patches": self.status_patches(), "records": self.records(),
                "cpu": f"{self.cpu() * 100:.1f} %", "disk": f"{self.disk():.0f} B/s", **more}
        print("     " + ", ".join(f"{name} {value}" for name, value in said.items()), flush=True)


class World:
    def __init__(self, work):
        self.work, self.logs = work, []
        self.plane = harness.ControlPlane(work / "plane", nodes=1)
        self.api = ApiClient(self.plane.kubeconfig)
        self.git_root = work / "git"
        self.git_root.mkdir()
        self.git = GitHttpServer(str(self.git_root)).start()
        self.daemon = self.new_daemon("daemon", self.plane.kubeconfig, "install_crds: true\n").start()
        eventually(lambda: self.plane.get("crd", "kustomizations.kustomize.toolkit.fluxcd.io"), 30, what="CRDs")

    def new_daemon(self, name, kubeconfig, config=""):
        daemon = harness.Daemon(HOLDFAST, self.work / name, kubeconfig, config)
        memory = pathlib.Path("/dev/shm")
        if memory.is_dir():
            self.logs.append(memory / f"{self.work.name}-{name}.log")
            daemon.log = self.logs[-1]
        return daemon

    def stop(self):
        for stop in (self.daemon.stop, self.git.stop, self.plane.stop):
            with contextlib.suppress(Exception):  # the others are stopped too
                stop()
        for log in self.logs:
            log.unlink(missing_ok=True)

    def repository(self, name, objects):
        repository = harness.Repository(self.git_root, name)
        self.write(repository, objects)
        return repository

    def write(self, repository, objects):
        """The folder holds exactly these objects."""
        for file in repository.tree.glob("*.yaml"):
            file.unlink()
        for one in objects:
            repository.write(f"{one['kind'].lower()}-{one['metadata']['name']}.yaml", json.dumps(one))
        repository.commit()

    def wish(self, name, objects, interval="1m", retry="5s", source="2s", **spec):
        """A repository, its source, and a Kustomization, all of this name."""
        repository = self.repository(name, objects)
        self.plane.apply(git_repository(name, f"{self.git.url}/{name}.git", interval=source),
                         kustomization(name, name, interval=interval, **{"retryInterval": retry, "timeout": "20s", **spec}))
        return repository

    def ready(self, name, within_s=60):
        self.state(name, "True", "ReconciliationSucceeded", within_s)

    def state(self, name, status, reason, within_s=60):
        found = []

        def look():
            found[:] = self.plane.condition("kustomization", name, "default") or ("", "", "")
            return found[:2] == [status, reason]
        try:
            eventually(look, within_s, what=name)
        except AssertionError:
            raise AssertionError(f"{name}: {found}") from None
        return found[2]

    def events(self, name):
        """Events about this Kustomization, repetitions counted."""
        items = json.loads(self.plane.kubectl("get", "events", "-n", "default", "--field-selector",
                                              f"involvedObject.kind=Kustomization,involvedObject.name={name}", "-o", "json"))["items"]
        return sum(one.get("count") or 1 for one in items)

    def data(self, name, kind="configmap", namespace="default"):
        return ((self.plane.get(kind, name, namespace) or {}).get("data") or {}).get("key")

    def clear(self):
        """Nobody fights or refuses any more, and nothing is wished: for the next test."""
        self.plane.kubectl("delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", "--all")
        self.plane.kubectl("delete", "kustomization", "--all", "-n", "default", "--timeout=60s")
        self.plane.kubectl("delete", "gitrepository", "--all", "-n", "default", "--timeout=60s")

    def has(self, name, value, within_s=40):
        eventually(lambda: self.data(name) == value, within_s, what=f"{name} is {value!r}: {self.data(name)!r}")


# --- fights: each object is repaired at 0, 1, 3, 7, 15 … seconds, and told of once


def against_controllers(world):
    """Manifests that a controller of the cluster corrects: aggregated roles, and exported objects."""
    reads = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]
    wrong = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    figures = Figures(world)
    world.wish("collected", [role("part", reads, {"pace.test/part-of": "all"}), role("empty", [], collects="all"), role("stale", wrong, collects="all")])
    world.wish("exported", [workload("Deployment", "exported", annotations={"deployment.kubernetes.io/revision": "4"}),
                            service("addresses"),
                            {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
                             "metadata": {"name": "addresses-x7k2p", "namespace": "default",
                                          "labels": {"kubernetes.io/service-name": "addresses",
                                                     "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}},
                             "endpoints": [{"addresses": ["192.0.2.7"]}], "ports": [{"port": 80}]}])
    world.ready("collected")
    world.ready("exported")
    figures.run()
    due = 1 + steps(figures.seconds, 60)
    deployments, slices = figures.applies("deployments"), figures.applies("endpointslices")
    roles = figures.dry_runs("clusterroles")  # one before each apply of ours; the controller of roles applies, too, without
    figures.tell(roles=roles, deployments=deployments, slices=slices, due=due)
    assert 3 <= roles <= 1 + 2 * due, roles
    assert 2 <= deployments <= due and 1 <= slices <= due, (deployments, slices)
    assert figures.dry_runs("deployments") <= due and figures.dry_runs("endpointslices") <= due
    for name, objects in (("collected", 2), ("exported", 2)):
        assert world.events(name) <= 3 + objects, world.events(name)
    assert figures.status_patches() <= 12 and figures.records() <= 8
    figures.is_cheap(commits=3)  # new uids at 7 and 15 s
    for name in ("empty", "stale"):
        eventually(lambda name=name: world.plane.get("clusterrole", name)["rules"] == reads, 10, what=f"the rules of {name}")
    world.ready("collected", 1)
    world.ready("exported", 1)


def against_programs(world):
    """Somebody else's program writes the same field again and again, scales, or deletes."""
    world.wish("fought", [config_map("written"), service("removed"), workload("Deployment", "scaled"), workload("StatefulSet", "scaled")], interval="8s")
    world.ready("fought")
    events = world.events("fought")
    figures = Figures(world)
    kubeconfig = world.plane.kubeconfig
    with Fighter(kubeconfig, lambda api: api.merge(f"{CORE}/configmaps/written", {"data": {"key": "theirs"}})) as writer, \
            Fighter(kubeconfig, lambda api: api.request("DELETE", f"{CORE}/services/removed")), \
            Fighter(kubeconfig, lambda api: api.merge(f"{APPS}/deployments/scaled/scale", {"spec": {"replicas": 3}}), 0.5), \
            Fighter(kubeconfig, lambda api: api.merge(f"{APPS}/statefulsets/scaled/scale", {"spec": {"replicas": 2}}), 0.5):
        figures.run()
    due = steps(figures.seconds, 8)
    counts = {kind: figures.applies(kind) for kind in ("configmaps", "services", "deployments", "statefulsets")}
    figures.tell(**counts, due=due, theirs=writer.acts, events=world.events("fought") - events)
    for kind, count in counts.items():
        assert 2 <= count <= due, (kind, count, due)
        assert figures.dry_runs(kind) <= due, kind
    assert world.events("fought") - events <= 4, "a spell of each object is told once"
    assert figures.status_patches() == 0 and figures.records() == 0
    figures.is_cheap(commits=3)  # new uids at 7 and 15 s
    world.has("written", "git")
    eventually(lambda: world.plane.get("service", "removed", "default"), 20, what="the Service is back")
    for kind in ("deployment", "statefulset"):
        eventually(lambda kind=kind: world.plane.get(kind, "scaled", "default")["spec"]["replicas"] == 0, 20, what=kind)
    one = [drift for drift in world.daemon.status()["drifts"] if drift["object"] == "ConfigMap/default/written"]
    assert len(one) == 1 and one[0]["manager"].startswith("fighter"), one


def beside_a_refusal(world):
    """One object drifts while another one of the same Kustomization is refused: a pass at each retry, not at each wake."""
    plane = world.plane
    first = world.wish("policy", [config_map("calm-a")])
    second = world.wish("invalid", [config_map("calm-b")])
    world.ready("policy")
    world.ready("invalid")
    plane.apply(*refusal("no-evil", ["CREATE", "UPDATE"], [""], ["configmaps"], "!object.metadata.name.startsWith('evil')", "nothing evil here"))
    world.write(first, [config_map("calm-a"), config_map("evil")])
    world.write(second, [config_map("calm-b"), service("evil", 700000)])
    assert "nothing evil here" in world.state("policy", "False", "ReconciliationFailed")
    world.state("invalid", "False", "ReconciliationFailed")
    events = world.events("policy") + world.events("invalid")
    figures = Figures(world)
    world.api.merge(f"{CORE}/configmaps/calm-a", {"data": {"key": "theirs"}})
    with Fighter(world.plane.kubeconfig, lambda api: api.merge(f"{CORE}/configmaps/calm-b", {"data": {"key": str(time.monotonic())}})):
        figures.run()
    tries = int(figures.seconds / 5) + 2
    figures.tell(applies=figures.applies("configmaps"), tried=figures.dry_runs("configmaps"), tries=tries)
    assert figures.dry_runs("configmaps") <= 3 * tries and figures.dry_runs("services") <= tries
    assert figures.applies("configmaps") == 0, "a stage with a refused object was written"
    assert figures.status_patches() == 0 and figures.records() == 0
    assert world.events("policy") + world.events("invalid") - events == 0
    figures.is_cheap()
    plane.kubectl("delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", "no-evil")
    world.write(second, [config_map("calm-b"), service("evil", 7000)])
    world.ready("policy")
    world.ready("invalid")
    world.has("calm-a", "git")
    world.has("calm-b", "git")


def in_a_namespace_that_goes(world):
    """A Namespace that cannot end refuses what was in it; when it is gone, all of it is made again."""
    plane = world.plane
    for name in ("going-a", "going-b"):
        world.wish(name, [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, config_map("inside", namespace=name)])
        world.ready(name)
    plane.apply(config_map("holds", namespace="going-a", finalizers=["pace.test/hold"]))
    # By kubectl it would be taken off again, as all that kubectl adds.
    world.api.merge("/api/v1/namespaces/going-b", {"metadata": {"finalizers": ["pace.test/hold"]}}, "holder")
    uids = {name: plane.get("namespace", name)["metadata"]["uid"] for name in ("going-a", "going-b")}
    plane.kubectl("delete", "namespace", "going-a", "going-b", "--wait=false")
    eventually(lambda: plane.get("configmap", "inside", "going-a") is None, 20, what="the content goes")
    for name in uids:
        world.state(name, "False", "ReconciliationFailed")
    figures = Figures(world).run()
    tries = 2 * (int(figures.seconds / 5) + 2)
    figures.tell(namespaces=figures.applies("namespaces"), tried=figures.dry_runs("namespaces") + figures.dry_runs("configmaps"), tries=tries)
    assert figures.applies("namespaces") + figures.dry_runs("namespaces") <= 2 * tries and figures.dry_runs("configmaps") <= tries
    assert figures.status_patches() <= 2 and figures.records() <= 2
    figures.is_cheap()
    plane.kubectl("patch", "configmap", "holds", "-n", "going-a", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    world.api.merge("/api/v1/namespaces/going-b", {"metadata": {"finalizers": None}}, "holder")
    for name, uid in uids.items():
        eventually(lambda name=name, uid=uid: (plane.get("namespace", name) or {"metadata": {"uid": uid}})["metadata"]["uid"] != uid, 60, what=f"{name} again")
        world.ready(name)
        assert world.data("inside", namespace=name) == "git"


# --- refusals of what is to go


def deletion_refused(world):
    """What may not be deleted keeps its Kustomization there, which tries again at a growing pace, whatever wakes it."""
    plane = world.plane
    for name in ("kept-a", "kept-b"):
        world.wish(name, [config_map(name), config_map(f"{name}-drifts")])
        world.ready(name)
    plane.apply(*refusal("keep", ["DELETE"], [""], ["configmaps"], "!oldObject.metadata.name.startsWith('kept')", "this one is kept"))
    time.sleep(2)  # a policy is not obeyed at once
    figures = Figures(world)
    plane.kubectl("delete", "kustomization", "kept-a", "kept-b", "-n", "default", "--wait=false")
    with Fighter(plane.kubeconfig, lambda api: api.merge(f"{CORE}/configmaps/kept-a-drifts", {"data": {"key": str(time.monotonic())}})), \
            Fighter(plane.kubeconfig, lambda api: api.merge(f"{CORE}/configmaps/kept-b", {"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/name": "kept-b"},
                                                                                                      "annotations": {"at": str(time.monotonic())}}})):
        figures.run()
    deletes = figures.requests("DELETE", "configmaps")
    figures.tell(deletes=deletes)
    assert 4 <= deletes <= 4 * 4, deletes  # 4 objects, tried at 0, 5 and 15 s, each pause up to a fifth shorter
    assert figures.status_patches() <= 6 and figures.records() <= 4
    figures.is_cheap()
    assert "this one is kept" in world.state("kept-a", "False", "PruneFailed")
    plane.kubectl("delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", "keep")
    for name in ("kept-a", "kept-b"):
        eventually(lambda name=name: plane.get("kustomization", name, "default") is None, 60, what=f"{name} goes")
        assert plane.get("configmap", name, "default") is None and plane.get("configmap", f"{name}-drifts", "default") is None


def finalizer_refused(world):
    """A finalizer that may not be set lets nothing be applied; one that may not be taken off is tried again at a pace."""
    plane = world.plane
    world.wish("held-old", [config_map("held-old")])
    world.ready("held-old")
    same = "(has(object.metadata.finalizers) ? object.metadata.finalizers : []) == (has(oldObject.metadata.finalizers) ? oldObject.metadata.finalizers : [])"
    plane.apply(*refusal("hold", ["UPDATE"], ["kustomize.toolkit.fluxcd.io"], ["kustomizations"], f"!object.metadata.name.startsWith('held') || {same}",
                         "finalizers are ours"))
    time.sleep(2)
    figures = Figures(world)
    world.wish("held-new", [config_map("held-new")])
    plane.kubectl("delete", "kustomization", "held-old", "-n", "default", "--wait=false")
    world.state("held-new", "False", "FinalizerFailed")
    figures.run()
    writes = figures.requests("PATCH", "kustomizations") + figures.requests("PUT", "kustomizations")
    figures.tell(writes=writes)
    assert 2 <= writes <= 8, writes
    assert figures.status_patches() <= 8 and figures.records() <= 6
    figures.is_cheap()
    assert plane.get("configmap", "held-new", "default") is None, "applied without a finalizer"
    assert plane.get("kustomization", "held-old", "default"), "gone with its finalizer on"
    plane.kubectl("delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", "hold")
    world.ready("held-new")
    eventually(lambda: plane.get("kustomization", "held-old", "default") is None, 60, what="held-old goes")
    assert plane.get("configmap", "held-old", "default") is None and world.data("held-new") == "git"


def circles(world):
    """Kustomizations that wait for each other, or for themselves: one look each in 30 s, and nothing written."""
    world.repository("circle", [config_map("never")])
    names = {"self": "self", "two-a": "two-b", "two-b": "two-a", "three-a": "three-b", "three-b": "three-c", "three-c": "three-a"}
    world.plane.apply(git_repository("circle", f"{world.git.url}/circle.git", interval="10m"),
                      *[kustomization(name, "circle", interval="10m", dependsOn=[{"name": other}]) for name, other in names.items()])
    for name in names:
        assert "cycle" in world.state(name, "False", "DependencyNotReady")
    time.sleep(3)
    figures = Figures(world)
    figures.late = figures.first
    time.sleep(30)
    figures.end()
    figures.tell(asked=figures.asked())
    assert figures.passes() <= len(names) * (int(figures.seconds / 30) + 1), figures.passes()
    assert figures.status_patches() == 0 and figures.records() == 0 and figures.asked() == 0
    figures.is_cheap()
    world.plane.kubectl("patch", "kustomization", "two-b", "self", "--type=merge", "-p", '{"spec":{"dependsOn":null}}')
    for name in ("self", "two-b"):
        world.ready(name)
    world.ready("two-a")


def jobs_that_remove_themselves(world):
    """A Job that its time-to-live took away has done its work: it is made again at the interval, as Flux does."""
    figures = Figures(world)
    world.wish("migrate", [job("migrate-now", 0), job("migrate-soon", 2)], interval="5m")
    world.wish("hourly", [job("again", 1)], interval="12s")
    world.ready("migrate")
    eventually(lambda: not world.plane.names("job", "default"), 40, what="the Jobs are over and gone")
    figures.run(30)
    figures.tell(jobs=figures.applies("jobs"))
    assert 3 <= figures.applies("jobs") <= 2 + 1 + figures.seconds / 12, figures.applies("jobs")
    assert "migrate-now" not in world.plane.names("job", "default")
    assert figures.status_patches() <= 10 and figures.records() <= 8
    figures.is_cheap()
    world.ready("migrate", 1)
    eventually(lambda: "again" in world.plane.names("job", "default"), 30, 0.02, "made again at its interval")


# --- who owns what


def what_others_added(world):
    """What kubectl added to what is applied goes, as Flux takes it away; what Git calls mergeable stays."""
    plane = world.plane
    plane.apply(config_map("adopted", "by hand", labels={"by": "hand"}))
    plane.apply(config_map("merged", "git", annotations={"kustomize.toolkit.fluxcd.io/ssa": "Merge"}))
    world.wish("owner", [workload("Deployment", "sidecar"), config_map("adopted"),
                         config_map("merged", annotations={"kustomize.toolkit.fluxcd.io/ssa": "Merge"})])
    world.ready("owner")
    eventually(lambda: "by" not in plane.get("configmap", "adopted", "default")["metadata"].get("labels", {}), 20, what="the label is off")
    assert "kubectl.kubernetes.io/last-applied-configuration" not in plane.get("configmap", "adopted", "default")["metadata"].get("annotations", {})
    figures = Figures(world)
    evil = {"name": "evil", "image": "evil:1", "securityContext": {"privileged": True}}
    plane.kubectl("patch", "deployment", "sidecar", "--type=strategic", "-p", json.dumps({"spec": {"template": {"spec": {"containers": [evil]}}}}))
    plane.kubectl("patch", "configmap", "adopted", "--type=merge", "-p", '{"data":{"more":"by hand"}}')
    plane.kubectl("patch", "configmap", "merged", "--type=merge", "-p", '{"data":{"more":"by hand"}}')
    containers = lambda: [one["name"] for one in plane.get("deployment", "sidecar", "default")["spec"]["template"]["spec"]["containers"]]
    eventually(lambda: containers() == ["app"], 20, what="the container is gone")
    eventually(lambda: plane.get("configmap", "adopted", "default")["data"] == {"key": "git"}, 20, what="the key is gone")
    figures.run(10)
    figures.tell(applies=figures.applies("configmaps") + figures.applies("deployments"))
    assert figures.applies("configmaps") <= 1 and figures.applies("deployments") <= 1
    figures.is_cheap()
    assert plane.get("configmap", "merged", "default")["data"] == {"key": "git", "more": "by hand"}


def what_is_left_alone(world):
    """IfNotPresent creates and never touches; a live object that says disabled or Ignore is nobody's to repair."""
    plane = world.plane
    mark = "kustomize.toolkit.fluxcd.io/"
    plane.apply(config_map("seed-there", "theirs"))
    world.wish("alone", [config_map("seed-there", annotations={mark + "ssa": "IfNotPresent"}), config_map("seed-new", annotations={mark + "ssa": "IfNotPresent"}),
                         config_map("disabled"), config_map("ignored")])
    world.ready("alone")
    assert world.data("seed-there") == "theirs" and world.data("seed-new") == "git"
    figures = Figures(world)
    plane.kubectl("annotate", "configmap", "disabled", mark + "reconcile=disabled")
    plane.kubectl("annotate", "configmap", "ignored", mark + "ssa=Ignore")
    for name in ("disabled", "ignored", "seed-new"):
        plane.kubectl("patch", "configmap", name, "--type=merge", "-p", '{"data":{"key":"manual"}}')
    figures.run(10)
    figures.tell(applies=figures.applies("configmaps"))
    assert figures.applies("configmaps") == 0
    figures.is_cheap()
    for name in ("disabled", "ignored", "seed-new"):
        assert world.data(name) == "manual", name


def secrets(world):
    """stringData is data: a changed value is put back, a key that Git dropped goes."""
    plane = world.plane
    secret = lambda **values: {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login", "namespace": "default"}, "stringData": values}
    repository = world.wish("secrets", [secret(pw="one", old="going"), {**secret(token="two"), "metadata": {"name": "other", "namespace": "default"}}])
    world.ready("secrets")
    read = lambda name: (plane.get("secret", name, "default") or {}).get("data")
    figures = Figures(world)
    plane.kubectl("patch", "secret", "login", "--type=merge", "-p", '{"data":{"pw":"aGFja2Vk"}}')
    plane.kubectl("patch", "secret", "other", "--type=merge", "-p", '{"stringData":{"token":"hacked"}}')
    eventually(lambda: read("login") == {"pw": "b25l", "old": "Z29pbmc="}, 20, what="the password is back")
    eventually(lambda: read("other") == {"token": "dHdv"}, 20, what="the token is back")
    world.write(repository, [secret(pw="one")])
    eventually(lambda: read("login") == {"pw": "b25l"}, 30, what="the old key is gone")
    eventually(lambda: read("other") is None, 20, what="the other one is pruned")
    figures.run(12)
    figures.tell(applies=figures.applies("secrets"))
    assert figures.applies("secrets") <= 3
    figures.is_cheap()


# --- what is remembered and no longer true


def health_comes_and_goes(world):
    """With wait, what breaks later makes it not ready; a request is answered and a commit is told all the same."""
    plane = world.plane
    plane.apply({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.pace.test"},
                 "spec": {"group": "pace.test", "scope": "Namespaced", "names": {"kind": "Thing", "plural": "things", "singular": "thing"},
                          "versions": [{"name": "v1", "served": True, "storage": True, "subresources": {"status": {}},
                                        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}})
    plane.kubectl("wait", "crd", "things.pace.test", "--for=condition=Established", "--timeout=30s")
    thing = lambda name, size=1: {"apiVersion": "pace.test/v1", "kind": "Thing", "metadata": {"name": name, "namespace": "default"}, "spec": {"size": size}}
    tell = lambda name, status: plane.kubectl("patch", "thing", name, "--subresource=status", "--type=merge", "-p", json.dumps({"status": {"conditions": [
        {"type": "Ready", "status": status, "reason": "Told", "message": "told so", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}))
    repository = world.wish("healthy", [thing("one")], interval="15s", timeout="4s", wait=True)
    world.wish("checked", [thing("two")], interval="15s", timeout="4s",
               healthChecks=[{"apiVersion": "pace.test/v1", "kind": "Thing", "name": "two", "namespace": "default"}])
    world.ready("healthy")
    world.ready("checked")
    figures = Figures(world)
    for name in ("one", "two"):
        tell(name, "False")
    world.state("healthy", "False", "HealthCheckFailed")
    world.state("checked", "False", "HealthCheckFailed")
    plane.kubectl("annotate", "kustomization", "healthy", "checked", "reconcile.fluxcd.io/requestedAt=later")
    for name in ("healthy", "checked"):
        eventually(lambda name=name: plane.get("kustomization", name, "default")["status"].get("lastHandledReconcileAt") == "later", 30, what="the request is answered")
    commit = repository.git("rev-parse", "HEAD").strip()
    world.write(repository, [thing("one", 2)])
    moved = lambda: plane.get("kustomization", "healthy", "default")["status"]["lastAttemptedRevision"]
    eventually(lambda: commit not in moved(), 30, what="the new commit is attempted")
    figures.run(30)
    figures.tell(things=figures.applies("things"))
    assert figures.applies("things") <= 6 and figures.passes() <= 90, (figures.applies("things"), figures.passes())
    assert figures.cpu() <= CPU_SHARE_MAX
    world.state("healthy", "False", "HealthCheckFailed", 30)
    for name in ("one", "two"):
        tell(name, "True")
    world.ready("healthy")
    world.ready("checked")
    assert plane.get("thing", "one", "default")["spec"]["size"] == 2
    plane.kubectl("delete", "crd", "things.pace.test")


def unchanged(world):
    """Nothing changes: nothing is asked, nothing is written, here or there."""
    for name in ("calm", "calmer"):
        world.wish(name, [config_map(f"{name}-{i}") for i in range(5)] + [service(name)], interval="4s", source="3s", wait=True)
    world.ready("calm")
    world.ready("calmer")
    time.sleep(3)
    eventually(lambda: len(journal_file.blobs(world.daemon.state)[1]) == 2, 60, 1, "what earlier tests left is collected")
    time.sleep(1)
    files = lambda: {file: (file.stat().st_mtime_ns, file.stat().st_size) for file in world.daemon.state.rglob("*")}
    before, figures = files(), Figures(world)
    figures.late = figures.first
    time.sleep(16)  # four intervals
    figures.end()
    figures.tell(asked=figures.asked())
    assert figures.asked() == 0 and figures.records() == 0 and figures.status_patches() == 0
    assert files() == before, "something was written"
    figures.is_cheap(commits=0)


def lost_artifacts(world):
    """Blobs, or the whole state, are gone while Git can be reached: fetched again at once, whatever the interval is."""
    plane = world.plane
    for name in ("lost", "found"):
        world.wish(name, [config_map(name)], interval="10m", source="10m", retry="10m")
        world.ready(name)
    for loss in ("blobs", "state"):
        world.daemon.stop()
        state = world.daemon.state
        if loss == "blobs":
            rows, files = journal_file.blobs(state)
            assert len(files) >= 2 and rows, "no blob to lose"
            for file in (state / "blobs").rglob("*"):
                if file.is_file():
                    file.unlink()
        else:
            shutil.rmtree(state)
        for name in ("lost", "found"):
            plane.kubectl("patch", "configmap", name, "--type=merge", "-p", json.dumps({"data": {"key": loss}}))
        world.daemon.start()
        for name in ("lost", "found"):
            world.has(name, "git", 40)
            world.ready(name, 40)


def nothing_is_watched(world):
    """An account that may not list or watch what it applies: drift is looked up at each interval, and a condition says so."""
    plane = world.plane
    verbs = ["get", "create", "patch", "update", "delete"]
    plane.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "narrow", "namespace": "default"}},
                role("narrow", [{"apiGroups": ["*.toolkit.fluxcd.io", "source.toolkit.fluxcd.io", "kustomize.toolkit.fluxcd.io", "clusterconfig.azure.com",
                                               "apiextensions.k8s.io"], "resources": ["*"], "verbs": ["*"]},
                                {"apiGroups": [""], "resources": ["events", "namespaces"], "verbs": ["*"]},
                                {"apiGroups": [""], "resources": ["configmaps"], "verbs": verbs},
                                {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": [*verbs, "list"]}]),
                {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "narrow"},
                 "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "narrow"},
                 "subjects": [{"kind": "ServiceAccount", "name": "narrow", "namespace": "default"}]})
    config = json.loads(plane.kubectl("config", "view", "--raw", "-o", "json"))
    config["users"][0]["user"] = {"token": plane.kubectl("create", "token", "narrow", "-n", "default").strip()}
    narrow = world.work / "narrow.kubeconfig"
    narrow.write_text(json.dumps(config), encoding="utf-8")
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "unseen", "namespace": "default"}, "automountServiceAccountToken": False}
    wide = world.daemon
    wide.stop()
    world.daemon = world.new_daemon("narrow-daemon", str(narrow)).start()
    try:
        world.wish("unseen", [config_map("unseen"), account], interval="6s")
        world.ready("unseen")
        watched = lambda: plane.condition("kustomization", "unseen", "default", "Watched") or ("", "", "")
        eventually(lambda: watched()[:2] == ("False", "WatchRefused") and "ConfigMap" in watched()[2] and "ServiceAccount" in watched()[2], 40,
                   what="the condition names both kinds")
        began, figures = time.monotonic(), Figures(world)
        for name in ("configmap", "serviceaccount"):
            change = {"data": {"key": "theirs"}} if name == "configmap" else {"automountServiceAccountToken": True}
            plane.kubectl("patch", name, "unseen", "--type=merge", "-p", json.dumps(change))
        world.has("unseen", "git")
        eventually(lambda: plane.get("serviceaccount", "unseen", "default")["automountServiceAccountToken"] is False, 30, what="the account is repaired")
        plane.kubectl("delete", "configmap", "unseen")
        world.has("unseen", "git")
        figures.run(25)
        figures.tell(asked=figures.asked())
        assert figures.applies("configmaps") <= 3 and figures.applies("serviceaccounts") <= 2
        assert figures.asked() <= 4 * ((time.monotonic() - began) / 6 + 2) + 20, figures.asked()  # two objects, at each interval and repair
        figures.is_cheap()
    finally:
        world.daemon.stop()
        world.daemon = wide.start()
    world.ready("unseen")
    eventually(lambda: plane.condition("kustomization", "unseen", "default", "Watched") is None, 30, what="watched again")


def datastore(world, change, while_down):
    """The API server and its store stop, the store becomes another one, both start again. The daemon is up, or starts afterwards."""
    if while_down:
        world.daemon.stop()
    for part in ("apiserver", "etcd"):
        world.plane.command(f"stop {part}")
    change(world.work / "plane" / "etcd")
    for part in ("etcd", "apiserver"):
        world.plane.command(f"start {part}")
    if while_down:
        world.daemon.start()
    world.api = ApiClient(world.plane.kubeconfig)


def restored_store(world):
    """The store is restored from a backup: versions count from lower, what came after the backup is applied again, and what it
    brings back is pruned again."""
    backup = world.work / "backup"
    repository = world.wish("restored", [config_map("restored", "1"), config_map("pruned")], interval="15s")
    world.ready("restored")
    datastore(world, lambda store: shutil.copytree(store, backup), while_down=False)
    try:
        for number, while_down in ((2, False), (3, True)):
            world.write(repository, [config_map("restored", str(number)), config_map("newer")])
            world.has("restored", str(number), 60)
            eventually(lambda: world.data("pruned") is None, 60, what="pruned")
            for burn in range(30):  # the version that is remembered is far above the backup's
                world.api.merge(f"{CORE}/configmaps/restored", {"metadata": {"annotations": {"burn": str(burn)}}})

            def go_back(store):
                shutil.rmtree(store)
                shutil.copytree(backup, store)
            datastore(world, go_back, while_down)
            world.has("restored", str(number), 90)
            world.has("newer", "git", 60)
            eventually(lambda: world.data("pruned") is None, 60, what="pruned again")
            eventually(lambda number=number: world.data("restored") == str(number) and world.daemon.kustomization("restored")["complianceState"] == "Compliant", 30,
                       what="compliant")
        figures = Figures(world).run(12)
        figures.tell(applies=figures.applies("configmaps"))
        assert figures.applies("configmaps") == 0 and figures.status_patches() == 0
        figures.is_cheap()
    finally:
        shutil.rmtree(backup, ignore_errors=True)


def empty_store(world):
    """The cluster is made anew at the same address: what the manifests here wish is applied to it, with the daemon up or down meanwhile."""
    world.repository("anew", [config_map("anew"), service("anew")])
    world.daemon.manifests.joinpath("anew.yaml").write_text("\n---\n".join(json.dumps(one) for one in (
        git_repository("anew", f"{world.git.url}/anew.git", interval="5s"), kustomization("anew", "anew", interval="15s"))), encoding="utf-8")
    world.has("anew", "git", 40)
    for while_down in (False, True):
        datastore(world, shutil.rmtree, while_down)
        world.has("anew", "git", 90)
        eventually(lambda: world.plane.get("service", "anew", "default"), 30, what="the Service")
        eventually(lambda: world.daemon.kustomization("anew")["complianceState"] == "Compliant", 30, what="compliant")
    figures = Figures(world).run(12)
    figures.tell(applies=figures.applies("configmaps"))
    assert figures.applies("configmaps") == 0 and figures.records() == 0
    figures.is_cheap()


TESTS = [against_controllers, against_programs, beside_a_refusal, in_a_namespace_that_goes, deletion_refused, finalizer_refused, circles,
         jobs_that_remove_themselves, what_others_added, what_is_left_alone, secrets, health_comes_and_goes, unchanged, lost_artifacts, nothing_is_watched,
         restored_store, empty_store]
QUICK = [against_controllers, against_programs, circles, unchanged, nothing_is_watched, restored_store]  # three minutes; all take nine


def alone(test):
    def run(world):
        try:
            test(world)
        finally:
            world.clear()
    run.__name__ = test.__name__
    return run


if __name__ == "__main__":
    everything = os.environ.get("HOLDFAST_TEST_ALL") == "1" or sys.argv[2:]
    sys.exit(harness.run_in(World, [alone(test) for test in (TESTS if everything else QUICK)]))
