#!/usr/bin/env python3
"""spec.kubeConfig: what a Kustomization applies, watches, repairs, prunes and deletes on another cluster than the daemon's own.

Usage: remote_clusters_test.py HOLDFAST [TEST...]
Two real control planes: `home`, with the Flux objects, the Secrets and the daemon, and `far`, which knows nothing of them. Who
asked `far` for what, and as whom, is in its audit log.
"""
import base64
import json
import pathlib
import re
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
from audit_log import AuditLog  # noqa: E402
from git_http import GitHttpServer  # noqa: E402
from harness import eventually, git_repository, kustomization  # noqa: E402

HOLDFAST = pathlib.Path(sys.argv[1]).resolve()
RBAC = "rbac.authorization.k8s.io"
OWNER_LABEL = "kustomize.toolkit.fluxcd.io/name"
KUBECONFIG = {"secretRef": {"name": "far"}}
EVERYTHING = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]


def manifest(kind, name, api="v1", namespace=None, **more):
    meta = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {"apiVersion": api, "kind": kind, "metadata": meta, **more}


def config_map(name, value="one"):
    return manifest("ConfigMap", name, data={"key": value})


def deployment(name, replicas=0):
    return manifest("Deployment", name, "apps/v1", spec={
        "replicas": replicas, "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}}})


def bound(account, namespace, rules, role="Role"):
    """The account `account` of `namespace`, and what it may do there, or everywhere."""
    where = namespace if role == "Role" else None
    name = f"{namespace}-{account}"
    return [manifest("ServiceAccount", account, namespace=namespace), manifest(role, name, f"{RBAC}/v1", where, rules=rules),
            manifest(f"{role}Binding", name, f"{RBAC}/v1", where, subjects=[{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
                     roleRef={"apiGroup": RBAC, "kind": role, "name": name})]


class World:
    def __init__(self, work):
        self.work = work
        self.home, self.far = harness.ControlPlane(work / "home"), harness.ControlPlane(work / "far", audit=True)
        (work / "git").mkdir()
        self.git = GitHttpServer(str(work / "git")).start()
        for plane in (self.home, self.far):
            plane.apply(manifest("Namespace", "apps"))
        self.daemon = harness.Daemon(HOLDFAST, work / "daemon", self.home.kubeconfig, "install_crds: true\nnetwork: {allow: [127.0.0.1/32]}\n").start()
        eventually(lambda: self.home.get("crd", "kustomizations.kustomize.toolkit.fluxcd.io"), 30, what="CRDs")
        self.audit = AuditLog(work / "far", "holdfast/")
        self.far_admin = pathlib.Path(self.far.kubeconfig).read_text(encoding="utf-8")
        self.secret("far", self.far_admin)

    def secret(self, name, kubeconfig, key="value"):
        self.home.apply(manifest("Secret", name, namespace="apps", stringData={key: kubeconfig}))

    def far_as(self, account):
        """The kubeconfig of `far` with the token of an account of it."""
        token = self.far.kubectl("create", "token", account, "-n", "apps", "--duration", "2h").strip()
        return self.far_with(f"token: {token}")

    def far_with(self, credentials):
        text = re.sub(r"client-certificate-data: .*", credentials, self.far_admin)
        return re.sub(r"\n *client-key-data: .*", "", text)

    def repository(self, name, *objects):
        repository = harness.Repository(self.work / "git", name)
        self.commit(repository, *objects)
        self.home.apply(git_repository(name, f"{self.git.url}/{name}.git", "apps", interval="2s"))
        return repository

    @staticmethod
    def commit(repository, *objects):
        repository.write("all.yaml", json.dumps(manifest("List", "all", items=list(objects))))
        repository.commit()

    def wish(self, name, kube_config=None, source=None, interval="5s", **more):
        if kube_config:
            more["kubeConfig"] = kube_config
        wish = kustomization(name, source or name, namespace="apps", interval=interval, targetNamespace="apps", **more)
        self.home.apply(wish)

    def ready(self, name, status="True", reason=None, says=""):
        def look():
            ready = self.home.condition("kustomization", name, "apps")
            return ready if ready and ready[0] == status and reason in (None, ready[1]) and says in ready[2] else None
        what = f"{name} {status} {reason} {says}"
        try:
            return eventually(look, 60, what=what)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {self.home.condition('kustomization', name, 'apps')}") from None

    def gone(self, name):
        self.home.kubectl("delete", "kustomization", name, "-n", "apps", "--wait=false")
        eventually(lambda: self.home.get("kustomization", name, "apps") is None, 60, what=f"{name} deleted")

    def far_value(self, name):
        return ((self.far.get("configmap", name, "apps") or {}).get("data") or {}).get("key")

    def stop(self):
        self.daemon.stop()
        self.git.stop()
        self.home.stop()
        self.far.stop()


def a_life(world):
    """Applied, healthy, repaired, pruned and deleted there; nothing of it here."""
    repository = world.repository("life", config_map("life-a"), config_map("life-b"), deployment("life"))
    world.wish("life", KUBECONFIG, wait=True, interval="1h")
    world.ready("life")
    assert world.far.names("configmap", "apps", OWNER_LABEL) == ["life-a", "life-b"]
    assert world.home.names("configmap", "apps", OWNER_LABEL) == []
    inventory = [one["id"] for one in world.home.get("kustomization", "life", "apps")["status"]["inventory"]["entries"]]
    assert inventory == ["apps_life-a__ConfigMap", "apps_life-b__ConfigMap", "apps_life_apps_Deployment"], inventory

    # The interval is an hour: only a watch shows these.
    world.far.kubectl("patch", "configmap", "life-a", "-n", "apps", "--type", "merge", "-p", '{"data":{"key":"theirs"}}')
    eventually(lambda: world.far_value("life-a") == "one", 60, what="a changed object is repaired there")
    world.far.kubectl("delete", "deployment", "life", "-n", "apps")
    eventually(lambda: world.far.get("deployment", "life", "apps"), 60, what="a deleted object is made again there")
    world.commit(repository, config_map("life-a"), config_map("life-b"), deployment("life", replicas=1))
    world.ready("life", "Unknown", "Progressing")  # there is no node for the pod
    world.commit(repository, config_map("life-a"), config_map("life-b"), deployment("life"))
    world.ready("life")

    world.commit(repository, config_map("life-a", "two"), deployment("life"))
    eventually(lambda: world.far_value("life-a") == "two" and world.far.get("configmap", "life-b", "apps") is None, 60, what="changed and pruned there")
    world.ready("life")
    world.gone("life")
    eventually(lambda: world.far.names("configmap", "apps", OWNER_LABEL) == [], 30, what="nothing is left there")
    assert world.far.get("deployment", "life", "apps") is None or "deletionTimestamp" in world.far.get("deployment", "life", "apps")["metadata"]


def keys_of_the_secret(world):
    """The key that is named, else `value`, else `value.yaml`; what is missing is said in Flux's words."""
    world.repository("keys", config_map("keys"))
    world.wish("keys", {"secretRef": {"name": "later"}})
    world.ready("keys", "False", "ReconciliationFailed", "unable to read KubeConfig secret 'apps/later' error: secrets \"later\" not found")
    world.home.apply(manifest("Secret", "later", namespace="apps", stringData={"other": world.far_admin}))
    world.ready("keys", "False", "ReconciliationFailed", "KubeConfig secret 'apps/later' does not contain a 'value' key with a kubeconfig")
    world.wish("keys", {"secretRef": {"name": "later", "key": "absent"}})
    world.ready("keys", "False", "ReconciliationFailed", "KubeConfig secret 'apps/later' does not contain a 'absent' key with a kubeconfig")
    world.wish("keys", {"secretRef": {"name": "later", "key": "other"}})
    world.ready("keys")
    world.secret("later", world.far_admin, "value.yaml")
    world.wish("keys", {"secretRef": {"name": "later"}})
    world.ready("keys")
    world.secret("later", "a: [")
    world.wish("keys", {"secretRef": {"name": "later", "key": "value"}})
    world.ready("keys", "False", "ReconciliationFailed", "invalid KubeConfig in secret 'apps/later'")
    assert world.far_value("keys") == "one"  # what is there stays
    events = json.loads(world.home.kubectl("get", "events", "-n", "apps", "-o", "json"))["items"]
    assert any(one["message"].startswith("failed to build kube client: unable to read KubeConfig secret") for one in events)
    world.secret("later", world.far_admin)
    world.ready("keys")
    world.gone("keys")
    assert world.far_value("keys") is None


def refused(world):
    """A kubeconfig that would read a file or start a program here, or that skips who the server is."""
    world.repository("refused", config_map("refused"))
    token = "certificate-authority: /etc/ssl/certs/ca-certificates.crt"
    cases = {
        "tokenFile is not allowed here": world.far_with("tokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token"),
        "exec (cat) is refused": world.far_with("exec: {apiVersion: client.authentication.k8s.io/v1, command: cat}"),
        "auth-provider is refused": world.far_with("auth-provider: {name: gcp}"),
        "certificate-authority is not allowed here": re.sub(r"certificate-authority-data: .*", token, world.far_admin),
    }
    for says, kubeconfig in cases.items():
        world.secret("refused", kubeconfig)
        world.wish("refused", {"secretRef": {"name": "refused"}})
        world.ready("refused", "False", "ReconciliationFailed", says)
    world.secret("refused", re.sub(r"certificate-authority-data: .*", "insecure-skip-tls-verify: true", world.far_admin))
    _, _, message = world.ready("refused", "False", "ReconciliationFailed", "certificate")
    assert world.far_value("refused") is None, message
    world.gone("refused")


def impersonated(world):
    """The account is one of the remote cluster; the kubeconfig's own user needs no right but to act as it."""
    rules = [{"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["impersonate"]}]
    world.far.apply(*bound("gate", "apps", rules, "ClusterRole"), *bound("deployer", "apps", EVERYTHING))
    world.secret("gate", world.far_as("gate"))
    world.audit.requests()
    world.repository("acting", config_map("acting"))
    world.wish("acting", {"secretRef": {"name": "gate"}}, serviceAccountName="deployer", interval="5s", wait=True)
    world.ready("acting")
    asked = world.audit.requests()
    wrote = {one.acting_as for one in asked if one.verb in ("patch", "create", "delete")}
    assert wrote == {"system:serviceaccount:apps:deployer"}, wrote
    assert {one.user for one in asked if one.acting_as == "system:serviceaccount:apps:deployer"} == {"system:serviceaccount:apps:gate"}
    # The account has no rights in other namespaces, so nothing is watched there: every interval it is looked up.
    assert (world.home.condition("kustomization", "acting", "apps", "Watched") or ["", ""])[1] == "WatchRefused"
    world.far.kubectl("delete", "configmap", "acting", "-n", "apps")
    eventually(lambda: world.far_value("acting") == "one", 60, what="made again")
    world.wish("acting", {"secretRef": {"name": "gate"}}, serviceAccountName="stranger")
    world.ready("acting", "False", "ReconciliationFailed", 'User "system:serviceaccount:apps:stranger" cannot patch resource "configmaps"')
    world.wish("acting", {"secretRef": {"name": "gate"}}, serviceAccountName="deployer")
    world.ready("acting")
    world.gone("acting")
    assert world.far_value("acting") is None


def credentials(world):
    """Wrong ones are found out at the next pass, right ones are used at the next; nothing is deleted meanwhile."""
    world.repository("creds", config_map("creds"))
    world.secret("creds", world.far_with("token: nonsense"))
    world.wish("creds", {"secretRef": {"name": "creds"}})
    world.ready("creds", "False", "ReconciliationFailed", "Unauthorized")
    world.far.apply(*bound("deployer", "apps", EVERYTHING, "ClusterRole"))
    world.secret("creds", world.far_as("deployer"))
    world.ready("creds")
    world.audit.requests()
    world.secret("creds", world.far_with("token: withdrawn"))
    world.ready("creds", "False", "ReconciliationFailed", "Unauthorized")
    assert world.far_value("creds") == "one"
    world.secret("creds", world.far_admin)
    world.ready("creds")
    world.audit.requests()
    world.far.kubectl("delete", "configmap", "creds", "-n", "apps")
    eventually(lambda: world.far_value("creds") == "one", 60, what="repaired with the new credentials")
    users = {one.user for one in world.audit.requests() if one.verb == "patch"}
    assert not [user for user in users if user.startswith("system:serviceaccount")], users
    world.gone("creds")


def away_and_back(world):
    """The remote API server is away: the pass fails, also after a restart here; nothing is deleted; when it is back it is repaired."""
    world.repository("away", config_map("away"))
    world.wish("away", KUBECONFIG)
    world.ready("away")
    world.repository("near", config_map("near"))
    world.wish("near")
    world.ready("near")
    world.far.kubectl("delete", "configmap", "away", "-n", "apps")
    world.far.command("stop apiserver")
    world.ready("away", "False", "ReconciliationFailed")
    world.daemon.stop()
    world.daemon.start()
    world.ready("away", "False", "ReconciliationFailed")
    entries = world.home.get("kustomization", "away", "apps")["status"]["inventory"]["entries"]
    assert [one["id"] for one in entries] == ["apps_away__ConfigMap"], entries
    world.ready("near")  # who has nothing to do with it goes on
    world.home.kubectl("delete", "configmap", "near", "-n", "apps")
    eventually(lambda: world.home.get("configmap", "near", "apps"), 60, what="repaired at home")
    world.home.kubectl("delete", "kustomization", "away", "-n", "apps", "--wait=false")
    eventually(lambda: "pruning for deleted resource failed" in str(world.home.get("kustomization", "away", "apps")["status"]), 60, what="the deletion waits")
    assert world.far.command("start apiserver") == "ok"
    eventually(lambda: world.home.get("kustomization", "away", "apps") is None, 90, what="deleted when it is back")
    assert world.far_value("away") is None
    world.wish("away", KUBECONFIG)
    world.ready("away")
    world.far.command("stop apiserver")
    world.ready("away", "False", "ReconciliationFailed")
    assert world.far.command("start apiserver") == "ok"
    world.ready("away")
    world.far.kubectl("delete", "configmap", "away", "-n", "apps")
    eventually(lambda: world.far_value("away") == "one", 60, what="repaired when it is back")
    world.gone("away")
    world.gone("near")


def moved(world):
    """To another cluster and back: what was applied to the former stays there, as with Flux; the inventory is of the new one."""
    repository = world.repository("moved", config_map("moved-a"), config_map("moved-b"))
    world.wish("moved")
    world.ready("moved")
    assert world.home.get("configmap", "moved-a", "apps") and world.far_value("moved-a") is None
    world.wish("moved", KUBECONFIG)
    eventually(lambda: world.far_value("moved-a") == "one" and world.far_value("moved-b") == "one", 60, what="applied there")
    world.ready("moved")
    world.commit(repository, config_map("moved-a"))
    eventually(lambda: world.far_value("moved-b") is None, 60, what="pruned there")
    world.ready("moved")
    assert world.home.get("configmap", "moved-b", "apps"), "what was applied here stays"
    world.gone("moved")
    assert world.far_value("moved-a") is None
    assert world.home.get("configmap", "moved-a", "apps"), "what was applied here stays"
    world.home.kubectl("delete", "configmap", "moved-a", "moved-b", "-n", "apps")


def another_at_the_address(world):
    """The remote cluster is made anew, with the same address and certificates: everything is applied to it."""
    world.repository("anew", config_map("anew"))
    world.wish("anew", KUBECONFIG)
    world.ready("anew")
    store = world.work / "far" / "etcd"
    assert store.is_dir(), list((world.work / "far").iterdir())
    for part in ("apiserver", "etcd"):
        world.far.command(f"stop {part}")
    shutil.rmtree(store)
    for part in ("etcd", "apiserver"):
        assert world.far.command(f"start {part}") == "ok", part
    world.far.apply(manifest("Namespace", "apps"))
    eventually(lambda: world.far_value("anew") == "one", 90, what="applied to the new cluster")
    world.ready("anew")
    log = [one for one in world.daemon.log_lines() if one.get("message", one.get("msg", "")).startswith("the object is applied to another cluster now")]
    assert any(one.get("name") == "anew" for one in log), "the new cluster was taken for the old one"
    world.gone("anew")


def secret_gone(world):
    """Deleted while its Secret is gone: as Flux, it waits for the Secret; deletionPolicy Orphan lets it go."""
    world.repository("gone", config_map("gone"))
    world.secret("leaver", world.far_admin)
    world.wish("gone", {"secretRef": {"name": "leaver"}})
    world.ready("gone")
    world.home.kubectl("delete", "secret", "leaver", "-n", "apps")
    world.home.kubectl("delete", "kustomization", "gone", "-n", "apps", "--wait=false")
    eventually(lambda: "unable to read KubeConfig secret 'apps/leaver'" in json.dumps(world.home.get("kustomization", "gone", "apps")["status"]), 60, what="it says why")
    assert world.far_value("gone") == "one"
    world.home.kubectl("patch", "kustomization", "gone", "-n", "apps", "--type", "merge", "-p", '{"spec":{"deletionPolicy":"Orphan"}}')
    eventually(lambda: world.home.get("kustomization", "gone", "apps") is None, 60, what="let go")
    assert world.far_value("gone") == "one"
    world.far.kubectl("delete", "configmap", "gone", "-n", "apps")


def without_secret(world):
    """configMapRef: a token of an account of the object's own namespace, for the address. The cluster that trusts this issuer is this one."""
    server = re.search(r"server: (\S+)", pathlib.Path(world.home.kubeconfig).read_text(encoding="utf-8")).group(1)
    ca = re.search(r"certificate-authority-data: (\S+)", pathlib.Path(world.home.kubeconfig).read_text(encoding="utf-8")).group(1)
    data = {"provider": "generic", "address": server, "ca.crt": base64.b64decode(ca).decode(), "audiences": "https://kubernetes.default.svc.cluster.local\n"}
    world.home.apply(*bound("sender", "apps", EVERYTHING))
    world.repository("issued", config_map("issued"))
    ref = {"configMapRef": {"name": "issuer"}}
    world.wish("issued", ref)
    world.ready("issued", "False", "ReconciliationFailed", 'failed to get configmap apps/issuer: configmaps "issuer" not found')
    for wrong, says in [({"provider": "azure"}, "provider 'azure' is not supported by this version of Holdfast"),
                        ({"provider": "else"}, "provider 'else' not implemented"),
                        ({"address": ""}, "cluster address is required to create a REST config"),
                        ({"address": server.replace("https:", "http:")}, "must use https scheme"),
                        ({}, "names no serviceAccountName"),
                        ({"serviceAccountName": "nobody"}, "failed to get access token for cluster: failed to create kubernetes token for service account 'apps/nobody'"),
                        ({"serviceAccountName": "sender", "audiences": "others"}, "Unauthorized")]:
        world.home.apply(manifest("ConfigMap", "issuer", namespace="apps", data={**data, **wrong}))
        world.ready("issued", "False", "ReconciliationFailed", says)
    world.home.apply(manifest("ConfigMap", "issuer", namespace="apps", data={**data, "serviceAccountName": "sender"}))
    world.ready("issued")
    live = world.home.get("configmap", "issued", "apps")
    assert live["data"]["key"] == "one" and live["metadata"]["labels"][OWNER_LABEL] == "issued"
    world.gone("issued")
    assert world.home.get("configmap", "issued", "apps") is None


def inward(world):
    """Whoever writes a kubeconfig does not lead the daemon to what listens beside it; the test has opened 127.0.0.1 alone."""
    world.repository("inward", config_map("inward"))
    for host, says in [("127.0.0.2", "a loopback address"), ("169.254.169.254", "a link-local address")]:
        world.secret("inward", world.far_admin.replace("127.0.0.1", host))
        world.wish("inward", {"secretRef": {"name": "inward"}})
        world.ready("inward", "False", "ReconciliationFailed", says)
    assert world.far_value("inward") is None
    world.gone("inward")


if __name__ == "__main__":
    sys.exit(harness.run_in(World, [a_life, keys_of_the_secret, refused, impersonated, credentials, away_and_back, moved, another_at_the_address,
                                    secret_gone, without_secret, inward]))
