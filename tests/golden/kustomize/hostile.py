#!/usr/bin/env python3
# hostile.py: trees made to crash, hang, fill memory or read what is not theirs; each must end quickly with one line.
"""hostile.py TOOL [--seconds S] [--megabytes M] [--only NAME] [--verbose]

Every tree is built with --root at the tree's top. It may build or fail; it must not crash, take longer, need more memory
or show one byte of the file outside of the root."""

import argparse
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time

SECRET = "outside-bytes-9f1c"


def start_launcher():
    """A small process that starts the programs: a child's peak memory counts what its parent had at the fork."""
    ask, asked = os.pipe(), os.pipe()
    if os.fork():
        os.close(ask[0])
        os.close(asked[1])
        return os.fdopen(ask[1], "w"), os.fdopen(asked[0])
    os.close(ask[1])
    os.close(asked[0])
    answer = os.fdopen(asked[1], "w")
    for line in os.fdopen(ask[0]):
        command = json.loads(line)
        with open(command["out"], "wb") as out, open(command["err"], "wb") as err:
            process = subprocess.Popen(command["argv"], stdout=out, stderr=err, stdin=subprocess.DEVNULL,
                                       env={**os.environ, "HOSTILE": SECRET})
        end = time.monotonic() + command["seconds"]
        pid = 0
        while not pid and time.monotonic() < end:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if not pid:
                time.sleep(0.002)
        if not pid:
            process.kill()
            pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        print(json.dumps([os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]),
              file=answer, flush=True)
    os._exit(0)


ASK, ANSWER = start_launcher()
CM = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {a: b}\n"
TREES = {}


def tree(name, files=None, make=None):
    TREES[name] = (files or {}, make)


def with_resource(name, text):
    tree(name, {"kustomization.yaml": "resources: [r.yaml]\n", "r.yaml": text})


def bomb(levels, width=9):
    lines = ["a0: &a0 [lol, lol]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * width)}]" for i in range(1, levels)]
    return "\n".join(lines) + "\n"


HEAD = "apiVersion: example.com/v1\nkind: A\nmetadata: {name: x}\n"
# ---- YAML
with_resource("anchor cycle in a list", HEAD + "spec: &a [*a]\n")
with_resource("anchor cycle in a map", HEAD + "spec: &a {b: *a}\n")
with_resource("merge cycle", HEAD + "spec: &a {<<: *a}\n")
with_resource("two anchors that hold each other", HEAD + "spec: &a {x: &b {y: *a}, z: *b}\n")
with_resource("alias bomb of 9 levels", HEAD + bomb(9))
with_resource("alias bomb of 7 levels", HEAD + bomb(7))
with_resource("merge bomb", HEAD + "m0: &m0 {a: b}\n" + "".join(f"m{i}: &m{i} {{x: *m{i - 1}, y: *m{i - 1}, <<: *m{i - 1}}}\n" for i in range(1, 40)))
with_resource("deep lists", HEAD + "spec: " + "[" * 200000 + "]" * 200000 + "\n")
with_resource("deep maps", HEAD + "spec: " + "{a: " * 100000 + "1" + "}" * 100000 + "\n")
with_resource("deep block", HEAD + "".join("  " * i + "a:\n" for i in range(3000)))
with_resource("100,000 documents", "".join(CM % f"c{i}" + "---\n" for i in range(100000)))
with_resource("100,000 empty documents", "---\n" * 100000)
with_resource("a million keys", HEAD + "spec:\n" + "".join(f"  k{i}: 1\n" for i in range(1000000)))
with_resource("a million entries", HEAD + "spec:\n" + "- 1\n" * 1000000)
with_resource("one long line", HEAD + "spec: \"" + "x" * 20000000 + "\"\n")
with_resource("a long key", HEAD + "x" * 3000000 + ": 1\n")
with_resource("question marks", HEAD + "spec:\n" + "? " * 50000 + "a\n")
with_resource("NUL bytes", HEAD + "spec: \"a\0b\"\n")
with_resource("not UTF-8", b"apiVersion: v1\nkind: A\nmetadata: {name: \xff\xfe}\n")
with_resource("UTF-16 cut off", b"\xff\xfea\x00p\x00i")
with_resource("random bytes", bytes((i * 7919) % 256 for i in range(100000)))
with_resource("lists of lists", "".join("  " * i * 2 + "apiVersion: v1\n" + "  " * i * 2 + "kind: List\n" + "  " * i * 2 + "items:\n" + "  " * i * 2 + "-\n" for i in range(200)))
with_resource("a python tag", HEAD + "spec: !!python/object/apply:os.system [id]\n")
with_resource("same key many times", HEAD + "spec: {" + "a: 1, " * 100000 + "}\n")
for field, entry in {"patches": "[{path: f}]", "configurations": "[f]", "crds": "[f]", "openapi": "{path: f}", "transformers": "[f]",
                     "generators": "[f]", "validators": "[f]", "replacements": "[{path: f}]", "components": "[f]"}.items():
    for name, text in {"bomb": HEAD + bomb(9), "cycle": HEAD + "spec: &a [*a]\n", "deep": "[" * 100000}.items():
        tree(f"{name} in {field}", {"kustomization.yaml": f"resources: [r.yaml]\n{field}: {entry}\n", "r.yaml": CM % "r", "f": text})
tree("bomb in the kustomization", {"kustomization.yaml": "namePrefix: a\n" + bomb(9)})
tree("cycle in the kustomization", {"kustomization.yaml": "labels: &a [*a]\n"})
tree("deep kustomization", {"kustomization.yaml": "resources: " + "[" * 100000})
tree("a JSON patch that is a bomb", {"kustomization.yaml": "resources: [r.yaml]\npatches: [{path: p, target: {kind: A}}]\n", "r.yaml": HEAD,
                                     "p": "- &o {op: add, path: /x, value: &v [1, 2]}\n" + "- {op: add, path: /y, value: [*v, *v]}\n" * 1000})

# ---- shapes
def diamond(levels, fields, kind="resources", component=False):
    files = {}
    head = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n" if component else ""
    for level in range(levels):
        for side in "ab":
            below = f"{kind}: [../{level + 1}a, ../{level + 1}b]\n" if level + 1 < levels else "resources: [r.yaml]\n"
            files[f"{level}{side}/kustomization.yaml"] = head + below + fields.format(side=side, level=level)
            files[f"{level}{side}/r.yaml"] = CM % f"r{side}"
    files["kustomization.yaml"] = f"{kind}: [0a, 0b]\n" + ("configMapGenerator: [{name: x}]\n" if component else "")
    return files


tree("diamond of 14 levels", diamond(14, ""))
tree("diamond of 14 levels with prefixes", diamond(14, "namePrefix: {side}-\n"))
tree("diamond of 20 levels with prefixes", diamond(20, "namePrefix: {side}-\n"))
tree("diamond of 14 levels with namespaces", diamond(14, "namespace: n{level}{side}\n"))
tree("diamond of 14 empty levels", diamond(14, "nameSuffix: x\nconfigMapGenerator: []\n"))
tree("diamond of 14 components", diamond(14, "commonAnnotations: {{x{side}: y}}\n", "components", True))
tree("a chain of 500 bases", {**{f"{i}/kustomization.yaml": f"resources: [../{i + 1}]\n" for i in range(500)},
                              "500/kustomization.yaml": "configMapGenerator: [{name: x}]\n", "kustomization.yaml": "resources: [\"0\"]\n"})
tree("itself", {"kustomization.yaml": "resources: [.]\n"})
tree("a cycle of two", {"kustomization.yaml": "resources: [a]\n", "a/kustomization.yaml": "resources: [../b]\n", "b/kustomization.yaml": "resources: [../a]\n"})
tree("a cycle of components", {"kustomization.yaml": "components: [a]\n", "a/kustomization.yaml": "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\ncomponents: [../a]\n"})
tree("5,000 resources", {"kustomization.yaml": "namePrefix: a\nnamespace: b\nresources:\n" + "".join(f"- r{i}.yaml\n" for i in range(5000)),
                         **{f"r{i}.yaml": CM % f"r{i}" for i in range(5000)}})
tree("300 patches on 300 objects", {"kustomization.yaml": "resources: [r.yaml]\npatches:\n" + "- {path: p.yaml, target: {kind: ConfigMap}}\n" * 300,
                                    "r.yaml": "---\n".join(CM % f"r{i}" for i in range(300)), "p.yaml": CM % "p"})
tree("500 labels on 500 objects", {"kustomization.yaml": "resources: [r.yaml]\ncommonLabels:\n" + "".join(f"  l{i}: x\n" for i in range(500)),
                                   "r.yaml": "---\n".join(CM % f"r{i}" for i in range(500))})
tree("one file 2,000 times", {"kustomization.yaml": "configMapGenerator:\n- name: x\n  files:\n" + "".join(f"  - k{i}=big\n" for i in range(2000)), "big": "x" * 1000000})
tree("a prefix of a megabyte", {"kustomization.yaml": "resources: [r.yaml]\nnamePrefix: " + "p" * 1000000 + "\n", "r.yaml": "---\n".join(CM % f"r{i}" for i in range(100))})
tree("10,000 images", {"kustomization.yaml": "resources: [r.yaml]\nimages:\n" + "".join(f"- {{name: i{i}, newTag: x}}\n" for i in range(10000)), "r.yaml": CM % "r"})

# ---- expressions
for name in ["[invalid", "(", "a{1,", "*", "\\", "(?P<x", "a**", "[z-a]", "(a+)+$" * 20, "(" * 2000, "a{1000}{1000}", "\\C"]:
    tree(f"image name {name[:20]}", {"kustomization.yaml": f"resources: [r.yaml]\nimages: [{{name: {json.dumps(name)}, newTag: x}}]\n",
                                     "r.yaml": HEAD + "spec: {containers: [{image: \"" + "a" * 200 + "\"}]}\n"})
    tree(f"selector {name[:20]}", {"kustomization.yaml": f"resources: [r.yaml]\npatches: [{{patch: \"[{{op: remove, path: /x}}]\", target: {{name: {json.dumps(name)}}}}}]\n", "r.yaml": HEAD})
tree("label selector of a megabyte", {"kustomization.yaml": "resources: [r.yaml]\npatches: [{patch: \"[]\", target: {labelSelector: \"" + "a," * 500000 + "b\"}}]\n", "r.yaml": HEAD})

# ---- patches
def patch_case(name, operations, text=HEAD + "spec: {a: [1, 2]}\n"):
    tree(name, {"kustomization.yaml": "resources: [r.yaml]\npatches: [{path: p.json, target: {kind: A}}]\n", "r.yaml": text, "p.json": json.dumps(operations)})


patch_case("copy that doubles", [{"op": "add", "path": "/x", "value": ["y" * 1000]}] + [{"op": "copy", "from": "/x", "path": "/x/-"}] * 40)
patch_case("a far index", [{"op": "add", "path": "/spec/a/99999999999", "value": 1}])
patch_case("a negative index", [{"op": "add", "path": "/spec/a/-5", "value": 1}])
patch_case("a deep path", [{"op": "add", "path": "/a" * 100000, "value": 1}])
patch_case("remove everything", [{"op": "remove", "path": ""}])
patch_case("replace the object by text", [{"op": "replace", "path": "", "value": "x"}])
patch_case("remove the kind", [{"op": "remove", "path": "/kind"}])
patch_case("remove the metadata", [{"op": "remove", "path": "/metadata"}])
patch_case("metadata becomes a list", [{"op": "replace", "path": "/metadata", "value": [1]}])
patch_case("operations without a path", [{"op": "add"}, {"x": 1}, {}])
patch_case("100,000 operations", [{"op": "add", "path": "/spec/a/-", "value": 1}] * 100000)
for index, text in enumerate(["$patch: delete\n", "$patch: replace\n", "$patch: [1]\n", "spec: {$patch: x}\n", "metadata: 3\n", "kind: {a: b}\n"]):
    tree(f"odd merge {index}", {"kustomization.yaml": "resources: [r.yaml]\npatches: [{path: p.yaml, target: {kind: A}}]\n", "r.yaml": HEAD + "spec: {a: 1}\n",
                                "p.yaml": (HEAD if "kind" not in text and "metadata" not in text else "apiVersion: v1\nkind: A\nmetadata: {name: x}\n") + text})
tree("a replacement far out", {"kustomization.yaml": "resources: [r.yaml]\nreplacements: [{source: {kind: A, fieldPath: spec.a.99999999}, targets: [{select: {kind: A}, fieldPaths: [spec.b.9999999], options: {create: true, delimiter: /, index: 2000000000}}]}]\n", "r.yaml": HEAD + "spec: {a: [1]}\n"})
tree("a replacement that creates much", {"kustomization.yaml": "resources: [r.yaml]\nreplacements: [{source: {kind: A}, targets: [{select: {kind: A}, fieldPaths: [\"" + ".".join(["a"] * 50000) + "\"], options: {create: true}}]}]\n", "r.yaml": HEAD})
tree("a var that holds itself", {"kustomization.yaml": "resources: [r.yaml]\nvars: [{name: V, objref: {apiVersion: v1, kind: Pod, name: x}, fieldref: {fieldPath: spec.containers}}]\n",
                                 "r.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: c, args: [\"$(V)\", \"" + "$(V)" * 1000 + "\"]}]}\n"})
tree("schema that refers to itself", {"kustomization.yaml": "resources: [r.yaml]\nopenapi: {path: s.json}\npatches: [{path: p.yaml}]\n", "r.yaml": HEAD + "spec: {a: 1}\n", "p.yaml": HEAD + "spec: {a: {b: {c: 1}}}\n",
                                      "s.json": json.dumps({"definitions": {"A": {"$ref": "#/definitions/A", "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "A"}], "properties": {"spec": {"$ref": "#/definitions/A"}}}, "B": {"$ref": "#/definitions/B"}}})})
tree("crd that refers to itself", {"kustomization.yaml": "resources: [r.yaml]\ncrds: [s.json]\n", "r.yaml": HEAD,
                                   "s.json": json.dumps({"A": {"Schema": {"properties": {"kind": {}, "apiVersion": {}, "metadata": {}, "spec": {"$ref": "A"}}}}})})
tree("names with paths", {"kustomization.yaml": "namePrefix: ../../\nresources: [r.yaml]\n", "r.yaml": CM % "../../etc/x"})

# ---- files that are none of its business; OUT is replaced by the path of the file outside
OUTSIDE = {
    "resources": "resources: [OUT]\n", "patches": "resources: [r.yaml]\npatches: [{path: OUT, target: {kind: A}}]\n",
    "files": "configMapGenerator: [{name: x, files: [k=OUT]}]\n", "envs": "configMapGenerator: [{name: x, envs: [OUT]}]\n",
    "secret files": "secretGenerator: [{name: x, files: [k=OUT]}]\n", "configurations": "configurations: [OUT]\nnamePrefix: a\n",
    "crds": "crds: [OUT]\nnamePrefix: a\n", "openapi": "openapi: {path: OUT}\nnamePrefix: a\n", "components": "components: [OUT]\n",
    "replacements": "replacements: [{path: OUT}]\nresources: [r.yaml]\n", "transformers": "transformers: [OUT]\nresources: [r.yaml]\n",
    "generators": "generators: [OUT]\n", "validators": "validators: [OUT]\nresources: [r.yaml]\n",
    "patchesStrategicMerge": "patchesStrategicMerge: [OUT]\nresources: [r.yaml]\n",
    "patchesJson6902": "patchesJson6902: [{target: {version: v1, kind: A, name: x}, path: OUT}]\nresources: [r.yaml]\n",
    "chart values": "helmCharts: [{name: x, valuesFile: OUT}]\n", "charts": "helmGlobals: {chartHome: OUT}\nhelmCharts: [{name: x}]\n",
}
for field, text in OUTSIDE.items():
    tree(f"absolute path in {field}", {"kustomization.yaml": text.replace("OUT", "ABSOLUTE"), "r.yaml": HEAD})
    tree(f".. in {field}", {"kustomization.yaml": text.replace("OUT", "../outside/secret.yaml"), "r.yaml": HEAD})
    tree(f"link in {field}", {"kustomization.yaml": text.replace("OUT", "link"), "r.yaml": HEAD}, lambda top: os.symlink("../outside/secret.yaml", top + "/link"))
    tree(f"link through a directory in {field}", {"kustomization.yaml": text.replace("OUT", "dir/secret.yaml"), "r.yaml": HEAD}, lambda top: os.symlink("../outside", top + "/dir"))
    tree(f"FIFO in {field}", {"kustomization.yaml": text.replace("OUT", "fifo"), "r.yaml": HEAD}, lambda top: os.mkfifo(top + "/fifo"))
    tree(f"/dev/zero in {field}", {"kustomization.yaml": text.replace("OUT", "zero"), "r.yaml": HEAD}, lambda top: os.symlink("/dev/zero", top + "/zero"))
    tree(f"environment in {field}", {"kustomization.yaml": text.replace("OUT", "/proc/self/environ"), "r.yaml": HEAD})
tree("kustomization is a link out", {}, lambda top: os.symlink("../outside/kustomization.yaml", top + "/kustomization.yaml"))
tree("kustomization is a FIFO", {}, lambda top: os.mkfifo(top + "/kustomization.yaml"))
tree("kustomization is a directory", {"kustomization.yaml/x": "a"})
tree("kustomization is a loop of links", {}, lambda top: os.symlink("kustomization.yaml", top + "/kustomization.yaml"))
tree("a base outside", {"kustomization.yaml": "resources: [../outside]\n"})
tree("a linked base outside", {"kustomization.yaml": "resources: [base]\n"}, lambda top: os.symlink("../outside", top + "/base"))
tree("a loop of links", {"kustomization.yaml": "resources: [a/x.yaml]\n"}, lambda top: (os.symlink("b", top + "/a"), os.symlink("a", top + "/b")))


def make_socket(top):
    listener = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(top)
    listener.bind("r.yaml")
    os.chdir(here)


tree("a socket", {"kustomization.yaml": "resources: [r.yaml]\n"}, make_socket)
tree("an exec function", {"kustomization.yaml": "resources: [r.yaml]\ntransformers: [f.yaml]\n", "r.yaml": HEAD,
                          "f.yaml": "apiVersion: v1\nkind: Fn\nmetadata: {name: f, annotations: {config.kubernetes.io/function: \"exec: {path: ./f.sh}\"}}\n", "f.sh": "#!/bin/sh\ntouch /tmp/hostile-was-here\n"})
tree("remote resource", {"kustomization.yaml": "resources: [\"https://127.0.0.1:9/x.yaml\", \"github.com/a/b\", \"git@127.0.0.1:a/b\"]\n"})


def run(tool, name, limits):
    files, make = TREES[name]
    outer = os.path.realpath(tempfile.mkdtemp(prefix="holdfast-hostile-"))
    try:
        top = outer + "/top"
        os.makedirs(top)
        os.makedirs(outer + "/outside")
        for path, text in {"secret.yaml": CM % SECRET, "kustomization.yaml": "resources: [secret.yaml]\n"}.items():
            with open(f"{outer}/outside/{path}", "w", encoding="utf-8") as out:
                out.write(text)
        for path, text in files.items():
            os.makedirs(os.path.dirname(f"{top}/{path}"), exist_ok=True)
            with open(f"{top}/{path}", "wb") as out:
                out.write(text.replace("ABSOLUTE", outer + "/outside/secret.yaml").encode() if isinstance(text, str) else text)
        if make:
            make(top)
        print(json.dumps({"argv": [tool, "build", "--root", top, "--load-restrictor=LoadRestrictionsNone", "--enable-helm",
                                   "--enable-alpha-plugins", top], "out": outer + "/out", "err": outer + "/err",
                          "seconds": limits.seconds * 20}), file=ASK, flush=True)
        code, seconds, megabytes = json.loads(ANSWER.readline())
        with open(outer + "/out", "rb") as out:
            stdout = out.read()
        with open(outer + "/err", "rb") as err:
            stderr = err.read()
        errors = [line for line in stderr.decode("utf-8", "replace").splitlines() if line.startswith("Error: ")]
        verdict = "ok"
        if SECRET.encode() in stdout or SECRET.encode() in stderr.replace(outer.encode(), b""):
            verdict = "LEAK"
        elif code not in (0, 1):
            verdict = f"CRASH {code}"
        elif code == 1 and len(errors) != 1:
            verdict = "no single line"
        elif seconds > limits.seconds:
            verdict = "slow"
        elif megabytes > limits.megabytes:
            verdict = "big"
        return verdict, seconds, megabytes, errors[0] if errors else f"{len(stdout)} bytes"
    finally:
        shutil.rmtree(outer)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--megabytes", type=float, default=64)
    parser.add_argument("--only")
    parser.add_argument("--verbose", action="store_true")
    limits = parser.parse_args()
    bad = 0
    for name in TREES:
        if limits.only and limits.only not in name:
            continue
        verdict, seconds, megabytes, line = run(limits.tool, name, limits)
        bad += verdict != "ok"
        if verdict != "ok" or limits.verbose:
            print(f"{verdict:8} {seconds:6.2f} s {megabytes:6.0f} MiB  {name}: {line[:160]}")
    print(f"{len(TREES)} trees, {bad} bad")
    return 1 if bad else 0


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(main())
