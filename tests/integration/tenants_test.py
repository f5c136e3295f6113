#!/usr/bin/env python3
"""What one namespace may use: whatever it asks for, another one's turn comes, and what finds no room is named.

Usage: tenants_test.py HOLDFAST [TEST...]
Without a cluster: wishes are files. What is looked at is who is served while the other one still holds what it got, never how fast.
"""
import base64
import json
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
from drip_server import DripServer  # noqa: E402
from git_http import GitHttpServer  # noqa: E402
from harness import eventually, git_repository, kustomization  # noqa: E402

HOLDFAST = pathlib.Path(sys.argv[1]).resolve()
PLACES = 4  # limits.fetches


def write(daemon, name, *documents):
    """Whole or not at all: the daemon may look at any moment."""
    beside = daemon.manifests / f".{name}"
    beside.write_text("\n---\n".join(json.dumps(one) for one in documents), encoding="utf-8")
    beside.rename(daemon.manifests / f"{name}.yaml")


def objects(daemon, kind):
    return {(one["namespace"], one["name"]): one for one in (daemon.status() or {}).get(kind, [])}


def test_a_dripping_server_keeps_no_place_of_others():
    with harness.workdir() as work, DripServer() as drip:
        repository = harness.Repository(work, "good")
        repository.write("a.yaml", "{}\n")
        repository.commit()
        daemon = harness.Daemon(HOLDFAST, work, config=f"limits: {{fetches: {PLACES}}}\n")
        with GitHttpServer(work) as server:
            try:
                daemon.start()
                write(daemon, "flood", *[git_repository(f"drip-{i}", f"{drip.url}/{i}.git", "flood", "1ms", timeout="100000m") for i in range(20)])
                eventually(lambda: drip.open >= PLACES - 1, 60, what="the flood holds its share")

                write(daemon, "calm", *[git_repository(f"good-{i}", f"{server.url}/good.git", "calm", "5s") for i in range(3)])

                def served():
                    sources = objects(daemon, "sources")
                    return all(sources.get(("calm", f"good-{i}"), {}).get("revision") for i in range(3))
                eventually(served, 60, what="the sources of the other namespace are fetched")
                assert drip.open == PLACES - 1, drip.open
            finally:
                daemon.stop()


def noise(seed, size):
    """Text that does not pack."""
    return base64.b64encode(random.Random(seed).randbytes(size)).decode()


def test_wishes_without_room_are_named_and_others_are_held():
    with harness.workdir() as work:
        daemon = harness.Daemon(HOLDFAST, work, config="limits: {memory: 64MiB}\n")
        big = [kustomization(f"big-{i}", "x", "./", "flood", patches=[{"patch": noise(i, 300_000)}]) for i in range(30)]
        for i, one in enumerate(big):
            write(daemon, f"flood-{i:02}", one)
        write(daemon, "zz-calm", kustomization("small", "x", "./", "calm"))
        try:
            for start in range(2):  # the second time from the journal
                daemon.start()
                eventually(lambda: len(objects(daemon, "kustomizations")) == 31, 60, what="everything is named")
                found = objects(daemon, "kustomizations")
                away = [key for key, one in found.items() if one["message"].startswith("no room for this object")]
                assert 10 <= len(away) < 30, (start, len(away))
                assert all(ns == "flood" for ns, _ in away), away
                assert "namespace 'flood'" in found[away[0]]["message"] and "limits.memory" in found[away[0]]["message"]
                daemon.stop()
            daemon.start()
            for i in range(30):
                if ("flood", f"big-{i}") not in away:
                    (daemon.manifests / f"flood-{i:02}.yaml").unlink()
            eventually(lambda: not any(one["message"].startswith("no room") for one in objects(daemon, "kustomizations").values()),
                       60, what="what was turned away is held once there is room")
        finally:
            daemon.stop()


if __name__ == "__main__":
    tests = [value for name, value in list(globals().items()) if name.startswith("test_")]
    sys.exit(harness.run([(test.__name__, test) for test in tests]))
