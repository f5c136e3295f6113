"""What two runs can have in common: an object or Event without its times, ids, hashes, ports and other accidents."""
import re

FLUX_KINDS = {"GitRepository", "OCIRepository", "Kustomization"}
COUNTED_REASONS = {"Progressing", "ReconciliationSucceeded"}
# Managers whose turns depend on how fast Kubernetes' own controllers are.
FOREIGN_MANAGERS = {"kube-controller-manager", "kube-scheduler", "kube-apiserver", "controlplane", "nodes"}
NOT_COMPARED = {"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink", "deletionTimestamp",
                "deletionGracePeriodSeconds", "name", "namespace"}
DURATION = r"(?:\d+h)?(?:\d+m)?\d+(?:\.\d+)?(?:ns|µs|ms|s|m|h)"
PATTERNS = [(re.compile(pattern), by) for pattern, by in [
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<uid>"),
    (r"sha256:[0-9a-f]{64}", "sha256:<digest>"), (r"SHA256:[A-Za-z0-9+/]{43}", "SHA256:<key>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", "<time>"),
    (rf"\b(finished in|passed in|failed after) {DURATION}", r"\1 <duration>"),
    (r"http://[^/ \"]+/((?:git|oci)repository/)", r"http://<artifacts>/\1"),
    (r"/tmp/(?:kustomization|gitrepository)-[\w.-]*\d/", "./"), (r"/tmp/(?:kustomization|gitrepository)-[\w.-]*\d\b", ".")]]
# Flux collects old artifacts a while after it has stored a new one.
COLLECTED = re.compile(r"garbage collected \d+ artifacts")


class Words:
    """Replaces what this run chose (its namespace, commits, servers, what was pushed) by names that every run has."""

    def __init__(self, namespace):
        self.namespace, self.commits, self.made = namespace, {}, {}

    def commit(self, digest):
        self.commits.setdefault(digest, f"<commit {len(self.commits) + 1}>")

    def text(self, text):
        for digest, name in self.commits.items():
            text = text.replace(digest, name).replace(digest[:12], name).replace(digest[:8], name)
        for text_made, name in self.made.items():
            text = text.replace(text_made, name)
        for pattern, by in PATTERNS:
            text = pattern.sub(by, text)
        return text.replace(self.namespace, "<ns>")

    def value(self, value):
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(one) for one in value]
        if isinstance(value, dict):
            return {self.text(key): self.value(one) for key, one in value.items()}
        return value


def field_paths(fields, path=""):
    """fieldsV1 as a list of paths: `spec.template`, `containers[{"name":"web"}]`."""
    found = []
    for key, inner in sorted(fields.items()):
        kind, _, name = key.partition(":")
        if key == ".":
            found.append(path or ".")
            continue
        here = f"{path}[{name}]" if kind in ("k", "v", "i") or not re.fullmatch(r"[\w-]+", name) else f"{path}.{name}" if path else name
        found += field_paths(inner, here) if inner else [here]
    return found


def managers(item):
    found = {}
    for entry in item["metadata"].get("managedFields", []):
        if entry["manager"] in FOREIGN_MANAGERS:
            continue
        name = " ".join(filter(None, [entry["manager"], entry["operation"], entry.get("subresource")]))
        found[name] = sorted(set(found.get(name, []) + field_paths(entry.get("fieldsV1", {}))))
    return found


def flux_condition(condition):
    kept = {name: value for name, value in condition.items() if name not in ("type", "lastTransitionTime")}
    return {**kept, "message": kept.get("message", "").rstrip("\n")}


def flux_artifact(artifact):
    return {name: "<size>" if name == "size" else value for name, value in artifact.items() if name != "lastUpdateTime"}


def flux_status(status):
    kept = dict(status)
    if "conditions" in kept:
        kept["conditions"] = {one["type"]: flux_condition(one) for one in kept["conditions"]}
    if "artifact" in kept:
        kept["artifact"] = flux_artifact(kept["artifact"])
    if "includedArtifacts" in kept:
        kept["includedArtifacts"] = [flux_artifact(one) for one in kept["includedArtifacts"]]
    if "history" in kept:
        kept["history"] = [{name: one[name] for name in ("lastReconciledStatus", "metadata", "digest") if name in one} for one in kept["history"]]
    if "inventory" in kept:
        kept["inventory"] = {one["id"]: one["v"] for one in kept["inventory"].get("entries", [])}
    return kept


def is_of_kubernetes(group):
    return "." not in group or group.endswith(".k8s.io")


def seen_object(group, kind, item):
    metadata = {name: value for name, value in item["metadata"].items() if name not in NOT_COMPARED}
    if "deletionTimestamp" in item["metadata"]:
        metadata["deleting"] = True
    if "ownerReferences" in metadata:
        metadata["ownerReferences"] = [f"{one['kind']}/{one['name']}" for one in metadata["ownerReferences"]]
    if kind == "Deployment":
        metadata.get("annotations", {}).pop("deployment.kubernetes.io/revision", None)
    seen = {name: value for name, value in item.items() if name not in ("metadata", "status", "kind")}
    seen["metadata"] = {name: value for name, value in metadata.items() if value}
    seen["managers"] = managers(item)
    status = item.get("status")
    if kind in FLUX_KINDS:
        seen["status"] = flux_status(status or {})
    elif kind == "Namespace":
        seen["phase"] = (status or {}).get("phase")
    elif status and not is_of_kubernetes(group):
        seen["status"] = status
    if kind == "Service":
        for name in ("clusterIP", "clusterIPs"):
            seen.get("spec", {}).pop(name, None)
    return seen


def seen_event(item):
    about = item["involvedObject"]
    return {"object": f"{about['kind']}/{about['name']}", "type": item["type"], "reason": item["reason"], "message": item["message"].rstrip("\n"),
            "source": item.get("source", {}).get("component", ""), "annotations": item["metadata"].get("annotations", {})}


class View:
    """What one scenario may see of the store: its namespace, and all that carries the namespace's name and two dashes."""

    def __init__(self, store, words):
        self.store, self.words, self.known, self.at = store, words, None, None

    def snapshot(self):
        """{"objects": by name, "events": each once}. Made anew only when something has changed."""
        turn = self.store.turn(self.words.namespace), len(self.words.commits), len(self.words.made)
        if self.known is None or turn != self.at:
            _, items = self.store.of(self.words.namespace)
            self.known, self.at = {"objects": self.objects(items), "events": self.events(items)}, turn
        return self.known

    def objects(self, items):
        seen = {}
        for (group, kind, namespace, name), item in items.items():
            if kind == "Event" or (kind, name) in (("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default"),
                                                   ("Namespace", self.words.namespace)):
                continue
            place = f"{namespace}:" if namespace not in ("", self.words.namespace) else ""
            seen[self.words.text(f"{place}{kind}/{name}")] = self.words.value(seen_object(group, kind, item))
        return seen

    def events(self, items):
        """Each text once, with the annotations of its first Event: the recorder of Kubernetes counts up an Event that it has sent before.

        How often it was said is kept for what a pass of a Kustomization says that is not tried again.
        """
        unique = {}
        mine = [item for key, item in items.items()
                if key[1:3] == ("Event", self.words.namespace) and item["involvedObject"].get("kind") in FLUX_KINDS]
        for item in sorted(mine, key=lambda one: (one["metadata"]["creationTimestamp"], one["metadata"]["name"])):
            seen = self.words.value(seen_event(item))
            if COLLECTED.fullmatch(seen["message"]):
                continue
            kept = unique.setdefault(tuple(seen[name] for name in ("object", "type", "reason", "source", "message")), {**seen, "times": 0})
            kept["times"] += item.get("count") or 1
        for seen in unique.values():
            if not (seen["object"].startswith("Kustomization/") and seen["reason"] in COUNTED_REASONS):
                del seen["times"]
        return [unique[key] for key in sorted(unique)]

    def flux_objects(self):
        return [item for key, item in self.store.of(self.words.namespace)[1].items() if key[1] in FLUX_KINDS]
