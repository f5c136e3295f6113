"""Every property of an OCIRepository: valid, invalid, changed, removed; and what its registry answers."""
import base64
import json
import tarfile

import oci_registry as oci
from kustomizations import gone
from scenario import config_map, scenario
from world import PASSWORD, USER

FILES = {"a.yaml": config_map("a")}
ORIGIN = {"org.opencontainers.image.source": "https://host.example/app.git", "org.opencontainers.image.revision": "main@sha1:0123456",
          "org.opencontainers.image.created": "2026-01-02T03:04:05Z"}
FROM_IMAGE = {"kind": "OCIRepository", "name": "app"}


def logins(authority, user, word):
    login = base64.b64encode(f"{user}:{word}".encode()).decode()
    return json.dumps({"auths": {authority: {"auth": login}}})


def applied(s):
    s.fetched(kind="OCIRepository")
    s.kustomization(targetNamespace=s.namespace, sourceRef=FROM_IMAGE)


@scenario
def oci_basics(s):
    s.push(FILES, annotations=ORIGIN)
    s.image_source()
    applied(s)
    s.point("fetched")
    s.request("OCIRepository", "app")
    s.point("asked, nothing new")
    s.push({"b.yaml": config_map("b")})
    s.point("the tag moves")
    s.push(FILES, annotations={**ORIGIN, "org.opencontainers.image.revision": "main@sha1:7654321"})
    s.point("the same files again")
    s.delete("OCIRepository", "app")
    s.point("deleted", until=gone(s, kind="OCIRepository"))


@scenario
def oci_url(s):
    s.push(FILES)
    s.push({"b.yaml": config_map("b")}, image="other")
    s.image_source()
    s.point("valid")
    s.image_source(url=s.image("other"))
    s.point("changed")
    s.image_source(url=s.image("none"))
    s.point("no such repository")
    s.image_source(url=s.image() + ":latest")
    s.point("with a tag")
    s.image_source(url=s.image("App"))
    s.point("upper case")
    s.image_source(url="https://host.example/app")
    s.point("another scheme")
    s.image_source(url="oci://127.0.0.1:1/none")
    s.point("nobody listens")
    s.image_source()
    s.point("mended")


@scenario
def oci_never_fetched(s):
    s.image_source()
    s.point("nothing there")
    s.request("OCIRepository", "app")
    s.point("asked")
    s.push(FILES)
    s.point("pushed")


@scenario
def oci_tag(s):
    s.push(FILES, tag="v1")
    s.push({"b.yaml": config_map("b")}, tag="v2")
    s.image_source(ref={"tag": "v1"})
    s.point("valid")
    s.image_source(ref={"tag": "v2"})
    s.point("changed")
    s.image_source(ref={"tag": "none"})
    s.point("missing")
    s.image_source(ref={"tag": "no tag"})
    s.point("invalid")
    s.image_source()
    s.point("removed")


@scenario
def oci_semver(s):
    s.push(FILES, tag="1.0.0")
    s.push({"b.yaml": config_map("b")}, tag="v1.2.0")
    s.push({"c.yaml": config_map("c")}, tag="1.3.0-rc.1")
    s.push({"d.yaml": config_map("d")}, tag="9")
    s.image_source(ref={"semver": ">=1.0.0"})
    s.point("valid")
    s.image_source(ref={"semver": "1.0.x", "tag": "9"})
    s.point("changed")
    s.image_source(ref={"semver": ">=1.0.0-0", "semverFilter": ".*-rc.*"})
    s.point("filtered")
    s.image_source(ref={"semver": ">=1.0.0", "semverFilter": ".*-none"})
    s.point("nothing passes the filter")
    s.image_source(ref={"semver": ">=1.0.0", "semverFilter": "(["})
    s.point("an invalid filter")
    s.image_source(ref={"semver": ">=3.0.0"})
    s.point("no match")
    s.image_source(ref={"semver": "nonsense"})
    s.point("invalid")
    s.image_source(url=s.image("none"), ref={"semver": ">=1.0.0"})
    s.point("no such repository")
    s.image_source(ref={"semver": ">=1.0.0"})
    s.push(FILES, tag="1.4.0")
    s.point("a newer tag")


@scenario
def oci_digest(s):
    first = s.push(FILES)
    s.push({"b.yaml": config_map("b")})
    s.image_source(ref={"digest": first})
    s.point("alone")
    s.image_source(ref={"digest": first, "tag": "none", "semver": "9.x"})
    s.point("with the others")
    s.image_source(ref={"digest": "sha256:" + "0" * 64})
    s.point("missing")
    s.image_source(ref={"digest": "sha256:short"})
    s.point("invalid")


@scenario
def oci_layer_selector(s):
    layer = oci.tar_gz({"app/Chart.yaml": "name: app\nversion: 1.0.0\n"})
    s.push_layers([(oci.CONTENT, oci.tar_gz({"a.yaml": json.dumps(config_map("a"))})), (oci.CHART, layer)])
    s.image_source()
    s.point("without")
    s.image_source(layerSelector={"mediaType": oci.CHART, "operation": "copy"})
    s.point("copied")
    s.request("OCIRepository", "app")
    s.point("asked, nothing new")
    s.image_source(layerSelector={"mediaType": oci.CHART, "operation": "extract"})
    s.point("extracted")
    s.image_source(layerSelector={"mediaType": oci.CHART})
    s.point("without an operation")
    s.image_source(layerSelector={"operation": "copy"})
    s.point("without a media type")
    s.image_source(layerSelector={"mediaType": "application/x"})
    s.point("no such layer")
    s.image_source(layerSelector={"operation": "nonsense"})
    s.point("an invalid operation")
    s.image_source()
    s.point("removed")


@scenario
def oci_secret(s):
    s.push(FILES)
    private = s.image(server="registry-private")
    authority = private.removeprefix("oci://").partition("/")[0]
    docker = "kubernetes.io/dockerconfigjson"
    s.image_source(url=private)
    s.point("without secret")
    s.image_source(url=private, secretRef={"name": "none"})
    s.point("missing secret")
    s.secret("opaque", username=USER, password=PASSWORD)
    s.image_source(url=private, secretRef={"name": "opaque"})
    s.point("of another type")
    s.secret("other", docker, **{"__dockerconfigjson": logins("host.example", USER, PASSWORD)})
    s.image_source(url=private, secretRef={"name": "other"})
    s.point("for another registry")
    s.secret("wrong", docker, **{"__dockerconfigjson": logins(authority, USER, "wrong")})
    s.image_source(url=private, secretRef={"name": "wrong"})
    s.point("wrong password")
    s.secret("right", docker, **{"__dockerconfigjson": logins(authority, USER, PASSWORD)})
    s.image_source(url=private, secretRef={"name": "right"})
    s.point("right password")
    s.secret("right", docker, **{"__dockerconfigjson": logins(authority, USER, "wrong")})
    s.request("OCIRepository", "app")
    s.point("the password changes")
    s.image_source()
    s.point("removed")


@scenario
def oci_secret_appears(s):
    s.push(FILES)
    private = s.image(server="registry-private")
    s.image_source(url=private, secretRef={"name": "late"})
    s.point("missing")
    s.secret("late", "kubernetes.io/dockerconfigjson",
             **{"__dockerconfigjson": logins(private.removeprefix("oci://").partition("/")[0], USER, PASSWORD)})
    s.request("OCIRepository", "app")
    s.point("there")


@scenario
def oci_service_account(s):
    s.push(FILES)
    private = s.image(server="registry-private")
    s.image_source(url=private, serviceAccountName="none")
    s.point("missing")
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "puller"}}
    s.apply(account)
    s.image_source(url=private, serviceAccountName="puller")
    s.point("without a secret")
    s.apply({**account, "imagePullSecrets": [{"name": "late"}]})
    s.request("OCIRepository", "app")
    s.point("its secret is missing")
    s.secret("late", "kubernetes.io/dockerconfigjson",
             **{"__dockerconfigjson": logins(private.removeprefix("oci://").partition("/")[0], USER, PASSWORD)})
    s.request("OCIRepository", "app")
    s.point("its secret is there")


@scenario
def oci_certificate(s):
    s.push(FILES)
    secured, files = s.image(server="registry-tls"), s.world.registries.certificates
    ca, certificate, key = ((files / name).read_text(encoding="ascii") for name in ("ca.crt", "client.crt", "client.key"))
    s.image_source(url=secured, insecure=None)
    s.point("unknown authority")
    s.image_source(url=secured, insecure=None, certSecretRef={"name": "none"})
    s.point("missing secret")
    s.secret("whole", ca__crt=ca, tls__crt=certificate, tls__key=key)
    s.image_source(url=secured, insecure=None, certSecretRef={"name": "whole"})
    s.point("its authority and our certificate")
    s.secret("ca", ca__crt=ca)
    s.image_source(url=secured, insecure=None, certSecretRef={"name": "ca"})
    s.point("no certificate of ours")
    s.secret("half", ca__crt=ca, tls__crt=certificate)
    s.image_source(url=secured, insecure=None, certSecretRef={"name": "half"})
    s.point("no key")
    s.secret("bad", ca__crt="nonsense")
    s.image_source(url=secured, insecure=None, certSecretRef={"name": "bad"})
    s.point("no authority")
    s.secret("empty")
    s.image_source(url=secured, insecure=None, certSecretRef={"name": "empty"})
    s.point("an empty secret")


@scenario
def oci_insecure(s):
    s.push(FILES)
    far = s.image(server="registry-far")
    s.image_source(url=far)
    s.point("said")
    s.image_source(url=far, insecure=None)
    s.point("missing")
    s.image_source(url=far, insecure=False)
    s.point("denied")
    s.image_source(insecure=None)
    s.point("missing, at a loopback address")


@scenario
def oci_ignore(s):
    s.push({"keep/a.yaml": config_map("a"), "drop/b.yaml": config_map("b"), "logo.png": "x"})
    s.image_source(ignore="/*\n!/keep\n")
    applied(s)
    s.point("valid")
    s.push({"keep/a.yaml": config_map("a"), "drop/b.yaml": config_map("b"), "c.yaml": config_map("c"), ".sourceignore": "drop\n"})
    s.point("pushed")
    s.image_source(ignore="/keep\n")
    s.point("changed")
    s.image_source()
    s.point("removed")


@scenario
def oci_suspend(s):
    s.push(FILES)
    s.image_source()
    s.point("fetched")
    s.image_source(suspend=True)
    moved = s.push({"b.yaml": config_map("b")})
    s.point("asked while suspended", quiet_s=4)
    s.image_source()
    s.point("resumed", until=lambda: moved in str(s.world.store.get("OCIRepository", s.namespace, "app")["status"]["artifact"]))


@scenario
def oci_suspended_and_deleted(s):
    s.push(FILES)
    s.image_source()
    s.point("fetched")
    s.image_source(suspend=True)
    s.point("suspended")
    s.delete("OCIRepository", "app")
    s.point("deleted", until=gone(s, kind="OCIRepository"))


@scenario
def oci_hostile_layers(s):
    link = tarfile.TarInfo("b.yaml")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    s.push(FILES)
    s.image_source()
    applied(s)
    s.point("fetched")
    s.push_layers([(oci.CONTENT, b"no archive at all")])
    s.point("no archive")
    s.push_layers([])
    s.point("no layers")
    s.push({"../../a.yaml": config_map("a")})
    s.point("a name that leaves the archive")
    s.push({"b.yaml": (link, b""), **FILES})
    s.point("a link")
    s.push_layers([(oci.CONTENT, oci.tar_gz({"a.yaml": "x" * 10_000})[:-12])])
    s.point("cut off")
    s.push({"c.yaml": config_map("c")})
    s.point("mended")


@scenario
def oci_index(s):
    entries = []
    for architecture in ("s390x", "amd64"):
        manifest, blobs = oci.manifest_of([(oci.CONTENT, oci.tar_gz({"a.yaml": json.dumps(config_map("a", {"for": architecture}))}))])
        s.push_manifest(manifest, blobs, architecture)
        entries.append({"mediaType": oci.MANIFEST, "digest": oci.digest_of(manifest), "size": len(manifest),
                        "platform": {"os": "linux", "architecture": architecture}})

    def index(entries):
        return json.dumps({"schemaVersion": 2, "mediaType": oci.INDEX, "manifests": entries, "annotations": ORIGIN}).encode()
    s.push_manifest(index(entries), {}, media_type=oci.INDEX)
    s.image_source()
    applied(s)
    s.point("one for each platform")
    s.push_manifest(index(entries[:1]), {}, media_type=oci.INDEX)
    s.point("none for this platform")
    s.push_manifest(index([]), {}, media_type=oci.INDEX)
    s.point("of nothing")


@scenario
def oci_kinds_of_artifacts(s):
    config = b"{}"
    layer = oci.tar_gz({"a.yaml": json.dumps(config_map("a"))})

    def manifest(kind, config_type, layer_type):
        return json.dumps({"schemaVersion": 2, "mediaType": kind,
                           "config": {"mediaType": config_type, "digest": oci.digest_of(config), "size": len(config)},
                           "layers": [{"mediaType": layer_type, "digest": oci.digest_of(layer), "size": len(layer)}]}).encode()
    blobs = {oci.digest_of(config): config, oci.digest_of(layer): layer}
    docker = "application/vnd.docker.distribution.manifest.v2+json"
    s.push_manifest(manifest(docker, "application/vnd.docker.container.image.v1+json", "application/vnd.docker.image.rootfs.diff.tar.gzip"),
                    blobs, media_type=docker)
    s.image_source()
    applied(s)
    s.point("an image of Docker")
    s.push_manifest(manifest(oci.MANIFEST, "application/vnd.cncf.helm.config.v1+json", oci.CHART), blobs)
    s.point("a chart")
    s.push_manifest(manifest(oci.MANIFEST, "application/vnd.oci.empty.v1+json", "application/vnd.oci.image.layer.v1.tar+zstd"), blobs)
    s.point("named zstd, and gzip")


@scenario
def oci_interval(s):
    s.push(FILES)
    s.image_source()
    s.point("valid")
    s.image_source(interval="2h", timeout="10s")
    s.point("changed")
    s.image_source(interval="often")
    s.point("invalid")
    s.image_source(timeout="1h")
    s.point("hours")
    s.image_source(interval=None, timeout=None)
    s.point("removed")


@scenario
def oci_provider(s):
    s.push(FILES)
    s.image_source(provider="generic")
    s.point("valid")
    s.image_source(provider="azure")
    s.point("a cloud")
    s.image_source(provider="nonsense")
    s.point("invalid")


@scenario
def oci_proxy(s):
    s.push(FILES)
    s.image_source(proxySecretRef={"name": "none"})
    s.point("missing secret")
    s.image_source()
    s.point("removed")


@scenario
def oci_verify(s):
    s.push(FILES)
    s.image_source(verify={"provider": "cosign", "secretRef": {"name": "none"}})
    s.point("missing secret")
    s.image_source()
    s.point("removed")
