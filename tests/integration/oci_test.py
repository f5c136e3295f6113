#!/usr/bin/env python3
"""OCIRepository end to end: the real docker-registry, the real API server, a Kustomization that applies what was pushed.

Usage: oci_test.py HOLDFAST [TEST…]
"""
import base64
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import oci_registry as oci  # noqa: E402
from git_http import make_certificates  # noqa: E402
from harness import eventually, kustomization  # noqa: E402

HOLDFAST = pathlib.Path(sys.argv[1]).resolve()
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {}\n  namespace: default\ndata:\n  key: \"{}\"\n"


def oci_repository(name, url, **spec):
    return {"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "OCIRepository", "metadata": {"name": name, "namespace": "default"},
            "spec": {"url": url.replace("http://", "oci://"), "interval": "1h", "insecure": True, **spec}}


def applies(name):
    one = kustomization(name, name)
    one["spec"]["sourceRef"]["kind"] = "OCIRepository"
    return one


def pull_secret(name, authority, user, word):
    login = base64.b64encode(f"{user}:{word}".encode()).decode()
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "default"},
            "type": "kubernetes.io/dockerconfigjson",
            "stringData": {".dockerconfigjson": json.dumps({"auths": {authority: {"auth": login}}})}}


class World:
    def __init__(self, work):
        self.work = work
        self.plane = harness.ControlPlane(work / "plane")
        self.registry = oci.DockerRegistry(work / "registry")
        self.private = oci.DockerRegistry(work / "private", users={"robot": "right"})
        self.liar, self.other = oci.LyingRegistry(), oci.LyingRegistry("127.0.0.2")
        self.daemon = harness.Daemon(HOLDFAST, work / "daemon", self.plane.kubeconfig, "install_crds: true\n")
        self.daemon.start()
        eventually(lambda: self.plane.get("crd", "ocirepositories.source.toolkit.fluxcd.io"), 30, what="CRDs")

    def stop(self):
        self.daemon.stop()
        for one in (self.registry, self.private, self.liar, self.other, self.plane):
            one.stop()

    def get(self, name):
        return self.plane.get("ocirepository", name, "default") or {}

    def ready(self, name):
        return self.plane.condition("ocirepository", name, "default") or ("", "", "")

    def value(self, name):
        return ((self.plane.get("configmap", name, "default") or {}).get("data") or {}).get("key")

    def ask(self, name):
        """As `flux reconcile`: it is looked at now, and who asks hears the words of now. Returns when it was."""
        mark = str(time.monotonic_ns())
        self.plane.kubectl("annotate", "ocirepository", name, "-n", "default", "--overwrite", f"reconcile.fluxcd.io/requestedAt={mark}")
        eventually(lambda: self.get(name)["status"].get("lastHandledReconcileAt") == mark, 30, what=f"{name} was looked at")

    def checks(self, name, asked):
        """What three checks ask the registry, the first of them at the interval. `asked`: the requests so far, by a call."""
        before = len(asked())
        eventually(lambda: len(asked()) > before, 30, what="a check at the interval")
        for _ in range(2):
            self.ask(name)
        assert len(asked()) >= before + 3, asked()[before:]
        return set(asked()[before:])

    def fetched(self, name, revision):
        def look():
            found = self.get(name)
            artifact = found.get("status", {}).get("artifact") or {}
            return found if artifact.get("revision") == revision and self.ready(name)[0] == "True" else None
        return eventually(look, 40, what=f"{name} at {revision}: {self.ready(name)}")

    def fails(self, name, reason, words):
        def look():
            found = self.ready(name)
            return found if found[0] == "False" and found[1] == reason and words in found[2] else None
        return eventually(look, 40, what=f"{name} fails with {reason} {words!r}: {self.ready(name)}")


def a_pushed_artifact_is_applied_and_a_tag_that_moves_is_followed(world):
    digest = oci.push(world.registry.url, "team/shop", "latest", {"a.yaml": MAP.format("shop", "1")},
                      {"org.opencontainers.image.source": "https://example.com/shop.git", "org.opencontainers.image.revision": "main@sha1:1"})
    world.plane.apply(oci_repository("shop", world.registry.url + "/team/shop", interval="5s"), applies("shop"))

    found = world.fetched("shop", f"latest@{digest}")

    assert eventually(lambda: world.value("shop") == "1", 30, what="applied")
    status = found["status"]
    assert world.ready("shop")[1:] == ("Succeeded", f"stored artifact for digest 'latest@{digest}'"), world.ready("shop")
    assert status["artifact"]["path"] == f"ocirepository/default/shop/{digest}.tar.gz", status["artifact"]
    assert status["artifact"]["metadata"]["org.opencontainers.image.revision"] == "main@sha1:1", status["artifact"]
    assert status["url"].endswith("/ocirepository/default/shop/latest.tar.gz"), status
    assert status["observedGeneration"] == 1 and "observedLayerSelector" not in status, status
    news = [one for one in json.loads(world.plane.kubectl("get", "events", "-n", "default", "-o", "json"))["items"]
            if one["involvedObject"]["kind"] == "OCIRepository" and one["reason"] == "NewArtifact"]
    assert news[0]["message"] == (f"stored artifact with revision 'latest@{digest}' from 'oci://{world.registry.authority}/team/shop', "
                                  "origin source 'https://example.com/shop.git', origin revision 'main@sha1:1'"), news

    moved = oci.push(world.registry.url, "team/shop", "latest", {"a.yaml": MAP.format("shop", "2")})  # seen at the interval
    world.fetched("shop", f"latest@{moved}")
    assert eventually(lambda: world.value("shop") == "2", 30, what="applied again")


def an_unchanged_check_is_one_head(world):
    fresh = world.checks("shop", world.registry.requests)
    assert fresh == {("HEAD", "/v2/team/shop/manifests/latest")}, fresh


def a_digest_and_a_range_of_versions_mean_what_they_mean_to_flux(world):
    url = world.registry.url
    first = oci.push(url, "team/app", "1.0.0", {"a.yaml": MAP.format("app", "1.0.0")})
    second = oci.push(url, "team/app", "1.2.0", {"a.yaml": MAP.format("app", "1.2.0")})
    oci.push(url, "team/app", "2.0.0-rc.1", {"a.yaml": MAP.format("app", "2")})
    oci.push(url, "team/app", "v9", {"a.yaml": MAP.format("app", "9")})
    arm = oci.push(url, "team/app", "1.9.0-arm64", {"a.yaml": MAP.format("app", "arm")})
    world.plane.apply(oci_repository("by-digest", url + "/team/app", ref={"digest": first, "semver": "2.x", "tag": "v9"}),
                      oci_repository("by-range", url + "/team/app", ref={"semver": ">=1.0.0", "tag": "v9"}),
                      oci_repository("by-filter", url + "/team/app", ref={"semver": ">=1.0.0-0", "semverFilter": ".*-arm64$"}),
                      oci_repository("by-tag", url + "/team/app", ref={"tag": "1.0.0"}),
                      oci_repository("none", url + "/team/app", ref={"semver": "5.x"}),
                      oci_repository("gone", url + "/team/app", ref={"tag": "gone"}))

    world.fetched("by-digest", first)
    world.fetched("by-range", f"1.2.0@{second}")
    world.fetched("by-filter", f"1.9.0-arm64@{arm}")
    world.fetched("by-tag", f"1.0.0@{first}")
    world.fails("none", "ReadOperationFailed",
                f"failed to determine the artifact tag for 'oci://{world.registry.authority}/team/app': no match found for semver: 5.x")
    world.fails("gone", "OCIArtifactPullFailed",
                f"failed to determine artifact digest: GET http://{world.registry.authority}/v2/team/app/manifests/gone: "
                "MANIFEST_UNKNOWN: manifest unknown; map[Tag:gone]")

    newer = oci.push(url, "team/app", "1.10.0", {"a.yaml": MAP.format("app", "1.10.0")})
    world.ask("by-range")
    world.fetched("by-range", f"1.10.0@{newer}")


def a_layer_is_chosen_by_its_media_type_and_copied_as_it_is(world):
    chart = oci.tar_gz({"shop/Chart.yaml": "name: shop\nversion: 1.0.0\n"})
    manifest, blobs = oci.manifest_of([("application/other", b"no tar at all"), (oci.CHART, chart)])
    digest = oci.push_bytes(world.registry.url, "team/chart", "1.0", manifest, blobs)
    where = world.registry.url + "/team/chart"
    selector = {"mediaType": oci.CHART, "operation": "copy"}
    world.plane.apply(oci_repository("chart", where, ref={"tag": "1.0"}, layerSelector=selector),
                      oci_repository("first-layer", where, ref={"tag": "1.0"}),
                      oci_repository("no-layer", where, ref={"tag": "1.0"}, layerSelector={"mediaType": "application/x"}))

    found = world.fetched("chart", f"1.0@{digest}")
    assert found["status"]["artifact"]["digest"] == oci.digest_of(chart), found["status"]
    assert found["status"]["artifact"]["size"] == len(chart), found["status"]
    assert found["status"]["observedLayerSelector"] == selector, found["status"]
    world.fails("no-layer", "OCIArtifactLayerOperationFailed", "failed to find layer with media type 'application/x' in artifact")
    world.fails("first-layer", "OCIArtifactLayerOperationFailed", "failed to extract layer contents from artifact: ")

    # The same revision in another form is another artifact.
    world.plane.kubectl("patch", "ocirepository", "chart", "-n", "default", "--type=merge", "-p",
                        json.dumps({"spec": {"layerSelector": {"operation": "extract"}}}))
    eventually(lambda: world.get("chart")["status"]["artifact"]["digest"] != oci.digest_of(chart), 30, what="extracted")


def an_index_means_the_image_for_this_machine(world):
    url, machine = world.registry.url, {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
    entries = []
    for architecture in ("s390x", machine):
        manifest, blobs = oci.manifest_of([(oci.CONTENT, oci.tar_gz({"a.yaml": MAP.format("index", architecture)}))])
        oci.push_bytes(url, "team/index", architecture, manifest, blobs)
        entries.append({"mediaType": oci.MANIFEST, "digest": oci.digest_of(manifest), "size": len(manifest),
                        "platform": {"os": "linux", "architecture": architecture}})
    index = json.dumps({"schemaVersion": 2, "mediaType": oci.INDEX, "manifests": entries}).encode()
    digest = oci.push_bytes(url, "team/index", "all", index, {}, media_type=oci.INDEX)
    world.plane.apply(oci_repository("index", url + "/team/index", ref={"tag": "all"}), applies("index"))

    world.fetched("index", f"all@{digest}")
    assert eventually(lambda: world.value("index") == machine, 30, what="applied")


def a_login_is_that_of_the_secret_or_of_the_account(world):
    url = world.private.url
    digest = oci.push(url, "team/secret", "1", {"a.yaml": MAP.format("private", "1")}, login=("robot", "right"))
    world.plane.apply(pull_secret("right", world.private.authority, "robot", "right"),
                      pull_secret("wrong", world.private.authority, "robot", "wrong"),
                      {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "puller", "namespace": "default"},
                       "imagePullSecrets": [{"name": "right"}]})
    where = url + "/team/secret"
    world.plane.apply(oci_repository("login", where, interval="5s", ref={"tag": "1"}, secretRef={"name": "right"}),
                      oci_repository("account", where, ref={"tag": "1"}, serviceAccountName="puller"),
                      oci_repository("anonymous", where, ref={"tag": "1"}),
                      oci_repository("wrong", where, ref={"tag": "1"}, secretRef={"name": "wrong"}),
                      oci_repository("absent", where, ref={"tag": "1"}, secretRef={"name": "absent"}),
                      oci_repository("nobody", where, ref={"tag": "1"}, serviceAccountName="nobody"),
                      oci_repository("no-certificate", where, ref={"tag": "1"}, certSecretRef={"name": "absent"}))

    world.fetched("login", f"1@{digest}")
    world.fetched("account", f"1@{digest}")
    for name in ("anonymous", "wrong"):
        world.fails(name, "OCIArtifactPullFailed", f"failed to determine artifact digest: GET {url}/v2/team/secret/manifests/1: UNAUTHORIZED: "
                    "authentication required; [map[Action:pull Class: Name:team/secret Type:repository]]")
    world.fails("absent", "AuthenticationFailed", "failed to get credential: failed to get secret 'default/absent': ")
    world.fails("nobody", "AuthenticationFailed", "failed to get credential: serviceaccount 'default/nobody' not found")
    world.fails("no-certificate", "AuthenticationFailed",
                f"failed to generate transport for 'oci://{world.private.authority}/team/secret': secret 'default/absent' not found")

    # What is known to let us in is said at once.
    for name in ("account", "anonymous", "wrong"):
        world.plane.kubectl("delete", "ocirepository", name, "-n", "default")
    fresh = world.checks("login", world.private.requests)
    assert fresh == {("HEAD", "/v2/team/secret/manifests/1")}, fresh


def certificates_are_those_of_the_secret(world):
    make_certificates(world.work / "tls")
    files = {name: (world.work / "tls" / name).read_text() for name in ("ca.crt", "client.crt", "client.key")}
    digest = oci.push(world.registry.url, "team/tls", "1", {"a.yaml": MAP.format("tls", "1")})
    guarded = oci.DockerRegistry(world.work / "guarded", tls=world.work / "tls", data=world.registry.data)
    try:
        def secret(name, **data):
            return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "default"}, "stringData": data}
        world.plane.apply(secret("whole", **{"ca.crt": files["ca.crt"], "tls.crt": files["client.crt"], "tls.key": files["client.key"]}),
                          secret("ca-alone", **{"ca.crt": files["ca.crt"]}),
                          secret("half", **{"ca.crt": files["ca.crt"], "tls.crt": files["client.crt"]}),
                          secret("no-ca", **{"ca.crt": "nonsense"}))
        for name in ("whole", "ca-alone", "half", "no-ca"):
            world.plane.apply(oci_repository("tls-" + name, f"http://{guarded.authority}/team/tls", ref={"tag": "1"}, insecure=False,
                                             certSecretRef={"name": name}))
        world.plane.apply(oci_repository("tls-none", f"http://{guarded.authority}/team/tls", ref={"tag": "1"}, insecure=False))

        world.fetched("tls-whole", f"1@{digest}")
        transport = f"failed to generate transport for 'oci://{guarded.authority}/team/tls': "
        world.fails("tls-half", "AuthenticationFailed", transport + "secret 'default/half' contains 'tls.crt' but missing 'tls.key'")
        world.fails("tls-no-ca", "AuthenticationFailed", transport + "failed to parse CA certificate")
        world.fails("tls-none", "OCIArtifactPullFailed", "certificate")
        world.fails("tls-ca-alone", "OCIArtifactPullFailed", "failed to determine artifact digest: GET ")
        world.plane.kubectl("delete", "ocirepository", "-n", "default", *[f"tls-{name}" for name in ("whole", "half", "no-ca", "none", "ca-alone")])
    finally:
        guarded.stop()


def what_flux_pushes_is_what_is_applied(world):
    programs = os.environ.get("HOLDFAST_FLUX")
    if not programs:
        print("     (HOLDFAST_FLUX is not set: `flux push artifact` is not tried)")
        return
    tree = world.work / "pushed"
    tree.mkdir()
    (tree / "a.yaml").write_text(MAP.format("by-flux", "1"))
    subprocess.run([str(pathlib.Path(programs) / "flux"), "push", "artifact", f"oci://{world.registry.authority}/team/by-flux:1", "--path",
                    str(tree), "--source", "here", "--revision", "main@sha1:2", "--insecure-registry"], check=True, capture_output=True)
    world.plane.apply(oci_repository("by-flux", world.registry.url + "/team/by-flux", ref={"tag": "1"}), applies("by-flux"))
    assert eventually(lambda: world.value("by-flux") == "1", 40, what="applied")


def a_token_server_elsewhere_is_told_nothing_and_a_token_server_at_home_lets_in(world):
    manifest, blobs = oci.manifest_of([(oci.CONTENT, oci.tar_gz({"a.yaml": MAP.format("token", "1")}))])
    digest = world.liar.put("1", manifest, blobs)
    tokens = {"realm": world.other.url}

    def lie(handler):
        if handler.path.startswith("/token"):
            handler.send(200, b'{"token":"t1","expires_in":300}', Content_Type="application/json")
        elif handler.headers.get("Authorization") != "Bearer t1":
            handler.send(401, WWW_Authenticate=f'Bearer realm="{tokens["realm"]}/token",service="s"')
        else:
            return False
        return True
    world.liar.lie = lie
    world.other.lie = lambda handler: (handler.send(401, b"{}"), True)[1]
    world.plane.apply(pull_secret("liar", world.liar.authority, "robot", "canary-word"))
    world.plane.apply(oci_repository("token", world.liar.url + "/team/token", interval="5s", ref={"tag": "1"}, secretRef={"name": "liar"}), applies("token"))

    world.fails("token", "OCIArtifactPullFailed", "failed to determine artifact digest: GET " + world.other.url)
    assert world.other.asked and all(login == "" for _, _, login in world.other.asked), world.other.asked

    tokens["realm"] = world.liar.url
    world.ask("token")
    world.fetched("token", f"1@{digest}")
    told = [login for _, path, login in world.liar.asked if path.startswith("/token")]
    assert told and all(login.startswith("Basic ") for login in told), told
    fresh = world.checks("token", lambda: world.liar.asked)
    assert fresh == {("HEAD", "/v2/team/token/manifests/1", "Bearer t1")}, fresh
    assert "canary-word" not in world.daemon.log.read_text(), "the password is in the log"
    world.liar.lie = world.other.lie = lambda handler: False


def damaged_and_hostile_layers_are_refused_by_name_and_what_is_held_stays(world):
    good = oci.tar_gz({"a.yaml": MAP.format("held", "1")})
    manifest, blobs = oci.manifest_of([(oci.CONTENT, good)])
    digest = world.liar.put("held", manifest, blobs)
    world.plane.apply(oci_repository("held", world.liar.url + "/team/held", ref={"tag": "held"}), applies("held"))
    world.fetched("held", f"held@{digest}")
    assert eventually(lambda: world.value("held") == "1", 30, what="applied")

    def offer(layer):
        text, more = oci.manifest_of([(oci.CONTENT, layer)])
        return world.liar.put("held", text, more)

    link = tarfile.TarInfo("b.yaml")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    device = tarfile.TarInfo("null")
    device.type, device.devmajor, device.devminor = tarfile.CHRTYPE, 1, 3
    for layer, words in [(oci.tar_gz({"../../a.yaml": "x"}), "leaves the archive"),
                         (oci.tar_gz({"/etc/a.yaml": "x"}), "is absolute"),
                         (oci.tar_gz({"null": (device, b"")}), "is neither a file nor a directory"),
                         (oci.tar_gz({"a": "file", "a/b": "x"}), "is a file and a directory"),
                         (oci.tar_gz({"bomb": b"\0" * (80 << 20)}), "is larger than"),
                         (b"no gzip", "not a gzip file"),
                         (good[:-20], "not a tar.gz")]:
        offer(layer)
        world.ask("held")
        world.fails("held", "OCIArtifactLayerOperationFailed", words)
        assert world.value("held") == "1"

    damaged = offer(good + b"more")
    world.liar.blobs[oci.digest_of(good + b"more")] = good + b"mora"
    world.ask("held")
    world.fails("held", "OCIArtifactLayerOperationFailed", "error verifying sha256 checksum after reading")
    world.liar.blobs[oci.digest_of(good + b"more")] = good
    world.ask("held")
    world.fails("held", "OCIArtifactLayerOperationFailed", "error verifying size")
    assert damaged not in json.dumps(world.get("held")["status"]["artifact"])

    linked = offer(oci.tar_gz({"b.yaml": (link, b""), "a.yaml": MAP.format("held", "2"), ".sourceignore": "c.yaml\n",
                               "c.yaml": MAP.format("ignored", "1")}))
    world.ask("held")
    world.fetched("held", f"held@{linked}")
    assert eventually(lambda: world.value("held") == "2", 30, what="applied")
    assert world.value("ignored") is None


def urls_and_fields_of_no_use_are_named(world):
    world.plane.apply(oci_repository("with-tag", world.registry.url + "/team/shop:1.0"),
                      oci_repository("bad-digest", world.registry.url + "/team/shop", ref={"digest": "sha256:abc"}),
                      oci_repository("verified", world.registry.url + "/team/shop", verify={"provider": "cosign"}))
    world.fails("with-tag", "URLInvalid",
                f"URL validation failed for 'oci://{world.registry.authority}/team/shop:1.0': repository can only contain the characters "
                "`abcdefghijklmnopqrstuvwxyz0123456789_-./`: team/shop:1.0; a URL has no tag, remove ':1.0'")
    assert world.plane.condition("ocirepository", "with-tag", "default", "Stalled")[0] == "True"
    world.fails("bad-digest", "OCIArtifactPullFailed", "failed to determine artifact digest: wrong number of hex digits for sha256: abc")
    world.fails("verified", "InvalidSpec", "spec.verify: is not supported by this version of Holdfast")


def offline_and_after_a_restart_what_is_held_is_served(world):
    held = world.get("shop")["status"]["artifact"]
    port = world.registry.port
    world.registry.stop()
    world.daemon.kill()
    world.plane.kubectl("delete", "configmap", "shop", "-n", "default")
    world.daemon.start()

    assert eventually(lambda: world.value("shop") == "2", 40, what="applied again")
    away = eventually(lambda: world.plane.condition("ocirepository", "shop", "default", "FetchFailed"), 40, what="FetchFailed")
    assert away[:2] == ("True", "OCIArtifactPullFailed"), away
    assert away[2].startswith("failed to determine artifact digest: "), away
    assert world.ready("shop")[0] == "True" and world.get("shop")["status"]["artifact"] == held

    world.registry.start(port)
    eventually(lambda: world.plane.condition("ocirepository", "shop", "default", "FetchFailed") is None, 60, what="back")
    assert world.get("shop")["status"]["artifact"] == held


def an_object_that_is_deleted_goes_with_what_it_held(world):
    world.plane.kubectl("delete", "kustomization.kustomize.toolkit.fluxcd.io", "index", "-n", "default", "--wait=false")
    world.plane.kubectl("delete", "ocirepository", "index", "-n", "default", "--wait=false")
    eventually(lambda: world.plane.get("ocirepository", "index", "default") is None, 30, what="gone")


TESTS = [a_pushed_artifact_is_applied_and_a_tag_that_moves_is_followed, an_unchanged_check_is_one_head,
         a_digest_and_a_range_of_versions_mean_what_they_mean_to_flux, a_layer_is_chosen_by_its_media_type_and_copied_as_it_is,
         an_index_means_the_image_for_this_machine, a_login_is_that_of_the_secret_or_of_the_account, certificates_are_those_of_the_secret, what_flux_pushes_is_what_is_applied,
         a_token_server_elsewhere_is_told_nothing_and_a_token_server_at_home_lets_in,
         damaged_and_hostile_layers_are_refused_by_name_and_what_is_held_stays, urls_and_fields_of_no_use_are_named,
         offline_and_after_a_restart_what_is_held_is_served, an_object_that_is_deleted_goes_with_what_it_held]

if __name__ == "__main__":
    if not oci.DockerRegistry.is_there():
        harness.skip("docker-registry is not installed")
    sys.exit(harness.run_in(World, TESTS))
