#!/usr/bin/env python3
# remote_bases.py: kustomizations that name Git repositories and files by URL, built by kustomize and by us.
"""remote_bases.py HOLDFAST [ORACLE]

Without ORACLE: kustomize of the directory HOLDFAST_ORACLE; skipped without it. The repositories are made here and reached
as file:// and over HTTP on loopback. Where git itself fails, the message up to git's own words is compared."""

import functools
import http.server
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import git_http  # noqa: E402

GIT = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_CONFIG_COUNT": "1",
       "GIT_CONFIG_KEY_0": "uploadpack.allowAnySHA1InWant", "GIT_CONFIG_VALUE_0": "true",
       **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
          for what, value in (("NAME", "t"), ("EMAIL", "t@example.com"), ("DATE", "2026-01-01T00:00:00Z"))}}
ENVIRONMENT = {**os.environ, **GIT}


def config_map(name, **data):
    lines = "".join(f"  {key}: {value}\n" for key, value in (data or {"a": "b"}).items())
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n{lines}"


def kustomization(**fields):
    return "".join(f"{name}: {value}\n" for name, value in fields.items())


def resources(*paths, **more):
    return kustomization(resources=list(paths), **more)


COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
ORIGIN = {"buildMetadata": ["originAnnotations", "transformerAnnotations"]}


def git(folder, *words):
    subprocess.run(["git", "-C", str(folder), *words], check=True, env=ENVIRONMENT, capture_output=True)


def write(folder, tree):
    for name, text in tree.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("-> "):
            path.symlink_to(text[3:])
        else:
            path.write_text(text)


def commit(folder, tree):
    write(folder, tree)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "t")
    return subprocess.run(["git", "-C", str(folder), "rev-parse", "HEAD"], check=True, env=ENVIRONMENT, capture_output=True, text=True).stdout.strip()


def make_repositories(top, files):
    """app: bases, components, links, refs; nested: names app. Both bare, below `top`. Out: what the cases need to know."""
    work = top / "work"
    app = work / "app"
    app.mkdir(parents=True)
    git(app, "init", "-qb", "main")
    first = commit(app, {"kustomization.yaml": resources("top.yaml"), "top.yaml": config_map("top"),
                         "base/kustomization.yaml": resources("cm.yaml"), "base/cm.yaml": config_map("base", version="first"),
                         "base/patch.yaml": config_map("base", patched="yes")})
    git(app, "tag", "v1")
    git(app, "tag", "-am", "annotated", "v1-annotated")
    git(app, "branch", "both")
    commit(app, {"base/cm.yaml": config_map("base", version="second")})
    git(app, "tag", "both")
    commit(app, {
        "base/cm.yaml": config_map("base", version="third"),
        "component/kustomization.yaml": COMPONENT + kustomization(namePrefix="c-"),
        "shared/kustomization.yaml": resources("../base", namePrefix="shared-"),
        "left/kustomization.yaml": resources("../shared", namePrefix="left-"), "right/kustomization.yaml": resources("../shared", namePrefix="right-"),
        "up/kustomization.yaml": resources("../../outside"),
        "absolute/kustomization.yaml": resources("/etc/hostname"),
        "linked/kustomization.yaml": resources("cm.yaml"), "linked/cm.yaml": "-> real.yaml", "linked/real.yaml": config_map("linked"),
        "sibling/kustomization.yaml": resources("cm.yaml"), "sibling/cm.yaml": "-> ../base/cm.yaml",
        "leaving/kustomization.yaml": resources("cm.yaml"), "leaving/cm.yaml": "-> /etc/hostname",
        "alias": "-> shared", "exit": "-> ..",
        "generator/kustomization.yaml": kustomization(configMapGenerator=[{"name": "g", "files": ["words.txt"]}]), "generator/words.txt": "words\n",
        "http/kustomization.yaml": resources(f"{files}/plain.yaml"),
        "broken/kustomization.yaml": resources("missing.yaml"),
        "cycle/kustomization.yaml": resources("../cycle2"), "cycle2/kustomization.yaml": resources("../cycle"),
    })
    served = top / "served"
    git(top, "clone", "-q", "--bare", str(app), str(served / "org" / "app.git"))
    url = f"file://{served}/org/app.git"
    nested = work / "nested"
    nested.mkdir()
    git(nested, "init", "-qb", "main")
    commit(nested, {"kustomization.yaml": resources(f"{url}//base?ref=v1", namePrefix="n-"),
                    "a/kustomization.yaml": resources(f"{url}//base", namePrefix="a-"), "b/kustomization.yaml": resources(f"{url}//base", namePrefix="b-"),
                    "again/kustomization.yaml": resources(f"file://{served}/org/nested.git//again"),
                    "up/kustomization.yaml": resources(f"{url}//up")})
    git(top, "clone", "-q", "--bare", str(nested), str(served / "org" / "nested.git"))
    return served, url, first


def make_submodule(top, url):
    folder = top / "work" / "super"
    folder.mkdir()
    git(folder, "init", "-qb", "main")
    git(folder, "-c", "protocol.file.allow=always", "submodule", "add", url, "sub")
    commit(folder, {"kustomization.yaml": resources("cm.yaml"), "cm.yaml": config_map("super")})
    return f"file://{folder}"


def cases(git_url, served, url, first, files):
    nested = f"file://{served}/org/nested.git"
    yield "default branch", resources(f"{url}//base")
    yield "root of the repository", resources(url, **ORIGIN)
    yield "branch", resources(f"{url}//base?ref=main")
    yield "tag", resources(f"{url}//base?ref=v1")
    yield "annotated tag", resources(f"{url}//base?ref=v1-annotated")
    yield "a tag goes before a branch", resources(f"{url}//base?ref=both")
    yield "full names", resources(f"{url}//base?ref=refs/heads/both")
    yield "commit", resources(f"{url}//base?ref={first}")
    yield "version instead of ref", resources(f"{url}//base?version=v1")
    yield "path behind .git", resources(f"{url}/base?ref=v1&timeout=90s&submodules=false")
    yield "forced git", resources(f"git::{url}//base")
    yield "component", kustomization(resources=[f"{url}//base"], components=[f"{url}//component"])
    yield "origins", resources(f"{url}//shared?ref=main", f"{files}/plain.yaml", **ORIGIN)
    yield "origins of a generator", resources(f"{url}//generator", **ORIGIN)
    yield "diamond inside", resources(f"{url}//left", f"{url}//right", **ORIGIN)
    yield "nested", resources(nested, **ORIGIN)
    yield "diamond of repositories", resources(f"{nested}//a", f"{nested}//b", namePrefix="top-", **ORIGIN)
    yield "the same base twice", resources(f"{url}//base", f"{url}//base?ref=main")
    yield "link to a file", resources(f"{url}//linked")
    yield "link to a directory", resources(f"{url}//alias")
    yield "over http", resources(f"{git_url}/org/app.git//base?ref=v1", **ORIGIN)
    yield "over http, a commit", resources(f"{git_url}/org/app.git//base?ref={first}")
    yield "http file", resources(f"{files}/plain.yaml")
    yield "http file in a repository", resources(f"{url}//http")
    yield "http file behind a redirect", resources(f"{files}/moved")
    yield "files of all kinds", kustomization(
        resources=[f"{files}/plain.yaml"], patches=[{"path": f"{files}/patch.yaml"}, {"path": f"{files}/ops.json", "target": {"kind": "ConfigMap"}}],
        configMapGenerator=[{"name": "g", "files": [f"{files}/words.txt", f"named={files}/words.txt"], "envs": [f"{files}/env"]}],
        secretGenerator=[{"name": "s", "files": [f"{files}/words.txt"]}],
        transformers=[f"{files}/transformer.yaml"], generators=[f"{files}/generator.yaml"], configurations=[f"{files}/configuration.yaml"],
        replacements=[{"path": f"{files}/replacement.yaml"}], patchesStrategicMerge=[f"{files}/patch.yaml"], **ORIGIN)
    yield "transformers from a repository", kustomization(resources=[f"{files}/plain.yaml"], transformers=[f"{git_url}/org/app.git//generator"])
    yield "openapi", kustomization(resources=[f"{files}/plain.yaml"], openapi={"path": f"{files}/schema.json"})
    # What fails.
    yield "no such ref", resources(f"{url}//base?ref=none")
    yield "no such path", resources(f"{url}//none")
    yield "a file, not a directory", resources(f"{url}//base/cm.yaml")
    yield "no such repository", resources(f"file://{served}/org/none.git")
    yield "path leaves the repository", resources(f"{url}//../base")
    yield "base outside", resources(f"{url}//up")
    yield "base outside, nested", resources(f"{nested}//up")
    yield "absolute path", resources(f"{url}//absolute")
    yield "link out of the root", resources(f"{url}//sibling")
    yield "link out of the repository", resources(f"{url}//leaving")
    yield "link to a directory outside", resources(f"{url}//exit")
    yield "nothing there", resources(f"{url}//broken")
    yield "cycle of directories", resources(f"{url}//cycle")
    yield "cycle of repositories", resources(f"{nested}//again")
    yield "component that is none", kustomization(components=[f"{url}//base"])
    yield "base that is a component", resources(f"{url}//component")
    yield "no such component", kustomization(components=[f"{url}//none"])
    yield "http: 404", resources(f"{files}/none.yaml")
    yield "http: 500", resources(f"{files}/500")
    yield "http: 404 that may be a repository", resources(f"{files}/org/none/base")
    yield "http: a page", resources(f"{files}/page")
    yield "http: nobody answers", resources("http://127.0.0.1:1/x.yaml")
    yield "http: 404 for a generator", kustomization(configMapGenerator=[{"name": "g", "files": [f"{files}/none.txt"]}])
    yield "http: 404 for a patch", kustomization(resources=[f"{files}/plain.yaml"], patches=[{"path": f"{files}/none.yaml"}])


class Files(http.server.BaseHTTPRequestHandler):
    bodies = {
        "/plain.yaml": config_map("plain"), "/patch.yaml": config_map("plain", patched="yes"),
        "/ops.json": '[{"op": "add", "path": "/data/op", "value": "yes"}]', "/words.txt": "words\n", "/env": "ENV=1\n",
        "/transformer.yaml": "apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: p}\nprefix: t-\nfieldSpecs: [{path: metadata/name}]\n",
        "/generator.yaml": "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: made}\nname: made\nliterals: [a=b]\n",
        "/configuration.yaml": "commonAnnotations:\n- path: metadata/annotations\n  create: true\n",
        "/replacement.yaml": "source: {kind: ConfigMap, name: plain, fieldPath: data.a}\ntargets:\n- select: {kind: ConfigMap, name: plain}\n  fieldPaths: [data.copied]\n  options: {create: true}\n",
        "/schema.json": '{"definitions": {}}', "/page": "<!DOCTYPE html>\n<html><body>hello</body></html>\n",
    }

    def do_GET(self):
        body = self.bodies.get(self.path)
        status = 302 if self.path in ("/moved", "/loop") else 500 if self.path == "/500" else 200 if body is not None else 404
        self.send_response(status)
        if status == 302:
            self.send_header("Location", {"/moved": "/plain.yaml"}.get(self.path, self.path))
        content = (body or "").encode()
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def run(words):
    done = subprocess.run(words, capture_output=True, timeout=60, env=ENVIRONMENT, text=True)
    return done.returncode, done.stdout, done.stderr


def first_error(text):
    """The message, without the names of temporary directories and without the words of git and of the network."""
    line = next((line for line in text.splitlines() if line.startswith("Error:")), "")
    line = re.sub(r"/tmp/kustomize-\d+|/kustomize-remote/[^/'\"\\]*", "<clone>", line)
    line = re.sub(r"(failed to run '[^']*git fetch|git fetch (file|http)).*", "<git>", line)
    return re.sub(r"(dial tcp|127.0.0.1:1: connect) .*", "<network>", line)


# kustomize first looks whether what a repository names outside of itself is there; we do not look.
UNSEEN = {"base outside", "base outside, nested", "link out of the repository"}


def compare(top, holdfast, oracle, name, text):
    folder = top / "cases" / re.sub(r"\W+", "-", name)
    write(folder, {"kustomization.yaml": text})
    theirs = run([oracle, "build", str(folder)])
    ours = run([holdfast, "build", "--allow-remote-bases", str(folder)])
    if theirs[0] == 0:
        return ours[:2] == theirs[:2], theirs, ours
    said = "must be within the repo" in ours[2] if name in UNSEEN else first_error(ours[2]) == first_error(theirs[2])
    return ours[0] == 1 and not ours[1] and said, theirs, ours


def make_chain(top, length):
    """A repository whose tag t0 names its tag t1, and so on: each has to be fetched before the next is known."""
    folder = top / "work" / "chain"
    folder.mkdir()
    git(folder, "init", "-qb", "main")
    for number in range(length):
        commit(folder, {"kustomization.yaml": resources(f"file://{folder}//./?ref=t{number + 1}&step={number}")})
        git(folder, "tag", f"t{number}")
    commit(folder, {"kustomization.yaml": resources("cm.yaml"), "cm.yaml": config_map("end")})
    git(folder, "tag", f"t{length}")
    return f"file://{folder}//./?ref=t"


def check_command(holdfast, oracle, top, url, files):
    """What is wrong with the command itself, beside what it prints."""
    local = str(top / "cases" / "tag")
    allowed = [holdfast, "build", "--allow-remote-bases"]
    submodule, chain = make_submodule(top, url), make_chain(top, 17)
    write(top / "many", {"kustomization.yaml": resources(*(f"{files}/plain.yaml?{number}" for number in range(65)))})
    write(top / "loop", {"kustomization.yaml": resources(f"{files}/loop")})
    direct = f"{url}//base?ref=v1"
    if run([*allowed, direct])[:2] != run([oracle, "build", direct])[:2]:
        yield "a repository as DIR is built otherwise"
    for words, message in (([holdfast, "build", local], "--allow-remote-bases allows it"),
                           ([*allowed, "--root", str(top / "cases"), local], "a repository of this machine's disk is not read here"),
                           ([*allowed, "git@localhost:a/b.git"], "ssh is not supported"),
                           ([*allowed, str(top / "many")], "plain.yaml?64': more than 64 remote resources in one build"),
                           ([*allowed, str(top / "loop")], "/loop\": stopped after 10 redirects"),
                           ([*allowed, chain + "0"], "more than 16 rounds of remote resources"),
                           ([*allowed, submodule], "'sub' is a submodule, and those are not fetched")):
        status, out, error = run(words)
        if status != 1 or out or message not in error:
            yield f"{words}: {status} {out}{error}"
    for good in (submodule + "?submodules=false", chain + "2"):
        status, _, error = run([*allowed, good])
        if status != 0:
            yield f"{good} does not build: {error}"


def main():
    holdfast = sys.argv[1]
    oracle = sys.argv[2] if len(sys.argv) > 2 else os.path.join(os.environ.get("HOLDFAST_ORACLE", "."), "kustomize")
    if not os.access(oracle, os.X_OK):
        print("no oracle: run scripts/build_oracles")
        return 77
    with tempfile.TemporaryDirectory(prefix="holdfast-remote-") as name:
        top = pathlib.Path(name).resolve()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        files = f"http://127.0.0.1:{server.server_port}"
        served, url, first = make_repositories(top, files)
        with git_http.GitHttpServer(served) as git_server:
            listed = list(cases(git_server.url, served, url, first, files))
            check = functools.partial(compare, top, holdfast, oracle)
            with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
                results = list(pool.map(lambda case: (case[0], *check(*case)), listed))
            problems = list(check_command(holdfast, oracle, top, url, files))
        server.shutdown()
    for problem in problems:
        print(problem)
    for case, same, theirs, ours in results:
        if not same:
            print(f"== {case}\n-- kustomize {theirs[0]}\n{theirs[1]}{first_error(theirs[2]) or theirs[2]}\n-- ours {ours[0]}\n{ours[1]}{first_error(ours[2]) or ours[2]}")
    different = sum(not result[1] for result in results)
    print(f"{len(results)} cases, {sum(result[2][0] == 0 for result in results)} build, {different} differ")
    return 1 if different or problems else 0


if __name__ == "__main__":
    sys.exit(main())
