#!/usr/bin/env python3
"""Goal: every answer of the status endpoint is as docs/openapi.yaml says, without a cluster and with broken manifests.
Method: a real daemon; each answer is held against the file by tests/support/openapi.py.

    status_test.py HOLDFAST
"""
import http.client
import json
import pathlib
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
from openapi import OpenApi, metrics_faults  # noqa: E402

HOLDFAST = pathlib.Path(sys.argv[1]).resolve()
API = OpenApi(harness.ROOT / "docs/openapi.yaml")
PAGE_BYTES_MAX = 48 * 1024

BROKEN = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: a, namespace: b\n"
WRONG = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: none\n"
WISHES = """apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata:
  name: shop
  namespace: apps
spec:
  url: http://127.0.0.1:1/<script>alert(1)</script>.git
  interval: 1h
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: shop
  namespace: apps
spec:
  sourceRef: {kind: GitRepository, name: shop}
  path: ./
  interval: 1h
  prune: true
---
apiVersion: clusterconfig.azure.com/v1alpha1
kind: FluxConfig
metadata:
  name: cluster-config
  namespace: cluster-config
spec:
  scope: cluster
  sourceKind: GitRepository
  gitRepository:
    url: http://127.0.0.1:1/config.git
    ref:
      branch: main
  kustomizations:
    - name: infra
      path: ./infra
    - name: apps
      path: ./apps
      dependsOn: [infra]
"""


def ask(daemon, path, method="GET", host=None):
    """(code, content type, body) over loopback."""
    address = daemon.url().removeprefix("http://")
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.request(method, path, headers={"Host": host or address})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, answer.getheader("Content-Type"), body


def hold_to_the_file(daemon):
    """Every path of the file; returns the status document."""
    document = None
    for path in API.document["paths"]:
        code, kind, body = ask(daemon, path)
        value = json.loads(body) if kind == "application/json" else body.decode("utf-8")
        if path in ("/healthz", "/readyz"):
            value = value.strip()
        faults = API.faults(path, code, kind, value)
        assert code == 200 and not faults, "\n".join([f"{path}: {code}", *faults])
        if path == "/metrics":
            assert not metrics_faults(value), metrics_faults(value)
        if path == "/":
            assert "<script" not in value.lower(), "the page has a script"
            assert len(body) <= PAGE_BYTES_MAX
            assert value.startswith("<!doctype html>") and value.rstrip().endswith("</html>")
        if path == "/api/v1/status":
            document = value
    return document


def with_nothing():
    with harness.workdir() as work:
        started = time.monotonic()
        daemon = harness.Daemon(HOLDFAST, work).start(wait=False)
        path = work / "state/holdfast.sock"
        while time.monotonic() - started < 20:
            try:
                with socket.socket(socket.AF_UNIX) as client:
                    client.connect(str(path))
                    client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    first = client.recv(64)
                break
            except OSError:
                time.sleep(0.002)
        print(f"first page {1000 * (time.monotonic() - started):.0f} ms after exec (goal: 50 ms)")
        assert first.startswith(b"HTTP/1.1 200")
        try:
            document = hold_to_the_file(daemon)
            assert document["complianceState"] == "Pending" and document["summary"]["why"] == "nothing is asked for yet"
            assert document["cluster"]["configured"] is False
            assert document["intake"]["problems"] == []
            assert document["startedAgeSeconds"] >= 0
            assert document["sandbox"]["seccomp"] is True
        finally:
            daemon.stop()


def with_broken_manifests():
    with harness.workdir() as work:
        daemon = harness.Daemon(HOLDFAST, work)
        (daemon.manifests / "a.yaml").write_text(BROKEN, encoding="utf-8")
        (daemon.manifests / "b.yaml").write_text(WRONG, encoding="utf-8")
        (daemon.manifests / "c.yaml").write_text(WISHES, encoding="utf-8")
        daemon.start()
        try:
            document = harness.eventually(lambda: (found := daemon.status()) and any(s["reason"] for s in found["sources"]) and found,
                                          20, what="a source was tried")
            document = hold_to_the_file(daemon)
            problems = document["intake"]["problems"]
            assert len(problems) == 2, problems
            assert problems[0].startswith("a.yaml:") and problems[1].startswith("b.yaml:1: "), problems
            # One broken file hides nothing else.
            assert "shop" in [one["name"] for one in document["sources"]]
            assert [one["name"] for one in document["configurations"]] == ["cluster-config"]
            kustomizations = [one["name"] for one in document["kustomizations"]]
            assert "cluster-config-infra" in kustomizations and "cluster-config-apps" in kustomizations, kustomizations
            table, code = daemon.table()
            assert code == 2, table
            headline, first, second = table.splitlines()[:3]
            assert "  Non-Compliant: 2 problems, " in headline, headline
            assert first.startswith("problem: a.yaml:") and second.startswith("problem: b.yaml:1: "), table
        finally:
            daemon.stop()


def what_is_refused():
    with harness.workdir() as work:
        daemon = harness.Daemon(HOLDFAST, work).start()
        try:
            for host in ("evil.example", "evil.example:9750", "10.0.0.1", "127.0.0.1.evil.example", "localhost.evil.example"):
                assert ask(daemon, "/api/v1/status", host=host)[0] == 421, host
            for host in ("localhost", "localhost:1", "127.0.0.1", "[::1]:9750"):
                assert ask(daemon, "/healthz", host=host)[0] == 200, host
            for path in ("/nothing", "/api/v1/status/", "/api", "/../etc/passwd", "//", "/healthz/x"):
                assert ask(daemon, path)[0] == 404, path
            for method in ("POST", "PUT", "DELETE", "PATCH"):
                for path in API.document["paths"]:
                    assert ask(daemon, path, method)[0] == 405, (method, path)
            code, _, body = ask(daemon, "/api/v1/status", "HEAD")
            assert code == 200 and body == b""
            assert ask(daemon, "/api/v1/status?pretty=1")[0] == 200
        finally:
            daemon.stop()


def headers():
    """What is shown runs no script, is framed by no other site, and is kept by no cache."""
    with harness.workdir() as work:
        daemon = harness.Daemon(HOLDFAST, work).start()
        try:
            address = daemon.url().removeprefix("http://")
            for path in API.document["paths"]:
                connection = http.client.HTTPConnection(address, timeout=10)
                connection.request("GET", path)
                answer = connection.getresponse()
                answer.read()
                connection.close()
                policy = answer.getheader("Content-Security-Policy") or ""
                assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "script" not in policy, (path, policy)
                for name, value in {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cache-Control": "no-store"}.items():
                    assert answer.getheader(name) == value, (path, name)
        finally:
            daemon.stop()


def logins():
    """A URL may carry a login; nothing that the endpoint shows does."""
    with harness.workdir() as work:
        daemon = harness.Daemon(HOLDFAST, work)
        (daemon.manifests / "c.yaml").write_text(WISHES.replace("http://127.0.0.1:1/", "http://user:s3cr3t@127.0.0.1:1/"), encoding="utf-8")
        daemon.start()
        try:
            harness.eventually(lambda: (found := daemon.status()) and any(s["reason"] for s in found["sources"]), 20, what="a source was tried")
            for path in ("/", "/api/v1/status", "/metrics"):
                body = ask(daemon, path)[2].decode("utf-8")
                assert "s3cr3t" not in body, (path, body)
            assert "s3cr3t" not in daemon.table()[0]
            assert {one["url"] for one in daemon.status()["sources"]} == {
                "http://xxxxx@127.0.0.1:1/<script>alert(1)</script>.git", "http://xxxxx@127.0.0.1:1/config.git"}
            assert [one["sourceUrl"] for one in daemon.status()["configurations"]] == ["http://xxxxx@127.0.0.1:1/config.git"]
        finally:
            daemon.stop()


def silence():
    """A daemon that is there and does not answer is not taken for one that is not there."""
    with harness.workdir() as work:
        daemon = harness.Daemon(HOLDFAST, work).start()
        path = work / "state/holdfast.sock"

        def status():
            return subprocess.run([str(HOLDFAST), "status", "--socket", str(path)], check=False, capture_output=True, text=True, timeout=60)

        try:
            daemon.process.send_signal(signal.SIGSTOP)
            started = time.monotonic()
            stopped = status()
            print(f"gave up after {time.monotonic() - started:.1f} s (goal: 3 s)")
        finally:
            daemon.process.send_signal(signal.SIGCONT)
            daemon.kill()
        dead = status()
        path.unlink()
        gone = status()
        assert (stopped.returncode, dead.returncode, gone.returncode) == (3, 3, 3)
        assert f"the daemon at {path} does not answer" in stopped.stderr and "localhost" not in stopped.stderr, stopped.stderr
        assert f"no daemon at {path}: it has ended" in dead.stderr, dead.stderr
        assert f"no daemon at {path}: there is no such socket" in gone.stderr, gone.stderr


def watching():
    """-w shows it again and again, and its reader may leave."""
    with harness.workdir() as work:
        daemon = harness.Daemon(HOLDFAST, work).start()
        process = subprocess.Popen([str(HOLDFAST), "status", "-w", "--state-dir", str(daemon.state)], stdout=subprocess.PIPE, text=True)
        try:
            headlines = 0
            while headlines < 2:
                line = process.stdout.readline()
                assert line, "it ended by itself"
                headlines += line.startswith("holdfast ")
            process.stdout.close()
            process.wait(60)
        finally:
            process.kill()
            process.wait()
            daemon.stop()


def many_at_once():
    """Sixty-four readers do not keep the sixty-fifth out."""
    with harness.workdir() as work:
        daemon = harness.Daemon(HOLDFAST, work).start()
        try:
            host, port = daemon.url().removeprefix("http://").rsplit(":", 1)
            idle = [socket.create_connection((host, int(port)), 5) for _ in range(64)]
            try:
                assert ask(daemon, "/healthz")[0] == 200
            finally:
                for one in idle:
                    one.close()
        finally:
            daemon.stop()


def command_and_socket_agree():
    with harness.workdir() as work:
        daemon = harness.Daemon(HOLDFAST, work).start()
        try:
            done = subprocess.run([str(HOLDFAST), "status", "--socket", str(work / "state/holdfast.sock"), "-o", "json"],
                                  check=False, capture_output=True, text=True)
            faults = API.faults("/api/v1/status", 200, "application/json", json.loads(done.stdout))
            assert done.returncode == 1 and not faults, (done, faults)
        finally:
            daemon.stop()


if __name__ == "__main__":
    sys.exit(harness.run([("with nothing", with_nothing), ("with broken manifests", with_broken_manifests),
                          ("what is refused", what_is_refused), ("headers", headers), ("logins", logins),
                          ("silence", silence), ("watching", watching), ("many at once", many_at_once),
                          ("command and socket agree", command_and_socket_agree)]))
