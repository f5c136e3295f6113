#!/usr/bin/env python3
"""Serves the bare repositories below a directory over smart HTTP on loopback, and misbehaves on request.

    git_http.py --root DIR [--port 0] [--user U --password P | --token T] [--tls DIR [--client-cert]]
                [--no-single-commits] [--no-v2] [--fault FAULT]... [--log FILE] [--until-eof]

Prints the base URL as its first line, then serves until it is stopped (with --until-eof: until its input ends).
A repository DIR/shop.git is at <URL>/shop.git. Standard library and `git http-backend` only.

A FAULT is [STAGE:]NAME[=VALUE]; STAGE is `refs` (GET info/refs, or ls-refs of protocol v2), `pack` (any other POST
git-upload-pack) or both when left out:
    status=CODE       answers with that code and a short text (429 and 503 with Retry-After: 7)
    html              200 with a web page, as a captive portal does
    redirect=BASE     302 to BASE plus the request's path
    redirect-once=BASE  the same, but only the first time
    stall             reads the request and never answers
    stall-body        half of the answer, then nothing
    cut               half of the answer, then the connection closes
    endless           a well-formed answer that never ends
    slow=MS           the answer in pieces of 256 bytes, that many milliseconds apart
    damage            one byte in the middle of the answer is inverted
    gzip              the answer compressed, whether that was asked for or not
    lines             each entry of the list of where a shallow history ends has a newline, as go-git's server sends it
    format            the list's capabilities end with the object format, as those of go-git's server do
    no-shallow        a history cannot be cut: the capability is not offered
    error=TEXT        an ERR packet in place of the answer
    dumb              the list of references as a file, as dumb HTTP has it

While it runs: POST <URL>/-/faults with one FAULT per line replaces them all; GET <URL>/-/requests lists the requests
so far as JSON; DELETE it to forget them. The same class serves Python tests: `with GitHttpServer(root) as server:`.
"""
import argparse
import base64
import gzip
import hmac
import http.server
import json
import os
import pathlib
import re
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

SERVICE = re.compile(r"^(?P<repository>/.+)/(?P<what>info/refs|git-upload-pack)$")
PROGRESS = b"0014\x02still counting\n"  # a side-band progress line: 4 + 1 + 15 bytes
PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in.</body></html>\n"


class Faults:
    """The faults in force, by stage."""

    NAMES = {"status", "html", "redirect", "redirect-once", "stall", "stall-body", "cut", "endless", "slow", "damage",
             "gzip", "lines", "format", "no-shallow", "error", "dumb"}

    def __init__(self, lines=()):
        self.by_stage = {"refs": {}, "pack": {}}
        for line in filter(None, (line.strip() for line in lines)):
            stage, _, rest = line.partition(":") if re.match(r"(refs|pack):", line) else ("", "", line)
            name, _, value = rest.partition("=")
            if name not in self.NAMES:
                raise ValueError(f"unknown fault: {line}")
            for each in [stage] if stage else ["refs", "pack"]:
                self.by_stage[each][name] = value

    def of(self, stage):
        return self.by_stage[stage]


class GitHttpServer:
    """One server in a thread of its own; `url`, `faults` and `requests` may be used from any thread."""

    def __init__(self, root, port=0, user=None, password=None, token=None, tls=None, client_cert=False, faults=(), log=None,
                 single_commits=True, protocol_v2=True):
        self.root = pathlib.Path(root).resolve()
        self.secrets = []
        if user is not None:
            self.secrets.append("Basic " + base64.b64encode(f"{user}:{password or ''}".encode()).decode())
        if token is not None:
            self.secrets.append("Bearer " + token)
        self.faults = Faults(faults)
        self.requests = []
        self.single_commits = single_commits
        self.protocol_v2 = protocol_v2
        self.log = open(log, "a", encoding="utf-8") if log else None
        self.stopping = threading.Event()
        self.httpd = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.httpd.daemon_threads = True
        self.httpd.git = self
        scheme = "http"
        if tls is not None:
            scheme = "https"
            self.httpd.socket = tls_context(pathlib.Path(tls), client_cert).wrap_socket(
                self.httpd.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"{scheme}://127.0.0.1:{self.httpd.server_port}"

    def start(self):
        threading.Thread(target=self.httpd.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def stop(self):
        self.stopping.set()
        self.httpd.shutdown()
        self.httpd.server_close()
        if self.log:
            self.log.close()

    __enter__ = start

    def __exit__(self, *_):
        self.stop()

    def record(self, entry):
        self.requests.append(entry)
        if self.log:
            self.log.write(json.dumps(entry) + "\n")
            self.log.flush()


def pkt(line):
    return f"{len(line) + 4:04x}".encode() + line


def recapable(answer, change):
    """The list of references with other capabilities behind its first line."""
    found = re.search(rb"[0-9a-f]{4}([0-9a-f]{40} [^\0\n]*)\0([^\n]*)\n", answer)
    if not found:
        return answer
    return answer[:found.start()] + pkt(found[1] + b"\0" + b" ".join(change(found[2].split())) + b"\n") + answer[found.end():]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "git_http"
    timeout = 600

    def log_message(self, *_):
        pass

    def handle(self):
        try:
            super().handle()
        except (ConnectionError, ssl.SSLError, TimeoutError):
            self.close_connection = True

    def do_GET(self):
        self.answer()

    do_POST = do_DELETE = do_GET

    def answer(self):
        git = self.server.git
        path, _, query = self.path.partition("?")
        body = self.request_body()
        if path.startswith("/-/"):
            return self.control(path, body)
        match = SERVICE.match(urllib.parse.unquote(path))
        lists = body.startswith(b"0014command=ls-refs")
        stage = "pack" if match and match["what"] == "git-upload-pack" and not lists else "refs"
        request = {"method": self.command, "path": self.path, "stage": stage,
                   "authorization": self.headers.get("Authorization", ""), "body_bytes": len(body)}
        git.record(request)
        faults = git.faults.of(stage)
        if self.refuse_by_fault(faults):
            return None
        if git.secrets and not any(hmac.compare_digest(self.headers.get("Authorization", ""), s) for s in git.secrets):
            return self.plain(401, "no or wrong credentials\n", {"WWW-Authenticate": 'Basic realm="git"'})
        if not match or not self.repository_exists(match["repository"]):
            return self.plain(404, "Repository not found.\n")
        status, headers, answer = self.run_backend(urllib.parse.unquote(path), query, body)
        request["answer_bytes"] = len(answer)
        return self.send_with_faults(status, headers, answer, faults)

    def request_body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            pieces = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(pieces)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def control(self, path, body):
        git = self.server.git
        if path == "/-/faults" and self.command == "POST":
            try:
                git.faults = Faults(body.decode().splitlines())
            except ValueError as error:
                return self.plain(400, f"{error}\n")
            return self.plain(200, "ok\n")
        if path == "/-/requests" and self.command == "DELETE":
            git.requests.clear()
            return self.plain(200, "ok\n")
        if path == "/-/requests":
            return self.plain(200, json.dumps(git.requests), {"Content-Type": "application/json"})
        return self.plain(404, "no such control\n")

    def repository_exists(self, repository):
        folder = (self.server.git.root / repository.lstrip("/")).resolve()
        return self.server.git.root in folder.parents and (folder / "HEAD").is_file() or (folder / ".git/HEAD").is_file()

    def refuse_by_fault(self, faults):
        """Faults that never reach git. True: answered (or never will be)."""
        if "stall" in faults:
            self.hang()
        elif "status" in faults:
            code = int(faults["status"])
            self.plain(code, f"told to answer {code}\n", {"Retry-After": "7"} if code in (429, 503) else {})
        elif "html" in faults:
            self.plain(200, PAGE, {"Content-Type": "text/html; charset=utf-8"})
        elif "redirect" in faults:
            self.plain(302, "elsewhere\n", {"Location": faults["redirect"] + self.path})
        elif "redirect-once" in faults:
            self.plain(302, "elsewhere\n", {"Location": faults.pop("redirect-once") + self.path})
        else:
            return False
        return True

    def run_backend(self, path, query, body):
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "GIT_PROJECT_ROOT": str(self.server.git.root),
            "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""), "REMOTE_ADDR": "127.0.0.1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", "") if self.server.git.protocol_v2 else "", "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent",
            # What the large services allow: any commit that a ref reaches may be asked for by its hash.
            "GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
            "GIT_CONFIG_KEY_1": "uploadpack.allowReachableSHA1InWant", "GIT_CONFIG_VALUE_1": str(self.server.git.single_commits).lower()}
        done = subprocess.run(["git", "http-backend"], input=body, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              env=environment, check=False)
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        headers, status = {}, 200
        for line in head.decode("latin-1").splitlines():
            name, _, value = line.partition(": ")
            if name.lower() == "status":
                status = int(value.split()[0])
            elif name:
                headers[name] = value
        return (status, headers, answer) if headers else (500, {"Content-Type": "text/plain"}, b"git http-backend failed\n")

    def send_with_faults(self, status, headers, answer, faults):
        if "damage" in faults:
            middle = len(answer) // 2
            answer = answer[:middle] + bytes([answer[middle] ^ 0xFF]) + answer[middle + 1:]
        if "dumb" in faults:
            headers, answer = {"Content-Type": "text/plain"}, b"0123456789" * 4 + b"\trefs/heads/main\n"
        if "format" in faults:
            answer = recapable(answer, lambda words: [one for one in words if not one.startswith(b"object-format=")] + [b"object-format=sha1"])
        if "no-shallow" in faults:
            answer = recapable(answer, lambda words: [one for one in words if one != b"shallow" and not one.startswith(b"deepen-")])
        if "error" in faults:
            answer = pkt(b"ERR " + faults["error"].encode() + b"\n")
        if "lines" in faults:
            answer = re.sub(rb"0034(shallow [0-9a-f]{40})", rb"0035\1\n", answer)
        if "gzip" in faults:
            headers, answer = {**headers, "Content-Encoding": "gzip"}, gzip.compress(answer)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "endless" in faults:
            return self.send_endless(answer)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if "cut" in faults or "stall-body" in faults:
            self.wfile.write(answer[:len(answer) // 2])
            self.wfile.flush()
            if "stall-body" in faults:
                self.hang()
            self.close_connection = True
        elif "slow" in faults:
            for start in range(0, len(answer), 256):
                self.wfile.write(answer[start:start + 256])
                self.wfile.flush()
                time.sleep(int(faults["slow"]) / 1000)
        else:
            self.wfile.write(answer)
        return None

    def send_endless(self, answer):
        """Refs: one more ref after another. Pack: side-band progress for ever. Chunked, so no length gives it away."""
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.command == "GET":
            self.send_chunk(answer[:-4])  # all but the closing flush packet
        else:
            self.send_chunk(re.match(rb"(?:[0-9a-f]{4}shallow [0-9a-f]{40}\n?)*(?:0000)?(?:0008NAK\n)?", answer)[0])
        number = 0
        while not self.server.git.stopping.is_set():
            lines = []
            for number in range(number, number + 1000):
                line = f"{number:040x} refs/heads/endless-{number}\n".encode()
                lines.append(f"{len(line) + 4:04x}".encode() + line)
            self.send_chunk(b"".join(lines) if self.command == "GET" else PROGRESS * 1000)
            number += 1

    def send_chunk(self, piece):
        self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")

    def hang(self):
        self.close_connection = True
        self.server.git.stopping.wait(600)

    def plain(self, status, text, headers=None):
        body = text if isinstance(text, bytes) else text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "text/plain", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def tls_context(folder, client_cert):
    """Makes ca.crt, tls.crt, tls.key, client.crt and client.key in `folder` unless they are there."""
    if not (folder / "client.key").exists():
        make_certificates(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    if client_cert:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(folder / "ca.crt")
    return context


def make_certificates(folder):
    folder.mkdir(parents=True, exist_ok=True)

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-days", "30", "-subj", "/CN=git_http test CA",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    for name, extension in (("tls", "subjectAltName=IP:127.0.0.1,DNS:localhost"), ("client", "extendedKeyUsage=clientAuth")):
        (folder / f"{name}.ext").write_text(extension + "\n", encoding="ascii")
        openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", f"{name}.crt", "-days", "30", "-extfile", f"{name}.ext")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--token")
    parser.add_argument("--tls", metavar="DIR", help="serve https; certificates are made in DIR when missing")
    parser.add_argument("--client-cert", action="store_true", help="demand a client certificate of DIR/ca.crt")
    parser.add_argument("--no-single-commits", action="store_true", help="refuse a commit that no reference names")
    parser.add_argument("--no-v2", action="store_true", help="know protocol v0 only, as servers of before 2018")
    parser.add_argument("--fault", action="append", default=[])
    parser.add_argument("--log", help="append each request as a line of JSON")
    parser.add_argument("--until-eof", action="store_true")
    options = parser.parse_args()
    try:
        server = GitHttpServer(options.root, options.port, options.user, options.password, options.token, options.tls,
                               options.client_cert, options.fault, options.log, not options.no_single_commits,
                               not options.no_v2)
    except (ValueError, OSError) as error:
        sys.exit(f"git_http.py: {error}")
    with server:
        print(server.url, flush=True)
        try:
            if options.until_eof:
                sys.stdin.read()
            else:
                threading.Event().wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
