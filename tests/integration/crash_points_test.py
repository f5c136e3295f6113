#!/usr/bin/env python3
"""kill -9 at the N-th system call that changes something: a write, an fsync, a rename, an unlink, a message to a server.

Usage: crash_points_test.py HOLDFAST
12 points; 1,000 with HOLDFAST_TEST_ALL=1, HOLDFAST_POINTS sets another number. HOLDFAST_SEED repeats the choices. Each point is a life
under `strace --inject`, in which a short day is played: commits that add, change, move and remove, drift, a fight, an outage of Git and
Azure, a Kustomization deleted. kill_test.py kills at random times and finds what takes long; this finds what is short.
After each death: the database is whole, nothing acknowledged is lost, and the next life makes the cluster what Git says, where nothing is
orphaned and nothing that stays was ever deleted (its uid is the same).
"""
import contextlib
import json
import os
import shutil
import sys
import time

import kill_test
from kill_test import Day, KINDS, OWNER, PLAIN, is_ready
import harness
import journal_file
from api_client import ApiClient
from harness import eventually, git_repository

POINTS = int(os.environ.get("HOLDFAST_POINTS", "1000" if os.environ.get("HOLDFAST_TEST_ALL") == "1" else "12"))
CALLS = {"pwrite64": 60, "fdatasync,fsync": 12, "write": 60, "rename,renameat,renameat2": 4, "unlink,unlinkat": 12, "sendto,sendmsg": 80}
PATHS = {"ConfigMap": "configmaps", "ServiceAccount": "serviceaccounts", "Service": "services"}
THINGS_MAX = 4  # of a Kustomization: the day shall not grow


class Points(Day):
    def __init__(self, work):
        super().__init__(work)
        self.api = ApiClient(self.plane.kubeconfig)
        self.reached = dict(CALLS)  # the most calls of a kind that a life is expected to make
        self.uids, self.deaths, self.survived = {}, {}, 0

    # --- one life

    def arm(self, calls, number):
        """The next life ends before its `number`-th call of this kind, counted for each thread."""
        self.daemon.under = ["strace", "-D", "-f", "-q", "-o", "/dev/null", "-e", f"trace={calls}", "-e", "signal=none",
                             "-e", f"inject={calls}:signal=SIGKILL:when={number}"]

    def is_dead(self):
        return self.daemon.process.poll() is not None

    def wait(self, seconds, until=lambda: False):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.is_dead() and not until():
            time.sleep(0.02)

    def change_git(self):
        for name in (*PLAIN, "edge-night"):
            things = sorted(self.wanted[name])
            if len(things) >= THINGS_MAX:
                self.drop(name, self.choice.choice(things))
        self.put(self.choice.choice(sorted(self.wanted)), self.fresh())
        folder, thing = self.some(0)
        self.put(folder, thing)
        folder, thing = self.some()
        self.drop(folder, thing)
        # To one that is there and of the same source stays the same object; else it may be deleted first.
        to = self.choice.choice(sorted(set(self.wanted) - {folder}))
        self.put(to, thing)
        if to not in self.present or folder not in self.present:
            self.uids.pop(thing, None)
        self.repository.commit()

    def change_cluster(self):
        """Somebody deletes one thing and writes into another one."""
        here = sorted(self.live_uids())
        if len(here) < 2:
            return
        (kind, name), other = self.choice.sample(here, 2)
        self.uids.pop((kind, name), None)
        self.api.request("DELETE", f"/api/v1/namespaces/default/{PATHS[kind]}/{name}")
        self.api.merge(f"/api/v1/namespaces/default/{PATHS[other[0]]}/{other[1]}", {
            "ConfigMap": {"data": {"value": "theirs"}}, "ServiceAccount": {"automountServiceAccountToken": None},
            "Service": {"spec": {"selector": {"app": "theirs"}}}}[other[0]])

    def fight(self):
        things = sorted(key for key in self.live_uids() if key[0] == "ConfigMap")
        for i in range(8):
            if not things or self.is_dead():
                return
            self.api.merge(f"/api/v1/namespaces/default/configmaps/{things[0][1]}", {"data": {"value": f"fought-{i}"}})
            time.sleep(0.05)

    def outage(self):
        self.git_outage()
        self.azure_outage()
        self.change_git()
        self.wait(0.3)
        self.git_outage()
        self.azure_outage()

    def leave(self):
        name = self.choice.choice(PLAIN)
        for thing in self.wanted[name]:
            self.uids.pop(thing, None)
        for one in self.live_items():  # what a commit that is not fetched yet moves elsewhere goes with it too
            if one["metadata"]["labels"][OWNER] == name:
                self.uids.pop((one["kind"], one["metadata"]["name"]), None)
        self.present.discard(name)
        self.kubectl("delete", "kustomization", name, "--wait=false")

    def play(self):
        """A life, up to its death; the scenes come in an order of their own."""
        scenes = [self.change_git, self.change_cluster, self.fight, self.outage, self.leave]
        self.choice.shuffle(scenes)
        for scene in [self.change_git, *scenes[:3]]:
            if self.is_dead():
                return
            self.log.append(scene.__name__)
            scene()
            self.wait(1.5, lambda: not self.differences())

    # --- what must be true after a death

    def live_items(self):
        items = []
        for kind in KINDS:
            status, text = self.api.request("GET", f"/api/v1/{PATHS[kind]}?labelSelector={OWNER}")
            assert status == 200, text
            items += [{**one, "kind": kind} for one in json.loads(text)["items"]]
        return items

    def live(self):
        return {(one["kind"], one["metadata"]["name"]): (one["metadata"]["labels"][OWNER], str(kill_test.value_of(one))) for one in self.live_items()}

    def differences(self):
        with contextlib.suppress(KeyError):  # a value that somebody took away
            return super().differences()
        return {"value": "missing"}

    def live_uids(self):
        return {(one["kind"], one["metadata"]["name"]): one["metadata"]["uid"] for one in self.live_items()}

    def nothing_was_deleted(self):
        """What was there after the last death, and was to stay, is still the same object."""
        now = self.live_uids()
        stays = {key for things in self.wanted.values() for key in things}
        changed = {key: (uid, now.get(key)) for key, uid in self.uids.items() if key in stays and now.get(key) != uid}
        self.uids = now
        assert not changed, f"deleted, and nobody asked for it: {changed}"

    def recover(self):
        self.daemon.under = []
        self.evening()
        for name in PLAIN:
            if name not in self.present:
                eventually(lambda name=name: self.plane.get("kustomization", name, "default") is None or self.exec_once(), 30, what=f"{name} is gone")
                self.make(name)
        self.exec_once()
        kill_test.no_differences(self)
        self.nothing_was_deleted()

    def exec_once(self):
        """Starts the next life unless it runs."""
        if self.is_dead():
            self.daemon.start(wait=False)
            eventually(lambda: is_ready(self.socket) or self.is_dead(), kill_test.READY_WITHIN_S, 0.01, "ready")
            assert not self.is_dead(), self.daemon.tail()


def points(day):
    print(f"     HOLDFAST_SEED={kill_test.SEED}, {POINTS} points", flush=True)
    day.daemon.start()
    eventually(lambda: day.plane.get("crd", "fluxconfigs.clusterconfig.azure.com"), 30, what="CRDs")
    url = f"http://127.0.0.1:{day.git_port}/day.git"
    day.plane.apply(git_repository("day", url, interval="500ms"),
                    {"apiVersion": "clusterconfig.azure.com/v1alpha1", "kind": "FluxConfig",
                     "metadata": {"name": "edge", "namespace": "default"},
                     "spec": {"scope": "cluster", "sourceKind": "GitRepository",
                              "gitRepository": {"url": url, "ref": {"branch": "main"}, "syncInterval": "1s"},
                              "kustomizations": [{"name": "night", "path": "./edge-night", "prune": True, "syncInterval": "5m", "retryInterval": "2s"}]}})
    for name in PLAIN:
        day.make(name)
    kill_test.no_differences(day)
    day.nothing_was_deleted()
    for number in range(POINTS):
        calls = list(CALLS)[number % len(CALLS)]
        at = day.choice.randint(1, day.reached[calls])
        day.kill()
        day.arm(calls, at)
        day.log.append(f"{calls.split(',')[0]}:{at}")
        day.daemon.start(wait=False)
        day.wait(5, lambda: is_ready(day.socket))
        day.play()
        if day.is_dead():
            day.deaths[calls] = day.deaths.get(calls, 0) + 1
        else:
            day.survived += 1
            day.reached[calls] = max(4, at * 2 // 3)
        day.kill()
        day.recover()
        day.log.clear()
        if number % 50 == 49:
            print(f"     {number + 1} points, {day.survived} lived on", flush=True)
    print("     died before " + ", ".join(f"{calls.split(',')[0]} {count}" for calls, count in day.deaths.items()) + f"; {day.survived} lived on", flush=True)
    assert sum(day.deaths.values()) >= POINTS // 2, "most points were never reached"


def main():
    if not shutil.which("strace"):
        harness.skip("strace is not installed")
    with harness.workdir() as work:
        day = Points(work)
        try:
            code = harness.run([(test.__name__, lambda test=test: test(day)) for test in
                                (points, kill_test.cluster_equals_git, kill_test.records_are_dense, kill_test.all_is_in_order)])
            if code:
                print(f"HOLDFAST_SEED={kill_test.SEED}; {' '.join(day.log)}\n{day.daemon.tail(20000)}")
                if journal_file.problems(day.daemon.state):
                    print(journal_file.problems(day.daemon.state))
            return code
        finally:
            day.stop()


if __name__ == "__main__":
    sys.exit(main())
