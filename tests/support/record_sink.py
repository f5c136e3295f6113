"""The Azure stand-in as the daemon's tests use it: it may go away and come back, and what it took stays known.

`python3` and the standard library only. Rows are read from the file the stand-in appends to, so they outlive it.
"""
import json
import pathlib
import subprocess
import sys
import urllib.request

STAND_IN = pathlib.Path(__file__).resolve().parent / "azure_stand_in.py"
TENANT, CLIENT, RULE, SECRET = "a-tenant", "a-client", "dcr-0123", "canary~S3cr3t"
TIMES = {"UploadedAt", "_ArrivedAt", "_Answered", "TimeGenerated", "_TimeReplaced"}


class RecordSink:
    def __init__(self, work):
        self.received, self.secret = pathlib.Path(work) / "received.jsonl", pathlib.Path(work) / "azure.secret"
        self.received.touch()
        self.renew_secret()
        self.process, self.url, self.port = None, "", 0
        self.start()

    def renew_secret(self):
        """The same secret in a new file: what an operator does after a refusal."""
        fresh = self.secret.with_suffix(".new")
        fresh.write_text(SECRET + "\n", encoding="utf-8")
        fresh.replace(self.secret)

    def config(self):
        """The lines of holdfast.yaml that send records here."""
        return (f"uplink:\n  enabled: true\n  endpoint: {self.url}\n  rule_id: {RULE}\n"
                f"azure:\n  login_endpoint: {self.url}\n  tenant_id: {TENANT}\n  client_id: {CLIENT}\n"
                f"  client_secret_file: {self.secret}\n")

    def start(self):
        """On the port of its first life."""
        command = [sys.executable, str(STAND_IN), "--port", str(self.port), "--tenant", TENANT, "--client-id", CLIENT,
                   "--secret", SECRET, "--rule", RULE, "--received", str(self.received), "--until-eof"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            raise AssertionError("the Azure stand-in did not start")
        self.port = int(self.url.rsplit(":", 1)[1])

    def stop(self):
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.process = None

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data=data, method=method), timeout=20) as answer:
            return answer.read()

    def fault(self, *faults):
        self.ask("POST", "/_faults", list(faults))

    def forgive(self):
        self.ask("DELETE", "/_faults")

    def stats(self):
        """Answers given in this life: {"ingest 204": 3, …}."""
        return json.loads(self.ask("GET", "/_stats"))

    def rows(self):
        """All rows taken, in the order of their arrival; a line that a kill cut is none."""
        rows = []
        for line in self.received.read_text(encoding="utf-8").splitlines():
            try:
                rows.append(json.loads(line)["row"])
            except (ValueError, KeyError):
                continue
        return rows


def without_duplicates(rows):
    """Sequence -> row, in the order of first arrival. Raises when an id has two contents or a sequence two ids."""
    first, by_sequence = {}, {}
    for row in rows:
        known = first.setdefault(row["RecordId"], row)
        same = {k: v for k, v in row.items() if k not in TIMES} == {k: v for k, v in known.items() if k not in TIMES}
        assert same, f"two contents of one RecordId:\n{known}\n{row}"
        other = by_sequence.setdefault(row["Sequence"], known)
        assert other["RecordId"] == row["RecordId"], f"one sequence, two records:\n{other}\n{row}"
    assert len({row["SiteId"] for row in rows}) <= 1, "more than one site"
    return by_sequence


def check_order(by_sequence, late_max=0):
    """Within a stream, records arrive in the order of their sequence; what was refused alone may come behind the others."""
    last, late = {}, []
    for sequence, row in by_sequence.items():
        if sequence < last.get(row["_Stream"], 0):
            late.append(f"{row['_Stream']}: {sequence} after {last[row['_Stream']]}")
        last[row["_Stream"]] = max(sequence, last.get(row["_Stream"], 0))
    assert len(late) <= late_max, late
