#!/usr/bin/env python3
"""With whose rights the daemon asks, from the API server's audit log; and what a tenant gets of others.

Usage: tenancy_test.py HOLDFAST [TEST...]
The daemon runs as a service account of its own with as little as it needs: its own objects, what their specs name, watches of two
kinds, and to act as the accounts of tenants. Every request of it is in one of two lists: what it may ask as itself, and what it
asked as an account, which is the account of the object that it asked for. 200 accounts; 1,000 with HOLDFAST_TEST_ALL=1.
"""
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
from audit_log import AuditLog  # noqa: E402
from git_http import GitHttpServer  # noqa: E402
from harness import eventually, git_repository, kustomization  # noqa: E402

HOLDFAST = pathlib.Path(sys.argv[1]).resolve()
RBAC = "rbac.authorization.k8s.io"
OWNER_LABEL = "kustomize.toolkit.fluxcd.io/name"
EVERYTHING = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
OURS = [
    {"apiGroups": ["source.toolkit.fluxcd.io", "kustomize.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io", "clusterconfig.azure.com"],
     "resources": ["*"], "verbs": ["*"]},
    {"apiGroups": ["apiextensions.k8s.io"], "resources": ["customresourcedefinitions"], "verbs": ["get", "create", "patch"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]},
    {"apiGroups": [""], "resources": ["secrets", "serviceaccounts", "namespaces"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list", "watch"]},
    {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list", "watch"]},
    {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["impersonate"]}]
TENANTS = ["t-none", "t-own", "t-foreign", "t-missing"]
ACCOUNT_OF = {"t-none": None, "t-own": "deployer", "t-foreign": "stranger", "t-missing": "leaver"}
SOURCES = {"own": None, "other": "sources"}  # of a Kustomization: in its own namespace, or in this one


def manifest(kind, name, api="v1", namespace=None, **more):
    meta = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {"apiVersion": api, "kind": kind, "metadata": meta, **more}


def config_map(name, value="one", namespace=None):
    return manifest("ConfigMap", name, namespace=namespace, data={"key": value})


def deployment(name):
    return manifest("Deployment", name, "apps/v1", spec={
        "replicas": 0, "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}}})


def service(name):
    return manifest("Service", name, spec={"clusterIP": "None", "selector": {"app": name}, "ports": [{"port": 80}]})


def may(kind, name, namespace, subject_namespace, rules, where=None):
    """A role and its binding in `where` (namespace; None: cluster) for the service account namespace/name."""
    role, binding = ("Role", "RoleBinding") if where else ("ClusterRole", "ClusterRoleBinding")
    subject = {"kind": kind, "name": name, "namespace": subject_namespace}
    return [manifest(role, f"{subject_namespace}-{name}", f"{RBAC}/v1", where, rules=rules),
            manifest(binding, f"{subject_namespace}-{name}", f"{RBAC}/v1", where, subjects=[subject],
                     roleRef={"apiGroup": RBAC, "kind": role, "name": f"{subject_namespace}-{name}"})]


class World:
    def __init__(self, work):
        self.work = work
        self.plane = harness.ControlPlane(work / "plane", audit=True)
        (work / "git").mkdir()
        self.git = GitHttpServer(str(work / "git"), user="robot", password="right").start()
        self.plane.apply(*[manifest("Namespace", name) for name in TENANTS + ["holdfast", "sources"]])
        self.plane.apply(manifest("ServiceAccount", "holdfast", namespace="holdfast"),
                         *may("ServiceAccount", "holdfast", "holdfast", "holdfast", OURS),
                         *may("ServiceAccount", "holdfast", "t-none", "holdfast", EVERYTHING, "t-none"))
        self.daemon = harness.Daemon(HOLDFAST, work / "daemon", self.kubeconfig_of("holdfast"), "install_crds: true\n").start()
        eventually(lambda: self.plane.get("crd", "kustomizations.kustomize.toolkit.fluxcd.io"), 30, what="CRDs")
        self.audit = AuditLog(work / "plane", "holdfast/")
        self.seen, self.secrets = [], set()

    def kubeconfig_of(self, account):
        """The admin's kubeconfig with the token of an account in it."""
        token = self.plane.kubectl("create", "token", account, "-n", "holdfast", "--duration", "2h").strip()
        lines = pathlib.Path(self.plane.kubeconfig).read_text(encoding="utf-8").splitlines()
        keep = [line for line in lines if "client-key-data" not in line]
        text = "\n".join(line.split("client-certificate-data")[0] + f"token: {token}" if "client-certificate-data" in line else line
                         for line in keep)
        file = self.work / f"{account}.kubeconfig"
        file.write_text(text + "\n", encoding="utf-8")
        return str(file)

    def repository(self, name, *objects):
        repository = harness.Repository(self.work / "git", name)
        self.commit(repository, *objects)
        return repository

    @staticmethod
    def commit(repository, *objects):
        repository.write("all.yaml", json.dumps(manifest("List", "all", items=list(objects))))
        repository.commit()

    def source(self, name, namespace):
        """A source behind a password, which is in a Secret beside it."""
        self.secrets.add((namespace, "git"))
        return [manifest("Secret", "git", namespace=namespace, stringData={"username": "robot", "password": "right"}),
                git_repository(name, f"{self.git.url}/{name}.git", namespace, interval="2s", secretRef={"name": "git"})]

    def ready(self, name, namespace, status="True", reason=None):
        def look():
            ready = self.plane.condition("kustomization", name, namespace)
            return ready if ready and ready[0] == status and reason in (None, ready[1]) else None
        return eventually(look, 60, what=f"{namespace}/{name} {status} {reason}: {self.plane.condition('kustomization', name, namespace)}")

    def requests(self):
        """Of the daemon, since the last call; all of them are kept."""
        new = self.audit.requests()
        self.seen += new
        return new

    def stop(self):
        self.daemon.stop()
        self.git.stop()
        self.plane.stop()


def user_of(tenant):
    return f"system:serviceaccount:{tenant}:{ACCOUNT_OF[tenant]}" if ACCOUNT_OF[tenant] else ""


def is_discovery(request):
    return not request.resource and request.path.startswith(("/api", "/apis", "/version"))


def may_ask_as_itself(request, secrets):
    """The list; `secrets` are those that a source names. Whatever else is asked has to be asked as an account, or for an object without one."""
    flux = request.group.endswith(".toolkit.fluxcd.io") or request.group == "clusterconfig.azure.com"
    watch = request.verb in ("list", "watch") and request.query.get("labelSelector") == OWNER_LABEL
    named_secret = request.resource == "secrets" and request.verb == "get" and (request.namespace, request.name) in secrets
    event = request.resource == "events" and request.verb == "create"
    identity = request.resource == "namespaces" and request.verb == "get" and request.name == "kube-system"
    definitions = request.resource == "customresourcedefinitions"  # its own, at the start
    account = request.resource == "serviceaccounts" and request.verb == "get"  # is the one of a deleted object there?
    token = request.resource == "serviceaccounts" and request.subresource == "token"
    return is_discovery(request) or flux or watch or named_secret or event or identity or definitions or account or token


def wrongly_asked(requests, secrets):
    wrong = []
    for one in requests:
        if one.acting_as:
            tenant = one.acting_as.split(":")[2]
            ok = tenant in ACCOUNT_OF and one.acting_as == user_of(tenant) and not is_discovery(one)
            ok = ok and one.verb not in ("list", "watch")
        else:
            ok = may_ask_as_itself(one, secrets) or one.namespace == "t-none"
        if not ok:
            wrong.append(str(one))
    return wrong


def matrix(world):
    """{no account, own, foreign name, missing} x {source in own, other namespace} x {apply, prune, health, look-up, secret}."""
    plane = world.plane
    repositories = {}
    for tenant in TENANTS:
        for source in SOURCES:
            name = f"{tenant}-{source}"
            repositories[name] = world.repository(name, config_map(f"{source}-kept"), config_map(f"{source}-stale"), service(f"{source}-svc"))
    # `stranger` is the name of a powerful account of another namespace, and of none in t-foreign.
    plane.apply(manifest("ServiceAccount", "deployer", namespace="t-own"), *may("ServiceAccount", "deployer", "t-own", "t-own", EVERYTHING, "t-own"),
                manifest("ServiceAccount", "leaver", namespace="t-missing"),
                *may("ServiceAccount", "leaver", "t-missing", "t-missing", EVERYTHING, "t-missing"),
                manifest("ServiceAccount", "stranger", namespace="t-own"), *may("ServiceAccount", "stranger", "t-own", "t-own", EVERYTHING))
    for tenant in TENANTS:
        account = {"serviceAccountName": ACCOUNT_OF[tenant]} if ACCOUNT_OF[tenant] else {}
        for source, where in SOURCES.items():
            name = f"{tenant}-{source}"
            plane.apply(*world.source(name, where or tenant))
            wish = kustomization(source, name, namespace=tenant, interval="5s", targetNamespace=tenant, wait=True, **account)
            wish["spec"]["sourceRef"]["namespace"] = where or tenant
            plane.apply(wish)
    working = ["t-none", "t-own", "t-missing"]
    for tenant in working:
        for source in SOURCES:
            world.ready(source, tenant)
    for source in SOURCES:
        _, _, message = world.ready(source, "t-foreign", "False", "ReconciliationFailed")
        assert 'User "system:serviceaccount:t-foreign:stranger" cannot patch' in message, message
    assert plane.names("configmap", "t-foreign", OWNER_LABEL) == []
    # Services are not watched: they are looked up, every interval.
    def looked_up():
        world.requests()
        return {(one.acting_as, one.namespace, one.name) for one in world.seen if one.resource == "services" and one.verb == "get"}
    expected = {(user_of(tenant), tenant, f"{source}-svc") for tenant in working for source in SOURCES}
    eventually(lambda: expected <= looked_up(), 60, what="look-ups of Services")

    for name, repository in repositories.items():
        world.commit(repository, config_map(f"{name.rsplit('-', 1)[1]}-kept", "two"), service(f"{name.rsplit('-', 1)[1]}-svc"))
    for tenant in working:
        for source in SOURCES:
            eventually(lambda tenant=tenant, source=source: plane.get("configmap", f"{source}-stale", tenant) is None, 60, what=f"{tenant}/{source} pruned")
            eventually(lambda tenant=tenant, source=source: plane.get("configmap", f"{source}-kept", tenant)["data"]["key"] == "two", 30, what="changed")
            world.ready(source, tenant)

    plane.kubectl("delete", "serviceaccount", "leaver", "-n", "t-missing")
    for tenant in TENANTS:
        plane.kubectl("delete", "kustomization", *SOURCES, "-n", tenant)  # returns when the finalizers are off
    assert plane.names("configmap", "t-missing", OWNER_LABEL) == ["other-kept", "own-kept"], plane.names("configmap", "t-missing")
    events = json.loads(plane.kubectl("get", "events", "-n", "t-missing", "-o", "json"))["items"]
    said = [one["message"] for one in events if one["message"].startswith("unable to prune objects")]
    assert len(said) == 2 and all("ConfigMap/t-missing/" in one for one in said), said
    for tenant in ("t-none", "t-own"):
        assert plane.names("configmap", tenant, OWNER_LABEL) == []

    world.requests()
    wrong = wrongly_asked(world.seen, world.secrets)
    assert not wrong, "\n".join(wrong[:20])
    for tenant in ("t-own", "t-missing"):
        asked = {(one.verb, one.resource) for one in world.seen if one.acting_as == user_of(tenant)}
        assert {("patch", "configmaps"), ("get", "services"), ("delete", "configmaps")} <= asked, asked
        groups = {tuple(one.groups) for one in world.seen if one.acting_as == user_of(tenant)}
        assert groups == {("system:authenticated", "system:serviceaccounts", f"system:serviceaccounts:{tenant}")}, groups
    read = {(one.namespace, one.name) for one in world.seen if one.resource == "secrets"}
    assert read == world.secrets, read


def foreign_objects(world):
    """What a tenant names and may not read it is not told of, though the daemon watches it for somebody else."""
    plane = world.plane
    world.repository("landlord", deployment("secret-business"))
    plane.apply(*may("ServiceAccount", "deployer", "t-own", "t-own", EVERYTHING, "t-own"), *world.source("landlord", "t-own"),
                kustomization("landlord", "landlord", namespace="t-own", targetNamespace="t-own", serviceAccountName="deployer", wait=True))
    world.ready("landlord", "t-own")
    world.requests()
    world.repository("spy", config_map("spy"))
    plane.apply(manifest("ServiceAccount", "stranger", namespace="t-foreign"),
                *may("ServiceAccount", "stranger", "t-foreign", "t-foreign", EVERYTHING, "t-foreign"), *world.source("spy", "t-foreign"))
    checks = [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "secret-business", "namespace": "t-own"}]
    plane.apply(kustomization("spy", "spy", namespace="t-foreign", targetNamespace="t-foreign", serviceAccountName="stranger",
                              healthChecks=checks, timeout="1s"))
    _, _, message = world.ready("spy", "t-foreign", "False", "HealthCheckFailed")
    assert "status: 'Unknown': deployments.apps \"secret-business\" is forbidden: User \"system:serviceaccount:t-foreign:stranger\"" in message, message
    # The same object among its manifests, and in its inventory, as if it had applied it.
    world.repository("thief", {**deployment("secret-business"), "metadata": {"name": "secret-business", "namespace": "t-own"}})
    plane.apply(*world.source("thief", "t-foreign"),
                kustomization("thief", "thief", namespace="t-foreign", serviceAccountName="stranger", wait=True, timeout="1s", interval="5s"))
    _, _, message = world.ready("thief", "t-foreign", "False", "ReconciliationFailed")
    assert "dry-run failed (Forbidden)" in message, message
    inventory = {"status": {"inventory": {"entries": [{"id": "t-own_secret-business_apps_Deployment", "v": "v1"}]}}}
    plane.kubectl("patch", "kustomization", "thief", "-n", "t-foreign", "--subresource", "status", "--type", "merge", "-p", json.dumps(inventory))
    plane.kubectl("delete", "kustomization", "thief", "-n", "t-foreign", "--wait=false")
    live = plane.get("deployment", "secret-business", "t-own")
    assert live["metadata"]["labels"][OWNER_LABEL] == "landlord" and "deletionTimestamp" not in live["metadata"]
    new = world.requests()
    touched = [one for one in new if one.name == "secret-business" and one.acting_as != user_of("t-own")]
    assert touched and all(one.acting_as == user_of("t-foreign") and one.code == 403 for one in touched), "\n".join(map(str, touched))
    wrong = wrongly_asked(new, world.secrets)
    assert not wrong, "\n".join(wrong[:20])


def many_accounts(world):
    """However many accounts there are: one discovery, one watch a kind."""
    plane = world.plane
    count = 1000 if os.environ.get("HOLDFAST_TEST_ALL") == "1" else 200
    world.repository("crowd", config_map("crowd"))
    plane.apply(manifest("Namespace", "crowd"), *world.source("crowd", "crowd"))
    eventually(lambda: (plane.condition("gitrepository", "crowd", "crowd") or [""])[0] == "True", 60, what="the source of the crowd")
    world.requests()
    names = [f"a{number}" for number in range(count)]
    accounts = []
    for name in names:
        accounts += [manifest("ServiceAccount", name, namespace="crowd"), *may("ServiceAccount", name, "crowd", "crowd", EVERYTHING, "crowd")]
    plane.apply(*accounts)
    plane.apply(*[kustomization(name, "crowd", namespace="crowd", interval="1h", targetNamespace="crowd", serviceAccountName=name,
                                namePrefix=f"{name}-", wait=True) for name in names])
    eventually(lambda: sum(one["complianceState"] == "Compliant" for one in world.daemon.status()["kustomizations"] if one["namespace"] == "crowd") == count,
               60 + count, 1, "all accounts have applied")
    new = world.requests()
    asked_as = {one.acting_as for one in new if one.resource == "configmaps" and one.verb == "patch"}
    assert asked_as == {f"system:serviceaccount:crowd:{name}" for name in names}
    assert [str(one) for one in new if is_discovery(one)] == []
    assert [str(one) for one in new if one.verb == "list" and one.resource == "configmaps"] == []
    assert not [one for one in new if one.acting_as and one.verb in ("list", "watch")]


if __name__ == "__main__":
    sys.exit(harness.run_in(World, [matrix, foreign_objects, many_accounts]))
