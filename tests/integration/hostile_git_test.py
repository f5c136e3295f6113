#!/usr/bin/env python3
"""What a Git server sends cannot make the daemon large, whatever it is; and no fetch asks the daemon's own memory for its files.

    hostile_git_test.py HOLDFAST [test names]

Needs no control plane: the sources are local manifests.
"""
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from git_http import GitHttpServer  # noqa: E402
from harness import Daemon, Repository, eventually, git_repository, run, workdir  # noqa: E402

# Far above what the daemon needs for any of this (10 MiB) and far below what the trees here would be in its memory.
PEAK_MAX_KIB = 40 << 10


class RawRepository:
    """A bare repository of objects that no git program would make."""

    def __init__(self, root, name):
        self.bare = root / f"{name}.git"
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", self.bare], check=True)

    def add(self, kind, data):
        whole = f"{kind} {len(data)}\0".encode() + data
        name = hashlib.sha1(whole).hexdigest()
        folder = self.bare / "objects" / name[:2]
        folder.mkdir(exist_ok=True)
        (folder / name[2:]).write_bytes(zlib.compress(whole))
        return bytes.fromhex(name)

    def tree(self, entries):
        return self.add("tree", b"".join(mode + b" " + name + b"\0" + entry for mode, name, entry in entries))

    def commit(self, tree):
        text = f"tree {tree.hex()}\nauthor a <a@b> 1 +0000\ncommitter a <a@b> 1 +0000\n\nm\n"
        commit = self.add("commit", text.encode()).hex()
        subprocess.run(["git", "-C", self.bare, "update-ref", "refs/heads/main", commit], check=True)
        subprocess.run(["git", "-C", self.bare, "repack", "-adq"], check=True)


def deep_paths(root):
    """120 folders in each other with 20,000 files at the end: a gigabyte of paths from 60 KB."""
    repository = RawRepository(root, "deep")
    blob = repository.add("blob", b"x")
    tree = repository.tree([(b"100644", b"f%06d" % number, blob) for number in range(20_000)])
    for _ in range(120):
        tree = repository.tree([(b"40000", b"d" * 250, tree)])
    repository.commit(tree)


def many_ignores(root):
    """1,999 folders with ignore rules of 255 KiB each: half a gigabyte from 10 KB."""
    repository = RawRepository(root, "ignores")
    rules = repository.add("blob", b"x" * (255 << 10))
    folder = repository.tree([(b"100644", b".sourceignore", rules)])
    repository.commit(repository.tree([(b"40000", b"d%06d" % number, folder) for number in range(1_999)]))


def slow_ignores(root):
    """1,999 rules with stars that almost match 50,000 long names: an hour of comparing."""
    repository = RawRepository(root, "slow")
    rules = repository.add("blob", b"".join(b"*a*aaaaaab%d\n" % number for number in range(1_999)))
    blob = repository.add("blob", b"x")
    files = [(b"100644", b"a" * 240 + b"%06d" % number, blob) for number in range(40_000)]
    repository.commit(repository.tree([(b"100644", b".sourceignore", rules), *files]))


def large_files(root):
    """Seven files of 31 MiB of zeros: large only once they are unpacked."""
    repository = RawRepository(root, "large")
    files = [(b"100644", b"f%d" % number, repository.add("blob", b"%d" % number + bytes(31 << 20))) for number in range(7)]
    repository.commit(repository.tree(files))


def peak_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise AssertionError("no VmHWM")


def said(daemon, text):
    return any(text in line.get("msg", "") for line in daemon.log_lines())


def fetched(make, expected):
    """One hostile source and one good one: what is said of the first, that the second comes, what the daemon held at most."""
    def test():
        with workdir() as work:
            repos = work / "repos"
            repos.mkdir()
            name = make(repos) or next(path.stem for path in repos.iterdir())
            good = Repository(repos, "good")
            good.write("a.yaml", "a: 1\n")
            good.commit("a good one")
            daemon = Daemon(sys.argv[1], work)
            with GitHttpServer(repos) as server:
                objects = [git_repository(one, f"{server.url}/{one}.git", interval="10m", timeout="5m") for one in (name, "good")]
                (daemon.manifests / "sources.yaml").write_text("---\n".join(json.dumps(one) + "\n" for one in objects))
                daemon.start()
                try:
                    eventually(lambda: said(daemon, expected), 240, what=expected)
                    eventually(lambda: said(daemon, "stored artifact for commit 'a good one'"), 60, what="the good source")
                    peak = peak_kib(daemon.process.pid)
                    print(f"     the daemon's peak: {peak} KiB")
                    assert peak < PEAK_MAX_KIB, peak
                    assert not os.listdir(daemon.state / "tmp")
                finally:
                    daemon.stop()
    return test


if __name__ == "__main__":
    sys.exit(run([
        ("deep_paths", fetched(deep_paths, "a path is longer than 4096 bytes")),
        ("many_ignores", fetched(many_ignores, "an ignore pattern of more than 4096 bytes")),
        ("slow_ignores", fetched(slow_ignores, "steps to compare")),
        ("large_files", fetched(large_files, "stored artifact for commit 'm'")),
    ]))
