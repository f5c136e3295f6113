"""The API server asked directly, as fast as it answers: for programs that fight, and for the server's own counters."""
import base64
import contextlib
import http.client
import json
import pathlib
import re
import ssl
import tempfile
import threading
import urllib.parse


class ApiClient:
    """One kept-alive connection, with the certificates of a kubeconfig. Of one thread."""

    def __init__(self, kubeconfig):
        text = pathlib.Path(kubeconfig).read_text(encoding="utf-8")
        said = {name: re.search(rf"{name}: (\S+)", text)[1] for name in
                ("server", "certificate-authority-data", "client-certificate-data", "client-key-data")}
        decoded = {name: base64.b64decode(value).decode() for name, value in said.items() if name.endswith("-data")}
        self.tls = ssl.create_default_context(cadata=decoded["certificate-authority-data"])
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as both:
            both.write(decoded["client-certificate-data"] + decoded["client-key-data"])
            both.flush()
            self.tls.load_cert_chain(both.name)
        self.address = urllib.parse.urlsplit(said["server"]).netloc
        self.connection = None

    def request(self, method, path, body=None, content_type="application/json"):
        """(status, text); (0, why) when the server did not answer."""
        for again in (True, False):
            fresh = self.connection is None
            if fresh:
                self.connection = http.client.HTTPSConnection(self.address, context=self.tls, timeout=20)
            try:
                self.connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": content_type})
                answer = self.connection.getresponse()
                return answer.status, answer.read().decode("utf-8")
            except (OSError, http.client.HTTPException) as error:
                self.connection.close()
                self.connection = None
                if fresh or not again:
                    return 0, str(error)
        return 0, ""

    def merge(self, path, body, manager="fighter"):
        return self.request("PATCH", f"{path}?fieldManager={manager}", body, "application/merge-patch+json")

    def counters(self):
        """{(verb, resource, subresource, is dry run): requests}, of the server's own count since it started."""
        counted = {}
        for line in self.request("GET", "/metrics")[1].splitlines():
            if line.startswith("apiserver_request_total{"):
                labels = dict(re.findall(r'(\w+)="([^"]*)"', line))
                key = labels["verb"], labels["resource"], labels["subresource"], labels["dry_run"] != ""
                counted[key] = counted.get(key, 0) + int(float(line.rsplit(" ", 1)[1]))
        return counted


class Fighter:
    """Does the same again and again, until it is told to stop."""

    def __init__(self, kubeconfig, act, every_s=0.1):
        self.api, self.act, self.every_s, self.over, self.acts = ApiClient(kubeconfig), act, every_s, threading.Event(), 0
        self.thread = threading.Thread(target=self.fight)

    def fight(self):
        while not self.over.wait(self.every_s):
            with contextlib.suppress(OSError, http.client.HTTPException):
                self.act(self.api)
                self.acts += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
