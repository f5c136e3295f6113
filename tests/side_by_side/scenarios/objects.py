"""What happens to the objects: marks, other writers, take-over, drift, prune."""
from scenario import as_text, config_map, scenario

FORCE, PRUNE, RECONCILE, SSA = (f"kustomize.toolkit.fluxcd.io/{name}" for name in ("force", "prune", "reconcile", "ssa"))


def secret(name, **more):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, **more}


def deployment(name, image="nginx:1", **containers):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}},
                     "template": {"metadata": {"labels": {"app": name}},
                                  "spec": {"containers": [{"name": "web", "image": image, "ports": [{"containerPort": 80}], **containers}]}}}}


def start(s, files, **spec):
    """The usual beginning: one commit, its source, one Kustomization, applied."""
    s.commit(files)
    s.source()
    s.fetched()
    s.kustomization(targetNamespace=s.namespace, **spec)
    s.point("applied")


@scenario
def basics(s):
    start(s, {"a.yaml": config_map("a"), "b.yaml": deployment("b")})
    s.commit({"a.yaml": config_map("a", {"key": "two"}), "c.yaml": config_map("c")})
    s.point("changed")
    s.commit({"a.yaml": None})
    s.point("pruned")


@scenario
def requested_without_change(s):
    start(s, {"a.yaml": config_map("a")})
    s.request()
    s.point("kustomization asked")
    s.request("GitRepository", "app")
    s.point("source asked")


@scenario
def string_data(s):
    start(s, {"a.yaml": secret("a", stringData={"keep": "1", "edit": "1", "drop": "1"})})
    s.commit({"a.yaml": secret("a", stringData={"keep": "1", "edit": "2", "add": "1"})})
    s.point("edited, added, removed")
    s.patch("Secret", "a", {"data": {"keep": "eA=="}})
    s.request()
    s.point("drift in the cluster")


@scenario
def string_data_and_data(s):
    start(s, {"a.yaml": secret("a", stringData={"both": "text", "only": "text"}, data={"both": "eA==", "other": "eA=="})})


@scenario
def ssa_if_not_present(s):
    s.apply(config_map("there", {"key": "of the user"}))
    start(s, {"a.yaml": [config_map("there", annotations={SSA: "IfNotPresent"}), config_map("new", annotations={SSA: "IfNotPresent"})]})
    s.commit({"a.yaml": [config_map("there", {"key": "two"}, annotations={SSA: "IfNotPresent"}),
                         config_map("new", {"key": "two"}, annotations={SSA: "IfNotPresent"})]})
    s.point("changed")
    s.commit({"a.yaml": config_map("other")})
    s.point("pruned")


@scenario
def ssa_merge(s):
    start(s, {"a.yaml": config_map("a", {"key": "one", "drop": "one"}, annotations={SSA: "Merge"})})
    s.patch("ConfigMap", "a", {"data": {"added": "by kubectl", "key": "by kubectl"}})
    s.request()
    s.point("edited")
    s.commit({"a.yaml": config_map("a", {"key": "two"}, annotations={SSA: "Merge"})})
    s.point("changed")


@scenario
def ssa_ignore(s):
    start(s, {"a.yaml": [config_map("a", annotations={SSA: "Ignore"}), config_map("b")]})
    s.commit({"a.yaml": [config_map("a"), config_map("b", {"key": "two"}, annotations={SSA: "Ignore"})]})
    s.point("swapped")


@scenario
def ssa_override(s):
    start(s, {"a.yaml": config_map("a", annotations={SSA: "Override"})})
    s.patch("ConfigMap", "a", {"data": {"added": "by kubectl"}})
    s.request()
    s.point("edited")


@scenario
def ssa_unknown_word(s):
    start(s, {"a.yaml": config_map("a", annotations={SSA: "Sometimes"})})


@scenario
def ssa_ignore_live(s):
    start(s, {"a.yaml": config_map("a")})
    s.patch("ConfigMap", "a", {"metadata": {"annotations": {SSA: "Ignore"}}, "data": {"key": "by kubectl"}})
    s.request()
    s.point("marked")


@scenario
def reconcile_disabled_live(s):
    start(s, {"a.yaml": config_map("a")})
    s.patch("ConfigMap", "a", {"metadata": {"annotations": {RECONCILE: "disabled"}}, "data": {"key": "by kubectl"}})
    s.request()
    s.point("marked")
    s.commit({"a.yaml": config_map("a", {"key": "two"})})
    s.point("changed while marked")
    s.patch("ConfigMap", "a", {"metadata": {"annotations": {RECONCILE: None}}})
    s.request()
    s.point("mark removed")


@scenario
def reconcile_disabled_in_git(s):
    start(s, {"a.yaml": [config_map("a", annotations={RECONCILE: "disabled"}), config_map("b")]})
    s.commit({"a.yaml": [config_map("a", annotations={RECONCILE: "disabled"}), config_map("b", {"key": "two"}, annotations={RECONCILE: "disabled"})]})
    s.point("marked later")
    s.commit({"a.yaml": config_map("c")})
    s.point("removed")


@scenario
def prune_disabled_live(s):
    start(s, {"a.yaml": [config_map("a"), config_map("b"), config_map("c", annotations={PRUNE: "Disabled"})]})
    s.patch("ConfigMap", "a", {"metadata": {"labels": {PRUNE: "disabled"}}}, manager="robot")
    s.commit({"a.yaml": config_map("d")})
    s.point("removed")


@scenario
def kubectl_added_fields(s):
    start(s, {"a.yaml": config_map("a"), "b.yaml": deployment("b")})
    s.patch("ConfigMap", "a", {"data": {"edit": "x"}, "metadata": {"labels": {"edit": "x"}, "annotations": {"edit": "x"}}}, manager="kubectl-edit")
    s.patch("ConfigMap", "a", {"data": {"patch": "x"}, "metadata": {"labels": {"patch": "x"}}}, manager="kubectl-patch")
    s.patch("ConfigMap", "a", {"data": {"robot": "x"}, "metadata": {"labels": {"robot": "x"}}}, manager="robot")
    s.patch("Deployment", "b", {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "evil:1"}]}}}}, how="strategic")
    s.request()
    s.point("repaired")


@scenario
def kubectl_applied_fields(s):
    start(s, {"a.yaml": config_map("a")})
    s.kubectl("apply", "-f", "-", text='{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","labels":{"by":"apply"}},"data":{"key":"by apply","added":"by apply"}}')
    s.request()
    s.point("repaired")
    s.apply(config_map("a", {"server": "side"}, labels={"by": "ssa"}), manager="kubectl")
    s.request()
    s.point("applied server-side")


@scenario
def kubectl_label_annotate_scale(s):
    start(s, {"a.yaml": config_map("a"), "b.yaml": deployment("b")})
    s.kubectl("label", "configmap", "a", "by=kubectl")
    s.kubectl("annotate", "configmap", "a", "by=kubectl")
    s.kubectl("scale", "deployment", "b", "--replicas=2")
    s.kubectl("set", "env", "deployment/b", "LEVEL=debug")
    s.kubectl("rollout", "restart", "deployment/b")
    s.request()
    s.point("repaired")


@scenario
def owner_labels_removed(s):
    start(s, {"a.yaml": config_map("a", labels={"mine": "1"})})
    s.patch("ConfigMap", "a", {"metadata": {"labels": None}})
    s.request()
    s.point("repaired")


@scenario
def object_deleted(s):
    start(s, {"a.yaml": config_map("a"), "b.yaml": config_map("b")})
    s.delete("ConfigMap", "a")
    s.request()
    s.point("made again")


@scenario
def take_over_client_side(s):
    s.kubectl("apply", "-f", "-", text='{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","labels":{"old":"1"}},"data":{"key":"old","old":"old"}}')
    start(s, {"a.yaml": config_map("a")})


@scenario
def take_over_created(s):
    s.kubectl("create", "configmap", "a", "--from-literal=key=old", "--from-literal=old=old")
    s.apply(config_map("b", {"key": "old", "old": "old"}), manager="robot")
    s.ask("create ConfigMap/c", "POST", s.path("ConfigMap", "") + "?fieldManager=before-first-apply", config_map("c", {"key": "old", "old": "old"}))
    start(s, {"a.yaml": [config_map("a"), config_map("b"), config_map("c")]})


@scenario
def take_over_deployment(s):
    s.kubectl("apply", "-f", "-", text=as_text(deployment("b", env=[{"name": "OLD", "value": "1"}])))
    start(s, {"b.yaml": deployment("b", image="nginx:2")})


@scenario
def old_update_entries(s):
    """Fields that an old kustomize-controller wrote by update."""
    s.ask("create ConfigMap/a", "POST", s.path("ConfigMap", "") + "?fieldManager=kustomize-controller", config_map("a", {"key": "old", "old": "old"}))
    start(s, {"a.yaml": config_map("a")})


def cluster_scoped(s, **where):
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"{s.namespace}--extra", **where}},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": f"{s.namespace}--role", **where},
             "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}]


@scenario
def cluster_scoped_with_namespace(s):
    s.commit({"a.yaml": cluster_scoped(s, namespace=s.namespace)})
    s.source()
    s.fetched()
    s.kustomization()
    s.point("applied")
    s.commit({"a.yaml": cluster_scoped(s)})
    s.point("namespace removed")
    s.commit({"a.yaml": cluster_scoped(s, namespace=s.namespace)[1:]})
    s.point("one removed")


@scenario
def cluster_scoped_with_target(s):
    start(s, {"a.yaml": cluster_scoped(s)})
    s.delete("ClusterRole", f"{s.namespace}--role")
    s.request()
    s.point("made again")


@scenario
def status_in_manifest(s):
    start(s, {"a.yaml": config_map("a", status={"phase": "odd"}), "b.yaml": {**deployment("b"), "status": {"replicas": 7}}})


@scenario
def unknown_fields(s):
    start(s, {"a.yaml": config_map("a", surprise=1), "b.yaml": {**deployment("b"), "surprise": {"deep": True}},
              "c.yaml": {**deployment("c", surprise="inside")}})


@scenario
def sops_left_encrypted(s):
    start(s, {"a.yaml": secret("a", data={"key": "ENC[AES256_GCM,data:x]"}, sops={"mac": "ENC[x]", "version": "3.9.0"}), "b.yaml": config_map("b")})


@scenario
def immutable_field(s):
    start(s, {"a.yaml": config_map("a", immutable=True), "b.yaml": config_map("b")})
    s.commit({"a.yaml": config_map("a", {"key": "two"}, immutable=True), "b.yaml": config_map("b", {"key": "two"})})
    s.point("refused")
    s.commit({"a.yaml": config_map("a", {"key": "two"}, immutable=True, annotations={FORCE: "enabled"})})
    s.point("forced by annotation")


@scenario
def immutable_field_force(s):
    start(s, {"a.yaml": config_map("a", immutable=True)}, force=True)
    s.commit({"a.yaml": config_map("a", {"key": "two"}, immutable=True)})
    s.point("made again")


@scenario
def immutable_field_force_live(s):
    start(s, {"a.yaml": config_map("a", immutable=True)})
    s.patch("ConfigMap", "a", {"metadata": {"annotations": {FORCE: "enabled"}}}, manager="robot")
    s.commit({"a.yaml": config_map("a", {"key": "two"}, immutable=True)})
    s.point("made again")


@scenario
def selector_changed(s):
    start(s, {"b.yaml": deployment("b")})
    changed = deployment("b")
    changed["spec"]["selector"]["matchLabels"]["extra"] = changed["spec"]["template"]["metadata"]["labels"]["extra"] = "1"
    s.commit({"b.yaml": changed})
    s.point("refused")


@scenario
def refused_by_the_server(s):
    start(s, {"a.yaml": config_map("a"), "b.yaml": config_map("b", {"key": 7})})


@scenario
def one_of_two_refused(s):
    start(s, {"a.yaml": config_map("a"), "c.yaml": config_map("Bad_Name")})
    s.commit({"c.yaml": config_map("c")})
    s.point("mended")


@scenario
def server_defaults(s):
    start(s, {"b.yaml": deployment("b"), "c.yaml": {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "c"},
                                                   "spec": {"selector": {"app": "b"}, "ports": [{"port": 80}]}},
              "d.yaml": {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "d"}},
              "e.yaml": {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "e:x"},
                         "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}})
    s.request()
    s.point("again")


@scenario
def namespace_is_missing(s):
    start(s, {"a.yaml": config_map("a"), "b.yaml": {**config_map("b"), "metadata": {"name": "b", "namespace": f"{s.namespace}--none"}}},)


@scenario
def namespace_is_missing_untargeted(s):
    s.commit({"b.yaml": {**config_map("b"), "metadata": {"name": "b", "namespace": f"{s.namespace}--none"}}})
    s.source()
    s.fetched()
    s.kustomization()
    s.point("refused")
    s.ask("create", "POST", "/api/v1/namespaces", {"metadata": {"name": f"{s.namespace}--none"}})
    s.request()
    s.point("namespace made")


@scenario
def namespace_and_content(s):
    place = f"{s.namespace}--new"
    s.commit({"a.yaml": [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": place}},
                         {**config_map("a"), "metadata": {"name": "a", "namespace": place}}]})
    s.source()
    s.fetched()
    s.kustomization()
    s.point("applied")


@scenario
def namespace_terminating(s):
    place = f"{s.namespace}--ending"
    s.ask("create", "POST", "/api/v1/namespaces", {"metadata": {"name": place}})
    held = config_map("held")
    held["metadata"].update(namespace=place, finalizers=["test.example/held"])
    s.apply(held)
    s.commit({"a.yaml": {**config_map("a"), "metadata": {"name": "a", "namespace": place}}})
    s.delete("Namespace", place)
    s.wait(lambda: "deletionTimestamp" in s.world.store.get("ConfigMap", place, "held")["metadata"], "the content is being deleted")
    s.source()
    s.fetched()
    s.kustomization()
    s.point("refused")


@scenario
def no_namespace_given(s):
    s.commit({"a.yaml": config_map("a")})
    s.source()
    s.fetched()
    s.kustomization()
    s.point("applied")


def widget_definition(s, group):
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": f"widgets.{group}"},
            "spec": {"group": group, "scope": "Namespaced", "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"},
                     "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
                         "type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}},
                                                          "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}}}]}}


def widget(group, size=1, **more):
    return {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": size}, **more}


@scenario
def definition_and_object(s):
    group = f"{s.namespace}--x.example"
    start(s, {"a.yaml": [widget(group), widget_definition(s, group)]})
    s.commit({"a.yaml": [widget(group, 2, status={"seen": "by git"}), widget_definition(s, group)]})
    s.point("with status")
    s.commit({"a.yaml": [widget_definition(s, group)]})
    s.point("object removed")


@scenario
def kind_is_not_served(s):
    start(s, {"a.yaml": [widget(f"{s.namespace}--none.example"), config_map("a")]})


@scenario
def definition_removed_with_object(s):
    group = f"{s.namespace}--x.example"
    start(s, {"a.yaml": [widget(group), widget_definition(s, group)], "b.yaml": config_map("b")})
    s.commit({"a.yaml": None})
    s.point("both removed")


@scenario
def moved_between_two(s):
    s.commit({"one/a.yaml": config_map("a"), "one/k.yaml": config_map("k1"), "two/k.yaml": config_map("k2")})
    s.source()
    s.fetched()
    s.kustomization("one", path="./one", targetNamespace=s.namespace)
    s.kustomization("two", path="./two", targetNamespace=s.namespace)
    s.point("applied")
    s.kustomization("one", path="./one", targetNamespace=s.namespace, suspend=True)
    s.commit({"one/a.yaml": None, "two/a.yaml": config_map("a", {"key": "moved"})})
    s.point("taken by the second", until=lambda: s.world.store.get("ConfigMap", s.namespace, "a")["data"]["key"] == "moved")
    s.kustomization("one", path="./one", targetNamespace=s.namespace)
    s.point("let go by the first")


@scenario
def two_owners(s):
    s.commit({"one/a.yaml": config_map("a", {"key": "first", "first": "1"}), "two/a.yaml": config_map("a", {"key": "second", "second": "1"})})
    s.source()
    s.fetched()
    s.kustomization("one", path="./one", targetNamespace=s.namespace)
    s.point("the first")
    s.kustomization("two", path="./two", targetNamespace=s.namespace)
    s.point("the second")
    s.request("Kustomization", "one")
    s.point("the first asked")
    s.delete("Kustomization", "two")
    s.point("the second deleted", until=lambda: not s.world.store.get("Kustomization", s.namespace, "two"))


@scenario
def job_with_ttl(s):
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": {"backoffLimit": 0, "template": {
        "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox:1"}]}}}}
    start(s, {"a.yaml": job}, wait=True, timeout="30s")
    job["spec"]["template"]["spec"]["containers"][0]["image"] = "busybox:2"
    s.commit({"a.yaml": job})
    s.point("changed")


@scenario
def list_of_objects(s):
    start(s, {"a.yaml": {"apiVersion": "v1", "kind": "ConfigMapList", "items": [config_map("a"), config_map("b")]},
              "b.yaml": {"apiVersion": "v1", "kind": "List", "items": [config_map("c")]}})


@scenario
def generated_names(s):
    start(s, {"kustomization.yaml": {"configMapGenerator": [{"name": "a", "literals": ["key=one"]}]}})
    s.commit({"kustomization.yaml": {"configMapGenerator": [{"name": "a", "literals": ["key=two"]}]}})
    s.point("changed")
