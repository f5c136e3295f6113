"""The two worlds a scenario runs in: Flux's controllers or the daemon, each on a control plane, a Git server and registries of its own."""
import contextlib
import os
import subprocess
import threading

import harness
import oci_registry as oci
from cluster import Client, Kinds, Store
from git_http import GitHttpServer

USER, PASSWORD, TOKEN = "robot", "right", "token-1"


def last_line(script):
    return subprocess.run([str(harness.ROOT / "scripts" / script)], check=True, stdout=subprocess.PIPE, text=True).stdout.split()[-1]


class Git:
    """One folder of repositories, served openly, behind a password, and over TLS with a certificate that nobody knows."""

    def __init__(self, root, certificates):
        self.root, self.certificates = root, certificates
        root.mkdir()
        self.open = GitHttpServer(str(root))
        self.private = GitHttpServer(str(root), user=USER, password=PASSWORD, token=TOKEN)
        self.tls = GitHttpServer(str(root), tls=str(certificates))
        self.all = [self.open.start(), self.private.start(), self.tls.start()]

    def urls(self):
        return {"git": self.open.url, "git-private": self.private.url, "git-tls": self.tls.url}

    def stop(self):
        for server in self.all:
            server.stop()


class Registries:
    """The real docker-registry, started when the first scenario needs it: openly, at an address that is no loopback to
    go-containerregistry, behind a password, and over TLS to who shows a certificate. All serve the same data."""

    def __init__(self, root, certificates):
        self.root, self.certificates, self.lock, self.all = root, certificates, threading.Lock(), {}

    def urls(self):
        with self.lock:
            if not self.all:
                data = self.root / "data"
                self.all["registry"] = oci.DockerRegistry(self.root / "open", data=data)
                self.all["registry-far"] = oci.DockerRegistry(self.root / "far", data=data, host="127.0.0.2")
                self.all["registry-private"] = oci.DockerRegistry(self.root / "private", data=data, users={USER: PASSWORD})
                self.all["registry-tls"] = oci.DockerRegistry(self.root / "tls", data=data, tls=self.certificates)
        return {name: one.authority for name, one in self.all.items()}

    def stop(self):
        for registry in self.all.values():
            registry.stop()


class World:
    """`start` brings up what acts on the cluster."""

    def __init__(self, work, flags=()):
        self.work, self.flags = work, flags
        with contextlib.ExitStack() as parts:  # whatever stands is taken down when a later part does not come up
            self.git = Git(work / "git", work / "certificates")
            parts.callback(self.git.stop)
            self.registries = Registries(work / "registries", work / "certificates")
            parts.callback(self.registries.stop)
            self.plane = harness.ControlPlane(work / "plane", nodes=1)
            parts.callback(self.plane.stop)
            self.client = Client(self.plane.kubeconfig, work)
            self.kinds = Kinds(self.client)
            parts.callback(self.stop_actor)
            self.start()
            self.store = Store(self.client, self.kinds)
            parts.callback(self.store.stop)
            self.store.start({("source.toolkit.fluxcd.io", "GitRepository"), ("source.toolkit.fluxcd.io", "OCIRepository"),
                              ("kustomize.toolkit.fluxcd.io", "Kustomization")})
            self.parts = parts.pop_all()

    def start(self):
        raise NotImplementedError

    def stop_actor(self):
        raise NotImplementedError

    def close(self):
        self.parts.close()


class FluxWorld(World):
    process = None

    def start(self):
        # A health check that waits keeps its worker for half a minute: with the default of four the scenarios would wait for each other.
        environment = {**os.environ, "KUBECTL": str(self.plane.folder / "kubectl"), "FLUX_FLAGS": "--concurrent=40",
                       "FLUX_KUSTOMIZE_FLAGS": " ".join(self.flags),
                       "FLUX_CONTROLLERS": "source-controller kustomize-controller"}
        binaries = os.environ.get("HOLDFAST_FLUX") or last_line("build_flux")
        self.process = subprocess.Popen([str(harness.ROOT / "tests" / "flux" / "run"), self.plane.kubeconfig, str(self.work / "flux"), binaries],
                                        env=environment,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != "ready":
            raise AssertionError("Flux's controllers did not start")

    def stop_actor(self):
        if self.process is None:
            return
        with contextlib.suppress(Exception):
            self.process.stdin.close()
            self.process.wait(20)
        if self.process.poll() is None:
            self.process.kill()


class HoldfastWorld(World):
    daemon = None

    def __init__(self, work, flags, holdfast):
        self.holdfast = holdfast
        super().__init__(work, flags)

    def start(self):
        self.daemon = harness.Daemon(self.holdfast, self.work / "daemon", self.plane.kubeconfig, "install_crds: true\n")
        self.daemon.flags = list(self.flags)
        self.daemon.start()
        harness.eventually(lambda: self.plane.get("crd", "fluxconfigs.clusterconfig.azure.com"), 30, what="CRDs")

    def stop_actor(self):
        if self.daemon is not None:
            self.daemon.stop()
