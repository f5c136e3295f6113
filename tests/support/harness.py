"""Real parts for the integration tests: API server, Git server, daemon; each cleans up after itself.

Every test program is `python3 TEST HOLDFAST`; HOLDFAST_CONTROLPLANE names the folder with `controlplane` and `kubectl`
and without it the test skips (exit code 77).
"""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

SHARED_DATA = ROOT.parent / "shared" / "data"
SKIP = 77


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIP)


def eventually(check, within_s=30, every_s=0.1, what="condition"):
    """Calls `check` until it returns something true; that is returned. The last answer is in the message of a failure."""
    deadline, answer = time.monotonic() + within_s, None
    while time.monotonic() < deadline:
        answer = check()
        if answer:
            return answer
        time.sleep(every_s)
    what = what() if callable(what) else what
    raise AssertionError(f"{what}: not within {within_s} s; last: {answer!r}")


class ControlPlane:
    """etcd, kube-apiserver and kube-controller-manager on loopback, as one child."""

    def __init__(self, directory, nodes=0, audit=False):
        folder = os.environ.get("HOLDFAST_CONTROLPLANE")
        if not folder:
            skip("HOLDFAST_CONTROLPLANE is not set")
        self.folder = pathlib.Path(folder)
        command = [str(self.folder / "controlplane"), "up", "--dir", str(directory)]
        if nodes:
            command += ["--with-nodes", str(nodes)]
        if audit:
            command += ["--audit"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.kubeconfig = self.process.stdout.readline().strip()
        if not self.kubeconfig:
            raise AssertionError("the control plane did not start")

    def command(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def kubectl(self, *arguments, text="", check=True):
        result = subprocess.run([str(self.folder / "kubectl"), "--kubeconfig", self.kubeconfig, *arguments], input=text,
                                capture_output=True, text=True)
        if check and result.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(arguments)}: {result.stderr.strip()}")
        return result.stdout

    def apply(self, *documents):
        text = "\n---\n".join(d if isinstance(d, str) else json.dumps(d) for d in documents)
        return self.kubectl("apply", "-f", "-", text=text)

    def get(self, kind, name, namespace=None):
        """The object, or None when it is not there."""
        where = ["-n", namespace] if namespace else []
        result = self.kubectl("get", kind, name, *where, "-o", "json", "--ignore-not-found", check=False)
        return json.loads(result) if result.strip() else None

    def names(self, kind, namespace=None, selector=None):
        where = ["-n", namespace] if namespace else ["-A"]
        where += ["-l", selector] if selector else []
        items = json.loads(self.kubectl("get", kind, *where, "-o", "json"))["items"]
        return sorted(item["metadata"]["name"] for item in items)

    def condition(self, kind, name, namespace, wanted="Ready"):
        """(status, reason, message) of a condition, or None."""
        found = self.get(kind, name, namespace)
        for one in (found or {}).get("status", {}).get("conditions", []):
            if one["type"] == wanted:
                return one["status"], one["reason"], one["message"]
        return None

    def stop(self):
        with contextlib.suppress(Exception):
            self.process.stdin.close()
            self.process.wait(20)
        if self.process.poll() is None:
            self.process.kill()


class Repository:
    """A bare repository with one branch, changed by whole commits."""

    GIT = ["git", "-c", "init.defaultBranch=main", "-c", "user.name=Test", "-c", "user.email=test@localhost",
           "-c", "commit.gpgsign=false"]

    def __init__(self, directory, name="shop"):
        self.bare = pathlib.Path(directory) / f"{name}.git"
        self.tree = pathlib.Path(directory) / f"{name}.tree"
        self.tree.mkdir(parents=True)
        self.git("init", "-q")
        subprocess.run(self.GIT + ["init", "-q", "--bare", str(self.bare)], check=True)
        self.git("remote", "add", "origin", str(self.bare))

    def git(self, *arguments):
        return subprocess.run(self.GIT + list(arguments), cwd=self.tree, check=True, capture_output=True, text=True).stdout

    def copy(self, source, into="."):
        shutil.copytree(source, self.tree / into, dirs_exist_ok=True)

    def write(self, path, text):
        file = self.tree / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def remove(self, path):
        target = self.tree / path
        shutil.rmtree(target) if target.is_dir() else target.unlink()

    def commit(self, message="change", branch="main"):
        """Commits everything and pushes; returns the commit's id."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        self.git("push", "-q", "--force", "origin", f"HEAD:{branch}")
        return self.git("rev-parse", "HEAD").strip()


def without_cluster(home):
    """An environment that names no cluster by itself: the daemon would take this user's."""
    named = ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")
    return {name: value for name, value in os.environ.items() if name not in named} | {"HOME": str(home)}


class Daemon:
    """The program under test."""

    def __init__(self, holdfast, work, kubeconfig=None, config=""):
        self.holdfast, self.work = str(holdfast), pathlib.Path(work)
        self.state, self.log = self.work / "state", self.work / "daemon.log"
        self.config, self.manifests = self.work / "holdfast.yaml", self.work / "manifests.d"
        self.manifests.mkdir(parents=True, exist_ok=True)
        # Every server of a test is on loopback, where a source reaches nothing by itself.
        network = "" if "network:" in config else "network: {allow: [127.0.0.0/8]}\n"
        self.config.write_text(config + network, encoding="utf-8")
        self.kubeconfig, self.process = kubeconfig, None
        self.flags = []  # of `holdfast daemon`, after the others
        self.under = []  # a program and its flags that start the daemon and become it, such as `strace -D`

    def start(self, wait=True):
        command = [*self.under, self.holdfast, "daemon", "--config", str(self.config), "--state-dir", str(self.state),
                   "--manifests", str(self.manifests), "--listen", "127.0.0.1:0"]
        if self.kubeconfig:
            command += ["--kubeconfig", self.kubeconfig]
        command += self.flags
        self.process = subprocess.Popen(command, stderr=open(self.log, "ab"), env=without_cluster(self.work))
        if wait:
            eventually(lambda: self.status() is not None or self.process.poll() is not None, 20, 0.02, "daemon answers")
            if self.process.poll() is not None:
                raise AssertionError(f"the daemon ended: {self.tail()}")
        return self

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """SIGTERM; returns the seconds until it had ended."""
        if self.process is None or self.process.poll() is not None:
            return 0.0
        started = time.monotonic()
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("the daemon did not stop within 15 s") from None
        return time.monotonic() - started

    def status(self):
        """The status document, or None while nothing answers."""
        result = subprocess.run([self.holdfast, "status", "--state-dir", str(self.state), "--config", str(self.config), "-o", "json"],
                                capture_output=True, text=True)
        return json.loads(result.stdout) if result.returncode in (0, 1, 2) and result.stdout else None

    def table(self):
        result = subprocess.run([self.holdfast, "status", "--state-dir", str(self.state), "--config", str(self.config)], capture_output=True, text=True)
        return result.stdout, result.returncode

    def url(self):
        """Of the loopback endpoint; from the log, for port 0 picks a free one."""
        for line in reversed(self.log.read_text(encoding="utf-8").splitlines()):
            if '"url"' in line:
                return json.loads(line)["url"].rstrip("/")
        raise AssertionError("no status URL in the log")

    def fetch(self, path):
        with urllib.request.urlopen(self.url() + path, timeout=10) as answer:
            return answer.read().decode("utf-8")

    def log_lines(self):
        lines = []
        for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError):
                lines.append(json.loads(line))
        return lines

    def tail(self, size=4000):
        return self.log.read_text(encoding="utf-8", errors="replace")[-size:] if self.log.exists() else ""

    def kustomization(self, name):
        for one in (self.status() or {}).get("kustomizations", []):
            if one["name"] == name:
                return one
        return None


def git_repository(name, url, namespace="default", interval="5s", **spec):
    return {"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"url": url, "interval": interval, "ref": {"branch": "main"}, **spec}}


def kustomization(name, source, path="./", namespace="default", interval="1m", prune=True, **spec):
    return {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"sourceRef": {"kind": "GitRepository", "name": source}, "path": path, "interval": interval,
                     "retryInterval": "2s", "prune": prune, **spec}}


def run(tests):
    """Runs (name, function) pairs, or those named on the command line; prints a line each; returns the exit code."""
    failed = 0
    for name, test in tests:
        if sys.argv[2:] and name not in sys.argv[2:]:
            continue
        started = time.monotonic()
        try:
            test()
            print(f"ok   {name} ({time.monotonic() - started:.1f} s)", flush=True)
        except Exception:  # the next test still runs
            failed += 1
            print(f"FAIL {name} ({time.monotonic() - started:.1f} s)\n{traceback.format_exc()}", flush=True)
    return 1 if failed else 0


@contextlib.contextmanager
def workdir():
    path = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-test-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def run_in(make_world, tests):
    """Runs tests that share one world, in order; what the daemon logged last follows a failure."""
    with workdir() as work:
        world = make_world(work)
        try:
            code = run([(test.__name__, lambda test=test: test(world)) for test in tests])
            if code:
                print(world.daemon.tail())
            return code
        finally:
            world.stop()
