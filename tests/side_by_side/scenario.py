"""What a scenario is written with: objects, commits and patches in a namespace of its own, and the points where it is looked at."""
import base64
import json
import subprocess

import harness
import oci_registry as oci
from cluster import PATCH_TYPES, Refused
from normalise import View, Words

SOURCE_API, KUSTOMIZE_API = "source.toolkit.fluxcd.io/v1", "kustomize.toolkit.fluxcd.io/v1"
API_OF = {"GitRepository": SOURCE_API, "OCIRepository": SOURCE_API, "Kustomization": KUSTOMIZE_API, "Deployment": "apps/v1", "Job": "batch/v1",
          "ClusterRole": "rbac.authorization.k8s.io/v1", "Role": "rbac.authorization.k8s.io/v1",
          "CustomResourceDefinition": "apiextensions.k8s.io/v1"}
REQUESTED_AT = "reconcile.fluxcd.io/requestedAt"
ALL = []


def scenario(function=None, *, flags=()):
    """Registers it; its name is the recording's and, with dashes, the namespace's. `flags` are those of kustomize-controller, and
    of `holdfast daemon` the same."""
    def register(function):
        function.flags = tuple(flags)
        ALL.append(function)
        return function
    return register(function) if function else register


def config_map(name, data=None, labels=None, annotations=None, **more):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(name, labels, annotations),
            "data": {"key": "one"} if data is None else data, **more}


def metadata(name, labels=None, annotations=None, namespace=None):
    found = {"name": name, "namespace": namespace, "labels": labels, "annotations": annotations}
    return {key: value for key, value in found.items() if value}


class Scenario:
    """One run of one scenario in one world. The steps return nothing; what the API server refused is part of what is compared."""

    def __init__(self, world, function, looked_at):
        self.world, self.name, self.looked_at = world, function.__name__, looked_at
        self.namespace = "s-" + self.name.replace("_", "-")
        self.words = Words(self.namespace)
        self.words.made = {url: f"<{name}>" for name, url in world.git.urls().items()}
        self.view = View(world.store, self.words)
        self.repositories, self.answers, self.requests = {}, [], 0
        (world.git.root / self.namespace).mkdir()
        world.client.request("POST", "/api/v1/namespaces", {"metadata": {"name": self.namespace}})
        self.wait(lambda: world.store.get("ServiceAccount", self.namespace, "default"), "the namespace's service account")

    # Git

    def repository(self, name="app"):
        if name not in self.repositories:
            self.repositories[name] = harness.Repository(self.world.git.root / self.namespace, name)
        return self.repositories[name]

    def url(self, name="app", server="git"):
        return f"{self.world.git.urls()[server]}/{self.namespace}/{name}.git"

    def commit(self, files, repository="app", branch="main", message="change", tag=None, sign_with=None, poke=True):
        """`files`: path -> text, object, list of objects, or None for a removal. Asks the source to look, if there is one."""
        into = self.repository(repository)
        for path, content in files.items():
            if content is None:
                into.remove(path)
            else:
                into.write(path, as_text(content))
        signed = ["-c", "gpg.format=ssh", "-c", f"user.signingkey={sign_with}", "-c", "commit.gpgsign=true"] if sign_with else []
        into.git("add", "-A")
        into.git(*signed, "commit", "-q", "--allow-empty", "-m", message)
        into.git("push", "-q", "--force", "origin", f"HEAD:refs/heads/{branch}")
        digest = into.git("rev-parse", "HEAD").strip()
        self.words.commit(digest)
        if tag:
            into.git("tag", "-f", tag)
            into.git("push", "-q", "--force", "origin", f"refs/tags/{tag}")
        if poke and self.world.store.get("GitRepository", self.namespace, repository):
            self.request("GitRepository", repository)
        return digest

    # A registry

    def image(self, name="app", server="registry"):
        """The URL of an OCIRepository."""
        authority = self.world.registries.urls()[server]
        self.words.made.setdefault(authority, f"<{server}>")
        return f"oci://{authority}/{self.namespace}/{name}"

    def push(self, files, tag="latest", annotations=None, image="app"):
        """As `flux push artifact`. Asks the source to look, if there is one. Returns the digest."""
        return self.push_layers([(oci.CONTENT, oci.tar_gz({path: as_text(one) if not isinstance(one, tuple) else one
                                                           for path, one in files.items()}))], tag, annotations, image)

    def push_layers(self, layers, tag="latest", annotations=None, image="app"):
        """layers: (media type, bytes)"""
        manifest, blobs = oci.manifest_of(layers, annotations)
        for _, data in layers:
            self.words.made.setdefault(oci.digest_of(data), f"<layer {len(self.words.made)}>")
        return self.push_manifest(manifest, blobs, tag, image)

    def push_manifest(self, manifest, blobs, tag="latest", image="app", media_type=oci.MANIFEST):
        self.image(image)
        digest = oci.push_bytes(f"http://{self.world.registries.urls()['registry']}", f"{self.namespace}/{image}", tag, manifest, blobs,
                                media_type=media_type)
        self.words.made.setdefault(digest, f"<manifest {len(self.words.made)}>")
        if self.world.store.get("OCIRepository", self.namespace, image):
            self.request("OCIRepository", image)
        return digest

    # The cluster

    def ask(self, what, method, path, body=None, content="application/json"):
        try:
            answer = self.world.client.request(method, path, body, content)
            self.wait_for_copy(answer, method)
            return answer
        except Refused as refused:
            self.answers.append([f"{what}", self.words.text(str(refused))])
            return None

    def wait_for_copy(self, answer, method):
        """The store has to know what was written before anything is looked at."""
        meta = answer.get("metadata", {})
        if method == "DELETE" or "name" not in meta or "kind" not in answer:
            return
        self.wait(lambda: self.is_known(answer["kind"], meta), f"the copy of {answer['kind']}/{meta['name']}")

    def is_known(self, kind, meta):
        item = self.world.store.get(kind, meta.get("namespace", ""), meta["name"])
        return item is None or int(item["metadata"]["resourceVersion"]) >= int(meta["resourceVersion"])

    def path(self, kind, name, api=None, namespace=None):
        return self.world.kinds.path(api or API_OF.get(kind, "v1"), kind, namespace or self.namespace, name)

    def apply(self, item, manager="author", force=True):
        meta = item["metadata"]
        path = self.path(item["kind"], meta["name"], item["apiVersion"], meta.get("namespace"))
        self.ask(f"apply {item['kind']}/{self.words.text(meta['name'])}", "PATCH",
                 f"{path}?fieldManager={manager}&force={str(force).lower()}", item, PATCH_TYPES["apply"])

    def patch(self, kind, name, change, manager="kubectl-edit", how="merge", api=None, namespace=None):
        path = self.path(kind, name, api, namespace)
        self.ask(f"patch {kind}/{name}", "PATCH", f"{path}?fieldManager={manager}", change, PATCH_TYPES[how])

    def delete(self, kind, name, api=None, namespace=None):
        self.ask(f"delete {kind}/{name}", "DELETE", self.path(kind, name, api, namespace) + "?propagationPolicy=Background")

    def kubectl(self, *arguments, text=""):
        done = subprocess.run([str(self.world.plane.folder / "kubectl"), "--kubeconfig", self.world.plane.kubeconfig, "-n", self.namespace,
                               *arguments], input=text, capture_output=True, text=True)
        if done.returncode:
            self.answers.append([f"kubectl {' '.join(arguments)}", self.words.text(done.stderr.strip())])

    def annotate(self, kind, name, **more):
        annotations = more.pop("annotations")
        self.patch(kind, name, {"metadata": {"annotations": annotations}}, **more)

    def source(self, name="app", url=None, namespace=None, **spec):
        spec = {"url": url or self.url(), "interval": "1h", "ref": {"branch": "main"}, "timeout": "5s", **spec}
        self.apply({"apiVersion": SOURCE_API, "kind": "GitRepository", "metadata": metadata(name, namespace=namespace),
                    "spec": {key: value for key, value in spec.items() if value is not None}})

    def image_source(self, name="app", url=None, **spec):
        spec = {"url": url or self.image(), "interval": "1h", "timeout": "5s", "insecure": True, **spec}
        self.apply({"apiVersion": SOURCE_API, "kind": "OCIRepository", "metadata": metadata(name),
                    "spec": {key: value for key, value in spec.items() if value is not None}})

    def kustomization(self, name="app", **spec):
        spec = {"sourceRef": {"kind": "GitRepository", "name": "app"}, "path": "./", "interval": "1h", "retryInterval": "1h",
                "timeout": "3s", "prune": True, **spec}
        self.apply({"apiVersion": KUSTOMIZE_API, "kind": "Kustomization", "metadata": metadata(name),
                    "spec": {key: value for key, value in spec.items() if value is not None}})

    def request(self, kind="Kustomization", name="app"):
        """What `flux reconcile` does."""
        self.requests += 1
        self.annotate(kind, name, annotations={REQUESTED_AT: f"request-{self.requests}"}, manager="flux")

    def secret(self, name, kind=None, **data):
        """`__` in a key is a dot; `kind` is its type. What is made anew for each run is long, and is compared by its name."""
        coded = {key.replace("__", "."): base64.b64encode(value.encode()).decode() for key, value in data.items()}
        self.words.made.update({value: f"<{key} of {name}>" for key, value in coded.items() if len(value) > 60})
        typed = {"type": kind} if kind else {}
        self.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": coded, **typed})

    # Looking

    def wait(self, check, what, within_s=30):
        return harness.eventually(check, within_s, 0.02, f"{self.name}: {what}")

    def ready(self, kind, name, status="True"):
        item = self.world.store.get(kind, self.namespace, name)
        return any(one["type"] == "Ready" and one["status"] == status for one in (item or {}).get("status", {}).get("conditions", []))

    def fetched(self, name="app", kind="GitRepository"):
        """Before a Kustomization is made: whether it meets its source without an artifact would be a race."""
        self.wait(lambda: self.ready(kind, name), f"{kind}/{name} is ready")

    def message(self, name="app", kind="Kustomization"):
        item = self.world.store.get(kind, self.namespace, name)
        return next((one["message"] for one in (item or {}).get("status", {}).get("conditions", []) if one["type"] == "Ready"), "")

    def unsettled(self):
        """(why something is still to be expected, whether that may stay so)."""
        found = [why_unsettled(item, self.world.store) for item in self.view.flux_objects()]
        found = [one for one in found if one[0]]
        return min(found, key=lambda one: one[1]) if found else ("", False)

    def snapshot(self):
        return self.view.snapshot()

    def point(self, name="end", until=None, quiet_s=None):
        """Here the run is compared. `until` is waited for first, where only a condition says that the step is over."""
        self.looked_at(self, name, until, quiet_s)


def as_text(content):
    if isinstance(content, str):
        return content
    documents = content if isinstance(content, list) else [content]
    return "\n---\n".join(json.dumps(one, indent=2) for one in documents) + "\n"


def why_unsettled(item, store):
    meta, status = item["metadata"], item.get("status", {})
    if "deletionTimestamp" in meta:
        return "is being deleted", True
    if item["spec"].get("suspend"):
        return "", False
    conditions = {one["type"]: one for one in status.get("conditions", [])}
    ready = conditions.get("Ready")
    if ready is None or ready["status"] == "Unknown":
        return "Ready is not known", False
    if conditions.get("Reconciling", {}).get("status") == "True" and conditions["Reconciling"]["reason"] != "ProgressingWithRetry":
        return "is reconciling", False
    if ready.get("observedGeneration", meta["generation"]) != meta["generation"]:
        return "Ready is of an older generation", False
    asked = meta.get("annotations", {}).get(REQUESTED_AT)
    if asked and status.get("lastHandledReconcileAt") != asked:
        return "the request is not handled", False
    if item["kind"] == "Kustomization":
        ref = item["spec"]["sourceRef"]
        source = store.get(ref["kind"], ref.get("namespace", meta["namespace"]), ref["name"])
        held = (source or {}).get("status", {}).get("artifact", {}).get("revision")
        if held and status.get("lastAttemptedRevision") != held:
            return "another revision was attempted", True
    return "", False
