#!/usr/bin/env python3
"""What the first fetch of many sources costs, and a check that finds nothing new.

    fetch_bench.py HOLDFAST [--before HOLDFAST] [--sources 100] [--rounds 3]

With --before another build does the same in turn, so that both meet the same machine. Needs git and no control plane. Never fails
on a slow machine.
"""
import argparse
import json
import os
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from git_http import GitHttpServer  # noqa: E402
from harness import Daemon, Repository, eventually, git_repository, workdir  # noqa: E402


def peak_kib(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def cpu_seconds(pid):
    """Of a process, its children and what they have waited for."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK") + sum(cpu_seconds(child) for child in children)


def fetch_all(holdfast, server, sources):
    """(seconds until the last of them is stored, CPU seconds of the daemon and its workers, the daemon's peak in KiB)"""
    with workdir() as work:
        daemon = Daemon(holdfast, work)
        documents = [git_repository(f"app-{number}", f"{server.url}/shop.git", interval="10m") for number in range(sources)]
        (daemon.manifests / "sources.yaml").write_text("---\n".join(json.dumps(one) + "\n" for one in documents), encoding="utf-8")
        started = time.monotonic()
        daemon.start(wait=False)
        eventually(lambda: daemon.tail(1 << 30).count("stored artifact for commit") >= sources, 600, 0.02, "all stored")
        seconds = time.monotonic() - started
        cpu, peak = cpu_seconds(daemon.process.pid), peak_kib(daemon.process.pid)
        daemon.stop()
        return seconds, cpu, peak


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("holdfast")
    parser.add_argument("--before")
    parser.add_argument("--sources", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    builds = {"before": options.before, "now": options.holdfast} if options.before else {"now": options.holdfast}
    measured = {name: [] for name in builds}
    with workdir() as work:
        repository = Repository(work / "repos")
        for number in range(30):
            repository.write(f"apps/{number}.yaml", f"number: {number}\n" * 20)
        repository.commit("one")
        with GitHttpServer(work / "repos") as server:
            for _ in range(options.rounds):
                for name, holdfast in builds.items():
                    server.requests.clear()
                    measured[name].append((*fetch_all(holdfast, server, options.sources), len(server.requests)))
    print(f"{options.sources} first fetches, median of {options.rounds}")
    print(f"{'':8}{'seconds':>9}{'CPU s':>9}{'peak KiB':>10}{'requests':>10}")
    medians = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in measured.items()}
    for name, (seconds, cpu, peak, requests) in medians.items():
        print(f"{name:8}{seconds:9.2f}{cpu:9.2f}{peak:10.0f}{requests:10.0f}")
    if options.before:
        print(f"ratio   {medians['now'][0] / medians['before'][0]:9.2f}{medians['now'][1] / medians['before'][1]:9.2f}   (goal: 1.2 of the seconds)")


if __name__ == "__main__":
    main()
