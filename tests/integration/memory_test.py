#!/usr/bin/env python3
"""Goal: whatever is asked of the daemon, all its processes together stay within limits.memory, what does not fit is refused with
the number and the name, and everything else goes on.
Method: the real control plane and Git; a thread adds up Pss of the daemon and everything below it, all the time.

Usage: memory_test.py HOLDFAST [TEST...]
With HOLDFAST_TEST_ALL=1 a thousand Kustomizations of 64 KB instead of two hundred.
"""
import http.server
import os
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
from git_http import GitHttpServer  # noqa: E402
from harness import eventually, git_repository, kustomization  # noqa: E402

HOLDFAST = pathlib.Path(sys.argv[1]).resolve()
WISHES = 1000 if os.environ.get("HOLDFAST_TEST_ALL") == "1" else 200
MIB = 1 << 20


def family(root):
    """The process and all that came from it."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        parents.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry.name))
    found, new = [], [root]
    while new:
        found += new
        new = [child for pid in new for child in parents.get(pid, [])]
    return found


def pss(pid):
    try:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass  # it has ended
    return 0


class Meter(threading.Thread):
    """The highest sum so far."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.highest, self.split, self.over = pid, 0, {}, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.02):
            split = {pid: pss(pid) for pid in family(self.pid)}
            if sum(split.values()) > self.highest:
                self.highest, self.split = sum(split.values()), split

    def stop(self):
        self.over.set()
        self.join()
        return self.highest


class FileServer:
    """Answers /<n> with a manifest of n MiB, piece by piece."""

    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                size = int(self.path.strip("/")) * MIB
                head = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: far\n  namespace: default\ndata:\n  a: b\n"
                self.send_response(200)
                self.send_header("Content-Length", str(size))
                self.end_headers()
                try:
                    self.wfile.write(head)
                    left = size - len(head)
                    line = b"# " + b"x" * 1021 + b"\n"
                    while left > 0:
                        left -= self.wfile.write(line[:left] if left < len(line) else line)
                except OSError:
                    pass  # the daemon had enough

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def config_map(name, lines):
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: default\ndata:\n" + "".join(lines)


class World:
    def __init__(self, work):
        self.work = work
        self.plane = harness.ControlPlane(work / "plane")
        self.git_root = work / "git"
        self.git_root.mkdir()
        self.git = GitHttpServer(str(self.git_root)).start()
        self.files = FileServer()
        self.daemon = None
        self.memory = 0
        self.begin(128)
        eventually(lambda: self.plane.get("crd", "kustomizations.kustomize.toolkit.fluxcd.io"), 30, what="CRDs")

    def begin(self, mebibytes):
        """A daemon with so much memory, that knows what the one before it knew."""
        self.memory = mebibytes * MIB
        if self.daemon:
            self.daemon.stop()
        config = f"install_crds: true\nnetwork: {{allow: [127.0.0.0/8]}}\nlimits: {{memory: {mebibytes}MiB}}\n"
        self.daemon = harness.Daemon(HOLDFAST, self.work / "daemon", self.plane.kubeconfig, config).start()

    def repository(self, name, files):
        repository = harness.Repository(self.git_root, name)
        for path, text in files.items():
            repository.write(path, text)
        repository.commit()
        self.plane.apply(git_repository(name, f"{self.git.url}/{name}.git", interval="1h"))
        eventually(lambda: (self.plane.condition("gitrepository", name, "default") or ("",))[0] == "True", 60, what=f"{name} is fetched")

    def ready(self, name):
        return self.plane.condition("kustomization", name, "default")

    def settled(self, names, within_s):
        """Waits until each is Ready or was refused; their conditions."""
        def look():
            found = {name: self.ready(name) for name in names}
            done = all(one and (one[0] == "True" or (one[0] == "False" and one[1] != "DependencyNotReady")) for one in found.values())
            return found if done else None
        return eventually(look, within_s, every_s=1, what=f"{len(names)} Kustomizations settle")

    def stop(self):
        self.daemon.stop()
        self.files.stop()
        self.git.stop()
        self.plane.stop()

    def within(self, meter):
        highest = meter.stop()
        print(f"     at most {highest / MIB:.0f} MiB of {self.memory / MIB:.0f}: "
              + ", ".join(f"{size / MIB:.0f}" for size in sorted(meter.split.values(), reverse=True)))
        assert highest <= self.memory, f"{highest} bytes of {self.memory}: {meter.split}"


def remote_files(world):
    """A remote file that does not fit is refused by its name, one that fits is used."""
    world.repository("far", {f"{size}/kustomization.yaml": f"resources:\n- {world.files.url}/{size}\n" for size in (2, 95)})
    meter = Meter(world.daemon.process.pid)
    world.plane.apply(kustomization("far-2", "far", path="./2"), kustomization("far-95", "far", path="./95"))
    found = world.settled(["far-2", "far-95"], 120)
    world.within(meter)
    assert found["far-2"][0] == "True", found["far-2"]
    assert found["far-95"][0] == "False", found["far-95"]
    assert f"{world.files.url}/95" in found["far-95"][2] and "more than" in found["far-95"][2], found["far-95"]


def renders(world):
    """Renders of much, all at once: each is applied or refused with a number, and together they stay below."""
    rows = [f"  key{i}: {'v' * 400}\n" for i in range(2000)]  # 0.8 MiB an object
    numbers = [f"  n{i}: \"{i}\"\n" for i in range(20_000)]  # many small values
    much = {name: [config_map(f"{name}-{i}", rows) for i in range(objects)]
            for name, objects in {"one": 1, "two": 2, "three": 3, "nine": 9, "thirty": 30}.items()}
    much["small"] = [config_map(f"small-{i}", numbers) for i in range(4)]
    for name, objects in much.items():
        world.repository(f"much-{name}", {"all.yaml": "---\n".join(objects)})
    names = list(much)
    meter = Meter(world.daemon.process.pid)
    world.plane.apply(*[kustomization(name, f"much-{name}") for name in names])
    found = world.settled(names, 180)
    world.within(meter)
    assert found["one"][0] == "True", found["one"]
    for name, condition in found.items():
        refused = condition[0] == "False"
        assert not refused or ("bytes" in condition[2] and condition[1] == "BuildFailed"), (name, condition)
    assert found["thirty"][0] == "False", "24 MiB of objects cannot fit"


def shown(plane):
    """name -> (Ready, message), as the server prints them: the objects themselves are many megabytes."""
    lines = plane.kubectl("get", "kustomization", "-n", "default", "--no-headers").splitlines()
    columns = [line.split(None, 3) for line in lines]
    return {one[0]: (one[2], one[3]) for one in columns if len(one) == 4}


def wishes(world):
    """Many Kustomizations of 64 KB each."""
    world.repository("tiny", {"all.yaml": config_map("tiny", ["  a: b\n"])})
    choice = random.Random(7)
    names = [f"wish-{i}" for i in range(WISHES)]

    def wish(name):
        text = "\n".join(f"    {choice.choice('abcdefgh')}{i}: {choice.getrandbits(40)}" for i in range(2900))
        patch = f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: none\ndata:\n{text}\n"
        return kustomization(name, "tiny", path="./", interval="1h", prune=False,
                             patches=[{"patch": patch, "target": {"kind": "None"}}])

    meter = Meter(world.daemon.process.pid)
    for at in range(0, WISHES, 50):
        world.plane.apply(*[wish(name) for name in names[at:at + 50]])

    def settled():
        found = shown(world.plane)
        done = [name for name in names if found.get(name, ("",))[0] in ("True", "False")]
        return found if len(done) == WISHES else None
    found = eventually(settled, 600, every_s=2, what=f"{WISHES} wishes settle")
    world.within(meter)
    refused = {name: found[name] for name in names if found[name][0] == "False"}
    print(f"     {len(refused)} of {WISHES} refused")
    for name, one in refused.items():
        assert "bytes" in one[2], (name, one)
    # The same node, begun anew with all of them.
    for mebibytes in (128, 64):
        world.begin(mebibytes)
        meter = Meter(world.daemon.process.pid)
        time.sleep(10)
        world.within(meter)


TESTS = [remote_files, renders, wishes]

if __name__ == "__main__":
    chosen = [test for test in TESTS if not sys.argv[2:] or test.__name__ in sys.argv[2:]]
    sys.exit(harness.run_in(World, chosen))
