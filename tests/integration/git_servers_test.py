#!/usr/bin/env python3
"""Sources come from the Git servers that people run, however these treat a connection, an answer, a version or a stranger.

    git_servers_test.py HOLDFAST [test names]

Goal: what a daemon holds is what `git clone` gets, for 1 and for 64 sources at once, before and after a commit.
Method: Apache, nginx and a server in Go, as git_servers.py starts them; those that are not installed are named and left out.
HOLDFAST_TEST_ALL=1: all their ways in all combinations, and a thousand sources of each.
"""
import collections
import concurrent.futures
import itertools
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import git_servers  # noqa: E402
from git_servers import Ways  # noqa: E402
from harness import ControlPlane, Daemon, Repository, eventually, git_repository, run, skip, workdir  # noqa: E402

ALL = os.environ.get("HOLDFAST_TEST_ALL") == "1"
NAMES = [name for name in git_servers.NEEDS if not git_servers.missing(name)]
KEEP_NO_CHUNKS = {"apache": False, "nginx": True, "go": True}  # Apache closes to end an answer without chunks


def history(root, name="shop", commits=30):
    repository = Repository(root, name)
    for number in range(40):
        repository.write(f"apps/{number}.yaml", f"number: {number}\n" * 50)
    repository.write("large.txt", "".join(f"{number * 7919 % 100_003}\n" for number in range(60_000)))
    for number in range(commits):
        repository.write("number.yaml", f"number: {number}\n")
        repository.commit(f"commit {number}")
    return repository


def tree_by_git(url, into, reference=("--branch", "main"), environment=None):
    """What is in the repository according to git; path to bytes."""
    subprocess.run(["git", "clone", "-q", "--depth", "1", *reference, url, into], check=True, capture_output=True,
                   env={**os.environ, "GIT_TERMINAL_PROMPT": "0", **(environment or {})})
    return {str(path.relative_to(into)): path.read_bytes() for path in into.rglob("*") if path.is_file() and ".git" not in path.parts}


def tree_held(daemon, digest):
    with tarfile.open(daemon.state / "blobs" / digest.removeprefix("sha256:")) as archive:
        return {entry.name.removeprefix("./"): archive.extractfile(entry).read() for entry in archive if entry.isfile()}


def sources(daemon):
    return {one["name"]: one for one in (daemon.status() or {"sources": []})["sources"]}


def write(daemon, documents):
    (daemon.manifests / "new.part").write_text("---\n".join(json.dumps(one) + "\n" for one in documents), encoding="utf-8")
    (daemon.manifests / "new.part").rename(daemon.manifests / "sources.yaml")


def wait_for(daemon, count, revision, seconds):
    """All sources hold the revision, one and the same artifact; its digest."""
    def check():
        found = collections.Counter((one["revision"], one.get("digest")) for one in sources(daemon).values() if one["complianceState"] == "Compliant")
        wanted = {key: number for key, number in found.items() if key[0] == revision}
        return next(iter(wanted))[1] if list(wanted.values()) == [count] else None
    try:
        return eventually(check, seconds, 0.3, f"{count} sources hold {revision}")
    except AssertionError as error:
        bad = collections.Counter((one["revision"], one["message"]) for one in sources(daemon).values())
        raise AssertionError(f"{error}\n{bad.most_common(5)}\n{daemon.tail(1500)}") from None


def spread(number, url, **spec):
    return git_repository(f"app-{number}", url, namespace=f"team-{number % 4}", **spec)


def many(name, work, repository, ways, count, moved=False):
    """`count` sources, then a commit that all of them have to get."""
    with git_servers.start(name, work, repository.bare.parent, ways) as server:
        url = f"{server.url}{'/moved' if moved else ''}/{repository.bare.name}"
        daemon = Daemon(sys.argv[1], work / "daemon")
        subprocess.run(["rm", "-rf", daemon.state], check=True)
        write(daemon, [spread(number, url) for number in range(count)])
        try:
            daemon.start()
            for stage in ("first", "second"):
                revision = "main@sha1:" + (repository.commit("for all") if stage == "second" else repository.git("rev-parse", "HEAD").strip())
                digest = wait_for(daemon, count, revision, 120 + count)
                clone = work / "clone"
                assert tree_held(daemon, digest) == tree_by_git(f"{server.url}/{repository.bare.name}", clone), (name, ways, stage)
                subprocess.run(["rm", "-rf", clone], check=True)
                if stage == "first":
                    repository.write("number.yaml", f"for: {name} {ways} {count}\n")
            assert daemon.process.poll() is None
        finally:
            daemon.stop()


def all_ways(name):
    for keep_alive, chunked, v2 in itertools.product([True, False], repeat=3):
        if chunked or not keep_alive or KEEP_NO_CHUNKS[name]:
            yield Ways(keep_alive=keep_alive, chunked=chunked, v2=v2)


def crowds(name):
    """One source and then many, by every way of a server; without HOLDFAST_TEST_ALL by one way."""
    def test():
        with workdir() as work:
            repository = history(work / "repos")
            if not ALL:
                many(name, work, repository, Ways(gzip=name == "nginx"), 8, moved=True)
                return
            for ways in all_ways(name):
                for count in (1, 64):
                    many(name, work, repository, ways, count)
            many(name, work, repository, Ways(), 4, moved=True)
            if name == "nginx":
                many(name, work, repository, Ways(gzip=True), 4)
    return test


def thousand(name):
    """With a machine that has something else to do."""
    def test():
        if not ALL:
            return
        with workdir() as work:
            repository = history(work / "repos")
            done = threading.Event()
            busy = [threading.Thread(target=lambda: [subprocess.run(["timeout", "2", "sh", "-c", "while :; do :; done"], check=False)
                                                     for _ in iter(done.is_set, True)]) for _ in range(2)]
            for one in busy:
                one.start()
            try:
                many(name, work, repository, Ways(), 1_000)
            finally:
                done.set()
                for one in busy:
                    one.join()
    return test


def references(name):
    """What a source can name, from a server that gives any commit and from one that gives only what has a name."""
    def test():
        with workdir() as work:
            repository = history(work / "repos", commits=300)
            old = repository.git("rev-parse", "HEAD~200").strip()
            tip = repository.git("rev-parse", "HEAD").strip()
            repository.git("tag", "light", old)
            repository.git("tag", "-a", "v1.2.3", "-m", "annotated", "HEAD~10")
            repository.git("tag", "-a", "twice", "-m", "a tag of a tag", "v1.2.3")
            tagged = repository.git("rev-parse", "v1.2.3^{commit}").strip()
            repository.git("push", "-q", "origin", "--tags", "HEAD:refs/pull/7/head")
            Repository(work / "repos", "empty")
            wishes = {
                "branch": ({"branch": "main"}, f"main@sha1:{tip}"),
                "light": ({"tag": "light"}, f"light@sha1:{old}"),
                "annotated": ({"tag": "v1.2.3"}, f"v1.2.3@sha1:{tagged}"),
                "twice": ({"tag": "twice"}, f"twice@sha1:{tagged}"),
                "semver": ({"semver": ">=1.0.0"}, f"v1.2.3@sha1:{tagged}"),
                "name": ({"name": "refs/pull/7/head"}, f"refs/pull/7/head@sha1:{tip}"),
                "commit": ({"commit": old}, f"sha1:{old}"),
                "commit-of-branch": ({"branch": "main", "commit": old}, f"main@sha1:{old}"),
            }
            failures = {"no-branch": ("shop", {"branch": "none"}), "no-tag": ("shop", {"tag": "none"}), "no-commit": ("shop", {"commit": "0" * 39 + "1"}),
                        "empty": ("empty", {"branch": "main"}), "absent": ("absent", {"branch": "main"})}
            said = {}
            for any_commit, v2 in itertools.product([True, False], repeat=2) if ALL else [(True, True), (False, False)]:
                ways = Ways(any_commit=any_commit, v2=v2)
                with git_servers.start(name, work, work / "repos", ways) as server:
                    daemon = Daemon(sys.argv[1], work / f"daemon-{any_commit}-{v2}")
                    write(daemon, [git_repository(key, f"{server.url}/shop.git", ref=wish) for key, (wish, _) in wishes.items()] +
                          [git_repository(key, f"{server.url}/{repo}.git", ref=wish) for key, (repo, wish) in failures.items()])
                    try:
                        daemon.start()
                        wanted = {key: revision for key, (_, revision) in wishes.items()}
                        eventually(lambda: {key: sources(daemon).get(key, {}).get("revision") for key in wanted} == wanted, 60, what=f"{name} {ways} {wanted}")
                        for key, (wish, _) in wishes.items():
                            held = tree_held(daemon, sources(daemon)[key]["digest"])
                            names = repository.git("ls-tree", "-r", "--name-only", wanted[key].split("sha1:")[1]).splitlines()
                            assert sorted(held) == sorted(names), key
                            assert held["number.yaml"].decode() == repository.git("show", wanted[key].split("sha1:")[1] + ":number.yaml"), key
                        bad = eventually(lambda: (lambda found: len(found) == len(failures) and found)(
                            {key: one["message"] for key, one in sources(daemon).items() if key in failures and one["reason"] not in ("", "Progressing")}),
                            60, what=lambda: sources(daemon))
                        said[any_commit, v2] = {key: text.replace(server.url, "URL") for key, text in bad.items()}
                        print(json.dumps(said[any_commit, v2], indent=1)) if os.environ.get("SAY") else None
                    finally:
                        daemon.stop()
            assert len({json.dumps(one, sort_keys=True) for one in said.values()}) == 1, said
    return test


def doors(name):
    """A CA of one's own, a login, a redirect that keeps both; who has neither is told so."""
    def test():
        with workdir() as work:
            (work / "plane").mkdir()
            repository = history(work / "repos")
            revision = "main@sha1:" + repository.git("rev-parse", "HEAD").strip()
            plane = ControlPlane(work / "plane")
            daemon = Daemon(sys.argv[1], work / "daemon", kubeconfig=plane.kubeconfig)
            user, password = git_servers.LOGIN.split(":", 1)
            try:
                with git_servers.start(name, work, work / "repos", Ways(tls=True, login=True)) as server:
                    def secret(key, **data):
                        return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": key, "namespace": "default"}, "stringData": data}
                    ca = {"ca.crt": server.ca}
                    secrets = [secret("both", username=user, password=password, **ca), secret("wrong", username=user, password="no", **ca), secret("ca", **ca),
                               secret("login", username=user, password=password)]
                    plane.apply(*secrets)
                    write(daemon, [git_repository(key, f"{server.url}{path}/shop.git", secretRef={"name": key.split("-")[0]})
                                             for key, path in (("both", ""), ("both-moved", "/moved"), ("wrong", ""), ("ca", ""), ("login", ""))])
                    daemon.start()
                    expected = {"both": "stored artifact", "both-moved": "stored artifact", "wrong": "authentication required",
                                "ca": "authentication required", "login": "certificate"}
                    eventually(lambda: all(text in sources(daemon).get(key, {}).get("message", "") for key, text in expected.items()), 60, what=lambda: {key: one['message'] for key, one in sources(daemon).items()})
                    assert sources(daemon)["both"]["revision"] == revision
            finally:
                daemon.stop()
                plane.stop()
    return test


if __name__ == "__main__":
    for absent in sorted(set(git_servers.NEEDS) - set(NAMES)):
        print(f"left out: {absent}, without {git_servers.missing(absent)}")
    if not NAMES:
        skip("no Git server is installed")
    def of(name):
        return run([(f"{test.__name__}_{name}", test(name)) for test in (crowds, references, doors, thousand)])
    with concurrent.futures.ThreadPoolExecutor(1 if ALL else len(NAMES)) as pool:  # most of the short set is waiting
        sys.exit(max(pool.map(of, NAMES)))
