#!/usr/bin/env python3
"""kill -9 at random moments of a scripted day: nothing acknowledged is lost, nothing is orphaned, the database is whole.

Issue 3, proof 5. Usage: kill_test.py HOLDFAST
40 kills; 200 with HOLDFAST_TEST_ALL=1, HOLDFAST_KILLS sets another number. HOLDFAST_SEED repeats a day (its choices; not the
machine's timing). The day: commits that add, change, move and remove objects, Kustomizations deleted and made again, suspended
and resumed, drift by kubectl, and outages of Git, Azure and the API server. After each kill the database is examined; at the
end the cluster must equal what Git says, and the records of all lives must be one dense sequence.
"""
import http.client
import json
import os
import pathlib
import random
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import journal_file  # noqa: E402
from git_http import GitHttpServer  # noqa: E402
from harness import eventually, git_repository, kustomization  # noqa: E402
from record_sink import RecordSink, check_order, without_duplicates  # noqa: E402

HOLDFAST = pathlib.Path(sys.argv[1]).resolve()
KILLS = int(os.environ.get("HOLDFAST_KILLS", "200" if os.environ.get("HOLDFAST_TEST_ALL") == "1" else "40"))
SEED = int(os.environ.get("HOLDFAST_SEED", random.randrange(1 << 30)))
OWNER = "kustomize.toolkit.fluxcd.io/name"
KINDS = ("ConfigMap", "ServiceAccount", "Service")
PLAIN = ("bakery", "dairy", "fruit")  # Kustomizations of their own; "edge-night" is made by a FluxConfig
READY_WITHIN_S = 10


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=1)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(1)
        self.sock.connect(self.path)


def is_ready(path):
    connection = UnixConnection(path)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def manifest(kind, name, value):
    extra = {"ConfigMap": {"data": {"value": str(value)}}, "ServiceAccount": {"automountServiceAccountToken": value % 2 == 0},
             "Service": {"spec": {"ports": [{"port": 1000 + value, "targetPort": 1000 + value}], "selector": {"app": name}}}}[kind]
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "default"}, **extra}


def value_of(live):
    if live["kind"] == "ConfigMap":
        return live["data"]["value"]
    return live["automountServiceAccountToken"] if live["kind"] == "ServiceAccount" else live["spec"]["ports"][0]["port"]


class Day:
    """What is wanted, as told to Git and the API server, and the hands that change it."""

    def __init__(self, work):
        self.choice = random.Random(SEED)
        self.plane = harness.ControlPlane(work / "plane")
        self.git_root = work / "git"
        self.git_root.mkdir()
        self.git = GitHttpServer(str(self.git_root)).start()
        self.git_port, self.git_is_up, self.azure_is_up, self.api_is_up = self.git.httpd.server_port, True, True, True
        self.refused_max = 0  # records that may have been refused alone
        self.azure = RecordSink(work)
        self.repository = harness.Repository(self.git_root, "day")
        self.count = 0
        self.wanted = {name: {} for name in (*PLAIN, "edge-night")}  # Kustomization -> {(kind, name): value}
        self.present = set(PLAIN)
        self.suspended = set()
        for name in self.wanted:
            for _ in range(3):
                self.put(name, self.fresh())
        self.repository.commit("morning")
        self.daemon = harness.Daemon(HOLDFAST, work / "daemon", self.plane.kubeconfig, "install_crds: true\n" + self.azure.config())
        self.socket = self.daemon.state / "holdfast.sock"
        self.queued, self.times, self.log, self.api_thread = {}, [], [], None

    # --- what is wanted

    def fresh(self):
        self.count += 1
        return self.choice.choice(KINDS), f"thing-{self.count}"

    def put(self, folder, thing):
        self.count += 1
        self.wanted[folder][thing] = self.count
        self.repository.write(f"{folder}/{thing[0].lower()}-{thing[1]}.yaml", json.dumps(manifest(*thing, self.count)))

    def drop(self, folder, thing):
        del self.wanted[folder][thing]
        self.repository.remove(f"{folder}/{thing[0].lower()}-{thing[1]}.yaml")

    def some(self, least=1):
        """A folder with more than `least` things, and one of them."""
        folder = self.choice.choice(sorted(name for name, things in self.wanted.items() if len(things) > least))
        return folder, self.choice.choice(sorted(self.wanted[folder]))

    def commit(self):
        for _ in range(self.choice.randrange(1, 4)):
            what = self.choice.choice(("add", "add", "change", "remove", "move"))
            if what == "add":
                self.put(self.choice.choice(sorted(self.wanted)), self.fresh())
            elif any(len(things) > 1 for things in self.wanted.values()):
                folder, thing = self.some()
                if what == "change":
                    self.put(folder, thing)
                else:
                    self.drop(folder, thing)
                if what == "move":
                    self.put(self.choice.choice(sorted(set(self.wanted) - {folder})), thing)
        self.repository.commit()

    # --- what else happens

    def kubectl(self, *arguments, text=""):
        if self.api_is_up:
            self.plane.kubectl(*arguments, text=text, check=False)

    def drift(self):
        folder, (kind, name) = self.some(0)
        del folder
        if self.choice.random() < 0.5:
            self.kubectl("delete", kind, name, "-n", "default", "--wait=false", "--ignore-not-found")
        else:
            change = {"ConfigMap": {"data": {"value": "drifted"}}, "ServiceAccount": {"automountServiceAccountToken": None},
                      "Service": {"spec": {"selector": {"app": "drifted"}}}}[kind]
            self.kubectl("patch", kind, name, "-n", "default", "--type=merge", "-p", json.dumps(change))

    def leave_or_return(self):
        """One of the Kustomizations is deleted, and with it all that it applied; or it is made again."""
        if not self.api_is_up:
            return
        name = self.choice.choice(PLAIN)
        if name in self.present:
            self.present.discard(name)
            self.suspended.discard(name)
            self.kubectl("patch", "kustomization", name, "--type=merge", "-p", '{"spec":{"suspend":false}}')
            self.kubectl("delete", "kustomization", name, "--wait=false")
        elif self.plane.get("kustomization", name, "default") is None:
            self.make(name)

    def make(self, name):
        self.plane.apply(kustomization(name, "day", f"./{name}", interval="5m"))
        self.present.add(name)

    def suspend_or_resume(self):
        if not self.api_is_up or not self.present:
            return
        name = self.choice.choice(sorted(self.present))
        self.suspended ^= {name}
        self.kubectl("patch", "kustomization", name, "--type=merge", "-p", json.dumps({"spec": {"suspend": name in self.suspended}}))

    def git_outage(self):
        if self.git_is_up:
            self.git.stop()
        else:
            self.git = GitHttpServer(str(self.git_root), port=self.git_port).start()
        self.git_is_up = not self.git_is_up

    def azure_outage(self):
        self.azure.stop() if self.azure_is_up else self.azure.start()
        self.azure_is_up = not self.azure_is_up

    def azure_fault(self):
        if self.azure_is_up:
            faults = self.choice.sample(
                [{"do": "cut"}, {"do": "cut_before"}, {"do": 500}, {"do": 401}, {"do": 413}, {"do": 429, "retry_after": 1}, {"do": "slow", "seconds": 0.3}], 2)
            self.refused_max += {"do": 413} in faults
            self.azure.fault(*[{"at": "ingest", **one} for one in faults])

    def api_outage(self):
        """The API server is killed and comes back by itself some seconds later; kills go on meanwhile."""
        if not self.api_is_up:
            return
        self.api_is_up = False
        self.plane.command("kill apiserver")
        pause = self.choice.uniform(0.5, 2)

        def back():
            time.sleep(pause)
            self.plane.command("start apiserver")
            self.api_is_up = True
        self.api_thread = threading.Thread(target=back)
        self.api_thread.start()

    def something(self):
        happening = self.choice.choices(
            (self.commit, self.drift, self.leave_or_return, self.suspend_or_resume, self.git_outage, self.azure_outage, self.azure_fault),
            (40, 20, 12, 8, 8, 6, 6))[0]
        self.log.append(happening.__name__)
        happening()

    # --- the daemon's lives

    def exec(self):
        """Starts; every fourth time it is killed before it can have answered. Out: True when it answered."""
        early = self.choice.random() < 0.25
        started = time.monotonic()
        self.daemon.start(wait=False)
        if early:
            time.sleep(self.choice.uniform(0, 0.06))
            return False
        while not is_ready(self.socket):
            if self.daemon.process.poll() is not None:
                raise AssertionError(f"the daemon ended with {self.daemon.process.returncode}: {self.daemon.tail()}")
            if time.monotonic() - started > READY_WITHIN_S:
                raise AssertionError(f"not ready within {READY_WITHIN_S} s: {self.daemon.tail()}")
            time.sleep(0.001)
        self.times.append(time.monotonic() - started)
        return True

    def kill(self):
        self.daemon.kill()
        state = self.daemon.state
        if not (state / "holdfast.db").exists():
            return
        assert journal_file.problems(state) == [], journal_file.problems(state)
        for sequence, row in journal_file.queued(state).items():
            known = self.queued.setdefault(sequence, row)
            assert known == row, f"sequence {sequence} was {known}, is {row}"

    def evening(self):
        """Everything is up again, and nothing is suspended."""
        if self.api_thread:
            self.api_thread.join()
        if not self.git_is_up:
            self.git_outage()
        if not self.azure_is_up:
            self.azure_outage()
        self.azure.forgive()
        for name in sorted(self.suspended):
            self.kubectl("patch", "kustomization", name, "--type=merge", "-p", '{"spec":{"suspend":false}}')
        self.suspended.clear()
        self.azure.renew_secret()  # a refusal need not be waited out

    # --- what must be true in the end

    def wanted_now(self):
        return {(kind, name): (owner, str({"ConfigMap": value, "ServiceAccount": value % 2 == 0, "Service": 1000 + value}[kind]))
                for owner, things in self.wanted.items() if owner in self.present or owner == "edge-night"
                for (kind, name), value in things.items()}

    def live(self):
        items = json.loads(self.plane.kubectl("get", "configmap,serviceaccount,service", "-A", "-l", OWNER, "-o", "json"))["items"]
        return {(one["kind"], one["metadata"]["name"]): (one["metadata"]["labels"][OWNER], str(value_of(one))) for one in items}

    def differences(self):
        wanted, live = self.wanted_now(), self.live()
        return {key: {"wanted": wanted.get(key), "live": live.get(key)} for key in wanted.keys() | live.keys() if wanted.get(key) != live.get(key)}

    def inventories(self):
        """What differs between the inventories, in the cluster and in the journal, and what is wanted."""
        wanted = {}
        for (kind, name), (owner, _) in self.wanted_now().items():
            wanted.setdefault(owner, set()).add(f"default_{name}__{kind}")
        items = json.loads(self.plane.kubectl("get", "kustomization", "-n", "default", "-o", "json"))["items"]
        told = {one["metadata"]["name"]: {entry["id"] for entry in one["status"]["inventory"]["entries"]} for one in items}
        kept = {name: ids for (_, name), ids in journal_file.owned(self.daemon.state).items()}
        return [(what, name, found.get(name, set()) ^ wanted.get(name, set())) for what, found in (("status", told), ("journal", kept))
                for name in found.keys() | wanted.keys() if found.get(name, set()) != wanted.get(name, set())]

    def stop(self):
        if self.api_thread:
            self.api_thread.join()
        for stop in (self.daemon.stop, self.azure.stop, self.git.stop, self.plane.stop):
            try:
                stop()
            except Exception as error:  # the others are stopped too
                print(f"     ({error})")


def left_behind(day):
    """Processes of a daemon's life that is over."""
    found, needle = [], str(day.daemon.state).encode()
    for folder in pathlib.Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and needle in (folder / "cmdline").read_bytes() and b"daemon\0" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def no_differences(day):
    try:
        eventually(lambda: day.differences() == {}, 60, 0.5, "the cluster equals Git")
    except AssertionError:
        raise AssertionError(f"the cluster is not what Git says: {day.differences()}") from None


def kills(day):
    """The day."""
    print(f"     HOLDFAST_SEED={SEED}, {KILLS} kills", flush=True)
    day.daemon.start()
    eventually(lambda: day.plane.get("crd", "fluxconfigs.clusterconfig.azure.com"), 30, what="CRDs")
    url = f"http://127.0.0.1:{day.git_port}/day.git"
    day.plane.apply(git_repository("day", url, interval="1s"),
                    {"apiVersion": "clusterconfig.azure.com/v1alpha1", "kind": "FluxConfig",
                     "metadata": {"name": "edge", "namespace": "default"},
                     "spec": {"scope": "cluster", "sourceKind": "GitRepository",
                              "gitRepository": {"url": url, "ref": {"branch": "main"}, "syncInterval": "1s"},
                              "kustomizations": [{"name": "night", "path": "./edge-night", "prune": True, "syncInterval": "5m", "retryInterval": "2s"}]}})
    for name in PLAIN:
        day.make(name)
    no_differences(day)
    outages = set(day.choice.sample(range(KILLS), max(2, KILLS // 20)))
    for number in range(KILLS):
        if number in outages:
            day.log.append("api_outage")
            day.api_outage()
        for _ in range(day.choice.randrange(0, 3)):
            day.something()
        time.sleep(day.choice.choice((day.choice.uniform(0, 0.2), day.choice.uniform(0, 1), day.choice.uniform(0.5, 3))))
        day.log.append("kill")
        day.kill()
        if day.choice.random() < 0.3:
            day.something()
        day.exec()
    day.kill()
    day.evening()
    day.exec()
    eventually(lambda: is_ready(day.socket), READY_WITHIN_S, what="ready")
    times = sorted(day.times)
    at = lambda share: times[min(len(times) - 1, int(len(times) * share))] * 1000
    print(f"     ready after a kill: p50 {at(0.5):.0f} ms, p99 {at(0.99):.0f} ms, max {times[-1] * 1000:.0f} ms ({len(times)} measured)")


def cluster_equals_git(day):
    """Nothing is missing, nothing is orphaned, and it stays so."""
    no_differences(day)
    time.sleep(2)
    no_differences(day)
    eventually(lambda: day.daemon.status()["complianceState"] == "Compliant", 30, what="compliant")
    print(f"     {len(day.wanted_now())} objects of {len(day.present) + 1} Kustomizations")


def records_are_dense(day):
    """Each sequence once, each RecordId with one content, what once was durable has arrived."""
    eventually(lambda: day.daemon.status()["outbox"]["waiting"] == 0, 90, 0.5, "outbox empty")
    day.kill()
    state = day.daemon.state
    last = journal_file.last_sequence(state)
    rows = day.azure.rows()
    by_sequence = without_duplicates(rows)
    check_order(by_sequence, day.refused_max)
    assert journal_file.dead_letters(state) == {}, journal_file.dead_letters(state)
    waiting = journal_file.queued(state)
    assert sorted(by_sequence.keys() | waiting.keys()) == list(range(1, last + 1)), "a hole, or a sequence nobody gave out"
    for sequence, (record_id, _) in day.queued.items():
        assert by_sequence[sequence]["RecordId"] == record_id, (sequence, record_id, by_sequence[sequence])
    print(f"     {last} records, {len(rows) - len(by_sequence)} delivered again, {len(day.queued)} seen waiting at a kill")


def all_is_in_order(day):
    """Dead, for good: the database, the inventories, the blobs, the processes."""
    state = day.daemon.state
    assert journal_file.problems(state) == []
    assert day.inventories() == [], day.inventories()
    eventually(lambda: left_behind(day) == [], 5, what="no process is left behind")
    day.daemon.start()
    eventually(lambda: blob_orphans(day) == [], 45, 1, "unused blobs are collected")


def blob_orphans(day):
    rows, files = journal_file.blobs(day.daemon.state)
    return sorted(files ^ {row.removeprefix("sha256:") for row in rows})


def main():
    with harness.workdir() as work:
        day = Day(work)
        try:
            code = harness.run([(test.__name__, lambda test=test: test(day)) for test in (kills, cluster_equals_git, records_are_dense, all_is_in_order)])
            if code:
                print(f"HOLDFAST_SEED={SEED}; {' '.join(day.log)}\n{day.daemon.tail(20000)}")
            return code
        finally:
            day.stop()


if __name__ == "__main__":
    sys.exit(main())
