"""Registries for tests: the real docker-registry, a program in Go, and one in Python that misbehaves; and a client that pushes.

    with DockerRegistry(work, users={"robot": "right"}) as registry:
        digest = push(registry.url, "apps", "1.0", {"a.yaml": "kind: …"}, login=("robot", "right"))
"""
import base64
import contextlib
import crypt
import gzip
import hashlib
import http.server
import io
import json
import pathlib
import re
import shutil
import subprocess
import tarfile
import threading
import time
import urllib.error
import urllib.request

CONFIG = "application/vnd.cncf.flux.config.v1+json"
CONTENT = "application/vnd.cncf.flux.content.v1.tar+gzip"
CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tar_gz(files):
    """name -> text, or a tarfile.TarInfo with bytes, or None for a directory"""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in files.items():
            info, data = content if isinstance(content, tuple) else (tarfile.TarInfo(name), content)
            if data is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(info)
                continue
            data = data.encode() if isinstance(data, str) else data
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return gzip.compress(plain.getvalue(), mtime=0)


def manifest_of(layers, annotations=None):
    """layers: (media type, bytes). Returns the manifest's bytes and its blobs by digest."""
    config = b"{}"
    blobs = {digest_of(config): config, **{digest_of(data): data for _, data in layers}}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST,
                "config": {"mediaType": CONFIG, "digest": digest_of(config), "size": len(config)},
                "layers": [{"mediaType": kind, "digest": digest_of(data), "size": len(data)} for kind, data in layers]}
    if annotations:
        manifest["annotations"] = annotations
    return json.dumps(manifest).encode(), blobs


def request(method, url, data=None, headers=None, login=None):
    headers = dict(headers or {})
    if login:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(login).encode()).decode()
    with urllib.request.urlopen(urllib.request.Request(url, data=data, method=method, headers=headers), timeout=20) as answer:
        return answer.status, dict(answer.headers), answer.read()


def push_bytes(url, name, tag, manifest, blobs, login=None, media_type=MANIFEST):
    for digest, data in blobs.items():
        _, headers, _ = request("POST", f"{url}/v2/{name}/blobs/uploads/", b"", login=login)
        place = headers["Location"]
        place = place if place.startswith("http") else url + place
        request("PUT", f"{place}{'&' if '?' in place else '?'}digest={digest}", data,
                {"Content-Type": "application/octet-stream"}, login)
    request("PUT", f"{url}/v2/{name}/manifests/{tag}", manifest, {"Content-Type": media_type}, login)
    return digest_of(manifest)


def push(url, name, tag, files, annotations=None, login=None):
    """As `flux push artifact`. Returns the digest of the manifest."""
    manifest, blobs = manifest_of([(CONTENT, tar_gz(files))], annotations)
    return push_bytes(url, name, tag, manifest, blobs, login)


class DockerRegistry:
    """The real one, of Debian's package; None of it is on a port that was chosen before."""

    @staticmethod
    def is_there():
        return shutil.which("docker-registry") is not None

    def __init__(self, work, users=None, port=0, tls=None, data=None, host="127.0.0.1"):
        """tls: a folder with ca.crt, tls.crt and tls.key; whoever connects shows a certificate of the CA.
        data: of another registry, to be served too"""
        self.work = pathlib.Path(work)
        self.work.mkdir(parents=True, exist_ok=True)
        self.users, self.process, self.tls, self.host = users, None, tls, host
        self.data = pathlib.Path(data or self.work / "data")
        self.start(port)

    def start(self, port=0):
        config = {"version": "0.1", "log": {"level": "info"}, "storage": {"filesystem": {"rootdirectory": str(self.data)}},
                  "http": {"addr": f"{self.host}:{port}"}}
        if self.tls:
            config["http"]["tls"] = {"certificate": str(self.tls / "tls.crt"), "key": str(self.tls / "tls.key"),
                                     "clientcas": [str(self.tls / "ca.crt")]}
        if self.users:
            # Nothing but bcrypt is read.
            lines = [f"{name}:{crypt.crypt(word, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))}" for name, word in self.users.items()]
            (self.work / "htpasswd").write_text("\n".join(lines) + "\n")
            config["auth"] = {"htpasswd": {"realm": "test", "path": str(self.work / "htpasswd")}}
        (self.work / "config.json").write_text(json.dumps(config))
        log = self.work / "log"
        log.write_text("")
        self.process = subprocess.Popen(["docker-registry", "serve", str(self.work / "config.json")], stdout=open(log, "ab"),
                                        stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            if found := re.search(r"listening on (127[.\d]+:\d+)", log.read_text()):
                self.authority = found.group(1)
                self.port, self.url = int(self.authority.split(":")[1]), f"http://{self.authority}"
                return
            time.sleep(0.05)
        raise AssertionError(f"docker-registry did not start: {log.read_text()}")

    def requests(self):
        """(method, path) of every request so far."""
        return [tuple(one) for one in re.findall(r'"(GET|HEAD|POST|PUT) (\S+) HTTP/1.1"', (self.work / "log").read_text())]

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class LyingRegistry:
    """Keeps manifests and blobs in memory, and does with an answer what `self.lie(handler)` wants: true, it has answered."""

    def __init__(self, host="127.0.0.1"):
        self.manifests, self.blobs, self.asked = {}, {}, []
        self.lie = lambda handler: False
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def send(self, status, body=b"", **headers):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def do_GET(self):
                outer.asked.append((self.command, self.path, self.headers.get("Authorization", "")))
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    if outer.lie(self):
                        return
                    if self.path == "/v2/":
                        self.send(200, b"{}", Content_Type="application/json")
                        return
                    kind, _, what = self.path.split("?")[0].rpartition("/")
                    if kind.endswith("/manifests") and what in outer.manifests:
                        data = outer.manifests[what]
                        self.send(200, data, Content_Type=MANIFEST, Docker_Content_Digest=digest_of(data))
                    elif kind.endswith("/blobs") and what in outer.blobs:
                        self.send(200, outer.blobs[what], Content_Type="application/octet-stream")
                    else:
                        self.send(404, b'{"errors":[{"code":"NAME_UNKNOWN","message":"unknown"}]}', Content_Type="application/json")

            do_HEAD = do_POST = do_GET

        self.httpd = http.server.ThreadingHTTPServer((host, 0), Handler)
        self.httpd.daemon_threads = True
        self.authority = f"{host}:{self.httpd.server_port}"
        self.url = f"http://{self.authority}"
        threading.Thread(target=self.httpd.serve_forever, daemon=True).start()

    def put(self, tag, manifest, blobs):
        self.manifests[tag] = self.manifests[digest_of(manifest)] = manifest
        self.blobs.update(blobs)
        return digest_of(manifest)

    def stop(self):
        self.httpd.shutdown()
        self.httpd.server_close()
