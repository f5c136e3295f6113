#!/usr/bin/env python3
"""Stands in for Azure: the Entra token endpoint and the Logs Ingestion API, strict about what is documented.

    azure_stand_in.py [--port 0] [--tls CERT KEY] [--wrong-tls CERT KEY] [--received FILE] [--until-eof]
                      [--tenant T] [--client-id C] [--secret S] [--certificate PEM] [--scope S] [--rule dcr-…]
                      [--formats compliance_record.md] [--token-life SECONDS]

Prints its base URL as its first line, then serves until it is stopped (with --until-eof: until its input ends). The base
URL is both the login authority and the ingestion endpoint. Standard library and the `openssl` command only.

What it checks
    token      form fields, grant type, scope; secret (else AADSTS7000215) or assertion: type, PS256 or RS256 signature of
               --certificate, thumbprint, aud, iss, sub, jti never seen, nbf and exp (AADSTS700024), at most 10 min long
    ingestion  bearer token it gave out, its audience and end; api-version; application/json; gzip; a JSON array of objects;
               at most 1 MB before and after packing; rule and stream known; each column declared in docs/formats with its
               type (the service itself would drop an unknown column in silence: here it is 400); 204 when all is well
What it does as the service does
    TimeGenerated more than 2 days before, or more than 1 day after arrival is replaced by the arrival, and recorded as such

Control
    GET    /_received          {"requests": […], "rows": […]}: everything taken, in order; rows with _Stream, _ArrivedAt,
                               _TimeReplaced, _Answered (false: taken, but the answer was lost)
    GET    /_stats             counts by endpoint and answer
    POST   /_faults            one fault or a list of them, appended; DELETE /_faults forgets all
A fault is {"at": "token"|"ingest", "do": NAME, "count": N (default 1, -1 always), "skip": N, …}:
    status 401|403|404|405|408|413|429|500|503 as number in "do": that error, JSON shaped; "retry_after": seconds
    "cut_before"   the connection closes before anything is processed
    "cut"          processed, then the connection closes: the answer is lost
    "slow"         waits "seconds" first
    "portal"       200 with a page        "portal_redirect"  302 to a page       "page" + "status": any status with a page
    "wrong_tls"    the certificate of --wrong-tls (counts connections, not requests)
    "bad_row"      400 for each request that holds a Sequence of "sequences"
    "aadsts" + "code"  the token endpoint's own error, for example 7000215, 700016, 90002
    "no_token"     200 with JSON that holds no token
    "expire"       forgets every token given out, then answers normally
    "clock"        shifts the clock of this server by "seconds" from now on (at once; not counted)
"""
import argparse
import base64
import datetime
import email.utils
import gzip
import hashlib
import http.server
import io
import json
import os
import pathlib
import re
import secrets
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
import zlib

LIMIT = 1024 * 1024
PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in.</body></html>\n"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORMATS = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "formats" / "compliance_record.md"
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


class Refused(Exception):
    """An answer that is an error: status, code and text."""

    def __init__(self, status, code, text, headers=None):
        super().__init__(text)
        self.status, self.code, self.text, self.headers = status, code, text, headers or {}


class Lost(Exception):
    """The connection closes now, without an answer."""


def read_columns(file):
    """(columns that each row has, {stream: {column: type}}), from the tables of docs/formats/compliance_record.md."""
    common, streams, into, some = {}, {}, None, set()
    for line in pathlib.Path(file).read_text(encoding="utf-8").splitlines():
        heading = re.match(r"## (?:Stream `([^`]+)`|(Columns of both streams)|.*)", line)
        if heading and line.startswith("## "):
            into = streams.setdefault(heading[1], {}) if heading[1] else common if heading[2] else None
        row = re.match(r"\| `(\w+)` \| (string|datetime|long|dynamic) \| (only in a row)?", line)
        if row and into is not None:
            into[row[1]] = row[2]
            some |= {row[1]} if row[3] else set()
    if not common or not streams:
        raise SystemExit(f"{file}: no column tables found")
    return set(common) - some, {name: {**common, **own} for name, own in streams.items()}


def fits(kind, value):
    if value is None:
        return True
    if kind == "datetime":
        return isinstance(value, str) and (value == "" or bool(TIME.match(value)))
    if kind == "long":
        return isinstance(value, int) and not isinstance(value, bool)
    return kind == "dynamic" or isinstance(value, str)


def from_base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class PublicKey:
    """RSA verification with plain integers: an implementation of its own, so the daemon's is not checked by itself."""

    def __init__(self, certificate_file):
        def openssl(*arguments, data=None):
            return subprocess.run(["openssl", *arguments], input=data, check=True, capture_output=True).stdout

        der = openssl("x509", "-in", certificate_file, "-outform", "DER")
        self.sha256, self.sha1 = hashlib.sha256(der).digest(), hashlib.sha1(der).digest()
        public = openssl("x509", "-in", certificate_file, "-pubkey", "-noout")
        text = openssl("rsa", "-pubin", "-noout", "-modulus", "-text", data=public).decode()
        self.n = int(re.search(r"Modulus=([0-9A-F]+)", text)[1], 16)
        self.e = int(re.search(r"Exponent: (\d+)", text)[1])
        self.size = (self.n.bit_length() + 7) // 8

    def verify(self, algorithm, message, signature):
        if len(signature) != self.size or int.from_bytes(signature, "big") >= self.n:
            return False
        encoded = pow(int.from_bytes(signature, "big"), self.e, self.n)
        digest = hashlib.sha256(message).digest()
        if algorithm == "RS256":
            prefix = bytes.fromhex("3031300d060960864801650304020105000420")
            padding = b"\xff" * (self.size - len(prefix) - len(digest) - 3)
            return encoded.to_bytes(self.size, "big") == b"\x00\x01" + padding + b"\x00" + prefix + digest
        return algorithm == "PS256" and self.verify_pss(encoded, digest)

    def verify_pss(self, encoded, digest):
        """RFC 8017 section 9.1.2 with a salt of 32 bytes."""
        bits = self.n.bit_length() - 1
        length = (bits + 7) // 8
        if encoded.bit_length() > 8 * length:
            return False
        block = encoded.to_bytes(length, "big")
        masked, check, last = block[:length - 33], block[length - 33:-1], block[-1]
        if last != 0xBC or masked[0] >> (8 - (8 * length - bits)) and 8 * length != bits:
            return False
        mask = b"".join(hashlib.sha256(check + i.to_bytes(4, "big")).digest() for i in range(len(masked) // 32 + 1))
        data = bytearray(a ^ b for a, b in zip(masked, mask))
        data[0] &= 0xFF >> (8 * length - bits)
        zeros = len(data) - 33
        if any(data[:zeros]) or data[zeros] != 1:
            return False
        return hashlib.sha256(bytes(8) + digest + bytes(data[-32:])).digest() == check


class Faults:
    def __init__(self):
        self.lock, self.list = threading.Lock(), []

    def add(self, faults):
        for fault in faults if isinstance(faults, list) else [faults]:
            if fault.get("at") not in ("token", "ingest", "connect") or "do" not in fault:
                raise ValueError(f"not a fault: {fault}")
            if fault["do"] == "wrong_tls":
                fault["at"] = "connect"
            with self.lock:
                self.list.append({"count": 1, "skip": 0, **fault})

    def take(self, at):
        """The first fault in force there; its count goes down."""
        with self.lock:
            for fault in self.list:
                if fault["at"] != at or fault["count"] == 0:
                    continue
                if fault["skip"] > 0:
                    fault["skip"] -= 1
                    continue
                if fault["do"] == "bad_row":  # in force until forgotten, not counted
                    return fault
                fault["count"] -= 1 if fault["count"] > 0 else 0
                return fault
        return None


class Azure:
    """What is known behind both endpoints."""

    def __init__(self, options):
        self.options = options
        self.common, self.streams = read_columns(options.formats)
        self.key = PublicKey(options.certificate) if options.certificate else None
        self.faults = Faults()
        self.lock = threading.Lock()
        self.tokens, self.jtis = {}, set()
        self.requests, self.rows, self.stats = [], [], {}
        self.offset = 0.0
        self.file = open(options.received, "a", encoding="utf-8") if options.received else None

    def now(self):
        return time.time() + self.offset

    def count(self, endpoint, answer):
        with self.lock:
            key = f"{endpoint} {answer}"
            self.stats[key] = self.stats.get(key, 0) + 1

    def record(self, kind, what):
        with self.lock:
            (self.requests if kind == "request" else self.rows).append(what)
            if self.file:
                self.file.write(json.dumps({kind: what}, ensure_ascii=False) + "\n")
                self.file.flush()

    # --- token endpoint

    def check_assertion(self, assertion, audience):
        def denied(code, text, status=401):
            return Refused(status, "invalid_client", f"AADSTS{code}: {text}")

        try:
            head, body, signature = assertion.split(".")
            header, claims = json.loads(from_base64url(head)), json.loads(from_base64url(body))
        except ValueError:
            raise denied(50027, "JWT token is invalid or malformed.", 400) from None
        if self.key is None:
            raise denied(700025, "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.")
        if header.get("typ") != "JWT" or header.get("alg") not in ("PS256", "RS256"):
            raise denied(5002738, "Invalid JWT header.", 400)
        thumbprints = {"x5t#S256": self.key.sha256, "x5t": self.key.sha1}
        given = {name: header[name] for name in thumbprints if name in header}
        if not given or any(from_base64url(text) != thumbprints[name] for name, text in given.items()):
            raise denied(700027, "The certificate with identifier used to sign the client assertion is not registered on application.")
        if not self.key.verify(header["alg"], f"{head}.{body}".encode(), from_base64url(signature)):
            raise denied(700027, "Client assertion failed signature validation.")
        if claims.get("aud") != audience:
            raise denied(50027, f"The audience of the assertion must be {audience}.", 400)
        if claims.get("iss") != self.options.client_id or claims.get("sub") != self.options.client_id:
            raise denied(700016, "Issuer and subject must be the application.", 400)
        claims.setdefault("nbf", claims.get("iat"))  # MSAL for Python sends iat alone, and fractions of a second
        if not all(type(claims.get(name)) in (int, float) for name in ("nbf", "exp")):
            raise denied(50027, "nbf and exp are missing.", 400)
        if claims["exp"] - claims["nbf"] > 600:
            raise denied(50027, "The assertion lives longer than 10 minutes.", 400)
        if not claims["nbf"] - 300 <= self.now() < claims["exp"]:
            raise denied(700024, "Client assertion is not within its valid time range. Current time: "
                         + datetime.datetime.utcfromtimestamp(self.now()).isoformat() + "Z.")
        with self.lock:
            if not claims.get("jti") or claims["jti"] in self.jtis:
                raise denied(50027, "jti is missing or was seen before.", 400)
            self.jtis.add(claims["jti"])

    def token(self, path, headers, body, base):
        options = self.options
        match = re.fullmatch(r"/([^/]+)/oauth2/v2\.0/token", path)
        if not match:
            raise Refused(404, "not_found", "no such page")
        if match[1] != options.tenant:
            raise Refused(400, "invalid_request", f"AADSTS90002: Tenant '{match[1]}' not found.")
        if headers.get("Content-Type", "").split(";")[0] != "application/x-www-form-urlencoded":
            raise Refused(400, "invalid_request", "AADSTS900144: The request body must be form encoded.")
        fields = urllib.parse.parse_qs(body.decode("ascii"), strict_parsing=True, keep_blank_values=True)
        if any(len(values) != 1 for values in fields.values()):
            raise Refused(400, "invalid_request", "AADSTS9000411: A parameter is duplicated.")
        form = {name: values[0] for name, values in fields.items()}
        for name in ("client_id", "scope", "grant_type"):
            if not form.get(name):
                raise Refused(400, "invalid_request", f"AADSTS900144: The request body must contain the following parameter: '{name}'.")
        if form["grant_type"] != "client_credentials":
            raise Refused(400, "unsupported_grant_type", "AADSTS70003: The app requested an unsupported grant type.")
        if form["client_id"] != options.client_id:
            raise Refused(400, "unauthorized_client", "AADSTS700016: Application was not found in the directory.")
        if not form["scope"].endswith("/.default"):
            raise Refused(400, "invalid_scope", "AADSTS1002012: The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed.")
        if "client_assertion" in form:
            if form.get("client_assertion_type") != ASSERTION_TYPE or "client_secret" in form:
                raise Refused(400, "invalid_request", "AADSTS50027: client_assertion_type is missing or wrong.")
            self.check_assertion(form["client_assertion"], f"{base}/{options.tenant}/oauth2/v2.0/token")
        elif "client_secret" not in form:
            raise Refused(401, "invalid_client", "AADSTS7000218: The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
        elif not options.secret or form["client_secret"] != options.secret:
            raise Refused(401, "invalid_client", "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.")
        token = secrets.token_urlsafe(600)
        with self.lock:
            self.tokens[token] = (form["scope"], self.now() + options.token_life)
        return {"token_type": "Bearer", "expires_in": options.token_life, "ext_expires_in": options.token_life, "access_token": token}

    # --- ingestion

    def check_token(self, headers):
        kind, _, token = headers.get("Authorization", "").partition(" ")
        with self.lock:
            scope, ends = self.tokens.get(token, (None, 0))
        if kind != "Bearer" or scope is None:
            raise Refused(401, "InvalidToken", "The authentication token is missing or not valid.")
        if ends <= self.now():
            raise Refused(401, "ExpiredToken", "The authentication token has expired.")
        if scope != self.options.scope:
            raise Refused(401, "InvalidAudience", "The audience of the authentication token is not valid.")

    def unpack(self, headers, body):
        if headers.get("Content-Type", "").split(";")[0].strip() != "application/json":
            raise Refused(415, "UnsupportedMediaType", "Content-Type must be application/json.")
        if len(body) > LIMIT:
            raise Refused(413, "ContentLengthLimitExceeded", f"Maximum allowed content length: {LIMIT} bytes (1 MB).")
        encoding = headers.get("Content-Encoding", "")
        if encoding not in ("", "gzip"):
            raise Refused(415, "UnsupportedEncoding", "Content-Encoding must be gzip.")
        if encoding == "gzip":
            try:
                with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
                    body = packed.read(LIMIT + 1)
            except (OSError, EOFError, zlib.error):
                raise Refused(400, "InvalidRequestPayload", "The body is not gzip.") from None
        if len(body) > LIMIT:
            raise Refused(413, "ContentLengthLimitExceeded", f"Maximum allowed content length: {LIMIT} bytes (1 MB), uncompressed.")
        try:
            rows = json.loads(body.decode("utf-8"))
        except ValueError:
            raise Refused(400, "InvalidRequestPayload", "The body is not JSON in UTF-8.") from None
        if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
            raise Refused(400, "InvalidRequestPayload", "The body must be a JSON array of objects.")
        return rows, len(body)

    def check_columns(self, stream, rows):
        columns = self.streams[stream]
        for row in rows:
            for name, value in row.items():
                if name not in columns:
                    raise Refused(400, "InvalidColumn", f"Stream {stream} has no column {name}.")
                if not fits(columns[name], value):
                    raise Refused(400, "InvalidColumn", f"Column {name} of {stream} is {columns[name]}, not {value!r:.80}.")
            for name in sorted(self.common):
                if row.get(name) in (None, ""):
                    raise Refused(400, "InvalidColumn", f"Column {name} of {stream} has no value.")

    def ingest(self, url, headers, body, fault):
        match = re.fullmatch(r"/dataCollectionRules/([^/]+)/streams/([^/]+)", url.path)
        if not match:
            raise Refused(404, "NotFound", "The resource was not found.")
        if urllib.parse.parse_qs(url.query).get("api-version") != ["2023-01-01"]:
            raise Refused(400, "UnsupportedApiVersion", "The api-version query parameter is missing or not supported.")
        self.check_token(headers)
        rule, stream = (urllib.parse.unquote(part) for part in match.groups())
        if rule != self.options.rule:
            raise Refused(404, "NotFound", f"Data collection rule with immutable Id '{rule}' not found.")
        if stream not in self.streams:
            raise Refused(400, "InvalidStream", f"Stream '{stream}' is not in the data collection rule.")
        rows, plain_bytes = self.unpack(headers, body)
        self.check_columns(stream, rows)
        if fault and fault["do"] == "bad_row" and any(row["Sequence"] in fault["sequences"] for row in rows):
            raise Refused(400, "InvalidRow", "A row cannot be taken.")
        lost = bool(fault and fault["do"] == "cut")
        arrived = self.now()
        request = {"stream": stream, "rows": len(rows), "packed_bytes": len(body), "plain_bytes": plain_bytes,
                   "encoding": headers.get("Content-Encoding", ""), "id": headers.get("x-ms-client-request-id", ""),
                   "first": rows[0]["Sequence"], "last": rows[-1]["Sequence"], "answered": not lost}
        self.record("request", request)
        for row in rows:
            generated = datetime.datetime.fromisoformat(row["TimeGenerated"].replace("Z", "+00:00")).timestamp()
            replaced = not arrived - 2 * 86400 <= generated <= arrived + 86400
            text = datetime.datetime.utcfromtimestamp(arrived).isoformat() + "Z"
            self.record("row", {**row, "TimeGenerated": text if replaced else row["TimeGenerated"], "_Stream": stream,
                                "_ArrivedAt": text, "_TimeReplaced": replaced, "_Answered": not lost})


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120

    def log_message(self, *_):
        pass

    def date_time_string(self, timestamp=None):
        return email.utils.formatdate(timestamp or self.azure.now(), usegmt=True)

    @property
    def azure(self):
        return self.server.azure

    def answer(self, status, body=b"", content_type="application/json; charset=utf-8", headers=None):
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def read_body(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > 16 * LIMIT:
            raise Lost
        return self.rfile.read(length)

    def misbehave(self, fault):
        """Faults that end the exchange before anything is processed. Out: True when they did."""
        do = fault["do"]
        if do == "slow":
            time.sleep(fault.get("seconds", 1))
            return False
        if do == "cut_before":
            raise Lost
        if do == "expire":
            with self.azure.lock:
                self.azure.tokens.clear()
            return False
        if do in ("portal", "page"):
            self.answer(fault.get("status", 200), PAGE, "text/html")
            return True
        if do == "portal_redirect":
            self.answer(302, PAGE, "text/html", {"Location": "http://portal.invalid/login"})
            return True
        if do == "no_token":
            self.answer(200, b'{"hello":"world"}')
            return True
        if isinstance(do, int):
            headers = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
            raise Refused(do, fault.get("code", f"Injected{do}"), fault.get("text", "made to fail"), headers)
        if do == "aadsts":
            raise Refused(fault.get("status", 401), "invalid_client", f"AADSTS{fault['code']}: made to fail")
        return False

    def do_GET(self):
        azure = self.azure
        if self.path == f"/{azure.options.tenant}/v2.0/.well-known/openid-configuration":
            return self.answer(200, json.dumps(self.endpoints()).encode())
        with azure.lock:
            what = {"/_received": {"requests": azure.requests, "rows": azure.rows}, "/_stats": azure.stats}.get(self.path)
            body = json.dumps(what).encode()
        return self.answer(200 if what is not None else 404, body)

    def endpoints(self):
        """Where a client library that looks before it asks finds the token endpoint (OpenID Connect Discovery 1.0)."""
        scheme = "https" if isinstance(self.connection, ssl.SSLSocket) else "http"
        base = f"{scheme}://{self.headers['Host']}/{self.azure.options.tenant}"
        return {"issuer": f"{base}/v2.0", "authorization_endpoint": f"{base}/oauth2/v2.0/authorize", "token_endpoint": f"{base}/oauth2/v2.0/token"}

    def do_DELETE(self):
        if self.path == "/_faults":
            with self.azure.faults.lock:
                self.azure.faults.list.clear()
            return self.answer(204)
        return self.answer(404)

    def do_POST(self):
        try:
            body = self.read_body()
            if self.path == "/_faults":
                return self.take_faults(body)
            url = urllib.parse.urlsplit(self.path)
            endpoint = "ingest" if url.path.startswith("/dataCollectionRules/") else "token"
            try:
                self.exchange(endpoint, url, body)
            except Refused as refused:
                self.azure.count(endpoint, refused.status)
                self.refuse(endpoint, refused)
        except (Lost, OSError):
            self.azure.count("connection", "cut")
            self.close_connection = True
            try:
                self.connection.shutdown(2)
            except OSError:
                pass
        return None

    def exchange(self, endpoint, url, body):
        fault = self.azure.faults.take(endpoint)
        if fault and self.misbehave(fault):
            return self.azure.count(endpoint, fault["do"])
        if endpoint == "ingest":
            self.azure.ingest(url, self.headers, body, fault)
            if fault and fault["do"] == "cut":
                raise Lost
            self.azure.count(endpoint, 204)
            return self.answer(204)
        token = self.azure.token(url.path, self.headers, body, self.server.base)
        if fault and fault["do"] == "cut":
            raise Lost
        self.azure.count(endpoint, 200)
        return self.answer(200, json.dumps(token).encode())

    def refuse(self, endpoint, refused):
        if endpoint == "ingest":
            body = {"error": {"code": refused.code, "message": refused.text}}
        else:
            trace = {"trace_id": secrets.token_hex(16), "correlation_id": secrets.token_hex(16)}
            code = re.match(r"AADSTS(\d+)", refused.text)
            body = {"error": refused.code, "error_description": f"{refused.text} Trace ID: {trace['trace_id']}",
                    "error_codes": [int(code[1])] if code else [], "timestamp": "2026-08-22 10:00:00Z", **trace}
        self.answer(refused.status, json.dumps(body).encode(), headers=refused.headers)

    def take_faults(self, body):
        try:
            faults = json.loads(body)
            faults = faults if isinstance(faults, list) else [faults]
            for fault in faults:
                if fault.get("do") == "clock":
                    self.azure.offset = fault["seconds"]
            self.azure.faults.add([{"at": "ingest", **fault} for fault in faults if fault.get("do") != "clock"])
        except ValueError as error:
            return self.answer(400, str(error).encode())
        return self.answer(204)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, options):
        super().__init__(("127.0.0.1", options.port), Handler)
        self.azure = Azure(options)
        self.contexts = {}
        for name, files in (("tls", options.tls), ("wrong", options.wrong_tls)):
            if files:
                self.contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self.contexts[name].load_cert_chain(*files)
        host = "localhost" if options.tls else "127.0.0.1"
        self.base = f"{'https' if options.tls else 'http'}://{host}:{self.server_address[1]}"

    def finish_request(self, request, client_address):
        """In the thread of the connection: a slow handshake must not hold up the others."""
        if "tls" in self.contexts:
            fault = self.azure.faults.take("connect")
            try:
                request.settimeout(30)
                request = self.contexts["wrong" if fault else "tls"].wrap_socket(request, server_side=True)
            except OSError:
                self.azure.count("connection", "handshake failed")
                return
        super().finish_request(request, client_address)
        if isinstance(request, ssl.SSLSocket):
            request.close()

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def arguments(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    parser.add_argument("--wrong-tls", nargs=2, metavar=("CERT", "KEY"))
    parser.add_argument("--received", metavar="FILE", help="JSON lines: everything taken")
    parser.add_argument("--until-eof", action="store_true")
    parser.add_argument("--tenant", default="00000000-0000-0000-0000-00000000000a")
    parser.add_argument("--client-id", default="00000000-0000-0000-0000-00000000000c")
    parser.add_argument("--secret", default="")
    parser.add_argument("--certificate", default="")
    parser.add_argument("--scope", default="https://monitor.azure.com/.default")
    parser.add_argument("--rule", default="dcr-00000000000000000000000000000001")
    parser.add_argument("--formats", default=str(FORMATS))
    parser.add_argument("--token-life", type=int, default=3599)
    return parser.parse_args(argv)


def main():
    options = arguments()
    server = Server(options)
    print(server.base, flush=True)
    if options.until_eof:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.buffer.read()
        os._exit(0)
    server.serve_forever()


if __name__ == "__main__":
    main()
