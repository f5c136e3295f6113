#!/usr/bin/env python3
"""Bad input of every kind: each gets its condition, and the others keep reconciling. Issue 3, proof 6.

Usage: bad_input_test.py HOLDFAST
"""
import json
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
from git_http import GitHttpServer  # noqa: E402
from harness import eventually, git_repository, kustomization  # noqa: E402

HOLDFAST = pathlib.Path(sys.argv[1]).resolve()


def config_map(name, value="1", extra=""):
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: default\ndata:\n  key: \"{value}\"\n{extra}"


class World:
    def __init__(self, work):
        self.work = work
        self.plane = harness.ControlPlane(work / "plane")
        self.git_root = work / "git"
        self.git_root.mkdir()
        self.git = GitHttpServer(str(self.git_root)).start()
        self.daemon = harness.Daemon(HOLDFAST, work / "daemon", self.plane.kubeconfig,
                                     "install_crds: true\nlimits:\n  git_bytes: 8MiB\n  render_cpu: 3s\n  render_time: 10s\n").start()
        eventually(lambda: self.plane.get("crd", "kustomizations.kustomize.toolkit.fluxcd.io"), 30, what="CRDs")
        self.good = harness.Repository(self.git_root, "good")
        self.good.write("good.yaml", config_map("good"))
        self.good.commit()
        self.plane.apply(git_repository("good", self.url("good"), interval="2s"),
                         kustomization("good", "good", interval="5s"))
        self.count = 0

    def url(self, name):
        return f"{self.git.url}/{name}.git"

    def stop(self):
        self.daemon.stop()
        self.git.stop()
        self.plane.stop()

    def others_reconcile(self):
        """A commit to the good repository still arrives."""
        self.count += 1
        self.good.write("good.yaml", config_map("good", str(self.count)))
        self.good.commit()
        eventually(lambda: self.plane.get("configmap", "good", "default")["data"]["key"] == str(self.count), 20,
                   what="the good Kustomization reconciles")

    def not_ready(self, kind, name, reason, within_s=40):
        """Waits for Ready=False with this reason; returns the message."""
        def look():
            ready = self.plane.condition(kind, name, "default")
            return ready if ready and ready[0] == "False" and ready[1] == reason else None
        try:
            return eventually(look, within_s, what=name)[2]
        except AssertionError:
            raise AssertionError(f"{kind}/{name}: {self.plane.condition(kind, name, 'default')}") from None


def expect(message, *parts):
    for part in parts:
        assert part in message, f"{part!r} is not in {message!r}"


def sources(world):
    """Repositories that are not there, refuse, or talk nonsense."""
    plane, git = world.plane, world.git
    plane.apply(git_repository("branch", world.url("good"), ref={"branch": "nowhere"}),
                git_repository("missing", world.url("missing")))
    expect(world.not_ready("gitrepository", "branch", "GitOperationFailed"), "failed to checkout and determine revision", "nowhere")
    expect(world.not_ready("gitrepository", "missing", "GitOperationFailed"), "failed to checkout and determine revision", "missing.git")
    for name, fault, word in (("refused", "status=401", "401"), ("forbidden", "status=403", "403"), ("portal", "html", ""),
                              ("redirected", "redirect=http://127.0.0.2:9", "127.0.0.2:9")):
        with GitHttpServer(str(world.git_root), faults=[fault]) as bad:
            plane.apply(git_repository(name, f"{bad.url}/good.git"))
            expect(world.not_ready("gitrepository", name, "GitOperationFailed"), "failed to checkout", word)
    with GitHttpServer(str(world.git_root), faults=["pack:endless"]) as bad:
        plane.apply(git_repository("endless", f"{bad.url}/good.git", timeout="20s"))
        expect(world.not_ready("gitrepository", "endless", "GitOperationFailed", 60), "failed to checkout")
    del git
    world.others_reconcile()
    plane.kubectl("delete", "gitrepository", "branch", "missing", "refused", "forbidden", "portal", "redirected", "endless", "--timeout=30s")


def trees(world):
    """Manifests that are broken, cyclic, bombs, too deep, or point outside."""
    plane = world.plane
    bad = harness.Repository(world.git_root, "bad")
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10))
    cases = {
        "broken": ({"x.yaml": "kind: ConfigMap\n  broken: [\n"}, ["failed to decode Kubernetes YAML from ./broken/x.yaml"]),
        "cyclic": ({"x.yaml": config_map("x", extra="loop: &a\n  again: *a\n")}, ["./cyclic/x.yaml"]),
        "bomb": ({"x.yaml": config_map("x", extra=bomb)}, ["./bomb/x.yaml"]),
        "deep": ({"x.yaml": "a: " + "[" * 100_000 + "]" * 100_000 + "\n"}, ["./deep/x.yaml"]),
        "unknown": ({"kustomization.yaml": "resources: [base]\n", "base/kustomization.yaml": "resources: [x.yaml]\nfrobnicate: true\n",
                     "base/x.yaml": config_map("x")}, ["frobnicate"]),
        "outside": ({"kustomization.yaml": "resources: [../../../../etc/passwd]\n"}, ["kustomize build failed"]),
        "absolute": ({"kustomization.yaml": "resources: [/etc/passwd]\n"}, ["kustomize build failed"]),
        "nameless": ({"x.yaml": "apiVersion: v1\nkind: ConfigMap\ndata: {a: b}\n"}, ["./nameless/x.yaml: missing metadata.name"]),
        "remote": ({"kustomization.yaml": "resources: ['http://127.0.0.1:1/x.yaml']\n"}, ["kustomize build failed", "Connection refused"]),
    }
    for name, (files, _) in cases.items():
        for path, text in files.items():
            bad.write(f"{name}/{path}", text)
    os.symlink("/etc", bad.tree / "linked")
    bad.write("viasymlink/kustomization.yaml", "resources: [../linked/passwd]\n")
    bad.commit()
    plane.apply(git_repository("bad", world.url("bad")), *[kustomization(name, "bad", f"./{name}") for name in cases],
                kustomization("viasymlink", "bad", "./viasymlink"), kustomization("nopath", "bad", "./nowhere"),
                kustomization("dotdot", "bad", "../../../../etc"))
    for name, (_, words) in cases.items():
        message = world.not_ready("kustomization", name, "BuildFailed")
        expect(message, *words)
        assert "root:x:" not in message, message
    assert "root:x:" not in world.not_ready("kustomization", "viasymlink", "BuildFailed")
    expect(world.not_ready("kustomization", "nopath", "ArtifactFailed"), "kustomization path not found", "nowhere")
    expect(world.not_ready("kustomization", "dotdot", "ArtifactFailed"), "kustomization path not found")
    world.others_reconcile()
    plane.kubectl("delete", "kustomization", *cases, "viasymlink", "nopath", "dotdot", "--timeout=30s")


def rejected(world):
    """An object that the API server refuses keeps its whole stage unapplied; the message is the server's."""
    plane = world.plane
    repository = harness.Repository(world.git_root, "rejected")
    repository.write("a.yaml", config_map("before-the-bad-one"))
    repository.write("b.yaml", "apiVersion: v1\nkind: Service\nmetadata:\n  name: bad\n  namespace: default\nspec:\n  ports:\n  - port: 700000\n")
    repository.commit()
    plane.apply(git_repository("rejected", world.url("rejected")), kustomization("rejected", "rejected"))
    message = world.not_ready("kustomization", "rejected", "ReconciliationFailed")
    expect(message, "Service/default/bad dry-run failed (Invalid)", "Invalid value: 700000")
    assert plane.get("configmap", "before-the-bad-one", "default") is None
    repository.write("b.yaml", config_map("instead"))
    repository.commit()
    eventually(lambda: plane.get("configmap", "instead", "default"), 20, what="repaired")


def immutable(world):
    """A field that cannot change: an error that says so; with force the object is made again."""
    plane = world.plane
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: fixed\n  namespace: default\nimmutable: true\ndata:\n  key: {}\n"
    repository = harness.Repository(world.git_root, "immutable")
    repository.write("a.yaml", text.format("one"))
    repository.commit()
    plane.apply(git_repository("immutable", world.url("immutable"), interval="2s"), kustomization("immutable", "immutable"))
    eventually(lambda: plane.get("configmap", "fixed", "default"), 20)
    repository.write("a.yaml", text.format("two"))
    repository.commit()
    expect(world.not_ready("kustomization", "immutable", "ReconciliationFailed"), "ConfigMap/default/fixed", "immutable")
    plane.kubectl("patch", "kustomization", "immutable", "--type=merge", "-p", '{"spec":{"force":true}}')
    eventually(lambda: plane.get("configmap", "fixed", "default")["data"]["key"] == "two", 20, what="made again")


def without_namespace(world):
    """What has no namespace where one is needed was never made: it does not hold up the deletion of its Kustomization."""
    plane = world.plane
    repository = harness.Repository(world.git_root, "nowhere")
    repository.write("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: nowhere\ndata:\n  key: \"1\"\n")
    repository.write("b.yaml", "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: nowhere\nrules: []\n")
    repository.commit()
    plane.apply(git_repository("nowhere", world.url("nowhere")), kustomization("nowhere", "nowhere"))
    expect(world.not_ready("kustomization", "nowhere", "ReconciliationFailed"), "ConfigMap/nowhere", "namespace not specified")
    plane.kubectl("delete", "kustomization", "nowhere", "--timeout=20s")
    assert plane.get("clusterrole", "nowhere") is None


def version_that_ended(world):
    """A kind goes on to its next version, in the commit that ends the one before: its objects are still watched and repaired."""
    plane = world.plane
    repository = harness.Repository(world.git_root, "versions")

    def commit(served):
        definition = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "jars.ex.io"},
                      "spec": {"group": "ex.io", "scope": "Namespaced", "names": {"kind": "Jar", "plural": "jars"},
                               "versions": [{"name": one, "served": one == served, "storage": one == served,
                                             "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}
                                            for one in ("v1alpha1", "v1")]}}
        jar = {"apiVersion": f"ex.io/{served}", "kind": "Jar", "metadata": {"name": "jam", "namespace": "default"}, "spec": {"size": 1}}
        repository.write("kinds/crd.yaml", json.dumps(definition))
        repository.write("jars/jar.yaml", json.dumps(jar))
        repository.commit()

    def repaired():
        plane.kubectl("patch", "jars.ex.io", "jam", "--type=merge", "-p", '{"spec":{"size":2}}')
        eventually(lambda: plane.get("jars.ex.io", "jam", "default")["spec"]["size"] == 1, 60, what="repaired")

    commit("v1alpha1")
    plane.apply(git_repository("versions", world.url("versions"), interval="2s"), kustomization("kinds", "versions", "./kinds", wait=True),
                kustomization("jars", "versions", "./jars", dependsOn=[{"name": "kinds"}]))
    eventually(lambda: (plane.condition("kustomization", "jars", "default") or [""])[0] == "True", 30, what="jars")
    repaired()
    commit("v1")
    eventually(lambda: plane.get("kustomization", "jars", "default")["status"]["inventory"]["entries"][0]["v"] == "v1", 60, what="in v1")
    repaired()
    plane.kubectl("delete", "kustomization", "jars", "kinds", "--timeout=30s")


def version_that_ended_elsewhere(world):
    """Somebody else ends the version in which an object is applied: Git names what nobody serves, and that is said, until it is served again."""
    plane = world.plane
    repository = harness.Repository(world.git_root, "elsewhere")
    versions = ("v1alpha1", "v1")

    def define(*served):
        plane.apply({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "cups.ex.io"},
                     "spec": {"group": "ex.io", "scope": "Namespaced", "names": {"kind": "Cup", "plural": "cups"},
                              "versions": [{"name": one, "served": one in served, "storage": one == "v1",
                                            "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}
                                           for one in versions]}})

    define(*versions)
    plane.kubectl("wait", "--for=condition=Established", "crd/cups.ex.io")
    repository.write("cup.yaml", json.dumps({"apiVersion": "ex.io/v1alpha1", "kind": "Cup", "metadata": {"name": "tea", "namespace": "default"}, "size": 1}))
    repository.commit()
    plane.apply(git_repository("elsewhere", world.url("elsewhere")), kustomization("elsewhere", "elsewhere", interval="5s"))
    eventually(lambda: (plane.condition("kustomization", "elsewhere", "default") or [""])[0] == "True", 30, what="applied")
    define("v1")
    condition = world.not_ready("kustomization", "elsewhere", "ReconciliationFailed", within_s=120)
    expect(condition, 'no matches for kind "Cup" in version "ex.io/v1alpha1"')
    assert plane.get("cups.v1.ex.io", "tea", "default"), "what is applied stays"
    assert plane.get("kustomization", "elsewhere", "default")["status"]["inventory"]["entries"] == [{"id": "default_tea_ex.io_Cup", "v": "v1alpha1"}]
    define(*versions)
    eventually(lambda: plane.condition("kustomization", "elsewhere", "default")[0] == "True", 120, what="served again")
    plane.kubectl("delete", "kustomization/elsewhere", "crd/cups.ex.io", "--timeout=30s")


def cycle(world):
    """Two Kustomizations that wait for each other are told so."""
    plane = world.plane
    plane.apply(kustomization("one", "good", dependsOn=[{"name": "two"}]), kustomization("two", "good", dependsOn=[{"name": "one"}]))
    expect(world.not_ready("kustomization", "one", "DependencyNotReady"), "dependency 'default/two'", "cycle")
    world.others_reconcile()
    plane.kubectl("delete", "kustomization", "one", "two", "--timeout=30s")


def fifo(world):
    """`holdfast build` with a FIFO and a device in the tree ends at once."""
    folder = world.work / "fifo"
    folder.mkdir()
    os.mkfifo(folder / "x.yaml")
    (folder / "kustomization.yaml").write_text("resources: [x.yaml]\n", encoding="utf-8")
    started = time.monotonic()
    result = subprocess.run([str(HOLDFAST), "build", str(folder)], capture_output=True, text=True, timeout=20)
    assert result.returncode == 1 and time.monotonic() - started < 3, result
    expect(result.stderr, "x.yaml")


def full_disk(world):
    """A 16 MiB file system that fills up: what is applied stays, and it says so; space back, it goes on."""
    image, mount = world.work / "disk.img", world.work / "disk"
    mount.mkdir()
    with open(image, "wb") as file:
        file.truncate(16 << 20)
    if subprocess.run(["mkfs.ext4", "-q", str(image)], capture_output=True).returncode != 0 or \
            subprocess.run(["mount", "-o", "loop", str(image), str(mount)], capture_output=True).returncode != 0:
        print("     (no loop mounts here: the full disk is not tried)")
        return
    daemon = harness.Daemon(HOLDFAST, mount / "daemon", world.plane.kubeconfig, "")
    daemon.log = world.work / "full-disk.log"
    repository = harness.Repository(world.git_root, "filling")
    try:
        world.plane.apply(git_repository("filling", world.url("filling"), interval="5s"), kustomization("filling", "filling"))
        repository.write("a.yaml", config_map("filling"))
        repository.commit()
        world.daemon.stop()
        daemon.start()
        eventually(lambda: world.plane.get("configmap", "filling", "default"), 30, what="applied")
        filler = mount / "filler"
        with open(filler, "wb") as file:
            try:
                while True:
                    file.write(b"x" * 65536)
                    file.flush()
            except OSError:
                pass
        repository.write("a.yaml", config_map("filling", "2"))
        repository.commit()
        eventually(lambda: "full" in daemon.tail(20000), 30, what="it says that the disk is full")
        assert daemon.process.poll() is None, daemon.tail()
        status = daemon.status()
        assert status is not None
        in_cluster = eventually(lambda: next((one for one in (world.plane.condition(kind, "filling", "default") for kind in ("gitrepository", "kustomization"))
                                              if one and one[:2] == ("False", "StorageOperationFailed")), None), 30, what="the cluster is told")
        expect(in_cluster[2], "could not be recorded", "full")
        filler.unlink()
        eventually(lambda: world.plane.get("configmap", "filling", "default")["data"]["key"] == "2", 60, what="goes on")
        for kind in ("gitrepository", "kustomization"):
            eventually(lambda kind=kind: (world.plane.condition(kind, "filling", "default") or [""])[0] == "True", 60, what=f"{kind} is Ready")
        world.plane.kubectl("delete", "kustomization/filling", "gitrepository/filling", "--timeout=30s")
    finally:
        if os.environ.get("KEEP_LOG"):
            print(daemon.tail(8000))
        daemon.stop()
        world.daemon.start()
        subprocess.run(["umount", str(mount)], capture_output=True)


def local_manifests(world):
    """A broken file among local manifests takes nothing back; a file taken away does."""
    daemon = harness.Daemon(HOLDFAST, world.work / "local", world.plane.kubeconfig, "")
    repository = harness.Repository(world.git_root, "local")
    repository.write("a.yaml", config_map("local"))
    repository.commit()
    file, broken = daemon.manifests / "a.yaml", daemon.manifests / "b.yaml"
    file.write_text("\n---\n".join(json.dumps(one) for one in (git_repository("local", world.url("local"), interval="1s"),
                                                               kustomization("local", "local"))), encoding="utf-8")
    world.daemon.stop()
    try:
        daemon.start()
        eventually(lambda: world.plane.get("configmap", "local", "default"), 30, what="applied")
        broken.write_text("a: [\n", encoding="utf-8")
        file.unlink()
        eventually(lambda: any("b.yaml:" in one for one in daemon.status()["intake"]["problems"]), 15, what="problem shown")
        time.sleep(2)
        assert world.plane.get("configmap", "local", "default"), "a broken file deleted something"
        broken.unlink()
        eventually(lambda: world.plane.get("configmap", "local", "default") is None, 20, what="taken back")
    finally:
        daemon.stop()
        world.daemon.start()


def configuration(world):
    """The daemon refuses a wrong configuration, by line."""
    for text, where in (("state_dir: /x\nfrobnicate: 1\n", "bad.yaml:2: frobnicate: unknown key"),
                        ("limits:\n  passes: 0\n", "bad.yaml:2: limits.passes: must be between 1 and 256"),
                        ("limits:\n  memory: lots\n", "bad.yaml:2: limits.memory: is no size"),
                        ("log: [\n", "bad.yaml:")):
        file = world.work / "bad.yaml"
        file.write_text(text, encoding="utf-8")
        result = subprocess.run([str(HOLDFAST), "daemon", "--config", str(file)], capture_output=True, text=True, timeout=10)
        assert result.returncode == 64, result
        expect(result.stderr, where)
    kubeconfig = world.work / "exec.kubeconfig"
    kubeconfig.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "x", "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "clusters": [{"name": "x", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "x", "user": {"exec": {"command": "touch", "args": ["/tmp/holdfast-executed"], "apiVersion": "v1"}}}]}), encoding="utf-8")
    daemon = harness.Daemon(HOLDFAST, world.work / "exec", str(kubeconfig), "")
    daemon.start()
    try:
        problems = daemon.status()["intake"]["problems"]
        assert any("exec" in one for one in problems), problems
        assert not os.path.exists("/tmp/holdfast-executed")
    finally:
        daemon.stop()


if __name__ == "__main__":
    sys.exit(harness.run_in(World, [sources, trees, rejected, immutable, without_namespace, version_that_ended, version_that_ended_elsewhere, cycle, fifo, full_disk, local_manifests, configuration]))
