"""One cluster as the harness sees it: a small REST client, and a copy of everything in it that watches keep current."""
import base64
import http.client
import json
import pathlib
import queue
import re
import ssl
import threading
import time
import urllib.parse

# Written by Kubernetes' own controllers, or a second view of what is watched already.
IGNORED = {"pods", "replicasets", "endpoints", "endpointslices", "leases", "nodes", "csinodes", "flowschemas", "controllerrevisions",
           "prioritylevelconfigurations", "apiservices", "componentstatuses", "ipaddresses", "servicecidrs", "volumeattachments"}
IGNORED_GROUPS = {"events.k8s.io", "metrics.k8s.io"}
PATCH_TYPES = {"merge": "application/merge-patch+json", "json": "application/json-patch+json",
               "strategic": "application/strategic-merge-patch+json", "apply": "application/apply-patch+yaml"}
ANSWER_TIMEOUT_S = 30


class Refused(Exception):
    """The API server's answer to a request that it did not carry out."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Client:
    """Requests to the API server as the admin of the kubeconfig; one connection for each thread."""

    def __init__(self, kubeconfig, work):
        text = pathlib.Path(kubeconfig).read_text(encoding="utf-8")

        def field(name):
            return re.search(rf"{name}: *\"?([^\s\"]+)", text)[1]

        address = urllib.parse.urlsplit(field("server"))
        self.host, self.port = address.hostname, address.port
        files = {}
        for name in ("certificate-authority-data", "client-certificate-data", "client-key-data"):
            files[name] = pathlib.Path(work) / name
            files[name].write_bytes(base64.b64decode(field(name)))
        self.context = ssl.create_default_context(cafile=files["certificate-authority-data"])
        self.context.load_cert_chain(files["client-certificate-data"], files["client-key-data"])
        self.local = threading.local()

    def connect(self, timeout=ANSWER_TIMEOUT_S):
        return http.client.HTTPSConnection(self.host, self.port, context=self.context, timeout=timeout)

    def request(self, method, path, body=None, content="application/json"):
        for last in (False, True):
            try:
                if getattr(self.local, "connection", None) is None:
                    self.local.connection = self.connect()
                self.local.connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": content})
                answer = self.local.connection.getresponse()
                text = answer.read()
                break
            except (http.client.HTTPException, OSError):
                self.local.connection = None
                if last:
                    raise
        value = json.loads(text) if text.startswith(b"{") else {"message": text.decode(errors="replace")}
        if answer.status >= 400:
            raise Refused(answer.status, value.get("message", ""))
        return value


class Kinds:
    """Which resource serves a kind; asked anew when one is missing."""

    def __init__(self, client):
        self.client, self.lock, self.by_kind = client, threading.Lock(), {}

    def read(self):
        found = {}
        versions = ["/api/v1"]
        for group in self.client.request("GET", "/apis")["groups"]:
            if group["name"] not in IGNORED_GROUPS:
                versions += ["/apis/" + version["groupVersion"] for version in group["versions"]]
        for base in versions:
            try:
                listed = self.client.request("GET", base)["resources"]
            except Refused:  # gone since it was listed
                continue
            for one in listed:
                if "/" not in one["name"] and "watch" in one["verbs"]:
                    api = base.removeprefix("/apis/").removeprefix("/api/")
                    found.setdefault((api, one["kind"]), (base, one["name"], one["namespaced"]))
        with self.lock:
            self.by_kind = found
        return found

    def path(self, api, kind, namespace, name=""):
        for _ in range(50):
            with self.lock:
                found = self.by_kind.get((api, kind))
            if found:
                base, resource, namespaced = found
                where = f"/namespaces/{namespace}" if namespaced else ""
                return f"{base}{where}/{resource}" + (f"/{name}" if name else "")
            time.sleep(0.1)
            self.read()
        raise Refused(404, f"no kind {kind} in {api}")


class Bucket:
    """The objects of one scenario; `turn` counts the changes."""

    def __init__(self):
        self.objects, self.turn = {}, 0


class Store:
    """Every object of the cluster, by (group, kind, namespace, name); the first version of a group that serves a kind is watched.

    They lie in buckets, one for each scenario: its namespace `s-name`, and all whose namespace or name has `s-name--` in it.
    """

    OWNER = re.compile(r"(?:^|\.)(s-[a-z0-9-]*?)(?:--|$)")

    def __init__(self, client, kinds):
        self.client, self.kinds = client, kinds
        self.lock, self.buckets = threading.Lock(), {}
        self.watched, self.stopping, self.listed = set(), threading.Event(), queue.Queue()

    def start(self, kinds):
        """Returns when all is listed, also the objects of `kinds`."""
        self.follow_new()
        listed = set()
        while not listed.issuperset(kinds) or len(listed) < len(self.watched):
            listed.add(self.listed.get(timeout=ANSWER_TIMEOUT_S))
        return self

    def follow_new(self):
        for (api, kind), (base, resource, _) in self.kinds.read().items():
            group = api.rpartition("/")[0]
            with self.lock:
                if resource in IGNORED or (group, kind) in self.watched:
                    continue
                self.watched.add((group, kind))
            threading.Thread(target=self.follow, args=(group, kind, f"{base}/{resource}"), daemon=True).start()

    def follow_defined(self, definition):
        """Discovery names a new kind a while after its definition was stored."""
        wanted = definition["spec"]["group"], definition["spec"]["names"]["kind"]
        for _ in range(100):
            with self.lock:
                if wanted in self.watched:
                    return
            self.follow_new()
            if self.stopping.wait(0.1):
                return

    def follow(self, group, kind, path):
        version = None
        while not self.stopping.is_set():
            try:
                if version is None:
                    version = self.relist(group, kind, path)
                version = self.watch(group, kind, path, version)
            except Refused as refused:
                version = None
                if refused.code == 404:
                    with self.lock:
                        self.watched.discard((group, kind))
                    return
            except (http.client.HTTPException, OSError, ValueError):
                version = None
            self.stopping.wait(0.05)

    def relist(self, group, kind, path):
        answer = self.client.request("GET", path)
        for item in answer["items"]:
            item.update(apiVersion=answer["apiVersion"], kind=kind)  # a list says it once
            if kind == "CustomResourceDefinition":
                threading.Thread(target=self.follow_defined, args=(item,), daemon=True).start()
        with self.lock:
            for bucket in self.buckets.values():
                for key in [key for key in bucket.objects if key[:2] == (group, kind)]:
                    del bucket.objects[key]
                    bucket.turn += 1
            for item in answer["items"]:
                self.put(self.key(group, kind, item), item)
        self.listed.put((group, kind))
        return answer["metadata"]["resourceVersion"]

    def watch(self, group, kind, path, version):
        connection = self.client.connect(timeout=600)
        try:
            connection.request("GET", f"{path}?watch=1&allowWatchBookmarks=true&resourceVersion={version}")
            answer = connection.getresponse()
            if answer.status >= 400:
                raise Refused(answer.status, answer.read().decode(errors="replace"))
            for line in answer:
                event = json.loads(line)
                item = event["object"]
                if event["type"] == "ERROR":
                    return None
                version = item["metadata"]["resourceVersion"]
                if event["type"] == "BOOKMARK":
                    continue
                with self.lock:
                    self.put(self.key(group, kind, item), None if event["type"] == "DELETED" else item)
                if kind == "CustomResourceDefinition" and event["type"] != "DELETED":
                    threading.Thread(target=self.follow_defined, args=(item,), daemon=True).start()
        finally:
            connection.close()
        return version

    @staticmethod
    def key(group, kind, item):
        return group, kind, item["metadata"].get("namespace", ""), item["metadata"]["name"]

    def put(self, key, item):
        owner = self.OWNER.search(key[2] or key[3])
        if owner is None:
            return
        bucket = self.buckets.setdefault(owner[1], Bucket())
        bucket.turn += 1
        if item is None:
            bucket.objects.pop(key, None)
        else:
            bucket.objects[key] = item

    def of(self, scenario):
        """(turn, {key: object}) of a scenario's namespace."""
        with self.lock:
            bucket = self.buckets.get(scenario, Bucket())
            return bucket.turn, dict(bucket.objects)

    def turn(self, scenario):
        with self.lock:
            return self.buckets[scenario].turn if scenario in self.buckets else 0

    def get(self, kind, namespace, name):
        owner = self.OWNER.search(namespace or name)
        for key, item in self.of(owner[1] if owner else "")[1].items():
            if key[1:] == (kind, namespace, name):
                return item
        return None

    def stop(self):
        self.stopping.set()
