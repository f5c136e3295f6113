#!/usr/bin/env python3
"""What the daemon costs, measured on a real API server: start, idle, 100 Kustomizations of 4 objects, a no-op pass.

    daemon_bench.py HOLDFAST [--apps 100] [--flux DIR]

With --flux (the folder that scripts/build_flux prints) Flux's own controllers do the same work on the same machine right
after, on a control plane of their own. Prints one table with the goals beside the figures. Never fails on a slow machine.
"""
import argparse
import glob
import json
import os
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
from git_http import GitHttpServer  # noqa: E402
from harness import eventually, git_repository, kustomization  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")


def children_of(pid):
    found, queue = [pid], [pid]
    while queue:
        current = queue.pop()
        for task in glob.glob(f"/proc/{current}/task/*/children"):
            try:
                children = [int(child) for child in pathlib.Path(task).read_text().split()]
            except (FileNotFoundError, ProcessLookupError):
                continue  # ended since
            found += children
            queue += children
    return found


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except FileNotFoundError:
            continue
        total += int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])
    return total / TICKS


def pss_mib(pids):
    total = 0
    for pid in pids:
        try:
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            continue
    return total / 1024


def patch_count(plane):
    """PATCH requests the API server has answered, from its own metrics."""
    text = plane.kubectl("get", "--raw", "/metrics")
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
               if line.startswith("apiserver_request_total{") and re.search(r'verb="(PATCH|APPLY)"', line))


def make_sources(root, count):
    for index in range(count):
        repository = harness.Repository(root, f"app-{index}")
        name = f"app-{index}"
        repository.write("deployment.yaml", json.dumps({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "bench"},
            "spec": {"replicas": 0, "selector": {"matchLabels": {"app": name}},
                     "template": {"metadata": {"labels": {"app": name}},
                                  "spec": {"serviceAccountName": name, "containers": [{"name": "app", "image": "app:1"}]}}}}))
        repository.write("account.yaml", json.dumps({"apiVersion": "v1", "kind": "ServiceAccount",
                                                     "metadata": {"name": name, "namespace": "bench"}}))
        repository.write("service.yaml", json.dumps({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "bench"},
            "spec": {"clusterIP": "None", "selector": {"app": name}, "ports": [{"port": 80}]}}))
        repository.write("ingress.yaml", json.dumps({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name, "namespace": "bench"},
            "spec": {"defaultBackend": {"service": {"name": name, "port": {"number": 80}}}}}))
        repository.write("kustomization.yaml", "resources: [account.yaml, deployment.yaml, service.yaml, ingress.yaml]\n")
        repository.commit(name)


def wishes(url, count):
    documents = []
    for index in range(count):
        name = f"app-{index}"
        documents.append(git_repository(name, f"{url}/{name}.git", "bench", "10m"))
        documents.append(kustomization(name, name, "./", "bench", "10m", wait=True, timeout="1m"))
    return documents


def all_ready(plane, count):
    items = json.loads(plane.kubectl("get", "kustomizations", "-n", "bench", "-o", "json"))["items"]
    ready = sum(1 for item in items for one in item.get("status", {}).get("conditions", [])
                if one["type"] == "Ready" and one["status"] == "True")
    return ready == count


class Peak:
    """The largest PSS of some processes while something runs."""

    def __init__(self, pids):
        self.pids, self.value = pids, 0.0

    def sample(self):
        self.value = max(self.value, pss_mib(self.pids()))


def apply_all(plane, url, count, pids):
    """(seconds to all Ready, PATCH requests, CPU seconds of ours, CPU seconds of the API server, peak PSS)"""
    api = [pid for pid in children_of(plane.process.pid) if "apiserver" in cmdline(pid)]
    peak = Peak(pids)
    patches, own, servers = patch_count(plane), cpu_seconds(pids()), cpu_seconds(api)
    started = time.monotonic()
    plane.kubectl("create", "-f", "-", text="\n---\n".join(json.dumps(one) for one in wishes(url, count)))
    created = time.monotonic() - started

    def look():
        peak.sample()
        return all_ready(plane, count)

    eventually(look, 300, 0.25, "all Ready")
    took = time.monotonic() - started
    return {"seconds": took, "create": created, "patches": patch_count(plane) - patches, "cpu": cpu_seconds(pids()) - own,
            "server_cpu": cpu_seconds(api) - servers, "peak": peak.value}


def cmdline(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except FileNotFoundError:
        return ""


def start_to_page(holdfast, work):
    """Milliseconds from exec to the first answer on the socket, best of five."""
    import socket
    best = float("inf")
    for index in range(5):
        state = work / f"start-{index}"
        state.mkdir()
        path = str(state / "holdfast.sock")
        started = time.monotonic()
        process = subprocess.Popen([holdfast, "daemon", "--state-dir", str(state), "--listen", "", "--manifests", str(state)],
                                   stderr=subprocess.DEVNULL, env={k: v for k, v in os.environ.items() if k != "KUBECONFIG"})
        while True:
            try:
                with socket.socket(socket.AF_UNIX) as client:
                    client.connect(path)
                    client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    if client.recv(12).startswith(b"HTTP/1.1 200"):
                        break
            except OSError:
                time.sleep(0.0005)
        best = min(best, (time.monotonic() - started) * 1000)
        process.terminate()
        process.wait()
    return best


def holdfast_side(holdfast, count, work, rows):
    rows.append(("start to status page", f"{start_to_page(holdfast, work):.0f} ms", "", "<= 50 ms"))
    plane = harness.ControlPlane(work / "plane")
    git_root = work / "git"
    git_root.mkdir()
    make_sources(git_root, count)
    daemon = harness.Daemon(holdfast, work / "daemon", plane.kubeconfig, "install_crds: true\n")
    with GitHttpServer(str(git_root)) as git:
        try:
            daemon.start()
            plane.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bench"}})
            eventually(lambda: plane.get("crd", "kustomizations.kustomize.toolkit.fluxcd.io"), 30)
            pids = lambda: children_of(daemon.process.pid)
            time.sleep(8)
            before = cpu_seconds(pids())
            time.sleep(15)
            rows.append(("idle memory, all processes (PSS)", f"{pss_mib(pids()):.1f} MiB", "", "<= 16 MB"))
            rows.append(("idle CPU", f"{(cpu_seconds(pids()) - before) / 15 * 100:.2f} % of a core", "", "<= 0.2 %"))
            first = apply_all(plane, git.url, count, pids)
            time.sleep(3)
            quiet = patch_count(plane)
            requests = daemon.status()["requests"]
            time.sleep(10)
            after = daemon.status()["requests"]
            first["idle_patches"] = patch_count(plane) - quiet
            first["idle_requests"] = sum(after[v] - requests[v] for v in after if v != "watch")
            first["memory_after"] = pss_mib(pids())
            return first
        finally:
            daemon.stop()
            plane.stop()


def flux_side(folder, count, work):
    plane = harness.ControlPlane(work / "flux-plane")
    git_root = work / "flux-git"
    git_root.mkdir()
    make_sources(git_root, count)
    runner = harness.ROOT / "tests" / "flux" / "run"
    with GitHttpServer(str(git_root)) as git:
        process = subprocess.Popen([str(runner), plane.kubeconfig, str(work / "flux")], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True, env={**os.environ, "HOLDFAST_FLUX": folder})
        try:
            while process.stdout.readline().strip() not in ("ready", ""):
                pass
            plane.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bench"}})
            pids = lambda: [pid for pid in children_of(process.pid) if "controller" in cmdline(pid)]
            return apply_all(plane, git.url, count, pids)
        finally:
            process.stdin.close()
            process.wait()
            plane.stop()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("holdfast")
    arguments.add_argument("--apps", type=int, default=100)
    arguments.add_argument("--flux", default="")
    options = arguments.parse_args()
    holdfast = str(pathlib.Path(options.holdfast).resolve())
    rows = []
    with harness.workdir() as work:
        ours = holdfast_side(holdfast, options.apps, work, rows)
        flux = flux_side(options.flux, options.apps, work) if options.flux else None
    beside = lambda key, form: form.format(flux[key]) if flux else ""
    goal = options.apps == 100
    rows += [
        (f"{options.apps} Kustomizations x 4, first create to all Ready", f"{ours['seconds']:.1f} s", beside("seconds", "{:.1f} s"),
         "<= 6 s" if goal else "<= 60 s" if options.apps == 1000 else ""),
        ("  of that, kubectl create", f"{ours['create']:.1f} s", beside("create", "{:.1f} s"), ""),
        ("  PATCH requests", f"{ours['patches']:.0f}", beside("patches", "{:.0f}"), f"<= {12 * options.apps}"),
        ("  CPU of the controllers", f"{ours['cpu']:.1f} s", beside("cpu", "{:.1f} s"), ""),
        ("  CPU of the API server", f"{ours['server_cpu']:.1f} s", beside("server_cpu", "{:.1f} s"), ""),
        ("  peak memory (PSS)", f"{ours['peak']:.1f} MiB", beside("peak", "{:.1f} MiB"), "<= 64 MiB"),
        ("10 s afterwards: PATCH requests", f"{ours['idle_patches']:.0f}", "", "0"),
        ("10 s afterwards: requests of ours, watches aside", f"{ours['idle_requests']}", "", "0"),
        ("memory afterwards (PSS)", f"{ours['memory_after']:.1f} MiB", "", ""),
    ]
    widths = [max(len(row[i]) for row in rows + [("what", "holdfast", "flux", "goal")]) for i in range(4)]
    for row in [("what", "holdfast", "flux" if flux else "", "goal")] + rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


if __name__ == "__main__":
    main()
