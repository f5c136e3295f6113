#!/usr/bin/env python3
"""Goal: `holdfast queue` shows, sends again, exports and checks the same whether a daemon runs or not.
Method: a real daemon without a cluster, whose local manifests leave records that wait; some are moved to the dead letters by hand.

    queue_test.py HOLDFAST
"""
import contextlib
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import journal_file  # noqa: E402
from harness import eventually  # noqa: E402

HOLDFAST = pathlib.Path(sys.argv[1]).resolve()
WISH = """apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {{name: {0}, namespace: apps}}
spec: {{url: "http://127.0.0.1:1/{0}.git", interval: 1h}}
"""
NAMES = ("hall", "shelf", "shop", "till")
ASIDE = "INSERT INTO dead_letters(sequence, stream, record_id, observed_at, fields, reason) SELECT sequence, stream, record_id, observed_at, " \
        "json_set(fields, '$.LastObservedAt', observed_at + 5000000, '$.Count', 3), ? FROM outbox WHERE sequence = ?"


def queue(state, *words, code=0):
    done = subprocess.run([str(HOLDFAST), "queue", words[0], "--state-dir", str(state), *map(str, words[1:])],
                          check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def exported(state):
    return [json.loads(line) for line in queue(state, "export").splitlines()]


@contextlib.contextmanager
def a_day():
    """A daemon that is stopped, its queue, and the records in it."""
    with harness.workdir() as work:
        daemon = harness.Daemon(HOLDFAST, work)
        for name in NAMES:
            (daemon.manifests / f"{name}.yaml").write_text(WISH.format(name), encoding="utf-8")
        daemon.start()
        try:
            eventually(lambda: {one["complianceState"] for one in daemon.status()["sources"]} == {"Non-Compliant"}, 30, what="records")
            daemon.stop()
            yield daemon, sorted(journal_file.queued(daemon.state))
        finally:
            daemon.stop()


def refuse(daemon, *sequences):
    """As the drain sets aside what Azure refused."""
    with contextlib.closing(sqlite3.connect(daemon.state / "holdfast.db")) as db, db:
        for sequence in sequences:
            db.execute(ASIDE, (f"400 InvalidRow: \x1b[31mcolumn {sequence}", sequence))
            db.execute("DELETE FROM outbox WHERE sequence = ?", (sequence,))


def as_an_operator(daemon, sequences):
    """Two of the records that wait, refused, and one after the other put back."""
    state, before = daemon.state, exported(daemon.state)
    assert [one["sequence"] for one in before] == sequences and all(one["reason"] == "" for one in before), before
    shown = queue(state, "ls", "--waiting")
    assert all(f"apps/{name}/GitRepository Non-Compliant" in shown for name in NAMES), shown
    return before


def works(daemon, before, first, second):
    state = daemon.state
    lines = queue(state, "ls").splitlines()
    assert [line.split()[0] for line in lines[:2]] == [str(first), str(second)], lines
    assert f"400 InvalidRow:  [31mcolumn {first}" in lines[0] and "\x1b" not in lines[0], lines
    assert lines[2] == f"{len(before) - 2} wait, 2 were set aside, 0 changes were not recorded", lines
    assert "no record 999 was set aside" in queue(state, "retry", first, 999, code=1)
    assert queue(state, "retry", first, first) == "1 wait again\n"
    assert "2 were" not in queue(state, "ls")
    back = {one["sequence"]: one for one in exported(state)}
    known = {one["sequence"]: one for one in before}
    for name in ("recordId", "stream", "observedAt", "fields"):
        assert back[first][name] == known[first][name], (back[first], known[first])
    assert back[first]["count"] == 3 and back[first]["lastObservedAt"] != back[first]["observedAt"], back[first]
    assert back[second]["reason"].startswith("400 InvalidRow"), back[second]
    assert queue(state, "retry", "--all") == "1 wait again\n"
    assert queue(state, "retry", "--all") == "0 wait again\n"
    assert sorted(one["sequence"] for one in exported(state)) == sorted(known)
    assert queue(state, "fsck") == "ok\n"


def without_a_daemon():
    with a_day() as (daemon, sequences):
        before = as_an_operator(daemon, sequences)
        refuse(daemon, *sequences[:2])
        works(daemon, before, *sequences[:2])
        assert journal_file.problems(daemon.state) == [] and sorted(journal_file.queued(daemon.state)) == sequences


def with_a_daemon():
    with a_day() as (daemon, sequences):
        before = exported(daemon.state)
        refuse(daemon, *sequences[:2])
        daemon.start()
        works(daemon, before, *sequences[:2])
        assert daemon.status()["outbox"]["waiting"] == len(sequences)
        assert daemon.status()["outbox"]["deadLetters"] == 0
        # Whoever may look at the page may not touch the queue.
        code = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-d", '{"verb":"check"}', daemon.url() + "/queue"],
                              check=True, capture_output=True, text=True).stdout if shutil.which("curl") else "404"
        assert code == "404", code


def what_is_broken_is_said():
    with a_day() as (daemon, sequences):
        with contextlib.closing(sqlite3.connect(daemon.state / "holdfast.db")) as db, db:
            db.execute("UPDATE outbox SET fields = '[' WHERE sequence = ?", (sequences[0],))
            db.execute("UPDATE outbox SET record_id = (SELECT record_id FROM outbox WHERE sequence = ?) WHERE sequence = ?", sequences[:2])
            db.execute("INSERT INTO dead_letters SELECT 100000, stream, record_id, observed_at, fields, '' FROM outbox LIMIT 1")
        said = queue(daemon.state, "fsck", code=1)
        for words in ("1 records that wait are no JSON objects", "1 records that wait have the RecordId of another",
                      "1 records have a number that was never given out"):
            assert words in said, said
        assert "(no JSON object)" in queue(daemon.state, "ls", "--waiting")
        with open(daemon.state / "holdfast.db", "r+b") as file:
            file.seek(4096)
            file.write(os.urandom(os.path.getsize(file.name) - 4096))
        said = queue(daemon.state, "fsck", code=1)
        assert "in database main" in said and "page" in said, said


def mistakes():
    with harness.workdir() as work:
        assert "holdfast.db" in queue(work, "ls", code=1)
        assert "which?" in queue(work, "retry", code=2)
        assert "excludes" in queue(work, "retry", "--all", "7", code=2)


if __name__ == "__main__":
    tests = (without_a_daemon, with_a_daemon, what_is_broken_is_said, mistakes)
    sys.exit(harness.run([(test.__name__, test) for test in tests]))
