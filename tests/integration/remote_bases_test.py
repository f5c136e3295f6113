#!/usr/bin/env python3
"""Kustomizations with remote bases: followed while their server answers, rendered from the cache when it does not, refused on demand.

Usage: remote_bases_test.py HOLDFAST
"""
import http.server
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
from git_http import GitHttpServer  # noqa: E402
from harness import eventually, git_repository, kustomization  # noqa: E402

HOLDFAST = pathlib.Path(sys.argv[1]).resolve()
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {}\n  namespace: default\ndata:\n  key: \"{}\"\n"


class Files(http.server.BaseHTTPRequestHandler):
    """Files by path, with an ETag."""
    bodies, moved = {}, {}

    def do_GET(self):
        if self.path in self.moved:
            self.send_response(302)
            self.send_header("Location", self.moved[self.path])
            self.end_headers()
            return
        body = self.bodies.get(self.path, "").encode()
        etag = f'"{hash(body)}"'
        status = 404 if not body else 304 if self.headers.get("If-None-Match") == etag else 200
        self.server.statuses.append(status)
        self.send_response(status)
        if status == 200:
            self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(body) if status == 200 else 0))
        self.end_headers()
        if status == 200:
            self.wfile.write(body)

    def log_message(self, *_):
        pass


class World:
    def __init__(self, work):
        self.plane = harness.ControlPlane(work / "plane")
        # Two servers, because the remote ones go away and the source stays.
        self.source_root, self.remote_root = work / "source", work / "remote"
        self.source_root.mkdir()
        self.remote_root.mkdir()
        self.source = GitHttpServer(str(self.source_root)).start()
        self.start_remote()
        Files.bodies["/lamp.yaml"] = CONFIG_MAP.format("lamp", "1")
        self.base = harness.Repository(self.remote_root / "org", "base")
        self.base.write("till/kustomization.yaml", "resources: [till.yaml]\n")
        self.base.write("till/till.yaml", CONFIG_MAP.format("till", "1"))
        self.base.commit("opening")
        self.shop = harness.Repository(self.source_root, "shop")
        self.shop.write("kustomization.yaml", f"resources:\n- {self.remote_url('base')}//till?ref=main\n- {self.files_url}/lamp.yaml\n")
        self.shop.commit("opening")
        self.daemon = harness.Daemon(HOLDFAST, work / "daemon", self.plane.kubeconfig,
                                     "install_crds: true\nnetwork: {allow: [127.0.0.1/32]}\n")
        self.daemon.start()
        eventually(lambda: self.plane.get("crd", "kustomizations.kustomize.toolkit.fluxcd.io"), 30, what="CRDs")
        self.plane.apply(git_repository("shop", f"{self.source.url}/shop.git", interval="1s"))

    def start_remote(self, git_port=0, files_port=0):
        self.remote = GitHttpServer(str(self.remote_root), port=git_port).start()
        self.files = http.server.ThreadingHTTPServer(("127.0.0.1", files_port), Files)
        self.files.statuses = []
        threading.Thread(target=self.files.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.files_url = f"http://127.0.0.1:{self.files.server_port}"

    def stop_remote(self):
        self.remote.stop()
        self.files.shutdown()
        self.files.server_close()

    def remote_url(self, name):
        return f"{self.remote.url}/org/{name}.git"

    def key(self, name):
        found = self.plane.get("configmap", name, "default")
        return found["data"]["key"] if found else None

    def state_of(self, name):
        one = self.daemon.kustomization(name)
        return (one["complianceState"], one["reason"]) if one else None

    def written(self):
        """What changes when the daemon keeps something: its database and its blobs."""
        kept = [self.daemon.state / "holdfast.db", self.daemon.state / "holdfast.db-wal", *sorted((self.daemon.state / "blobs").rglob("*"))]
        return [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in kept if path.is_file()]

    def stop(self):
        for stop in (self.daemon.stop, self.source.stop, self.stop_remote, self.plane.stop):
            try:
                stop()
            except Exception as error:  # the others are stopped too
                print(f"     ({error})")


def follows(world):
    """A Kustomization over a repository and a file by URL is applied, and follows both at its own interval."""
    world.plane.apply(kustomization("shop", "shop", interval="1s"))
    eventually(lambda: world.state_of("shop") == ("Compliant", "ReconciliationSucceeded"), 30, what="shop")
    assert (world.key("till"), world.key("lamp")) == ("1", "1")
    world.base.write("till/till.yaml", CONFIG_MAP.format("till", "2"))
    world.base.commit("another")
    Files.bodies["/lamp.yaml"] = CONFIG_MAP.format("lamp", "2")
    eventually(lambda: (world.key("till"), world.key("lamp")) == ("2", "2"), 15, what="the new content")


def writes_nothing(world):
    """Passes that find nothing new ask upstream, with conditions, and write nothing."""
    eventually(lambda: world.state_of("shop") == ("Compliant", "ReconciliationSucceeded"), 10, what="shop")
    time.sleep(1.5)
    world.remote.requests.clear()
    world.files.statuses.clear()
    before = world.written()
    eventually(lambda: len(world.remote.requests) >= 3 and len(world.files.statuses) >= 3, 15, what="three passes")
    assert {one["stage"] for one in world.remote.requests} == {"refs"}, world.remote.requests
    assert set(world.files.statuses) == {304}, world.files.statuses
    assert world.written() == before


def keeps(world):
    """The servers of the remote bases go away: rendered from the cache, through kill -9, and a new commit of the source too."""
    git_port, files_port = world.remote.httpd.server_port, world.files.server_port
    world.stop_remote()
    eventually(lambda: sum("its last content is used" in str(line) for line in world.daemon.log_lines()) == 2, 15, what="said once for each")
    world.daemon.kill()
    world.daemon.start()
    eventually(lambda: world.daemon.status()["cluster"]["reachable"], 20, what="cluster reachable")
    world.shop.write("kustomization.yaml", (world.shop.tree / "kustomization.yaml").read_text() + "commonAnnotations: {offline: \"yes\"}\n")
    world.shop.commit("in the dark")
    marked = lambda name: "offline" in world.plane.get("configmap", name, "default")["metadata"].get("annotations", {})
    eventually(lambda: marked("till") and marked("lamp"), 20, what="the commit is applied over the kept content")
    assert (world.key("till"), world.key("lamp")) == ("2", "2")
    assert world.state_of("shop") == ("Compliant", "ReconciliationSucceeded"), world.state_of("shop")
    world.start_remote(git_port, files_port)
    eventually(lambda: sum("can be fetched again" in str(line) for line in world.daemon.log_lines()) == 2, 30, what="fetched again")


def names_what_is_not_there(world):
    """A remote base that was never fetched fails the build, naming the URL and the cause; what is applied stays."""
    world.shop.write("gone/kustomization.yaml", f"resources:\n- {world.remote_url('gone')}//x\n")
    world.shop.commit("gone")
    world.plane.apply(kustomization("gone", "shop", "./gone", interval="1s"))
    eventually(lambda: world.state_of("gone") == ("Non-Compliant", "BuildFailed"), 20, what="gone")
    message = world.daemon.kustomization("gone")["message"]
    assert world.remote_url("gone") in message and "epository not found" in message, message
    world.plane.kubectl("delete", "kustomization", "gone", "--timeout=20s")


def reaches_no_service_of_the_machine(world):
    """Neither a base, nor a generator's file, nor a redirect, nor a source reaches an address that is not allowed, in any spelling."""
    service = http.server.ThreadingHTTPServer(("127.0.0.2", 0), Files)
    service.statuses, port = [], service.server_port
    threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    Files.bodies["/latest/user-data"] = CONFIG_MAP.format("stolen", "secret")
    Files.moved["/moved.yaml"] = f"http://127.0.0.2:{port}/latest/user-data"
    inside = f"http://127.0.0.2:{port}/latest/user-data"
    cases = {
        "base": (f"resources: [{inside}]\n", "127.0.0.2 is a loopback address"),
        "file": (f"configMapGenerator: [{{name: stolen, files: [\"a={inside}\"]}}]\n", "127.0.0.2 is a loopback address"),
        "moved": (f"resources: [{world.files_url}/moved.yaml]\n", "127.0.0.2 is a loopback address"),
        "repo": (f"resources: [\"git::http://127.0.0.2:{port}/org/base.git\"]\n", "127.0.0.2 is a loopback address"),
        "short": (f"resources: [\"http://127.2:{port}/latest/user-data\"]\n", "127.2"),
        "mapped": (f"resources: [\"http://[::ffff:127.0.0.2]:{port}/latest/user-data\"]\n", "an IPv4 address written as IPv6"),
        "six": (f"resources: [\"http://[::1]:{port}/latest/user-data\"]\n", "::1 is a loopback address"),
        "metadata": ("resources: [\"http://169.254.169.254/latest/user-data\"]\n", "169.254.169.254 is a link-local address"),
    }
    for name, (text, _) in cases.items():
        world.shop.write(f"reach/{name}/kustomization.yaml", text)
    world.shop.commit("reach")
    world.plane.apply(git_repository("reach", f"http://127.0.0.2:{port}/shop.git", interval="1s"),
                      *(kustomization(f"reach-{name}", "shop", f"./reach/{name}", interval="1s") for name in cases))
    for name, (_, words) in cases.items():
        eventually(lambda: world.state_of(f"reach-{name}") == ("Non-Compliant", "BuildFailed"), 30, what=name)
        message = world.daemon.kustomization(f"reach-{name}")["message"]
        assert words in message, (name, message)
    ready = lambda: world.plane.condition("gitrepository", "reach", "default")
    eventually(lambda: ready() and ready()[0] == "False", 20, what="the source is refused")
    assert "127.0.0.2 is a loopback address" in ready()[2], ready()
    assert service.statuses == [], service.statuses
    assert world.plane.get("configmap", "stolen", "default") is None
    world.plane.kubectl("delete", "gitrepository", "reach", "--timeout=20s")
    world.plane.kubectl("delete", "kustomization", *(f"reach-{name}" for name in cases), "--timeout=20s")
    service.shutdown()
    service.server_close()


def refuses(world):
    """no_remote_bases: the same Kustomization is refused, and what it applied stays."""
    world.daemon.stop()
    config = world.daemon.config
    config.write_text(config.read_text() + "no_remote_bases: true\n")
    world.daemon.start()
    eventually(lambda: world.state_of("shop") == ("Non-Compliant", "BuildFailed"), 30, what="refused")
    message = world.daemon.kustomization("shop")["message"]
    assert "is not fetched: remote bases are disallowed (no_remote_bases)" in message, message
    assert world.key("till") == "2"


if __name__ == "__main__":
    sys.exit(harness.run_in(World, [follows, writes_nothing, keeps, names_what_is_not_there, reaches_no_service_of_the_machine, refuses]))
