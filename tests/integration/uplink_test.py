#!/usr/bin/env python3
"""The uplink over a real outbox, against the Azure stand-in, through every documented fault and kill -9.

    uplink_test.py DRAIN_TOOL [unittest arguments]

Goal: no record is lost, no hole is left in the sequence, the order within a stream holds, duplicates carry the same RecordId
and the same content, and no secret is printed. Method: drain_tool puts records into a SQLite outbox and drains it; the
stand-in records what it took; the two lists are compared. Exit code 77: openssl is missing.
"""
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from slow_link import SlowLink  # noqa: E402

STAND_IN = HERE.parent / "support" / "azure_stand_in.py"
TENANT, CLIENT, RULE = "a-tenant", "a-client", "dcr-0123"
SECRET = "canary~S3cr3t/+=%&"
TOOL = None
SEED = int(os.environ.get("HOLDFAST_SEED", random.randrange(1 << 30)))


def openssl(*arguments, cwd):
    subprocess.run(["openssl", *arguments], cwd=cwd, check=True, capture_output=True)


def make_pki(folder):
    """ca.pem signs server.pem (localhost); wrong.pem is signed by nobody; principal.pem is the client's RSA certificate."""
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *ec, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=test CA", cwd=folder)
    openssl("req", *ec, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost", cwd=folder)
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "names", "-out", "server.pem", cwd=folder)
    openssl("req", "-x509", *ec, "-keyout", "wrong.key", "-out", "wrong.pem", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost", cwd=folder)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "principal.key", "-out", "principal.pem", "-days", "90",
            "-subj", "/CN=edge-17", cwd=folder)


class Azure:
    """One stand-in; its control endpoint is reached with plain urllib."""

    def __init__(self, pki, tls=True, port=0, received="", secret=SECRET):
        command = [sys.executable, str(STAND_IN), "--port", str(port), "--tenant", TENANT, "--client-id", CLIENT, "--secret", secret,
                   "--certificate", str(pki / "principal.pem"), "--rule", RULE]
        if tls:
            command += ["--tls", str(pki / "server.pem"), str(pki / "server.key"),
                        "--wrong-tls", str(pki / "wrong.pem"), str(pki / "wrong.key")]
        if received:
            command += ["--received", str(received)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        self.context = None
        if tls:
            import ssl
            self.context = ssl.create_default_context(cafile=pki / "ca.pem")

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        with urllib.request.urlopen(request, timeout=20, context=self.context) as answer:
            return answer.read()

    def fault(self, *faults):
        self.ask("POST", "/_faults", list(faults))

    def received(self):
        return json.loads(self.ask("GET", "/_received"))

    def stats(self):
        return json.loads(self.ask("GET", "/_stats"))

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pki_dir = tempfile.TemporaryDirectory(prefix="holdfast-uplink-")
        cls.pki = pathlib.Path(cls.pki_dir.name)
        make_pki(cls.pki)

    @classmethod
    def tearDownClass(cls):
        cls.pki_dir.cleanup()

    def setUp(self):
        self.dir_owner = tempfile.TemporaryDirectory(prefix="holdfast-uplink-")
        self.dir = pathlib.Path(self.dir_owner.name)
        (self.dir / "secret").write_text(SECRET + "\n")
        self.azure = None
        self.printed = ""

    def tearDown(self):
        if self.azure:
            self.azure.stop()
        for what in (SECRET, "Bearer ", "eyJ", "PRIVATE KEY"):
            self.assertNotIn(what, self.printed, "a secret was printed")
        self.dir_owner.cleanup()

    def start_azure(self, **settings):
        self.azure = Azure(self.pki, **settings)
        return self.azure

    def command(self, *more, certificate=False, url=None):
        login = ["--certificate", str(self.pki / "principal.pem"), "--key", str(self.pki / "principal.key")] if certificate \
            else ["--secret-file", str(self.dir / "secret")]
        url = url or self.azure.url
        return [TOOL, "--db", str(self.dir / "holdfast.db"), "--login", url, "--ingestion", url, "--tenant", TENANT,
                "--client-id", CLIENT, "--rule", RULE, "--ca", str(self.pki / "ca.pem"), *login, *map(str, more)]

    def run_tool(self, *more, timeout=60, **settings):
        """Runs to its end; its lines as objects."""
        done = subprocess.run(self.command(*more, **settings), capture_output=True, text=True, timeout=timeout)
        self.printed += done.stdout + done.stderr
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        return [json.loads(line) for line in done.stdout.splitlines()]

    def check(self, last, dead=(), azure=None, late_max=0):
        """Every sequence from 1 to `last` arrived but the dead ones; order and duplicates as promised.

        What was refused alone may come behind the others: `late_max` of them at most."""
        rows = (azure or self.azure).received()["rows"]
        first, times = {}, {"UploadedAt", "_ArrivedAt", "_Answered", "TimeGenerated", "_TimeReplaced"}
        for row in rows:
            known = first.setdefault(row["RecordId"], row)
            same = {k: v for k, v in row.items() if k not in times} == {k: v for k, v in known.items() if k not in times}
            self.assertTrue(same, f"two rows of one RecordId differ: {row} {known}")
        sequences = sorted(row["Sequence"] for row in first.values())
        self.assertEqual(sequences, [n for n in range(1, last + 1) if n not in dead], "lost, doubled under another id, or a hole")
        by_stream = {}
        for row in first.values():  # in the order of first arrival
            by_stream.setdefault(row["_Stream"], []).append(row["Sequence"])
        late = [(stream, number) for stream, numbers in by_stream.items() for at, number in enumerate(numbers)
                if number < max(numbers[:at], default=0)]
        self.assertLessEqual(len(late), late_max, f"out of order: {late[:20]}")
        self.assertEqual(len({row["SiteId"] for row in rows}), 1)
        return rows

    def repeats(self, rows):
        return len(rows) - len({row["RecordId"] for row in rows})


class GoodDays(Case):
    def test_a_secret_delivers_both_streams(self):
        self.start_azure(received=self.dir / "received.jsonl")
        lines = self.run_tool("--put", 200, "--until-empty")
        rows = self.check(200)
        self.assertEqual(self.repeats(rows), 0)
        self.assertEqual({row["_Stream"] for row in rows}, {"Custom-FluxCompliance_CL", "Custom-FluxObjectStatus_CL"})
        self.assertEqual(lines[-1], {"done": True, "sent": 200, "dead": 0, "last": 200})
        kept = (self.dir / "received.jsonl").read_text().splitlines()
        self.assertEqual(sum("row" in json.loads(line) for line in kept), 200)
        self.assertTrue(all(request["encoding"] == "gzip" and request["id"] for request in self.azure.received()["requests"]))

    def test_certificate_assertions_are_accepted_by_another_implementation(self):
        self.start_azure()
        for more in ([], ["--rs256"]):
            with self.subTest(more=more):
                lines = self.run_tool("--put", 5, "--first", len(more) * 5, "--until-empty", *more, certificate=True)
                self.assertTrue(any("identity_expires" in line for line in lines))
        self.check(10)
        self.assertEqual(self.azure.stats().get("token 401", 0), 0)

    def test_large_records_keep_every_request_below_its_bound(self):
        self.start_azure()
        self.run_tool("--put", 150, "--message-bytes", 30_000, "--bulk", "--until-empty")
        self.check(150)
        requests = self.azure.received()["requests"]
        self.assertLessEqual(max(request["plain_bytes"] for request in requests), 900_000)
        self.assertGreater(len(requests), 4)
        self.assertEqual(self.azure.stats().get("ingest 413", 0), 0)

    def test_a_month_of_records_after_an_outage(self):
        self.start_azure()
        since = time.monotonic()
        self.run_tool("--put", 10_000, "--bulk", "--offline-days", 30, "--until-empty", timeout=120)
        took = time.monotonic() - since
        rows = self.check(10_000)
        print(f"10 000 records of 30 days: {took:.1f} s", file=sys.stderr)
        self.assertTrue(all(row["_TimeReplaced"] for row in rows), "the service takes no time older than two days")
        age = time.time() - 29 * 86400
        self.assertTrue(all(row["ObservedAt"] < time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(age)) for row in rows))

    def test_an_unacceptably_wrong_clock_costs_one_token_request(self):
        self.start_azure()
        self.azure.fault({"do": "clock", "seconds": 40 * 86400})
        lines = self.run_tool("--put", 3, "--until-empty", certificate=True)
        self.check(3)
        self.assertEqual(self.azure.stats()["token 401"], 1)
        self.assertEqual(self.azure.stats()["token 200"], 1)
        self.assertTrue(any(abs(line.get("skew", 0) - 40 * 86400) <= 2 for line in lines))


class BadDays(Case):
    """One fault at a time; the records put meanwhile all arrive."""

    FAULTS = {
        "401 once": [{"do": 401}],
        "401 four times": [{"do": 401, "count": 4}],
        "tokens expire": [{"do": "expire", "skip": 1}],
        "403 for a while": [{"do": 403, "count": 5}],
        "404 for a while": [{"do": 404, "count": 4}],
        "405": [{"do": 405, "count": 2}],
        "408": [{"do": 408, "count": 2}],
        "413 once": [{"do": 413, "skip": 1}],
        "429 with Retry-After": [{"do": 429, "retry_after": 1}],
        "500": [{"do": 500, "count": 3}],
        "503": [{"do": 503, "count": 3}],
        "503 with Retry-After": [{"do": 503, "retry_after": 1}],
        "answer lost": [{"do": "cut", "count": 4}],
        "cut before": [{"do": "cut_before", "count": 4}],
        "slow": [{"do": "slow", "seconds": 0.5}],
        "slower than we wait": [{"do": "slow", "seconds": 1.5, "count": 2}],
        "portal": [{"do": "portal", "count": 4}],
        "portal redirects": [{"do": "portal_redirect", "count": 3}],
        "proxy says 400, 403, 404, 407, 413, 502": [{"do": "page", "status": s} for s in (400, 403, 404, 407, 413, 502)],
        "token: 500": [{"at": "token", "do": 500, "count": 3}],
        "token: 429": [{"at": "token", "do": 429, "retry_after": 1}],
        "token: portal": [{"at": "token", "do": "portal", "count": 3}],
        "token: JSON without a token": [{"at": "token", "do": "no_token", "count": 2}],
        "token: cut": [{"at": "token", "do": "cut", "count": 2}, {"at": "token", "do": "cut_before", "count": 2}],
        "token: principal unknown for a while": [{"at": "token", "do": "aadsts", "code": 700016, "count": 3}],
        "wrong certificate": [{"do": "wrong_tls", "count": 4}],
    }

    def test_each_fault(self):
        for name, faults in self.FAULTS.items():
            with self.subTest(name):
                self.dir_owner.cleanup()
                self.setUp()
                self.start_azure()
                self.azure.fault(*faults)
                self.run_tool("--put", 60, "--every-ms", 2, "--whole-max-ms", 1000, "--until-empty")
                rows = self.check(60)
                if not any(fault["do"] in ("cut", "slow") and fault.get("at") != "token" for fault in faults):
                    self.assertEqual(self.repeats(rows), 0, "sent twice for nothing")
                if name == "answer lost":
                    self.assertGreater(self.repeats(rows), 0)
                self.azure.stop()
                self.azure = None

    def test_bad_records_are_set_aside_and_only_they(self):
        self.start_azure()
        self.azure.fault({"do": "bad_row", "sequences": [1, 17, 18, 59]})
        lines = self.run_tool("--put", 60, "--bulk", "--until-empty")
        self.check(60, dead=(1, 17, 18, 59))
        self.assertEqual(lines[-1]["dead"], 4)

    def test_a_wrong_secret_is_named_and_repaired_by_its_file(self):
        self.start_azure()
        (self.dir / "secret").write_text("wrong")
        with subprocess.Popen(self.command("--put", 5, "--until-empty"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as tool:
            seen = []
            for line in tool.stdout:
                seen.append(json.loads(line))
                if seen[-1].get("state") == "refused":
                    self.assertIn("AADSTS7000215", seen[-1]["error"])
                    (self.dir / "secret").write_text(SECRET)
            self.printed += tool.stderr.read()
        self.assertIn("done", seen[-1])
        self.check(5)

    def test_a_wrong_rule_or_stream_empties_no_queue(self):
        self.start_azure()
        self.azure.fault({"do": 400, "count": -1, "code": "InvalidStream"})
        with subprocess.Popen(self.command("--put", 40), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as tool:
            all_put = refused_after = False
            for line in tool.stdout:
                all_put = all_put or json.loads(line).get("put") == 40
                refused_after = all_put and json.loads(line).get("state") == "refused"
                if refused_after:
                    break
            self.assertTrue(refused_after)
            time.sleep(0.5)  # a few more tries
            tool.send_signal(signal.SIGTERM)
            tool.communicate(timeout=30)
        self.azure.ask("DELETE", "/_faults")
        lines = self.run_tool("--until-empty")
        self.assertEqual(lines[-1]["dead"], 0)
        self.check(40)

    @unittest.skipUnless(os.environ.get("HOLDFAST_TEST_ALL") == "1", "three minutes: runs with check --all")
    def test_a_slow_far_and_lossy_link_drains(self):
        """1,000 B/s, 2 s each way, 1 % lost: a batch that does not get through in time is halved until one does."""
        self.start_azure()
        link = SlowLink(int(self.azure.url.rsplit(":", 1)[1]), bytes_a_second=1_000, delay=2, loss=0.01, seed=SEED)
        try:
            lines = self.run_tool("--put", 500, "--bulk", "--whole-max-ms", 15_000, "--until-empty", timeout=400, url=f"https://localhost:{link.port}")
        finally:
            link.stop()
        self.check(500)
        self.assertEqual(lines[-1]["dead"], 0)
        sizes = [one["rows"] for one in self.azure.received()["requests"]]
        self.assertLess(min(sizes), 166, sizes)  # of 500 records 334 are of one stream and 166 of the other

    def test_azure_appears_later(self):
        self.start_azure()
        url, port = self.azure.url, int(self.azure.url.rsplit(":", 1)[1])
        self.azure.stop()
        with subprocess.Popen(self.command("--put", 30, "--until-empty", url=url), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as tool:
            time.sleep(0.7)
            self.start_azure(port=port)
            out, _ = tool.communicate(timeout=30)
        self.assertTrue(any(json.loads(line).get("state") == "waiting" for line in out.splitlines()))
        self.check(30)


class Kills(Case):
    def test_thirty_kills_lose_nothing(self):
        print(f"HOLDFAST_SEED={SEED}", file=sys.stderr)
        choice = random.Random(SEED)
        self.start_azure()
        durable = set()
        puts, refusals = 0, 0
        for _ in range(30):
            faults = choice.sample([{"do": "cut"}, {"do": 500}, {"do": 401}, {"do": 413}, {"do": "slow", "seconds": 0.1},
                                             {"do": "cut_before"}, {"do": "expire"}, {"at": "token", "do": 503}], 3)
            self.azure.fault(*faults)
            refusals += {"do": 413} in faults
            tool = subprocess.Popen(self.command("--put", 400, "--first", puts, "--every-ms", 1), stdout=subprocess.PIPE,
                                    stderr=subprocess.DEVNULL, text=True)
            time.sleep(choice.uniform(0.05, 0.8))
            tool.kill()
            out, _ = tool.communicate()
            whole = out[:out.rfind("\n") + 1]
            durable |= {json.loads(line)["put"] for line in whole.splitlines() if '"put"' in line}
            puts += 400
        self.azure.ask("DELETE", "/_faults")
        lines = self.run_tool("--until-empty")
        last = lines[-1]["last"]
        with contextlib.closing(sqlite3.connect(self.dir / "holdfast.db")) as database:
            aside = dict(database.execute("SELECT sequence, reason FROM dead_letters"))
        self.assertEqual(aside, {}, "one refusal sets nothing aside")
        rows = self.check(last, late_max=refusals)
        self.assertTrue(durable <= {row["Sequence"] for row in rows}, "an acknowledged put was lost")
        self.assertGreaterEqual(last, max(durable))
        print(f"30 kills: {last} records, {self.repeats(rows)} delivered again", file=sys.stderr)


if __name__ == "__main__":
    if shutil.which("openssl") is None:
        print("openssl is missing")
        sys.exit(77)
    TOOL = sys.argv.pop(1)
    unittest.main(verbosity=2)
