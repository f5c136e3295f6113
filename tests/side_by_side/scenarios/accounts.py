"""serviceAccountName of a Kustomization: whose rights count, when it applies, prunes, looks at health, and ends."""
from objects import deployment, start
from scenario import config_map, scenario

RBAC = "rbac.authorization.k8s.io"
EVERYTHING = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
WRITES = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "patch"]}]


def account(s, name, rules=None):
    """A ServiceAccount, and what it may do in the namespace of the scenario."""
    s.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}})
    if rules:
        may(s, name, rules)


def may(s, name, rules):
    s.apply({"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": {"name": name}, "rules": rules})
    s.apply({"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": {"name": name},
             "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": name},
             "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": s.namespace}]})


def gone(s):
    return lambda: s.world.store.get("Kustomization", s.namespace, "app") is None


@scenario
def service_account_name(s):
    start(s, {"a.yaml": config_map("a")}, serviceAccountName="none")
    s.kustomization(targetNamespace=s.namespace)
    s.point("removed")


@scenario
def account_with_rights(s):
    account(s, "deployer", EVERYTHING)
    start(s, {"a.yaml": config_map("a"), "b.yaml": deployment("b")}, serviceAccountName="deployer", wait=True, timeout="20s")
    s.commit({"a.yaml": None, "c.yaml": config_map("c")})
    s.point("pruned")
    s.patch("ConfigMap", "c", {"data": {"key": "edited"}})
    s.request()
    s.point("edited")
    s.delete("Kustomization", "app")
    s.point("deleted", until=gone(s))


@scenario
def account_without_rights(s):
    account(s, "deployer")
    start(s, {"a.yaml": config_map("a")}, serviceAccountName="deployer")
    may(s, "deployer", EVERYTHING)
    s.request()
    s.point("with rights")


@scenario
def account_without_right_to_one_kind(s):
    account(s, "deployer", WRITES)
    start(s, {"a.yaml": config_map("a"), "b.yaml": deployment("b")}, serviceAccountName="deployer")
    s.commit({"b.yaml": None})
    s.point("only what it may write")


@scenario
def account_without_right_to_delete(s):
    account(s, "deployer", [{**WRITES[0], "verbs": ["get", "create", "patch"]}])
    start(s, {"a.yaml": config_map("a"), "b.yaml": config_map("b")}, serviceAccountName="deployer")
    s.commit({"b.yaml": None})
    s.point("not pruned")
    may(s, "deployer", EVERYTHING)
    s.request()
    s.point("pruned")


@scenario
def account_without_right_to_read(s):
    account(s, "deployer", [{**WRITES[0], "verbs": ["delete", "create", "patch"]}])
    start(s, {"a.yaml": config_map("a"), "b.yaml": config_map("b")}, serviceAccountName="deployer")
    s.commit({"b.yaml": None})
    s.point("not pruned")


@scenario
def account_changed(s):
    account(s, "one", EVERYTHING)
    account(s, "two")
    account(s, "three", EVERYTHING)
    start(s, {"a.yaml": config_map("a")}, serviceAccountName="one")
    s.kustomization(targetNamespace=s.namespace, serviceAccountName="two")
    s.point("to one without rights")
    s.kustomization(targetNamespace=s.namespace, serviceAccountName="three")
    s.point("to one with rights")
    s.kustomization(targetNamespace=s.namespace)
    s.point("removed")


@scenario
def account_loses_its_rights(s):
    account(s, "deployer", EVERYTHING)
    start(s, {"a.yaml": config_map("a")}, serviceAccountName="deployer")
    s.delete("RoleBinding", "deployer", api=f"{RBAC}/v1")
    s.request()
    s.point("lost")


@scenario
def account_gone_at_deletion(s):
    account(s, "deployer", EVERYTHING)
    start(s, {"a.yaml": config_map("a"), "b.yaml": config_map("b")}, serviceAccountName="deployer")
    s.delete("ServiceAccount", "deployer")
    s.delete("Kustomization", "app")
    s.point("deleted", until=gone(s))


@scenario
def account_checks_what_it_may_not_read(s):
    s.apply({**deployment("other"), "metadata": {"name": "other"}})
    account(s, "deployer", WRITES)
    checks = [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "other", "namespace": s.namespace}]
    s.commit({"a.yaml": config_map("a")})
    s.source()
    s.fetched()
    s.kustomization(targetNamespace=s.namespace, serviceAccountName="deployer", healthChecks=checks)
    s.point("refused", until=lambda: s.ready("Kustomization", "app", "False"))


@scenario
def account_waits_without_the_right_to_read(s):
    account(s, "deployer", [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create", "patch"]}])
    s.commit({"b.yaml": deployment("b")})
    s.source()
    s.fetched()
    s.kustomization(targetNamespace=s.namespace, serviceAccountName="deployer", wait=True)
    s.point("waited for", until=lambda: s.ready("Kustomization", "app", "False") or s.ready("Kustomization", "app"))
