#!/usr/bin/env python3
"""What a namespace that floods costs its neighbours, on a real API server.

    tenants_bench.py HOLDFAST [--minutes 10]

Four namespaces ask for ten passes a second together (reconcile.fluxcd.io/requestedAt, by turns of a source and of a Kustomization);
a pass has ended when status.lastHandledReconcileAt says so. First alone, then while a fifth namespace has a thousand objects with
intervals of 1 ms, 400 of them on a server that sends a byte a second. Prints both distributions beside the goals: p99 at most twice
that of before and at most a second, nothing refused. Never fails on a slow machine.
"""
import argparse
import json
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
from api_client import ApiClient  # noqa: E402
from drip_server import DripServer  # noqa: E402
from git_http import GitHttpServer  # noqa: E402
from harness import eventually, git_repository, kustomization  # noqa: E402

TENANTS = [f"tenant-{i}" for i in range(4)]
EACH = 5          # sources, and as many Kustomizations, of one tenant
PASSES_A_SECOND = 10
PATHS = {"GitRepository": "/apis/source.toolkit.fluxcd.io/v1/namespaces/{}/gitrepositories/{}",
         "Kustomization": "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/{}/kustomizations/{}"}


class Asker(threading.Thread):
    """One tenant: asks for a pass at its times, one after the other, and waits for each."""

    def __init__(self, kubeconfig, ns, seconds):
        super().__init__()
        self.api, self.ns, self.seconds, self.took, self.lost = ApiClient(kubeconfig), ns, seconds, [], 0

    def run(self):
        every, started = len(TENANTS) / PASSES_A_SECOND, time.monotonic()
        for turn in range(int(self.seconds / every)):
            wait = started + turn * every - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            kind = "GitRepository" if turn % 2 == 0 else "Kustomization"
            self.ask(PATHS[kind].format(self.ns, f"app-{turn // 2 % EACH}"))

    def ask(self, path):
        asked, began = str(time.time_ns()), time.monotonic()
        self.api.merge(path, {"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": asked}}})
        while time.monotonic() - began < 30:
            status, text = self.api.request("GET", path)
            if status == 200 and json.loads(text).get("status", {}).get("lastHandledReconcileAt") == asked:
                self.took.append(time.monotonic() - began)
                return
            time.sleep(0.01)
        self.lost += 1


def measure(kubeconfig, seconds):
    askers = [Asker(kubeconfig, ns, seconds) for ns in TENANTS]
    for one in askers:
        one.start()
    for one in askers:
        one.join()
    return sorted(took for one in askers for took in one.took), sum(one.lost for one in askers)


def quantile(sorted_values, share):
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))] * 1000 if sorted_values else float("nan")


def flood(url, drip):
    """A thousand objects: 400 slow sources, 100 good ones, 400 Kustomizations of a good one, 100 with a slow remote base."""
    documents = [git_repository(f"drip-{i}", f"{drip}/{i}.git", "flood", "1ms", timeout="1000m") for i in range(400)]
    documents += [git_repository(f"good-{i}", f"{url}/app.git", "flood", "1ms") for i in range(100)]
    documents += [kustomization(f"good-{i}", "good-0", "./", "flood", "1ms", targetNamespace="flood") for i in range(400)]
    documents += [kustomization(f"drip-{i}", "good-0", "./remote", "flood", "1ms", targetNamespace="flood") for i in range(100)]
    return documents


def create(plane, documents):
    for first in range(0, len(documents), 200):
        plane.kubectl("create", "-f", "-", text="\n---\n".join(json.dumps(one) for one in documents[first:first + 200]))


def refused(plane):
    """What of the tenants is not Ready."""
    found = []
    for ns in TENANTS:
        for kind in ("gitrepositories", "kustomizations"):
            for item in json.loads(plane.kubectl("get", kind, "-n", ns, "-o", "json"))["items"]:
                ready = [one for one in item.get("status", {}).get("conditions", []) if one["type"] == "Ready"]
                if not ready or ready[0]["status"] != "True":
                    found.append(f"{ns}/{item['metadata']['name']}: {ready[0]['message'] if ready else 'no condition'}")
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("holdfast", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=10)
    options = parser.parse_args()
    with harness.workdir() as work, DripServer() as drip, GitHttpServer(str(work)) as server:
        repository = harness.Repository(work, "app")
        repository.write("map.yaml", json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "app"}, "data": {"a": "b"}}))
        repository.write("kustomization.yaml", "resources: [map.yaml]\n")
        repository.write("remote/kustomization.yaml", f"resources: ['{drip.url}/base.yaml']\n")
        repository.commit()
        plane = harness.ControlPlane(work / "plane")
        daemon = harness.Daemon(options.holdfast.resolve(), work, plane.kubeconfig, "install_crds: true\n")
        try:
            daemon.start()
            eventually(lambda: "kustomizations" in plane.kubectl("api-resources", check=False), 60, 0.5, "the CRDs are there")
            for ns in (*TENANTS, "flood"):
                plane.kubectl("create", "namespace", ns)
            create(plane, [one for ns in TENANTS for i in range(EACH) for one in (
                git_repository(f"app-{i}", f"{server.url}/app.git", ns, "10m"),
                kustomization(f"app-{i}", f"app-{i}", "./", ns, "10m", targetNamespace=ns, force=True))])
            eventually(lambda: not refused(plane), 300, 1, "the tenants are Ready")
            alone, lost_alone = measure(plane.kubeconfig, options.minutes * 60)
            create(plane, flood(server.url, drip.url))
            eventually(lambda: drip.open > 0, 60, 0.5, "the flood has begun")
            beside, lost_beside = measure(plane.kubeconfig, options.minutes * 60)
            print(f"{'':24}{'alone':>10}{'flooded':>10}  goal")
            for name, share in (("p50 ms", 0.5), ("p99 ms", 0.99), ("max ms", 1)):
                goal = f"<= {min(1000, 2 * quantile(alone, 0.99)):.0f}" if share == 0.99 else ""
                print(f"{name:24}{quantile(alone, share):10.0f}{quantile(beside, share):10.0f}  {goal}")
            print(f"{'passes':24}{len(alone):10}{len(beside):10}")
            print(f"{'without an answer':24}{lost_alone:10}{lost_beside:10}  0")
            print(f"{'connections that drip':24}{'':10}{drip.open:10}")
            for one in refused(plane):
                print(f"not Ready: {one}")
        finally:
            daemon.stop()
            plane.stop()


if __name__ == "__main__":
    main()
