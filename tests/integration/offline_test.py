#!/usr/bin/env python3
"""Without Git and without Azure, through kill -9, and back: nothing is lost, nothing is deleted, everything is said in order.

Issue 3, proof 4. Usage: offline_test.py HOLDFAST
"""
import json
import pathlib
import shutil
import sys
import time
from datetime import datetime

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import journal_file  # noqa: E402
from git_http import GitHttpServer  # noqa: E402
from harness import eventually, git_repository, kustomization  # noqa: E402
from record_sink import RecordSink, check_order, without_duplicates  # noqa: E402

HOLDFAST = pathlib.Path(sys.argv[1]).resolve()
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {}\n  namespace: default\ndata:\n  key: \"{}\"\n"


def micros(text):
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1e6)


SUBJECTS = [("FluxConfig", "edge"), ("FluxConfig", "paper"), ("GitRepository", "edge"), ("GitRepository", "paper"),
            ("GitRepository", "shop"), ("Kustomization", "edge-gate"), ("Kustomization", "paper-list"), ("Kustomization", "shop")]


def last_states(by_sequence):
    """(kind, name) -> the state that Azure believes; what was deleted is left out."""
    found = {}
    for _, row in sorted(by_sequence.items()):
        subject = (row.get("Kind", "FluxConfig"), row.get("Name", row["ConfigurationName"]))
        found[subject] = row["ComplianceState"]
        if row.get("Reason") == "Deleted":
            del found[subject]
    return found


class World:
    """One control plane, Git server, Azure and daemon; the tests are the hours of one day and run in order."""

    def __init__(self, work):
        self.plane = harness.ControlPlane(work / "plane")
        self.git_root = work / "git"
        self.git_root.mkdir()
        self.git = GitHttpServer(str(self.git_root)).start()
        self.git_port = self.git.httpd.server_port
        self.azure = RecordSink(work)
        self.repository = harness.Repository(self.git_root, "shop")
        self.repository.write("apps/a.yaml", CONFIG_MAP.format("till", "1") + "---\n" + CONFIG_MAP.format("shelf", "1"))
        self.repository.write("edge/a.yaml", CONFIG_MAP.format("gate", "1"))
        self.repository.write("paper/a.yaml", CONFIG_MAP.format("note", "1"))
        self.repository.commit("opening")
        self.daemon = harness.Daemon(HOLDFAST, work / "daemon", self.plane.kubeconfig, "install_crds: true\n" + self.azure.config())
        self.daemon.start()
        eventually(lambda: self.plane.get("crd", "fluxconfigs.clusterconfig.azure.com"), 30, what="CRDs")
        self.refused_max = 0  # records that may have been refused alone
        self.queued = {}  # sequence -> (record id, observed at), as once seen in the outbox

    def url(self, name):
        return f"http://127.0.0.1:{self.git_port}/{name}.git"

    def git_away(self):
        self.git.stop()

    def git_back(self):
        self.git = GitHttpServer(str(self.git_root), port=self.git_port).start()

    def kill(self):
        """kill -9; what then waits in the outbox is remembered."""
        self.daemon.kill()
        assert journal_file.problems(self.daemon.state) == []
        self.queued.update(journal_file.queued(self.daemon.state))

    def waiting(self):
        return self.daemon.status()["outbox"]["waiting"]

    def state_of(self, name):
        one = self.daemon.kustomization(name)
        return (one["complianceState"], one["reason"]) if one else None

    def key(self, name):
        found = self.plane.get("configmap", name, "default")
        return found["data"]["key"] if found else None

    def suspend(self, name, suspend):
        self.plane.kubectl("patch", "kustomization", name, "--type=merge", "-p", f'{{"spec":{{"suspend":{str(suspend).lower()}}}}}')
        eventually(lambda: (self.daemon.kustomization(name) or {}).get("suspended") == suspend, 15, what=f"suspended: {suspend}")

    def settle(self):
        """Until nothing waits for Azure."""
        eventually(lambda: self.waiting() == 0, 60, what="outbox empty")

    def check_arrivals(self):
        """Every record of the site arrived, once after removing duplicates, in order, with the time it was seen at."""
        last = self.daemon.status()["outbox"]["lastSequence"]
        rows = self.azure.rows()
        by_sequence = without_duplicates(rows)
        assert sorted(by_sequence) == list(range(1, last + 1)), f"1 to {last}: {sorted(by_sequence)}"
        check_order(by_sequence, self.refused_max)
        for sequence, (record_id, observed_at) in self.queued.items():
            row = by_sequence[sequence]
            assert row["RecordId"] == record_id and micros(row["ObservedAt"]) == observed_at, (row, record_id, observed_at)
        return rows, by_sequence

    def stop(self):
        for stop in (self.daemon.stop, self.azure.stop, self.git.stop, self.plane.stop):
            try:
                stop()
            except Exception as error:  # the others are stopped too
                print(f"     ({error})")


def arrives(world):
    """A FluxConfig and a Kustomization become Compliant, and Azure hears of it."""
    plane = world.plane
    plane.apply(git_repository("shop", world.url("shop"), interval="1s"), kustomization("shop", "shop", "./apps", interval="5m"),
                {"apiVersion": "clusterconfig.azure.com/v1alpha1", "kind": "FluxConfig",
                 "metadata": {"name": "edge", "namespace": "default"},
                 "spec": {"scope": "cluster", "sourceKind": "GitRepository",
                          "gitRepository": {"url": world.url("shop"), "ref": {"branch": "main"}, "syncInterval": "1s"},
                          "kustomizations": [{"name": "gate", "path": "./edge", "prune": True, "syncInterval": "5m"}]}})
    world.daemon.manifests.joinpath("paper.yaml").write_text(json.dumps(
        {"apiVersion": "clusterconfig.azure.com/v1alpha1", "kind": "FluxConfig", "metadata": {"name": "paper", "namespace": "default"},
         "spec": {"scope": "cluster", "sourceKind": "GitRepository",
                  "gitRepository": {"url": world.url("shop"), "ref": {"branch": "main"}, "syncInterval": "1s"},
                  "kustomizations": [{"name": "list", "path": "./paper", "prune": True, "syncInterval": "5m"}]}}), encoding="utf-8")
    eventually(lambda: world.state_of("shop") == ("Compliant", "ReconciliationSucceeded"), 30, what="shop")
    eventually(lambda: [one["complianceState"] for one in world.daemon.status()["configurations"]] == ["Compliant"] * 2, 30, what="edge and paper")
    world.settle()
    _, by_sequence = world.check_arrivals()
    assert last_states(by_sequence) == dict.fromkeys(SUBJECTS, "Compliant"), last_states(by_sequence)


def quiet_restart(world):
    """A restart changes no state, so it owes Azure no record."""
    before = world.daemon.status()["outbox"]["lastSequence"]
    world.kill()
    world.daemon.start()
    eventually(lambda: world.daemon.status()["cluster"]["reachable"], 20, what="cluster reachable")
    time.sleep(3)
    status = world.daemon.status()
    assert status["complianceState"] == "Compliant", status
    world.settle()
    fresh = [row for number, row in without_duplicates(world.azure.rows()).items() if number > before]
    assert status["outbox"]["lastSequence"] == before, fresh


def alone(world):
    """No Git, no Azure, kill -9: compliant from the cache at once, the age of the source is shown, drift is repaired."""
    plane, daemon = world.plane, world.daemon
    eventually(lambda: all(one["checkedAt"] > one["fetchedAt"] for one in daemon.status()["sources"]), 20, what="a second look at each source")
    world.git_away()
    world.azure.stop()
    eventually(lambda: all(one["message"].startswith("failed to checkout") for one in daemon.status()["sources"]), 20,
               what="the sources say that they could not look")
    gate = plane.get("configmap", "gate", "default")["metadata"]["uid"]
    checked = {one["name"]: one["checkedAt"] for one in daemon.status()["sources"]}
    world.kill()
    daemon.start()
    status = daemon.status()
    assert status["complianceState"] == "Compliant", status
    assert [one["complianceState"] for one in status["configurations"]] == ["Compliant"] * 2, status["configurations"]
    for source in status["sources"]:
        assert source["complianceState"] == "Compliant" and source["fetchedAgeSeconds"] >= 3, source
        assert source["checkedAt"] == checked[source["name"]] > source["fetchedAt"], (source, checked)
    text, code = daemon.table()
    assert "default/shop" in text and code == 0, (code, text)
    eventually(lambda: daemon.status()["cluster"]["reachable"], 20, what="cluster reachable")
    plane.kubectl("delete", "configmap", "till", "-n", "default")
    eventually(lambda: world.key("till") == "1", 10, what="deleted object back")
    plane.kubectl("patch", "configmap", "shelf", "--type=merge", "-p", '{"data":{"key":"changed"}}')
    eventually(lambda: world.key("shelf") == "1", 10, what="changed field back")
    assert plane.get("configmap", "gate", "default")["metadata"]["uid"] == gate
    assert daemon.status()["complianceState"] == "Compliant"


def grows(world):
    """Changes that nobody can be told of wait in the outbox, through another kill -9."""
    plane = world.plane
    before = world.waiting()
    for _ in range(5):
        world.suspend("shop", True)
        eventually(lambda: world.state_of("shop")[0] == "Suspended", 10, what="Suspended")
        world.suspend("shop", False)
        eventually(lambda: world.state_of("shop")[0] == "Compliant", 10, what="Compliant again")
    for number in range(5):
        plane.apply(kustomization(f"lost-{number}", "shop", f"./nowhere-{number}"))
        eventually(lambda number=number: world.state_of(f"lost-{number}") == ("Non-Compliant", "ArtifactFailed"), 15, what="fails")
    plane.kubectl("delete", "kustomization", *[f"lost-{number}" for number in range(5)], "--timeout=20s")
    eventually(lambda: all(world.state_of(f"lost-{number}") is None for number in range(5)), 15, what="gone")
    for suspend in (True, False):
        plane.kubectl("patch", "fluxconfig", "edge", "--type=merge", "-p", f'{{"spec":{{"suspend":{str(suspend).lower()}}}}}')
        word = "Suspended" if suspend else "Compliant"
        eventually(lambda word=word: {one["complianceState"] for one in [*world.daemon.status()["kustomizations"], *world.daemon.status()["configurations"]]
                                      if one["name"].startswith("edge")} == {word}, 15, what=word)
    grown = world.waiting() - before
    assert grown >= 4 + 5 + 5 + 4, grown  # suspended and resumed, of which only the ends; failed; gone; the configuration and its Kustomization
    last = world.daemon.status()["outbox"]["lastSequence"]
    world.kill()
    states = journal_file.states_queued(world.daemon.state) - before
    assert states >= 10 + 5 + 5 + 4, states
    numbers = sorted(world.queued)
    assert numbers == list(range(numbers[0], last + 1)), numbers
    world.daemon.start()
    eventually(lambda: world.daemon.status()["cluster"]["reachable"], 20, what="cluster reachable")
    assert world.waiting() >= grown
    link = world.daemon.status()["uplink"]
    eventually(lambda: world.daemon.status()["uplink"]["error"] != "", 20, what=f"the uplink says why: {link}")


def returns(world):
    """Git and Azure are back, and Azure misbehaves: the queue drains in order, each record exactly once by its id."""
    world.repository.write("apps/b.yaml", CONFIG_MAP.format("counter", "1"))
    world.repository.commit("while away")
    waited = world.waiting()
    world.azure.start()
    faults = ({"do": 429, "retry_after": 1}, {"do": 413}, {"do": "cut"}, {"do": 401}, {"do": 403})
    world.azure.fault({"at": "token", "do": 503, "retry_after": 1}, *[{"at": "ingest", "skip": 1, **fault} for fault in faults])
    world.refused_max = 1  # 413 may meet a record that is alone
    world.git_back()  # and with it the uplink tries at once, however long it had meant to wait
    eventually(lambda: world.key("counter") == "1", 20, what="the commit made meanwhile")

    def refused():
        return world.azure.stats().get("ingest 403")
    eventually(refused, 60, what=f"403 was answered; {world.azure.stats()}")
    world.azure.renew_secret()
    world.settle()
    stats = world.azure.stats()
    rows, by_sequence = world.check_arrivals()
    answers = {int(key.split()[1]) for key in stats if key.startswith("ingest ") and key.split()[1].isdigit()}
    assert {429, 413, 401, 403, 204} <= answers, stats
    assert len(rows) > len(by_sequence), "the answer that was lost made no duplicate"
    assert last_states(by_sequence) == dict.fromkeys(SUBJECTS, "Compliant"), last_states(by_sequence)
    assert journal_file_is_empty(world)
    print(f"     {waited} records waited; {len(by_sequence)} records, {len(rows) - len(by_sequence)} delivered again; {stats}")


def journal_file_is_empty(world):
    world.kill()
    empty = journal_file.queued(world.daemon.state) == {} and journal_file.dead_letters(world.daemon.state) == {}
    world.daemon.start()
    eventually(lambda: world.daemon.status()["cluster"]["reachable"], 20, what="cluster reachable")
    return empty


def no_api_server(world):
    """The API server away, through kill -9 and a commit, and back: converges, and deletes nothing."""
    plane, daemon = world.plane, world.daemon
    names = ("till", "shelf", "counter", "gate", "note")
    uids = {name: plane.get("configmap", name, "default")["metadata"]["uid"] for name in names}
    world.settle()
    before = daemon.status()["outbox"]["lastSequence"]
    plane.command("stop apiserver")
    eventually(lambda: not daemon.status()["cluster"]["reachable"], 60, what="API server seen down")
    world.kill()
    daemon.start()
    time.sleep(3)
    status = daemon.status()
    assert status["complianceState"] == "Compliant" and not status["cluster"]["reachable"], status
    assert len(status["kustomizations"]) == 3 and len(status["configurations"]) == 2, status
    text, code = daemon.table()
    assert "NOT REACHABLE" in text and code in (0, 1, 2), text
    world.repository.write("apps/c.yaml", CONFIG_MAP.format("lamp", "1"))
    world.repository.commit("in the dark")
    assert plane.command("start apiserver") == "ok"
    eventually(lambda: daemon.status()["cluster"]["reachable"], 60, what="API server seen up")
    eventually(lambda: world.key("lamp") == "1", 30, what="the commit made in the dark")
    eventually(lambda: daemon.status()["complianceState"] == "Compliant", 20, what="compliant")
    assert {name: plane.get("configmap", name, "default")["metadata"]["uid"] for name in names} == uids
    world.settle()
    _, by_sequence = world.check_arrivals()
    bad = [row for number, row in by_sequence.items() if number > before and row["ComplianceState"] in ("Non-Compliant", "Unknown")]
    assert bad == [], bad


def half_applied(world):
    """A commit whose second stage is refused, kill -9, and Git back at the commit before: the first stage goes back too."""
    plane, daemon = world.plane, world.daemon
    first = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: stall\n  labels:\n    step: {}\n"
    refused = "apiVersion: v1\nkind: Service\nmetadata:\n  name: bad\n  namespace: stall\nspec:\n  ports:\n  - port: 700000\n"
    repository = harness.Repository(world.git_root, "half")
    repository.write("a.yaml", first.format("one"))
    good = repository.commit("whole")
    plane.apply(git_repository("half", world.url("half"), interval="1s"), kustomization("half", "half", interval="5m"))
    eventually(lambda: world.state_of("half") == ("Compliant", "ReconciliationSucceeded"), 30, what="whole")
    repository.write("a.yaml", first.format("two") + "---\n" + refused)
    repository.commit("half")
    eventually(lambda: world.state_of("half") == ("Non-Compliant", "ReconciliationFailed"), 30, what="refused")
    step = lambda: plane.get("ns", "stall")["metadata"]["labels"]["step"]
    assert step() == "two", step()
    world.kill()
    repository.git("push", "-q", "--force", "origin", f"{good}:main")
    daemon.start()
    eventually(lambda: world.state_of("half") == ("Compliant", "ReconciliationSucceeded"), 30, what="whole again")
    assert step() == "one", step()
    world.settle()
    plane.kubectl("delete", "kustomization", "half", "--timeout=20s")
    plane.kubectl("delete", "gitrepository", "half", "--timeout=20s")
    eventually(lambda: world.waiting() == 0, 15, what="the last word on a deleted object is sent at once")
    world.check_arrivals()


def old_state(world):
    """A disk that was restored: what a later commit brought, as the cluster saw it, is not taken back before Git was asked."""
    plane, work = world.plane, world.git_root.parent
    world.daemon.stop()
    daemon = harness.Daemon(HOLDFAST, work / "restored", plane.kubeconfig)
    repository = harness.Repository(world.git_root, "disk")
    repository.write("a.yaml", CONFIG_MAP.format("first", "1"))
    repository.commit("first")
    state = lambda: (daemon.kustomization("disk") or {}).get("complianceState")
    applied = lambda revision: plane.get("kustomization", "disk").get("status", {}).get("lastAppliedRevision", "").endswith(revision)
    daemon.start()
    plane.apply(git_repository("disk", world.url("disk"), interval="5s"), kustomization("disk", "disk", interval="5m"))
    eventually(lambda: plane.get("configmap", "first") and state() == "Compliant", 30, what="first")
    daemon.stop()
    shutil.copytree(daemon.state, work / "backup")
    repository.write("b.yaml", CONFIG_MAP.format("second", "1"))
    second = repository.commit("second")
    daemon.start()
    eventually(lambda: applied(second), 30, what="second")
    daemon.stop()
    uid = plane.get("configmap", "second")["metadata"]["uid"]

    shutil.rmtree(daemon.state)
    (work / "backup").rename(daemon.state)
    world.git_away()
    daemon.start()
    eventually(lambda: "is older than revision" in daemon.kustomization("disk")["message"], 30, what="it says what it waits for")
    assert plane.get("configmap", "second")["metadata"]["uid"] == uid
    world.git_back()
    eventually(lambda: state() == "Compliant" and applied(second), 60, what="Git was asked")
    assert plane.get("configmap", "second")["metadata"]["uid"] == uid
    plane.kubectl("delete", "kustomization", "disk", "--timeout=20s")
    plane.kubectl("delete", "gitrepository", "disk", "--timeout=20s")
    daemon.stop()


if __name__ == "__main__":
    sys.exit(harness.run_in(World, [arrives, quiet_restart, alone, grows, returns, no_api_server, half_applied, old_state]))
