"""The daemon's database, read from a copy while the daemon is dead."""
import contextlib
import shutil
import sqlite3
import tempfile
import pathlib


@contextlib.contextmanager
def opened(state):
    """A connection to a copy of STATE/holdfast.db and its WAL: the original is not touched, recovery included."""
    with tempfile.TemporaryDirectory(prefix="holdfast-db-") as folder:
        for name in ("holdfast.db", "holdfast.db-wal"):
            if (pathlib.Path(state) / name).exists():
                shutil.copy(pathlib.Path(state) / name, pathlib.Path(folder) / name)
        connection = sqlite3.connect(pathlib.Path(folder) / "holdfast.db")
        try:
            yield connection
        finally:
            connection.close()


def problems(state):
    """What SQLite finds wrong with it; empty when nothing is."""
    with opened(state) as db:
        found = [row[0] for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
        return found + [f"{row[0]}: dangling row {row[1]}" for row in db.execute("PRAGMA foreign_key_check")]


def queued(state):
    """Sequence -> (record id, observed at in microseconds) of what waits for Azure."""
    with opened(state) as db:
        return {row[0]: (row[1], row[2]) for row in db.execute("SELECT sequence, record_id, observed_at FROM outbox")}


def states_queued(state):
    """How many states wait for Azure: a record that waits stands for every time that its state came back."""
    with opened(state) as db:
        return db.execute("SELECT SUM(count) FROM outbox").fetchone()[0] or 0


def dead_letters(state):
    with opened(state) as db:
        return {row[0]: row[1] for row in db.execute("SELECT sequence, reason FROM dead_letters")}


def last_sequence(state):
    with opened(state) as db:
        row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").fetchone()
        return row[0] if row else 0


def owned(state):
    """(namespace, name) of each Kustomization -> ids it owns."""
    with opened(state) as db:
        found = {}
        for ns, name, one in db.execute("SELECT namespace, name, id FROM owned WHERE kind = 'Kustomization'"):
            found.setdefault((ns, name), set()).add(one)
        return found


def blobs(state):
    """(digests of the rows, digests of the files)."""
    with opened(state) as db:
        rows = {row[0] for row in db.execute("SELECT digest FROM blobs")}
    folder = pathlib.Path(state) / "blobs"
    return rows, {file.name for file in folder.rglob("*") if file.is_file()}
