#!/usr/bin/env python3
"""Secrets stay where they belong: canaries are planted wherever one can be, paths that fail are walked, and everything that leaves
the daemon or stays behind it is searched.

Usage: secrets_test.py HOLDFAST
"""
import base64
import json
import pathlib
import secrets
import string
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import record_sink  # noqa: E402
from git_http import GitHttpServer  # noqa: E402
from harness import eventually, git_repository, kustomization  # noqa: E402

HOLDFAST = pathlib.Path(sys.argv[1]).resolve()
PIECE = 8  # bytes: a part of a secret that long is a part too many
NAMESPACE = "default"
canaries = {}


def canary(place):
    """A new value; that it holds letters of both cases and digits only keeps it whole in URLs and YAML."""
    value = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(32))
    canaries[place] = value
    return value


def forms(value):
    """(text, length of a piece): as it is, which is how URLs have it, too; in base64 whatever precedes it; in hex."""
    raw = value.encode()
    yield value, PIECE
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode()
        yield encoded[4 * ((offset + 2) // 3):-4], PIECE * 4 // 3 + 1  # without the digits that neighbours decide
    yield raw.hex(), PIECE * 2


def found_in(text):
    """Which canaries a text holds a piece of."""
    pieces = {}
    for place, value in canaries.items():
        for form, size in forms(value):
            pieces.setdefault(size, {}).update({form[i:i + size]: place for i in range(len(form) - size + 1)})
    return sorted({known[text[i:i + size]] for size, known in pieces.items() for i in range(len(text) - size + 1) if text[i:i + size] in known})


def secret(name, **data):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE}, "stringData": data}


def secret_text(name, body):
    return f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\n  namespace: {NAMESPACE}\n{body}"


class World:
    def __init__(self, work):
        self.work = work
        self.plane = harness.ControlPlane(work / "plane")
        record_sink.SECRET = canary("Azure client secret")
        self.azure = record_sink.RecordSink(work)
        self.git_root, self.user, self.password = work / "git", canary("URL user"), canary("URL password")
        self.git_root.mkdir()
        self.open = GitHttpServer(str(self.git_root)).start()
        self.closed = GitHttpServer(str(self.git_root), user=self.user, password=self.password).start()
        self.plane.kubectl("create", "serviceaccount", "node", "-n", "kube-system")
        self.plane.kubectl("create", "clusterrolebinding", "node", "--clusterrole=cluster-admin", "--serviceaccount=kube-system:node")
        token = self.plane.kubectl("create", "token", "node", "-n", "kube-system", "--duration=2h").strip()
        # The signature is what lets somebody in; the rest of a token is names.
        canaries["kubeconfig token"] = token.rsplit(".", 1)[1]
        self.kubeconfig = work / "kubeconfig"
        kubeconfig = json.loads(self.plane.kubectl("config", "view", "--raw", "-o", "json"))
        for user in kubeconfig["users"]:
            user["user"] = {"token": token}
        self.kubeconfig.write_text(json.dumps(kubeconfig), encoding="utf-8")
        self.shop = harness.Repository(self.git_root, "shop")
        self.daemon = harness.Daemon(HOLDFAST, work / "daemon", str(self.kubeconfig),
                                     "install_crds: true\nlog: {level: debug}\n" + self.azure.config()).start()
        eventually(lambda: self.plane.get("crd", "fluxconfigs.clusterconfig.azure.com"), 30, what="CRDs")

    def with_login(self, server, user, password, path="shop.git"):
        return f"{server.url.replace('://', f'://{user}:{password}@')}/{path}"

    def ready(self, kind, name):
        return self.plane.condition(kind, name, NAMESPACE)

    def stop(self):
        for stop in (self.daemon.stop, self.open.stop, self.closed.stop, self.azure.stop, self.plane.stop):
            try:
                stop()
            except Exception as error:  # the others are stopped too
                print(f"     ({error})")


def sources(world):
    """Logins in URLs, right and wrong; passwords, tokens and keys of Secrets, right, wrong and broken."""
    world.shop.write("good/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good, namespace: default}\n")
    world.shop.commit()
    wrong, dead = canary("wrong URL password"), canary("URL password of a dead host")
    cut, bearer, key = canary("URL password with a slash"), canary("bearer token"), canary("broken private key")
    world.plane.apply(
        git_repository("login", world.with_login(world.closed, world.user, world.password), interval="5s"),
        git_repository("wrong", world.with_login(world.closed, world.user, wrong), interval="5s"),
        git_repository("dead", f"http://{dead}:{dead}@127.0.0.1:1/a.git", interval="5s"),
        git_repository("cut", f"http://bot:{cut[:16]}/{cut[16:]}@127.0.0.1:1/a.git", interval="5s"),
        git_repository("query", f"{world.open.url}/none.git?access_token={canary('token in a query')}", interval="5s"),
        secret("basic", username="bot", password=canary("password of a Secret")),
        git_repository("basic", f"{world.closed.url}/shop.git", interval="5s", secretRef={"name": "basic"}),
        secret("bearer", bearerToken=bearer),
        git_repository("bearer", f"{world.closed.url}/shop.git", interval="5s", secretRef={"name": "bearer"}),
        secret("tls", **{"tls.crt": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                         "tls.key": f"-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n"}),
        git_repository("tls", world.closed.url.replace("http", "https") + "/shop.git", interval="5s", secretRef={"name": "tls"}))
    eventually(lambda: (world.ready("gitrepository", "login") or [""])[0] == "True", 30, what="the right login works")
    for name in ("wrong", "dead", "cut", "query", "basic", "bearer", "tls"):
        eventually(lambda: (world.ready("gitrepository", name) or [""])[0] == "False", 30, what=f"{name} fails")


def configurations(world):
    """A FluxConfig with a login in its URL, right and wrong, whose state goes to Azure."""
    wrong = canary("URL password of a FluxConfig")
    for name, password in (("edge", world.password), ("lost", wrong)):
        world.plane.apply({"apiVersion": "clusterconfig.azure.com/v1alpha1", "kind": "FluxConfig",
                           "metadata": {"name": name, "namespace": NAMESPACE},
                           "spec": {"scope": "cluster", "sourceKind": "GitRepository",
                                    "gitRepository": {"url": world.with_login(world.closed, world.user, password),
                                                      "ref": {"branch": "main"}, "syncInterval": "5s"},
                                    "kustomizations": [{"name": "good", "path": "./good", "prune": True, "syncInterval": "10s"}]}})
    eventually(lambda: any(row.get("ConfigurationName") == "lost" and row["ComplianceState"] == "Non-Compliant" for row in world.azure.rows()),
               60, what="Azure hears of the wrong one")


def remote_bases(world):
    """Logins and keys in what a kustomization names by URL."""
    base = harness.Repository(world.git_root, "base")
    base.write("kustomization.yaml", "configMapGenerator: [{name: base, literals: [a=b], options: {disableNameSuffixHash: true}}]\nnamespace: default\n")
    base.commit()
    cases = {"right": f"git::{world.with_login(world.closed, world.user, world.password, 'base.git')}?ref=main",
             "denied": f"git::{world.with_login(world.closed, 'bot', canary('password of a remote base'), 'base.git')}?ref=main",
             "file": f"http://{canary('user of a remote file')}@127.0.0.1:{world.open.httpd.server_port}/none.yaml",
             "key": f"git::{world.open.url}/none.git?ref=main&sshkey={canary('sshkey of a remote base')}",
             "sas": f"{world.open.url}/none.yaml?sig={canary('signature of a remote file')}"}
    for name, url in cases.items():
        world.shop.write(f"remote/{name}/kustomization.yaml", f"resources:\n- {url}\n")
    world.shop.commit()
    world.plane.apply(git_repository("shop", f"{world.open.url}/shop.git", interval="5s"),
                      *(kustomization(f"remote-{name}", "shop", f"./remote/{name}", interval="5s") for name in cases))
    eventually(lambda: (world.ready("kustomization", "remote-right") or [""])[0] == "True", 40, what="the right login works")
    for name in list(cases)[1:]:
        eventually(lambda: (world.ready("kustomization", f"remote-{name}") or [""])[0] == "False", 40, what=f"{name} fails")


def refused(world):
    """Secrets that the API server, or a policy, refuses; a stage that fails behind a Secret; a Secret that changes what cannot change."""
    world.plane.apply({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "loud"},
                       "spec": {"failurePolicy": "Fail",
                                "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"],
                                                                        "resources": ["secrets"]}]},
                                "validations": [{"expression": "object == null || !object.metadata.name.startsWith('loud')",
                                                 "messageExpression": "'no: ' + string(object.data.a)"}]}},
                      {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
                       "metadata": {"name": "loud"}, "spec": {"policyName": "loud", "validationActions": ["Deny"]}})
    encoded = lambda place: base64.b64encode(canary(place).encode()).decode()
    bodies = {
        "base64": f"data:\n  a: \"{canary('data that is no base64')}!\"\n",
        "name": f"data:\n  \"{canary('name of a key')} !\": YQ==\n",
        "number": f"data:\n  a: {{b: {canary('data that is a map')}}}\n",
        "string": f"stringData:\n  a: [{canary('stringData that is a list')}]\n",
        "type": f"type: kubernetes.io/tls\nstringData:\n  tls.crt: {canary('certificate alone')}\n",
        "docker": f"type: kubernetes.io/dockerconfigjson\nstringData:\n  .dockerconfigjson: \"{{{canary('broken dockerconfig')}\"\n",
        "loud": f"data:\n  a: {encoded('repeated by a policy')}\n",
        "field": f"data: {{}}\n{canary('unknown field')}: 1\n",
    }
    for name, body in bodies.items():
        world.shop.write(f"secret/{name}/a.yaml", secret_text(name, body))
    world.shop.write("secret/fixed/a.yaml", secret_text("fixed", f"immutable: true\nstringData:\n  a: {canary('immutable')}\n"))
    world.shop.commit()
    world.plane.apply(*(kustomization(f"secret-{name}", "shop", f"./secret/{name}", interval="5s") for name in [*bodies, "fixed"]))
    eventually(lambda: (world.ready("kustomization", "secret-fixed") or [""])[0] == "True", 40, what="a good Secret is applied")
    world.shop.write("secret/fixed/a.yaml", secret_text("fixed", f"immutable: true\nstringData:\n  a: {canary('change of an immutable')}\n"))
    world.shop.commit()
    for name in [*bodies, "fixed"]:
        if name == "field":  # Flux drops what no schema declares
            continue
        eventually(lambda: (world.ready("kustomization", f"secret-{name}") or [""])[0] == "False", 60, what=f"{name} is refused")
    # The reason stays, and so does the kind of thing that is wrong with what the server did not read.
    message = world.ready("kustomization", "secret-type")[2]
    assert "Secret/default/type dry-run failed" in message and "(Invalid)" in message, message


def azure(world):
    """A service that says no to the client secret, and one that repeats it."""
    world.azure.fault({"at": "token", "do": "aadsts", "code": 7000215, "count": 2}, {"at": "ingest", "do": 401, "count": 2})
    world.azure.renew_secret()
    world.shop.write("good/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: better, namespace: default}\n")
    world.shop.commit()
    eventually(lambda: world.azure.stats().get("token 401", 0) + world.azure.stats().get("ingest 401", 0) > 0, 60, what="a refusal")
    world.azure.forgive()


def restart(world):
    """After a restart what was kept without its login is used again: with the login, once the cluster gave it."""
    world.daemon.stop()
    world.shop.write("good/b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: later, namespace: default}\n")
    world.shop.commit()
    before = len(world.closed.requests)
    world.daemon.start()
    eventually(lambda: any("answer_bytes" in one for one in world.closed.requests[before:]), 40, what="the login is used again")
    eventually(lambda: (world.ready("gitrepository", "login") or [""])[0] == "True", 30, what="the source is Ready")


def nowhere(world):
    """No canary, and no piece of one, is in anything that others may read."""
    places = {"log": world.daemon.log.read_text(encoding="utf-8"), "table": world.daemon.table()[0],
              "status": json.dumps(world.daemon.status())}
    for path in ("/", "/metrics", "/api/v1/status"):
        places[path] = world.daemon.fetch(path)
    places["Events"] = world.plane.kubectl("get", "events", "-A", "-o", "json")
    for kind in ("gitrepositories", "kustomizations", "fluxconfigs"):
        items = json.loads(world.plane.kubectl("get", kind, "-A", "-o", "json"))["items"]
        places[f"status of {kind}"] = json.dumps([item.get("status", {}) for item in items])
    places["records"] = json.dumps(world.azure.rows())
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            started_by = process.joinpath("stat").read_text().rsplit(")", 1)[1].split()[1]
            if str(world.daemon.process.pid) in (process.name, started_by):
                places[f"command line of {process.name}"] = process.joinpath("cmdline").read_text()
                places[f"environment of {process.name}"] = process.joinpath("environ").read_text()
        except OSError:  # it ended
            pass
    assert any(name.startswith("command line") for name in places)
    world.daemon.stop()
    for file in world.daemon.state.rglob("*"):
        # Artifacts are what the repositories hold; they are packed, and read by nobody else.
        if file.is_file() and "blobs" not in file.parts:
            places[f"file {file.name}"] = file.read_bytes().decode("latin-1")
    assert any("holdfast.db" in name for name in places)
    assert all(len(text) > 0 for name, text in places.items() if not name.startswith(("environment", "file"))), {n: len(t) for n, t in places.items()}
    hits = {name: found for name, text in places.items() if (found := found_in(text))}
    assert not hits, hits
    print(f"     {len(canaries)} canaries, {len(places)} places, {sum(map(len, places.values())) >> 10} KiB")


def searches(_):
    """The search finds what it is to find: each form of a canary, cut at either end."""
    value = canaries["URL password"]
    for form, _ in forms(value):
        assert found_in("x" * 5 + form[3:-3] + "y" * 5) == ["URL password"], form
    prefix = base64.b64encode(b"user:" + value.encode()).decode()
    assert found_in(prefix) == ["URL password"], prefix
    assert found_in("nothing") == []


if __name__ == "__main__":
    sys.exit(harness.run_in(World, [searches, sources, configurations, remote_bases, refused, azure, restart, nowhere]))
