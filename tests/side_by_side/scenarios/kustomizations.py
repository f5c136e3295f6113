"""Every property of a Kustomization: valid, invalid, changed, removed; and the ways a pass can end."""
from objects import deployment, start, widget
from scenario import config_map, scenario


def gone(s, name="app", kind="Kustomization"):
    return lambda: s.world.store.get(kind, s.namespace, name) is None


@scenario
def path_property(s):
    s.commit({"one/a.yaml": config_map("a"), "two/b.yaml": config_map("b"), "file.yaml": config_map("f")})
    s.source()
    s.fetched()
    s.kustomization(targetNamespace=s.namespace, path="./one")
    s.point("valid")
    s.kustomization(targetNamespace=s.namespace, path="./two")
    s.point("changed")
    s.kustomization(targetNamespace=s.namespace, path="./none")
    s.point("missing")
    s.kustomization(targetNamespace=s.namespace, path="./file.yaml")
    s.point("a file")
    s.kustomization(targetNamespace=s.namespace, path="../../outside")
    s.point("outside")
    s.kustomization(targetNamespace=s.namespace, path=None)
    s.point("removed")


@scenario
def path_is_missing(s):
    s.commit({"one/a.yaml": config_map("a")})
    s.source()
    s.fetched()
    s.kustomization(path="./none")
    s.point("refused")
    s.commit({"none/a.yaml": {**config_map("a"), "metadata": {"name": "a", "namespace": s.namespace}}})
    s.point("path made")


@scenario
def prune_property(s):
    start(s, {"a.yaml": config_map("a"), "b.yaml": config_map("b"), "c.yaml": config_map("c")}, prune=False)
    s.commit({"a.yaml": None})
    s.point("not pruned")
    s.kustomization(targetNamespace=s.namespace, prune=True)
    s.point("valid")
    s.commit({"b.yaml": None})
    s.point("pruned")
    s.kustomization(targetNamespace=s.namespace, prune=None)
    s.point("removed")


@scenario
def wait_property(s):
    start(s, {"b.yaml": deployment("b")}, wait=True, timeout="20s")
    s.kustomization(targetNamespace=s.namespace, wait=True, timeout="2s")
    s.point("shorter timeout")
    s.commit({"b.yaml": pending("b")})
    s.point("never ready", until=lambda: s.ready("Kustomization", "app", "False"))
    s.kustomization(targetNamespace=s.namespace)
    s.point("removed")


def pending(name, outcome="pending"):
    item = deployment(name, image="nginx:pending")
    item["spec"]["template"]["metadata"]["annotations"] = {"controlplane.test/outcome": outcome}
    return item


@scenario
def wait_without_workloads(s):
    start(s, {"a.yaml": config_map("a")}, wait=True)
    s.request()
    s.point("again")
    s.commit({"a.yaml": config_map("a", {"key": "two"})})
    s.point("changed")


@scenario
def wait_is_mended_by_a_commit(s):
    start(s, {"b.yaml": pending("b")}, wait=True, timeout="2s")
    s.commit({"b.yaml": deployment("b")})
    s.point("mended", until=lambda: s.ready("Kustomization", "app"))


@scenario
def health_checks(s):
    checks = [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "b", "namespace": s.namespace}]
    start(s, {"b.yaml": deployment("b")}, healthChecks=checks, timeout="20s")
    s.kustomization(targetNamespace=s.namespace, timeout="2s", healthChecks=[{**checks[0], "name": "none"}])
    s.point("of a missing object", until=lambda: s.ready("Kustomization", "app", "False"))
    s.kustomization(targetNamespace=s.namespace, timeout="2s", healthChecks=[{"kind": "Deployment", "name": "b", "namespace": s.namespace}])
    s.point("without apiVersion")
    s.kustomization(targetNamespace=s.namespace, healthChecks=[{"name": "b"}])
    s.point("invalid")
    s.kustomization(targetNamespace=s.namespace)
    s.point("removed")


@scenario
def health_check_of_unknown_kind(s):
    s.commit({"a.yaml": config_map("a")})
    s.source()
    s.fetched()
    s.kustomization(targetNamespace=s.namespace, healthChecks=[{"apiVersion": "none.example/v1", "kind": "None", "name": "b", "namespace": s.namespace}])
    s.point("never there", until=lambda: s.ready("Kustomization", "app", "False"))


@scenario
def health_check_fails_early(s):
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": {"backoffLimit": 0, "template": {
        "metadata": {"annotations": {"controlplane.test/outcome": "fail"}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox:1"}]}}}}
    start(s, {"a.yaml": job}, wait=True, timeout="30s")


@scenario
def timeout_property(s):
    start(s, {"a.yaml": config_map("a")}, timeout="500ms")
    s.kustomization(targetNamespace=s.namespace, timeout="soon")
    s.point("invalid")
    s.kustomization(targetNamespace=s.namespace, timeout="1h")
    s.point("hours")
    s.kustomization(targetNamespace=s.namespace, timeout=None)
    s.point("removed")


@scenario
def intervals(s):
    start(s, {"a.yaml": config_map("a")})
    s.kustomization(targetNamespace=s.namespace, interval="2h", retryInterval="5m")
    s.point("changed")
    s.kustomization(targetNamespace=s.namespace, interval="often")
    s.point("invalid")
    s.kustomization(targetNamespace=s.namespace, interval=None)
    s.point("removed")
    s.kustomization(targetNamespace=s.namespace, retryInterval=None)
    s.point("retryInterval removed")


@scenario
def depends_on(s):
    s.commit({"a/a.yaml": config_map("a"), "b/b.yaml": config_map("b")})
    s.source()
    s.fetched()
    s.kustomization("b", path="./b", targetNamespace=s.namespace, dependsOn=[{"name": "a"}])
    s.point("missing")
    s.kustomization("a", path="./none", targetNamespace=s.namespace)
    s.request("Kustomization", "b")
    s.point("not ready")
    s.kustomization("a", path="./a", targetNamespace=s.namespace)
    s.point("ready", until=lambda: s.ready("Kustomization", "b"))
    s.kustomization("b", path="./b", targetNamespace=s.namespace)
    s.point("removed")


@scenario
def depends_on_suspended(s):
    s.commit({"a/a.yaml": config_map("a"), "b/b.yaml": config_map("b")})
    s.source()
    s.fetched()
    s.kustomization("a", path="./a", targetNamespace=s.namespace, suspend=True)
    s.point("suspended")
    s.kustomization("b", path="./b", targetNamespace=s.namespace, dependsOn=[{"name": "a"}])
    s.point("never run")


@scenario
def depends_on_other_namespace(s):
    s.commit({"b/b.yaml": config_map("b")})
    s.source()
    s.fetched()
    s.kustomization("b", path="./b", targetNamespace=s.namespace, dependsOn=[{"name": "a", "namespace": f"{s.namespace}--none"}])
    s.point("missing")


@scenario(flags=["--no-cross-namespace-refs"])
def locked_source(s):
    """A source of another namespace is refused before it is looked for; one's own is not."""
    s.commit({"a/a.yaml": config_map("a")})
    s.source()
    s.fetched()
    elsewhere = {"kind": "GitRepository", "name": "app", "namespace": f"{s.namespace}--none"}
    s.kustomization(path="./a", targetNamespace=s.namespace, sourceRef=elsewhere)
    s.point("refused")
    s.request()
    s.point("asked for")
    s.kustomization(path="./a", targetNamespace=s.namespace, sourceRef={"kind": "GitRepository", "name": "app", "namespace": s.namespace})
    s.point("its own")
    s.kustomization(path="./a", targetNamespace=s.namespace, sourceRef=elsewhere)
    s.point("refused again")
    s.kustomization(path="./a", targetNamespace=s.namespace, sourceRef={**elsewhere, "kind": "Bucket"})
    s.point("another kind")
    s.delete("Kustomization", "app")
    s.point("deleted", until=gone(s))


@scenario(flags=["--no-cross-namespace-refs"])
def locked_dependency(s):
    """What it depends on may be in another namespace: the flag is about sources."""
    s.commit({"b/b.yaml": config_map("b")})
    s.source()
    s.fetched()
    s.kustomization("b", path="./b", targetNamespace=s.namespace, dependsOn=[{"name": "a", "namespace": f"{s.namespace}--none"}])
    s.point("missing")


@scenario
def depends_on_cycle(s):
    s.commit({"a/a.yaml": config_map("a"), "b/b.yaml": config_map("b")})
    s.source()
    s.fetched()
    s.kustomization("a", path="./a", targetNamespace=s.namespace, dependsOn=[{"name": "b"}])
    s.point("half")
    s.kustomization("b", path="./b", targetNamespace=s.namespace, dependsOn=[{"name": "a"}])
    s.point("of two", until=lambda: "not ready" in s.message("a"))
    s.kustomization("c", path="./a", targetNamespace=s.namespace, dependsOn=[{"name": "c"}])
    s.point("of one")


@scenario
def depends_on_ready_expression(s):
    s.commit({"a/a.yaml": config_map("a"), "b/b.yaml": config_map("b")})
    s.source()
    s.fetched()
    s.kustomization("a", path="./a", targetNamespace=s.namespace)
    s.point("the dependency")
    s.kustomization("b", path="./b", targetNamespace=s.namespace, dependsOn=[{"name": "a", "readyExpr": "false"}])
    s.point("false")
    s.kustomization("b", path="./b", targetNamespace=s.namespace, dependsOn=[{"name": "a", "readyExpr": "nonsense("}])
    s.point("invalid")
    s.kustomization("b", path="./b", targetNamespace=s.namespace, dependsOn=[{"name": "a", "readyExpr": "dep.metadata.name == 'a'"}])
    s.point("true", until=lambda: s.ready("Kustomization", "b"))


@scenario
def target_namespace(s):
    s.ask("create", "POST", "/api/v1/namespaces", {"metadata": {"name": f"{s.namespace}--two"}})
    start(s, {"a.yaml": config_map("a")})
    s.kustomization(targetNamespace=f"{s.namespace}--two")
    s.point("changed")
    s.kustomization(targetNamespace="")
    s.point("empty")
    s.kustomization(targetNamespace="Not_A_Name")
    s.point("invalid")
    s.kustomization()
    s.point("removed")


@scenario
def patches(s):
    start(s, {"a.yaml": config_map("a"), "b.yaml": deployment("b")},
          patches=[{"patch": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  patched: strategic\n"},
                   {"patch": '[{"op": "add", "path": "/spec/replicas", "value": 2}]', "target": {"kind": "Deployment"}}])
    s.kustomization(targetNamespace=s.namespace, patches=[{"patch": "kind: [", "target": {"kind": "Deployment"}}])
    s.point("invalid")
    s.kustomization(targetNamespace=s.namespace, patches=[{"patch": '[{"op": "remove", "path": "/spec/none"}]', "target": {"kind": "Deployment"}}])
    s.point("fails")
    s.kustomization(targetNamespace=s.namespace, patches=[{"target": {"kind": "Deployment"}}])
    s.point("without patch")
    s.kustomization(targetNamespace=s.namespace)
    s.point("removed")


@scenario
def images(s):
    start(s, {"b.yaml": deployment("b")}, images=[{"name": "nginx", "newName": "registry.example/nginx", "newTag": "2"}])
    s.kustomization(targetNamespace=s.namespace, images=[{"name": "nginx", "digest": "sha256:" + "0" * 64}])
    s.point("digest")
    s.kustomization(targetNamespace=s.namespace, images=[{"newTag": "2"}])
    s.point("invalid")
    s.kustomization(targetNamespace=s.namespace)
    s.point("removed")


@scenario
def components(s):
    s.commit({"app/a.yaml": config_map("a"), "part/b.yaml": config_map("b"),
              "part/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [b.yaml]\n"})
    s.source()
    s.fetched()
    s.kustomization(targetNamespace=s.namespace, path="./app", components=["../part"])
    s.point("valid")
    s.kustomization(targetNamespace=s.namespace, path="./app", components=["../none"])
    s.point("missing")
    s.kustomization(targetNamespace=s.namespace, path="./app", components=["../none"], ignoreMissingComponents=True)
    s.point("missing is ignored")
    s.kustomization(targetNamespace=s.namespace, path="./app")
    s.point("removed")


@scenario
def name_prefix_and_suffix(s):
    start(s, {"a.yaml": config_map("a")}, namePrefix="pre-", nameSuffix="-post")
    s.kustomization(targetNamespace=s.namespace, namePrefix="Not_A_Name-")
    s.point("invalid name")
    s.kustomization(targetNamespace=s.namespace, namePrefix="")
    s.point("empty")
    s.kustomization(targetNamespace=s.namespace)
    s.point("removed")


@scenario
def common_metadata(s):
    start(s, {"a.yaml": config_map("a", labels={"team": "git"}), "b.yaml": deployment("b")},
          commonMetadata={"labels": {"team": "shop"}, "annotations": {"note": "x"}})
    s.kustomization(targetNamespace=s.namespace, commonMetadata={"labels": {"kustomize.toolkit.fluxcd.io/name": "other"}})
    s.point("owner label")
    s.kustomization(targetNamespace=s.namespace)
    s.point("removed")


@scenario
def common_metadata_invalid(s):
    start(s, {"a.yaml": config_map("a")}, commonMetadata={"labels": {"bad label": "x"}})


@scenario
def build_metadata(s):
    start(s, {"a.yaml": config_map("a")}, buildMetadata=["originAnnotations"])
    s.kustomization(targetNamespace=s.namespace, buildMetadata=["nonsense"])
    s.point("invalid")
    s.kustomization(targetNamespace=s.namespace)
    s.point("removed")


@scenario
def force_property(s):
    start(s, {"a.yaml": config_map("a", immutable=True)})
    s.commit({"a.yaml": config_map("a", {"key": "two"}, immutable=True)})
    s.point("refused")
    s.kustomization(targetNamespace=s.namespace, force=True)
    s.point("forced")
    s.kustomization(targetNamespace=s.namespace)
    s.point("removed")


@scenario
def suspend_property(s):
    start(s, {"a.yaml": config_map("a")})
    s.kustomization(targetNamespace=s.namespace, suspend=True)
    s.point("suspended")
    s.commit({"a.yaml": config_map("a", {"key": "two"})})
    s.request()
    s.point("asked while suspended", quiet_s=4)
    s.kustomization(targetNamespace=s.namespace)
    s.point("resumed", until=lambda: s.world.store.get("ConfigMap", s.namespace, "a")["data"]["key"] == "two")


@scenario
def suspended_from_the_start(s):
    s.commit({"a.yaml": config_map("a")})
    s.source(suspend=True)
    s.kustomization(targetNamespace=s.namespace, suspend=True)
    s.point("suspended", quiet_s=4)
    s.request()
    s.request("GitRepository", "app")
    s.point("asked", quiet_s=4)


@scenario
def suspended_and_deleted(s):
    start(s, {"a.yaml": config_map("a")})
    s.kustomization(targetNamespace=s.namespace, suspend=True)
    s.point("suspended")
    s.delete("Kustomization", "app")
    s.point("deleted", until=gone(s))


def deletion(s, policy, prune):
    start(s, {"a.yaml": config_map("a"), "b.yaml": deployment("b")}, deletionPolicy=policy, prune=prune)
    s.delete("Kustomization", "app")
    s.point("deleted", until=gone(s))


@scenario
def deletion_mirror_prune(s):
    deletion(s, "MirrorPrune", True)


@scenario
def deletion_mirror_no_prune(s):
    deletion(s, "MirrorPrune", False)


@scenario
def deletion_delete(s):
    deletion(s, "Delete", False)


@scenario
def deletion_orphan(s):
    deletion(s, "Orphan", True)


@scenario
def deletion_policy_property(s):
    start(s, {"a.yaml": config_map("a")}, deletionPolicy="Maybe")
    s.kustomization(targetNamespace=s.namespace, deletionPolicy="Orphan")
    s.point("valid")
    s.kustomization(targetNamespace=s.namespace)
    s.point("removed")


@scenario
def deletion_waits_for_a_finalizer(s):
    start(s, {"a.yaml": config_map("a"), "b.yaml": config_map("b")}, deletionPolicy="WaitForTermination", timeout="1m")
    s.patch("ConfigMap", "a", {"metadata": {"finalizers": ["test.example/held"]}}, manager="robot")
    s.delete("Kustomization", "app")
    s.wait(lambda: "deletionTimestamp" in s.world.store.get("ConfigMap", s.namespace, "a")["metadata"], "a is being deleted")
    s.point("waits", quiet_s=4)
    s.patch("ConfigMap", "a", {"metadata": {"finalizers": None}}, manager="robot")
    s.point("deleted", until=gone(s))


@scenario
def deletion_waits_in_vain(s):
    start(s, {"a.yaml": config_map("a")}, deletionPolicy="WaitForTermination", timeout="2s")
    s.patch("ConfigMap", "a", {"metadata": {"finalizers": ["test.example/held"]}}, manager="robot")
    s.delete("Kustomization", "app")
    s.point("deleted", until=gone(s))


@scenario
def deleted_without_source(s):
    start(s, {"a.yaml": config_map("a")})
    s.delete("GitRepository", "app")
    s.point("source gone", until=gone(s, kind="GitRepository"))
    s.request()
    s.point("asked")
    s.delete("Kustomization", "app")
    s.point("deleted", until=gone(s))


@scenario
def source_is_missing(s):
    s.commit({"a.yaml": config_map("a")})
    s.kustomization(targetNamespace=s.namespace)
    s.point("missing")
    s.source(url=s.url("none"))
    s.point("failing")
    s.source()
    s.point("there", until=lambda: s.ready("Kustomization", "app"))


@scenario
def source_is_failing(s):
    s.commit({"a.yaml": config_map("a")})
    s.source(url=s.url("none"))
    s.point("failing")
    s.kustomization(targetNamespace=s.namespace)
    s.point("no artifact")
    s.request()
    s.point("asked")
    s.source()
    s.point("there", until=lambda: s.ready("Kustomization", "app"))


@scenario
def source_reference(s):
    start(s, {"a.yaml": config_map("a")})
    s.kustomization(targetNamespace=s.namespace, sourceRef={"kind": "GitRepository", "name": "app", "namespace": s.namespace})
    s.point("with namespace")
    s.kustomization(targetNamespace=s.namespace, sourceRef={"kind": "GitRepository", "name": "app", "namespace": f"{s.namespace}--none"})
    s.point("of a missing namespace")
    s.kustomization(targetNamespace=s.namespace, sourceRef={"kind": "Bucket", "name": "app"})
    s.point("a missing bucket")
    s.kustomization(targetNamespace=s.namespace, sourceRef={"kind": "Nonsense", "name": "app"})
    s.point("invalid kind")
    s.kustomization(targetNamespace=s.namespace, sourceRef=None)
    s.point("removed")


@scenario
def bad_kustomization(s):
    start(s, {"kustomization.yaml": "resources: [a.yaml, none.yaml]\n", "a.yaml": config_map("a")})
    s.commit({"kustomization.yaml": "resources: [a.yaml]\nnonsense: 1\n"})
    s.point("unknown field")
    s.commit({"kustomization.yaml": "resources: [\n"})
    s.point("no YAML")
    s.commit({"kustomization.yaml": "resources: [a.yaml, a.yaml]\n"})
    s.point("twice")
    s.commit({"kustomization.yaml": "resources: [a.yaml]\n"})
    s.point("mended")


@scenario
def bad_manifests(s):
    start(s, {"a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: [\n"})
    s.commit({"a.yaml": "apiVersion: v1\nkind: ConfigMap\ndata: {}\n"})
    s.point("no name")
    s.commit({"a.yaml": "just: data\n"})
    s.point("no kind")
    s.commit({"a.yaml": [config_map("a"), config_map("a")]})
    s.point("twice")
    s.commit({"a.yaml": "# nothing\n"})
    s.point("empty")


@scenario
def substitution(s):
    start(s, {"a.yaml": config_map("a", {"key": "${word:=default} $${kept}"})}, postBuild={"substitute": {"word": "one"}})
    s.commit({"a.yaml": config_map("a", {"key": "${unset}"})})
    s.point("unset")
    s.kustomization(targetNamespace=s.namespace, postBuild={"substituteFrom": [{"kind": "ConfigMap", "name": "none"}]})
    s.point("missing map")
    s.kustomization(targetNamespace=s.namespace)
    s.point("removed")


@scenario
def ignore_rules(s):
    start(s, {"b.yaml": deployment("b")}, ignore=[{"paths": ["/spec/replicas"], "target": {"kind": "Deployment"}}])
    s.patch("Deployment", "b", {"spec": {"replicas": 3}}, manager="scaler")
    s.request()
    s.point("scaled")
    s.kustomization(targetNamespace=s.namespace)
    s.point("removed")


@scenario
def kube_config(s):
    start(s, {"a.yaml": config_map("a")}, kubeConfig={"secretRef": {"name": "none"}})
    s.kustomization(targetNamespace=s.namespace)
    s.point("removed")


@scenario
def decryption(s):
    start(s, {"a.yaml": config_map("a")}, decryption={"provider": "sops", "secretRef": {"name": "none"}})
    s.kustomization(targetNamespace=s.namespace, decryption={"provider": "sops"})
    s.point("without keys")
    s.kustomization(targetNamespace=s.namespace)
    s.point("removed")


@scenario
def health_check_expressions(s):
    start(s, {"a.yaml": config_map("a")}, wait=True, healthCheckExprs=[{"apiVersion": "v1", "kind": "ConfigMap", "current": "data.key == 'one'"}])
    s.commit({"a.yaml": config_map("a", {"key": "two"})})
    s.point("never current", until=lambda: s.ready("Kustomization", "app", "False"))
    s.kustomization(targetNamespace=s.namespace, wait=True, healthCheckExprs=[{"apiVersion": "v1", "kind": "ConfigMap", "current": "nonsense("}])
    s.point("invalid")


@scenario
def unknown_property(s):
    start(s, {"a.yaml": config_map("a")}, nonsense=True)
